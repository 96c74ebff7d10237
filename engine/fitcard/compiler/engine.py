"""The engine: a compiled rulebook, with which questions are evaluated."""

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
    """A rulebook with the columns of its catalogs, by kind, and the compiled rules and layout plan of each profile.

    All state that is cached between questions is here; the rulebook is immutable.
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
        """The rules of a profile with `CompiledRules.with_precomputed`.

        For questions without overrides and custom entries.
        """
        if profile not in self._precomputed:
            self._precomputed[profile] = self.rules[profile].with_precomputed()
        return self._precomputed[profile]

    def in_language(self, language: str) -> Engine:
        """The engine with the messages of a language. Raises KeyError for one that the rulebook lacks."""
        rulebook = self.rulebook.in_language(language)
        return self if rulebook is self.rulebook else replace(self, rulebook=rulebook)

    def with_entries(self, entries: Mapping[str, Entry]) -> Engine:
        """The engine with an entry added to catalogs, by kind, or replaced if it has the same id."""
        return self._with_columns({kind: self.columns[kind].with_entry(entry) for kind, entry in entries.items()})

    def with_catalogs(self, catalogs: Mapping[str, Catalog]) -> Engine:
        """The engine with other catalogs of these kinds; references to their entries are not checked again."""
        return self._with_columns({kind: CatalogColumns(catalog) for kind, catalog in catalogs.items()})

    def _with_columns(self, changed: Mapping[str, CatalogColumns]) -> Engine:
        rulebook = self.rulebook.with_catalogs({kind: columns.catalog for kind, columns in changed.items()})
        columns = {**self.columns, **changed}
        rules = {profile: of_profile.with_columns(columns) for profile, of_profile in self.rules.items()}
        return Engine(rulebook, columns, rules, self.layout_plans)


def compile_rulebook(rulebook: Rulebook) -> Engine:
    """The engine of a rulebook. Programs are compiled when a question first needs them."""
    columns = {kind: CatalogColumns(catalog) for kind, catalog in rulebook.catalogs.items()}
    rules = {profile: compile_rules(rule_set, columns) for profile, rule_set in rulebook.rule_sets.items()}
    plans = {
        profile: plan_layout(rulebook.layout, rulebook.message_names, of_profile)
        for profile, of_profile in rules.items()
    }
    return Engine(rulebook, columns, rules, plans)
