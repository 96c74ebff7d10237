"""Rules that nothing uses, and parts of rules that no question reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.cost import (
    CALL_OVERHEAD,
    COMPILATION,
    CONDITION_COMPILATION,
    definition_cost,
)
from fitcard.compiler.coverage import OTHERWISE, CoveragePart, Key, coverage_parts, covered, covered_by_inputs
from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Definition, Table
from fitcard.language.invariants import AlwaysInvariant
from fitcard.language.tables import Lookup
from fitcard.lint.sample import Sample, exhaustive_count, exhaustive_samples
from fitcard.problems import Problem, ProblemCode, ProblemsError, Severity
from fitcard.rulebook.rulebook import Rulebook
from fitcard.testing.coverage import covered_by
from fitcard.testing.rule_tests import rule_tests, run_test

MAX_TESTS = 600  # that are run to find whether they reach a row; each takes two milliseconds or more
CONDITION = 10  # operations of a question, to find whether it reaches a part
MAX_EXHAUSTIVE_OPERATIONS = 1_500_000_000  # additions for one question, of all profiles: about a second


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


def untested_parts(engine: Engine, samples: Iterable[Sample]) -> list[CoveragePart]:
    """The conditions that no question of the samples reaches, and the rows that no rule test reaches, either."""
    return _not_tested(engine, list(_not_sampled(engine.rulebook, samples)))


def unreachable_problems(engine: Engine, parts: list[CoveragePart], max_questions: int) -> Iterator[Problem]:
    """Those of the `untested_parts` that no question over the catalogs reaches, as `unreached_problems`.

    They are evaluated over all entries that they depend on, in batches of at most `max_questions`. Where that is
    estimated to take more than MAX_EXHAUSTIVE_OPERATIONS, rows are reported as not reached by the samples, and
    conditions are not reported.
    """
    try:
        unreached, unknown = _not_reached(engine, parts, max_questions)
    except ProblemsError as error:  # a number that is finite for all questions of the samples
        yield from error.problems
        return
    for part in unknown:
        if isinstance(part.definition, Table):
            hint = "remove it, or cover it with a rule test; `fitcard check --thorough` tries every question"
            yield part.warning(TableRowUnreached, f"neither a sampled question nor a test reaches {part.what}", hint)
    yield from unreached_problems(unreached)


def unreached_problems(parts: Iterable[CoveragePart]) -> Iterator[Problem]:
    """A warning for each condition that is constant over the catalogs in all profiles, and for each row of a table that
    neither the catalogs nor a rule test reach.
    """
    for part in parts:
        if isinstance(part.definition, Table):
            hint = "remove it, or cover it with a rule test"
            yield part.warning(TableRowUnreached, f"neither a catalog entry nor a test reaches {part.what}", hint)
        else:
            hint = "keep the branch that is taken, or add an entry for the other one"
            yield part.warning(ConditionConstant, f"no question over the catalogs covers {part.what}", hint)


def without_reached(sample: Sample, parts: list[CoveragePart]) -> list[CoveragePart]:
    """The parts that the questions of a sample do not reach. Raises ProblemsError if a number is not finite."""
    inputs, definitions = _inputs_of(sample.rules, parts), _definitions_of(sample.rules, parts)
    reached = set(covered_by_inputs(sample.evaluate(inputs), definitions)) if definitions else set()
    return [part for part in parts if part.key not in reached]


def _not_sampled(rulebook: Rulebook, samples: Iterable[Sample]) -> Iterator[CoveragePart]:
    """The parts that no sample reaches, but for rows of words that the input of their table cannot have."""
    reached: set[Key] = set()
    for sample in samples:
        reached |= set(covered(sample.evaluation, names=sample.rules.definitions.keys() - sample.shared))
    for rules in rulebook.rule_sets.values():
        for definition in rules.definitions.values():
            possible: frozenset[str] | None = None
            for part in coverage_parts(definition):
                if part.key in reached:
                    continue
                reached.add(part.key)  # profiles share definitions
                if isinstance(definition, Table) and isinstance(definition.rows, Lookup):
                    possible = possible or frozenset((*rules.possible_words(definition.input)[0], OTHERWISE))
                    if part.path[-1] not in possible:  # name resolution reports it
                        continue
                yield part


def _not_tested(engine: Engine, parts: list[CoveragePart]) -> list[CoveragePart]:
    """The parts without the rows of tables that a rule test or a measured run reaches.

    Tests that state a figure of the tables run first, and none once all rows are reached, or after MAX_TESTS.
    """
    rows_left = {part.key: part for part in parts if isinstance(part.definition, Table)}
    names = {part.definition.name for part in rows_left.values()}
    if rows_left:
        tests = sorted(rule_tests(engine.rulebook), key=lambda test: names.isdisjoint(test.figures))
        rows = (row for test in tests[:MAX_TESTS] for row in run_test(engine, test).rows)
        for key in covered_by(engine, rows, names):
            rows_left.pop(key, None)
            if not rows_left:
                break
    return [part for part in parts if part.key in rows_left or not isinstance(part.definition, Table)]


def _not_reached(
    engine: Engine, parts: list[CoveragePart], max_questions: int
) -> tuple[list[CoveragePart], list[CoveragePart]]:
    """The parts that no question over all catalogs reaches, and those that would take too long to tell.

    Parts that depend on the fewest entries come first.
    """
    budget = MAX_EXHAUSTIVE_OPERATIONS
    by_axes: dict[frozenset[str], list[CoveragePart]] = {}
    for part in parts:
        by_axes.setdefault(_axes_behind(engine, part), []).append(part)
    unreached: list[CoveragePart] = []
    unknown: list[CoveragePart] = []
    for axes in sorted(by_axes, key=lambda axes: exhaustive_count(engine.default_rules, axes)):
        left = by_axes[axes]
        budget -= COMPILATION * len(engine.rules)  # to find the profiles
        profiles = _distinct_profiles(engine, left) if budget > 0 else []
        cost = sum(_exhaustive_cost(rules, left, axes) for rules in profiles)
        if cost > budget or not profiles:
            unknown += left
            continue
        budget -= cost
        for sample in (sample for rules in profiles for sample in exhaustive_samples(rules, max_questions, axes)):
            left = without_reached(sample, left)
            if not left:
                break
        unreached += left
    return unreached, unknown


def _exhaustive_cost(rules: CompiledRules, parts: list[CoveragePart], axes: frozenset[str]) -> int:
    """The estimated cost of evaluating the inputs of parts, and the parts, for all entries of these axes."""
    steps = [rules.definitions[name] for name in rules.plan(_inputs_of(rules, parts)).steps]
    per_question = sum(map(definition_cost, steps)) + CONDITION * len(parts)
    fixed = COMPILATION * len(steps) + CONDITION_COMPILATION * len(parts)
    return fixed + per_question * (exhaustive_count(rules, axes) + CALL_OVERHEAD)


def _axes_behind(engine: Engine, part: CoveragePart) -> frozenset[str]:
    """The axes that determine whether a question reaches a part."""
    name, definition = part.definition.name, part.definition
    profiles = [rules for rules in engine.rules.values() if rules.definitions.get(name) is definition]
    roots = (rules.dependencies.varies_by(read) for rules in profiles for read in part.inputs)
    return frozenset().union(*roots) & frozenset(engine.rulebook.question_fields.axes)


def _distinct_profiles(engine: Engine, parts: list[CoveragePart]) -> list[CompiledRules]:
    """The profiles that have any of the parts, one of those in which all that the parts depend on is the same."""
    profiles: dict[tuple[int, ...], CompiledRules] = {}
    for rules in engine.rules.values():
        if definitions := _definitions_of(rules, parts):
            steps = rules.plan(_inputs_of(rules, parts)).steps
            behind = (*(rules.definitions[step] for step in steps), *definitions)
            profiles.setdefault(tuple(map(id, behind)), rules)
    return list(profiles.values())


def _definitions_of(rules: CompiledRules, parts: list[CoveragePart]) -> list[Definition]:
    """The definitions of one profile of which these are parts."""
    definitions = {id(part.definition): part.definition for part in parts}
    return [each for each in definitions.values() if rules.definitions.get(each.name) is each]


def _inputs_of(rules: CompiledRules, parts: list[CoveragePart]) -> frozenset[str]:
    """The names that determine whether a question of one profile reaches any of the parts."""
    own = (part for part in parts if rules.definitions.get(part.definition.name) is part.definition)
    return frozenset(name for part in own for name in part.inputs)
