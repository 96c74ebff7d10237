"""`fitcard graph`: dependencies between rules as text, Mermaid, DOT and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from helpers.workplace import Workplace


@pytest.fixture
def graph(small: Workplace) -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(main, [*small.options, "graph", *words])


def test_text_has_a_line_for_each_rule_with_dependencies(graph: Callable[..., Result]) -> None:
    assert graph("memory_share").output.split("\n")[:-1] == [
        "weights <- model.params, quant.bytes_per_param",
        "kv_cache <- model.kv_per_token, question.context",
        "memory_share <- device.memory, kv_cache, overhead, weights",
    ]


def test_readers_are_all_dependents(graph: Callable[..., Result]) -> None:
    edges = json.loads(graph("overhead", "--readers", "--json").output)
    assert set(edges) == {"overhead", "memory_share", "runs", "fit"}


def test_mermaid_and_dot_draw_arrows_from_dependencies(graph: Callable[..., Result]) -> None:
    mermaid = graph("load_time", "--format", "mermaid").output.split("\n")
    assert mermaid[0] == "flowchart LR"
    numbers = {line.split('"')[1]: line.split("[")[0].strip() for line in mermaid if '"' in line}
    assert f"  {numbers['storage_bandwidth']} --> {numbers['load_time']}" in mermaid
    assert '  "storage_bandwidth" -> "load_time";' in graph("load_time", "--format", "dot").output


def test_all_rules_are_in_dependency_order() -> None:
    edges = json.loads(CliRunner().invoke(main, ["graph", "--json"]).output)
    order = list(edges)
    assert all(order.index(read) < order.index(name) for name in order for read in edges[name] if read in edges)


def test_an_unknown_name_is_misuse() -> None:
    ended = CliRunner().invoke(main, ["graph", "decode_toks"])
    assert (ended.exit_code, "Closest: decode_tok_s." in ended.output) == (2, True)
