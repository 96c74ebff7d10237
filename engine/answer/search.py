"""Finding entries by a few letters of what they are called."""

from __future__ import annotations

from engine.closest import normalised
from engine.rulebook.catalogs import Catalog, Entry

MOST = 8


def search(catalog: Catalog, text: str) -> list[Entry]:
    """A few entries whose names hold every word of the text, those that begin with it first; else the nearest."""
    wanted, words = normalised(text), [normalised(word) for word in text.split()]
    if not wanted:
        return []
    found = []
    for entry in catalog.entries.values():
        forms = [normalised(name) for name in catalog.names_of(entry)]
        if all(any(word in form for form in forms) for word in words):
            begins = not any(form.startswith(wanted) for form in forms)
            found.append((begins, len(entry.name), entry.name, entry))
    if not found:
        return [catalog.entries[near] for near in catalog.nearest(text)][:MOST]
    return [entry for *_, entry in sorted(found, key=lambda one: one[:3])[:MOST]]
