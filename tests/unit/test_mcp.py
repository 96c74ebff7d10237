"""MCP tools: their schemas, results and errors, through a client of the protocol."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Annotated, Any, Literal, TypedDict

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CallToolResult, Tool

from fitcard.answer.explain import explain
from fitcard.answer.problem_documents import problem_document
from fitcard.answer.question import read_question
from fitcard.answer.ranking import rank, read_ranking
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.mcp.registry import call, project
from fitcard.mcp.server import create_server
from fitcard.mcp.tools import ASSUMED_DEVICE, TOOLS
from fitcard.problems import ProblemsError
from fitcard.typed_schema import MaxItems, Minimum, schema_of

NAMES = [
    "can_i_run",
    "what_fits",
    "estimate_memory",
    "recommend_models",
    "plan_hardware",
    "list_models",
    "list_devices",
    "explain",
]
PAIR = {"model": "qwen-3-14b", "device": "4090"}
SMALL = 4000  # bytes of an answer that leaves room for a conversation


async def _session(engine: Engine, name: str, arguments: dict[str, Any]) -> CallToolResult:
    async with Client(create_server(SimpleNamespace(engine=engine, rulebook=engine.rulebook))) as client:
        await client.list_tools()  # from here on the client holds what comes against the schema of the tool
        return await client.call_tool(name, arguments)


def result(engine: Engine, name: str, **arguments: Any) -> CallToolResult:
    return asyncio.run(_session(engine, name, {key.replace("__", "."): value for key, value in arguments.items()}))


def given(engine: Engine, name: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives; the same as text and as data, and small."""
    found = result(engine, name, **arguments)
    assert not found.is_error, found.content
    (text,) = found.content
    assert json.loads(text.text) == found.structured_content
    assert len(text.text.encode()) < SMALL
    return found.structured_content


def refused(engine: Engine, name: str, **arguments: Any) -> dict[str, Any]:
    found = result(engine, name, **arguments)
    assert found.is_error
    return json.loads(found.content[0].text)


@pytest.fixture(scope="module")
def offered(engine: Engine) -> dict[str, Tool]:
    async def listed() -> list[Tool]:
        async with Client(create_server(SimpleNamespace(engine=engine, rulebook=engine.rulebook))) as client:
            return (await client.list_tools()).tools

    return {tool.name: tool for tool in asyncio.run(listed())}


def test_the_tools_are_offered_in_order(offered: dict[str, Tool]) -> None:
    assert list(offered) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_tool_and_each_argument_has_a_description(offered: dict[str, Tool], name: str) -> None:
    tool = offered[name]
    Draft202012Validator.check_schema(tool.input_schema)
    Draft202012Validator.check_schema(tool.output_schema)
    assert tool.description
    assert tool.title
    assert tool.annotations.read_only_hint
    assert all(part["description"] and part["type"] for part in tool.input_schema["properties"].values())


def test_arguments_have_the_bounds_and_choices_of_the_rulebook(offered: dict[str, Tool], engine: Engine) -> None:
    schema = offered["can_i_run"].input_schema
    assert schema["required"] == ["model", "device"]
    arguments = schema["properties"]
    assert arguments["workload"]["enum"] == list(engine.rulebook.catalog_of("workload").ids)
    assert arguments["quant"]["default"] == engine.rulebook.question_fields.axes["quant"].default
    assert "default" not in offered["recommend_models"].input_schema["properties"]["quant"]  # the best of each model
    assert (arguments["users"]["type"], arguments["users"]["minimum"]) == ("integer", 1)
    assert offered["estimate_memory"].input_schema["required"] == ["model"]
    assert offered["explain"].input_schema["required"] == ["model", "device", "figure"]
    assert offered["recommend_models"].input_schema["properties"]["fits"]["type"] == "boolean"
    assert offered["list_devices"].input_schema["properties"]["min_memory_gb"]["type"] == "number"


def test_filters_list_their_choices_where_they_are_few(offered: dict[str, Tool]) -> None:
    arguments = offered["recommend_models"].input_schema["properties"]
    assert arguments["modality"]["description"].endswith("One or more of: text, vision.")
    assert "One or more of" not in arguments["family"]["description"]
    assert "workstation" in offered["list_devices"].input_schema["properties"]["segment"]["description"]


