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

from flask import Flask, Response, current_app, g

from engine.answer.question import Question
from engine.service.request_log import elapsed_ms
from engine.service.responses import written

EXTENSION = "decisions"
Decision = Mapping[str, Any]


def install(app: Flask, path: Path | None) -> None:
    """Notes what was decided in each request; nothing where there is no file.

    A file that was moved away is begun anew, as those who rotate logs expect. Raises OSError where none can be written.
    """
    if path is None:
        return
    file = WatchedFileHandler(path, encoding="utf-8")
    app.extensions[EXTENSION] = file

    @app.after_request
    def note(response: Response) -> Response:
        for decision in getattr(g, "decisions", ()):
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "request_id": g.request_id,
                **decision,
                "duration_ms": elapsed_ms(),
                "cached": g.kept,
            }
            file.emit(logging.makeLogRecord({"msg": "%s", "args": (json.dumps(line),)}))
        return response


def decided(question: Question, built: Mapping[str, Any]) -> None:
    """Keeps what was asked and answered, until the request is over; nothing where nobody wants to know."""
    if EXTENSION not in current_app.extensions:
        return
    asked: dict[str, Any] = {**question.entries, **question.inputs, "profile": question.profile}
    if question.overrides:
        asked["overrides"] = dict(question.overrides)
    if question.own:
        asked["own"] = {axis: dict(own.entry.data) for axis, own in question.own.items()}
    answered = hashlib.sha256(written(built).encode()).hexdigest()
    g.decisions = (
        *getattr(g, "decisions", ()),
        {"question": asked, "rules": g.rulebook.sha256, "answer": answered},
    )
