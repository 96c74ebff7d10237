"""Taking the values of some names all at once, which takes a fraction of the time of one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

Taker = Callable[[Any], Sequence[Any]]


def taker(names: Sequence[Any]) -> Taker:
    """What gives the values of these keys, in their order. It raises KeyError for one that is not there."""
    if len(names) > 1:
        return itemgetter(*names)
    return partial(_taken, tuple(names))


def _taken(names: tuple[Any, ...], values: Any) -> Sequence[Any]:
    return [values[name] for name in names]