def test_the_list_of_tools_follows_the_rulebook(engine: Engine) -> None:
    rulebook = engine.rulebook
    workloads = rulebook.catalogs["workloads"]
    fewer = replace(workloads, entries={"coding": workloads.entries["coding"]})
    live = SimpleNamespace(engine=engine, rulebook=rulebook)

    async def choices() -> list[list[str]]:
        found = []
        async with Client(create_server(live)) as client:
            for live.rulebook in (rulebook, rulebook.with_catalogs({"workloads": fewer})):
                tool = (await client.list_tools(cache_mode="refresh")).tools[0]
                found.append(tool.input_schema["properties"]["workload"]["enum"])
        return found

    assert asyncio.run(choices()) == [list(workloads.ids), ["coding"]]


class Part(TypedDict, total=False):
    word: Literal["yes", "no"]
    parts: Annotated[list[int], MaxItems(2)]
    figures: dict[str, float | str]


def test_a_schema_comes_from_a_type() -> None:
    assert schema_of(Annotated[int, "A number.", Minimum(1)] | None) == {
        "type": "integer",
        "description": "A number.",
        "minimum": 1,
    }
    assert schema_of(Part) == {
        "type": "object",
        "properties": {
            "word": {"type": "string", "enum": ["yes", "no"]},
            "parts": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
            "figures": {"type": "object", "additionalProperties": {"type": ["number", "string"]}},
        },
    }


def test_a_result_has_the_fields_that_its_type_declares() -> None:
    data = {"other": 1, "parts": [1, 2, 3], "figures": {"a": 1.5, "b": None}, "word": None}
    assert project(data, Part) == {"parts": [1, 2], "figures": {"a": 1.5}}


