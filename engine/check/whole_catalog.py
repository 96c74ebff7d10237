"""The whole catalog in one evaluation: proof that no question over it ends in a number that is not finite."""

from __future__ import annotations

from engine.evaluate.evaluation import Evaluation, evaluate
from engine.evaluate.grid import Grid
from engine.problems import Problem, ProblemsFound
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.rulebook import Rulebook


def whole_catalog_problems(rulebook: Rulebook) -> list[Problem]:
    """The first number of each profile that is not finite for some entries of the catalogs."""
    problems: list[Problem] = []
    for rule_set in rulebook.rule_sets.values():
        try:
            evaluate_whole_catalog(rulebook, rule_set)
        except ProblemsFound as found:
            problems += found.problems
    return problems


def evaluate_whole_catalog(rulebook: Rulebook, rule_set: RuleSet) -> Evaluation:
    """Every definition for every question over the catalogs; what is compared is compared with the first question.

    Raises ProblemsFound where a number is not finite.
    """
    everything = list(rule_set.definitions)
    compared = rule_set.plan(everything).current
    ids = {axis: rulebook.catalog_of(axis).ids for axis in rulebook.subject.axes}
    first = {axis: entries[:1] for axis, entries in ids.items()}
    row = evaluate(rule_set, Grid.of(rule_set.subject, rule_set.catalogs, first), compared)
    current = {name: row.value(name, (0,) * len(first)) for name in compared}
    return evaluate(rule_set, Grid.of(rule_set.subject, rule_set.catalogs, ids), everything, current=current)
