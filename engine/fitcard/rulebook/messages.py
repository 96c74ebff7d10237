"""Messages of a rulebook: its sentences, labels and problem texts, in one file for each language."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from babel import Locale, UnknownLocaleError

from fitcard.language.resolution import NameUnknown
from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.formats import ValueFormat
from fitcard.source.document import Document, Path
from fitcard.suggest import closest, did_you_mean, enumerated
from fitcard.values import Kind, Scalar


class MessageMissing(ProblemCode):
    """A required text is missing from the messages.

    Why: an answer or an error would be incomplete.
    Avoid: messages without `problems: {unknown-entry: ...}`, or a sentence that exists in one language only
    Prefer: every text listed in the hint, in each language.
    """


class MessageUnused(ProblemCode):
    """A text of the messages is never used.

    Why: its key is usually misspelt, and the intended text is missing.
    Avoid: `sentences: {verdct: ...}`
    Prefer: `sentences: {verdict: ...}`
    """


class MessageBy(ProblemCode):
    """A sentence chooses its text by a name that does not give words.

    Why: it is unclear which text applies.
    Avoid: `by: memory_ratio`
    Prefer: `by: fit`
    """


class MessageIncomplete(ProblemCode):
    """A sentence has no text for one of the words of its table.

    Why: some questions would have no sentence.
    Avoid: `text: {runs_well: It fits.}` with `by: fit`, which can also be `too_heavy`
    Prefer: a text for each word.
    """


class MessageFormat(ProblemCode):
    """A number in a sentence has no format, or an undefined one.

    Why: readers would see all its decimals.
    Avoid: `It needs {needed_memory} GB.`
    Prefer: `It needs {needed_memory:gb} GB.`
    """


class MessageSlot(ProblemCode):
    """A slot of a text cannot be parsed, or nothing fills it.

    Why: readers would see the braces.
    Avoid: `There is no {fild}.`
    Prefer: `There is no {field}.`
    """


SIGNIFICANT_DIGITS = 3  # of figures with `shown`
TITLES = ("rulebook", "title")  # keys, in `names`, of the titles of axes, inputs, profiles and figures


@dataclass(frozen=True)
class Slot:
    """A slot for the value of `name`, in the format `format` (empty: unformatted)."""

    name: str
    format: str


Template = tuple[str | Slot, ...]
Texts = Mapping[str, frozenset[str]]  # the slots that each text may have


@dataclass(frozen=True)
class Sentence:
    """A template for each word of the table `by`; if `by` is empty, a single one with the key `""`."""

    by: str
    templates: Mapping[str, Template]

    @property
    def names(self) -> frozenset[str]:
        """All names that the sentence reads."""
        slots = {part.name for template in self.templates.values() for part in template if isinstance(part, Slot)}
        return frozenset(slots | ({self.by} if self.by else set()))


@dataclass(frozen=True, eq=False)
class Messages:
    """All texts of a language. Compared by identity, so that they can be a key of caches.

    `labels` are texts of pages, `problems` the texts of problems of questions by code. `names` are translations of
    catalog texts: by catalog, field and original text.
    """

    language: str
    locale: Locale
    formats: Mapping[str, ValueFormat]
    sentences: Mapping[str, Sentence]
    labels: Mapping[str, Template]
    problems: Mapping[str, Template]
    names: Mapping[str, Mapping[str, Mapping[str, str]]]
    document: Document

    def formatter(self, form: str) -> Callable[[Any], str]:
        """The function that writes a value in the format `form`, unformatted if `form` is empty."""
        return self.formats[form].write if form else _plain

    def translate(self, catalog: str, field: str, text: str) -> str:
        """The translation of a catalog text; the text itself if there is none."""
        return self.names.get(catalog, {}).get(field, {}).get(text, text)

    def translate_title(self, title: str) -> str:
        """The translated title of an axis, input, profile or figure."""
        return self.translate(*TITLES, title)

    def label(self, key: str, **values: Scalar) -> str:
        """The label `key` with its slots filled from `values`."""
        return _fill(self.labels[key], values, self.formats)

    def format_label(self, value: Scalar, key: str) -> str:
        """The label `key` with `value` in its slot `value`."""
        return self.label(key, value=value)

    def format_quantity(self, value: float | str | None, unit: str) -> str:
        """A number to three significant digits, with its unit; words are unchanged."""
        if value is None or isinstance(value, str):
            return value or "-"
        digits = 0 if not value else max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value))))
        text = ValueFormat(self.locale, decimals=digits, group=True).write(value)
        return f"{text} {unit}" if unit else text

    def problem(self, code: str, **values: Scalar) -> str:
        """The text of a problem of a question, by code."""
        return _fill(self.problems[code], values, self.formats)


def read_messages(
    document: Document, locale: Locale, formats: Mapping[str, ValueFormat]
) -> tuple[Messages, list[Problem]]:
    """The messages of a file that is valid against its schema, and problems of their slots.

    `formats` of the default language are added to those of the file.
    """
    data = document.data
    own = {name: ValueFormat(locale, **parts) for name, parts in data.get("formats", {}).items()}
    formats = {name: replace(form, locale=locale) for name, form in formats.items()} | own
    reader = _TemplateReader(document, formats)
    sentences = {key: reader.sentence(key, value) for key, value in data["sentences"].items()}
    labels = {key: reader.template(text, ("labels", key)) for key, text in data["labels"].items()}
    problems = {key: reader.template(text, ("problems", key)) for key, text in data["problems"].items()}
    names = data.get("names", {})
    return Messages(data["language"], locale, formats, sentences, labels, problems, names, document), reader.problems


def check_slots(
    messages: Messages,
    kind_of: Callable[[str], Kind | None],
    words_of: Callable[[str], tuple[str, ...]],
    known: Callable[[], list[str]],
) -> Iterator[Problem]:
    """Unknown names and missing formats in slots of sentences, and texts that are missing for a word of `by`."""
    for key, sentence in messages.sentences.items():
        path: Path = ("sentences", key)
        if sentence.by:
            if kind_of(sentence.by) is not Kind.WORD:
                hint = "use a table that gives words"
                yield messages.document.problem(
                    MessageBy, f"`{sentence.by}` does not give words", (*path, "by"), hint=hint
                )
                continue
            yield from _word_problems(messages.document, path, sentence, words_of(sentence.by))
        for word, template in sentence.templates.items():
            at: Path = (*path, "text", word) if sentence.by else path
            for slot in (part for part in template if isinstance(part, Slot)):
                kind = kind_of(slot.name)
                if kind is None:
                    message, near = f"undefined name `{slot.name}`", closest(slot.name, known())
                    offset = slot_offset(messages.document, at, slot.name)
                    yield messages.document.problem(NameUnknown, message, at, offset=offset, closest=near)
                elif kind is Kind.NUMBER and not slot.format:
                    message = f"the number `{slot.name}` has no format"
                    hint = f"write `{{{slot.name}:format}}` with one of: {', '.join(messages.formats)}"
                    offset = slot_offset(messages.document, at, slot.name)
                    yield messages.document.problem(MessageFormat, message, at, offset=offset, hint=hint)
                elif kind is Kind.WORD and slot.format and not messages.formats[slot.format].is_for_words:
                    message = f"`{slot.name}` is a word, and the format `{slot.format}` is for numbers"
                    offset, hint = slot_offset(messages.document, at, slot.name), f"write `{{{slot.name}}}`"
                    yield messages.document.problem(MessageFormat, message, at, offset=offset, hint=hint)


def check_texts(messages: Messages, section: str, texts: Texts) -> Iterator[Problem]:
    """Missing and unused texts of a section (`labels` or `problems`), and unknown slots.

    `texts` are the required texts, each with its possible slots.
    """
    templates: Mapping[str, Template] = getattr(messages, section)
    for key, slot_names in texts.items():
        if key not in templates:
            slots = " ".join(f"{{{name}}}" for name in sorted(slot_names))
            hint = f"add `{key}:`" + (f", with slots of {slots}" if slots else "")
            message = f"the text `{key}` is missing from {section}"
            yield messages.document.problem(MessageMissing, message, (section,), key=True, hint=hint)
    for key, template in templates.items():
        if key not in texts:
            near = closest(key, texts)
            message = f"the text `{key}` of {section} is never used"
            yield messages.document.problem(MessageUnused, message, (section, key), key=True, closest=near)
            continue
        for slot in (part for part in template if isinstance(part, Slot) and part.name not in texts[key]):
            offset = slot_offset(messages.document, (section, key), slot.name)
            near = closest(slot.name, texts[key])
            hint = "" if near else f"its slots are: {', '.join(sorted(texts[key])) or 'none'}"
            message = f"undefined slot `{slot.name}`"
            yield messages.document.problem(
                MessageSlot, message, (section, key), offset=offset, hint=hint, closest=near
            )


def slot_offset(document: Document, path: Path, name: str) -> int | None:
    """The offset of a slot's name in the text at `path`; None if it is not in the text."""
    span = document.spans.get(path)
    offset = (span.written or "").find(f"{{{name}") if span else -1
    return offset + 1 if offset >= 0 else None


