"""Rules that nothing uses, and parts of rules that no question reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fitcard.compiler.coverage import OTHERWISE, CoveragePart, Key, coverage_parts, covered
from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Table
from fitcard.language.invariants import AlwaysInvariant
from fitcard.language.tables import Lookup
from fitcard.lint.sample import Sample, exhaustive_samples
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.rulebook.rulebook import Rulebook
from fitcard.testing.coverage import covered_by
from fitcard.testing.rule_tests import rule_tests, run_test


class NameUnused(ProblemCode):
    """A rule affects nothing: no answer shows it, and nothing that is shown depends on it.

    Why: whoever changes it would wonder why nothing moves.
    Avoid: a constant that no formula uses any more
    Prefer: showing it in the layout, using it in a formula, or removing it.
    """


def unused_problems(engine: Engine) -> Iterator[Problem]:
    """A warning for each definition that is of no use in any profile."""
    used = {name for profile in engine.rules for name in _used(engine, profile)}
    told: set[str] = set()
    for rule_set in engine.rulebook.rule_sets.values():
        for name, definition in rule_set.definitions.items():
            if name not in used and name not in told:
                told.add(name)
                hint = "use it in the layout or in a formula, or remove it"
                message = f"`{name}` is not used"
                yield definition.document.problem(
                    NameUnused, message, definition.path, key=True, severity=Severity.WARNING, hint=hint
                )


def _used(engine: Engine, profile: str) -> Iterator[str]:
    """Everything behind what answers of one profile show and go by, and behind its invariants and the back-test."""
    rulebook, rules, needs = engine.rulebook, engine.rules[profile], engine.layout_plans[profile]
    wanted = {*needs.picks.own, *needs.variants((True,) * len(needs.lists)).names}
    wanted |= {pick.by.name for pick in rulebook.layout.picks.values()}
    for ranking in rulebook.rankings.values():
        wanted |= ranking.names(rulebook.message_names, rules.rule_set).computed
    for quantity in rulebook.backtest.quantities.values() if rulebook.backtest else ():
        wanted |= {quantity.computed, *([quantity.when] if quantity.when else [])}
    for invariant in rulebook.invariants:
        named = (
            invariant.condition.names if isinstance(invariant, AlwaysInvariant) else (invariant.cause, invariant.effect)
        )
        wanted |= set(named)
    yield from rules.plan(name for name in wanted if rules.describe(name)).steps


class ConditionConstant(ProblemCode):
    """A condition has the same value for every question over the catalogs.

    Why: one branch of the formula is never taken, so that mistakes in it go unnoticed.
    Avoid: `weights if device.memory > 0 else 0`, since every device has memory
    Prefer: `weights`
    """


class TableRowUnreached(ProblemCode):
    """Neither a catalog entry nor a rule test reaches a row of a table.

    Why: mistakes in the row go unnoticed.
    Avoid: a band of `bandwidth_class` above the bandwidth of every device
    Prefer: removing the row, or a rule test that shows what it is for.
    """


def unreachable_problems(engine: Engine, trials: Iterable[Sample], most: int) -> Iterator[Problem]:
    """A warning for each condition that is the same for every question over the catalogs, in every profile, and for
    each row of a table that neither they nor a rule test reach.

    What the trials do not reach is asked of all catalogs, in parts of about `most` questions.
    """
    missing = [part for part in _missing(engine.rulebook, trials) if not _never_a_word(engine.rulebook, part)]
    for part in _still_missing(engine, _untested(engine, missing), most):
        if isinstance(part.definition, Table):
            hint = "remove it, or cover it with a rule test"
            yield part.warning(TableRowUnreached, f"neither a catalog entry nor a test reaches {part.what}", hint)
        else:
            hint = "keep the branch that is taken, or add an entry for the other one"
            yield part.warning(ConditionConstant, f"no question over the catalogs covers {part.what}", hint)


def _untested(engine: Engine, parts: list[CoveragePart]) -> list[CoveragePart]:
    """All but the rows of tables that a rule test or a measured run reaches. None is run once all are reached."""
    left = {part.key: part for part in parts if isinstance(part.definition, Table)}
    names = {part.definition.name for part in left.values()}
    if left:
        nearest_first = sorted(rule_tests(engine.rulebook), key=lambda test: names.isdisjoint(test.figures))
        rows = (row for test in nearest_first for row in run_test(engine, test).rows)
        for key in covered_by(engine, rows, names):
            left.pop(key, None)
            if not left:
                break
    return [part for part in parts if part.key in left or not isinstance(part.definition, Table)]


def _never_a_word(rulebook: Rulebook, part: CoveragePart) -> bool:
    """Whether it is a row for a word that the input of its table never is, which is told where names are resolved."""
    table = part.definition
    if not isinstance(table, Table) or not isinstance(table.rows, Lookup) or part.path[-1] == OTHERWISE:
        return False
    rules = next(rules for rules in rulebook.rule_sets.values() if rules.definitions.get(table.name) is table)
    return part.path[-1] not in rules.possible_words(table.input)[0]


def _missing(rulebook: Rulebook, trials: Iterable[Sample]) -> list[CoveragePart]:
    found: set[Key] = set()
    for trial in trials:
        found |= set(covered(trial.whole))
    definitions = {id(one): one for rules in rulebook.rule_sets.values() for one in rules.definitions.values()}
    parts = {part.key: part for definition in definitions.values() for part in coverage_parts(definition)}
    return [part for key, part in parts.items() if key not in found]


def _still_missing(engine: Engine, parts: list[CoveragePart], most: int) -> list[CoveragePart]:
    """Those of the parts that no question over all catalogs reaches."""
    for rules in engine.rules.values():
        for trial in exhaustive_samples(rules, most):
            names = {part.definition.name for part in parts if part.definition.name in rules.definitions}
            if not names:
                return parts
            found = set(covered(trial.evaluate(names)))
            parts = [part for part in parts if part.key not in found]
    return parts
