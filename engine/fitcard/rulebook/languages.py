"""The languages of a rulebook: one file of messages for each, of which one is the rulebook's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from babel import Locale, UnknownLocaleError

from fitcard.closest import closest
from fitcard.codes import Code
from fitcard.problems import Problem
from fitcard.read.document import Document
from fitcard.rulebook.messages import Messages, read_messages

Languages = Mapping[str, Messages]


class LanguageMissing(Code):
    """There are no messages in the language that the rulebook speaks where no other is asked for.

    Why: a question that names no language could not be answered.
    Avoid: `language: fr` in the rulebook, and no file of messages with `language: fr`
    Prefer: a language that a file of messages has.
    """


class LanguageTwice(Code):
    """Two files of messages are in the same language.

    Why: which of them is read would be open.
    Avoid: a copy of `de.yaml` in which `language: de` still stands.
    Prefer: one file for each language.
    """


class LanguageUnknown(Code):
    """Nobody knows how numbers and days are written in the language of a file of messages.

    Why: they would be written in the way of another one.
    Avoid: `language: xx`
    Prefer: a code of CLDR, such as `de`, or `pt-BR` for a language of one country.
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


def names_said(languages: Languages) -> dict[str, frozenset[str]]:
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
            message, hint = f"there is no language `{language}`", "write its code of CLDR"
            problems.append(document.problem(LanguageUnknown, message, path, hint=hint))
    return locales, problems