def paths(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted keys that a schema declares, also inside of lists."""
    for key, part in schema.get("properties", {}).items():
        yield prefix + key
        yield from paths(part, f"{prefix}{key}.")
    yield from paths(schema["items"], prefix) if "items" in schema else ()


def keys(data: Any, prefix: str = "") -> Iterator[str]:
    """The dotted keys that a result has, also inside of lists."""
    for key, part in data.items() if isinstance(data, dict) else ():
        yield prefix + key
        yield from keys(part, f"{prefix}{key}.")
    for part in data if isinstance(data, list) else ():
        yield from keys(part, prefix)


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        (
            "can_i_run",
            [{"model": "llama3.1:70b", "device": "4090", "gpus": 2}, {**PAIR, "device.memory": 48}],
        ),
        ("what_fits", [{"device": "4090", "device.memory": 32}]),
        ("estimate_memory", [{"model": "qwen-3-14b", "users": 2}, PAIR]),
        ("recommend_models", [{"device": "m1-16gb"}, {"device": "4090", "family": "gpt-oss"}]),
        ("plan_hardware", [{"model": "llama3.1:70b"}]),
        ("list_models", [{"text": "qwen3"}, {"text": "gpt-oss"}, {"text": "gpt-oss 121b"}]),
        ("list_devices", [{}, {"text": "rtx 4095"}]),
        ("explain", [{**PAIR, "figure": figure} for figure in ("ttft_ms", "memory.usable_gb")]),
    ],
)
def test_every_declared_key_of_a_result_is_there(engine: Engine, name: str, calls: list[dict[str, Any]]) -> None:
    found = {key for arguments in calls for key in keys(call(engine, TOOLS[name], arguments))}
    assert set(paths(TOOLS[name].output_schema)) - found <= {"figures"}  # which the rules as they are have none of


def test_can_i_run_gives_the_figures_of_the_answer(engine: Engine, ask: Any) -> None:
    found = given(engine, "can_i_run", model="qwen3 14b", device="M1 16GB", workload="chat")
    whole = ask("qwen-3-14b", "m1-16gb", workload="chat")
    assert found["verdict"] == whole["verdict"]
    assert (found["grade"], found["fit"]) == (whole["grade"], whole["fit"])
    assert found["memory"] == pytest.approx(whole["memory"], rel=1e-3)
    assert found["decode_tok_s"] == pytest.approx(whole["decode_tok_s"], rel=1e-3)
    assert found["confidence"]["ttft_ms"] == pytest.approx(whole["confidence"]["ttft_ms"], rel=1e-3)
    assert found["settings"]["command"] == whole["settings"]["command"]
    assert [way["title"] for way in found["ways"]] == [way["title"] for way in whole["ways"]][:4]


def test_names_that_people_type_are_understood(engine: Engine) -> None:
    found = given(engine, "can_i_run", model="llama3.1:70b", device="4090")
    assert found["verdict"].startswith("Llama 3.1 70B is too heavy for GeForce RTX 4090 24GB")
    assert found["ways"][0]["gpus"] == 2
    found = given(engine, "can_i_run", model="llama3.1:70b", device="4090", gpus=2)
    assert found["confidence"]["measured"][0]["source"]


def test_a_device_with_another_memory_size_is_a_custom_entry(engine: Engine) -> None:
    found = given(engine, "can_i_run", model="qwen3 14b", device="4090", device__memory=48)
    assert found["set"] == [{"name": "device.memory", "value": 48, "instead_of": 24, "unit": "GB"}]
    assert found["memory"]["usable_gb"] == pytest.approx(50.51)


def test_numbers_have_four_digits_and_integers_all(engine: Engine) -> None:
    found = given(engine, "can_i_run", model="llama3.1:70b", device="4090")
    assert found["memory"]["weights_gb"] == 42.02
    assert found["official_context_tokens"] == 131072


def test_fits_and_offloads_are_counted(engine: Engine) -> None:
    found = given(engine, "what_fits", device="rtx 4090")
    runs = rank(engine, read_ranking(engine.rulebook, "models", {"device": "rtx-4090-24gb"}))
    assert found["whole"]["ranked"] + found["with_offload"]["ranked"] == runs["ranked"] < found["entries"]
    assert all(row["needed_gb"] <= found["device"]["usable_gb"] for row in found["whole"]["rows"])
    assert all(row["offload"]["fraction"] > 0 for row in found["with_offload"]["rows"])
    assert [one["workload"] for one in found["best_by_workload"]] == list(engine.rulebook.catalog_of("workload").ids)
    assert all(len(one["rows"]) == 1 for one in found["best_by_workload"])


def test_memory_estimated_without_a_device_says_so(engine: Engine) -> None:
    found = given(engine, "estimate_memory", model="llama-3.1-70b", context=32768, kv="q8_0", users=2)
    memory = found["memory"]
    parts = (memory[part] for part in ("weights_gb", "kv_cache_gb", "runtime_gb", "headroom_gb"))
    assert memory["needed_gb"] == pytest.approx(sum(parts), rel=1e-3)
    # 2 users, each with 32768 tokens of keys and values of 80 layers, 8 heads of 128, at 1.0625 bytes each.
    assert memory["kv_cache_gb"] == pytest.approx(2 * 32768 * 2 * 80 * 8 * 128 * 1.0625 / 1e9, rel=1e-3)
    assert "on_device" not in found
    (assumed,) = found["assumed"]
    assert f"the figures are for {engine.rulebook.catalog_of('device').entries[ASSUMED_DEVICE].name}." in assumed
    weights = [one["memory"]["weights_gb"] for one in found["by_quant"]]
    assert weights == sorted(weights)


def test_memory_estimated_for_a_device_says_whether_it_fits(engine: Engine) -> None:
    found = given(engine, "estimate_memory", model="llama-3.1-70b", device="h100 80gb")
    assert "assumed" not in found
    assert found["on_device"]["fit"]["label"] == "Runs well"
    assert found["on_device"]["verdict"].startswith("Llama 3.1 70B runs well on NVIDIA H100")


def test_models_are_recommended_as_they_rank(engine: Engine) -> None:
    asked = {"device": "rtx-4060-8gb", "workload": "chat", "licence": "apache 2.0", "fits": True, "limit": 3}
    found = given(engine, "recommend_models", **asked)
    ranked = rank(engine, read_ranking(engine.rulebook, "models", asked))
    assert [row["name"] for row in found["rows"]] == [row["name"] for row in ranked["rows"]]
    assert found["rows"][0]["praise"]["sentence"] == ranked["rows"][0]["praise"]["sentence"]
    assert found["filters"] == {"licence": ["Apache 2.0"], "runs": True, "fits": True}


def test_hardware_is_planned_from_the_cheapest_up(engine: Engine) -> None:
    found = given(engine, "plan_hardware", model="llama3.1:70b", budget=5000)
    alone, several = found["cheapest_that_hold_it_whole"], found["several_that_hold_it_whole"]
    assert [one["gpus"] for one in several] == [2, 4, 8]
    for one in (alone, *several):
        prices = [row["cost"]["usd"] for row in one["rows"]]
        assert prices == sorted(prices)
        assert all(price <= 5000 for price in prices)
        assert all(row["needed_gb"] <= row["usable_gb"] for row in one["rows"])
    price = engine.rulebook.catalog_of("device").find(several[0]["rows"][0]["name"]).value("price")
    assert several[0]["rows"][0]["cost"]["usd"] == 2 * price
    assert found["cheapest_that_run_it"]["rows"][0]["cost"]["usd"] <= alone["rows"][0]["cost"]["usd"]


def test_a_search_counts_the_matches_that_it_leaves_out(engine: Engine) -> None:
    found = given(engine, "list_models", text="qwen coder", limit=2)
    assert (len(found["entries"]), found["left_off"]) == (2, found["found"] - 2)
    assert all("Coder" in entry["name"] for entry in found["entries"])
    assert given(engine, "list_models")["found"] == len(engine.rulebook.catalog_of("model").ids)
    assert [one["id"] for one in given(engine, "list_models", text="llama3.1:70b")["entries"]] == ["llama-3.1-70b"]


def test_filters_narrow_a_search_down(engine: Engine) -> None:
    found = given(engine, "list_devices", text="rtx 40", segment="desktop", min_memory_gb=24, max_price_usd=2000)
    assert [one["id"] for one in found["entries"]] == ["rtx-4090-24gb"]
    small = given(engine, "list_models", family="qwen, llama", max_params_b=1)
    assert {one["family"] for one in small["entries"]} == {"Qwen", "Llama"}
    assert all(one["params_b"] <= 1 for one in small["entries"])


def test_close_names_are_not_matches(engine: Engine) -> None:
    found = given(engine, "list_devices", text="rtx 4095")
    assert (found["found"], found["entries"]) == (0, [])
    assert found["nearest_not_matching"][0]["id"] == "rtx-4090-24gb"


@pytest.mark.parametrize(
    ("figure", "rule"),
    [
        ("decode_tok_s", "decode_tok_s"),
        ("memory.kv_cache_gb", "kv_cache"),
        ("ttft_ms", "ttft"),
        ("kv_cache_gb", "kv_cache"),
    ],
)
def test_a_figure_is_explained_by_its_key_or_its_rule(engine: Engine, figure: str, rule: str) -> None:
    found = given(engine, "explain", model="qwen3 14b", device="m1 16gb", figure=figure)
    question = read_question(engine.rulebook, {"model": "qwen-3-14b", "device": "m1-16gb"})
    whole = {step["name"]: step for step in explain(engine, question, [rule])}
    first, steps = found["steps"][0], {step["name"]: step for step in found["steps"]}
    assert first["name"] == rule
    assert {key: first[key] for key in ("expr", "unit", "file", "line")} == {
        key: whole[rule][key] for key in ("expr", "unit", "file", "line")
    }
    assert set(first["inputs"]) <= set(steps)
    assert len(steps) > len(first["inputs"]) + 1
    assert len(steps) + found["left_off"] == len(whole)


def test_a_name_that_is_no_rule_is_reported_as_it_was_written(engine: Engine) -> None:
    error = refused(engine, "explain", model="qwen-3-14b", device="m1-16gb", figure="model.params_b")
    assert "'model.params_b'" in error["detail"]


def test_a_misspelt_name_gets_the_message_of_the_service(engine: Engine) -> None:
    error = refused(engine, "can_i_run", model="llama 3.1 71b", device="m1-61gb", context="16k")
    with pytest.raises(ProblemsError) as found:
        read_question(engine.rulebook, {"model": "llama 3.1 71b", "device": "m1-61gb", "context": "16k"})
    assert error == problem_document(engine.rulebook, found.value, "can_i_run", ["model", "device", "context"])
    assert "There is no device called 'm1-61gb'. Closest: m1-16gb, m5-16gb, m4-16gb." in error["detail"]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("can_i_run", {"model": "qwen-3-14b"}, "The question names no device."),
        ("can_i_run", {**PAIR, "gpu": 2}, "There is no parameter 'gpu'. Closest: gpus."),
        ("can_i_run", {**PAIR, "users": 0}, "'users' must be from 1 to 10000, not 0."),
        ("recommend_models", {"device": "4090", "licence": "MTI"}, "There is no licence called 'MTI'. Closest: MIT."),
        ("list_models", {"limit": 0}, "'limit' must be from 1 to"),
        ("list_models", {"limit": 1.5}, "'limit' must be a whole number, not 1.5."),
        ("list_devices", {"vendor": "nvidea"}, "There is no vendor called 'nvidea'. Closest: NVIDIA."),
        ("explain", PAIR, "The question names no figure."),
        ("explain", {**PAIR, "figure": "decode"}, "There is no rule called 'decode'."),
        ("explain", {**PAIR, "figure": ["ttft_ms"]}, "There is no rule called '['ttft_ms']'"),
    ],
)
def test_a_refused_question_is_an_error_of_the_tool(
    engine: Engine, name: str, arguments: dict[str, Any], said: str
) -> None:
    assert said in refused(engine, name, **arguments)["detail"]


def test_all_problems_of_a_call_are_reported_together(engine: Engine) -> None:
    error = refused(engine, "can_i_run", model="qwen-3-14b", device="m1-61gb", gpu=2)
    assert [problem["field"] for problem in error["problems"]] == ["gpu", "device"]
    error = refused(engine, "plan_hardware", gpus=2, budget="low", vendor="nvidea", mode="fast", users=1.5)
    assert [problem["field"] for problem in error["problems"]] == [
        "gpus",
        "model",
        "mode",
        "users",
        "vendor",
        "budget",
    ]
    error = refused(engine, "what_fits", device=["mine"], limit=0)
    assert [problem["field"] for problem in error["problems"]] == ["device", "limit"]
    error = refused(engine, "explain", model="qwen-3-14b", device="m1-61gb", figure="decode")
    assert [problem["field"] for problem in error["problems"]] == ["device", "figure"]
    error = refused(engine, "list_models", family="qwenn", min_params_b="many", limit="all")
    assert [problem["field"] for problem in error["problems"]] == ["family", "min_params_b", "limit"]


def test_a_fault_of_the_rules_is_no_traceback(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("fitcard.mcp.server.call", fails)
    error = refused(engine, "list_models")
    assert error["status"] == 500
    assert "secret" not in str(error)


def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(engine: Engine) -> None:
    async def asked() -> str:
        async with Client(create_server(SimpleNamespace(engine=engine, rulebook=engine.rulebook))) as client:
            with pytest.raises(MCPError) as error:
                await client.call_tool("can_run", {})
            return error.value.message

    assert asyncio.run(asked()) == "there is no tool `can_run`; did you mean `can_i_run`?"


def test_a_client_starts_the_command_and_speaks_with_it() -> None:
    async def spoken() -> tuple[str, list[str], CallToolResult]:
        command = StdioServerParameters(command=sys.executable, args=["-m", "fitcard", "mcp"], env=dict(os.environ))
        async with Client(command, mode="legacy") as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            asked = {"model": "llama3.1:8b", "device": "4090"}
            return client.server_info.name, names, await client.call_tool("can_i_run", asked)

    name, names, found = asyncio.run(spoken())
    assert (name, names) == ("fitcard", NAMES)
    assert found.structured_content["fit"]["code"] == "runs_well"


def test_without_the_extra_the_command_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    ended = CliRunner().invoke(main, ["mcp"])
    assert ended.exit_code == 1
    assert "pip install 'fitcard[mcp]'" in ended.output
