"""Known words nearest to one that is not known, for messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

MAX_MATCHES = 3
MAX_LENGTH = 100  # characters of a word that are looked at: the time goes by the square of them
MARGIN = 1 / 8  # what is this much less like the word than the best match is not offered beside it


def normalised(text: str) -> str:
    """`RTX 4090 24GB`, `rtx-4090-24gb` and `rtx_4090_24GB` are one word: letters and digits, lower case."""
    return re.sub(r"[^0-9a-z]+", "", text.casefold())


def closest(word: str, known: Iterable[str], most: int = MAX_MATCHES) -> tuple[str, ...]:
    """Up to `most` of the known words, best first; empty where nothing is near."""
    word = word[:MAX_LENGTH]
    by_form: dict[str, str] = {}
    for candidate in known:
        by_form.setdefault(normalised(candidate), candidate)
    form = normalised(word)
    near = difflib.get_close_matches(form, by_form, most)
    swapped = [other for other in _with_two_swapped(form) if other in by_form]
    near = swapped + [other for other in near if other not in swapped]
    near = [other for other in near if _likeness(form, other) >= _likeness(form, near[0]) - MARGIN]
    parts = _parts(word)
    near += [other for other, whole in by_form.items() if other not in near and _same_parts(parts, _parts(whole))]
    if form:
        near += [other for other in sorted(by_form, key=len) if form in other and other not in near]
    return tuple(by_form[other] for other in near[:most])


def _with_two_swapped(form: str) -> Iterator[str]:
    """The word with two neighbouring letters the other way round, which difflib takes for two mistakes."""
    for at in range(len(form) - 1):
        yield f"{form[:at]}{form[at + 1]}{form[at]}{form[at + 2 :]}"


def _parts(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[0-9a-z]+", text.casefold()))


def _same_parts(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two names are made of the same words, or one of some of the other's, in whatever order."""
    return len(one) > 1 and len(other) > 1 and (one <= other or other <= one)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def did_you_mean(matches: Iterable[str]) -> str:
    """`did you mean `a` or `b`?`, or nothing."""
    quoted = [f"`{match}`" for match in matches]
    return f"did you mean {' or '.join(quoted)}?" if quoted else ""
