"""The JSON body of a request: that it says it is JSON, and that it can be read."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import g, request

from fitcard.answer.body_shape import BODY
from fitcard.service.refusals import BodyUnreadable, NotJson, refused

HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # half of a character, which is no text without the other


def json_body() -> Any:
    """The body as plain data.

    Raises Refused where it does not say that it is JSON, where it is none, holds NaN or half a character, or is nested
    without end; and RequestEntityTooLarge where it is too large.
    """
    if not request.is_json:
        raise refused(g.rulebook, NotJson, BODY)
    content = request.get_data()
    try:
        body = json.loads(content, parse_constant=_refuse)
        if HALF.search(content):
            json.dumps(body, ensure_ascii=False).encode()
        return body
    except (ValueError, RecursionError):
        raise refused(g.rulebook, BodyUnreadable, BODY) from None


def _refuse(constant: str) -> None:
    """Raises ValueError: NaN and Infinity, which Python reads, are no JSON."""
    raise ValueError(constant)
