"""Benchmarks: ratios of work timed in turn, saved and compared; formulas by hand give the results of the rules."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import cycle
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from benchmarks.__main__ import run, select
from benchmarks.benches import BENCHMARKS, formulas
from benchmarks.benches.formulas_by_hand import Catalogs, in_numpy
from benchmarks.benches.sweep import count_answers, sweep_share
from benchmarks.harness import QUICK, Benchmark, Comparison, NotComparable, Setup, Timing, Variant, measure
from benchmarks.results import changes
from fitcard.compiler.engine import Engine
from fitcard.source.folders import find_folders
from helpers.workplace import Workplace

BY_NAME = {benchmark.name: benchmark for benchmark in BENCHMARKS}
QUICKLY = Setup(find_folders(), quick=True)


@contextmanager
def two_times(_: Setup) -> Iterator[Comparison]:
    short = Variant("short", lambda: Timing(1.0), ours=False)
    yield Comparison((short, Variant("long", lambda: Timing(2.0, {"peak_mb": 5}))))


@contextmanager
def not_installed(_: Setup) -> Iterator[Comparison]:
    raise NotComparable("it is not installed")
    yield


TWO = Benchmark("two", "two times", two_times)


def saved_run(ratio: Mapping[str, float], seconds: float = 1) -> dict[str, Any]:
    variant = {"ours": True, "ratio": ratio, "seconds": seconds}
    return {"benchmarks": {"two": {"variants": {"long": variant}}}}


def test_ratios_are_computed_within_each_round() -> None:
    durations, latest = cycle([1.0, 10.0, 3.0]), [1.0]

    def yardstick() -> Timing:
        latest[0] = next(durations)
        return Timing(latest[0])

    ours = Variant("ours", lambda: Timing(latest[0] * 2))
    result = measure(Comparison((Variant("yardstick", yardstick), ours), slow=True), QUICK)[1]
    assert (result.ratio.median, result.ratio.low, result.ratio.high) == (2, 2, 2)
    assert result.seconds.high > result.seconds.low


def test_only_variants_of_ours_are_judged_and_never_the_yardstick() -> None:
    variants = (
        Variant("yardstick", lambda: None),
        Variant("ours", lambda: None),
        Variant("theirs", lambda: None, 1, False),
    )
    assert [result.ours for result in measure(Comparison(variants), QUICK)] == [False, True, False]


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        ((2.0, 1.9, 2.1), []),
        ((2.2, 2.05, 2.4), []),  # the spreads overlap
        ((3.0, 2.8, 3.2), [True]),
        ((1.0, 0.9, 1.1), [False]),
    ],
)
def test_a_ratio_changed_where_the_spreads_do_not_overlap(now: tuple[float, float, float], worse: list[bool]) -> None:
    keys = ("median", "low", "high")
    before, after = (dict(zip(keys, ratio, strict=True)) for ratio in ((2.0, 1.9, 2.1), now))
    assert [change.worse for change in changes(saved_run(before), saved_run(after, 50))] == worse


def test_a_run_fails_where_a_ratio_got_worse_than_in_the_saved_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.json"
    assert run([TWO], QUICKLY, save=file) == 0
    assert "peak MB" in capsys.readouterr().out
    ratio = json.loads(file.read_text())["benchmarks"]["two"]["variants"]["long"]["ratio"]
    assert ratio == {"median": 2, "low": 2, "high": 2}
    assert run([TWO], QUICKLY, saved=file) == 0
    file.write_text(json.dumps(saved_run({"median": 1, "low": 0.9, "high": 1.1})))
    capsys.readouterr()
    assert run([TWO], QUICKLY, saved=file) == 1
    assert "two, long: worse, 1 -> 2" in capsys.readouterr().out


def test_an_optional_benchmark_is_skipped_without_its_package(capsys: pytest.CaptureFixture[str]) -> None:
    absent = Benchmark("absent", "needs a package", not_installed, optional=True)
    assert run([absent], QUICKLY, as_json=True) == 0
    printed = capsys.readouterr()
    assert "skipped: absent: it is not installed" in printed.err
    assert json.loads(printed.out)["benchmarks"] == {}


def test_benchmarks_are_selected_by_name_and_pattern() -> None:
    assert [benchmark.name for benchmark in select(BENCHMARKS, ["zen-*", "load"])] == ["zen-row", "zen-page", "load"]
    with pytest.raises(click.UsageError, match="there is no benchmark `lod`; did you mean `load`"):
        select(BENCHMARKS, ["load", "lod"])


def test_a_file_that_is_not_a_saved_run_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("[1]")
    with pytest.raises(click.UsageError, match="is not a saved run"):
        run([TWO], QUICKLY, saved=file)


def test_formulas_by_hand_give_the_results_of_the_rules(engine: Engine) -> None:
    rows = formulas.random_rows(engine, 500)
    with np.errstate(all="ignore"):
        by_hand = in_numpy(Catalogs(engine), rows)
    formulas.check_same(formulas.by_rules(engine, rows), by_hand, "numpy", 1e-12)


def test_formulas_by_hand_are_refused_once_a_rule_has_changed(whole_copy: Workplace) -> None:
    whole_copy.edit("rules/profiles/reference.yaml", "value: 0.088", "value: 0.089")
    benchmark = BY_NAME["formulas-100"]
    with pytest.raises(NotComparable, match="`ttft` in numpy"), benchmark.set_up(Setup(whole_copy.folders)):
        pass


@pytest.mark.parametrize("name", ["zen-page", "cel-page"])
def test_other_engines_give_the_results_of_the_rules(name: str) -> None:
    pytest.importorskip("zen" if name.startswith("zen") else "cel_expr_python")
    with BY_NAME[name].set_up(QUICKLY) as comparison:
        assert len(comparison.variants) == 2


def test_a_sweep_evaluates_every_question_over_its_share_of_the_catalog(small: Workplace) -> None:
    engine = small.load()
    every, few = sweep_share(engine, Fraction(1)), sweep_share(engine, Fraction(1, 1000))
    assert count_answers(every) == math.prod(len(ids) for ids in every.ids.values())
    assert count_answers(few) * max(len(ids) for ids in every.ids.values()) == count_answers(every)


def test_names_of_benchmarks_are_unique() -> None:
    assert len(BY_NAME) == len(BENCHMARKS)
