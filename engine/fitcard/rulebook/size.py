"""The size of a rulebook: how much of each thing its files define, counted before anything is resolved or evaluated.

The time of each later step is at most proportional to these numbers. Each maximum is several times what this project
needs, and a rulebook with all of them is still checked within seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fitcard.language.definitions import ADDS, SECTIONS
from fitcard.problems import Problem
from fitcard.rulebook.files import (
    BACKTEST,
    CHECKS,
    LAYOUT,
    MESSAGES,
    PROFILE,
    RANKINGS,
    RULEBOOK,
    RULES,
    TESTS,
    RuleFiles,
)
from fitcard.source.document import Document, Path
from fitcard.source.limits import TooMany

MAX_NAME = 100  # characters of the name of a rule
MAX_PROFILES = 30
MAX_DEFINITIONS = 2_000  # of one profile
MAX_DEFINITIONS_OF_ALL = 10_000  # names, kinds and units are resolved in each profile
MAX_ROWS = 5_000  # of all tables
MAX_EXPRESSION_CHARACTERS = 100_000  # of formulas, invariants and checks; the time to parse them is proportional
MAX_INVARIANTS = 300
MAX_TESTS = 3_000
MAX_ENTRIES_IN_TESTS = 5_000_000  # each test looks for the entries that it names by any of their names
MAX_AXES = 20
MAX_INPUTS = 50
MAX_UNITS = 500
MAX_PINNED = 100  # questions, and names
MAX_CHECKS = 300  # of catalogs; each evaluates a column of its catalog
MAX_CHECKED_ENTRIES = 500_000  # in all checks of catalogs
MAX_QUANTITIES = 50  # of the back-test
MAX_RANKINGS = 30
MAX_FILTERS = 100
MAX_LANGUAGES = 30
MAX_TEXTS = 1_000  # sentences, labels and problems of one language
MAX_FORMATS = 200  # of all languages
MAX_MESSAGE_CHARACTERS = 600_000  # of all languages; slots are checked in each profile
MAX_BLOCKS = 200  # of layouts and rankings
MAX_PICKS = 50
MAX_STEPS = 1_000  # values of lists along inputs
Counted = Iterator[tuple[Document, Path, int]]  # places, each with how many of something there are
EXPRESSIONS_OF_CHECKS = ("when", "figure", "at_least", "at_most", "equals")


def size_problems(files: RuleFiles) -> Iterator[Problem]:
    """For each thing of which there are too many, a problem at the first that is over the limit; and names too long."""
    rules, main = [*files.of(RULES), *files.of(PROFILE)], files.of(RULEBOOK)
    yield from _name_problems(rules)
    yield from _over(MAX_PROFILES, "profiles", _files(files.of(PROFILE)))
    yield from _definition_problems(files)
    yield from _over(MAX_ROWS, "rows of tables", _rows(rules))
    yield from _over(MAX_EXPRESSION_CHARACTERS, "characters of expressions", _expressions(rules, files.of(CHECKS)))
    yield from _over(MAX_INVARIANTS, "invariants", _items(rules, "invariants"))
    yield from _over(MAX_TESTS, "tests", _items(files.of(TESTS), "tests"))
    yield from _over(MAX_AXES, "axes", _items(main, "axes"))
    yield from _over(MAX_INPUTS, "inputs", _items(main, "inputs"))
    yield from _over(MAX_UNITS, "units", _items(main, "units"))
    yield from _over(MAX_PINNED, "pinned questions", _items(main, "pinned", "questions"))
    yield from _over(MAX_PINNED, "pinned names", _items(main, "pinned", "names"))
    checks = (each for section in ("checks", "alike") for each in _items(files.of(CHECKS), section))
    yield from _over(MAX_CHECKS, "checks of catalogs", checks)
    yield from _over(MAX_CHECKED_ENTRIES, "entries in all checks of catalogs", _checked_entries(files))
    entries = sum(len(document.data.get("entries", ())) for kind in files.documents for document in files.of(kind))
    in_tests = ((document, path, entries) for document, path, _ in _items(files.of(TESTS), "tests"))
    yield from _over(MAX_ENTRIES_IN_TESTS, "entries times tests", in_tests)
    yield from _over(MAX_QUANTITIES, "quantities of the back-test", _items(files.of(BACKTEST), "quantities"))
    yield from _over(MAX_RANKINGS, "rankings", _items(files.of(RANKINGS), "rankings"))
    yield from _over(MAX_FILTERS, "filters of rankings", _items(files.of(RANKINGS), "filters"))
    yield from _over(MAX_LANGUAGES, "languages", _files(files.of(MESSAGES)))
    for document in files.of(MESSAGES):
        texts = (each for part in ("sentences", "labels", "problems") for each in _items([document], part))
        yield from _over(MAX_TEXTS, "texts of a language", texts)
    yield from _over(MAX_FORMATS, "formats", _items(files.of(MESSAGES), "formats"))
    yield from _over(MAX_MESSAGE_CHARACTERS, "characters of messages", _characters(files.of(MESSAGES)))
    views = [*files.of(LAYOUT), *files.of(RANKINGS)]
    yield from _over(MAX_BLOCKS, "blocks", _items(views, "blocks"))
    yield from _over(MAX_PICKS, "picks", _items(views, "picks"))
    yield from _over(MAX_STEPS, "values along inputs", _steps(views))


def _over(maximum: int, what: str, counted: Counted) -> Iterator[Problem]:
    """A problem at the first place at which the sum of the counts is above the maximum."""
    total = 0
    for document, path, count in counted:
        total += count
        if total > maximum:
            hint = "remove some, or make them smaller"
            yield document.problem(TooMany, f"more than {maximum:,} {what}", path, key=True, hint=hint)
            return


def _files(documents: list[Document]) -> Counted:
    return ((document, (), 1) for document in documents)


def _items(documents: list[Document], *path: str) -> Counted:
    """The items of a list or map of each document that has it."""
    for document in documents:
        part: Any = document.data
        for key in path:
            part = part.get(key) or {}
        for step in part if isinstance(part, Mapping) else range(len(part)):
            yield document, (*path, step), 1


def _definitions(document: Document) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
    """The path, section and data of each definition of a rule file or profile."""
    for prefix, part in (((), document.data), (ADDS, document.data.get(ADDS[0], {}))):
        for section in SECTIONS:
            for name, data in (part.get(section) or {}).items():
                yield (*prefix, section, name), section, data


def _name_problems(documents: list[Document]) -> Iterator[Problem]:
    for document in documents:
        for path, _, _ in _definitions(document):
            if len(str(path[-1])) > MAX_NAME:
                message, hint = f"a name of more than {MAX_NAME} characters", "choose a shorter name"
                yield document.problem(TooMany, message, path, key=True, hint=hint)


def _definition_problems(files: RuleFiles) -> Iterator[Problem]:
    """Too many definitions of one profile, or of all of them."""
    of_rules = [(document, path, 1) for document in files.of(RULES) for path, _, _ in _definitions(document)]
    of_profiles = {document.path: len(list(_definitions(document))) for document in files.of(PROFILE)}
    too_many = list(_over(MAX_DEFINITIONS, "definitions", iter(of_rules)))
    yield from too_many
    if not too_many:
        for document in files.of(PROFILE):
            own = [(document, path, 1) for path, _, _ in _definitions(document)]
            yield from _over(MAX_DEFINITIONS, "definitions", iter([*of_rules, *own]))
        counted = ((document, (), len(of_rules) + of_profiles[document.path]) for document in files.of(PROFILE))
        yield from _over(MAX_DEFINITIONS_OF_ALL, "definitions of all profiles", counted)


def _rows(documents: list[Document]) -> Counted:
    for document in documents:
        for path, section, data in _definitions(document):
            if section == "tables":
                yield document, path, len(data["rows"])


def _expressions(rules: list[Document], checks: list[Document]) -> Counted:
    for document in rules:
        for path, section, data in _definitions(document):
            if section == "formulas":
                yield document, path, len(data["expr"])
        for number, data in enumerate(document.data.get("invariants") or ()):
            yield document, ("invariants", number), len(data.get("always", ""))
    for document in checks:
        for name, data in (document.data.get("checks") or {}).items():
            yield document, ("checks", name), sum(len(str(data.get(key, ""))) for key in EXPRESSIONS_OF_CHECKS)


def _checked_entries(files: RuleFiles) -> Counted:
    """The number of entries of the catalog of each check."""
    entries: dict[str, int] = {}
    for document in files.of(CHECKS):
        for section in ("checks", "alike"):
            for name, data in (document.data.get(section) or {}).items():
                kind = data["of"]
                if kind not in entries:
                    entries[kind] = sum(len(catalog.data.get("entries", ())) for catalog in files.of(kind))
                yield document, (section, name), entries[kind]


def _characters(documents: list[Document]) -> Counted:
    for document in documents:
        for path, span in document.spans.items():
            yield document, path, len(span.written or "")


def _steps(documents: list[Document]) -> Counted:
    """The number of values of each list along an input, in any part of a layout."""
    for document in documents:
        for path, value in ((path, document.at(path)) for path in document.spans if path[-1:] == ("along",)):
            if isinstance(value, str):
                values = document.at(path[:-1]).get("values")
                yield document, path, len(values) if isinstance(values, list) else 0
