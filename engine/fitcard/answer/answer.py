"""Answers to questions: typed core figures, and all data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.evaluator import QuestionEvaluator, blame_question, explain
from fitcard.answer.question import Question
from fitcard.answer.render import AnswerRenderer, overridden_values
from fitcard.compiler.engine import Engine

MAX_BATCH = 64  # questions in an evaluation; larger ones use more memory and are hardly faster


@dataclass(frozen=True)
class Fit:
    """Whether the model fits into memory: a stable `code`, and a `label` in the language of the answer."""

    code: str
    label: str


@dataclass(frozen=True)
class Memory:
    """Memory in GB (1e9 bytes): needed, usable, and the components of needed memory.

    `over_gb` is needed minus usable memory, negative if memory is left; `host_gb` is the part in host memory.
    """

    needed_gb: float
    usable_gb: float
    over_gb: float
    weights_gb: float
    kv_cache_gb: float
    runtime_gb: float
    headroom_gb: float
    host_gb: float


@dataclass(frozen=True)
class Speed:
    """Decode speed per user and throughput of all users, prefill speed, in tokens per second; time to first token in
    milliseconds."""

    decode_tok_s: float
    throughput_tok_s: float
    prefill_tok_s: float
    ttft_ms: float


@dataclass(frozen=True)
class Context:
    """Context lengths in tokens: of the question, the largest that fits safely, and the official limit of the model."""

    tokens: float
    safe_tokens: float
    official_tokens: float


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, in the unit of the figure."""

    low: float
    high: float


@dataclass(frozen=True)
class Ranges:
    """Ranges of comparable measured runs: decode in tokens per second, time to first token in milliseconds.

    `share` of these runs are within the ranges; `level` is the basis of the ranges.
    """

    level: str
    share: float
    decode_tok_s: Range
    ttft_ms: Range


@dataclass(frozen=True)
class Figure:
    """A figure of a rule with `shown`; `text` is the value with its unit in the language of the answer."""

    label: str
    value: float | str | None
    unit: str
    text: str


class Answer:
    """Whether a model runs on a device, how fast, how well, and what would improve it.

    The core figures are attributes; `to_dict` gives all data, in the shape of `answer.schema.json`.
    """

    def __init__(self, data: Mapping[str, Any], question: Question, engine: Engine) -> None:
        self._data, self.question, self._engine = data, question, engine

    def __repr__(self) -> str:
        return f"<Answer {' '.join(self.question.entries.values())}: {self._data.get('verdict', '')}>"

    @property
    def model(self) -> str:
        """The id of the model."""
        return str(self._data["model"]["id"])

    @property
    def device(self) -> str:
        """The id of the device."""
        return str(self._data["device"]["id"])

    @property
    def verdict(self) -> str:
        """The answer in a sentence."""
        return str(self._data["verdict"])

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks, such as that a quant is not supported."""
        return tuple(note["sentence"] for note in self._data["notes"])

    @property
    def fit(self) -> Fit:
        """Whether the model fits into memory."""
        return Fit(**self._data["fit"])

    @property
    def grade(self) -> str:
        """The grade, from S (best) to F."""
        return str(self._data["grade"])

    @property
    def score(self) -> float:
        """The score, from 0 to 100."""
        return float(self._data["score"])

    @cached_property
    def memory(self) -> Memory:
        """Memory in GB."""
        return Memory(**self._data["memory"], host_gb=self._data["offload"]["host_memory_gb"])

    @cached_property
    def speed(self) -> Speed:
        """Speeds in tokens per second, and the time to first token in milliseconds."""
        return Speed(**{name: self._data[name] for name in Speed.__dataclass_fields__})

    @property
    def decode_tok_s(self) -> float:
        """Decode speed per user in tokens per second."""
        return float(self._data["decode_tok_s"])

    @property
    def ttft_ms(self) -> float:
        """Time to first token in milliseconds."""
        return float(self._data["ttft_ms"])

    @cached_property
    def context(self) -> Context:
        """Context lengths in tokens."""
        data = self._data
        return Context(data["question"]["context"], data["safe_context_tokens"], data["official_context_tokens"])

    @cached_property
    def ranges(self) -> Ranges | None:
        """Ranges of decode speed and time to first token; None if the profile has none."""
        data = self._data["confidence"]
        if not data:
            return None
        return Ranges(data["level"], data["share"], Range(**data["decode_tok_s"]), Range(**data["ttft_ms"]))

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """Figures of rules with `shown`, by the name of the rule."""
        return {name: Figure(**figure) for name, figure in self._data["figures"].items()}

    def to_dict(self) -> dict[str, Any]:
        """All data of the answer, in the shape of `answer.schema.json`."""
        return dict(self._data)

    def explain(self, *names: str) -> list[dict[str, Any]]:
        """The computation of rules, such as `decode_tok_s`: a step for each rule and field, in dependency order.

        Without `names`, the computation of all that the answer shows. Raises ProblemsError for an unknown name.
        """
        return explain(self._engine, self.question, names)


def answer_question(engine: Engine, question: Question, *, explained: bool = False, site: str = "") -> Answer:
    """The answer to a question, with the trace of each figure if `explained`.

    `site` replaces the site of the rulebook in addresses. Raises ProblemsError if a rule gives no finite number.
    """
    (answer,) = _answer_batch(engine, (question,), explained, site)
    return answer


def answer_questions(engine: Engine, questions: Sequence[Question], *, site: str = "") -> list[Answer]:
    """The answers to many questions. Raises ProblemsError like `answer_question`.

    Questions with the same profile and overrides, and without custom entries, are evaluated together.
    """
    answers: list[Answer | None] = [None] * len(questions)
    groups: dict[Any, list[int]] = {}
    for at, question in enumerate(questions):
        alone = at if question.custom_entries else None
        groups.setdefault((question.profile, tuple(question.overrides.items()), alone), []).append(at)
    for group in groups.values():
        for start in range(0, len(group), MAX_BATCH):
            batch = group[start : start + MAX_BATCH]
            of_batch = _answer_batch(engine, tuple(questions[at] for at in batch), explained=False, site=site)
            for at, answer in zip(batch, of_batch, strict=True):
                answers[at] = answer
    return [answer for answer in answers if answer is not None]


def _answer_batch(engine: Engine, questions: tuple[Question, ...], explained: bool, site: str) -> list[Answer]:
    """The answers to questions with the same profile, overrides and custom entries."""
    first = questions[0]
    with blame_question(first):
        ready = with_custom_entries(engine, first.custom_entries)
        plan = ready.layout_plans[first.profile]
        rows = QuestionEvaluator(ready, questions).answer_rows(plan)
        overridden = overridden_values(ready, first)
        answers = []
        for question, of_question in zip(questions, rows, strict=True):
            data = AnswerRenderer(ready, plan, of_question, explain=explained, site=site).answer()
            if overridden:
                trace = {"trace": data.pop("trace")} if explained else {}
                data = {**data, "set": overridden, **trace}
            answers.append(Answer(data, question, engine))
    return answers
