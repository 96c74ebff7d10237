"""Matching of the names that people type: any spelling that refers to exactly one entry of a catalog finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from fitcard.suggest import MAX_MATCHES, closest, may_compare, normalize

MAX_LENGTH = 200  # characters of a name that are matched; the time is quadratic in them
MAX_CACHED = 10_000  # names whose parts are kept; catalogs have fewer
NUMBER = r"\d+(?:\.\d+)*"
WORD_BEFORE_NUMBER = re.compile(r"([a-z]{2,})(?=\d)")
NUMBER_BEFORE_UNIT = re.compile(rf"(?<![a-z0-9.])({NUMBER})[\s_-]+([a-z]{{1,3}})(?![a-z0-9])")
PART = re.compile(r"[a-z0-9]+(?:\.\d+[a-z]*)*")


@lru_cache(maxsize=MAX_CACHED)
def name_parts(text: str) -> frozenset[str]:
    """The words and numbers of a name: `RTX 4090 24 GB` has `rtx`, `4090` and `24gb`."""
    separated = WORD_BEFORE_NUMBER.sub(r"\1 ", text.casefold())
    return frozenset(PART.findall(NUMBER_BEFORE_UNIT.sub(r"\1\2", separated)))


def name_form(text: str) -> str:
    """A name without case and punctuation: its Latin letters and digits, or those of another script if it has none."""
    return normalize(text) or "".join(character for character in text.casefold() if character.isalnum())


def _all_parts(names: Iterable[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(name_parts, names))


@dataclass(frozen=True)
class NameIndex:
    """The names of all entries of a catalog, by id: first the id, then the name, then others.

    `noise_words` are words and phrases that are ignored in names that people type.
    """

    names: Mapping[str, tuple[str, ...]]
    noise_words: tuple[str, ...] = ()

    def find(self, word: str) -> str | None:
        """The id of the entry that `word` refers to; None if there is none, or more than one.

        An exact name wins, in any case and punctuation, unless other entries have the same words in their names and its
        own does not: `Qwen2 57B` is not `Qwen2.5 7B`. Else it is the entry whose id and name have all parts of `word`,
        or whose aliases have them if there is none, and whose id has the fewest other parts.
        """
        if word in self.names:
            return word
        exact = self._by_form.get(name_form(word))
        if exact and word in self.names[exact]:
            return exact
        best = self._best(word) if len(word) <= MAX_LENGTH and not self._is_noise(word) else []
        if exact and (not best or self.parts_of(word) <= self.all_parts[exact]):
            return exact
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
        start, words = name_form(text), [name_form(word) for word in text.split()]
        if not start:
            return list(self.names)
        exact = self.find(text)
        order: dict[str, tuple[bool, bool, int, str]] = {}
        for entry, names in self.names.items():
            forms = [name_form(name) for name in names]
            if entry == exact or all(any(word in form for form in forms) for word in words):
                starts = any(form.startswith(start) for form in forms)
                order[entry] = (entry != exact, not starts, len(names[1]), names[1])
        return sorted(order, key=order.__getitem__)

    @cached_property
    def _by_form(self) -> Mapping[str, str]:
        """Id by normalized name, without names that two entries share."""
        ids: dict[str, set[str]] = {}
        for entry, names in self.names.items():
            for name in names:
                ids.setdefault(name_form(name), set()).add(entry)
        return {form: next(iter(entries)) for form, entries in ids.items() if form and len(entries) == 1}

    @cached_property
    def called_parts(self) -> Mapping[str, frozenset[str]]:
        """The parts of the id and the name of each entry."""
        return {entry: _all_parts(names[:2]) for entry, names in self.names.items()}

    @cached_property
    def all_parts(self) -> Mapping[str, frozenset[str]]:
        """The parts of all names of each entry."""
        return {entry: _all_parts(names) for entry, names in self.names.items()}

    @cached_property
    def _parts_of_ids(self) -> Mapping[str, frozenset[str]]:
        return {entry: name_parts(entry) for entry in self.names}

    @cached_property
    def _by_part(self) -> Mapping[str, Mapping[str, None]]:
        """The entries with each part in any of their names, in the order of the catalog."""
        entries: dict[str, dict[str, None]] = {}
        for entry, parts in self.all_parts.items():
            for part in parts:
                entries.setdefault(part, {})[entry] = None
        return entries

    def parts_of(self, word: str) -> frozenset[str]:
        """The parts of a typed word, without noise words."""
        return name_parts(self._without_noise(word[:MAX_LENGTH]))

    def best(
        self,
        parts: frozenset[str],
        replaced: str = "",
        called: frozenset[str] = frozenset(),
        all_parts: frozenset[str] = frozenset(),
    ) -> list[str]:
        """The entries that are called by all of these parts, or have them in aliases if there is none, and whose ids
        have the fewest others; none without parts.

        The entry `replaced` counts as if it were `called` so, and had `all_parts` in its names.
        """
        matches = [entry for entry in self.having(parts) if entry != replaced]
        matches += [replaced] if replaced and parts and parts <= all_parts else []
        if by_call := [
            entry for entry in matches if parts <= (called if entry == replaced else self.called_parts[entry])
        ]:
            matches = by_call
        extra = {entry: len(self._parts_of_ids[entry] - parts) for entry in matches}
        fewest = min(extra.values(), default=0)
        return [entry for entry, count in extra.items() if count == fewest]

    def having(self, parts: frozenset[str]) -> list[str]:
        """The entries with all of these parts in their names, in the order of the catalog; none without parts."""
        if not parts:
            return []
        rarest, *others = sorted([self._by_part.get(part, {}) for part in parts], key=len)
        return [entry for entry in rarest if all(entry in other for other in others)]

    def _best(self, word: str) -> list[str]:
        return self.best(self.parts_of(word))

    def _is_noise(self, word: str) -> bool:
        """Whether a word consists of noise words."""
        return not self._strip_noise(word).strip()

    def _without_noise(self, word: str) -> str:
        """The word without noise words; the word itself if it is nothing else."""
        text = self._strip_noise(word)
        return text if text.strip() else word

    def _strip_noise(self, word: str) -> str:
        return self._noise.sub(" ", word.casefold()) if self.noise_words else word.casefold()

    @cached_property
    def _noise(self) -> re.Pattern[str]:
        """All noise words, longer ones first."""
        words = sorted((word.casefold() for word in self.noise_words), key=len, reverse=True)
        return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, words))})(?![a-z0-9])")
