"""Names of entries that people type for another entry.

An entry is called by its id and its name, and an alias adds to these. So an alias may choose one of several entries
that are called so, such as one of two sizes, and it may state a figure of its entry, such as `4-bit`; it must not take
what another entry is called, and neither may a name that contradicts the id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fitcard.catalog.names import NameIndex, name_form, name_parts

Parts = frozenset[str]


@dataclass(frozen=True)
class NameConflict:
    """`name`, which is at `position` among the names of `entry`, is what people type for `other`."""

    entry: str
    position: int
    name: str
    other: str


def name_conflicts(index: NameIndex, figures: Callable[[str], Parts]) -> Iterator[NameConflict]:
    """The conflicts in the order of the entries. `figures` are those of an entry as parts of names."""
    for entry, names in index.names.items():
        for position, name in enumerate(names):
            if name in names[:position]:
                continue
            parts = index.parts_of(name)
            if index.having(parts) == [entry]:  # most names
                continue
            other = _other_owner(index, entry, position, parts)
            if other and not parts <= figures(entry):
                yield NameConflict(entry, position, name, other)


def _other_owner(index: NameIndex, entry: str, position: int, parts: Parts) -> str | None:
    """The entry that is found by these parts, and called so more than `entry` is without its name at `position`.

    Aliases that differ from that name only in case and punctuation do not count either. An id is that of another entry
    only if it has all its parts, and its own name none.
    """
    names, form = index.names[entry], name_form(index.names[entry][position])
    called = Parts().union(*(name_parts(name) for at, name in enumerate(names[:2]) if at != position))
    rest = (name_parts(name) for name in names[2:] if name_form(name) != form)
    matches = index.best(parts, replaced=entry, called=called, all_parts=called.union(*rest))
    own = _closeness(entry, called, parts)
    for other in matches:
        if not position and (own[0] or not parts <= name_parts(other)):
            continue
        closeness = _closeness(other, index.called_parts[other], parts)
        only_aliases = closeness[0] == own[0] == 0
        if other != entry and (entry not in matches if only_aliases else closeness > own):
            return other
    return None


def _closeness(entry: str, called: Parts, parts: Parts) -> tuple[int, int]:
    """How many of the parts an entry is called by, then how few others are in its id."""
    return len(parts & called), -len(name_parts(entry) - parts)
