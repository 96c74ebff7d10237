"""`import fitcard`: its public names, and the same answers as the command and the service."""

from __future__ import annotations

import copy as copies
import math
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fitcard
from fitcard.reload import ReloadingEngine
from fitcard.source.folders import Folders
from fitcard.web.app import create_app
from helpers.workplace import Workplace

PAIR = ("qwen-3-14b", "m1-16gb")


def test_the_public_names_are_guarded() -> None:
    assert fitcard.__all__ == [
        "Answer",
        "Answers",
        "Problem",
        "ProblemsError",
        "Question",
        "Ranking",
        "Rulebook",
        "Table",
        "__version__",
        "ask",
        "ask_all",
        "ask_many",
        "check",
        "explain",
        "load",
        "rank",
    ]
    assert all(hasattr(fitcard, name) for name in fitcard.__all__)
    assert set(dir(fitcard)) == set(fitcard.__all__)


def test_no_other_name_is_public() -> None:
    with pytest.raises(AttributeError, match="no attribute 'answer_question'"):
        fitcard.answer_question  # noqa: B018


def test_import_loads_no_other_module() -> None:
    code = "import fitcard, sys; print(sorted(name for name in sys.modules if name.startswith(('fitcard.', 'numpy'))))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_core_figures_are_typed_and_those_of_the_data() -> None:
    answer = fitcard.ask(*PAIR, workload="chat", users=4)
    data = answer.to_dict()
    assert (answer.model, answer.device, answer.grade) == (*PAIR, data["grade"])
    assert (answer.fit.code, answer.verdict) == (data["fit"]["code"], data["verdict"])
    assert answer.memory.needed_gb == data["memory"]["needed_gb"]
    assert answer.memory.host_gb == data["offload"]["host_memory_gb"]
    assert answer.speed.decode_tok_s == answer.decode_tok_s == data["decode_tok_s"]
    assert (answer.context.tokens, answer.context.safe_tokens) == (8000, data["safe_context_tokens"])
    assert answer.ranges is not None
    assert answer.ranges.decode_tok_s.low < answer.decode_tok_s < answer.ranges.decode_tok_s.high
    assert answer.question.inputs == {"users": 4}


def test_a_layout_may_add_keys_to_the_sections_of_an_answer(copy: Workplace) -> None:
    copy.edit("rules/views/answer.yaml", "    headroom_gb: headroom", "    used_gb: weights\n    headroom_gb: headroom")
    copy.edit("rules/views/answer.yaml", "  fit: {code: fit,", "  fit: {verdict: fit, code: fit,")
    copy.edit("rules/views/answer.yaml", "{low: decode_low,", "{middle: decode_low, low: decode_low,")
    answer = fitcard.ask(*PAIR, rulebook=fitcard.load(*copy.folders.all))
    assert answer.to_dict()["memory"]["used_gb"] == answer.memory.weights_gb
    assert (answer.fit, answer.ranges) == (fitcard.ask(*PAIR).fit, fitcard.ask(*PAIR).ranges)


def test_a_figure_whose_key_a_layout_lacks_raises_an_error_that_names_it(copy: Workplace) -> None:
    copy.edit("rules/views/answer.yaml", "    headroom_gb: headroom\n", "")
    answer = fitcard.ask(*PAIR, rulebook=fitcard.load(*copy.folders.all))
    with pytest.raises(AttributeError, match=r"`memory\.headroom_gb`"):
        answer.memory  # noqa: B018
    assert answer.speed == fitcard.ask(*PAIR).speed


def test_changes_to_the_data_of_an_answer_or_ranking_are_those_of_a_copy() -> None:
    answer, ranking = fitcard.ask(*PAIR), fitcard.rank("models", device="m1-16gb", limit=2)
    for result in (answer, ranking):
        before = result.to_dict()
        for section in result.to_dict().values():
            if isinstance(section, dict | list):
                section.clear()
        assert result.to_dict() == before
    ranking.rows[0].clear()
    assert ranking.rows[0]


