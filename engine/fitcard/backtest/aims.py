"""What the back-test asks of the rules: a median error that is not to be passed."""

from __future__ import annotations

from collections.abc import Iterator

from fitcard.backtest.comparison import compare
from fitcard.codes import Code
from fitcard.problems import Problem
from fitcard.rulebook.rulebook import Rulebook


class BacktestAim(Code):
    """Estimates of a quantity are farther from what was measured than the back-test allows.

    Why: who relies on how near estimates come must learn of it when they no longer do.
    Avoid: a change that makes one kind of run right and another wrong.
    Prefer: one after which `fitcard backtest` is as near as before, or a new `median_error_at_most` that says why.
    """


def aim_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """The quantities whose median error by the default profile is above `median_error_at_most`.

    Raises ProblemsFound where a run does not say enough to be asked.
    """
    backtest = rulebook.backtest
    for one in compare(rulebook, rulebook.default_profile) if backtest else ():
        aim, median = one.quantity.aim, one.summary.median
        if backtest and aim is not None and median > aim:
            message = f"`{one.quantity.title}` is {median:.1%} off measured runs (median), and {aim:.1%} is the most"
            hint = f"`fitcard backtest --worst 5` shows which of its {len(one.runs)} runs are farthest off"
            yield backtest.document.problem(BacktestAim, message, one.quantity.path, key=True, hint=hint)
