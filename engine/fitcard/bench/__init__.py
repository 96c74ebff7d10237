"""How long things take, each beside a yardstick that was timed in turn with it, so that machines can be compared."""
