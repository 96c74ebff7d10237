"""What is wrong with a question, told in the words of the messages."""

from __future__ import annotations

from collections.abc import Iterable

from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.messages import Texts
from fitcard.rulebook.rulebook import Rulebook

MAX_WORD_LENGTH = 60  # of what was given, as it is told back
NO_MATCH = "unknown-far"  # the text where nothing is near


class UnknownEntry(ProblemCode):
    """There is no entry of that id, name or alias; the closest are listed.

    Why: nothing is answered about something else than was asked.
    Avoid: `van=smal`
    Prefer: `van=small`; `/v1/catalog/<kind>` lists all.
    """


class UnknownEntryFar(ProblemCode):
    """There is no entry of that id, name or alias, and none that is near.

    Why: nothing is answered about something else than was asked.
    Avoid: `van=zeppelin`
    Prefer: an entry that `/v1/catalog/<kind>` lists.
    """


class UnknownParameter(ProblemCode):
    """A question has no parameter of that name.

    Why: one that is misspelt would have no effect, and the caller would believe that it has.
    Avoid: `?distanse=80`
    Prefer: `?distance=80`
    """


class MissingParameter(ProblemCode):
    """A parameter that has no default is missing.

    Why: there is no answer without it.
    Avoid: a question without `parcel`
    Prefer: `parcel=piano`
    """


class RepeatedParameter(ProblemCode):
    """A parameter is given twice.

    Why: only one could hold, and which is open.
    Avoid: `?distance=80&distance=90`
    Prefer: `?distance=80`
    """


class NotANumber(ProblemCode):
    """A parameter must be a number and is something else.

    Why: nothing is guessed.
    Avoid: `?distance=far`
    Prefer: `?distance=80`
    """


class OutOfRange(ProblemCode):
    """A number is outside of what can be asked; the bounds are told.

    Why: beyond them the rules make no sense.
    Avoid: `?distance=-5`
    Prefer: `?distance=5`
    """


class NotWhole(ProblemCode):
    """A number that only counts whole things has a fraction.

    Why: there is no half of it.
    Avoid: `?stops=1.5`
    Prefer: `?stops=2`
    """


class NotAChoice(ProblemCode):
    """A parameter is neither yes nor no.

    Why: nothing is guessed.
    Avoid: `?explain=maybe`
    Prefer: `?explain=1`
    """


class NotABody(ProblemCode):
    """The body of a request is not a question as JSON.

    Why: nothing of it could be read.
    Avoid: a list, a form, or a map inside of a parameter
    Prefer: `{"parcel": "piano", "overrides": {"town_speed": 30}}`
    """


class BodyWrong(ProblemCode):
    """A part of the body is not as its schema says; the problem names where in it.

    Why: nothing of a question is guessed, and nothing of it is passed over.
    Avoid: `{"parcel": "piano", "overrides": [30]}`
    Prefer: `{"parcel": "piano", "overrides": {"town_speed": 30}}`; `/openapi.json` holds the schema.
    """


class UnknownConstant(ProblemCode):
    """There is no constant of that name to set.

    Why: it would have no effect, and the caller would believe that it has.
    Avoid: `--set town_sped=30`
    Prefer: `--set town_speed=30`
    """


class NotAConstant(ProblemCode):
    """What is to be set is a formula or a table.

    Why: only constants can be set for one question, so that every other rule holds as it is written.
    Avoid: `--set time=2`
    Prefer: `--set town_speed=30`
    """


class UnknownCatalog(ProblemCode):
    """There is no catalog of that kind.

    Why: there is nothing to list.
    Avoid: `/v1/catalog/lorries`
    Prefer: a kind that `/v1/catalog` lists.
    """


class UnknownCatalogEntry(ProblemCode):
    """There is no entry of that id, name or alias in the catalog.

    Why: there is nothing to show.
    Avoid: `/v1/catalog/vans/smal`
    Prefer: `/v1/catalog/vans/small`
    """


class UnknownRule(ProblemCode):
    """There is no rule of that name.

    Why: there is nothing to show.
    Avoid: `fitcard explain tiem`
    Prefer: `fitcard explain time`
    """


class UnknownRanking(ProblemCode):
    """There is no ranking of that name.

    Why: there is nothing to rank.
    Avoid: `fitcard rank lorries`
    Prefer: a ranking that `fitcard rank --help` lists.
    """


class UnknownProblem(ProblemCode):
    """There is no kind of problem of that name.

    Why: there is no page to show.
    Avoid: `/problems/name-unknwon`
    Prefer: `/problems/name-unknown`; `/problems` lists all.
    """


class UnknownLanguage(ProblemCode):
    """There are no answers in the language that was named; those that there are are listed.

    Why: an answer in another language than was named would be no answer to some.
    Avoid: `?lang=xx`
    Prefer: `?lang=en`; where nothing is named, the header `Accept-Language` is heeded as far as can be.
    """


class OwnEntryWrong(ProblemCode):
    """A field of an entry that the question brings along is not as the schema of its catalog says.

    Why: an answer about a thing that cannot be would be worth nothing.
    Avoid: `{"van": {"name": "Mine", "room": "large"}}`
    Prefer: `{"van": {"name": "Mine", "room": 12}}`; `schemas/` says what may stand there.
    """


