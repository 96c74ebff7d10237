"""Problems of questions and requests: their kinds, and their wording in the messages of a language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.messages import Messages, Texts

MAX_WORD_LENGTH = 60  # characters of a value in a message
NO_MATCH, NOT_CONSTANT_NO_MATCH = "unknown-far", "not-a-constant-far"  # texts for problems without closest matches


class UnknownEntry(ProblemCode):
    """The catalog has no entry with that id, name or alias. The problem lists the closest matches.

    Why: an answer about another model or device than the one named would be misleading.
    Avoid: `device=m1-16g`
    Prefer: `device=m1-16gb`; `/v1/catalog/devices` lists all devices.
    """


class UnknownEntryFar(ProblemCode):
    """The catalog has no entry with that id, name or alias, and none that is similar.

    Why: an answer about another model or device than the one named would be misleading.
    Avoid: `device=abacus`
    Prefer: an entry listed by `/v1/catalog/<kind>`, such as `device=m1-16gb`.
    """


class UnknownParameter(ProblemCode):
    """The question has a parameter that does not exist.

    Why: a misspelt parameter would be ignored, and the answer would look as if it had been applied.
    Avoid: `?contxt=8192`
    Prefer: `?context=8192`
    """


class MissingParameter(ProblemCode):
    """A required parameter is missing.

    Why: the question cannot be answered without it, and there is no sensible default.
    Avoid: a question without `model`
    Prefer: `model=qwen-3-14b`
    """


class RepeatedParameter(ProblemCode):
    """A parameter is given more than once.

    Why: only one value can apply, and it is unclear which.
    Avoid: `?context=8192&context=16384`
    Prefer: `?context=8192`
    """


class NotANumber(ProblemCode):
    """The value of a numeric parameter is not a number.

    Why: values are never guessed.
    Avoid: `?context=long`
    Prefer: `?context=8192`
    """


class OutOfRange(ProblemCode):
    """A number is outside the allowed range. The problem states the bounds.

    Why: the rules are not meaningful beyond these bounds.
    Avoid: `?users=0`
    Prefer: `?users=1`
    """


class NotWhole(ProblemCode):
    """A number that must be an integer has a fractional part.

    Why: users, devices and layers come in whole numbers.
    Avoid: `?gpus=1.5`
    Prefer: `?gpus=2`
    """


class NotAChoice(ProblemCode):
    """A boolean parameter is neither true nor false.

    Why: values are never guessed.
    Avoid: `?explain=maybe`
    Prefer: `?explain=1`
    """


class NotABody(ProblemCode):
    """The request body is JSON, but not a question.

    Why: its parts cannot be interpreted as parameters.
    Avoid: `["qwen-3-14b", "m1-16gb"]`
    Prefer: `{"model": "qwen-3-14b", "device": "m1-16gb", "overrides": {"headroom_share": 0.1}}`
    """


class BodyWrong(ProblemCode):
    """A part of the request body does not match its schema. The problem names the part.

    Why: parts of a question are neither guessed nor ignored.
    Avoid: `{"model": "qwen-3-14b", "device": "m1-16gb", "overrides": [0.1]}`
    Prefer: `{"model": "qwen-3-14b", "device": "m1-16gb", "overrides": {"headroom_share": 0.1}}`; the schema is in
        `/openapi.json`.
    """


class UnknownConstant(ProblemCode):
    """An override names a constant that does not exist.

    Why: it would have no effect, and the answer would look as if it had been applied.
    Avoid: `--set hedroom_share=0.1`
    Prefer: `--set headroom_share=0.1`
    """


class NotAConstant(ProblemCode):
    """An override names a formula or a table.

    Why: a question can override constants only, so that all other rules apply as written.
    Avoid: `--set needed_memory=12`
    Prefer: `--set headroom_share=0.1`
    """


class UnknownCatalog(ProblemCode):
    """There is no catalog of that kind.

    Why: there is nothing to list.
    Avoid: `/v1/catalog/gpus`
    Prefer: `/v1/catalog/devices`; `/v1/catalog` lists all kinds.
    """


class UnknownCatalogEntry(ProblemCode):
    """The catalog has no entry with that id, name or alias.

    Why: there is nothing to show.
    Avoid: `/v1/catalog/devices/m1-16g`
    Prefer: `/v1/catalog/devices/m1-16gb`
    """


class UnknownRule(ProblemCode):
    """There is no rule with that name.

    Why: there is nothing to show.
    Avoid: `fitcard explain needed_memroy`
    Prefer: `fitcard explain needed_memory`
    """


class UnknownRanking(ProblemCode):
    """There is no ranking with that name.

    Why: there is nothing to rank.
    Avoid: `/v1/rank/gpus`
    Prefer: `/v1/rank/devices`; `/v1/rank` lists all rankings.
    """


class UnknownProblem(ProblemCode):
    """There is no problem code with that name.

    Why: there is no page to show.
    Avoid: `/problems/name-unknwon`
    Prefer: `/problems/name-unknown`; `/problems` lists all codes.
    """


class UnknownLanguage(ProblemCode):
    """There are no messages in the requested language. The problem lists the available ones.

    Why: a caller who requests a language explicitly may not understand another one.
    Avoid: `?lang=xx`
    Prefer: `?lang=en`; without `lang`, the best match for the header `Accept-Language` is used.
    """


class OwnEntryWrong(ProblemCode):
    """A field of a custom entry in the question does not match the schema of its catalog.

    Why: results for an impossible device or model are meaningless.
    Avoid: `{"device": {"like": "rtx-4090-24gb", "memory": "48 GB"}}`
    Prefer: `{"device": {"like": "rtx-4090-24gb", "memory": 48}}`; `schemas/` describes all fields.
    """


class InputsContradict(ProblemCode):
    """Inputs of the question contradict each other. The problem states both values.

    Why: an answer would hold for one of them only, and look as if it held for both.
    Avoid: `?context=1000&prompt=30000`
    Prefer: `?context=32000&prompt=30000`; without `context`, it is long enough for the prompt.
    """


class BeyondNumbers(ProblemCode):
    """With a figure or constant set by the question, a rule does not give a finite number.

    Why: `fitcard check` proves the rules finite for catalog entries and default constants, not for every possible
        value.
    Avoid: `{"device": {"like": "rtx-4090-24gb", "bandwidth": 5e-324}}`
    Prefer: a realistic figure, such as `"bandwidth": 1008`.
    """


class NoOwnEntry(ProblemCode):
    """The question has a custom entry for an axis that only takes catalog entries.

    Why: the rules refer to the entries of that catalog by id or family.
    Avoid: `{"quant": {"name": "Q4_X", "bits": 4}}`, since the rulebook has no `own` for `quant`
    Prefer: an entry listed by `/v1/catalog/<kind>`.
    """


class BodyUnreadable(ProblemCode):
    """The request body is not valid JSON.

    Why: it cannot be parsed.
    Avoid: `{"model": "qwen-3-14b", "device": "m1-16gb",}`
    Prefer: `{"model": "qwen-3-14b", "device": "m1-16gb"}`
    """


class MethodNotAllowed(ProblemCode):
    """The address does not support the HTTP method of the request. The problem lists the supported methods.

    Why: resources of the service are read-only, and questions with a body need POST.
    Avoid: `DELETE /v1/rules`
    Prefer: `GET /v1/rules`
    """


class BodyTooLarge(ProblemCode):
    """The request body exceeds the size limit of the service.

    Why: a single caller could exhaust the memory of the service.
    Avoid: thousands of questions in one body
    Prefer: several requests; `fitcard serve --body-bytes` sets the limit.
    """


class AddressTooLong(ProblemCode):
    """The URL, with its parameters, exceeds the length limit of the service.

    Why: no ordinary question is that long, and parsing it takes time away from other callers.
    Avoid: a custom entry with long texts as URL parameters
    Prefer: the same question as the body of `POST /v1/can-run`.
    """


class NotJson(ProblemCode):
    """The request does not declare its body as JSON.

    Why: browsers send forms to other sites without a preflight request; JSON requires one.
    Avoid: `curl -d '{...}'`, which declares a form
    Prefer: `curl --json '{...}'`, or the header `Content-Type: application/json`.
    """


class KeyNeeded(ProblemCode):
    """The service requires an API key, and the request has no valid one.

    Why: the operator decides who may use the service.
    Avoid: a request without a key, or with a revoked one
    Prefer: the header `Authorization: Bearer KEY`.
    """


class TooManyRequests(ProblemCode):
    """The caller has exceeded the rate limit of the service.

    Why: all callers share its CPUs.
    Avoid: retrying immediately
    Prefer: waiting for the time given by the header `Retry-After`; `POST /v1/batch` takes many questions at once.
    """


class TooManyQuestions(ProblemCode):
    """A batch has more questions than the service accepts.

    Why: a single caller could block the service for all others.
    Avoid: one batch for the whole catalog
    Prefer: several batches; `fitcard serve --batch-questions` sets the limit.
    """


class DeadlinePassed(ProblemCode):
    """The time limit of the batch passed before this question was answered.

    Why: callers receive partial results in time, and a batch does not block others indefinitely.
    Avoid: a batch that takes longer than `fitcard serve --batch-seconds`
    Prefer: another batch with the remaining questions.
    """


class ResponseFull(ProblemCode):
    """The answers to the questions before this one are as large as the response to a batch may be.

    Why: a single caller could exhaust the memory of the service.
    Avoid: a batch of a hundred questions with `"explain": true`, whose answers are 50 times as large
    Prefer: another batch with the remaining questions; `fitcard serve --response-bytes` sets the limit.
    """


class BatchAboveRate(ProblemCode):
    """A batch counts as more requests than the rate limit of the service ever allows at once.

    Why: it would be refused however long its caller waits.
    Avoid: a batch of 100 questions where 60 requests a minute are allowed
    Prefer: batches of at most that many questions; one with `"explain": true` counts as ten.
    """


class Stopping(ProblemCode):
    """The service is shutting down and does not accept new questions.

    Why: requests in progress are completed before the process exits.
    Avoid: sending more requests to the same process
    Prefer: another instance, or retrying after the restart.
    """


class RulesStale(ProblemCode):
    """Changed rules have failed to load for longer than the service may answer with the former ones.

    Why: its answers are not those of the rules that it is given.
    Avoid: deploying rules that `fitcard check` rejects
    Prefer: mending the problems that /status lists; they are loaded by themselves.
    """


QUESTION_TEXTS: Texts = {
    kind.id: frozenset({"field", "given", "closest"})
    for kind in (
        UnknownEntry, UnknownEntryFar, UnknownParameter, MissingParameter, NotANumber,
        UnknownConstant, NotAConstant, UnknownCatalog, UnknownCatalogEntry, UnknownRule, UnknownProblem,
        UnknownRanking, RepeatedParameter, NotAChoice, NotABody, NotWhole, NoOwnEntry, UnknownLanguage,
        BeyondNumbers,
    )
} | {
    OwnEntryWrong.id: frozenset({"field", "given", "closest", "what"}),
    BodyWrong.id: frozenset({"field", "given", "closest", "what"}),
    InputsContradict.id: frozenset({"field", "given", "closest", "what"}),
    NO_MATCH: frozenset({"field", "given", "closest"}),
    NOT_CONSTANT_NO_MATCH: frozenset({"field", "given", "closest"}),
    OutOfRange.id: frozenset({"field", "given", "closest", "least", "most"}),
}  # fmt: skip


REQUEST_TEXTS: Texts = {
    **{
        kind.id: frozenset({"field", "given", "closest"})
        for kind in (BodyUnreadable, MethodNotAllowed, NotJson, KeyNeeded, DeadlinePassed, Stopping, RulesStale)
    },
    BodyTooLarge.id: frozenset({"field", "given", "closest", "most"}),
    AddressTooLong.id: frozenset({"field", "given", "closest", "most"}),
    TooManyQuestions.id: frozenset({"field", "given", "closest", "most"}),
    ResponseFull.id: frozenset({"field", "given", "closest", "most"}),
    BatchAboveRate.id: frozenset({"field", "given", "closest", "most", "window"}),
    TooManyRequests.id: frozenset({"field", "given", "closest", "most", "window", "seconds"}),
}

TEXTS_WITHOUT_CLOSEST = {  # for kinds whose own text lists the closest matches
    UnknownConstant: NO_MATCH,
    UnknownCatalog: NO_MATCH,
    UnknownCatalogEntry: NO_MATCH,
    UnknownRule: NO_MATCH,
    UnknownRanking: NO_MATCH,
    UnknownProblem: NO_MATCH,
    NotAConstant: NOT_CONSTANT_NO_MATCH,
}


def question_problem(
    kind: type[ProblemCode], field: str, value: object = "", near: Iterable[str] = (), **parameters: str
) -> Problem:
    """A problem of the parameter `field` of a question, without a message. `value` is shortened to one line."""
    field, word = _encodable(field), " ".join(_encodable(as_text(value)).split())
    word = word if len(word) <= MAX_WORD_LENGTH else word[:MAX_WORD_LENGTH] + "..."
    others = {name: _encodable(text) for name, text in parameters.items()}
    return Problem(kind, field=field, closest=tuple(near), parameters={"field": field, "given": word, **others})


def as_text(value: object) -> str:
    """The value as text; `...` for integers with more digits, and data with more levels, than Python writes."""
    try:
        return str(value)
    except (ValueError, RecursionError):
        return "..."


def is_given(value: object) -> bool:
    """Whether a parameter has a value; None and empty text count as absent."""
    return value is not None and not (isinstance(value, str) and not value)


def _encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which no encoding can write."""
    return text.encode("utf-8", "replace").decode("utf-8")


def word_problems(problems: Iterable[Problem], messages: Messages) -> list[Problem]:
    """The problems with their messages in the language of `messages`; those of files are always in English."""
    return [problem if problem.message else _word_problem(problem, messages) for problem in problems]


def _word_problem(problem: Problem, messages: Messages) -> Problem:
    text = problem.code if problem.closest else TEXTS_WITHOUT_CLOSEST.get(problem.kind, problem.code)
    message = messages.problem(text, closest=", ".join(problem.closest), **problem.parameters)
    return replace(problem, message=message)
