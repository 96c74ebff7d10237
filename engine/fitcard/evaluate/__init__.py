"""Rules run here, on columns over a grid of catalog rows: one path for one question, a page, or the whole catalog."""
