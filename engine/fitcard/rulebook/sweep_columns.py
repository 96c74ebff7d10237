"""The columns of a file of every answer: which values of the answer they show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.layout import Layout, Node, ObjectNode, ValueNode
from fitcard.source.document import Document
from fitcard.suggest import closest

OF_RULES = "rules."  # what no rule computes
HASH = f"{OF_RULES}sha256"


class SweptUnknown(ProblemCode):
    """A sweep column is not a single value of an answer.

    Why: there would be nothing to write to it.
    Avoid: `columns: [decode_toks]`, or the name of a list or sentence
    Prefer: `columns: [decode_tok_s]`; dots separate nested keys, as in `memory.needed_gb`.
    """


@dataclass(frozen=True)
class SweptColumn:
    """A column called `key`: the value of `name`, absent where one of the conditions `when` does not hold."""

    key: str
    name: str
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Swept:
    """The columns that are written where none are named, and what is wrong with others of the file that says so."""

    columns: tuple[SweptColumn, ...]
    problems: tuple[Problem, ...] = ()


def columns_of(layout: Layout) -> dict[str, SweptColumn]:
    """Every single value of an answer that the rules give for one question by itself, by its keys with dots between."""
    found = _columns(layout.root, (), ())
    return {column.key: column for column in found if column.name.partition(".")[0] not in layout.picks}


def read_swept(document: Document, layout: Layout) -> Swept:
    """The columns in a file that has passed its schema."""
    known = columns_of(layout)
    keys: list[str] = document.data["columns"]
    problems = (
        document.problem(
            SweptUnknown,
            f"an answer has no single value `{key}`",
            ("columns", at),
            closest=closest(key, known),
        )
        for at, key in enumerate(keys)
        if key not in known
    )
    return Swept(tuple(known[key] for key in keys if key in known), tuple(problems))


def swept_by_default(layout: Layout, axes: Mapping[str, object]) -> Swept:
    """The columns where no file says which: what rules compute, and their hash."""
    every = columns_of(layout).values()
    chosen = (one for one in every if ("." not in one.name or one.name == HASH) and one.key not in axes)
    return Swept(tuple(chosen))


def _columns(node: Node, keys: tuple[str, ...], when: tuple[str, ...]) -> Iterator[SweptColumn]:
    if isinstance(node, ValueNode):
        yield SweptColumn(".".join(keys), node.name, when)
    elif isinstance(node, ObjectNode):
        inner = (*when, node.when.name) if node.when else when
        for key, part in node.parts.items():
            yield from _columns(part, (*keys, key), inner)
