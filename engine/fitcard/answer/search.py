"""Finding entries by a few letters of what they are called."""

from __future__ import annotations

from fitcard.closest import normalised
from fitcard.rulebook.catalogs import Catalog, Entry

MOST = 8


def search(catalog: Catalog, text: str) -> list[Entry]:
    """A few entries whose names hold every word of the text, those that begin with it first; else the nearest."""
    if not normalised(text):
        return []
    return (matches(catalog, text) or nearest(catalog, text))[:MOST]


def matches(catalog: Catalog, text: str) -> list[Entry]:
    """The entry that the text means, if it means one, and all whose names hold every word of it.

    Those that begin with it come first, then short names; all entries where the text is empty.
    """
    wanted, words = normalised(text), [normalised(word) for word in text.split()]
    if not wanted:
        return list(catalog.entries.values())
    meant, found = catalog.find(text), []
    for entry in catalog.entries.values():
        forms = [normalised(name) for name in catalog.names_of(entry)]
        if entry is meant or all(any(word in form for form in forms) for word in words):
            begins = not any(form.startswith(wanted) for form in forms)
            order = (entry is not meant, begins, len(entry.name), entry.name)
            found.append((order, entry))
    return [entry for _, entry in sorted(found, key=lambda one: one[0])]


def nearest(catalog: Catalog, text: str) -> list[Entry]:
    """Entries that are called most like the text, the nearest first."""
    return [catalog.entries[near] for near in catalog.nearest(text)]
