"""Pages drawn as HTML: they know the shape of an answer, and take every word from the messages."""
