"""The request log and how its records are written, and the decision log."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import current_app, g

from fitcard.answer.question import Question
from fitcard.web.access import ServedRequest
from fitcard.web.responses import to_json

NAME = "fitcard.requests"
FIELDS = "request"  # the attribute of a record that holds its fields
log = logging.getLogger(NAME)


def note(served: ServedRequest) -> None:
    """Notes a request that has been answered."""
    if log.isEnabledFor(logging.INFO):
        log.info("request", extra={FIELDS: _fields(served)})


def _fields(served: ServedRequest) -> dict[str, object]:
    return {
        "method": served.method,
        "path": served.path,
        "status": served.status,
        "duration_ms": served.elapsed_ms,
        "bytes": served.size,
        "request_id": served.request_id,
        "rules": served.rules,
    }


TEXT, JSON, NONE = KINDS = ("text", "json", "none")
LOGGERS = ("fitcard", "waitress")  # whose records these are
SHORT = 12  # letters of a hash that people tell apart


def configure(kind: str) -> None:
    """Writes records of the service from now on as `text` or `json`; with `none` only what goes wrong, as text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if kind == JSON else TextLines())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    logging.getLogger(NAME).setLevel(logging.WARNING if kind == NONE else logging.INFO)


class JsonLines(logging.Formatter):
    """An object a line: when, how severe, and the fields of a request or what else is said."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, object] = {"time": _when(record), "level": record.levelname.lower()}
        line |= getattr(record, FIELDS, None) or {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextLines(logging.Formatter):
    """The fields of a request with spaces between; else what is said, and where it went wrong below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        fields = getattr(record, FIELDS, None)
        if not fields:
            said = f"{_when(record)} {record.levelname.lower()} {record.getMessage()}"
            return f"{said}\n{self.formatException(record.exc_info)}" if record.exc_info else said
        path = quote(fields["path"])  # no line of a caller's own making
        shown = f"{fields['method']} {path} {fields['status']} {fields['duration_ms']}ms {fields['bytes']}B"
        return f"{_when(record)} {shown} {fields['request_id']} {fields['rules'][:SHORT]}"


def _when(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


EXTENSION = "decisions"


class DecisionLog(WatchedFileHandler):
    """The file that they stand in. One that was moved away is begun anew, as those who rotate logs expect.

    Raises OSError, when it is made, where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")

    def note(self, served: ServedRequest) -> None:
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


def log_decision(question: Question, built: Mapping[str, Any]) -> None:
    """Keeps what was asked and answered, until the request is over; nothing where nobody wants to know."""
    if EXTENSION not in current_app.extensions:
        return
    asked: dict[str, Any] = {**question.entries, **question.inputs, "profile": question.profile}
    if question.overrides:
        asked["overrides"] = dict(question.overrides)
    if question.own:
        asked["own"] = {axis: dict(own.entry.data) for axis, own in question.own.items()}
    answered = hashlib.sha256(to_json(built)).hexdigest()
    g.decisions = (
        *getattr(g, "decisions", ()),
        {"question": asked, "rules": g.rulebook.sha256, "answer": answered},
    )
