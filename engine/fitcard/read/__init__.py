"""Files come in here: YAML as text, with the position of every key and value, checked against its JSON Schema."""
