"""The budget of a check: how many questions a sample may have, decided before anything is evaluated.

The cost of the sample and of the invariants is estimated from the rules. Samples have fewer questions where they would
exceed the budget; rules that exceed it even with MIN_QUESTIONS are not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.cost import CALL_OVERHEAD, COMPILATION, CONDITION_COMPILATION, definition_cost, expression_cost
from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Definition, Formula
from fitcard.language.invariants import AlwaysInvariant, Invariant, MonotonicInvariant
from fitcard.lint.invariants import STEPS
from fitcard.lint.sample import shared_definitions
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path


class TooCostly(ProblemCode):
    """Rules or invariants take more time than a check may take, even with a small sample of questions.

    Why: a check, and a service that reloads its rules, must end soon whatever the files hold.
    Avoid: hundreds of invariants whose causes affect hundreds of formulas
    Prefer: fewer invariants, of figures that matter to readers.
    """


MAX_OPERATIONS = 2_500_000_000  # additions for one question: about two seconds
MAX_CELLS = 40_000_000  # numbers that the samples of all profiles keep: 320 MB
EVALUATION = 100_000  # of calling an evaluation, and comparing its result, however many questions there are
COMPARISON = 5  # of the results of a question before and after a change
MIN_QUESTIONS = 1_000  # of a sample


class Cost(NamedTuple):
    """What an evaluation costs however many questions there are, and for each of them; and the columns that it keeps.

    `document` and `path` are what causes it.
    """

    document: Document
    path: Path
    fixed: int
    per_question: int
    columns: int = 0


def affordable_questions(
    engine: Engine, max_questions: int, invariants: Sequence[Invariant] = ()
) -> tuple[int, list[Problem]]:
    """The number of questions of a sample, at most `max_questions`, and a problem if it is less than MIN_QUESTIONS.

    The problem is at the definition or invariant with which the budget is exceeded.
    """
    fixed = per_question = columns = 0
    for cost in _costs(engine, invariants):
        fixed, per_question, columns = fixed + cost.fixed, per_question + cost.per_question, columns + cost.columns
        if fixed + per_question * (MIN_QUESTIONS + CALL_OVERHEAD) > MAX_OPERATIONS:
            message, hint = "up to here, the rules take too long to check", "remove or simplify rules or invariants"
            return 0, [cost.document.problem(TooCostly, message, cost.path, key=True, hint=hint)]
    by_time = (MAX_OPERATIONS - fixed) // max(per_question, 1) - CALL_OVERHEAD
    return min(max_questions, max(MIN_QUESTIONS, min(by_time, MAX_CELLS // max(columns, 1)))), []


def _costs(engine: Engine, invariants: Sequence[Invariant]) -> Iterator[Cost]:
    first, *others = engine.rules.values()
    shared = {rules.profile: shared_definitions(rules, first) for rules in others}
    known: dict[int, Cost] = {}  # by definition, most of which profiles share
    for rules in engine.rules.values():
        for name, definition in rules.definitions.items():
            if id(definition) not in known:
                known[id(definition)] = _definition_cost(definition)
            if name not in shared.get(rules.profile, ()):
                yield known[id(definition)]
    for rules in engine.rules.values():
        costs = {name: known[id(definition)] for name, definition in rules.definitions.items()}
        yield from _invariant_costs(rules, shared.get(rules.profile, frozenset()), costs, invariants)


def _definition_cost(definition: Definition) -> Cost:
    """The cost of a definition, and of its conditions, of which coverage is measured."""
    conditions = definition.expression.conditions if isinstance(definition, Formula) else ()
    fixed = COMPILATION + CONDITION_COMPILATION * len(conditions)
    per_question = definition_cost(definition) * (2 if conditions else 1)
    return Cost(definition.document, definition.path, fixed, per_question, 1)


def _invariant_costs(
    rules: CompiledRules, shared: frozenset[str], costs: Mapping[str, Cost], invariants: Sequence[Invariant]
) -> Iterator[Cost]:
    """The cost of each invariant of one profile; what several of them evaluate after the same change counts once."""
    evaluated: dict[tuple[str, str], set[str]] = {}  # by change
    for invariant in invariants:
        if rules.profile in invariant.not_in:
            continue
        if isinstance(invariant, AlwaysInvariant):
            if not shared.issuperset(name for name in invariant.condition.names if name in costs):
                per_question = expression_cost(invariant.condition)
                yield Cost(invariant.document, invariant.path, CONDITION_COMPILATION, per_question)
        elif invariant.effect not in shared or invariant.cause not in shared:
            changed = _changed(rules, invariant)
            new = changed - evaluated.setdefault((invariant.cause, invariant.when), set())
            evaluated[invariant.cause, invariant.when] |= new
            axis = rules.question_fields.axes.get(invariant.cause)
            times = len(rules.columns[axis.catalog].ids) if axis else len(STEPS)
            per_question = times * (COMPARISON + sum(costs[name].per_question for name in new))
            fixed = COMPILATION * len(new) + EVALUATION * times
            yield Cost(invariant.document, invariant.path, fixed, per_question)


def _changed(rules: CompiledRules, invariant: MonotonicInvariant) -> frozenset[str]:
    """The definitions that are evaluated again for an invariant: those between its cause and its effect."""
    steps = rules.plan([invariant.effect]).steps if rules.describe(invariant.effect) else ()
    if invariant.cause in rules.question_fields.axes:
        return frozenset(name for name in steps if invariant.cause in rules.dependencies.varies_by(name))
    return rules.dependencies.dependents(invariant.cause).intersection(steps)
