"""Questions read from paths, JSON bodies and batches, and their answers.

Questions are evaluated one at a time, under a lock: numpy releases the interpreter lock at many of the thousands of
short steps of an evaluation, and threads that evaluate at the same time have half the throughput of one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import g, request

from fitcard.answer.answer import answer_question, answer_questions
from fitcard.answer.explain import explain
from fitcard.answer.problem_documents import problem_document
from fitcard.answer.problems import BodyUnreadable, DeadlinePassed, NotJson, ResponseFull, TooManyQuestions
from fitcard.answer.question import BODY, EXPLAIN, Question, body_problems, read_body, read_question, split_pair
from fitcard.answer.ranking import rank, read_ranking
from fitcard.catalog.catalog import JOINED
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.errors import RequestRefused, refusal
from fitcard.web.logs import decision
from fitcard.web.options import Limits
from fitcard.web.responses import OK, to_json

PAIR = ("model", "device")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half of a pair, which is not text without the other
BATCH, QUESTIONS = "batch", "questions"
CHUNK_SIZE = 16  # questions of a batch that are evaluated together, before the limits are checked again
EXPLAINED_COST = 10  # requests: an explained answer takes 20 times as long as another, and is 50 times as large

BatchItem = tuple[Question, bool]  # a question, and whether to explain its answer
Answerer = Callable[[Sequence[BatchItem]], Sequence[Mapping[str, Any]]]


def read_pair(pair: str, values: Mapping[str, str]) -> Question:
    """The question about the pair of a path with these parameters. Raises ProblemsError like `read_question`."""
    return read_question(g.rulebook, {**values, **split_pair(g.rulebook, pair, JOINED, *PAIR)})


def split_line(line: str) -> dict[str, str]:
    """The model and the device in one line of text, separated by the word of the language of the page."""
    return split_pair(g.rulebook, line, f" {g.rulebook.messages.label('page_between')} ", *PAIR)


def answer(question: Question, *, explained: bool = False) -> dict[str, Any]:
    """The answer to a question; it is added to the decision log.

    An explained one is counted as several requests, though never as more than the rate allows at once. Raises
    RequestRefused where the rate is exceeded.
    """
    g.service.access.count(question_cost(explained), g.caller, request.environ, request.path, alone=True)
    return _answer(question, explained)


def _answer(question: Question, explained: bool) -> dict[str, Any]:
    with g.service.evaluating:
        data = dict(answer_question(g.engine, question, explained=explained, site=g.service.site).data)
    _log(question, data)
    return data


def answer_many(questions: Sequence[BatchItem]) -> list[dict[str, Any]]:
    """The answers to many questions, in one evaluation but for those that are explained."""
    together = [question for question, explained in questions if not explained]
    with g.service.evaluating:
        evaluated = iter(answer_questions(g.engine, together, site=g.service.site))
    answers = []
    for question, explained in questions:
        if explained:
            answers.append(_answer(question, explained))
        else:
            answers.append(dict(next(evaluated).data))
            _log(question, answers[-1])
    return answers


def _log(question: Question, data: dict[str, Any]) -> None:
    if g.service.decision_log is not None:
        g.decisions = (*g.decisions, decision(question, data, g.rulebook.sha256))


def ranking(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The ranking with this name. Raises ProblemsError like `read_ranking`."""
    question = read_ranking(g.rulebook, name, values)
    with g.service.evaluating:
        return rank(g.engine, question, site=g.service.site)


def explanation(engine: Engine, question: Question, name: str) -> list[dict[str, Any]]:
    """The trace of a rule. Raises ProblemsError if there is no such rule."""
    with g.service.evaluating:
        return explain(engine, question, [name])


def json_body() -> Any:
    """The body of the current request as plain data.

    Raises RequestRefused where its media type is not JSON, or it is not JSON: also where it has NaN, an unpaired
    surrogate, or unlimited nesting. Raises RequestEntityTooLarge where it is too large.
    """
    if not request.is_json:
        raise refusal(NotJson, BODY)
    content = request.get_data()
    try:
        body = json.loads(content, parse_constant=_reject)
        if SURROGATE.search(content):
            json.dumps(body, ensure_ascii=False).encode()
        return body
    except (ValueError, RecursionError):
        raise refusal(BodyUnreadable, BODY) from None


