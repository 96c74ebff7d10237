"""Keeping a part of an answer: the keys that are wanted, short lists, and numbers of so many digits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fitcard.rulebook.tools import Kept
from fitcard.values import round_significant, whole_as_int


def project(data: Any, kept: Kept) -> Any:
    """What is kept of some data, also inside of lists, in the order in which it is wanted, without what is absent."""
    if isinstance(data, list):
        return [project(item, kept) for item in data]
    if not isinstance(data, Mapping):
        return data
    keys = kept.parts or dict.fromkeys(data, Kept({}))
    return {key: project(data[key], part) for key, part in keys.items() if data.get(key) is not None}


def truncate(data: Mapping[str, Any], path: str, most: int) -> dict[str, Any]:
    """The data with no more than so many items in the list at `path`, a key or some with dots between."""
    head, _, rest = path.partition(".")
    inside = data.get(head)
    if isinstance(inside, Mapping) and rest:
        return {**data, head: truncate(inside, rest, most)}
    return {**data, head: inside[:most]} if isinstance(inside, list) else dict(data)


def round_numbers(data: Any, digits: int) -> Any:
    """The data with each number that is not whole to so many significant digits."""
    if isinstance(data, Mapping):
        return {key: round_numbers(part, digits) for key, part in data.items()}
    if isinstance(data, list):
        return [round_numbers(part, digits) for part in data]
    return whole_as_int(round_significant(data, digits)) if isinstance(data, float) else data
