"""`fitcard diff`: changes by name, their dependents, and the number of answers that move."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from fitcard.calibration.comparison import compare
from fitcard.cli.main import main
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import evaluate
from fitcard.diff.shown import Places, shown_places
from fitcard.rulebook.loader import load
from fitcard.source.folders import Folders
from fitcard.values import ABSENT, RELATIVE_TOLERANCE, Column, WordColumn
from helpers.fewer_entries import with_fewer_entries
from helpers.repository import Repository, repository
from helpers.workplace import PROJECT, Workplace


@pytest.fixture
def repo(whole_copy: Workplace, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The rules with the tests of profiles alone, over those entries of the catalogs that these name."""
    for tests in whole_copy.folders.rules.rglob("*.test.yaml"):
        if tests.parent.name != "profiles":
            tests.unlink()
    return repository(Workplace(with_fewer_entries(whole_copy.folders)), monkeypatch)


@pytest.fixture
def small_repo(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return repository(small, monkeypatch)


TTFT = "prefill_time"
LINKS = "rules/physics/parallel.yaml"
IN_FULL = "(link_bandwidth * link_efficiency)"
EDITS = {  # one of each kind of change
    "constant": ("rules/physics/memory.yaml", "value: 0.02\n", "value: 0.05\n"),
    "formula": ("rules/physics/prefill.yaml", f"expr: {TTFT}\n", f"expr: ({TTFT}) * 1.001\n"),
    "band": ("rules/judgement/score.yaml", "at_least: 85, gives: S", "at_least: 80, gives: S"),
    "mode weight": ("rules/judgement/modes.yaml", "{quality: 0.45, fit: 0.12,", "{quality: 0.40, fit: 0.17,"),
    "bandwidth": ("catalogs/devices/intel-arc.yaml", "bandwidth: 380", "bandwidth: 420"),
    "first reader": (
        LINKS,
        "+ question.users * all_reduce_bytes / all_reduce_bandwidth",
        f"+ question.users * all_reduce_bytes / {IN_FULL}",
    ),
    "second reader": (
        LINKS,
        "prompt_tokens * all_reduce_bytes / all_reduce_bandwidth",
        f"prompt_tokens * all_reduce_bytes / {IN_FULL}",
    ),
}
FOLDED = "expr: >-\n      (prefill_time\n      )\n"
EXCHANGE_RATE = """\
  all_reduce_bandwidth:
    unit: GB/s
    about: Effective bandwidth of all-reduces.
    expr: link_bandwidth * link_efficiency
"""

OTHER = """\
kind: profile
title: Other
about: Other beliefs.
constants:
  headroom_share:
    value: {value}
    unit: "1"
    about: Share of the usable memory that is kept free.
    reference: {{title: A guess}}
"""

OWN_STORAGE = """\
reference: {title: A guess}
formulas:
  load_time:
    unit: s
    about: Time to load the weights and the KV cache.
    expr: (weights + kv_cache) / min(device.bandwidth, storage_bandwidth)
adds:
  constants:
"""


@pytest.fixture
def changed(repo: Repository) -> Repository:
    for edit in EDITS.values():
        repo.place.edit(*edit)
    repo.place.edit(LINKS, EXCHANGE_RATE, "")
    return repo


def swept(engine: Engine) -> dict[str, tuple[str, ...]]:
    """The entries that every answer is about: all, or the default on axes that are not swept."""
    return {
        name: engine.rulebook.catalog_of(name).ids if axis.swept else (str(axis.default),)
        for name, axis in engine.rulebook.question_fields.axes.items()
        if axis.swept or axis.default
    }


def line_of(place: Workplace, file: str, text: str) -> int:
    """The number of the first line that is `text`."""
    return place.path(file).read_text("utf-8").splitlines().index(text) + 1


def change(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = [one for one in data["changes"] if one["name"] == name]
    assert len(found) == 1, [one["name"] for one in data["changes"]]
    return dict(found[0])


def test_each_change_has_its_position_and_its_dependents(changed: Repository) -> None:
    data = changed.data()
    assert data["counts"] == {"answers": 8, "checks": 0, "wording": 0}
    constant = change(data, "headroom_share")
    line = line_of(changed.place, "rules/physics/memory.yaml", "  headroom_share:")
    assert (constant["what"], constant["file"], constant["line"]) == ("constant", "rules/physics/memory.yaml", line)
    assert constant["details"] == [
        {
            "field": "value",
            "old": 0.02,
            "new": 0.05,
            "effect": "answers",
            "percent": pytest.approx(150),
        }
    ]
    assert constant["read_by"] == ["headroom"]
    assert {"decode_tok_s", "safe_context", "fit", "grade"} <= set(constant["reaches"])

    formula = change(data, "ttft")["details"][0]
    assert [formula["new"][start:end] for start, end in formula["marks"]["new"]] == ["(", ") * 1.001"]
    assert formula["marks"]["old"] == []

    assert change(data, "grade")["details"] == [
        {
            "field": "rows.S.at_least",
            "old": 85,
            "new": 80,
            "effect": "answers",
            "percent": pytest.approx(-5.88, rel=1e-3),
        }
    ]
    mode = change(data, "balanced")
    assert mode["within"] == "modes"
    assert [(one["field"], one["old"], one["new"]) for one in mode["details"]] == [
        ("weights.quality", 0.45, 0.4),
        ("weights.fit", 0.12, 0.17),
    ]
    assert mode["reaches"] == ["mode_score"]
    device = change(data, "arc-b570-10gb")
    line = line_of(changed.place, "catalogs/devices/intel-arc.yaml", "  arc-b570-10gb:")
    assert (device["within"], device["file"], device["line"]) == ("devices", "catalogs/devices/intel-arc.yaml", line)
    readers = "bandwidth_class fp32_peak effective_bandwidth kv_time effective_host_bandwidth"
    of_profiles = "decode_tok_s mbu_by_bandwidth decode_unlimited"
    assert device["read_by"] == [*readers.split(), *of_profiles.split()]

    removed = change(data, "all_reduce_bandwidth")
    assert removed["action"] == "removed"
    assert removed["read_by"] == ["all_reduce_time", "prefill_all_reduce_time"]
    assert "still_read_by" not in removed


def test_the_numbers_of_moved_answers_are_those_of_a_recount_model_by_model(changed: Repository) -> None:
    changed.git("stash", "-q")
    before = changed.place.load()
    changed.git("stash", "pop", "-q")
    after = changed.place.load()
    impacts = {one["profile"]: one for one in changed.data()["impact"]}
    assert set(impacts) == {"calibrated", "reference"}
    for profile, impact in impacts.items():
        check_recount(before, after, profile, impact)


def check_recount(before: Engine, after: Engine, profile: str, impact: Mapping[str, Any]) -> None:
    """Compares the numbers of a profile with those of all its answers, model by model."""
    places = shown_places(after.rulebook.layout, after.rules[profile].rule_set)
    outputs = {
        name: of_name
        for name, of_name in places.items()
        if name in after.rules[profile].definitions and not after.rules[profile].plan([name]).current
    }
    moved = dict.fromkeys(outputs, 0)
    answers = pages = 0
    ids = swept(before)
    for model in ids["model"]:
        asked = QuestionGrid.of(before.rulebook.question_fields, before.columns, {**ids, "model": (model,)}).shape
        old, new = (values(book.rules[profile], outputs, {**ids, "model": (model,)}) for book in (before, after))
        of_model = np.zeros(asked, dtype=bool)
        for name in outputs:
            cells = np.broadcast_to(differ(old[name], new[name]), asked)
            moved[name] += int(cells.sum())
            of_model |= cells
        answers += int(of_model.sum())
        pages += int(of_model.any(axis=(0, *range(2, of_model.ndim))).sum())
    assert (impact["moved"], impact["pages_moved"]) == (answers, pages)
    assert {one["name"]: one["moved"] for one in impact["outputs"]} == {name: n for name, n in moved.items() if n}
    assert impact["answers"] == math.prod(map(len, ids.values()))
    for output in impact["outputs"]:
        if "matrix" in output:
            assert sum(cell["answers"] for cell in output["matrix"]) == impact["answers"]
            assert sum(cell["answers"] for cell in output["matrix"] if cell["old"] != cell["new"]) == output["moved"]
        else:
            changed = output["rose"] + output["fell"]
            assert changed + output["appeared"] + output["vanished"] == output["moved"]
            assert sum(one["answers"] for one in output.get("histogram", ())) == changed - output["from_zero"]


def values(rules: CompiledRules, outputs: Mapping[str, Places], ids: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Every answer about one model, evaluated by itself; absent where the answer does not show the value."""
    conditions = {condition for places in outputs.values() for place in places for condition in place}
    grid = QuestionGrid.of(rules.question_fields, rules.columns, ids)
    columns = evaluate(rules, grid, {*outputs, *conditions}).columns
    shown = {
        name: sum(np.prod([np.broadcast_to(columns[one], grid.shape) for one in place], axis=0) for place in places)
        for name, places in outputs.items()
    }
    return {name: plain(columns[name], np.asarray(shown[name]) > 0) for name in outputs}


def plain(column: Column, shown: Any) -> Any:
    if isinstance(column, WordColumn):
        return np.array([*column.words, ""])[np.where(shown, column.codes, ABSENT)]
    data = np.asarray(column)
    return np.where(shown, data, np.nan if data.dtype.kind == "f" else -1)


def differ(one: Any, other: Any) -> Any:
    if one.dtype.kind == "f":
        far = np.abs(one - other) > RELATIVE_TOLERANCE * np.maximum(np.abs(one), np.abs(other))
        return far | (np.isnan(one) != np.isnan(other))
    return one != other


def test_the_cause_of_a_moved_answer_is_the_first_difference_in_dependency_order(repo: Repository) -> None:
    repo.place.edit(*EDITS["bandwidth"])
    repo.place.edit(*EDITS["formula"])
    outputs = {one["name"]: one for one in repo.data()["impact"][0]["outputs"]}
    assert {mover["first"] for mover in outputs["decode_tok_s"]["movers"]} == {"device.bandwidth"}
    assert {mover["question"]["device"] for mover in outputs["decode_tok_s"]["movers"]} == {"arc-b570-10gb"}
    assert {mover["first"] for mover in outputs["ttft"]["movers"]} == {"device.bandwidth"}
    file, old, new = EDITS["bandwidth"]
    repo.place.edit(file, new, old)
    outputs = {one["name"]: one for one in repo.data()["impact"][0]["outputs"]}
    assert list(outputs) == ["ttft", "ttft_low", "ttft_high", "mode_score"]
    assert {mover["first"] for mover in outputs["ttft"]["movers"]} == {"ttft"}


def test_a_difference_without_effect_is_not_the_cause(repo: Repository) -> None:
    repo.place.edit("rules/profiles/reference.yaml", "value: 0.72\n", "value: 0.75\n")
    repo.place.edit("rules/profiles/reference.yaml", "if device.unified else 1)", "if device.unified else 0.98)")
    impact = next(one for one in repo.data()["impact"] if one["profile"] == "reference")
    outputs = {one["name"]: one for one in impact["outputs"]}
    unified = repo.place.load().rulebook.catalog_of("device").entries
    first = {
        (unified[mover["question"]["device"]].value("unified"), mover["first"])
        for output in outputs.values()
        for mover in output["movers"]
    }
    assert first == {(True, "unified_usable_share"), (False, "usable_memory")}


def test_a_removed_rule_that_is_still_read_is_reported_with_its_former_position(repo: Repository) -> None:
    repo.place.edit(LINKS, EXCHANGE_RATE, "")
    ended = repo.diff("HEAD", "--format", "github")
    assert ended.exit_code == 1
    first = ended.output.splitlines()[0]
    line = line_of(repo.place, LINKS, "  all_reduce_bytes:")
    assert first.startswith(f"::error title=name-still-read,file={LINKS},line={line},col=3::")
    assert "`all_reduce_bandwidth` was removed, but `all_reduce_time`, `prefill_all_reduce_time` still use it" in first
    data = repo.data()
    assert change(data, "all_reduce_bandwidth")["still_read_by"] == ["all_reduce_time", "prefill_all_reduce_time"]
    assert data["impact"] == []
    assert data["head"]["errors"] == 2


def test_a_rule_that_moved_into_a_profile_is_not_missing(small_repo: Repository) -> None:
    constant = "  storage_bandwidth: {value: 5, unit: GB/s, about: Read bandwidth of the storage.}\n"
    small_repo.place.edit("rules/fit.yaml", constant, "")
    small_repo.place.edit("rules/fit.yaml", "min(device.bandwidth, storage_bandwidth)", "device.bandwidth")
    profile = small_repo.place.path("rules/profiles/plain.yaml")
    profile.write_text(f"{profile.read_text('utf-8')}{OWN_STORAGE}{constant.replace('  ', '    ')}", "utf-8")
    data = small_repo.data()
    assert [(one["name"], one.get("within"), one["action"]) for one in data["changes"]] == [
        ("storage_bandwidth", None, "removed"),
        ("storage_bandwidth", "plain", "added"),
        ("load_time", None, "changed"),
        ("load_time", "plain", "added"),
    ]
    assert data["problems"] == []
    assert data["impact"][0]["moved"] == 0


def test_comments_order_and_wording_move_no_answer(repo: Repository) -> None:
    for edit in (
        ("rules/physics/prefill.yaml", "constants:", "# Constants are below.\nconstants:"),
        ("rules/physics/prefill.yaml", "about: Time to first token (TTFT);", "about: How long until it -"),
        ("rules/physics/prefill.yaml", "title: Prefill and time to first token\n", "title: TTFT in full\n"),
        ("rules/physics/prefill.yaml", f"expr: {TTFT}\n", FOLDED),
        ("rules/physics/context.yaml", "value: 4000\n    unit: token", "unit: token\n    value: 4000"),
        ("catalogs/messages/en.yaml", "runs_well: Runs well", "runs_well: Runs fine"),
        ("catalogs/devices/intel-arc.yaml", "name: Intel Arc B570 10GB", "name: Intel Arc B570 (10 GB)"),
        ("catalogs/devices/intel-arc.yaml", "smoothyy3/willitrun devices.yaml", "a shop"),
        ("rules/rulebook.yaml", "version: 0.1.0", "version: 0.2.0"),
    ):
        repo.place.edit(*edit)
    ended = repo.diff("HEAD", "--format", "json")
    data = json.loads(ended.output)
    assert data["counts"] == {"answers": 0, "checks": 0, "wording": 6}
    assert {(one["name"], detail["field"]) for one in data["changes"] for detail in one["details"]} == {
        ("version", ""),
        ("ttft", "about"),
        ("ttft", "expr"),
        ("arc-b570-10gb", "name"),
        ("arc-b570-10gb", "source"),
        ("sentences.fit_label.text.runs_well", ""),
        ("rules/physics/context.yaml", "order"),
        ("rules/physics/prefill.yaml", "title"),
    }
    assert data["impact"][0]["moved"] == 0
    assert data["contract"]["moved"] == []
    assert ended.exit_code == 0


def test_moving_a_rule_to_another_file_moves_no_answer(repo: Repository) -> None:
    piece = """\
  flop_per_param:
    value: 2
    unit: FLOP/param/token
    about: One multiplication and one addition per active parameter and token.
"""
    repo.place.edit("rules/physics/prefill.yaml", piece, "")
    repo.place.edit("rules/physics/decode.yaml", "constants:\n", "constants:\n" + piece)
    data = repo.data()
    assert data["counts"]["answers"] == 0
    assert data["impact"][0]["moved"] == 0


def test_a_constant_replaced_by_a_unit_of_its_name_has_no_readers(repo: Repository) -> None:
    constant = "constants:\n  percent: {value: 100, unit: percent, about: 'One, in percent.'}\n"
    repo.place.edit("rules/physics/offload.yaml", "constants:\n", constant)
    repo.place.edit("rules/judgement/upgrades.yaml", "- 1) / percent) * percent", "- 1) * percent)")
    repo.git("commit", "-qam", "percent")
    repo.place.edit("rules/physics/offload.yaml", constant, "constants:\n")
    repo.place.edit("rules/judgement/upgrades.yaml", "- 1) * percent)", "- 1) / percent) * percent")
    data = repo.data()
    assert data["problems"] == []
    assert {one["name"]: one["action"] for one in data["changes"]} == {"percent": "removed", "decode_gain": "changed"}
    assert data["impact"][0]["moved"] == 0


def test_tests_and_invariants_are_checks_and_not_answers(repo: Repository) -> None:
    repo.place.edit("rules/physics/prefill.yaml", "more compute never lengthens", "further compute never lengthens")
    data = repo.data()
    assert data["counts"] == {"answers": 0, "checks": 2, "wording": 0}
    assert {one["action"] for one in data["changes"]} == {"added", "removed"}


def test_a_back_test_is_a_check_and_not_an_answer(repo: Repository) -> None:
    repo.place.edit("rules/backtest.yaml", "weigh: {by: tier, rows: {A: 1, B: 0.5}}", "weigh: {by: tier, rows: {A: 1}}")
    repo.place.edit("rules/backtest.yaml", "when: fully_on_devices", "when: single_device")
    data = repo.data()
    assert data["counts"] == {"answers": 0, "checks": 2, "wording": 0}
    assert change(data, "memory")["details"] == [
        {"field": "when", "old": "fully_on_devices", "new": "single_device", "effect": "checks"}
    ]
    weights = change(data, "rules/backtest.yaml")
    assert (weights["what"], weights["within"]) == ("test", "backtest")
    assert weights["details"] == [{"field": "weigh.rows.B", "old": 0.5, "new": None, "effect": "checks"}]
    assert data["impact"][0]["moved"] == 0


def test_added_and_removed_entries_of_a_catalog_are_counted_apart(repo: Repository) -> None:
    file = repo.place.path("catalogs/devices/intel-arc.yaml")
    file.write_text(file.read_text("utf-8").replace("b570", "b571").replace("B570", "B571"), "utf-8")
    for path in repo.place.folders.rules.rglob("*.yaml"):
        path.write_text(path.read_text("utf-8").replace("arc-b570", "arc-b571"), "utf-8")
    data = repo.data()
    engine = repo.place.load()
    ids = swept(engine)
    both = len(ids["device"]) - 1
    impact = data["impact"][0]
    assert impact["entries"]["device"] == {"both": both, "added": ["arc-b571-10gb"], "removed": ["arc-b570-10gb"]}
    assert impact["answers"] == math.prod(map(len, ids.values())) // (both + 1) * both
    assert (change(data, "arc-b571-10gb")["action"], change(data, "arc-b570-10gb")["action"]) == ("added", "removed")


def test_an_added_axis_is_compared_at_its_default(small_repo: Repository) -> None:
    place = small_repo.place
    for edit in [
        (
            "rules/rulebook.yaml",
            "inputs:",
            "  source: {catalog: devices, default: h100-80gb, about: Another device.}\ninputs:",
        ),
        ("rules/fit.yaml", "min(device.bandwidth,", "min(device.bandwidth, source.bandwidth,"),
        ("catalogs/devices.yaml", "bandwidth: 3350", "bandwidth: 4"),
    ]:
        place.edit(*edit)
    impact = small_repo.data()["impact"][0]
    assert impact["answers"] == 3 * 3 * 2
    assert {output["name"]: output["moved"] for output in impact["outputs"]} == {"load_time": 3 * 3 * 2}


def test_a_new_figure_on_an_axis_that_is_not_swept_is_compared_entry_by_entry(small_repo: Repository) -> None:
    place = small_repo.place
    place.edit("rules/rulebook.yaml", "default: m1-16gb, about:", "default: m1-16gb, swept: false, about:")
    small_repo.git("commit", "-qam", "devices are not swept")
    for edit in [
        ("schemas/devices.schema.json", '"max_all', '"overlap": {"type": "number", "unit": "1"},\n        "max_all'),
        ("catalogs/devices.yaml", "bandwidth: 3350", "bandwidth: 3350, overlap: 2"),
        ("rules/fit.yaml", "storage_bandwidth)\n", "storage_bandwidth) / either(device.overlap, 1)\n"),
    ]:  # fmt: skip
        place.edit(*edit)
    impacts = [(impact.get("opened"), impact["answers"], impact["moved"]) for impact in small_repo.data()["impact"]]
    assert impacts == [(None, 3 * 2, 0), ("device", 3 * 3, 3)]


def test_a_change_shows_the_errors_against_measured_runs_before_and_after(repo: Repository) -> None:
    def median_errors() -> dict[tuple[str, str], float]:
        engine = repo.place.load()
        profiles = ("calibrated", "reference")
        return {(one.profile, one.quantity.name): one.summary.median for p in profiles for one in compare(engine, p)}

    before = median_errors()
    repo.place.edit("rules/physics/decode.yaml", "      cuda: 0.917\n", "      cuda: 0.8\n")
    after = median_errors()
    expected = repo.data()["measured"]
    assert {(one["profile"], one["name"]) for one in expected} >= {key for key in before if before[key] != after[key]}
    assert {one["name"] for one in expected} & {"decode_dense", "decode_experts"}
    for one in expected:
        key = one["profile"], one["name"]
        assert one["before"]["median_percent"] == before[key] * 100
        assert one["after"]["median_percent"] == after[key] * 100
        assert one["before"]["runs"] == len(one["points"])
    assert "Errors against measured runs" in repo.diff("HEAD").output


def test_a_profile_that_is_not_swept_is_compared_only_where_its_own_file_changes(repo: Repository) -> None:
    repo.place.edit(*EDITS["bandwidth"])
    assert {one["profile"] for one in repo.data()["impact"]} == {"calibrated", "reference"}
    file, old, new = EDITS["bandwidth"]
    repo.place.edit(file, new, old)
    repo.place.edit("rules/profiles/llmfit.yaml", "value: 0.55", "value: 0.5")
    assert [one["profile"] for one in repo.data()["impact"] if one["moved"]] == ["llmfit"]


def test_a_profile_of_its_own_is_compared_too(repo: Repository) -> None:
    repo.place.write("rules/profiles/other.yaml", OTHER.format(value=0.2))
    repo.git("add", ".")
    repo.git("commit", "-qm", "another profile")
    repo.place.write("rules/profiles/other.yaml", OTHER.format(value=0.3))
    data = repo.data()
    assert change(data, "headroom_share")["within"] == "other"
    assert {one["profile"] for one in data["impact"] if one["moved"]} == {"other"}
    data = repo.data("profile:reference", "profile:other")
    assert change(data, "headroom_share")["details"][0] | {"percent": 0} == {
        "field": "value", "old": 0.1, "new": 0.3, "effect": "answers", "percent": 0,
    }  # fmt: skip
    assert data["impact"][0]["base_profile"] == "reference"
    assert data["impact"][0]["moved"] > 0
    assert data["problems"] == []
    assert change(data, "model_quality")["action"] == "changed"


def test_another_default_profile_moves_the_default_answers(repo: Repository) -> None:
    repo.place.write("rules/profiles/other.yaml", OTHER.format(value=0.3))
    repo.git("add", ".")
    repo.git("commit", "-qm", "another profile")
    repo.place.edit("rules/rulebook.yaml", "default: calibrated", "default: other")
    data = repo.data()
    assert change(data, "profiles")["details"] == [
        {"field": "default", "old": "calibrated", "new": "other", "effect": "answers"}
    ]
    first = data["impact"][0]
    assert (first["base_profile"], first["profile"]) == ("calibrated", "other")
    assert first["moved"] > 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mian"], "there is no revision or directory `mian`"),
        (["profile:refrence"], "there is no profile `refrence`"),
        (["HEAD", "profile:refrence"], "did you mean `reference`?"),
        (["HEAD", "--save", "report.txt"], "report.txt must end in one of .json, .md, .html, .sarif"),
        (["--output=/tmp/x"], "No such option"),
    ],
)
def test_a_side_that_does_not_exist_is_an_error(repo: Repository, words: list[str], expected: str) -> None:
    ended = repo.diff(*words)
    assert ended.exit_code == 2
    assert expected in ended.output


def test_a_revision_without_rules_is_an_error(repo: Repository) -> None:
    repo.git("checkout", "-q", "--orphan", "empty")
    repo.git("rm", "-rfq", "--cached", ".")
    repo.git("commit", "-q", "--allow-empty", "-m", "nothing")
    ended = repo.diff("empty")
    assert ended.exit_code == 2
    assert "`empty` has no folder `rules`" in ended.output


def test_outside_of_a_repository_directories_can_be_compared(copy: Workplace, tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, [*copy.options, "diff", "main"])
    assert ended.exit_code == 2
    assert "this is not a git repository" in ended.output
    before = tmp_path / "before"
    for folder in copy.folders.all:
        shutil.copytree(folder, before / folder.name)
    copy.edit(*EDITS["band"])
    ended = CliRunner().invoke(main, [*copy.options, "diff", str(before), "--format", "json"])
    assert change(json.loads(ended.output), "grade")["details"][0]["new"] == 80


def test_errors_of_the_old_state_are_reported_and_do_not_fail_the_change(repo: Repository) -> None:
    repo.place.edit("rules/physics/prefill.yaml", "expr: prefill_time\n", "expr: prefill_tme\n")
    repo.git("commit", "-qam", "broken")
    repo.place.edit("rules/physics/prefill.yaml", "expr: prefill_tme\n", "expr: prefill_time\n")
    ended = repo.diff("HEAD", "--format", "json")
    assert ended.exit_code == 0
    data = json.loads(ended.output)
    assert data["problems"][0]["severity"] == "warning"
    assert data["problems"][0]["file"].endswith("):rules/physics/prefill.yaml")
    assert change(data, "ttft")["effect"] == "answers"


def test_two_revisions_can_be_compared_whatever_the_files_are_now(repo: Repository) -> None:
    repo.place.edit(*EDITS["band"])
    repo.git("commit", "-qam", "band")
    repo.place.edit(*EDITS["constant"])
    assert [one["name"] for one in repo.data("HEAD~1", "HEAD")["changes"]] == ["grade"]
    assert {one["name"] for one in repo.data("HEAD~1")["changes"]} == {"grade", "headroom_share"}


def test_the_folders_of_a_state_are_its_own(repo: Repository, tmp_path: Path) -> None:
    repo.place.edit(*EDITS["band"])
    other = tmp_path / "other"
    subprocess.run(["git", "worktree", "add", "-q", str(other), "HEAD"], cwd=repo.top, check=True, capture_output=True)
    folders = Folders(other / "rules", other / "catalogs", other / "schemas")
    assert load(folders).sha256 != load(repo.place.folders).sha256
    assert [one["name"] for one in repo.data(str(other))["changes"]] == ["grade"]


ENERGY = "rules/physics/energy.yaml"
FIGURE = "energy_per_1000_tokens"
LARGE = "known(device.tdp) and device.tdp > 500 * W"


@pytest.fixture
def figure_repo(repo: Repository) -> Repository:
    """The rules with the figure of the guide."""
    guide = (PROJECT / ".github/guides/writing-rules.md").read_text("utf-8")
    repo.place.write(ENERGY, guide.partition("## A figure in the answer")[2].split("```")[1].removeprefix("yaml\n"))
    repo.git("add", ".")
    repo.git("commit", "-qm", "energy")
    return repo


def answers_with(repo: Repository, condition: Callable[[float | None], bool]) -> int:
    """The number of answers about devices whose power limit meets a condition."""
    ids = swept(repo.place.load())
    devices = repo.place.load().rulebook.catalog_of("device").entries
    count = sum(condition(devices[device].value("tdp")) for device in ids["device"])
    return math.prod(map(len, ids.values())) // len(ids["device"]) * count


@pytest.mark.parametrize(
    ("old", "new", "appeared", "vanished"),
    [
        ("expr: known(device.tdp)", f"expr: {LARGE}", None, lambda tdp: tdp is not None and tdp <= 500),
        ("shown: tdp_known", "shown: true", lambda tdp: tdp is None, None),
        ("shown: tdp_known", "shown: several_devices", None, lambda tdp: tdp is not None),
        ("    shown: tdp_known\n", "", None, lambda tdp: tdp is not None),
    ],
)
def test_a_figure_that_appears_or_vanishes_moves_answers(
    figure_repo: Repository, old: str, new: str, appeared: Any, vanished: Any
) -> None:
    figure_repo.place.edit(ENERGY, old, new)
    data = figure_repo.data()
    expected = [answers_with(figure_repo, condition) if condition else 0 for condition in (appeared, vanished)]
    assert any(expected)
    output = next(one for one in data["impact"][0]["outputs"] if one["name"] == FIGURE)
    assert [output["appeared"], output["vanished"]] == expected
    assert data["impact"][0]["moved"] == output["moved"] == sum(expected)
    assert {None} < {mover[side] for mover in output["movers"] for side in ("old", "new")}
    (changed,) = data["changes"]
    assert changed["effect"] == "answers"
    assert FIGURE in changed["reaches"]
    assert "absent" in figure_repo.diff("HEAD", "--format", "markdown").output


def test_a_new_or_removed_figure_moves_the_answers_that_show_it(figure_repo: Repository) -> None:
    expected = answers_with(figure_repo, lambda tdp: tdp is not None)
    figure_repo.place.path(ENERGY).unlink()
    assert figure_repo.data()["impact"][0]["moved"] == expected
    assert figure_repo.data("HEAD", "HEAD~1")["impact"][0]["outputs"][0]["vanished"] == expected
    assert figure_repo.data("HEAD~1", "HEAD")["impact"][0]["outputs"][0]["appeared"] == expected


def test_a_changed_condition_of_a_section_or_note_moves_answers(repo: Repository) -> None:
    repo.place.edit("rules/views/answer.yaml", "when: gives_range", "when: several_devices")
    confidence = {one["name"] for one in repo.data()["impact"][0]["outputs"]}
    assert {"decode_low", "decode_high", "range_share"} <= confidence


def test_a_label_is_wording(figure_repo: Repository) -> None:
    figure_repo.place.edit(ENERGY, "label: Energy per 1,000 tokens", "label: Energy of 1,000 tokens")
    data = figure_repo.data()
    assert data["counts"] == {"answers": 0, "checks": 0, "wording": 1}
    assert data["impact"][0]["moved"] == 0
