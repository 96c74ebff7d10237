"""Which names an answer needs of the question's own row, of its picks, and of the rows of each list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.identity_cache import IdentityCache
from fitcard.language.definitions import Definition
from fitcard.rulebook.layout import (
    AlongNode,
    EachNode,
    Layout,
    MessageNames,
    ShownNames,
    VariantKey,
    referenced_names,
    shown_names,
    walk,
)
from fitcard.source.document import Path

MAX_RENDERERS = 1024  # of parts of the layout and of rankings, in all languages


@dataclass(frozen=True)
class PickPlan:
    """`own` are the names that the question's own row must give, and `picks` those that the row of each pick must.

    `variants` are the rows that picks are chosen from.
    """

    own: frozenset[str]
    picks: Mapping[str, frozenset[str]]
    variants: tuple[VariantKey, ...]

    @cached_property
    def all_names(self) -> frozenset[str]:
        """What the rows of all picks must give."""
        return frozenset().union(*self.picks.values())


class VariantPlan(NamedTuple):
    """The rows that are evaluated beside the question's own, without those along inputs, and what all of them give."""

    rows: tuple[VariantKey, ...]
    names: frozenset[str]


@dataclass(frozen=True, eq=False)
class LayoutPlan:
    """What an answer needs of the rules of a profile.

    `figures` are the definitions that answers show beside the layout, and `shown` the names of all that stands in the
    answer or its messages, outside of lists; `items` those that the items of each list
    need, by its path in the layout, and `rows_by_variant` those of all lists and picks that ask for the same rows.
    `renderers` keeps what renders each part of the layout, by language.
    """

    layout: Layout
    rules: CompiledRules
    figures: tuple[Definition, ...]
    shown: ShownNames
    picks: PickPlan
    lists: tuple[EachNode, ...]
    alongs: tuple[AlongNode, ...]
    items: Mapping[Path, ShownNames]
    rows_by_variant: Mapping[VariantKey, frozenset[str]]
    renderers: IdentityCache = field(default_factory=lambda: IdentityCache(MAX_RENDERERS), repr=False)
    _variants: dict[tuple[bool, ...], VariantPlan] = field(default_factory=dict, repr=False)

    def variants(self, lists: tuple[bool, ...]) -> VariantPlan:
        """The rows that are needed where these of the lists are shown: the same object each time."""
        if lists not in self._variants:
            wanted = [each.variant for each, asked in zip(self.lists, lists, strict=True) if asked]
            rows = tuple(dict.fromkeys((*self.picks.variants, *wanted)))
            along = (self.items[part.path].computed for part in self.alongs)
            names = frozenset().union(*(self.rows_by_variant[key] for key in rows), *along)
            self._variants[lists] = VariantPlan(rows, names)
        return self._variants[lists]


def plan_layout(layout: Layout, message_names: MessageNames, rules: CompiledRules) -> LayoutPlan:
    """What a layout that has been checked needs."""
    parts = list(walk(layout.root))
    lists = tuple(part for part in parts if isinstance(part, EachNode))
    alongs = tuple(part for part in parts if isinstance(part, AlongNode))
    figures = rules.rule_set.figures
    shown = referenced_names(layout.root, message_names)
    for figure in figures:
        shown |= {figure.name, figure.shown} if isinstance(figure.shown, str) else {figure.name}
    picks = plan_picks(layout, shown, rules)
    items = {each.path: referenced_names(each.item, message_names) for each in lists}
    items |= {along.path: referenced_names(along.item, message_names) for along in alongs}
    for each in lists:
        items[each.path] |= {value.name for value in (each.where, each.order) if value}
    shown_in_items = {path: shown_names(names, rules.rule_set) for path, names in items.items()}
    rows: dict[VariantKey, frozenset[str]] = {layout.picks[name].variant: names for name, names in picks.picks.items()}
    for each in lists:
        rows[each.variant] = rows.get(each.variant, frozenset()) | shown_in_items[each.path].computed
    evaluated = (*rows.values(), *(shown_in_items[along.path].computed for along in alongs))
    compared = (name for names in evaluated for name in rules.plan(names).current)
    own = picks.own.union(compared, (value.name for each in lists for value in each.override.inputs.values()))
    return LayoutPlan(
        layout,
        rules,
        figures,
        shown_names(shown, rules.rule_set),
        replace(picks, own=own),
        lists,
        alongs,
        shown_in_items,
        rows,
    )


def plan_picks(layout: Layout, names: Iterable[str], rules: CompiledRules) -> PickPlan:
    """What must be evaluated for these names, some of which may be of picks."""
    names, picks = set(names), dict[str, frozenset[str]]()
    own = shown_names(names, rules.rule_set).computed
    for pick in layout.picks.values():
        if of_pick := [name for name in names if name.startswith(f"{pick.name}.")]:
            in_rules = (layout.name_in_rules(name, rules.rule_set) for name in of_pick)
            picks[pick.name] = frozenset([pick.by.name, *in_rules])
            own |= {value.name for value in pick.override.inputs.values()} | {*rules.plan(picks[pick.name]).current}
    return PickPlan(own, picks, tuple(layout.picks[name].variant for name in picks))
