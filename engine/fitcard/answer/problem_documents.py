"""Problem documents (RFC 9457) of the service, in the language of the messages, and the pages of problem codes."""

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

NOT_FOUND_KINDS = {
    UnknownEntry, UnknownEntryFar, UnknownCatalog, UnknownCatalogEntry, UnknownRule, UnknownRanking, UnknownProblem,
}  # fmt: skip
NO_PAGE = "about:blank"
MAX_PROBLEMS = 50  # in a document, which could be much larger than the request body otherwise
TITLES: Texts = {
    text: frozenset()
    for text in (
        "not-found", "unreadable", "failed",
        "title-question", "title-not-found", "title-rules", "title-error", "title-refused",
    )
}  # fmt: skip


def problem_codes() -> list[str]:
    """All problem codes, in alphabetical order."""
    return list(all_codes())


def problem_page(code: str) -> str:
    """The page of a problem code as text. Raises ProblemsError if it does not exist."""
    if code not in all_codes():
        raise ProblemsError([question_problem(UnknownProblem, "code", code, closest(code, all_codes()))])
    return all_codes()[code].page()


def problem_document(
    rulebook: Rulebook,
    error: ProblemsError | int,
    path: str,
    parameters: Container[str] = (),
    refused: HTTPStatus | None = None,
) -> dict[str, Any]:
    """The document for an error, or for a bare HTTP status; its `status` is the one of the response.

    - 404: the `path` names something that does not exist
    - 400: a parameter of the question, or one of `parameters`, is invalid
    - 500: the rules gave an error
    - `refused`: the request was refused before its question was read

    If all problems are of one kind, `type` is the address of its page.
    """
    if isinstance(error, int):
        title, detail = (rulebook.messages.problem(text) for text in _status_texts(error))
        return {"type": NO_PAGE, "title": title, "status": error, "detail": detail, "instance": path}
    kinds = {problem.kind for problem in error.problems}
    problems = word_problems(error.problems[:MAX_PROBLEMS], rulebook.messages)
    if {kind.id for kind in kinds} - rulebook.messages.problems.keys():  # problems of rules, not of questions
        status, title = HTTPStatus.INTERNAL_SERVER_ERROR, "title-rules"
    elif refused is not None:
        status, title = refused, _status_texts(refused)[0]
    elif kinds <= NOT_FOUND_KINDS and not any(problem.field in parameters for problem in error.problems):
        status, title = HTTPStatus.NOT_FOUND, "title-not-found"
    else:
        status, title = HTTPStatus.BAD_REQUEST, "title-question"
    return {
        "type": next(iter(kinds)).link() if len(kinds) == 1 else NO_PAGE,
        "title": rulebook.messages.problem(title),
        "status": int(status),
        "detail": " ".join(problem.message for problem in problems),
        "instance": path,
        "problems": [problem.as_dict() for problem in problems],
    }


def _status_texts(status: int) -> tuple[str, str]:
    """The keys of title and detail for a status without problems."""
    if status == HTTPStatus.NOT_FOUND:
        return "title-not-found", "not-found"
    return ("title-error", "failed") if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ("title-refused", "unreadable")
