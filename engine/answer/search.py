"""Finding entries by a few letters of what they are called, and two of them in one line of text."""

from __future__ import annotations

from engine.closest import normalised
from engine.rulebook.catalogs import Catalog, Entry
from engine.rulebook.rulebook import Rulebook

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


def split_line(rulebook: Rulebook, line: str, word_between: str, first: str, second: str) -> tuple[str, str]:
    """`a <word> b` in two, at the place where both sides are known if there is one; the second is empty without it."""
    between = f" {word_between} "
    cuts = [at for at in range(len(line)) if line.startswith(between, at)]
    halves = [(line[:at].strip(), line[at + len(between) :].strip()) for at in cuts]
    both = rulebook.catalog_of(first), rulebook.catalog_of(second)
    known = [half for half in halves if all(one.find(word) for one, word in zip(both, half, strict=True))]
    return (known or halves or [(line.strip(), "")])[0]
