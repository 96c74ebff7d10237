"""Files: YAML with positions, JSON Schema with positions, and edits that keep the rest as it was written."""
