"""Rankings: the entries of a catalog for a question, best first, with the reasons for their order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.answer.answer import answer_question
from fitcard.answer.problems import word_problems
from fitcard.answer.question import read_question
from fitcard.answer.ranking import rank, read_ranking
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.web.app import create_app
from helpers.project import project_rules
from helpers.workplace import Workplace

Ranked = dict[str, Any]


@pytest.fixture
def ranked(engine: Engine) -> Callable[..., Ranked]:
    """Ranks: `ranked("models", device="rtx-4090-24gb", limit=5)`."""

    def ask(name: str, **parameters: Any) -> Ranked:
        return rank(engine, read_ranking(engine.rulebook, name, parameters))

    return ask


def problems_of(engine: Engine, name: str, **parameters: Any) -> dict[str | None, str]:
    """What is wrong with a ranking, by parameter."""
    with pytest.raises(ProblemsError) as found:
        read_ranking(engine.rulebook, name, parameters)
    return {problem.field: problem.message for problem in word_problems(found.value.problems, engine.rulebook.messages)}


MODELS = {"device": "rtx-4070-12gb"}
DEVICES = {"model": "llama-3.1-8b"}


@pytest.mark.parametrize(("name", "question"), [("models", MODELS), ("devices", DEVICES)])
@pytest.mark.parametrize("mode", ["balanced", "interactive", "background", "light-api", "scale-out"])
def test_the_best_comes_first_and_its_parts_add_up_to_its_score(
    ranked: Callable[..., Ranked], engine: Engine, name: str, question: dict[str, str], mode: str
) -> None:
    found = ranked(name, **question, mode=mode)
    assert list(engine.rulebook.schemas.validator("ranking-answer").iter_errors(found)) == []
    scores = [row["score"] for row in found["rows"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0
    for row in found["rows"]:
        assert sum(part["gained"] for part in row["parts"]) == pytest.approx(row["score"])
        assert len(row["cells"]) == len(found["columns"])


def test_a_row_equals_the_answer_to_its_question(ranked: Callable[..., Ranked], engine: Engine) -> None:
    for row in ranked("models", **MODELS, workload="chat", limit=5)["rows"]:
        question = {**MODELS, "model": row["model"], "quant": row["quant"], "workload": "chat"}
        alone = answer_question(engine, read_question(engine.rulebook, question)).to_dict()
        assert row["score"] == pytest.approx(alone["ranking"]["score"])
        assert row["decode_tok_s"] == pytest.approx(alone["decode_tok_s"])
        assert row["fit"] == alone["fit"]


def test_each_row_is_shown_with_the_quantization_that_its_answer_recommends(
    ranked: Callable[..., Ranked], ask: Callable[..., Any]
) -> None:
    rows = ranked("devices", model="llama-3.1-70b", limit=200)["rows"]
    chosen = {row["device"]: row["quant"] for row in rows}
    for device in list(chosen)[::40]:
        assert ask("llama-3.1-70b", device)["recommended_quant"]["quant"] == chosen[device]
    assert len(set(chosen.values())) > 1


def test_the_quantization_of_the_question_applies_to_every_row(ranked: Callable[..., Ranked]) -> None:
    assert {row["quant"] for row in ranked("models", **MODELS, quant="Q8_0")["rows"]} == {"Q8_0"}


def test_the_reason_for_a_row_is_the_part_that_raises_its_score_most(ranked: Callable[..., Ranked]) -> None:
    for row in ranked("models", **MODELS)["rows"]:
        ahead = {part["part"]: part["ahead"] for part in row["parts"]}
        assert row["praise"]["part"] == max(ahead, key=lambda part: ahead[part])
        assert row["blame"]["part"] == min(ahead, key=lambda part: ahead[part])
        assert row["praise"]["sentence"].startswith("Main strength: ")


@pytest.mark.parametrize(
    ("name", "filters", "holds"),
    [
        ("models", {"licence": "mit, Apache 2.0"}, lambda row: row["licence"] in ("MIT", "Apache 2.0")),
        ("models", {"modality": "vision"}, lambda row: row["modality"] == "vision"),
        ("models", {"min_context": "50000"}, lambda row: row["safe_context_tokens"] >= 50000),
        ("models", {"min_tok_s": "60"}, lambda row: row["decode_tok_s"] >= 60),
        ("models", {"fits": "1"}, lambda row: row["offload"]["fraction"] == 0),
        ("devices", {"vendor": "amd,Intel"}, lambda row: row["vendor"] in ("AMD", "Intel")),
        ("devices", {"budget": "500"}, lambda row: row["price_usd"] <= 500),
        ("devices", {"budget": "1000", "gpus": "2"}, lambda row: row["price_usd"] <= 500),
        ("devices", {"segment": "laptop"}, lambda row: row["segment"] == "laptop"),
    ],
)
def test_a_filter_keeps_matching_rows_only(
    ranked: Callable[..., Ranked], name: str, filters: dict[str, str], holds: Callable[[Ranked], bool]
) -> None:
    question = {**(MODELS if name == "models" else DEVICES), "limit": 200}
    everything, found = ranked(name, **question), ranked(name, **question, **filters)
    assert found["rows"]
    assert all(holds(row) for row in found["rows"])
    assert found["ranked"] < everything["ranked"]


def test_models_that_do_not_run_are_left_out_by_default(ranked: Callable[..., Ranked]) -> None:
    runs, everything = ranked("models", **MODELS), ranked("models", **MODELS, runs="0", limit=200)
    assert runs["ranked"] < everything["ranked"] == everything["entries"]
    assert {row["fit"]["code"] for row in runs["rows"]}.isdisjoint({"too_heavy"})


def test_the_cheapest_of_equals_comes_first(ranked: Callable[..., Ranked]) -> None:
    rows = ranked("devices", **DEVICES, mode="scale-out", runs="1")["rows"]
    equals = [row["price_usd"] for row in rows if row["score"] == rows[0]["score"] and row["price_usd"] is not None]
    assert len(equals) > 1
    assert equals == sorted(equals)


def test_a_ranking_may_be_empty(ranked: Callable[..., Ranked], engine: Engine) -> None:
    found = ranked("devices", model="llama-3.1-405b", budget="100")
    assert (found["rows"], found["ranked"]) == ([], 0)
    assert list(engine.rulebook.schemas.validator("ranking-answer").iter_errors(found)) == []


def test_another_mode_ranks_otherwise(ranked: Callable[..., Ranked]) -> None:
    first = {
        mode: [row["model"] for row in ranked("models", **MODELS, mode=mode)["rows"]]
        for mode in ("background", "interactive")
    }
    assert first["background"] != first["interactive"]


def test_models_made_for_code_rank_higher_in_coding_than_in_chat(ranked: Callable[..., Ranked]) -> None:
    def place(workload: str) -> int:
        rows = ranked("models", **MODELS, workload=workload, context="8000", limit=200)["rows"]
        return next(row["rank"] for row in rows if row["model"] == "qwen-2.5-coder-14b")

    assert place("coding") < place("chat")


def test_all_problems_of_a_ranking_are_reported_together(engine: Engine) -> None:
    assert problems_of(engine, "modles") == {"ranking": "There is no ranking called 'modles'. Closest: models."}
    assert problems_of(engine, "models", licens="MIT", limit="0", licence="MITT", fits="maybe", min_tok_s="fast") == {
        "device": "The question names no device.",
        "licens": "There is no parameter 'licens'. Closest: licence.",
        "limit": "'limit' must be from 1 to 272, not 0.",
        "licence": "There is no licence called 'MITT'. Closest: MIT.",
        "fits": "'fits' must be 1 or 0, not 'maybe'.",
        "min_tok_s": "'min_tok_s' must be a number, not 'fast'.",
    }
    assert list(problems_of(engine, "models", device="h20-96gb", model="qwen-3-14b")) == ["model"]
    assert list(problems_of(engine, "models", device="h20-96gb", limit="1.5")) == ["limit"]


def test_the_service_ranks(engine: Engine) -> None:
    client = create_app(project_rules()).test_client()
    found = client.get("/v1/rank/devices?model=qwen-3-14b&budget=800&limit=3")
    assert [row["rank"] for row in found.json["rows"]] == [1, 2, 3]
    assert found.json["filters"] == {"budget": 800, "runs": True}
    assert [one["name"] for one in client.get("/v1/rank").json["rankings"]] == ["models", "devices", "cheapest"]
    assert client.get("/v1/rank/modes?device=h20-96gb").status_code == 404
    wrong = client.get("/v1/rank/models?device=h20-96gb&licens=MIT")
    assert (wrong.status_code, wrong.json["detail"]) == (
        400,
        "There is no parameter 'licens'. Closest: licence.",
    )


def test_the_command_line_ranks() -> None:
    words = ["rank", "devices", "--model", "llama-3.1-8b", "--budget", "400", "--fits", "--limit", "2"]
    drawn = CliRunner().invoke(main, words, env={"COLUMNS": "160"})
    assert drawn.exit_code == 0, drawn.output
    assert "Devices for Llama 3.1 8B: Coding, Balanced" in drawn.output
    printed = json.loads(CliRunner().invoke(main, [*words, "--json"]).output)
    assert all(row["name"] in drawn.output for row in printed["rows"])
    refused = CliRunner().invoke(main, ["rank", "models", "--device", "rtx-4091"])
    assert refused.exit_code == 2
    assert "There is no device called 'rtx-4091'" in refused.output


def test_a_constant_can_be_set_for_a_ranking(ranked: Callable[..., Ranked], engine: Engine) -> None:
    asked = read_ranking(engine.rulebook, "models", MODELS, {"today": "2030"})
    found = rank(engine, asked)
    assert [one["name"] for one in found["set"]] == ["today"]
    assert all(
        part["points"] in (0, 40) for row in found["rows"] for part in row["parts"] if part["part"] == "freshness"
    )


def test_a_ranking_is_defined_by_the_rulebook(small: Workplace) -> None:
    shown = CliRunner().invoke(
        main, [*small.options, "rank", "devices", "--model", "llama-3.1-8b", "--budget", "2000", "--json"]
    )
    assert shown.exit_code == 0, shown.output
    ranking = json.loads(shown.output)
    assert [row["device"] for row in ranking["rows"]] == ["rtx-4090-24gb", "m1-16gb"]
    assert ranking["title"] == "Devices for Llama 3.1 8B"
    drawn = CliRunner().invoke(main, [*small.options, "rank", "devices", "--model", "llama-3.1-70b", "--fits", "0"])
    assert [line.split()[0] for line in drawn.output.splitlines()[2:5]] == ["1", "2", "3"]
    assert "--model" in CliRunner().invoke(main, [*small.options, "rank", "devices", "--help"]).output