def test_an_answer_can_be_pickled_without_its_rules() -> None:
    for device in (PAIR[1], {"like": PAIR[1], "bandwidth": 77}):
        answer = fitcard.ask(PAIR[0], device)
        loaded = pickle.loads(pickle.dumps(answer))
        assert (loaded.to_dict(), loaded.question, loaded.memory) == (answer.data, answer.question, answer.memory)
        with pytest.raises(RuntimeError, match="ask its `question` again"):
            loaded.explain("ttft")
        assert copies.deepcopy([answer])[0].explain("ttft") == copies.copy(answer).explain("ttft")


def test_tables_are_compared_by_identity() -> None:
    table = fitcard.ask_all(model=PAIR[0], device=PAIR[1], quant="Q4_K_M", columns=["decode_tok_s"])
    assert table in [table]
    assert table != fitcard.ask_all(model=PAIR[0], device=PAIR[1], quant="Q4_K_M", columns=["decode_tok_s"])


def test_a_profile_without_ranges_has_none() -> None:
    assert fitcard.ask(*PAIR, profile="reference").ranges is None


def test_an_answer_explains_its_figures() -> None:
    steps = fitcard.ask(*PAIR).explain("decode_tok_s")
    assert steps == fitcard.explain(*PAIR, "decode_tok_s")
    assert steps[-1]["name"] == "decode_tok_s"


def test_it_answers_as_the_service_does(whole_copy: Workplace) -> None:
    client = create_app(ReloadingEngine(whole_copy.folders)).test_client()
    served: Any = client.get("/v1/can-run/qwen-3-14b-on-m1-16gb?workload=chat").get_json()
    rulebook = fitcard.load(*whole_copy.folders.all)
    assert fitcard.ask(*PAIR, rulebook=rulebook, workload="chat").to_dict() == served


def test_many_questions_have_the_answers_that_each_has_alone() -> None:
    questions: list[dict[str, Any]] = [
        {"model": "qwen-3-14b", "device": "m1-16gb"},
        {"model": "llama-3.1-70b", "device": "4090", "gpus": 2, "context": 16000},
        {"model": "llama-3.1-70b", "device": "4090", "profile": "reference"},
        {"model": "gemma-2-9b", "device": "m1-16gb", "overrides": {"headroom_share": 0.1}},
        {"model": "gemma-2-9b", "device": {"like": "m1-16gb", "memory": 24}},
        {"model": "deepseek-r1", "device": "h100-80gb", "gpus": 8, "users": 16, "host": "desktop-ddr5"},
        {"model": "qwen-3-14b", "device": "m1-16gb", "workload": "rag"},
    ]
    answers = fitcard.ask_many(questions)
    assert [answer.to_dict() for answer in answers] == [fitcard.ask(**question).to_dict() for question in questions]


def test_the_question_of_an_answer_can_be_asked_again() -> None:
    first = fitcard.ask(*PAIR, users=2)
    assert fitcard.ask_many([first.question])[0].to_dict() == first.to_dict()


def test_all_problems_of_many_questions_are_reported_with_their_place() -> None:
    with pytest.raises(fitcard.ProblemsError) as error:
        fitcard.ask_many(
            [{"model": "qwen-3-14", "device": "m1-16gb"}, {"model": "gemma-2-9b", "device": "m1-16gb", "gpus": 0}]
        )
    fields = {problem.field: problem.message for problem in error.value.problems}
    assert fields.keys() == {"questions.0.model", "questions.1.gpus"}
    assert "qwen-3-14b" in fields["questions.0.model"]


def test_an_unknown_name_is_an_error_with_a_message() -> None:
    with pytest.raises(fitcard.ProblemsError, match=r"There is no model called 'qwen-3-14'. Closest: qwen-3-14b"):
        fitcard.ask("qwen-3-14", "m1-16gb")


def test_answers_are_in_the_requested_language() -> None:
    assert fitcard.ask(*PAIR, language="de").verdict != fitcard.ask(*PAIR).verdict


def test_a_ranking_has_its_best_entry_first() -> None:
    ranking = fitcard.rank("models", device="m1-16gb", limit=3)
    assert len(ranking.rows) == 3
    assert ranking.rows[0]["score"] >= ranking.rows[1]["score"]
    assert next(ranking.table().rows())["fit.code"] == ranking.rows[0]["fit"]["code"]


