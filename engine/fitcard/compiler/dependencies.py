"""What each value depends on, and what depends on it: formulas, tables, and the axes and inputs of a question."""

from __future__ import annotations

from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.language.rule_set import RuleSet, field_names


class Dependencies:
    """The dependency graph of a rule set, each part worked out when it is first asked for.

    Rule sets that differ in the values of constants and rows alone have the same one.
    """

    def __init__(self, rule_set: RuleSet) -> None:
        self._definitions, self._question_fields = rule_set.definitions, rule_set.question_fields
        self._fields = tuple(field_names(rule_set.question_fields, rule_set.catalogs))
        self._direct: dict[str, frozenset[str]] = {}
        self._varies_by: dict[str, frozenset[str]] = {}
        self._independent_of: dict[frozenset[str], frozenset[str]] = {}
        self._dependents: dict[str, frozenset[str]] = {}

    def direct(self, name: str) -> frozenset[str]:
        """The definitions that a definition reads, among them tables that choose the entry of a figure it reads."""
        if name not in self._direct:
            reads = self._definitions[name].reads
            choosers = [chooser for read in reads if (chooser := self._question_fields.default_table(read))]
            self._direct[name] = frozenset(part for part in (*reads, *choosers) if part in self._definitions)
        return self._direct[name]

    def varies_by(self, name: str) -> frozenset[str]:
        """The axes and inputs that a value can differ by: `model`, `question.context`, and `current` where it is
        compared with the question's own row."""
        if name not in self._varies_by:
            reads = self._definitions[name].reads if name in self._definitions else (name,)
            self._varies_by[name] = frozenset().union(*map(self._roots_of, reads))
        return self._varies_by[name]

    def independent_of(self, roots: frozenset[str]) -> frozenset[str]:
        """All names, of rules, figures of catalogs and inputs, that vary by none of these axes and inputs."""
        if roots not in self._independent_of:
            inputs = (f"{QUESTION}.{name}" for name in self._question_fields.inputs)
            every = (*self._definitions, *self._fields, *inputs)
            self._independent_of[roots] = frozenset(name for name in every if roots.isdisjoint(self.varies_by(name)))
        return self._independent_of[roots]

    def dependents(self, name: str) -> frozenset[str]:
        """All definitions whose value depends on `name`, directly or not, and `name` itself."""
        if name not in self._dependents:
            found = {name}
            for other, definition in self._definitions.items():  # each comes after all that it reads
                if not (found.isdisjoint(definition.reads) and found.isdisjoint(self.direct(other))):
                    found.add(other)
            self._dependents[name] = frozenset(found)
        return self._dependents[name]

    def _roots_of(self, read: str) -> frozenset[str]:
        space = read.partition(".")[0]
        if read in self._definitions:
            return self.varies_by(read)
        if space in self._question_fields.axes:
            chooser = self._question_fields.default_table(read)
            return frozenset({space}) | (self.varies_by(chooser) if chooser else frozenset())
        return frozenset({CURRENT if space == CURRENT else read})
