"""In which language a caller is answered: the one that was named, or the first of those wanted that there is."""

from __future__ import annotations

from collections.abc import Iterable

from fitcard.answer.problems import UnknownLanguage, question_problem
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook

LANGUAGE = "lang"  # the parameter of an address, and the option of a command


def in_language(engine: Engine, tag: str | None) -> Engine:
    """The engine in the language of that tag, or as it speaks where there is none.

    Raises ProblemsFound where it has no such language.
    """
    if not tag:
        return engine
    language = _found(engine.rulebook, tag)
    if language is None:
        raise ProblemsError(
            [question_problem(engine.rulebook, UnknownLanguage, LANGUAGE, tag, engine.rulebook.languages)]
        )
    return engine.in_language(language)


def in_preferred_language(engine: Engine, tags: Iterable[str]) -> Engine:
    """The engine in the first of these languages that it has; as it speaks where it has none."""
    languages = (_found(engine.rulebook, tag) for tag in tags)
    language = next((found for found in languages if found is not None), None)
    return engine.in_language(language) if language is not None else engine


def _found(rulebook: Rulebook, tag: str) -> str | None:
    """The language of a tag, as RFC 4647 looks it up: `de-AT` is answered in `de`, and `pt` and `pt-PT` in `pt-BR`."""
    wanted = tag.casefold().split("-")
    spelled = {language.casefold(): language for language in rulebook.languages}
    for length in range(len(wanted), 0, -1):
        if language := spelled.get("-".join(wanted[:length])):
            return language
    return next((language for low, language in spelled.items() if low.split("-")[0] == wanted[0]), None)
