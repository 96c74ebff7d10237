"""Responses are kept, and given again to the very same question while the rules are the same."""

from __future__ import annotations

from flask import Flask, Response, g, request

from engine.response_cache import Kept, ResponseCache
from engine.service.responses import HTML, page


def install(app: Flask, cache: ResponseCache) -> None:
    """Answers from the cache what was answered before, and keeps what is new."""

    @app.before_request
    def answered_before() -> Response | None:
        kept = cache.get(question_key()) if request.method == "GET" else None
        if kept is None:
            return None
        g.kept, g.decisions = True, kept.decisions
        return page(kept.body, kept.mimetype)

    @app.after_request
    def keep(response: Response) -> Response:
        if request.method == "GET" and getattr(g, "keeps", False) and not g.kept:
            cache.put(question_key(), Kept(g.body, response.mimetype or HTML, getattr(g, "decisions", ())))
        return response


def question_key() -> tuple[str, ...]:
    """What makes two requests the same: the rules, the language and the whole address."""
    return (g.rulebook.sha256, g.rulebook.messages.language, request.full_path)
