"""The rulebook: all rules, catalogs, messages and layouts of a project, checked and immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fitcard.catalog.catalog import Catalog
from fitcard.language.invariants import Invariant
from fitcard.language.question_fields import QuestionFields
from fitcard.language.rule_set import RuleSet
from fitcard.language.unit_system import UnitSystem
from fitcard.rulebook.backtest import Backtest
from fitcard.rulebook.layout import Layout, MessageNames
from fitcard.rulebook.messages import Languages, Messages
from fitcard.rulebook.rankings import RankingDefinition
from fitcard.source.document import Document
from fitcard.source.schemas import Schemas

SHORT_HASH = 12  # characters of the SHA-256 in logs
PinnedQuestion = Mapping[str, str | float]


@dataclass(frozen=True)
class Pinned:
    """Questions whose values of `names` are recorded in tests."""

    questions: tuple[PinnedQuestion, ...]
    names: tuple[str, ...]


def read_pinned(document: Document) -> Pinned:
    """The pinned questions of a rulebook file that is valid against its schema."""
    data = document.data.get("pinned", {})
    return Pinned(tuple(data.get("questions", [])), tuple(data.get("names", [])))


@dataclass(frozen=True, repr=False)
class Rulebook:
    """The content of the folders `rules`, `catalogs` and `schemas`.

    - `sha256`: of the paths and bytes of all files that affect answers
    - `rule_sets`: by profile
    - `messages`: of the current language; `languages` are all of them, the default first
    - `message_names`: the names that each sentence reads, in any language
    - `test_coverage`: minimum coverage of rules by tests, in percent
    - `checks`: files of conditions on catalog entries
    - `document`: the rulebook file, with axes and inputs of questions
    """

    title: str
    version: str
    sha256: str
    site: str
    units: UnitSystem
    question_fields: QuestionFields
    catalogs: Mapping[str, Catalog]
    rule_sets: Mapping[str, RuleSet]
    default_profile: str
    messages: Messages
    languages: Languages
    message_names: MessageNames
    layout: Layout
    invariants: tuple[Invariant, ...]
    test_coverage: float
    tests: tuple[Document, ...]
    checks: tuple[Document, ...]
    pinned: Pinned
    backtest: Backtest | None
    rankings: Mapping[str, RankingDefinition]
    schemas: Schemas
    document: Document

    def __repr__(self) -> str:
        return f"<Rulebook {self.title} {self.version} {self.sha256[:SHORT_HASH]}>"

    @property
    def rule_set(self) -> RuleSet:
        """The rule set of the default profile."""
        return self.rule_sets[self.default_profile]

    def in_language(self, language: str) -> Rulebook:
        """A copy that answers in another language. Raises KeyError if there are no messages in it."""
        messages = self.languages[language]
        return self if messages is self.messages else replace(self, messages=messages)

    def with_catalogs(self, catalogs: Mapping[str, Catalog]) -> Rulebook:
        """A copy in which `catalogs` replace those of the same kind. References to their entries are not checked."""
        merged = {**self.catalogs, **catalogs}
        rule_sets = {name: replace(rules, catalogs=merged) for name, rules in self.rule_sets.items()}
        return replace(self, catalogs=merged, rule_sets=rule_sets)

    def catalog_of(self, axis: str) -> Catalog:
        """The catalog of the entries of an axis."""
        return self.catalogs[self.question_fields.axes[axis].catalog]
