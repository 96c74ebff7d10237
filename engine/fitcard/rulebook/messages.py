"""The languages of a rulebook: one file of messages for each, of which one is the rulebook's own."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from babel import Locale, UnknownLocaleError

from fitcard.language.resolution import NameUnknown
from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.formats import Format
from fitcard.source.document import Document, Path
from fitcard.suggest import closest, did_you_mean
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


SIGNIFICANT_DIGITS = 3  # of figures that a tuner added
TITLES = ("rulebook", "title")  # what forms say stands among the texts of catalogs, under these


@dataclass(frozen=True)
class Slot:
    """A place in a text for the value of `name`, written in the format `format` (empty: a word as it is)."""

    name: str
    format: str


Template = tuple[str | Slot, ...]
Texts = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Sentence:
    """One template for each word of the table `by`; with `by` empty, the one under the empty word."""

    by: str
    templates: Mapping[str, Template]

    @property
    def names(self) -> frozenset[str]:
        """Every name that writing the sentence may need."""
        slots = {part.name for template in self.templates.values() for part in template if isinstance(part, Slot)}
        return frozenset(slots | ({self.by} if self.by else set()))

    def template(self, value_of: Callable[[str], Scalar]) -> Template:
        """The template to fill: where there are several, the one for the word that `by` has."""
        return self.templates[str(value_of(self.by)) if self.by else ""]


@dataclass(frozen=True, eq=False)
class Messages:
    """All texts of one language, which no others are equal to.

    `labels` are the words of pages, `problems` what a caller is told by code.
    `names` are texts of catalogs in this language: by catalog, by field, and by the text as the catalog has it; under
    `TITLES` what forms call axes, inputs and profiles.
    """

    language: str
    locale: Locale
    formats: Mapping[str, Format]
    sentences: Mapping[str, Sentence]
    labels: Mapping[str, Template]
    problems: Mapping[str, Template]
    names: Mapping[str, Mapping[str, Mapping[str, str]]]
    document: Document

    def sentence(
        self, key: str, value_of: Callable[[str], Scalar], shown: Callable[[str], Scalar] | None = None
    ) -> str:
        """The sentence `key`: `value_of` gives the word that it goes by, `shown` what stands in its slots."""
        return _fill(self.sentences[key].template(value_of), shown or value_of, self.formats)

    def formatter(self, form: str) -> Callable[[Any], str]:
        """What writes a value in the format of that name; as it is where there is none."""
        return self.formats[form].write if form else _plain

    def translate(self, catalog: str, field: str, text: str) -> str:
        """A text of a catalog in this language, or as the catalog has it where it has none here."""
        return self.names.get(catalog, {}).get(field, {}).get(text, text)

    def translate_title(self, title: str) -> str:
        """What a form calls an axis, an input or a profile, in this language, or as the rules have it."""
        return self.translate(*TITLES, title)

    def label(self, key: str, **values: Scalar) -> str:
        """The label `key` with its slots filled from `values`."""
        return _fill(self.labels[key], values.__getitem__, self.formats)

    def format_label(self, value: Scalar, key: str) -> str:
        """A value in the label `key`, which has one slot for it."""
        return _fill(self.labels[key], {"value": value}.__getitem__, self.formats)

    def quantity(self, value: float | str | None, unit: str) -> str:
        """A number to three significant digits with its unit, or a word, as readers of the language write it."""
        if value is None or isinstance(value, str):
            return value or "-"
        digits = 0 if not value else max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value))))
        text = Format(self.locale, decimals=digits, group=True).write(value)
        return f"{text} {unit}" if unit else text

    def problem(self, code: str, **values: Scalar) -> str:
        """What a caller is told about a problem of this code."""
        return _fill(self.problems[code], values.__getitem__, self.formats)


def read_messages(document: Document, locale: Locale, formats: Mapping[str, Format]) -> tuple[Messages, list[Problem]]:
    """The messages of a file that has passed its schema, and what is wrong with their slots.

    They are written in the way of `locale`; `formats` hold where the file has none of that name.
    """
    data = document.data
    own = {name: Format(locale, **parts) for name, parts in data.get("formats", {}).items()}
    formats = {name: replace(form, locale=locale) for name, form in formats.items()} | own
    reader = _Reader(document, formats)
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
    """Slots of sentences that name nothing, lack a format, or miss a word of the table they go by."""
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
            place: Path = (*path, "text", word) if sentence.by else path
            for slot in (part for part in template if isinstance(part, Slot)):
                kind = kind_of(slot.name)
                if kind is None:
                    near = closest(slot.name, known())
                    message = f"undefined name `{slot.name}`"
                    at = slot_offset(messages.document, place, slot.name)
                    yield messages.document.problem(NameUnknown, message, place, offset=at, closest=near)
                elif kind is Kind.NUMBER and not slot.format:
                    hint = f"write `{{{slot.name}:format}}` with one of: {', '.join(messages.formats)}"
                    at = slot_offset(messages.document, place, slot.name)
                    message = f"the number `{slot.name}` has no format"
                    yield messages.document.problem(MessageFormat, message, place, offset=at, hint=hint)


def check_texts(messages: Messages, section: str, texts: Texts) -> Iterator[Problem]:
    """Texts of a section (`labels` or `problems`) that are missing, and slots that nothing fills.

    `texts` are those that are needed, each with the names that its slots may have.
    """
    found: Mapping[str, Template] = getattr(messages, section)
    for key, may_have in texts.items():
        if key not in found:
            slots = " ".join(f"{{{name}}}" for name in sorted(may_have))
            hint = f"add `{key}:`" + (f", with slots of {slots}" if slots else "")
            message = f"the text `{key}` is missing from {section}"
            yield messages.document.problem(MessageMissing, message, (section,), key=True, hint=hint)
    for key, template in found.items():
        if key not in texts:
            near = closest(key, texts)
            message = f"the text `{key}` of {section} is never used"
            yield messages.document.problem(MessageUnused, message, (section, key), key=True, closest=near)
            continue
        for slot in (part for part in template if isinstance(part, Slot) and part.name not in texts[key]):
            at = slot_offset(messages.document, (section, key), slot.name)
            near = closest(slot.name, texts[key])
            hint = "" if near else f"its slots are: {', '.join(sorted(texts[key])) or 'none'}"
            message = f"undefined slot `{slot.name}`"
            yield messages.document.problem(MessageSlot, message, (section, key), offset=at, hint=hint, closest=near)


def slot_offset(document: Document, path: Path, name: str) -> int | None:
    """Where the slot of that name stands in the text at `path`."""
    place = document.places.get(path)
    at = (place.written or "").find(f"{{{name}") if place else -1
    return at + 1 if at >= 0 else None


def _word_problems(document: Document, path: Path, sentence: Sentence, words: tuple[str, ...]) -> Iterator[Problem]:
    missing = [word for word in words if word not in sentence.templates]
    if missing:
        what = f"there is no text for {', '.join(f'`{word}`' for word in missing)}"
        yield document.problem(MessageIncomplete, what, (*path, "text"), key=True, hint="add a text for each")
    for word in sentence.templates:
        if word not in words:
            message = f"`{sentence.by}` never gives `{word}`"
            hint = f"it gives: {', '.join(words)}"  # which side is misspelt, only a person knows
            yield document.problem(MessageUnused, message, (*path, "text", word), key=True, hint=hint)


class _Reader:
    def __init__(self, document: Document, formats: Mapping[str, Format]) -> None:
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
            hint = "write `{{` for a literal brace"
            self.problems.append(
                self.document.problem(MessageSlot, f"cannot parse the slots: {error}", path, hint=hint)
            )
            return ()
        for literal, name, form, conversion in pieces:
            if literal:
                parts.append(literal)
            if name is None:
                continue
            if conversion or (form and form not in self.formats):
                near = closest(form or "", self.formats)
                hint = did_you_mean(near) or f"the formats are: {', '.join(self.formats)}"
                self.problems.append(
                    self.document.problem(MessageFormat, f"there is no format `{form}`", path, hint=hint, closest=near)
                )
            parts.append(Slot(name, form or ""))
        return tuple(parts)


def _fill(template: Template, value_of: Callable[[str], Scalar], formats: Mapping[str, Format]) -> str:
    return "".join(
        [part if isinstance(part, str) else _write(value_of(part.name), part.format, formats) for part in template]
    )


def _write(value: Scalar | list[str], form: str, formats: Mapping[str, Format]) -> str:
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
    """The messages by language, the rulebook's own first, and what is wrong with them; none where a language is wrong.

    Formats of the rulebook's own language hold in all others that do not have one of that name.
    """
    default = main.data["language"]
    ordered = sorted(documents, key=lambda document: document.data["language"] != default)
    locales, problems = _locales(ordered)
    if default not in locales:
        message, near = f"there are no messages in `{default}`", closest(default, locales)
        hint = "" if near else f"the languages are: {', '.join(locales)}"
        problems.append(main.problem(LanguageMissing, message, ("language",), hint=hint, closest=near))
    if problems:
        return {}, problems  # formats would be missing that nobody left out
    found: dict[str, Messages] = {}
    for document in ordered:
        language = document.data["language"]
        formats = found[default].formats if found else {}
        found[language], wrong = read_messages(document, locales[language], formats)
        problems += wrong
    return found, problems


def message_names(languages: Languages) -> dict[str, frozenset[str]]:
    """For each sentence every name that it may need in any of the languages."""
    keys = dict.fromkeys(key for messages in languages.values() for key in messages.sentences)
    said = {key: [one.sentences[key].names for one in languages.values() if key in one.sentences] for key in keys}
    return {key: frozenset().union(*names) for key, names in said.items()}


def _locales(documents: Iterable[Document]) -> tuple[dict[str, Locale], list[Problem]]:
    """How each language writes numbers and days; languages that stand twice, and those that nobody knows."""
    first: dict[str, Document] = {}
    locales: dict[str, Locale] = {}
    problems: list[Problem] = []
    for document in documents:
        language, path = document.data["language"], ("language",)
        if first.setdefault(language, document) is not document:
            message, place = f"a second file of messages in `{language}`", first[language].position(path)
            problems.append(document.problem(LanguageTwice, message, path, hint="keep one", first=place))
            continue
        try:
            locales[language] = Locale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError):
            message, hint = f"unknown language `{language}`", "use a CLDR language code"
            problems.append(document.problem(LanguageUnknown, message, path, hint=hint))
    return locales, problems
