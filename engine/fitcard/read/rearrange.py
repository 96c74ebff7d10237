"""Keys of a YAML map in another order, in the text itself: comments, quotes, folds and spaces stay as they are.

In a block, a key takes along its value, the rest of its line, and the comments right above it; those above the first
key are about the whole map, and stay. In braces, keys change places and what stands between them does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from fitcard.read.document import Document, Path
from fitcard.read.spans import Spans

Edit = tuple[int, int, str]  # from where to where, and what is written there instead


def rearranged(document: Document, orders: Mapping[Path, Sequence[str]]) -> str:
    """The text of the document with the keys of these maps, of which none lies inside another, in these orders."""
    spans = Spans(document)
    edits = [_edit(spans, path, order) for path, order in orders.items()]
    result = document.text
    for start, end, new in sorted(edits, reverse=True):
        result = result[:start] + new + result[end:]
    return result


def _edit(spans: Spans, path: Path, order: Sequence[str]) -> Edit:
    """What to write instead of the map at `path`, and from where to where."""
    keys = [str(child[-1]) for child in spans.children[path]]
    in_braces = spans.in_brackets(path)
    return _braces(spans, path, keys, order) if in_braces else _block(spans, path, keys, order)


def _braces(spans: Spans, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
    parts_at = {key: (spans.key_start((*path, key)), spans.value_end((*path, key))) for key in keys}
    between = [spans.text[parts_at[one][1] : parts_at[other][0]] for one, other in pairwise(keys)]
    parts = [spans.text[start:end] for start, end in (parts_at[key] for key in order)]
    new = "".join(part + gap for part, gap in zip(parts, [*between, ""], strict=True))
    return parts_at[keys[0]][0], parts_at[keys[-1]][1], new


def _block(spans: Spans, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
    starts = {key: spans.key_start((*path, key)) for key in keys}
    ends = {key: spans.end_of_line(spans.value_end((*path, key))) for key in keys}
    indent = " " * spans.indent((*path, keys[0]))
    above = {keys[0]: ""} | {
        other: spans.text[ends[one] + 1 : spans.start_of_line(starts[other])] for one, other in pairwise(keys)
    }
    first = above[order[0]]
    empty = first[: len(first) - len(first.lstrip("\n"))]  # no empty line comes above the first key
    above[order[0]], above[keys[0]] = first[len(empty) :], empty + above[keys[0]]
    parts = [above[key] + indent + spans.text[starts[key] : ends[key]] for key in order]
    new = "\n".join(parts)
    return starts[keys[0]], ends[keys[-1]], new[len(new) - len(new.lstrip(" ")) :]
