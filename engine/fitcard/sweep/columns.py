"""The columns of a sweep: the single values that the layout of the answer shows, and the figures beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fitcard.language.rule_set import RuleSet
from fitcard.rulebook.layout import Layout, Node, ObjectNode, ValueNode

OF_RULES = "rules."  # what no rule computes
HASH = f"{OF_RULES}sha256"


@dataclass(frozen=True)
class SweepColumn:
    """A column called `key`: the value of `name`, absent where one of the conditions `when` does not hold."""

    key: str
    name: str
    when: tuple[str, ...] = ()


def layout_columns(layout: Layout, rule_set: RuleSet) -> dict[str, SweepColumn]:
    """Every single value of an answer that a question gives by itself, by its keys with dots between."""
    columns = [column for column in _columns(layout.root, (), ()) if column.name.partition(".")[0] not in layout.picks]
    for figure in rule_set.figures:
        when = (figure.shown,) if isinstance(figure.shown, str) else ()
        columns.append(SweepColumn(f"figures.{figure.name}", figure.name, when))
    return {column.key: column for column in columns}


def default_columns(layout: Layout, rule_set: RuleSet) -> tuple[SweepColumn, ...]:
    """The columns where none are named: what rules compute, without what the question says, and the rules' hash."""
    axes = rule_set.question_fields.axes
    columns = layout_columns(layout, rule_set).values()
    return tuple(one for one in columns if ("." not in one.name or one.name == HASH) and one.key not in axes)


def _columns(node: Node, keys: tuple[str, ...], when: tuple[str, ...]) -> Iterator[SweepColumn]:
    if isinstance(node, ValueNode):
        yield SweepColumn(".".join(keys), node.name, when)
    elif isinstance(node, ObjectNode):
        inner = (*when, node.when.name) if node.when else when
        for key, part in node.parts.items():
            yield from _columns(part, (*keys, key), inner)
