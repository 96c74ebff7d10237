"""Answers to questions: typed core figures, and all data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

from fitcard.answer.contradictions import refuse_contradiction
from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.evaluator import QuestionEvaluator, blame_question
from fitcard.answer.explain import explain
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

    The core figures are attributes, at the keys that they have in the layout of fitcard: a layout may add other keys,
    and a figure whose key it lacks raises AttributeError. `to_dict` gives all data, in the shape of
    `answer.schema.json`. An answer is immutable. It can be pickled, without the rules: a loaded copy cannot `explain`.
    """

    def __init__(self, data: Mapping[str, Any], question: Question, engine: Engine) -> None:
        self._data, self.question = data, question
        self._engine: Engine | None = engine

    def __repr__(self) -> str:
        return f"<Answer {' '.join(self.question.entries.values())}: {self._data.get('verdict', '')}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Without the engine, whose programs and caches cannot be pickled."""
        return {**self.__dict__, "_engine": None}

    @property
    def model(self) -> str:
        """The id of the model."""
        return str(self._value("model", "id"))

    @property
    def device(self) -> str:
        """The id of the device."""
        return str(self._value("device", "id"))

    @property
    def verdict(self) -> str:
        """The answer in a sentence."""
        return str(self._value("verdict"))

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks, such as that a quant is not supported."""
        return tuple(note["sentence"] for note in self._value("notes"))

    @property
    def fit(self) -> Fit:
        """Whether the model fits into memory."""
        return Fit(**self._values(Fit, "fit"))

    @property
    def grade(self) -> str:
        """The grade, from S (best) to F."""
        return str(self._value("grade"))

    @property
    def score(self) -> float:
        """The score, from 0 to 100."""
        return float(self._value("score"))

    @cached_property
    def memory(self) -> Memory:
        """Memory in GB."""
        return Memory(**self._values(Memory, "memory", host_gb=self._value("offload", "host_memory_gb")))

    @cached_property
    def speed(self) -> Speed:
        """Speeds in tokens per second, and the time to first token in milliseconds."""
        return Speed(**self._values(Speed))

    @property
    def decode_tok_s(self) -> float:
        """Decode speed per user in tokens per second."""
        return float(self._value("decode_tok_s"))

    @property
    def ttft_ms(self) -> float:
        """Time to first token in milliseconds."""
        return float(self._value("ttft_ms"))

    @cached_property
    def context(self) -> Context:
        """Context lengths in tokens."""
        tokens, official = self._value("question", "context"), self._value("official_context_tokens")
        return Context(tokens, self._value("safe_context_tokens"), official)

    @cached_property
    def ranges(self) -> Ranges | None:
        """Ranges of decode speed and time to first token; None if the profile has none."""
        if not self._value("confidence"):
            return None
        decode, ttft = (Range(**self._values(Range, "confidence", key)) for key in ("decode_tok_s", "ttft_ms"))
        return Ranges(**self._values(Ranges, "confidence", decode_tok_s=decode, ttft_ms=ttft))

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """Figures of rules with `shown`, by the name of the rule."""
        return {name: Figure(**figure) for name, figure in self._data["figures"].items()}

    @property
    def data(self) -> Mapping[str, Any]:
        """The data of `to_dict` without a copy; it must not be changed."""
        return self._data

    def to_dict(self) -> dict[str, Any]:
        """All data of the answer, in the shape of `answer.schema.json`, as a copy that may be changed."""
        return dict(copy_data(self._data))

    def _values(self, kind: type, *section: str, **values: Any) -> dict[str, Any]:
        """The fields of a dataclass: `values`, and those at the same keys of a section. Other keys are ignored."""
        return {key.name: self._value(*section, key.name) for key in fields(kind) if key.name not in values} | values

    def _value(self, *keys: str) -> Any:
        value: Any = self._data
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                raise AttributeError(f"this answer has no `{'.'.join(keys)}`: the layout of its rulebook gives none")
            value = value[key]
        return value

    def explain(self, *names: str) -> list[dict[str, Any]]:
        """The computation of rules, such as `decode_tok_s`: a step for each rule and field, in dependency order.

        Without `names`, the computation of all that the answer shows. Raises ProblemsError for an unknown name, and
        RuntimeError if the answer was pickled.
        """
        if self._engine is None:
            raise RuntimeError("a pickled answer has no rules to explain it: ask its `question` again")
        return explain(self._engine, self.question, names)


def copy_data(data: Any) -> Any:
    """A copy of plain data, with its dicts and lists; several times as fast as `copy.deepcopy`."""
    if isinstance(data, dict):
        return {key: copy_data(value) if isinstance(value, dict | list) else value for key, value in data.items()}
    return [copy_data(item) for item in data] if isinstance(data, list) else data


def answer_question(engine: Engine, question: Question, *, explained: bool = False, site: str = "") -> Answer:
    """The answer to a question, with the trace of each figure if `explained`.

    `site` replaces the site of the rulebook in addresses. Raises ProblemsError if the question contradicts itself, or a
    rule gives no finite number.
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
        evaluator = QuestionEvaluator(ready, questions)
        own_rows = evaluator.own_rows(plan.picks.own)
        for question, own in zip(questions, own_rows, strict=True):
            refuse_contradiction(evaluator, question, own)
        rows = evaluator.answer_rows(plan, own_rows)
        overridden = overridden_values(ready, first)
        answers = []
        for question, of_question in zip(questions, rows, strict=True):
            data = AnswerRenderer(ready, plan, of_question, explain=explained, site=site).answer()
            if overridden:
                trace = {"trace": data.pop("trace")} if explained else {}
                data = {**data, "set": overridden, **trace}
            answers.append(Answer(data, question, engine))
    return answers
