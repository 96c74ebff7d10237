"""The names whose values answers show, and the conditions under which they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, cast

import numpy as np

from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.evaluation import Evaluation
from fitcard.diff.questions import as_words
from fitcard.language.rule_set import RuleSet
from fitcard.rulebook.layout import (
    AlongNode,
    EachNode,
    Layout,
    ListNode,
    Node,
    ObjectNode,
    ValueNode,
    referenced_values,
)
from fitcard.values import ABSENT, Column, Kind

Conditions = frozenset[str]  # all of them hold where a value is shown
Places = frozenset[Conditions]  # of an answer, each of which shows a value; none for a value that is not shown
ALWAYS: Places = frozenset([Conditions()])
NOWHERE: Places = frozenset()


@dataclass(frozen=True)
class Output:
    """A name whose value answers show, with its places in both versions."""

    name: str
    old: Places
    new: Places


def shown_places(layout: Layout, rule_set: RuleSet) -> dict[str, Places]:
    """The names whose values answers show, also in lists, in order; then the conditions of notes, sections and items,
    each where it holds.
    """
    pairs = [*_shown_in(layout.root, Conditions())]
    pairs += [
        (figure.name, Conditions([figure.shown] if isinstance(figure.shown, str) else []))
        for figure in rule_set.figures
    ]
    places: dict[str, Places] = {}
    for name, conditions in sorted(pairs, key=lambda pair: pair[0] in pair[1]):
        places[name] = places.get(name, NOWHERE) | {conditions}
    return places


def _shown_in(node: Node, conditions: Conditions) -> Iterator[tuple[str, Conditions]]:
    """Each name that a node shows, with its conditions; without those of lists, whose items are other rows."""
    if isinstance(node, ValueNode):
        yield node.name, conditions
    elif isinstance(node, ListNode):
        for part in node.parts:
            yield from _shown_in(part, conditions)
    elif isinstance(node, ObjectNode):
        if node.when:
            conditions |= {node.when.name}
            yield node.when.name, conditions
        for part in node.parts.values():
            yield from _shown_in(part, conditions)
    elif isinstance(node, EachNode | AlongNode):
        if isinstance(node, EachNode):
            yield from (
                (condition.name, Conditions([condition.name])) for condition in (node.when, node.where) if condition
            )
        yield from ((value.name, Conditions()) for value in referenced_values(node.item))


def names_behind(name: str, places: Places, rules: CompiledRules) -> frozenset[str]:
    """The names that one version evaluates for the shown value of a name."""
    names = {name} if places and name in rules.definitions else set[str]()
    return frozenset(names.union(*_known_places(places, rules)))


def _known_places(places: Places, rules: CompiledRules) -> Places:
    """The places with those of their conditions that depend on the question alone."""
    named = {condition for conditions in places for condition in conditions if rules.describe(condition)}
    own = frozenset(condition for condition in named if not rules.plan([condition]).current)
    return frozenset(conditions & own for conditions in places)


def shown_column(evaluation: Evaluation, name: str, places: Places, kind: Kind) -> Column:
    """The column of a name, absent where no place shows it."""
    rules, columns = evaluation.rules, evaluation.columns
    places = _known_places(places, rules) if name in rules.definitions else NOWHERE
    column: Any = columns[name] if places else np.nan if kind is Kind.NUMBER else False
    if Conditions() in places:
        return cast(Column, column)
    is_shown: Any = False
    for conditions in places:
        is_shown = np.logical_or(is_shown, reduce(np.logical_and, (columns[condition] for condition in conditions)))
    if kind is Kind.NUMBER:
        return np.where(is_shown, column, np.nan)
    words = as_words(column)
    return words._replace(codes=np.where(is_shown, words.codes, ABSENT))
