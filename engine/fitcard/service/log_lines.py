"""How records of the log are written to standard error: a line of JSON each, or a line that people read."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from urllib.parse import quote

from fitcard.service.request_log import FIELDS, NAME

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
