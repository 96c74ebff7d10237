"""Rules that nothing uses, and parts of rules that no question reaches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.coverage import OTHERWISE, CoveragePart, Key, coverage_parts, covered
from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Table
from fitcard.language.invariants import AlwaysInvariant
from fitcard.language.tables import Lookup
from fitcard.lint.sample import Sample, exhaustive_count, exhaustive_samples
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.rulebook.rulebook import Rulebook
from fitcard.testing.coverage import covered_by
from fitcard.testing.rule_tests import rule_tests, run_test

MAX_EXHAUSTIVE_QUESTIONS = 4_000_000  # of all profiles: one to two seconds; a value may depend on far more combinations


class NameUnused(ProblemCode):
    """A rule affects nothing: no answer shows it, and nothing that is shown depends on it.

    Why: whoever changes it would wonder why nothing moves.
    Avoid: a constant that no formula uses any more
    Prefer: showing it in the layout, using it in a formula, or removing it.
    """


def unused_problems(engine: Engine) -> Iterator[Problem]:
    """A warning for each definition that no profile uses."""
    used = {name for profile in engine.rules for name in _used_names(engine, profile)}
    reported: set[str] = set()
    for rule_set in engine.rulebook.rule_sets.values():
        for name, definition in rule_set.definitions.items():
            if name not in used and name not in reported:
                reported.add(name)
                hint = "use it in the layout or in a formula, or remove it"
                message = f"`{name}` is not used"
                yield definition.document.problem(
                    NameUnused, message, definition.path, key=True, severity=Severity.WARNING, hint=hint
                )


def _used_names(engine: Engine, profile: str) -> Iterator[str]:
    """The definitions that answers, rankings, invariants and the back-test of one profile depend on."""
    rulebook, rules, plans = engine.rulebook, engine.rules[profile], engine.layout_plans[profile]
    names = {*plans.picks.own, *plans.variants((True,) * len(plans.lists)).names}
    names |= {pick.by.name for pick in rulebook.layout.picks.values()}
    for ranking in rulebook.rankings.values():
        names |= ranking.names(rulebook.message_names, rules.rule_set).computed
    for quantity in rulebook.backtest.quantities.values() if rulebook.backtest else ():
        names |= {quantity.computed, *([quantity.when] if quantity.when else [])}
    for invariant in rulebook.invariants:
        if isinstance(invariant, AlwaysInvariant):
            names |= set(invariant.condition.names)
        else:
            names |= {invariant.cause, invariant.effect}
    yield from rules.plan(name for name in names if rules.describe(name)).steps


class ConditionConstant(ProblemCode):
    """A condition has the same value for every question over the catalogs.
    A condition that depends on millions of combinations of entries is only checked with `fitcard check --thorough`.

    Why: one branch of the formula is never taken, so that mistakes in it go unnoticed.
    Avoid: `weights if device.memory > 0 else 0`, since every device has memory
    Prefer: `weights`
    """


class TableRowUnreached(ProblemCode):
    """Neither a catalog entry nor a rule test reaches a row of a table.
    A table whose input depends on millions of combinations of entries is checked with a sample of them, and with all of
    them by `fitcard check --thorough`.

    Why: mistakes in the row go unnoticed.
    Avoid: a band of `bandwidth_class` above the bandwidth of every device
    Prefer: removing the row, or a rule test that shows what it is for.
    """


def unreachable_problems(
    engine: Engine, samples: Iterable[Sample], max_questions: int, *, thorough: bool = False
) -> Iterator[Problem]:
    """A warning for each condition that is constant over the catalogs in all profiles, and for each row of a table that
    neither the catalogs nor a rule test reach.

    What the samples do not reach is evaluated over all entries that it depends on, in parts of at most `max_questions`.
    Where these are more than MAX_EXHAUSTIVE_QUESTIONS and the check is not `thorough`, rows are reported as not reached
    by the samples, and conditions are not reported.
    """
    parts = [part for part in _not_sampled(engine.rulebook, samples) if not _is_impossible_word(engine.rulebook, part)]
    budget = math.inf if thorough else MAX_EXHAUSTIVE_QUESTIONS
    unreached, unknown = _not_reached(engine, _not_tested(engine, parts), max_questions, budget)
    for part in unknown:
        if isinstance(part.definition, Table):
            hint = "remove it, or cover it with a rule test; `fitcard check --thorough` tries every question"
            yield part.warning(TableRowUnreached, f"neither a sampled question nor a test reaches {part.what}", hint)
    for part in unreached:
        if isinstance(part.definition, Table):
            hint = "remove it, or cover it with a rule test"
            yield part.warning(TableRowUnreached, f"neither a catalog entry nor a test reaches {part.what}", hint)
        else:
            hint = "keep the branch that is taken, or add an entry for the other one"
            yield part.warning(ConditionConstant, f"no question over the catalogs covers {part.what}", hint)


def _not_sampled(rulebook: Rulebook, samples: Iterable[Sample]) -> list[CoveragePart]:
    reached: set[Key] = set()
    for sample in samples:
        reached |= set(covered(sample.evaluation))
    rule_sets = rulebook.rule_sets.values()
    definitions = {id(definition): definition for rules in rule_sets for definition in rules.definitions.values()}
    parts = {part.key: part for definition in definitions.values() for part in coverage_parts(definition)}
    return [part for key, part in parts.items() if key not in reached]


def _is_impossible_word(rulebook: Rulebook, part: CoveragePart) -> bool:
    """Whether it is a row for a word that the input of its table cannot have, which name resolution reports."""
    table = part.definition
    if not isinstance(table, Table) or not isinstance(table.rows, Lookup) or part.path[-1] == OTHERWISE:
        return False
    rule_sets = rulebook.rule_sets.values()
    rule_set = next(rule_set for rule_set in rule_sets if rule_set.definitions.get(table.name) is table)
    return part.path[-1] not in rule_set.possible_words(table.input)[0]


def _not_tested(engine: Engine, parts: list[CoveragePart]) -> list[CoveragePart]:
    """The parts without the rows of tables that a rule test or a measured run reaches.

    Tests that state a figure of the tables run first, and none once all rows are reached.
    """
    rows_left = {part.key: part for part in parts if isinstance(part.definition, Table)}
    names = {part.definition.name for part in rows_left.values()}
    if rows_left:
        tests = sorted(rule_tests(engine.rulebook), key=lambda test: names.isdisjoint(test.figures))
        rows = (row for test in tests for row in run_test(engine, test).rows)
        for key in covered_by(engine, rows, names):
            rows_left.pop(key, None)
            if not rows_left:
                break
    return [part for part in parts if part.key in rows_left or not isinstance(part.definition, Table)]


def _not_reached(
    engine: Engine, parts: list[CoveragePart], max_questions: int, budget: float
) -> tuple[list[CoveragePart], list[CoveragePart]]:
    """The parts that no question over all catalogs reaches, and those that take more than `budget` questions to tell.

    Parts that depend on the fewest entries come first.
    """
    by_axes: dict[frozenset[str], list[CoveragePart]] = {}
    for part in parts:
        by_axes.setdefault(_axes_behind(engine, part), []).append(part)
    unreached: list[CoveragePart] = []
    unknown: list[CoveragePart] = []
    for axes in sorted(by_axes, key=lambda axes: exhaustive_count(engine.default_rules, axes)):
        left, profiles = by_axes[axes], _distinct_profiles(engine, by_axes[axes])
        count = sum(exhaustive_count(rules, axes) for rules in profiles)
        if count > budget:
            unknown += left
            continue
        budget -= count
        for sample in (sample for rules in profiles for sample in exhaustive_samples(rules, max_questions, axes)):
            names = _names_in(sample.rules, left)
            if not left:
                break
            reached = set(covered(sample.evaluate(names), names=names))
            left = [part for part in left if part.key not in reached]
        unreached += left
    return unreached, unknown


def _axes_behind(engine: Engine, part: CoveragePart) -> frozenset[str]:
    """The axes that determine whether a question reaches a part."""
    name, definition = part.definition.name, part.definition
    profiles = [rules for rules in engine.rules.values() if rules.definitions.get(name) is definition]
    roots = (rules.dependencies.varies_by(read) for rules in profiles for read in part.inputs)
    return frozenset().union(*roots) & frozenset(engine.rulebook.question_fields.axes)


def _distinct_profiles(engine: Engine, parts: list[CoveragePart]) -> list[CompiledRules]:
    """The profiles that have any of the parts, one of those in which everything that they depend on is the same."""
    profiles: dict[tuple[int, ...], CompiledRules] = {}
    for rules in engine.rules.values():
        if names := _names_in(rules, parts):
            profiles.setdefault(tuple(id(rules.definitions[step]) for step in rules.plan(names).steps), rules)
    return list(profiles.values())


def _names_in(rules: CompiledRules, parts: list[CoveragePart]) -> set[str]:
    """The definitions of one profile of which these are parts."""
    return {part.definition.name for part in parts if rules.definitions.get(part.definition.name) is part.definition}
