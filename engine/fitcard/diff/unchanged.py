"""What cannot have moved between two rule sets, read off the rules and figures themselves."""

from __future__ import annotations

import ast

import numpy as np

from fitcard.diff.questions import Questions, in_words
from fitcard.language.definitions import Constant, Definition, Formula, Table
from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.language.tables import Lookup
from fitcard.values import Kind


def unchanged_names(questions: Questions) -> frozenset[str]:
    """The names that give the same for each of the questions on both sides, whatever else is different."""
    base, head = questions.base, questions.head
    fields = set(head.plan(head.definitions).fields) & set(base.plan(base.definitions).fields)
    same = {name for name in fields if _same_figures(questions, name)}
    inputs, before = head.subject.inputs, base.subject.inputs
    same |= {f"{QUESTION}.{name}" for name in inputs if name in before and inputs[name].default == before[name].default}
    for name, definition in head.definitions.items():  # each comes after all that it reads
        old = base.definitions.get(name)
        reads = {*definition.reads, *(chooser for read in definition.reads if (chooser := _chooser(questions, read)))}
        if old is not None and is_same_rule(old, definition) and reads <= same:
            same.add(name)
            same.add(f"{CURRENT}.{name}")
    return frozenset(same)


def is_touched(questions: Questions, axis: str) -> bool:
    """Whether a figure of the axis, or a rule that reads one, is another: what its entries give may differ by more
    than what answers by default.
    """
    base, head = questions.base, questions.head
    if axis not in base.subject.axes or axis not in head.subject.axes:
        return False
    opened = questions.opened(axis)
    fields = [name for name in head.plan(head.definitions).fields if name.startswith(f"{axis}.")]
    known = base.plan(base.definitions).fields
    if any(name not in known or not _same_figures(opened, name) for name in fields):
        return True
    readers = [definition for definition in head.definitions.values() if set(fields) & set(definition.reads)]
    before = base.definitions
    return any(one.name not in before or not is_same_rule(before[one.name], one) for one in readers)


def is_same_rule(one: Definition, other: Definition) -> bool:
    """Whether two definitions compute the same from the same; of a count, which reads all entries, nobody can say."""
    if isinstance(one, Constant) and isinstance(other, Constant):
        return one.value == other.value
    if isinstance(one, Formula) and isinstance(other, Formula):
        return ast.dump(one.expression.tree) == ast.dump(other.expression.tree)
    if isinstance(one, Table) and isinstance(other, Table) and one.input == other.input:
        if isinstance(one.rows, Lookup) and isinstance(other.rows, Lookup):
            return one.rows.rows == other.rows.rows and one.rows.otherwise == other.rows.otherwise
        return one.rows == other.rows
    return False


def _chooser(questions: Questions, name: str) -> str | None:
    """The table that chooses the entry of which `name` is a figure, where the questions do not name one."""
    named = name.partition(".")[0] in questions.ids
    return None if named else questions.head.subject.chooser_of(name)


def _same_figures(questions: Questions, name: str) -> bool:
    axis = name.partition(".")[0]
    if axis not in questions.ids:
        if axis not in questions.base.subject.axes or _chooser(questions, name) != questions.base.subject.chooser_of(
            name
        ):
            return False
        questions = questions.opened(axis)
    old, new = (questions.grid(rules).column(name) for rules in (questions.base, questions.head))
    info = questions.head.describe(name)
    if info is not None and info.kind is Kind.NUMBER:
        return np.array_equal(np.asarray(old), np.asarray(new), equal_nan=True)
    first, second, _ = in_words(old, new)
    return np.array_equal(first, second)
