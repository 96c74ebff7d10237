"""How one number came about: its step, with all that it was made of below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Branch:
    """A step and the steps that it was made of; one that was taken apart before is named again and not `whole`."""

    step: Step
    parts: tuple[Branch, ...]
    whole: bool


def trace_tree(steps: Iterable[Step], root: str) -> Branch:
    """The tree behind the step of this name."""
    by_name = {step["name"]: step for step in steps}
    return _branch(by_name[root], by_name, set())


def _branch(step: Step, by_name: Mapping[str, Step], drawn: set[str]) -> Branch:
    names = list(step.get("inputs", {}))
    if step["name"] in drawn and names:
        return Branch(step, (), whole=False)
    drawn.add(step["name"])
    return Branch(step, tuple(_branch(by_name[name], by_name, drawn) for name in names), whole=True)
