"""The names that people type for the entries of a catalog: found by any spelling that can mean only one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from fitcard.suggest import MAX_MATCHES, closest, normalize

MAX_LENGTH = 200  # characters of a word that are looked at: to find what it is made of takes the square of them
NUMBER = r"\d+(?:\.\d+)*"
WORD_BEFORE_NUMBER = re.compile(r"([a-z]{2,})(?=\d)")
NUMBER_BEFORE_UNIT = re.compile(rf"(?<![a-z0-9.])({NUMBER})[\s_-]+([a-z]{{1,3}})(?![a-z0-9])")
PART = re.compile(r"[a-z0-9]+(?:\.\d+[a-z]*)*")


def name_parts(text: str) -> frozenset[str]:
    """The words and figures of a name: `RTX 4090 24 GB` is `rtx`, `4090` and `24gb`."""
    apart = WORD_BEFORE_NUMBER.sub(r"\1 ", text.casefold())
    return frozenset(PART.findall(NUMBER_BEFORE_UNIT.sub(r"\1\2", apart)))


@dataclass(frozen=True)
class Spellings:
    """All names of the entries of one catalog, by id, the id itself among them.

    `noise_words` are words and phrases that people add and that mean nothing here.
    """

    names: Mapping[str, tuple[str, ...]]
    noise_words: tuple[str, ...] = ()

    @cached_property
    def forms(self) -> Mapping[str, str]:
        """Every name in its bare form -> the id; a form that two entries share leads to neither."""
        forms: dict[str, set[str]] = {}
        for entry, names in self.names.items():
            for name in names:
                forms.setdefault(normalize(name), set()).add(entry)
        return {form: next(iter(ids)) for form, ids in forms.items() if len(ids) == 1}

    def find(self, word: str) -> str | None:
        """The id of the only entry that `word` can mean; None where there is none, or more than one.

        A name as it is written comes first, in any case and with any punctuation. Else it is the one entry that has
        all the words that were said and of whose id fewest were left out.
        """
        if word in self.names:
            return word
        if exact := self.forms.get(normalize(word)):
            return exact
        best = self._best(word) if len(word) <= MAX_LENGTH else []
        return best[0] if len(best) == 1 else None

    def nearest(self, word: str) -> tuple[str, ...]:
        """Ids of entries that `word` may have meant, best first."""
        best = self._best(word)
        if best:
            return tuple(sorted(best, key=len)[:MAX_MATCHES])
        spelled = {name: entry for entry, names in reversed(list(self.names.items())) for name in names[1:2]}
        near = closest(word, [*self.names, *spelled])
        return tuple(dict.fromkeys(spelled.get(match, match) for match in near))

    @cached_property
    def _parts(self) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
        """Of each entry the parts of its id, and those of all its names."""
        return {entry: (name_parts(entry), name_parts(" ".join(names))) for entry, names in self.names.items()}

    def _best(self, word: str) -> list[str]:
        """The entries that have all that was said, and of whose id fewest parts were left out."""
        said = name_parts(self._without_fillers(word[:MAX_LENGTH]))
        if not said:
            return []
        left_out = {entry: len(own - said) for entry, (own, every) in self._parts.items() if said <= every}
        fewest = min(left_out.values(), default=0)
        return [entry for entry, count in left_out.items() if count == fewest]

    def _without_fillers(self, word: str) -> str:
        text = word.casefold()
        for filler in sorted(self.noise_words, key=len, reverse=True):
            text = re.sub(rf"(?<![a-z0-9]){re.escape(filler)}(?![a-z0-9])", " ", text)
        return text if text.strip() else word


def spellings_of(names: Mapping[str, Iterable[str]], fillers: Iterable[str]) -> Spellings:
    """The spellings of entries with these names, each with the id first."""
    return Spellings({entry: tuple(of) for entry, of in names.items()}, tuple(filler.casefold() for filler in fillers))
