"""A program: what expressions come to, one operation on columns after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.columns import Column, everywhere
from engine.evaluate.recorder import Operation, Recorder
from engine.rulebook.expression import Expression

MOST_KEPT = 1024


@dataclass(frozen=True)
class Program:
    """`start` holds the numbers that stand in expressions, at their places; `reads` the places of what is put in."""

    start: Sequence[Any]
    operations: Sequence[Operation]
    reads: Mapping[str, int]

    def run(self, values: Mapping[str, Any]) -> list[Any]:
        """The value at each place, once what is read was put in and all operations were done."""
        at = list(self.start)
        for name, place in self.reads.items():
            at[place] = values[name]
        for run, into, first, second, others in self.operations:
            if others is not None:
                at[into] = run(at[first], at[second], *[at[place] for place in others])  # type: ignore[index]
            elif second is not None:
                at[into] = run(at[first], at[second])
            else:
                at[into] = run(at[first])
        return at


@lru_cache(maxsize=MOST_KEPT)
def _recorded(expression: Expression) -> tuple[Program, int]:
    recorder = Recorder()
    reads = {name: recorder.place() for name in expression.names}
    result = recorder.record(expression, reads)
    return Program(recorder.start, recorder.operations, reads), result


def run_expression(expression: Expression, names: Mapping[str, Any]) -> Column:
    """The column that an expression gives; NaN where something is divided by 0."""
    program, result = _recorded(expression)
    with np.errstate(all="ignore"):
        column: Column = program.run({name: everywhere(names[name]) for name in program.reads})[result]
    return column
