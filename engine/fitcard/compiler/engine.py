"""A rulebook, compiled: what questions are evaluated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fitcard.catalog.catalog import Catalog, Entry
from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.compiler.compiled_rules import CompiledRules, compile_rules
from fitcard.compiler.layout_plan import LayoutPlan, plan_layout
from fitcard.rulebook.rulebook import Rulebook


@dataclass(frozen=True, eq=False, repr=False)
class Engine:
    """Owns the columns of the catalogs, by kind, and the programs and layout plans of each profile.

    The rulebook is never written to; all that is kept between questions is kept here.
    """

    rulebook: Rulebook
    columns: Mapping[str, CatalogColumns]
    rules: Mapping[str, CompiledRules]
    layout_plans: Mapping[str, LayoutPlan]
    _precomputed: dict[str, CompiledRules] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Engine of {self.rulebook!r}>"

    @property
    def default_rules(self) -> CompiledRules:
        """The rules of the default profile."""
        return self.rules[self.rulebook.default_profile]

    def precomputed(self, profile: str) -> CompiledRules:
        """The rules of a profile with what depends on one entry alone computed for the whole catalog, for plain
        questions: those that override no value and bring no entry."""
        if profile not in self._precomputed:
            self._precomputed[profile] = self.rules[profile].with_precomputed()
        return self._precomputed[profile]

    def in_language(self, language: str) -> Engine:
        """The same, answering in that language. Raises KeyError for one that the rulebook lacks."""
        rulebook = self.rulebook.in_language(language)
        return self if rulebook is self.rulebook else replace(self, rulebook=rulebook)

    def with_entries(self, entries: Mapping[str, Entry]) -> Engine:
        """The same with one more entry in each of these catalogs, by kind, or another in place of that of its id."""
        return self._with_columns({kind: self.columns[kind].with_entry(entry) for kind, entry in entries.items()})

    def with_catalogs(self, catalogs: Mapping[str, Catalog]) -> Engine:
        """The same rules over other catalogs of these kinds; what names entries elsewhere is not checked again."""
        return self._with_columns({kind: CatalogColumns(catalog) for kind, catalog in catalogs.items()})

    def _with_columns(self, some: Mapping[str, CatalogColumns]) -> Engine:
        rulebook = self.rulebook.with_catalogs({kind: one.catalog for kind, one in some.items()})
        columns = {**self.columns, **some}
        rules = {profile: one.with_columns(columns) for profile, one in self.rules.items()}
        return Engine(rulebook, columns, rules, self.layout_plans)


def compile_rulebook(rulebook: Rulebook) -> Engine:
    """The engine of a rulebook. Programs are compiled when a question first needs them."""
    columns = {kind: CatalogColumns(catalog) for kind, catalog in rulebook.catalogs.items()}
    rules = {profile: compile_rules(rule_set, columns) for profile, rule_set in rulebook.rule_sets.items()}
    plans = {profile: plan_layout(rulebook.layout, rulebook.message_names, one) for profile, one in rules.items()}
    return Engine(rulebook, columns, rules, plans)
