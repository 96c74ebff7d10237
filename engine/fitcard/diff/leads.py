"""The names that lead questions to another entry than before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fitcard.catalog.catalog import Catalog
from fitcard.diff.schema import LeadData
from fitcard.rulebook.rulebook import Rulebook

MAX_TYPED_WORDS = 12  # of an id or name whose sequences of words are tried
SEPARATORS = re.compile(r"[\s_/-]+")


def find_leads(base: Rulebook, head: Rulebook) -> list[LeadData]:
    """The typed words that find another entry in the new version, by the catalog of each axis of both.

    They are all names of both versions, and the sequences of words in ids and names. Words that only find an added
    entry, or no longer find a removed one, are not among them.
    """
    kinds = {axis.catalog for axis in base.question_fields.axes.values()}
    shared = dict.fromkeys(axis.catalog for axis in head.question_fields.axes.values() if axis.catalog in kinds)
    return [lead for kind in shared for lead in _leads(base.catalogs[kind], head.catalogs[kind])]


def _leads(base: Catalog, head: Catalog) -> Iterator[LeadData]:
    if base.name_index == head.name_index:
        return
    names = _names(base) | _names(head)
    for typed in names | {words: None for name in names for words in _sequences(name)}:
        old, new = base.find(typed), head.find(typed)
        before, after = (entry.id if entry else None for entry in (old, new))
        if before == after:
            continue
        led_elsewhere = before is not None and after is not None
        gained = after is not None and after in base.entries
        lost = before is not None and before in head.entries
        if led_elsewhere or (typed in names and (gained or lost)):
            yield {"catalog": head.kind, "typed": typed, "old": before, "new": after}


def _names(catalog: Catalog) -> dict[str, None]:
    return {name: None for entry in catalog.entries.values() for name in catalog.names_of(entry)}


def _sequences(name: str) -> Iterator[str]:
    words = SEPARATORS.split(name)[:MAX_TYPED_WORDS]
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield " ".join(words[start:end])