class BeyondNumbers(ProblemCode):
    """With a figure or constant that the question sets, the rules come to no finite number.

    Why: they are proven for the entries of the catalogs and for constants as they are, not for every figure.
    Avoid: `{"van": {"like": "small", "room": 5e-324}}`
    Prefer: a figure that such a thing can have.
    """


class NoOwnEntry(ProblemCode):
    """A question brings along an entry on an axis whose entries come from the catalog alone.

    Why: the rules go by what they know of the entries that are there.
    Avoid: `{"room": {"name": "Mine"}}` where the rulebook does not say `own` of `room`
    Prefer: an entry that `/v1/catalog/<kind>` lists.
    """


class BodyUnreadable(ProblemCode):
    """The body of a request is not JSON.

    Why: nothing of it could be read.
    Avoid: `{"parcel": "piano",}`
    Prefer: `{"parcel": "piano"}`
    """


class MethodNotAllowed(ProblemCode):
    """An address does not take the method of the request; those that it takes are listed.

    Why: what is only read cannot be written, and the other way round.
    Avoid: `DELETE /v1/rules`
    Prefer: `GET /v1/rules`
    """


class BodyTooLarge(ProblemCode):
    """The body of a request is larger than the service takes.

    Why: one caller could take the memory of all.
    Avoid: thousands of questions in one body.
    Prefer: several requests; `fitcard serve --body-bytes` says how large a body may be.
    """


class AddressTooLong(ProblemCode):
    """An address with its parameters is longer than the service takes.

    Why: no question needs so many words, and reading them takes time from others.
    Avoid: an entry of one's own with long texts as parameters of an address.
    Prefer: the same question as the body of `POST /v1/can-run`.
    """


class NotJson(ProblemCode):
    """The body of a request does not say that it is JSON.

    Why: a form of another site could be sent here unnoticed.
    Avoid: `curl -d '{...}'` alone, which sends a form
    Prefer: `curl --json '{...}'`, or the header `Content-Type: application/json`.
    """


class KeyNeeded(ProblemCode):
    """The service answers only those who have an API key, and the request has none that it knows.

    Why: whoever runs the service decides whom it answers.
    Avoid: a request without a key, or with one that was taken back.
    Prefer: the header `Authorization: Bearer KEY`.
    """


class TooManyRequests(ProblemCode):
    """A caller has asked more often than the service allows.

    Why: all callers share its processors.
    Avoid: asking again at once.
    Prefer: waiting as long as the header `Retry-After` says, and `POST /v1/batch` for many questions.
    """


class TooManyQuestions(ProblemCode):
    """A batch holds more questions than the service takes at once.

    Why: one caller could keep it busy for all others.
    Avoid: one batch for everything there is.
    Prefer: several batches; `fitcard serve --batch-questions` says how many questions one may hold.
    """


class DeadlinePassed(ProblemCode):
    """A question of a batch was not answered, since the time for the batch was used up by those before it.

    Why: whoever waits gets what there is, and a batch does not keep others waiting without end.
    Avoid: a batch that takes longer than the service gives it.
    Prefer: the questions that were left, in a batch of their own.
    """


class Stopping(ProblemCode):
    """The service is being stopped and takes no new questions.

    Why: what is under way is still answered, and nothing is cut off.
    Avoid: asking the same process again.
    Prefer: another one, or this one a little later.
    """


QUESTION_TEXTS: Texts = {  # the texts of the messages, and what each may name
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
    NO_MATCH: frozenset({"field", "given", "closest"}),
    OutOfRange.id: frozenset({"field", "given", "closest", "least", "most"}),
}  # fmt: skip


ASKED: Texts = {  # what each text may name
    kind.id: frozenset({"field", "given", "closest"})
    for kind in (BodyUnreadable, MethodNotAllowed, NotJson, KeyNeeded, DeadlinePassed, Stopping)
}
REQUEST_TEXTS: Texts = {
    **ASKED,
    BodyTooLarge.id: frozenset({"field", "given", "closest", "most"}),
    AddressTooLong.id: frozenset({"field", "given", "closest", "most"}),
    TooManyQuestions.id: frozenset({"field", "given", "closest", "most"}),
    TooManyRequests.id: frozenset({"field", "given", "closest", "most", "window", "seconds"}),
}

CLOSEST = (  # who say what is near
    UnknownConstant, UnknownCatalog, UnknownCatalogEntry, UnknownRule, UnknownRanking, UnknownProblem,
)  # fmt: skip


def question_problem(
    rulebook: Rulebook, kind: type[ProblemCode], field: str, given: object = "", near: Iterable[str] = (), **more: str
) -> Problem:
    """A problem of a question, in the words of the messages; `given` is shortened, and kept to one line."""
    matches = tuple(near)
    text = NO_MATCH if not matches and kind in CLOSEST else kind.id
    word = " ".join(str(given).split())
    word = word if len(word) <= MAX_WORD_LENGTH else word[:MAX_WORD_LENGTH] + "..."
    message = rulebook.messages.problem(text, field=field, given=word, closest=", ".join(matches), **more)
    return Problem(kind, message, field=field, closest=matches)
