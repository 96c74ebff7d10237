"""A program: what expressions come to, one operation on columns after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from engine.columns import Column, everywhere
from engine.evaluate.recorder import Recorder
from engine.rulebook.expression import Expression

MOST_KEPT = 1024


class Step(NamedTuple):
    """An operation as it is done, with most of them on one or two values: those of the `others` come after these."""

    run: Callable[..., Any]
    into: int | slice
    first: int
    second: int | None
    others: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """`start` holds the numbers that stand in expressions, at their places; `reads` the places of what is put in."""

    start: Sequence[Any]
    steps: Sequence[Step]
    reads: Mapping[str, int]

    def run(self, values: Mapping[str, Any]) -> list[Any]:
        """The value at each place, once what is read was put in and all steps were done."""
        at = list(self.start)
        for name, place in self.reads.items():
            at[place] = values[name]
        for run, into, first, second, others in self.steps:
            if second is None:
                at[into] = run(at[first])
            elif not others:
                at[into] = run(at[first], at[second])
            else:
                at[into] = run(at[first], at[second], *[at[place] for place in others])
        return at


def program_of(recorder: Recorder, reads: Mapping[str, int], results: Iterable[int]) -> Program:
    """The program of what was recorded, which leaves `results` at their places.

    What is needed on the way alone gives its place to what comes after its last use, so that no large column is held
    on to; what comes out of one operation side by side keeps its places.
    """
    last_use = {place: at for at, one in enumerate(recorder.operations) for place in one.reads}
    on_the_way = {one.into for one in recorder.operations if isinstance(one.into, int)}.difference(results)
    places = list(range(len(recorder.start)))  # where each is now
    free: list[int] = []
    steps = []
    for at, one in enumerate(recorder.operations):
        first, *rest = (places[place] for place in one.reads)
        free += [places[place] for place in {*one.reads} & on_the_way if last_use[place] == at]
        into = one.into
        if isinstance(into, int):
            if into in on_the_way and free:
                places[into] = free.pop()
            into = places[into]
        steps.append(Step(one.run, into, first, rest[0] if rest else None, tuple(rest[1:])))
    return Program(recorder.start, steps, reads)


@lru_cache(maxsize=MOST_KEPT)
def _recorded(expression: Expression) -> tuple[Program, int]:
    recorder = Recorder()
    reads = {name: recorder.place() for name in expression.names}
    result = recorder.record(expression, reads)
    return program_of(recorder, reads, [result]), result


def run_expression(expression: Expression, names: Mapping[str, Any]) -> Column:
    """The column that an expression gives; NaN where something is divided by 0."""
    program, result = _recorded(expression)
    with np.errstate(all="ignore"):
        column: Column = program.run({name: everywhere(names[name]) for name in program.reads})[result]
    return column