def _reject(constant: str) -> None:
    """Raises ValueError for NaN and Infinity, which Python accepts although they are not JSON."""
    raise ValueError(constant)


def read_batch(rulebook: Rulebook, body: Any, limits: Limits) -> Sequence[Any]:
    """The questions of a batch. Raises ProblemsError where the body is not a batch, or has too many questions."""
    if problems := list(body_problems(rulebook.schemas, BATCH, body)):
        raise ProblemsError(problems)
    questions = body.get(QUESTIONS) if isinstance(body, dict) else None
    if not isinstance(questions, list):  # a folder of schemas may lack that of batches
        raise refusal(BodyUnreadable, QUESTIONS)
    if len(questions) > limits.questions:
        raise refusal(TooManyQuestions, QUESTIONS, len(questions), slots={"most": limits.questions})
    return questions


def answer_batch(
    rulebook: Rulebook,
    bodies: Sequence[Any],
    answer_chunk: Answerer,
    limits: Limits,
    path: str,
    now: Callable[[], float] = time.monotonic,
) -> bytes:
    """The answer or the problem document of each question, as JSON in the form of `batch-answer.schema.json`.

    `answer_chunk` answers several questions together, or raises ProblemsError. Questions after the time limit, and
    those for which the results before leave no room in the response, have a problem document with status 503: the
    response exceeds its limit by the answers of one chunk at most, and by these documents. Each answer is kept as JSON
    only, which takes a tenth of the memory. `path` is that of the batch.
    """
    deadline, size = now() + limits.seconds, 0
    results: list[bytes] = [b""] * len(bodies)
    read: list[tuple[int, BatchItem]] = []

    def fail(index: int, error: ProblemsError) -> None:
        status = error.status if isinstance(error, RequestRefused) else None
        document = problem_document(rulebook, error, f"{path}#/{QUESTIONS}/{index}", (), status)
        add(index, {"status": document["status"], "problem": document})

    def add(index: int, result: Mapping[str, Any]) -> None:
        nonlocal size
        results[index] = to_json(result)
        size += len(results[index])

    def full(index: int) -> RequestRefused:
        return refusal(ResponseFull, f"{QUESTIONS}.{index}", slots={"most": limits.response})

    for index, body in enumerate(bodies):
        if size >= limits.response:
            fail(index, full(index))
            continue
        try:
            read.append((index, read_body(rulebook, body)))
        except ProblemsError as error:
            fail(index, error)
    for chunk in _chunks(read):
        is_full = size >= limits.response
        if is_full or now() > deadline:
            for index, _ in chunk:
                fail(index, full(index) if is_full else refusal(DeadlinePassed, f"{QUESTIONS}.{index}"))
            continue
        for index, result in _answer_chunk(chunk, answer_chunk):
            if isinstance(result, ProblemsError):
                fail(index, result)
            else:
                add(index, {"status": OK, "answer": result})
    rules = {"version": rulebook.version, "sha256": rulebook.sha256}
    return b'{"answers":[%b],"rules":%b}' % (b",".join(results), to_json(rules))


def batch_cost(bodies: Sequence[Any]) -> int:
    """The number of requests that the questions of a batch count as."""
    return sum(question_cost(isinstance(body, dict) and body.get(EXPLAIN) is True) for body in bodies)


def question_cost(explained: bool) -> int:
    """The number of requests that a question counts as."""
    return EXPLAINED_COST if explained else 1


def _chunks(read: Sequence[tuple[int, BatchItem]]) -> Iterator[list[tuple[int, BatchItem]]]:
    """The questions in chunks of those that are evaluated together; each that is explained is alone in its chunk."""
    chunk: list[tuple[int, BatchItem]] = []
    for item in read:
        _, (_, explained) = item
        if chunk and (explained or len(chunk) == CHUNK_SIZE):
            yield chunk
            chunk = []
        chunk.append(item)
        if explained:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _answer_chunk(
    chunk: Sequence[tuple[int, BatchItem]], answer_chunk: Answerer
) -> Iterator[tuple[int, Mapping[str, Any] | ProblemsError]]:
    """The answers to some questions together; one by one if there is a problem with any of them."""
    try:
        yield from zip([index for index, _ in chunk], answer_chunk([item for _, item in chunk]), strict=True)
    except ProblemsError:
        for index, item in chunk:
            try:
                (result,) = answer_chunk([item])
                yield index, result
            except ProblemsError as error:
                yield index, error
