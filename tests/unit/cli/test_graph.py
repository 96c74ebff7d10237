"""Which rule reads which, for people, for Markdown and for Graphviz."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from helpers.workplace import Workplace


@pytest.fixture
def graph(parcels: Workplace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    folders = parcels.options
    return lambda *arguments: CliRunner().invoke(main, [*folders, "graph", *arguments])


def test_text_has_a_line_for_each_rule_that_reads_others(graph: Callable[..., Result]) -> None:
    assert graph("goes_in").output.split("\n")[:-1] == [
        "room_share <- litres_per_cubic_metre, parcel.volume, van.room",
        "goes_in <- parcel.weight, room_share, van.payload",
    ]


def test_readers_are_those_that_a_change_reaches(graph: Callable[..., Result]) -> None:
    edges = json.loads(graph("litres_per_cubic_metre", "--readers", "--json").output)
    assert set(edges) == {"litres_per_cubic_metre", "room_share", "goes_in", "room"}


def test_mermaid_and_dot_draw_arrows_from_what_is_read(graph: Callable[..., Result]) -> None:
    mermaid = graph("time", "--format", "mermaid").output.split("\n")
    assert mermaid[0] == "flowchart LR"
    numbers = {line.split('"')[1]: line.split("[")[0].strip() for line in mermaid if '"' in line}
    assert f"  {numbers['town_speed']} --> {numbers['time']}" in mermaid
    assert '  "town_speed" -> "time";' in graph("time", "--format", "dot").output


def test_all_rules_come_in_dependency_order() -> None:
    edges = json.loads(CliRunner().invoke(main, ["graph", "--json"]).output)
    order = list(edges)
    assert all(order.index(read) < order.index(name) for name in order for read in edges[name] if read in edges)


def test_an_unknown_name_is_misuse() -> None:
    ended = CliRunner().invoke(main, ["graph", "decode_toks"])
    assert (ended.exit_code, "Closest: decode_tok_s." in ended.output) == (2, True)
