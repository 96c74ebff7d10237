"""What depends on the entry of one axis alone, worked out once for its whole catalog, as if the catalog said so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Catalog
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.compile import BATCH, compile_plan
from fitcard.language.rule_set import RuleSet, precomputed_column
from fitcard.values import Column, WordColumn


def precompute(rule_set: RuleSet) -> RuleSet:
    """The same rules, whose definitions about a single entry are columns of its catalog.

    A number that is not finite there is found where a question asks about that entry.
    """
    by_axis = {axis: _of_one(rule_set, axis) for axis in rule_set.subject.axes}
    catalogs = dict(rule_set.catalogs)
    for axis, names in by_axis.items():
        kind = rule_set.subject.axes[axis].catalog
        catalogs[kind] = catalogs[kind].with_columns(_columns(rule_set, axis, names))
    axes = {name: axis for axis, names in by_axis.items() for name in names}
    return replace(rule_set, catalogs=catalogs, settled=axes, _plans={})


def _of_one(rule_set: RuleSet, axis: str) -> list[str]:
    """The definitions that differ by the entry of this axis, and by nothing else."""
    return [name for name in rule_set.definitions if rule_set.roots(name) == {axis}]


def _columns(rule_set: RuleSet, axis: str, names: list[str]) -> dict[str, Column]:
    catalog: Catalog = rule_set.catalogs[rule_set.subject.axes[axis].catalog]
    plan = rule_set.plan(names, named=frozenset([axis]))
    made = compile_plan(rule_set, plan, frozenset([axis]))
    asked = QuestionGrid.of(rule_set.subject, rule_set.catalogs, {axis: catalog.ids})
    with np.errstate(all="ignore"):
        at = made.run({BATCH: asked}, rule_set.own_values)
    found = dict(zip(made.names, made.computed(at), strict=True))
    return {precomputed_column(name): _whole(found[name], len(catalog.ids)) for name in names}


def _whole(column: Any, length: int) -> Column:
    """The column as long as the catalog."""
    if isinstance(column, WordColumn):
        return WordColumn(np.broadcast_to(column.codes, length), column.words)
    whole: Column = np.broadcast_to(column, length)
    return whole