def test_all_combinations_are_rows_of_a_table() -> None:
    table = fitcard.ask_all(
        model="qwen-3-14b", device=["m1-16gb", "4090"], quant="Q4_K_M", workload="chat", mode="balanced",
        columns=["grade", "decode_tok_s", "confidence.level"],
    )  # fmt: skip
    rows = list(table.rows())
    assert [row["device"] for row in rows] == ["m1-16gb", "rtx-4090-24gb"]
    for row in rows:
        answer = fitcard.ask(row["model"], row["device"], quant="Q4_K_M", workload="chat")
        assert (row["grade"], row["decode_tok_s"]) == (answer.grade, answer.decode_tok_s)


def test_absent_values_of_a_table_are_none_or_nan() -> None:
    table = fitcard.ask_all(
        model="qwen-3-14b", device="m1-16gb", quant="Q4_K_M", workload="chat", mode="balanced", profile="reference",
        columns=["confidence.level", "confidence.share"],
    )  # fmt: skip
    (row,) = table.rows()
    assert row["confidence.level"] is None
    assert math.isnan(row["confidence.share"])


@pytest.mark.parametrize("kind", ["polars", "pandas"])
def test_tables_are_frames_where_the_package_is_installed(kind: str) -> None:
    pytest.importorskip(kind)
    ranking = fitcard.rank("models", device="m1-16gb", limit=3)
    frame = getattr(ranking, f"to_{kind}")()
    assert frame.shape[0] == 3
    assert list(frame["model"]) == [row["model"] for row in ranking.rows]


def test_other_rules_are_loaded_and_checked(copy: Workplace) -> None:
    rules, catalogs, schemas = copy.folders.all
    assert fitcard.check(rules, catalogs, schemas) == []
    copy.edit("rules/judgement/fit.yaml", "title:", "titel:")
    (problem,) = {problem.code for problem in fitcard.check(rules, catalogs, schemas)} - {"schema-missing-key"}
    assert problem == "schema-unknown-key"
    with pytest.raises(fitcard.ProblemsError, match="titel"):
        fitcard.load(rules, catalogs, schemas)


