"""`fitcard watch` goes on when files cannot be watched or read for a while."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import watchfiles

from fitcard.cli import watch
from helpers.workplace import Workplace


def test_watching_goes_on_after_an_error(
    small: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attempts = []

    def changes(*_: object, **__: object) -> Iterator[set[tuple[int, str]]]:
        attempts.append(1)
        if len(attempts) == 1:
            raise RuntimeError("a name that is no text")
        small.edit("rules/fit.yaml", "value: 5, ", "value: 6, ")
        yield {(1, str(small.path("rules/fit.yaml")))}

    monkeypatch.setattr(watchfiles, "watch", changes)
    monkeypatch.setattr(watch, "TIMEOUT", 0)
    assert list(watch._saves(small.folders)) == [["fit.yaml"]]
    assert "trying again: a name that is no text" in capsys.readouterr().err
