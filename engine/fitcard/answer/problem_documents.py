"""Problems as a caller is told them over HTTP: RFC 9457 problem documents, in the words of the messages."""

from __future__ import annotations

from collections.abc import Container
from http import HTTPStatus
from typing import Any

from fitcard.answer.problems import (
    UnknownCatalog,
    UnknownCatalogEntry,
    UnknownEntry,
    UnknownEntryFar,
    UnknownProblem,
    UnknownRanking,
    UnknownRule,
    question_problem,
    word_problems,
)
from fitcard.problems import ProblemsError, all_codes
from fitcard.rulebook.messages import Texts
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest

NOT_THERE = {
    UnknownEntry, UnknownEntryFar, UnknownCatalog, UnknownCatalogEntry, UnknownRule, UnknownRanking, UnknownProblem,
}  # fmt: skip
NO_PAGE = "about:blank"
MAX_PROBLEMS = 50  # of the problems of one question: a body full of mistakes would come back many times as large
TITLES: Texts = {
    text: frozenset()
    for text in (
        "not-found", "unreadable", "failed",
        "title-question", "title-not-found", "title-rules", "title-error", "title-refused",
    )
}  # fmt: skip


def problem_codes() -> list[str]:
    """The kinds of problems that have a page, in alphabetical order."""
    return list(all_codes())


def problem_page(code: str) -> str:
    """The page of a kind of problem as text. Raises ProblemsFound where there is no such kind."""
    if code not in all_codes():
        raise ProblemsError([question_problem(UnknownProblem, "code", code, closest(code, all_codes()))])
    return all_codes()[code].page()


def problem_document(
    rulebook: Rulebook,
    found: ProblemsError | int,
    path: str,
    parameters: Container[str] = (),
    refused: HTTPStatus | None = None,
) -> dict[str, Any]:
    """The document for problems that were found, or for a bare HTTP status; `status` says which to send.

    Its `type` is the address of the page that explains the problem, where all are of one kind.

    What the path names and is not there is 404; a fault of a question or of its `parameters` is 400; a fault of the
    rules is 500. A request that was refused before its question was read has the status with which it was `refused`.
    """
    if isinstance(found, int):
        title, detail = _bare(found)
        title, detail = (rulebook.messages.problem(text) for text in (title, detail))
        return {"type": NO_PAGE, "title": title, "status": found, "detail": detail, "instance": path}
    kinds = {problem.kind for problem in found.problems}
    told_of = word_problems(found.problems[:MAX_PROBLEMS], rulebook.messages)
    if {kind.id for kind in kinds} - set(
        rulebook.messages.problems
    ):  # not a caller's fault: the rules themselves failed
        status, title = HTTPStatus.INTERNAL_SERVER_ERROR, "title-rules"
    elif refused is not None:
        status, title = refused, _bare(refused)[0]
    elif kinds <= NOT_THERE and not any(problem.field in parameters for problem in found.problems):
        status, title = HTTPStatus.NOT_FOUND, "title-not-found"
    else:
        status, title = HTTPStatus.BAD_REQUEST, "title-question"
    return {
        "type": next(iter(kinds)).link() if len(kinds) == 1 else NO_PAGE,
        "title": rulebook.messages.problem(title),
        "status": int(status),
        "detail": " ".join(problem.message for problem in told_of),
        "instance": path,
        "problems": [problem.as_dict() for problem in told_of],
    }


def _bare(status: int) -> tuple[str, str]:
    """The texts of a title and a detail for a status of which nothing more is known."""
    if status == HTTPStatus.NOT_FOUND:
        return "title-not-found", "not-found"
    return ("title-error", "failed") if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ("title-refused", "unreadable")
