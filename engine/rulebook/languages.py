"""The languages of a rulebook: one file of messages for each, of which one is the rulebook's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from babel import Locale, UnknownLocaleError

from engine.closest import closest
from engine.codes import Code
from engine.problems import Problem
from engine.read.document import Document
from engine.rulebook.formats import Format
from engine.rulebook.messages import Messages, read_messages

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
    """The messages by language, the rulebook's own first, and what is wrong with them.

    Formats of the rulebook's own language hold in all others that do not have one of that name.
    """
    default = main.data["language"]
    found: dict[str, Messages] = {}
    problems: list[Problem] = []
    formats: Mapping[str, Format] = {}
    for document in sorted(documents, key=lambda document: document.data["language"] != default):
        language = document.data["language"]
        locale = _locale(language)
        if language in found:
            first = found[language].document.position(("language",))
            message = f"a second file of messages in `{language}`"
            problems.append(document.problem(LanguageTwice, message, ("language",), hint="keep one", first=first))
        elif locale is None:
            message, hint = f"there is no language `{language}`", "write its code of CLDR"
            problems.append(document.problem(LanguageUnknown, message, ("language",), hint=hint))
        else:
            found[language], wrong = read_messages(document, locale, formats)
            problems += wrong
            formats = found[language].formats if language == default else formats
    if default not in found:
        message, near = f"there are no messages in `{default}`", closest(default, found)
        hint = "" if near else f"the languages are: {', '.join(found)}"
        problems.append(main.problem(LanguageMissing, message, ("language",), hint=hint, closest=near))
    return found, problems


def names_said(languages: Languages) -> dict[str, frozenset[str]]:
    """For each sentence every name that it may need in any of the languages."""
    keys = dict.fromkeys(key for messages in languages.values() for key in messages.sentences)
    said = {key: [one.sentences[key].names for one in languages.values() if key in one.sentences] for key in keys}
    return {key: frozenset().union(*names) for key, names in said.items()}


def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return None
