"""Invariants: properties that hold for every question, defined beside the rules.

`always:` states a condition. `when: cause increases` with `then: effect never decreases` states that one name is
monotonic in another; the cause may be a catalog field, an input, a rule, or an axis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fitcard.language.expression import Expression, ExpressionError, parse
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path


class InvariantForm(ProblemCode):
    """An invariant does not have a form that can be tested.

    Why: an invariant that cannot be tested is never found broken.
    Avoid: `when: device.bandwidth grows`, `then: decode_tok_s rises`
    Prefer: `when: device.bandwidth increases` and `then: decode_tok_s never decreases`, or `always: decode_tok_s > 0`
    """


class Direction(StrEnum):
    """The direction in which a value changes."""

    INCREASES = "increases"
    DECREASES = "decreases"
    CHANGES = "changes"


@dataclass(frozen=True)
class AlwaysInvariant:
    """A condition that holds for every question in all profiles except `not_in`."""

    name: str
    document: Document
    path: Path
    not_in: tuple[str, ...]
    condition: Expression


@dataclass(frozen=True)
class MonotonicInvariant:
    """If `cause` changes in the direction `when`, `effect` never changes in the direction `never`.

    Applies to all profiles except `not_in`.
    """

    name: str
    document: Document
    path: Path
    not_in: tuple[str, ...]
    cause: str
    when: Direction
    effect: str
    never: Direction


Invariant = AlwaysInvariant | MonotonicInvariant
WHEN = re.compile(r"(\S+) (increases|decreases|changes)")
THEN = re.compile(r"(\S+) never (increases|decreases|changes)")


def read_invariants(document: Document) -> tuple[list[Invariant], list[Problem]]:
    """The invariants of a rule file that conforms to its schema, and the problems of the others."""
    invariants: list[Invariant] = []
    problems: list[Problem] = []
    for number, data in enumerate(document.data.get("invariants", [])):
        read = _read_always if "always" in data else _read_monotonic
        invariant, own_problems = read(document, ("invariants", number), data)
        invariants += [invariant] if invariant else []
        problems += own_problems
    return invariants, problems


def _read_always(document: Document, path: Path, data: Mapping[str, Any]) -> tuple[Invariant | None, list[Problem]]:
    try:
        return AlwaysInvariant(data["name"], document, path, _not_in(data), parse(data["always"])), []
    except ExpressionError as error:
        return None, [fault.problem(document, (*path, "always")) for fault in error.faults]


def _read_monotonic(document: Document, path: Path, data: Mapping[str, Any]) -> tuple[Invariant | None, list[Problem]]:
    when, then = WHEN.fullmatch(data["when"]), THEN.fullmatch(data["then"])
    problems = []
    if when is None:
        hint = "write `axis.field increases`, `name decreases`, or `axis changes`"
        problems.append(document.problem(InvariantForm, "cannot parse `when`", (*path, "when"), hint=hint))
    if then is None:
        hint = "write `name never decreases`, `name never increases`, or `name never changes`"
        message = "cannot parse `then`"
        problems.append(document.problem(InvariantForm, message, (*path, "then"), hint=hint))
    if when is None or then is None:
        return None, problems
    cause, effect = (when[1], Direction(when[2])), (then[1], Direction(then[2]))
    return MonotonicInvariant(data["name"], document, path, _not_in(data), *cause, *effect), []


def _not_in(data: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(data.get("not_in", ()))
