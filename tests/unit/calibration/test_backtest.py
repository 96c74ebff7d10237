"""`fitcard backtest`: errors of estimates against measured runs, weighted and divided into groups."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from helpers.workplace import Workplace


def test_errors_are_weighted_and_exclude_runs_that_do_not_apply(small: Workplace) -> None:
    ended = CliRunner().invoke(main, [*small.options, "backtest", "--by", "device", "--worst", "1", "--json"])
    assert ended.exit_code == 0, ended.output
    (load,) = json.loads(ended.output)["quantities"]
    errors = load["profiles"]["plain"]
    # 9.6 s for 12 s weigh 1, 2 s for 1.5 s weigh half, 1.2 s for 1.2 s weigh 1. Llama 70B does not run on an M1, and
    # the tier of the last run has no weight: the errors 0, 20 and 33 % lie at 20, 60 and 90 % of the weight.
    assert (load["name"], errors["count"]) == ("load", 3)
    assert errors["median"] == pytest.approx(0.15)
    assert errors["ninetieth"] == pytest.approx(1 / 3)
    assert errors["bias"] == pytest.approx(-0.05)
    assert errors["within"] == pytest.approx([0.4, 0.8])
    assert {device: (part["count"], part["median"]) for device, part in errors["by"].items()} == {
        "h100-80gb": (2, pytest.approx(0.1)),
        "m1-16gb": (1, pytest.approx(1 / 3)),
    }
    (worst,) = errors["worst"]
    assert (worst["run"], worst["at"], worst["measured"], worst["computed"]) == (
        "run-2",
        "catalogs/runs.yaml:5:3",
        1.5,
        2,
    )
    assert worst["error"] == pytest.approx(1 / 3)


def test_a_back_test_is_drawn_as_a_table(small: Workplace) -> None:
    ended = CliRunner().invoke(main, [*small.options, "backtest", "--by", "fit", "--worst", "2"])
    assert ended.exit_code == 0, ended.output
    assert ended.output.splitlines() == [
        "quantity   runs  median  90 %    bias  ≤ 10 %  ≤ 30 %",
        "Load time     3  15.0 %  33 %  -5.0 %    40 %    80 %",
        "  easy        1   0.0 %   0 %  +0.0 %   100 %   100 %",
        "  tight       2  24.4 %  33 %  -2.2 %     0 %    67 %",
        "",
        "Load time, plain: largest errors",
        "         1.5 measured          2   +33 %  run-2  catalogs/runs.yaml:5:3",
        "          12 measured        9.6   -20 %  run-1  catalogs/runs.yaml:4:3",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "devic"], "there is no axis and no name `devic`; did you mean `device`?"),
        (["--by", "rusn"], "there is no axis and no name `rusn`; did you mean `runs`?"),
        (["--by", "weather"], "there is no axis and no name `weather`"),
        (["--profile", "plian"], "there is no profile `plian`; did you mean `plain`?"),
    ],
)
def test_an_unknown_group_or_profile_has_the_closest(small: Workplace, options: list[str], message: str) -> None:
    ended = CliRunner().invoke(main, [*small.options, "backtest", *options])
    assert ended.exit_code == 2
    assert message in ended.output


def test_rules_without_a_back_test_are_refused(small: Workplace) -> None:
    small.path("rules/backtest.yaml").unlink()
    assert small.problems() == []
    ended = CliRunner().invoke(main, [*small.options, "backtest"])
    assert ended.exit_code == 2
    assert "the rules folder has no file of `kind: backtest`" in ended.output