def _word_problems(document: Document, path: Path, sentence: Sentence, words: tuple[str, ...]) -> Iterator[Problem]:
    """Texts of a sentence that are missing for one of the words of its table, or that none of them selects."""
    missing, possible = [word for word in words if word not in sentence.templates], frozenset(words)
    if missing:
        message = f"there is no text for {enumerated(missing)}"
        yield document.problem(MessageIncomplete, message, (*path, "text"), key=True, hint="add a text for each")
    for word in sentence.templates:
        if word not in possible:
            message = f"`{sentence.by}` never gives `{word}`"
            hint = f"it gives: {enumerated(words, quote='')}"  # either side may be misspelt
            yield document.problem(MessageUnused, message, (*path, "text", word), key=True, hint=hint)


class _TemplateReader:
    def __init__(self, document: Document, formats: Mapping[str, ValueFormat]) -> None:
        self.document, self.formats = document, formats
        self.problems: list[Problem] = []

    def sentence(self, key: str, value: Any) -> Sentence:
        if isinstance(value, str):
            return Sentence("", {"": self.template(value, ("sentences", key))})
        texts = {word: self.template(text, ("sentences", key, "text", word)) for word, text in value["text"].items()}
        return Sentence(value["by"], texts)

    def template(self, text: str, path: Path) -> Template:
        parts: list[str | Slot] = []
        try:
            pieces = list(string.Formatter().parse(text))
        except ValueError as error:
            message, hint = f"cannot parse the slots: {error}", "write `{{` for a literal brace"
            self.problems.append(self.document.problem(MessageSlot, message, path, hint=hint))
            return ()
        for literal, name, form, conversion in pieces:
            if literal:
                parts.append(literal)
            if name is None:
                continue
            if conversion or (form and form not in self.formats):
                message, near = f"there is no format `{form}`", closest(form or "", self.formats)
                hint = did_you_mean(near) or f"the formats are: {', '.join(self.formats)}"
                offset = slot_offset(self.document, path, name)
                self.problems.append(
                    self.document.problem(MessageFormat, message, path, offset=offset, hint=hint, closest=near)
                )
            parts.append(Slot(name, form or ""))
        return tuple(parts)


