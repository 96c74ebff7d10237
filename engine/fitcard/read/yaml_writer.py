"""Values as YAML on one line, plain where they read back as what they are and in quotes where they would not."""

from __future__ import annotations

import json
from typing import Any

from fitcard.read.yaml_reader import read_text


def written(value: Any, *, in_braces: bool = True) -> str:
    """A value as it is written behind a key: everywhere, or only where it is not inside braces or brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(part) for part in value) + "]"
    bare = isinstance(value, str) and read_value(value) == value
    if bare and (not in_braces or _reads(f"{{v: {value}}}") == {"v": value}):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def read_value(text: str) -> Any:
    """What a value written like this is; None where it is not YAML, or nothing."""
    found = _reads(f"v: {text}")
    return found.get("v") if isinstance(found, dict) and list(found) == ["v"] else None


def _reads(text: str) -> Any:
    document, problems = read_text(text, "")
    return document.data if document is not None and not problems else None
