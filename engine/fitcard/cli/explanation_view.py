"""Explanations in a terminal: a rule with its neighbours, and the tree of values behind a number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from fitcard.reports import format_value, origin, with_unit

Step = Mapping[str, Any]
TEXTS = ("value", "expr", "by", "bounds", "results", "knots", "rows", "otherwise", "of", "same", "having")


def draw_rule(detail: Mapping[str, Any]) -> None:
    """One definition whole, on standard output."""
    console = Console(highlight=False)
    where = f"{detail['file']}:{detail['line']}"
    console.print(
        Text.assemble((detail["name"], "bold cyan"), f"  {detail['kind']}, {detail['unit']}  ", (where, "dim"))
    )
    console.print(Text(detail["about"]))
    for key in (*TEXTS, "calibrate", "fitted"):
        if detail.get(key) not in (None, {}, []):
            console.print(Text.assemble((f"  {key}: ", "dim"), (_shown(detail[key]), "bold")))
    for key, value in detail.get("reference", {}).items():
        console.print(Text.assemble((f"  {key}: ", "dim"), str(value)))
    for arrow, key in (("<-", "reads"), ("->", "read_by")):
        for name in detail[key]:
            console.print(Text.assemble((f"  {arrow} ", "dim"), (name, "cyan")))


def draw_tree(steps: Iterable[Step], roots: Iterable[str] = ()) -> None:
    """The values behind `roots`, or behind all that nothing else reads, each with what it was made of below it."""
    by_name = {step["name"]: step for step in steps}
    read = {name for step in by_name.values() for name in step.get("inputs", {})}
    console, drawn = Console(highlight=False), set[str]()
    for root in tuple(roots) or tuple(name for name in by_name if name not in read):
        tree = Tree(_line(by_name[root]), guide_style="dim")
        _grow(tree, by_name[root], by_name, drawn)
        console.print(tree)


def _grow(tree: Tree, step: Step, by_name: Mapping[str, Step], drawn: set[str]) -> None:
    """Adds what a step was made of; what was drawn before is named again, and not taken apart again."""
    drawn.add(step["name"])
    for name in step.get("inputs", {}):
        part = by_name[name]
        again = name in drawn and bool(part.get("inputs"))
        branch = tree.add(Text.assemble(_line(part), (" ...", "dim")) if again else _line(part))
        if not again:
            _grow(branch, part, by_name, drawn)


def _line(step: Step) -> Text:
    made = f"  <- {origin(step)}" if origin(step) else ""
    where = f"{step['file']}:{step['line']}" if "file" in step else step["kind"]
    source = ", ".join(step.get("source", ()))
    return Text.assemble(
        (step["name"], "cyan"),
        " = ",
        (with_unit(step), "bold"),
        (f"{made}  {where}", "dim"),
        (f"  {source}", "dim italic"),
    )


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_shown(part)}" for key, part in value.items())
    if isinstance(value, list):
        return f"[{', '.join(_shown(part) for part in value)}]"
    return format_value(value)
