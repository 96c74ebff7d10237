"""The rulebook: every rule, catalog, sentence and layout of a project, read, checked and never changed after."""

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
from fitcard.rulebook.rankings import Ranking
from fitcard.source.document import Document
from fitcard.source.schemas import Schemas

SHORT_HASH = 12  # characters that tell rulebooks apart in logs
PinnedQuestion = Mapping[str, str | float]


@dataclass(frozen=True)
class Pinned:
    """`questions` as they are asked, and of each the values of `names`."""

    questions: tuple[PinnedQuestion, ...]
    names: tuple[str, ...]


def read_pinned(document: Document) -> Pinned:
    """What a rulebook file that has passed its schema pins; nothing, where it does not say."""
    data = document.data.get("pinned", {})
    return Pinned(tuple(data.get("questions", [])), tuple(data.get("names", [])))


@dataclass(frozen=True, repr=False)
class Rulebook:
    """`sha256` is over the paths and bytes of all files that can change an answer, so it names the beliefs exactly.

    `rule_sets` go by profile; `test_coverage` is the least
    percentage that tests must reach; `checks` are the files that say what must hold for entries of catalogs; `schemas`
    are those that its files were checked by; `document` is the file that says what can be asked. `messages` are those
    of the language that it speaks now, `languages` all of them, its own first; `message_names` are the names that each
    sentence needs, in any of them.
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
    rankings: Mapping[str, Ranking]
    schemas: Schemas
    document: Document

    def __repr__(self) -> str:
        return f"<Rulebook {self.title} {self.version} {self.sha256[:SHORT_HASH]}>"

    @property
    def rule_set(self) -> RuleSet:
        """The rule set of the default profile."""
        return self.rule_sets[self.default_profile]

    def in_language(self, language: str) -> Rulebook:
        """The same rulebook, whose answers and problems are in that language. Raises KeyError where it is not there."""
        messages = self.languages[language]
        return self if messages is self.messages else replace(self, messages=messages)

    def with_catalogs(self, catalogs: Mapping[str, Catalog]) -> Rulebook:
        """The same rules over other catalogs of these kinds; what names entries elsewhere is not checked again."""
        both = {**self.catalogs, **catalogs}
        rule_sets = {name: replace(rules, catalogs=both) for name, rules in self.rule_sets.items()}
        return replace(self, catalogs=both, rule_sets=rule_sets)

    def catalog_of(self, axis: str) -> Catalog:
        """The catalog whose entries an axis takes."""
        return self.catalogs[self.question_fields.axes[axis].catalog]
