"""Programs: sequences of operations on columns, with registers that are reused."""

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

MAX_CACHED_EXPRESSIONS = 1024
Getter = Callable[[Any], Sequence[Any]]


def getter(keys: Sequence[Any]) -> Getter:
    """A fast function from a mapping or sequence to its values for these keys, in their order.

    It raises KeyError for a missing key.
    """
    if len(keys) > 1:
        return itemgetter(*keys)
    return partial(_values_of, tuple(keys))


def _values_of(keys: tuple[Any, ...], values: Any) -> Sequence[Any]:
    return [values[key] for key in keys]


class Step(NamedTuple):
    """An operation; most have one or two arguments, so that only further ones are in `others`."""

    run: Callable[..., Any]
    into: int | slice
    first: int
    second: int | None
    others: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Steps on registers: first the arguments, named by `reads`, then those with the initial values `start`."""

    reads: tuple[str, ...]
    start: Sequence[Any]
    steps: Sequence[Step]

    def run(self, values: Sequence[Any]) -> list[Any]:
        """The values of all registers after the last step, for the values of `reads`."""
        at = [*values, *self.start]
        for run, into, first, second, others in self.steps:
            if second is None:
                at[into] = run(at[first])
            elif not others:
                at[into] = run(at[first], at[second])
            else:
                at[into] = run(at[first], at[second], *[at[register] for register in others])
        return at


def build_program(
    tracer: Tracer, reads: Mapping[str, int], results: Iterable[int]
) -> tuple[Program, Mapping[int, int]]:
    """The program of the recorded operations, and the registers of the `results` in it.

    The register of an intermediate value is reused after its last use, so that no large column is kept. The registers
    of an operation with several results stay contiguous.
    """
    others = [register for register in range(len(tracer.start)) if register not in {*reads.values()}]
    registers = {register: at for at, register in enumerate((*reads.values(), *others))}  # old to new
    last_use = {register: at for at, operation in enumerate(tracer.operations) for register in operation.reads}
    results = tuple(results)
    written = {operation.into for operation in tracer.operations if isinstance(operation.into, int)}
    intermediate = written.difference(results)
    free: list[int] = []
    steps = []
    for at, operation in enumerate(tracer.operations):
        first, *rest = (registers[register] for register in operation.reads)
        free += [registers[read] for read in {*operation.reads} & intermediate if last_use[read] == at]
        into: int | slice
        if isinstance(operation.into, int):
            reuse = operation.into in intermediate and free
            into = registers[operation.into] = free.pop() if reuse else registers[operation.into]
        else:
            into = slice(registers[operation.into.start], registers[operation.into.stop - 1] + 1)
        steps.append(Step(operation.run, into, first, rest[0] if rest else None, tuple(rest[1:])))
    start = [tracer.start[register] for register in others]
    return Program(tuple(reads), start, steps), {register: registers[register] for register in results}


@lru_cache(maxsize=MAX_CACHED_EXPRESSIONS)
def _compile_expression(expression: Expression) -> tuple[Program, int]:
    tracer = Tracer()
    reads = {name: tracer.new_register() for name in expression.names}
    result = tracer.trace(expression, reads)
    program, registers = build_program(tracer, reads, [result])
    return program, registers[result]


def evaluate_expression(expression: Expression, names: Mapping[str, Any]) -> Column:
    """The column of an expression for the columns of its names; NaN or infinite where it divides by 0."""
    program, result = _compile_expression(expression)
    with np.errstate(all="ignore"):
        column: Column = program.run([as_column(names[name]) for name in program.reads])[result]
    return column
