"""How long an address may be. How large a body may be is for Flask to see to, which reads it."""

from __future__ import annotations

from flask import Flask, request

from fitcard.answer.problems import AddressTooLong
from fitcard.web.errors import refused
from fitcard.web.options import Limits


def install(app: Flask, limits: Limits) -> None:
    """Refuses longer addresses and larger bodies than the limits say."""
    app.config["MAX_CONTENT_LENGTH"] = limits.body

    @app.before_request
    def not_too_long() -> None:
        if len(request.path) + len(request.query_string) > limits.address:
            raise refused(AddressTooLong, slots={"most": limits.address})
