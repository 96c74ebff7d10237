"""Pinned questions: those whose figures whoever edits the rules wants to see move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fitcard.read.document import Document

Asked = Mapping[str, str | float]


@dataclass(frozen=True)
class Pinned:
    """`questions` as they are asked, and of each the values of `names`."""

    questions: tuple[Asked, ...]
    names: tuple[str, ...]


def read_pinned(document: Document) -> Pinned:
    """What a rulebook file that has passed its schema pins; nothing, where it does not say."""
    data = document.data.get("pinned", {})
    return Pinned(tuple(data.get("questions", [])), tuple(data.get("names", [])))
