"""One record for each request, never with what was asked or answered, where anybody listens to the log."""

from __future__ import annotations

import logging

from fitcard.service.records import Served

NAME = "fitcard.requests"
FIELDS = "request"  # the attribute of a record that holds its fields
log = logging.getLogger(NAME)


def note(served: Served) -> None:
    """Notes a request that has been answered."""
    if log.isEnabledFor(logging.INFO):
        log.info("request", extra={FIELDS: _fields(served)})


def _fields(served: Served) -> dict[str, object]:
    return {
        "method": served.method,
        "path": served.path,
        "status": served.status,
        "duration_ms": served.elapsed_ms,
        "bytes": served.size,
        "request_id": served.request_id,
        "rules": served.rules,
    }