def _fill(template: Template, values: Mapping[str, Scalar], formats: Mapping[str, ValueFormat]) -> str:
    return "".join(
        [part if isinstance(part, str) else _write(values[part.name], part.format, formats) for part in template]
    )


def _write(value: Scalar | list[str], form: str, formats: Mapping[str, ValueFormat]) -> str:
    if isinstance(value, list):  # such as several sources
        return ", ".join(value)
    return formats[form].write(value) if form else _plain(value)


def _plain(value: Scalar) -> str:
    return "" if value is None else str(value)


Languages = Mapping[str, Messages]


class LanguageMissing(ProblemCode):
    """There are no messages in the default language of the rulebook.

    Why: questions that name no language could not be answered.
    Avoid: `language: fr` in the rulebook without messages in `language: fr`
    Prefer: a language for which there are messages.
    """


class LanguageTwice(ProblemCode):
    """Two message files have the same language.

    Why: it is unclear which one applies.
    Avoid: a copy of `de.yaml` that still has `language: de`
    Prefer: one file per language.
    """


class LanguageUnknown(ProblemCode):
    """The language of a message file has no known number and date formats.

    Why: numbers and dates would be written as in another language.
    Avoid: `language: xx`
    Prefer: a CLDR language code, such as `de`, or `pt-BR` for a regional variant.
    """


def read_languages(documents: Iterable[Document], main: Document) -> tuple[dict[str, Messages], list[Problem]]:
    """The messages by language, the default language first, and their problems.

    No messages if a language is missing, repeated or unknown. Other languages inherit the formats of the default one.
    """
    default = main.data["language"]
    ordered = sorted(documents, key=lambda document: document.data["language"] != default)
    locales, problems = _locales(ordered)
    if default not in locales:
        message, near = f"there are no messages in `{default}`", closest(default, locales)
        hint = "" if near else f"the languages are: {', '.join(locales)}"
        problems.append(main.problem(LanguageMissing, message, ("language",), hint=hint, closest=near))
    if problems:
        return {}, problems  # inherited formats would be reported as missing
    languages: dict[str, Messages] = {}
    for document in ordered:
        language = document.data["language"]
        formats = languages[default].formats if languages else {}
        languages[language], message_problems = read_messages(document, locales[language], formats)
        problems += message_problems
    return languages, problems


def message_names(languages: Languages) -> dict[str, frozenset[str]]:
    """The names that each sentence reads, in any of the languages."""
    names: dict[str, frozenset[str]] = {}
    for messages in languages.values():
        for key, sentence in messages.sentences.items():
            names[key] = names.get(key, frozenset()) | sentence.names
    return names


def _locales(documents: Iterable[Document]) -> tuple[dict[str, Locale], list[Problem]]:
    """The locale of each language, and problems of languages that are repeated or unknown."""
    first: dict[str, Document] = {}
    locales: dict[str, Locale] = {}
    problems: list[Problem] = []
    for document in documents:
        language, path = document.data["language"], ("language",)
        if first.setdefault(language, document) is not document:
            message, position = f"a second file of messages in `{language}`", first[language].position(path)
            problems.append(document.problem(LanguageTwice, message, path, hint="keep one", first=position))
            continue
        try:
            locales[language] = Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError):
            message, hint = f"unknown language `{language}`", "use a CLDR language code"
            problems.append(document.problem(LanguageUnknown, message, path, hint=hint))
    return locales, problems
