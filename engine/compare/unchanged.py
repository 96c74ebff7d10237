"""What cannot have moved between two rule sets, read off the rules and figures themselves."""

from __future__ import annotations

import ast

import numpy as np

from engine.columns import Kind
from engine.compare.questions import Questions, in_words
from engine.rulebook.definitions import Constant, Definition, Formula, Table
from engine.rulebook.subject import CURRENT, QUESTION
from engine.rulebook.tables import Lookup


def unchanged(questions: Questions) -> frozenset[str]:
    """The names that give the same for each of the questions on both sides, whatever else is different."""
    base, head = questions.base, questions.head
    fields = set(head.plan(head.definitions).fields) & set(base.plan(base.definitions).fields)
    same = {name for name in fields if _same_figures(questions, name)}
    inputs, before = head.subject.inputs, base.subject.inputs
    same |= {f"{QUESTION}.{name}" for name in inputs if name in before and inputs[name].default == before[name].default}
    for name, definition in head.definitions.items():  # each comes after all that it reads
        old = base.definitions.get(name)
        if old is not None and same_rule(old, definition) and all(read in same for read in definition.reads):
            same.add(name)
            same.add(f"{CURRENT}.{name}")
    return frozenset(same)


def same_rule(one: Definition, other: Definition) -> bool:
    """Whether two definitions compute the same from the same."""
    if isinstance(one, Constant) and isinstance(other, Constant):
        return one.value == other.value
    if isinstance(one, Formula) and isinstance(other, Formula):
        return ast.dump(one.expression.tree) == ast.dump(other.expression.tree)
    if isinstance(one, Table) and isinstance(other, Table) and one.input == other.input:
        if isinstance(one.rows, Lookup) and isinstance(other.rows, Lookup):
            return one.rows.rows == other.rows.rows and one.rows.otherwise == other.rows.otherwise
        return one.rows == other.rows
    return False


def _same_figures(questions: Questions, name: str) -> bool:
    if name.partition(".")[0] not in questions.ids:
        return False
    old, new = (questions.grid(rules).column(name) for rules in (questions.base, questions.head))
    info = questions.head.describe(name)
    if info is not None and info.kind is Kind.NUMBER:
        return np.array_equal(np.asarray(old), np.asarray(new), equal_nan=True)
    first, second, _ = in_words(old, new)
    return np.array_equal(first, second)
