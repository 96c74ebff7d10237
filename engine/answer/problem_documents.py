"""Problems as a caller is told them over HTTP: RFC 9457 problem documents, in the words of the messages."""

from __future__ import annotations

from collections.abc import Container
from http import HTTPStatus
from typing import Any

from engine.problems import ProblemsFound
from engine.rulebook.messages import Texts
from engine.rulebook.rulebook import Rulebook

NOT_THERE = ("unknown-entry", "unknown-entry-far", "unknown-catalog", "unknown-catalog-entry", "unknown-rule")
TITLES: Texts = {
    title: frozenset() for title in ("not-found", "title-question", "title-not-found", "title-rules", "title-error")
}


def problem_document(
    rulebook: Rulebook, found: ProblemsFound | int, path: str, parameters: Container[str] = ()
) -> dict[str, Any]:
    """The document for problems that were found, or for a bare HTTP status; `status` says which to send.

    What the path names and is not there is 404; a fault of a question or of its `parameters` is 400; a fault of the
    rules is 500.
    """
    if isinstance(found, int):
        gone = found == HTTPStatus.NOT_FOUND
        title = rulebook.messages.problem("title-not-found" if gone else "title-error")
        detail = rulebook.messages.problem("not-found") if gone else HTTPStatus(found).phrase
        return {"type": "about:blank", "title": title, "status": found, "detail": detail, "instance": path}
    codes = {problem.code for problem in found.problems}
    if codes - set(rulebook.messages.problems):  # not a caller's fault: the rules themselves failed
        status, title = HTTPStatus.INTERNAL_SERVER_ERROR, "title-rules"
    elif codes <= set(NOT_THERE) and not any(problem.field in parameters for problem in found.problems):
        status, title = HTTPStatus.NOT_FOUND, "title-not-found"
    else:
        status, title = HTTPStatus.BAD_REQUEST, "title-question"
    return {
        "type": "about:blank",
        "title": rulebook.messages.problem(title),
        "status": int(status),
        "detail": " ".join(problem.message for problem in found.problems),
        "instance": path,
        "problems": [problem.as_dict() for problem in found.problems],
    }
