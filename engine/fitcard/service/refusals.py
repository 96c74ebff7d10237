"""Requests that are refused before anybody looks at the question: too large, too many, without a key, too late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from fitcard.answer.told import told
from fitcard.codes import Code
from fitcard.problems import Problem, ProblemsFound
from fitcard.rulebook.messages import Texts
from fitcard.rulebook.rulebook import Rulebook


class BodyUnreadable(Code):
    """The body of a request is not JSON.

    Why: nothing of it could be read.
    Avoid: `{"parcel": "piano",}`
    Prefer: `{"parcel": "piano"}`
    """


class MethodNotAllowed(Code):
    """An address does not take the method of the request; those that it takes are listed.

    Why: what is only read cannot be written, and the other way round.
    Avoid: `DELETE /v1/rules`
    Prefer: `GET /v1/rules`
    """


class BodyTooLarge(Code):
    """The body of a request is larger than the service takes.

    Why: one caller could take the memory of all.
    Avoid: thousands of questions in one body.
    Prefer: several requests; `fitcard serve --body-bytes` says how large a body may be.
    """


class AddressTooLong(Code):
    """An address with its parameters is longer than the service takes.

    Why: no question needs so many words, and reading them takes time from others.
    Avoid: an entry of one's own with long texts as parameters of an address.
    Prefer: the same question as the body of `POST /v1/can-run`.
    """


class NotJson(Code):
    """The body of a request does not say that it is JSON.

    Why: a form of another site could be sent here unnoticed.
    Avoid: `curl -d '{...}'` alone, which sends a form
    Prefer: `curl --json '{...}'`, or the header `Content-Type: application/json`.
    """


class KeyNeeded(Code):
    """The service answers only those who have an API key, and the request has none that it knows.

    Why: whoever runs the service decides whom it answers.
    Avoid: a request without a key, or with one that was taken back.
    Prefer: the header `Authorization: Bearer KEY`.
    """


class TooManyRequests(Code):
    """A caller has asked more often than the service allows.

    Why: all callers share its processors.
    Avoid: asking again at once.
    Prefer: waiting as long as the header `Retry-After` says, and `POST /v1/batch` for many questions.
    """


class TooManyQuestions(Code):
    """A batch holds more questions than the service takes at once.

    Why: one caller could keep it busy for all others.
    Avoid: one batch for everything there is.
    Prefer: several batches; `fitcard serve --batch-questions` says how many questions one may hold.
    """


class DeadlinePassed(Code):
    """A question of a batch was not answered, since the time for the batch was used up by those before it.

    Why: whoever waits gets what there is, and a batch does not keep others waiting without end.
    Avoid: a batch that takes longer than the service gives it.
    Prefer: the questions that were left, in a batch of their own.
    """


class Stopping(Code):
    """The service is being stopped and takes no new questions.

    Why: what is under way is still answered, and nothing is cut off.
    Avoid: asking the same process again.
    Prefer: another one, or this one a little later.
    """


ASKED: Texts = {  # what each text may name
    kind.id: frozenset({"field", "given", "closest"})
    for kind in (BodyUnreadable, MethodNotAllowed, NotJson, KeyNeeded, DeadlinePassed, Stopping)
}
REFUSED: Texts = {
    **ASKED,
    BodyTooLarge.id: frozenset({"field", "given", "closest", "most"}),
    AddressTooLong.id: frozenset({"field", "given", "closest", "most"}),
    TooManyQuestions.id: frozenset({"field", "given", "closest", "most"}),
    TooManyRequests.id: frozenset({"field", "given", "closest", "most", "window", "seconds"}),
}
STATUS: Mapping[type[Code], HTTPStatus] = {
    BodyUnreadable: HTTPStatus.BAD_REQUEST,
    TooManyQuestions: HTTPStatus.BAD_REQUEST,
    KeyNeeded: HTTPStatus.UNAUTHORIZED,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    AddressTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    NotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    DeadlinePassed: HTTPStatus.SERVICE_UNAVAILABLE,
    Stopping: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Refused(ProblemsFound):
    """Raised where a request is refused: with which `status`, and `headers` that say what to do."""

    def __init__(self, problem: Problem, headers: Mapping[str, str]) -> None:
        super().__init__([problem])
        self.status = STATUS[problem.kind]
        self.headers = headers


def refused(
    rulebook: Rulebook,
    kind: type[Code],
    field: str = "",
    given: object = "",
    near: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    slots: Mapping[str, object] | None = None,
) -> Refused:
    """The refusal of this kind in the words of the messages, with further `slots`; its status is that of the kind."""
    more = {name: str(value) for name, value in (slots or {}).items()}
    return Refused(told(rulebook, kind, field, given, near, **more), headers or {})
