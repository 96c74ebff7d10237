"""The plan of a layout: the names that answers need of the original question, of its picks and of each list."""

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

MAX_RENDERERS = 1024  # parts of the layout and of rankings, times languages


@dataclass(frozen=True)
class PickPlan:
    """The names that are needed of the original question (`own`) and of the row of each of the `picks`.

    `variants` are the keys of the rows from which picks are selected.
    """

    own: frozenset[str]
    picks: Mapping[str, frozenset[str]]
    variants: tuple[VariantKey, ...]

    @cached_property
    def all_names(self) -> frozenset[str]:
        """The names that are needed of any pick."""
        return frozenset().union(*self.picks.values())


class VariantPlan(NamedTuple):
    """The keys of the rows to evaluate, without those along inputs, and the names that are needed of any of them."""

    rows: tuple[VariantKey, ...]
    names: frozenset[str]


@dataclass(frozen=True, eq=False)
class LayoutPlan:
    """The names that answers need of the rules of a profile.

    `figures` are the definitions that answers show beside the layout. `shown` are the names in answers and their
    messages, without lists; `items` those in the items of each list, by its path in the layout; and `names_by_variant`
    those of all lists and picks with the same rows. `renderers` caches the renderer of each part of the layout, by
    language. `contradictions` are the names that refuse a question, and those of their sentences.
    """

    layout: Layout
    rules: CompiledRules
    figures: tuple[Definition, ...]
    shown: ShownNames
    picks: PickPlan
    lists: tuple[EachNode, ...]
    alongs: tuple[AlongNode, ...]
    items: Mapping[Path, ShownNames]
    names_by_variant: Mapping[VariantKey, frozenset[str]]
    contradictions: frozenset[str]
    renderers: IdentityCache = field(default_factory=lambda: IdentityCache(MAX_RENDERERS), repr=False)
    _variants: dict[tuple[bool, ...], VariantPlan] = field(default_factory=dict, repr=False)

    def variants(self, is_shown: tuple[bool, ...]) -> VariantPlan:
        """The variants that are needed where these lists are shown; cached, so that the names are the same object."""
        if is_shown not in self._variants:
            of_lists = [each.variant for each, shown in zip(self.lists, is_shown, strict=True) if shown]
            rows = tuple(dict.fromkeys((*self.picks.variants, *of_lists)))
            along = (self.items[part.path].computed for part in self.alongs)
            names = frozenset().union(*(self.names_by_variant[key] for key in rows), *along)
            self._variants[is_shown] = VariantPlan(rows, names)
        return self._variants[is_shown]


def plan_layout(layout: Layout, message_names: MessageNames, rules: CompiledRules) -> LayoutPlan:
    """The plan of a valid layout."""
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
    by_variant: dict[VariantKey, frozenset[str]] = {
        layout.picks[name].variant: names for name, names in picks.picks.items()
    }
    for each in lists:
        by_variant[each.variant] = by_variant.get(each.variant, frozenset()) | shown_in_items[each.path].computed
    evaluated = (*by_variant.values(), *(shown_in_items[along.path].computed for along in alongs))
    compared = (name for names in evaluated for name in rules.plan(names).current)
    contradictions = shown_names(layout.contradiction_names(message_names), rules.rule_set).computed
    of_overrides = (value.name for each in lists for value in each.override.inputs.values())
    own = picks.own.union(contradictions, compared, of_overrides)
    return LayoutPlan(
        layout,
        rules,
        figures,
        shown_names(shown, rules.rule_set),
        replace(picks, own=own),
        lists,
        alongs,
        shown_in_items,
        by_variant,
        contradictions,
    )


def plan_picks(layout: Layout, names: Iterable[str], rules: CompiledRules) -> PickPlan:
    """The plan for these names, some of which may be names of picks."""
    names, picks = set(names), dict[str, frozenset[str]]()
    own = shown_names(names, rules.rule_set).computed
    for pick in layout.picks.values():
        if names_of_pick := [name for name in names if name.startswith(f"{pick.name}.")]:
            names_in_rules = (layout.name_in_rules(name, rules.rule_set) for name in names_of_pick)
            picks[pick.name] = frozenset([pick.by.name, *names_in_rules])
            own |= {value.name for value in pick.override.inputs.values()} | {*rules.plan(picks[pick.name]).current}
    return PickPlan(own, picks, tuple(layout.picks[name].variant for name in picks))
