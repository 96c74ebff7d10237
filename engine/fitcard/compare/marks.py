"""Which parts of a formula are others: by name, number and sign, not by character."""

from __future__ import annotations

import difflib
import re

PARTS = re.compile(r"\w+(?:\.\w+)?|\s+|[^\w\s]")


def marks(old: str, new: str) -> dict[str, list[list[int]]]:
    """The stretches of each text that the other lacks, as offsets from and to."""
    one, other = list(PARTS.finditer(old)), list(PARTS.finditer(new))
    matcher = difflib.SequenceMatcher(None, [part[0] for part in one], [part[0] for part in other], autojunk=False)
    found: dict[str, list[list[int]]] = {"old": [], "new": []}
    for kind, start, end, begin, stop in matcher.get_opcodes():
        if kind != "equal":
            if end > start:
                found["old"].append([one[start].start(), one[end - 1].end()])
            if stop > begin:
                found["new"].append([other[begin].start(), other[stop - 1].end()])
    return found
