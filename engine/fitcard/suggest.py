"""Suggestions for misspelt names: the closest known words, and the hint that lists them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice

MAX_MATCHES = 3
MAX_WORD_LENGTH = 100  # characters compared: difflib takes quadratic time
MAX_ENUMERATED = 20  # words in a message
MAX_SIMILARITY_GAP = 1 / 8  # words less similar than the best match by more than this are dropped
MAX_COMPARED = 10_000_000  # pairs of characters that the suggestions of one check compare: up to a second
COMPARED_PER_WORD = 40  # pairs of characters that take as long as all else that is done for a known word

_remaining: ContextVar[list[int] | None] = ContextVar("remaining", default=None)


@contextmanager
def limited_suggestions(most: int = MAX_COMPARED) -> Iterator[None]:
    """Within the context, suggestions compare at most this number of pairs of characters; after that there are none.

    Thousands of misspelt names would otherwise take minutes. An inner context shares the limit of the outer one.
    """
    outer = _remaining.get()
    token = _remaining.set([most] if outer is None else outer)
    try:
        yield
    finally:
        _remaining.reset(token)


def may_compare(words: int, characters: int = 0) -> bool:
    """Whether a suggestion may compare this many words and pairs of characters, which are then used up."""
    remaining = _remaining.get()
    if remaining is None:
        return True
    remaining[0] -= words * COMPARED_PER_WORD + characters
    return remaining[0] >= 0


def normalize(text: str) -> str:
    """Only letters and digits, in lower case: `RTX 4090 24GB` and `rtx_4090_24GB` both become `rtx409024gb`."""
    return re.sub(r"[^0-9a-z]+", "", text.casefold())


def closest(word: str, known: Iterable[str], limit: int = MAX_MATCHES) -> tuple[str, ...]:
    """The known words most similar to `word`, best first, at most `limit`.

    Empty where none is similar, or `limited_suggestions` are used up.
    """
    word, known = word[:MAX_WORD_LENGTH], list(known)
    if not may_compare(len(known), len(word) * sum(min(len(other), MAX_WORD_LENGTH) for other in known)):
        return ()
    by_form: dict[str, str] = {}
    for candidate in known:
        by_form.setdefault(normalize(candidate[:MAX_WORD_LENGTH]), candidate)
    form = normalize(word)
    similar = difflib.get_close_matches(form, by_form, limit)
    swapped = [other for other in _transpositions(form) if other in by_form]
    matches = swapped + [other for other in similar if other not in swapped]
    matches = [other for other in matches if _ratio(form, other) >= _ratio(form, matches[0]) - MAX_SIMILARITY_GAP]
    words = _words(word)
    matches += [
        other
        for other, name in by_form.items()
        if other not in matches and _share_words(words, _words(name[:MAX_WORD_LENGTH]))
    ]
    if form:
        matches += [other for other in sorted(by_form, key=len) if form in other and other not in matches]
    return tuple(by_form[other] for other in matches[:limit])


def enumerated(words: Collection[str], quote: str = "`") -> str:
    """The words in quotes; of many, the first ones and how many more there are."""
    shown = ", ".join(f"{quote}{word}{quote}" for word in islice(words, MAX_ENUMERATED))
    return shown if len(words) <= MAX_ENUMERATED else f"{shown} and {len(words) - MAX_ENUMERATED} more"


def did_you_mean(matches: Iterable[str]) -> str:
    """The hint `` did you mean `a` or `b`? ``; empty without matches."""
    quoted = [f"`{match}`" for match in matches]
    return f"did you mean {' or '.join(quoted)}?" if quoted else ""


def _transpositions(form: str) -> Iterator[str]:
    """The word with each pair of adjacent letters swapped, which difflib counts as two mistakes."""
    for at in range(len(form) - 1):
        yield f"{form[:at]}{form[at + 1]}{form[at]}{form[at + 2 :]}"


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[0-9a-z]+", text.casefold()))


def _share_words(words: frozenset[str], others: frozenset[str]) -> bool:
    """Whether the words of one name, in any order, are all words of the other; names of a single word never match."""
    return len(words) > 1 and len(others) > 1 and (words <= others or others <= words)


def similarity(word: str, other: str) -> float:
    """The similarity of two words, from 0 to 1 for words that differ in case and punctuation only."""
    return _ratio(normalize(word[:MAX_WORD_LENGTH]), normalize(other[:MAX_WORD_LENGTH]))


def _ratio(form: str, other: str) -> float:
    return difflib.SequenceMatcher(None, form, other).ratio()
