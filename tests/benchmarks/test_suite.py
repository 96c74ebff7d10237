"""`fitcard bench`: ratios of what was timed in turn, saved and compared; what is by hand is what the rules give."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from suite import every
from suite.contest import Contest, NotComparable, Setting, Took, Variant
from suite.every import all_benches
from suite.measure import QUICK, measured
from suite.saved import moved
from suite.sweeping import answered, sweep_of

from fitcard.cli.main import main
from fitcard.rulebook.rulebook import Rulebook
from helpers.workplace import PROJECT, Workplace

CASES = """
from contextlib import contextmanager
from suite.contest import Bench, Contest, NotComparable, Took, Variant

@contextmanager
def two(setting):
    yield Contest((Variant("short", lambda: Took(1.0), ours=False), Variant("long", lambda: Took(2.0, {"peak_mb": 5}))))

@contextmanager
def other(setting):
    raise NotComparable("it is not installed")
    yield

BENCHES = (Bench("two", "two times", two), Bench("absent", "what is not there", other, True))
"""


@pytest.fixture
def formulas(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The benches of the formulas, as a module."""
    monkeypatch.syspath_prepend(PROJECT / "tests" / "benchmarks")
    import bench_formulas  # noqa: PLC0415

    yield bench_formulas
    for name in ("bench_formulas", "by_hand"):
        sys.modules.pop(name, None)


def bench(place: Workplace, *words: str) -> Result:
    file = place.path("rules").parent / "cases.py"
    file.write_text(CASES)
    return CliRunner().invoke(main, [*place.options, "bench", "--quick", "--cases", str(file), *words])


def test_a_ratio_is_taken_within_each_round_so_that_a_slow_moment_slows_both() -> None:
    slowed = cycle([1.0, 10.0, 3.0])
    moment = [1.0]

    def yardstick() -> Took:
        moment[0] = next(slowed)
        return Took(moment[0])

    contest = Contest((Variant("yardstick", yardstick), Variant("ours", lambda: Took(moment[0] * 2))), long=True)
    found = measured(contest, QUICK)
    assert (found[1].ratio.median, found[1].ratio.low, found[1].ratio.high) == (2, 2, 2)
    assert found[1].seconds.high > found[1].seconds.low


def test_only_what_is_ours_is_judged_and_the_yardstick_never_is() -> None:
    variants = (
        Variant("yardstick", lambda: None),
        Variant("ours", lambda: None),
        Variant("theirs", lambda: None, 1, False),
    )
    assert [one.ours for one in measured(Contest(variants), QUICK)] == [False, True, False]


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ((2.0, 1.9, 2.1), []),
        ((2.2, 2.05, 2.4), []),  # the spreads overlap
        ((3.0, 2.8, 3.2), [True]),
        ((1.0, 0.9, 1.1), [False]),
    ],
)
def test_a_ratio_has_moved_where_one_spread_ends_before_the_other_begins(
    now: tuple[float, float, float], told: list[bool]
) -> None:
    def run(median: float, low: float, high: float, seconds: float) -> dict[str, Any]:
        ratio = {"median": median, "low": low, "high": high}
        return {"benches": {"load": {"variants": {"ours": {"ours": True, "ratio": ratio, "seconds": seconds}}}}}

    assert [one.worse for one in moved(run(2.0, 1.9, 2.1, 1), run(*now, 50))] == told


def test_a_run_is_saved_and_a_later_one_fails_where_a_ratio_got_worse(parcels: Workplace) -> None:
    file = parcels.path("rules").parent / "run.json"
    first = bench(parcels, "two", "--save", str(file))
    assert (first.exit_code, "peak MB" in first.output) == (0, True)
    saved = json.loads(file.read_text())
    assert saved["benches"]["two"]["variants"]["long"]["ratio"] == {"median": 2, "low": 2, "high": 2}
    assert bench(parcels, "two", "--compare", str(file)).exit_code == 0
    saved["benches"]["two"]["variants"]["long"]["ratio"] = {"median": 1, "low": 0.9, "high": 1.1}
    file.write_text(json.dumps(saved))
    worse = bench(parcels, "two", "--compare", str(file))
    assert (worse.exit_code, "two, long: worse, 1 -> 2" in worse.output) == (1, True)


def test_what_another_package_is_missing_for_is_left_out_and_said(parcels: Workplace) -> None:
    ended = bench(parcels, "absent", "--json")
    assert (ended.exit_code, "left out: absent: it is not installed" in ended.stderr) == (0, True)
    assert json.loads(ended.stdout)["benches"] == {}


def test_a_misspelt_bench_gets_the_nearest_back(parcels: Workplace) -> None:
    ended = bench(parcels, "two", "lod")
    assert (ended.exit_code, "there is no bench `lod`; did you mean `load`" in ended.output) == (2, True)


def test_a_file_that_is_no_saved_run_is_refused(parcels: Workplace) -> None:
    file = parcels.path("rules").parent / "other.json"
    file.write_text("[1]")
    ended = bench(parcels, "two", "--compare", str(file))
    assert (ended.exit_code, "is no saved run of `fitcard bench`" in ended.output) == (2, True)


def test_formulas_by_hand_are_those_of_the_rules(formulas: Any, rulebook: Rulebook) -> None:
    rows = formulas.rows_by_lot(rulebook, 500)
    with np.errstate(all="ignore"):
        found = formulas.in_numpy(formulas.Catalogs(rulebook), rows)
    formulas.check_same(formulas.by_rules(rulebook, rows), found, "numpy", 1e-12)


def test_formulas_by_hand_are_refused_once_a_rule_has_changed(formulas: Any, whole_copy: Workplace) -> None:
    whole_copy.edit("rules/profiles/reference.yaml", "value: 0.088", "value: 0.089")
    bench_of = next(one for one in formulas.BENCHES if one.name == "formulas-100")
    with pytest.raises(NotComparable, match="`ttft` in numpy"), bench_of.set_up(Setting(whole_copy.folders)):
        pass


@pytest.mark.parametrize("name", ["zen-page", "cel-page"])
def test_other_engines_give_what_the_rules_give(formulas: Any, rulebook: Rulebook, name: str) -> None:
    pytest.importorskip("zen" if name.startswith("zen") else "cel_expr_python")
    bench_of = next(one for one in formulas.BENCHES if one.name == name)
    with bench_of.set_up(Setting.of_project()) as contest:
        assert len(contest.variants) == 2


def test_a_sweep_asks_every_question_over_its_share_of_the_catalog(parcels: Workplace) -> None:
    rulebook = parcels.load()
    every, few = sweep_of(rulebook, Fraction(1)), sweep_of(rulebook, Fraction(1, 1000))
    assert answered(every) == math.prod(len(ids) for ids in every.ids.values())
    assert answered(few) * max(len(ids) for ids in every.ids.values()) == answered(every)


def test_benches_beside_the_tests_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(every, "BESIDE", Path(__file__).parent)  # the engine may be installed elsewhere
    names = [one.name for one in all_benches()]
    assert len(names) == len(set(names))
    assert {"formulas-10000", "zen-page", "cel-page", "larger", "sweep", "http", "load", "processes"} <= set(names)
