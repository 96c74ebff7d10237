"""A program: what expressions come to, one operation on columns after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from fitcard.compiler.tracer import Tracer
from fitcard.language.expression import Expression
from fitcard.values import Column, as_column

MAX_CACHED = 1024
Taker = Callable[[Any], Sequence[Any]]


def taker(names: Sequence[Any]) -> Taker:
    """What gives the values of these keys, in their order, at a fraction of the time of one after another.

    It raises KeyError for one that is not there.
    """
    if len(names) > 1:
        return itemgetter(*names)
    return partial(_taken, tuple(names))


def _taken(names: tuple[Any, ...], values: Any) -> Sequence[Any]:
    return [values[name] for name in names]


class Step(NamedTuple):
    """An operation as it is done, with most of them on one or two values: those of the `others` come after these."""

    run: Callable[..., Any]
    into: int | slice
    first: int
    second: int | None
    others: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """What it reads has the first places, in the order of `reads`; `start` holds all others, such as plain numbers."""

    reads: tuple[str, ...]
    start: Sequence[Any]
    steps: Sequence[Step]

    def run(self, values: Sequence[Any]) -> list[Any]:
        """The value at each place, once all steps were done on what is read."""
        at = [*values, *self.start]
        for run, into, first, second, others in self.steps:
            if second is None:
                at[into] = run(at[first])
            elif not others:
                at[into] = run(at[first], at[second])
            else:
                at[into] = run(at[first], at[second], *[at[place] for place in others])
        return at


def build_program(
    tracer: Tracer, reads: Mapping[str, int], results: Iterable[int]
) -> tuple[Program, Mapping[int, int]]:
    """The program of what was recorded, and where in it the places of `results` are.

    What is needed on the way alone gives its place to what comes after its last use, so that no large column is held
    on to; what comes out of one operation side by side stays so.
    """
    others = [place for place in range(len(tracer.start)) if place not in {*reads.values()}]
    places = {place: at for at, place in enumerate((*reads.values(), *others))}  # where each is now
    last_use = {place: at for at, one in enumerate(tracer.operations) for place in one.reads}
    results = tuple(results)
    on_the_way = {one.into for one in tracer.operations if isinstance(one.into, int)}.difference(results)
    free: list[int] = []
    steps = []
    for at, one in enumerate(tracer.operations):
        first, *rest = (places[place] for place in one.reads)
        free += [places[place] for place in {*one.reads} & on_the_way if last_use[place] == at]
        if isinstance(one.into, int):
            places[one.into] = free.pop() if one.into in on_the_way and free else places[one.into]
            into: int | slice = places[one.into]
        else:
            into = slice(places[one.into.start], places[one.into.stop - 1] + 1)
        steps.append(Step(one.run, into, first, rest[0] if rest else None, tuple(rest[1:])))
    start = [tracer.start[place] for place in others]
    return Program(tuple(reads), start, steps), {place: places[place] for place in results}


@lru_cache(maxsize=MAX_CACHED)
def _recorded(expression: Expression) -> tuple[Program, int]:
    tracer = Tracer()
    reads = {name: tracer.new_register() for name in expression.names}
    result = tracer.trace(expression, reads)
    program, places = build_program(tracer, reads, [result])
    return program, places[result]


def evaluate_expression(expression: Expression, names: Mapping[str, Any]) -> Column:
    """The column that an expression gives; NaN where something is divided by 0."""
    program, result = _recorded(expression)
    with np.errstate(all="ignore"):
        column: Column = program.run([as_column(names[name]) for name in program.reads])[result]
    return column
