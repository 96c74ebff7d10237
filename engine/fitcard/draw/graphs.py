"""Which rule reads which, as text, Mermaid or Graphviz."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

Edges = Mapping[str, tuple[str, ...]]


def as_text(edges: Edges) -> str:
    """A line for each name that reads others: `needed_memory <- weights, kv_cache`."""
    return "\n".join(f"{name} <- {', '.join(reads)}" for name, reads in edges.items() if reads)


def as_mermaid(edges: Edges) -> str:
    """A flow chart from what is read to what reads it, for Markdown."""
    numbers = {name: f"n{number}" for number, name in enumerate(_names(edges))}
    nodes = [f'  {number}["{name}"]' for name, number in numbers.items()]
    arrows = [f"  {numbers[read]} --> {numbers[name]}" for name, reads in edges.items() for read in reads]
    return "\n".join(["flowchart LR", *nodes, *arrows])


def as_dot(edges: Edges) -> str:
    """A directed graph for Graphviz."""
    arrows = [f"  {json.dumps(read)} -> {json.dumps(name)};" for name, reads in edges.items() for read in reads]
    return "\n".join(["digraph rules {", "  rankdir=LR;", "  node [shape=box];", *arrows, "}"])


GRAPHS: Mapping[str, Callable[[Edges], str]] = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}


def _names(edges: Edges) -> list[str]:
    return list(dict.fromkeys(name for reader, reads in edges.items() for name in (*reads, reader)))
