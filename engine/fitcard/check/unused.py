"""Rules that nothing is made of: no answer shows them, and nothing that an answer shows reads them."""

from __future__ import annotations

from collections.abc import Iterator

from fitcard.codes import Code
from fitcard.problems import Problem, Severity
from fitcard.rulebook.invariants import Always
from fitcard.rulebook.rule_set import RuleSet
from fitcard.rulebook.rulebook import Rulebook


class NameUnused(Code):
    """Nothing is made of a rule: no answer shows it, and nothing that an answer shows reads it.

    Why: whoever changes it will wonder why nothing moves.
    Avoid: a constant that its formula no longer reads.
    Prefer: showing it in the layout, reading it, or removing it.
    """


def unused_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """A warning for each definition that is of no use in any profile."""
    used = {name for profile, rule_set in rulebook.rule_sets.items() for name in _used(rulebook, profile, rule_set)}
    told: set[str] = set()
    for rule_set in rulebook.rule_sets.values():
        for name, definition in rule_set.definitions.items():
            if name not in used and name not in told:
                told.add(name)
                hint = "show it in the layout, read it in a formula, or remove it"
                message = f"nothing is made of `{name}`"
                yield definition.document.problem(
                    NameUnused, message, definition.path, key=True, severity=Severity.WARNING, hint=hint
                )


def _used(rulebook: Rulebook, profile: str, rule_set: RuleSet) -> Iterator[str]:
    """Everything behind what answers of one profile show and go by, and behind its invariants and the back-test."""
    needs = rulebook.needs[profile]
    wanted = {*needs.asked.own, *needs.otherwise((True,) * len(needs.lists)).names}
    wanted |= {pick.by.name for pick in rulebook.layout.picks.values()}
    for ranking in rulebook.rankings.values():
        wanted |= ranking.names(rulebook.said, rule_set).computed
    for quantity in rulebook.backtest.quantities.values() if rulebook.backtest else ():
        wanted |= {quantity.computed, *([quantity.when] if quantity.when else [])}
    for invariant in rulebook.invariants:
        named = invariant.condition.names if isinstance(invariant, Always) else (invariant.cause, invariant.effect)
        wanted |= set(named)
    yield from rule_set.plan(name for name in wanted if rule_set.describe(name)).steps
