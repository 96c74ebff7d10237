"""A log of decisions: which question got which answer by which rules, one object of JSON in each line of a file."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from flask import current_app, g

from fitcard.answer.question import Question
from fitcard.service.records import Served
from fitcard.service.responses import written

EXTENSION = "decisions"


class DecisionLog(WatchedFileHandler):
    """The file that they stand in. One that was moved away is begun anew, as those who rotate logs expect.

    Raises OSError, when it is made, where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")

    def note(self, served: Served) -> None:
        """Notes what was decided in a request."""
        for decision in served.decisions:
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "request_id": served.request_id,
                **decision,
                "duration_ms": served.elapsed_ms,
                "cached": bool(served.cached),
            }
            self.emit(logging.makeLogRecord({"msg": "%s", "args": (json.dumps(line),)}))


def decided(question: Question, built: Mapping[str, Any]) -> None:
    """Keeps what was asked and answered, until the request is over; nothing where nobody wants to know."""
    if EXTENSION not in current_app.extensions:
        return
    asked: dict[str, Any] = {**question.entries, **question.inputs, "profile": question.profile}
    if question.overrides:
        asked["overrides"] = dict(question.overrides)
    if question.own:
        asked["own"] = {axis: dict(own.entry.data) for axis, own in question.own.items()}
    answered = hashlib.sha256(written(built)).hexdigest()
    g.decisions = (
        *getattr(g, "decisions", ()),
        {"question": asked, "rules": g.rulebook.sha256, "answer": answered},
    )
