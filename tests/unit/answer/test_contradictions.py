"""Questions that contradict themselves are refused wherever they are asked; defaults give way, and notes say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

import fitcard
from fitcard import ProblemsError
from fitcard.answer.problem_documents import problem_document
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.mcp.registry import call
from fitcard.mcp.tools import TOOLS
from fitcard.web.app import create_app
from helpers.project import project_rules
from helpers.workplace import Workplace

PAIR = {"model": "qwen-3-14b", "device": "m1-16gb"}
LONG = {"context": 1000, "prompt": 30000}
MESSAGE = "'prompt': The prompt of 30000 tokens does not fit into the context of 1000 tokens."
CODE = "inputs-contradict"
LANGUAGES = ("en", "zh", "es", "de", "ja", "pt-BR")
CONTRADICTIONS = {
    "prompt": LONG,
    "cached": {"context": 1000, "prompt": 400, "cached": 601},
    "depth": {"context": 1000, "depth": 1001},
    "gpus": {"gpus": 41},
}


def refused(ask: Callable[[], object]) -> list[tuple[str, str, str]]:
    with pytest.raises(ProblemsError) as error:
        ask()
    return [(problem.code, problem.field, problem.message) for problem in error.value.problems]


@pytest.mark.parametrize(("field", "inputs"), CONTRADICTIONS.items())
def test_the_problem_names_the_field_with_its_value_and_the_limit(field: str, inputs: dict[str, float]) -> None:
    ((code, of_field, message),) = refused(lambda: fitcard.ask(**PAIR, **inputs))
    assert (code, of_field) == (CODE, field)
    assert f"{inputs[field]}" in message
    assert sum(character.isdigit() for character in message) > len(str(inputs[field]))


@pytest.mark.parametrize("field", CONTRADICTIONS)
def test_the_problem_is_in_the_language_of_the_caller(field: str) -> None:
    messages = {
        refused(lambda: fitcard.ask(**PAIR, **CONTRADICTIONS[field], language=language))[0][2]  # noqa: B023
        for language in LANGUAGES
    }
    assert len(messages) == len(LANGUAGES)


def test_all_contradictions_of_a_question_are_problems() -> None:
    problems = refused(lambda: fitcard.ask(**PAIR, **LONG, depth=2000, gpus=50))
    assert {field for _, field, _ in problems} == {"prompt", "depth", "gpus"}


def test_python_refuses_it_wherever_it_is_asked() -> None:
    expected = [(CODE, "prompt", MESSAGE)]
    assert refused(lambda: fitcard.ask(**PAIR, **LONG)) == expected
    assert refused(lambda: fitcard.explain("qwen-3-14b", "m1-16gb", "ttft", **LONG)) == expected
    assert refused(lambda: fitcard.rank("models", device="m1-16gb", **LONG)) == expected
    assert refused(lambda: fitcard.ask_all(**PAIR, **LONG, columns=["ttft"])) == expected


def test_of_many_questions_each_that_contradicts_itself_is_named() -> None:
    questions = [PAIR, {**PAIR, **LONG}, PAIR, {**PAIR, "gpus": 41}]
    fields = {field for _, field, _ in refused(lambda: fitcard.ask_many(questions))}
    assert fields == {"questions.1.prompt", "questions.3.gpus"}


@pytest.mark.parametrize(
    "command",
    [
        ["show", "qwen-3-14b", "m1-16gb"],
        ["explain", "qwen-3-14b", "m1-16gb", "--of", "ttft"],
        ["rank", "models", "--device", "m1-16gb"],
        ["sweep", "--model", "qwen-3-14b", "--device", "m1-16gb", "--format", "jsonl"],
    ],
)
def test_commands_refuse_it(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--context", "1000", "--prompt", "30000"])
    assert result.exit_code == 2
    assert result.stderr == f"error: {MESSAGE} [{CODE}]\n"


def test_the_service_refuses_it() -> None:
    client = create_app(project_rules()).test_client()
    alone = client.post("/v1/can-run", json={**PAIR, **LONG})
    assert alone.status_code == 400
    (problem,) = alone.get_json()["problems"]
    assert (problem["code"], problem["field"], problem["message"]) == (CODE, "prompt", MESSAGE)
    batch = client.post("/v1/batch", json={"questions": [PAIR, {**PAIR, **LONG}, PAIR]}).get_json()["answers"]
    assert [each["status"] for each in batch] == [200, 400, 200]
    for path in ("/can-run/qwen-3-14b-on-m1-16gb", "/card/qwen-3-14b-on-m1-16gb.svg"):
        page = client.get(f"{path}?context=1000&prompt=30000")
        assert page.get_json()["problems"][0]["code"] == CODE


def test_the_tools_for_language_models_refuse_it(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as error:
        call(engine, TOOLS["can_i_run"], {**PAIR, "gpus": 41})
    document = problem_document(engine.rulebook, error.value, "can_i_run")
    assert document["problems"][0]["field"] == "gpus"


def test_the_reference_profile_answers_as_it_did() -> None:
    inputs = {**LONG, "depth": 5000, "cached": 5000, "gpus": 50, "file_size": 1, "gpu_layers": 99}
    answer = fitcard.ask(**PAIR, **inputs, profile="reference").to_dict()
    assert [note["code"] for note in answer["notes"]] == ["several_devices"]
    assert answer["question"]["context"] == 1000


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"context": 1000}, "prompt_cut"),
        ({"prompt": 2000, "depth": 100}, "depth_before_prompt"),
        ({"kv": "q8_0", "runtime": "mlx", "quant": "MLX-4bit"}, "wrong_kv"),
        ({"file_size": 20}, "wrong_file_size"),
        ({"device": "h100-80gb", "quant": "AWQ-4bit", "gpus": 3}, "uneven_split"),
        ({"gpus": 2}, "beyond_one_host"),
        ({"users": 40, "context": 8000}, "users_beyond_memory"),
        ({"gpu_layers": 99}, "more_layers_than_model"),
        ({"expert_layers_on_host": 3}, "no_expert_layers"),
        ({"model": "qwen-3-30b-a3b", "expert_layers_on_host": 99}, "more_expert_layers_than_model"),
        ({"model": "qwen-3-30b-a3b", "expert_layers_on_host": 9, "gpu_layers": 9}, "expert_layers_ignored"),
        ({"model": "qwen-3-32b", "gpu_layers": 65}, "layers_beyond_memory"),
        ({"device": "h100-80gb", "quant": "AWQ-4bit", "gpu_layers": 20}, "layers_stay_off_host"),
        ({"context": 100_000}, "beyond_official_context"),
    ],
)
def test_an_input_that_does_not_hold_as_it_is_has_a_note_in_each_language(inputs: dict[str, Any], code: str) -> None:
    sentences = set()
    for language in LANGUAGES:
        notes = fitcard.ask(**{**PAIR, **inputs}, language=language).to_dict()["notes"]
        sentences |= {note["sentence"] for note in notes if note["code"] == code}
    assert len(sentences) == len(LANGUAGES)


@pytest.mark.parametrize(
    "question",
    [
        {"model": "gpt-oss-120b", "device": "rtx-4090-24gb", "expert_layers_on_host": 2},
        {"model": "qwen-3-14b", "device": "m1-16gb", "context": 30_000, "gpu_layers": 41},
    ],
)
def test_layers_that_do_not_fit_on_the_device_never_run_well(question: dict[str, Any]) -> None:
    answer = fitcard.ask(**question)
    assert (answer.fit.code, answer.grade, answer.score) == ("too_heavy", "F", 0)
    del question["expert_layers_on_host" if "expert_layers_on_host" in question else "gpu_layers"]
    assert fitcard.ask(**question).fit.code != "too_heavy"


def test_a_question_without_contradiction_has_no_note() -> None:
    inputs = {"context": 12_000, "prompt": 8000, "cached": 4000, "depth": 12_000, "gpu_layers": 41, "file_size": 9}
    assert fitcard.ask(**PAIR, **inputs).notes == ()


def test_the_context_is_as_long_as_the_prompt_where_only_the_prompt_is_in_the_question() -> None:
    answer = fitcard.ask(**PAIR, prompt=30_000)
    assert answer.context.tokens == 30_000
    assert answer.ttft_ms > fitcard.ask(**PAIR, context=30_000).ttft_ms


def test_no_shorter_context_is_advised_than_the_prompt_needs() -> None:
    question: dict[str, Any] = {"model": "llama-3.1-8b", "device": "rtx-3060-12gb", "context": 60_000}
    codes = [way["code"] for way in fitcard.ask(**question).to_dict()["ways"]]
    assert "shorter_context" in codes
    with_prompt = [way["code"] for way in fitcard.ask(**question, prompt=59_000).to_dict()["ways"]]
    assert "shorter_context" not in with_prompt


def test_entries_with_which_the_question_contradicts_itself_are_not_ranked() -> None:
    """Forty-one devices can split the layers of some models only."""
    everything = fitcard.rank("models", device="h100-80gb", runs=False, limit=1).to_dict()
    ranking = fitcard.rank("models", device="h100-80gb", gpus=41, runs=False, limit=100).to_dict()
    assert 0 < ranking["ranked"] < everything["ranked"] == everything["entries"]
    for row in ranking["rows"][:5]:
        fitcard.ask(row["model"]["id"] if isinstance(row["model"], dict) else row["model"], "h100-80gb", gpus=41)


LONG_CONTEXT = """formulas:
  long:
    unit: condition
    about: The context is long.
    expr: question.context > 50000 * token
"""


def test_a_tuner_adds_a_contradiction_without_python(small: Workplace) -> None:
    small.edit("rules/answer.yaml", "answer:\n", "contradictions:\n  long: {field: context, message: long}\nanswer:\n")
    small.edit("rules/fit.yaml", "formulas:\n", LONG_CONTEXT)
    for language in ("en", "de"):
        sentences = 'sentences:\n  long: "{model.name} at {question.context:whole}"\n'
        small.edit(f"catalogs/messages/{language}.yaml", "sentences:\n", sentences)
    command = [*small.options, "explain", "llama-3.1-8b"]
    answered = CliRunner().invoke(main, [*command, "--context", "50000"])
    assert answered.exit_code == 0, answered.stderr
    result = CliRunner().invoke(main, [*command, "--context", "50001"])
    assert (result.exit_code, f"[{CODE}]" in result.stderr) == (2, True)
    assert " at 50001" in result.stderr
