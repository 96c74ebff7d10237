"""Completeness of translations: every language has all texts, with the same slots as the default language."""

from __future__ import annotations

from collections.abc import Iterator

from fitcard.answer.problem_documents import TITLES as TITLES_OF_PROBLEMS
from fitcard.answer.problems import QUESTION_TEXTS, REQUEST_TEXTS
from fitcard.answer.schema import ANSWER
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.rulebook.messages import (
    TITLES,
    Messages,
    MessageUnused,
    Sentence,
    Slot,
    Template,
    Texts,
    check_texts,
    slot_offset,
)
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Path
from fitcard.suggest import closest

LABELS: Texts = {  # of pages and of answers in the terminal
    **{
        name: frozenset()
        for name in (
            "fit", "grade", "score", "decode", "ttft", "safe_context", "memory", "offload", "runtime", "bandwidth",
            "weights", "kv_cache", "headroom", "workload", "context", "quant", "bits", "quality", "device", "price",
            "changes", "ways_title", "settings_title", "workloads_title",
            "quants_title", "upgrades_title", "no_upgrades", "faq_title",
            "embed_title",
            "trace_title",
        )
    },
    **{name: frozenset({"value"}) for name in ("gb", "tok_s", "ms", "tokens", "percent", "usd")},
    "gb_of": frozenset({"value", "of"}),
    "over_capacity": frozenset({"over"}),
    "under_capacity": frozenset({"under"}),
    "quants_caption": frozenset({"model", "device", "usable", "context"}),
    "ranking": frozenset({"name", "about", "score"}),
    "what_if": frozenset({"name", "value", "instead_of"}),
    "range": frozenset({"share", "slowest", "fastest", "earliest", "latest"}),
    "measured_run": frozenset({"run", "runtime", "gpus", "context", "depth", "decode_tok_s", "source"}),
    **{
        name: frozenset()
        for name in (
            "page_about", "page_sections", "page_devices", "page_models", "page_methodology", "page_rules", "page_why",
            "page_close", "page_mode", "page_more", "page_update", "page_by_context", "page_embed_about", "page_copied",
            "page_copy", "page_back", "page_ask", "page_paste", "page_popular", "page_own", "page_own_about",
            "page_like", "page_methodology_about", "page_backtest", "page_backtest_about", "page_quantity",
            "page_runs", "page_profiles", "page_reference", "page_graph", "page_between", "page_profile",
            "page_native", "page_with_offload", "page_not", "page_best",
            "page_cheapest_whole", "page_cheapest_runs", "page_tiers", "page_compare",
            "page_service", "page_parameters", "page_gives",
        )
    },
    "page_footer": frozenset({"version", "sha256"}),
    "page_fit_title": frozenset({"model", "device"}),
    "page_pair": frozenset({"model", "device"}),
    "page_why_title": frozenset({"name", "model", "device"}),
    "page_rule_of": frozenset({"name"}),
    "share": frozenset({"value"}),
    "page_more_rows": frozenset({"count"}),
    "rules_title": frozenset({"version", "sha256", "profile"}),
}  # fmt: skip


class MessageSlotsDiffer(ProblemCode):
    """A text has other slots than the same text in the default language.

    Why: readers of one language would miss a figure, or see it with other decimals.
    Avoid: `Der Speicher reicht.` where English has `It needs {needed_memory:gb} GB.`
    Prefer: `Es braucht {needed_memory:gb} GB.`; the order of slots is free.
    """


def text_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """Texts that a language lacks, does not need, or writes with other slots; slots only if no text is missing."""
    required: dict[str, Texts] = {"problems": {**QUESTION_TEXTS, **REQUEST_TEXTS, **TITLES_OF_PROBLEMS}}
    if ANSWER in rulebook.schemas.by_kind:
        required["labels"] = LABELS
    incomplete = [
        problem
        for messages in rulebook.languages.values()
        for section, texts in required.items()
        for problem in check_texts(messages, section, texts)
    ]
    yield from incomplete
    default, *others = rulebook.languages.values()
    for messages in others:
        yield from () if incomplete else _slot_problems(messages, default)
    for messages in rulebook.languages.values():
        yield from _outdated_translations(rulebook, messages)


def _slot_problems(messages: Messages, default: Messages) -> Iterator[Problem]:
    """Texts with other slots than in the default language."""
    expected_templates = dict(_templates(default, messages))
    for path, template in _templates(messages, default):
        slots, expected = _slots(template), _slots(expected_templates.get(path, ()))
        if path not in expected_templates or slots == expected:
            continue
        missing, extra = sorted(expected - slots), sorted(slots - expected)
        differences = [f"`{slot}` is missing" for slot in missing] + [f"`{slot}` is extra" for slot in extra]
        message = f"the slots differ from those of `{default.language}`: {', '.join(differences)}"
        offset = slot_offset(messages.document, path, extra[0].strip("{}").partition(":")[0]) if extra else None
        hint = f"its slots are: {' '.join(sorted(expected)) or 'none'}"
        yield messages.document.problem(MessageSlotsDiffer, message, path, offset=offset, hint=hint)


def _templates(messages: Messages, other: Messages) -> Iterator[tuple[Path, Template]]:
    """Each text by its path; the texts of a sentence as one template unless the other language selects them by the same
    name.
    """
    for key, sentence in messages.sentences.items():
        if sentence.by and _selector(sentence) == _selector(other.sentences.get(key)):
            yield from ((("sentences", key, "text", word), text) for word, text in sentence.templates.items())
        else:
            yield ("sentences", key), tuple(part for text in sentence.templates.values() for part in text)
    yield from ((("labels", key), text) for key, text in messages.labels.items())
    yield from ((("problems", key), text) for key, text in messages.problems.items())


def _selector(sentence: Sentence | None) -> str | None:
    return sentence.by if sentence else None


def _slots(template: Template) -> set[str]:
    """The slots as written, such as `{needed_memory:gb}`."""
    slots = [part for part in template if isinstance(part, Slot)]
    return {f"{{{slot.name}:{slot.format}}}" if slot.format else f"{{{slot.name}}}" for slot in slots}


def _outdated_translations(rulebook: Rulebook, messages: Messages) -> Iterator[Problem]:
    """Translations of names and titles that no catalog has."""
    for kind, fields in messages.names.items():
        if kind not in rulebook.catalogs and kind != TITLES[0]:
            message, near = f"there is no catalog `{kind}`", closest(kind, rulebook.catalogs)
            yield messages.document.problem(MessageUnused, message, ("names", kind), key=True, closest=near)
            continue
        for field, translations in fields.items():
            texts = list(dict.fromkeys(_texts(rulebook, kind, field)))
            for text in translations:
                if text not in texts:
                    message = f"no entry of `{kind}` has the {field} `{text}`"
                    path, near = ("names", kind, field, text), closest(text, texts)
                    yield messages.document.problem(
                        MessageUnused, message, path, key=True, severity=Severity.WARNING, closest=near
                    )


def _texts(rulebook: Rulebook, kind: str, field: str) -> Iterator[str]:
    """The texts of a field of a catalog, or the titles of axes, inputs, profiles and figures."""
    if kind != TITLES[0]:
        values = (entry.value(field) for entry in rulebook.catalogs[kind].entries.values())
        yield from (value for value in values if isinstance(value, str))
    elif field == TITLES[1]:
        yield from (axis.title for axis in rulebook.question_fields.axes.values())
        yield from (number.title for number in rulebook.question_fields.inputs.values())
        yield from (rules.title for rules in rulebook.rule_sets.values())
        yield from (figure.label for rules in rulebook.rule_sets.values() for figure in rules.figures)