def test_the_default_rules_are_those_of_the_working_directory(
    copy: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A relative FITCARD_RULES names other rules in another directory."""
    rules, catalogs, schemas = copy.folders.all
    for name, folder in (("CATALOGS", catalogs), ("SCHEMAS", schemas)):
        monkeypatch.setenv(f"FITCARD_{name}", str(folder))
    monkeypatch.setenv("FITCARD_RULES", rules.name)
    monkeypatch.chdir(rules.parent)
    before = fitcard.ask(*PAIR)
    shutil.copytree(rules, tmp_path / "other" / rules.name)
    monkeypatch.chdir(tmp_path / "other")
    Workplace(Folders(Path(rules.name), catalogs, schemas)).edit(
        "rules/views/answer.yaml", "    headroom_gb: headroom\n", "    headroom_gb: weights\n"
    )
    after = fitcard.ask(*PAIR)
    assert after.memory.headroom_gb == before.memory.weights_gb != before.memory.headroom_gb


@pytest.mark.parametrize("device", [[], (), ","], ids=str)
def test_a_sweep_over_no_entries_is_a_problem(device: Any) -> None:
    with pytest.raises(fitcard.ProblemsError) as error:
        fitcard.ask_all(model=PAIR[0], device=device)
    assert [(problem.code, problem.field) for problem in error.value.problems] == [("missing-parameter", "device")]


@pytest.mark.parametrize("device", [5, [5], {"like": PAIR[1]}], ids=str)
def test_entries_of_a_sweep_are_those_of_the_catalog(device: Any) -> None:
    with pytest.raises(fitcard.ProblemsError, match="There is no device called"):
        fitcard.ask_all(model=PAIR[0], device=device)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fitcard.ask(*PAIR, overrides="a=1"), "overrides must be Mapping, not str"),  # type: ignore[arg-type]
        (lambda: fitcard.ask(*PAIR, overrides={1: 2}), "keys of overrides must be str, not int"),  # type: ignore[dict-item]
        (lambda: fitcard.ask(*PAIR, language=5), "language must be str, not int"),  # type: ignore[arg-type]
        (lambda: fitcard.ask(*PAIR, rulebook="rules"), "rulebook must be Rulebook, not str"),  # type: ignore[arg-type]
        (lambda: fitcard.ask_many(["abc"]), r"questions\[0\] must be Question or Mapping, not str"),  # type: ignore[list-item]
        (lambda: fitcard.ask_many([{"overrides": 5}]), "overrides must be Mapping, not int"),
        (lambda: fitcard.rank(None), "ranking must be str, not NoneType"),  # type: ignore[arg-type]
        (lambda: fitcard.rank("models", overrides=[1]), "overrides must be Mapping, not list"),  # type: ignore[arg-type]
        (lambda: fitcard.ask_all(where=5), "where must be str, not int"),  # type: ignore[arg-type]
        (lambda: fitcard.ask_all(columns=5), "columns must be str or Iterable, not int"),  # type: ignore[arg-type]
        (lambda: fitcard.explain(*PAIR, 5), "names must be str, not int"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_an_argument_of_the_wrong_type_is_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


class Levels(list[Any]):
    """A list nested deeper than Python writes."""

    def __init__(self) -> None:
        super().__init__()
        inner: list[Any] = self
        for _ in range(5000):
            inner.append([])
            inner = inner[0]


CYCLE: dict[str, Any] = {}
CYCLE["memory"] = CYCLE
ODD_VALUES: dict[str, Any] = {
    "signaling NaN": Decimal("sNaN"),
    "NaN": Decimal("NaN"),
    "huge decimal": Decimal("1e999999999"),
    "huge fraction": Fraction(10**400),
    "huge integer": 10**5000,
    "array": np.array([1, 2]),
    "empty array": np.array([]),
    "array of NaN": np.float32("nan"),
    "condition": True,
    "condition of an array": np.bool_(True),
    "complex": 1j,
    "bytes": b"24",
    "levels": Levels(),
    "cycle": CYCLE,
    "other keys": {1: 2},
    "half a pair": "\ud800",
    "object": object(),
}


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_value_of_any_type_is_a_problem_or_of_the_wrong_type(value: Any) -> None:
    for ask in (
        lambda: fitcard.ask(value, "m1-16gb"),
        lambda: fitcard.ask(*PAIR, context=value),
        lambda: fitcard.ask(*PAIR, profile=value),
        lambda: fitcard.ask("qwen-3-14b", {"like": "m1-16gb", "memory": value}),
        lambda: fitcard.ask("qwen-3-14b", {"like": value, "memory": 24}),
        lambda: fitcard.ask(*PAIR, overrides={"headroom_share": value}),
        lambda: fitcard.ask_many([{"model": PAIR[0], "device": PAIR[1], "context": value}]),
        lambda: fitcard.explain(*PAIR, "decode_tok_s", context=value),
        lambda: fitcard.rank("models", device=value),
        lambda: fitcard.rank("models", device="m1-16gb", limit=value),
        lambda: fitcard.rank("models", device="m1-16gb", min_tok_s=value),
        lambda: fitcard.ask_all(model="qwen-3-14b", device="m1-16gb", columns=["grade"], context=value),
    ):
        with pytest.raises((fitcard.ProblemsError, TypeError)) as error:
            ask()
        if isinstance(error.value, fitcard.ProblemsError):
            assert all(problem.message.encode() for problem in error.value.problems)


@pytest.mark.parametrize("number", [Decimal("24"), Fraction(24), np.float64(24), np.int32(24), np.longdouble(24)])
def test_numbers_of_any_type_are_numbers(number: Any) -> None:
    expected = fitcard.ask("qwen-3-14b", {"like": "m1-16gb", "memory": 24}, users=24).to_dict()
    assert fitcard.ask("qwen-3-14b", {"like": "m1-16gb", "memory": number}, users=number).to_dict() == expected


@pytest.mark.parametrize("value", [None, 5, 1.5])
def test_what_is_no_list_of_questions_or_no_folder_is_said_to_be_of_the_wrong_type(value: Any) -> None:
    with pytest.raises(TypeError, match="questions must be Iterable, not"):
        fitcard.ask_many(value)
    if value is not None:
        for read in (fitcard.load, fitcard.check):
            with pytest.raises(TypeError, match="rules must be str or PathLike, not"):
                read(value)
