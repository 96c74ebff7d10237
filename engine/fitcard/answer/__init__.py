"""From a question to its answer: reading, evaluating, rendering, explaining, ranking."""
