"""What operators see of each request: the request log and the log of decisions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import request

from fitcard.answer.question import Question
from fitcard.source.text import show, show_line
from fitcard.web.options import JSON_LOG, NO_LOG
from fitcard.web.responses import to_json

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MS_PER_S, DIGITS = 1000, 3
INDENT = "    "
REQUEST_ID, REQUEST_ID_VARIABLE = "X-Request-Id", "HTTP_X_REQUEST_ID"
ID_BYTES = 16
VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # of a proxy; safe in every log
NO_ROUTE = "none"  # paths that do not exist share one time series


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """A request with its response, of `size` bytes of body, by the rules with that hash.

    `started` is a time of `time.perf_counter`. `cached` is None for responses that cannot be cached. `decisions` are
    entries of the decision log.
    """

    request_id: str
    started: float
    method: str
    path: str
    route: str
    status: int
    size: int
    rules: str
    cached: bool | None
    decisions: tuple[Mapping[str, Any], ...]

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the request started."""
        return round((time.perf_counter() - self.started) * MS_PER_S, DIGITS)


Recorder = Callable[[ServedRequest], None]


def request_id(environ: WSGIEnvironment) -> str:
    """The identifier of a request: that of a proxy, or a new one."""
    identifier = environ.get(REQUEST_ID_VARIABLE, "")
    return identifier if identifier and VALID_ID.fullmatch(identifier) else os.urandom(ID_BYTES).hex()


def route() -> str:
    """The route of the current request."""
    return request.url_rule.rule if request.url_rule else NO_ROUTE


REQUEST_LOGGER = "fitcard.requests"
FIELDS = "request"  # the attribute of a log record that holds its fields
LOGGERS = ("fitcard", "waitress")
SHORT_HASH = 12  # characters
request_logger, service_logger = logging.getLogger(REQUEST_LOGGER), logging.getLogger("fitcard")
WARNING_SECONDS = 60.0  # between two warnings that decisions are lost


def log_request(served: ServedRequest) -> None:
    """Writes a request to the request log."""
    if request_logger.isEnabledFor(logging.INFO):
        fields = {
            "method": served.method,
            "path": served.path,
            "status": served.status,
            "duration_ms": served.elapsed_ms,
            "bytes": served.size,
            "request_id": served.request_id,
            "rules": served.rules,
        }
        request_logger.info("request", extra={FIELDS: fields})


def configure_logging(log_format: str) -> None:
    """Logs to standard error, as `text` or `json`; with `none` only warnings and errors, as text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == JSON_LOG else TextFormatter())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    request_logger.setLevel(logging.WARNING if log_format == NO_LOG else logging.INFO)


class JsonFormatter(logging.Formatter):
    """An object per line: time, level, and the fields of a request or the message."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, object] = {"time": _timestamp(record), "level": record.levelname.lower()}
        line |= getattr(record, FIELDS, None) or {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextFormatter(logging.Formatter):
    """The fields of a request separated by spaces; else the message, followed by a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        fields = getattr(record, FIELDS, None)
        if not fields:
            line = f"{_timestamp(record)} {record.levelname.lower()} {show_line(record.getMessage())}"
            traceback = show(self.formatException(record.exc_info)) if record.exc_info else ""
            return f"{line}\n{indent(traceback, INDENT)}" if traceback else line  # its lines are no lines of their own
        path = quote(fields["path"])  # cannot forge a line
        line = f"{fields['method']} {path} {fields['status']} {fields['duration_ms']}ms {fields['bytes']}B"
        return f"{_timestamp(record)} {line} {fields['request_id']} {fields['rules'][:SHORT_HASH]}"


def _timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class DecisionLog(WatchedFileHandler):
    """A file with a line of JSON for each answer; after rotation a new file is begun.

    Lines that cannot be written are lost; `on_lost` is called with their number. Raises OSError on construction where
    the file cannot be written.
    """

    def __init__(self, path: Path, on_lost: Callable[[int], None] = lambda _: None) -> None:
        super().__init__(path, encoding="utf-8")
        self._on_lost, self._warned_at = on_lost, -WARNING_SECONDS

    def record(self, served: ServedRequest) -> None:
        """Logs the decisions of a request."""
        for decision in served.decisions:
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "request_id": served.request_id,
                **decision,
                "duration_ms": served.elapsed_ms,
                "cached": bool(served.cached),
            }
            self.handle(logging.makeLogRecord({"msg": "%s", "args": (json.dumps(line),)}))

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line; begins a new file where the old one was moved or could not be written."""
        try:
            if self.stream is None:
                self.stream = self._open()
                self._statstream()
            self.reopenIfNeeded()
            self.stream.write(self.format(record) + self.terminator)
            self.stream.flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Counts a line that is lost, and closes the file: what it buffers could be written half."""
        self._on_lost(1)
        if self.stream is not None:
            with contextlib.suppress(OSError):
                self.stream.close()
            self.stream = None
        now = time.monotonic()
        if now - self._warned_at >= WARNING_SECONDS:
            self._warned_at = now
            service_logger.warning("decisions are lost: %s cannot be written: %s", self.baseFilename, error.strerror)


def decision(question: Question, answer: Mapping[str, Any], rules: str) -> dict[str, Any]:
    """The entry of the decision log for the answer to a question, by the rules with that hash."""
    fields: dict[str, Any] = {**question.entries, **question.inputs, "profile": question.profile}
    if question.overrides:
        fields["overrides"] = dict(question.overrides)
    if question.custom_entries:
        fields["own"] = {axis: dict(custom.entry.data) for axis, custom in question.custom_entries.items()}
    return {"question": fields, "rules": rules, "answer": hashlib.sha256(to_json(answer)).hexdigest()}
