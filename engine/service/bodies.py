"""The JSON body of a request: that it says it is JSON, and that it can be read."""

from __future__ import annotations

import json
from typing import Any

from flask import g, request

from engine.answer.body_shape import BODY
from engine.service.refusals import BodyUnreadable, NotJson, refused


def json_body() -> Any:
    """The body as plain data.

    Raises Refused where it does not say that it is JSON, where it is none, or is nested without end; and
    RequestEntityTooLarge where it is too large.
    """
    if not request.is_json:
        raise refused(g.rulebook, NotJson, BODY)
    content = request.get_data()
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise refused(g.rulebook, BodyUnreadable, BODY) from None
