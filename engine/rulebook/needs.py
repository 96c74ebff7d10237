"""What the layout needs from a rule set: known once for all answers, so that none has to work it out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.rulebook.layout import Along, Each, Layout, Node, Said, parts_of, values_of
from engine.rulebook.rule_set import RuleSet

NamesSaid = Mapping[str, frozenset[str]]  # by sentence


@dataclass(frozen=True)
class ListNeeds:
    """`names` are what the items of a list need; `compared` those of the question's row that they are compared with.

    A list that is `shared` asks the question's own grid with one axis opened: one evaluation serves both. Lists that
    ask for the same rows are evaluated once, for all that they need `together`.
    """

    names: frozenset[str]
    together: frozenset[str]
    compared: tuple[str, ...]
    shared: bool


@dataclass(frozen=True)
class Needs:
    """`shown` are the names that stand in the answer or its sentences, `asked` all that the question's grid must give.

    `open_axes` run over their whole catalogs in that grid. `lists` go by the path of each list in the layout, and so do
    `along`, the names that the items of a list along an input need.

    `texts` says which names are texts of a catalog, and of which field of it, once somebody has found out.
    """

    shown: frozenset[str]
    asked: frozenset[str]
    open_axes: tuple[str, ...]
    lists: Mapping[tuple[str | int, ...], ListNeeds]
    along: Mapping[tuple[str | int, ...], frozenset[str]]
    texts: dict[str, tuple[str, str] | None] = field(default_factory=dict, compare=False)


def needs_of(layout: Layout, said: NamesSaid, rule_set: RuleSet) -> Needs:
    """The needs of a layout that has been checked; `said` are the names that each sentence needs."""
    lists = [part for part in parts_of(layout.root) if isinstance(part, Each)]
    names = {each.path: _item_names(each, said, rule_set) for each in lists}
    together: dict[tuple[Any, ...], set[str]] = {}
    for each in lists:
        together.setdefault(each.asks, set()).update(names[each.path])
    by_list = {
        each.path: _list_needs(each, names[each.path], frozenset(together[each.asks]), rule_set) for each in lists
    }
    shared = [each for each in lists if by_list[each.path].shared]
    shown = names_shown(layout.root, said)
    asked = {name for each in shared for name in by_list[each.path].names}
    asked |= {name for needs in by_list.values() for name in needs.compared}
    asked |= {value.name for each in lists for value in each.change.inputs.values()}
    along = {
        part.path: frozenset(name for name in names_shown(part.item, said) if rule_set.describe(name))
        for part in parts_of(layout.root)
        if isinstance(part, Along)
    }
    return Needs(frozenset(shown), frozenset(shown | asked), tuple(each.axis for each in shared), by_list, along)


def _item_names(each: Each, said: NamesSaid, rule_set: RuleSet) -> frozenset[str]:
    extra = {value.name for value in (each.where, each.order) if value}
    return frozenset(name for name in names_shown(each.item, said) | extra if rule_set.describe(name))


def _list_needs(each: Each, names: frozenset[str], together: frozenset[str], rule_set: RuleSet) -> ListNeeds:
    compared = rule_set.plan(together).current
    # of an axis whose entry a table chooses, the question itself may name none
    chosen = not each.axis or rule_set.subject.axes[each.axis].default_by is not None
    return ListNeeds(names, together, compared, not each.change and not compared and not chosen)


def names_shown(node: Node, said: NamesSaid) -> set[str]:
    """All names that a part of the layout shows, sentences included."""
    in_sentences = {name for part in parts_of(node) if isinstance(part, Said) for name in said[part.key]}
    return {value.name for value in values_of(node)} | in_sentences
