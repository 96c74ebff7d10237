"""What the layout needs from a rule set: known once for all answers, so that none has to work it out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from fitcard.identity_cache import IdentityCache
from fitcard.language.rule_set import RuleSet
from fitcard.rulebook.layout import (
    AlongNode,
    EachNode,
    Layout,
    MessageNode,
    Node,
    Pick,
    VariantKey,
    referenced_values,
    walk,
)
from fitcard.source.document import Path

MAX_RENDERERS = 1024  # such as what fills each part of the layout and of rankings, in all languages
MessageNames = Mapping[str, frozenset[str]]  # by sentence


@dataclass(frozen=True)
class PickPlan:
    """`own` is what the question's own row must give, and `picks` what that of each entry that is picked must.

    `rows` are those that the picks ask for.
    """

    own: frozenset[str]
    picks: Mapping[str, frozenset[str]]
    rows: tuple[VariantKey, ...]

    @cached_property
    def together(self) -> frozenset[str]:
        """What the rows of all picks must give."""
        return frozenset().union(*self.picks.values())


class ShownNames(NamedTuple):
    """Names that are shown: those that rules and catalogs give, and others, of picks or of the rulebook itself."""

    computed: frozenset[str]
    others: frozenset[str]


class VariantPlan(NamedTuple):
    """What rows are asked for beside the question's own and those along inputs, and what all of them must give."""

    rows: tuple[VariantKey, ...]
    names: frozenset[str]


@dataclass(frozen=True)
class LayoutPlan:
    """What an answer needs.

    `shown` are the names that stand in the answer or its sentences, outside of lists; `items` those that the items of
    each list need, by its path in the layout, and `rows` those of all lists and picks that ask for the same rows, as
    far as they are computed. What is `made` of them to answer, such as what fills a part of the layout, is kept.
    """

    rule_set: RuleSet
    shown: ShownNames
    asked: PickPlan
    lists: tuple[EachNode, ...]
    alongs: tuple[AlongNode, ...]
    items: Mapping[Path, ShownNames]
    rows: Mapping[VariantKey, frozenset[str]]
    made: IdentityCache = field(default_factory=lambda: IdentityCache(MAX_RENDERERS), repr=False, compare=False)
    _otherwise: dict[tuple[bool, ...], VariantPlan] = field(default_factory=dict, repr=False, compare=False)

    def otherwise(self, lists: tuple[bool, ...]) -> VariantPlan:
        """How the question is asked otherwise where these of the lists are asked for: the same object each time."""
        if lists not in self._otherwise:
            wanted = [each.asks for each, asked in zip(self.lists, lists, strict=True) if asked]
            rows = tuple(dict.fromkeys((*self.asked.rows, *wanted)))
            along = (self.items[part.path].computed for part in self.alongs)
            names = frozenset().union(*(self.rows[asks] for asks in rows), *along)
            self._otherwise[lists] = VariantPlan(rows, names)
        return self._otherwise[lists]


def plan_layout(layout: Layout, said: MessageNames, rule_set: RuleSet) -> LayoutPlan:
    """The needs of a layout that has been checked; `said` are the names that each sentence needs."""
    parts = list(walk(layout.root))
    lists = tuple(part for part in parts if isinstance(part, EachNode))
    alongs = tuple(part for part in parts if isinstance(part, AlongNode))
    shown = referenced_names(layout.root, said)
    asked = plan_picks(layout, shown, rule_set)
    items = {each.path: _names(referenced_names(each.item, said) | _chosen_by(each), rule_set) for each in lists}
    items |= {along.path: shown_names(along.item, said, rule_set) for along in alongs}
    rows: dict[VariantKey, frozenset[str]] = {layout.picks[name].asks: names for name, names in asked.picks.items()}
    for each in lists:
        rows[each.asks] = rows.get(each.asks, frozenset()) | items[each.path].computed
    evaluated = (*rows.values(), *(items[along.path].computed for along in alongs))
    compared = (name for names in evaluated for name in rule_set.plan(names).current)
    own = asked.own.union(compared, (value.name for each in lists for value in each.change.inputs.values()))
    return LayoutPlan(
        rule_set,
        _names(shown, rule_set),
        replace(asked, own=own),
        lists,
        alongs,
        items,
        rows,
    )


def plan_picks(layout: Layout, names: Iterable[str], rule_set: RuleSet) -> PickPlan:
    """What must be asked for these names, some of which may be of picks."""
    names, picks = set(names), dict[str, frozenset[str]]()
    own = _known(names, rule_set)
    for pick in layout.picks.values():
        if of_pick := [name for name in names if _is_of(pick, name)]:
            picks[pick.name] = frozenset([pick.by.name, *(layout.name_in_rules(name, rule_set) for name in of_pick)])
            own |= {value.name for value in pick.change.inputs.values()} | {*rule_set.plan(picks[pick.name]).current}
    return PickPlan(own, picks, tuple(layout.picks[name].asks for name in picks))


def referenced_names(node: Node, said: MessageNames) -> set[str]:
    """All names that a part of the layout shows, sentences included."""
    in_sentences = {name for part in walk(node) if isinstance(part, MessageNode) for name in said[part.key]}
    return {value.name for value in referenced_values(node)} | in_sentences


def shown_names(node: Node, said: MessageNames, rule_set: RuleSet) -> ShownNames:
    """The names that a part of the layout shows."""
    return _names(referenced_names(node, said), rule_set)


def _chosen_by(each: EachNode) -> set[str]:
    return {value.name for value in (each.where, each.order) if value}


def _names(names: set[str], rule_set: RuleSet) -> ShownNames:
    computed = _known(names, rule_set)
    return ShownNames(computed, frozenset(names) - computed)


def _known(names: Iterable[str], rule_set: RuleSet) -> frozenset[str]:
    return frozenset(name for name in names if rule_set.describe(name))


def _is_of(pick: Pick, name: str) -> bool:
    return name.startswith(f"{pick.name}.")
