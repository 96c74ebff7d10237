"""Matching of the names that people type: any spelling that refers to exactly one entry of a catalog finds it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from fitcard.suggest import MAX_MATCHES, closest, may_compare, normalize

MAX_LENGTH = 200  # characters of a name that are matched; the time is quadratic in them
NUMBER = r"\d+(?:\.\d+)*"
WORD_BEFORE_NUMBER = re.compile(r"([a-z]{2,})(?=\d)")
NUMBER_BEFORE_UNIT = re.compile(rf"(?<![a-z0-9.])({NUMBER})[\s_-]+([a-z]{{1,3}})(?![a-z0-9])")
PART = re.compile(r"[a-z0-9]+(?:\.\d+[a-z]*)*")


def name_parts(text: str) -> frozenset[str]:
    """The words and numbers of a name: `RTX 4090 24 GB` has `rtx`, `4090` and `24gb`."""
    separated = WORD_BEFORE_NUMBER.sub(r"\1 ", text.casefold())
    return frozenset(PART.findall(NUMBER_BEFORE_UNIT.sub(r"\1\2", separated)))


@dataclass(frozen=True)
class NameIndex:
    """The names of all entries of a catalog, by id: first the id, then the name, then others.

    `noise_words` are words and phrases that are ignored in names that people type.
    """

    names: Mapping[str, tuple[str, ...]]
    noise_words: tuple[str, ...] = ()

    def find(self, word: str) -> str | None:
        """The id of the entry that `word` refers to; None if there is none, or more than one.

        An exact name wins, in any case and punctuation; else the entry whose names have all parts of `word`, and whose
        id has the fewest other parts.
        """
        if word in self.names:
            return word
        if exact := self._by_form.get(normalize(word)):
            return exact
        best = self._best(word) if len(word) <= MAX_LENGTH else []
        return best[0] if len(best) == 1 else None

    def nearest(self, word: str) -> tuple[str, ...]:
        """Ids of the entries with the most similar names, best first."""
        if not may_compare(len(self.names)):
            return ()
        if best := self._best(word):
            return tuple(sorted(best, key=len)[:MAX_MATCHES])
        by_name = {names[1]: entry for entry, names in reversed(list(self.names.items())) if len(names) > 1}
        near = closest(word, [*self.names, *by_name])
        return tuple(dict.fromkeys(by_name.get(match, match) for match in near))

    def search(self, text: str) -> list[str]:
        """Ids of the entries whose names contain every word of the text; all ids if it is empty.

        First the entry that the text refers to, then names that start with it, then short names.
        """
        start, words = normalize(text), [normalize(word) for word in text.split()]
        if not start:
            return list(self.names)
        exact = self.find(text)
        order: dict[str, tuple[bool, bool, int, str]] = {}
        for entry, names in self.names.items():
            forms = [normalize(name) for name in names]
            if entry == exact or all(any(word in form for form in forms) for word in words):
                starts = any(form.startswith(start) for form in forms)
                order[entry] = (entry != exact, not starts, len(names[1]), names[1])
        return sorted(order, key=order.__getitem__)

    @cached_property
    def _by_form(self) -> Mapping[str, str]:
        """Id by normalize name, without names that two entries share."""
        ids: dict[str, set[str]] = {}
        for entry, names in self.names.items():
            for name in names:
                ids.setdefault(normalize(name), set()).add(entry)
        return {form: next(iter(entries)) for form, entries in ids.items() if len(entries) == 1}

    @cached_property
    def _parts(self) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
        """The parts of each id, and those of all names of the entry."""
        return {entry: (name_parts(entry), name_parts(" ".join(names))) for entry, names in self.names.items()}

    def _best(self, word: str) -> list[str]:
        """The entries whose names have all parts of `word`, and whose ids have the fewest other parts."""
        parts = name_parts(self._without_noise(word[:MAX_LENGTH]))
        if not parts:
            return []
        extra = {entry: len(of_id - parts) for entry, (of_id, of_names) in self._parts.items() if parts <= of_names}
        fewest = min(extra.values(), default=0)
        return [entry for entry, count in extra.items() if count == fewest]

    def _without_noise(self, word: str) -> str:
        text = word.casefold()
        for noise in sorted(self.noise_words, key=len, reverse=True):
            text = re.sub(rf"(?<![a-z0-9]){re.escape(noise.casefold())}(?![a-z0-9])", " ", text)
        return text if text.strip() else word
