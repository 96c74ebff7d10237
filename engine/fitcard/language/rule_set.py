"""The definitions of one profile with every name resolved: what the compiler takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import Definition, Table
from fitcard.language.question_fields import CURRENT, QUESTION, QuestionFields
from fitcard.language.tables import ValueOf, results_of
from fitcard.values import Kind


@dataclass(frozen=True)
class NameInfo:
    """What a name in a formula, a message or the layout of the answer stands for."""

    kind: Kind
    unit: str
    about: str


@dataclass(frozen=True, repr=False)
class RuleSet:
    """The rules of one profile: `definitions` in dependency order, and the `kinds` of their values."""

    profile: str
    title: str
    definitions: Mapping[str, Definition]
    kinds: Mapping[str, Kind]
    question_fields: QuestionFields
    catalogs: Mapping[str, Catalog]

    def __repr__(self) -> str:
        return f"<RuleSet {self.profile}>"

    @property
    def figures(self) -> tuple[Definition, ...]:
        """The definitions that answers show under `figures`, in dependency order."""
        return tuple(definition for definition in self.definitions.values() if definition.shown)

    def describe(self, name: str) -> NameInfo | None:
        """What `name` stands for; None for an unknown name."""
        return describe(name, self.definitions, self.kinds, self.question_fields, self.catalogs)

    def possible_words(self, name: str) -> tuple[tuple[str, ...], bool]:
        """Every word that a table or a field of a catalog can be, and whether it can be absent."""
        return possible_words(name, self.definitions, self.question_fields, self.catalogs)


def describe(
    name: str,
    definitions: Mapping[str, Definition],
    kinds: Mapping[str, Kind],
    question_fields: QuestionFields,
    catalogs: Mapping[str, Catalog],
) -> NameInfo | None:
    """What `name` stands for, where its kind is already known; None where there is no such name."""
    space, _, rest = name.partition(".")
    if not rest:
        definition = definitions.get(name)
        kind = kinds.get(name)
        return NameInfo(kind, definition.unit, definition.about) if definition and kind else None
    if space == QUESTION and rest in question_fields.inputs:
        asked = question_fields.inputs[rest]
        return NameInfo(Kind.NUMBER, asked.unit, asked.about)
    if space == CURRENT:
        return describe(rest, definitions, kinds, question_fields, catalogs)
    if space in question_fields.axes:
        found = catalogs[question_fields.axes[space].catalog].fields.get(rest)
        return NameInfo(found.kind, found.unit, found.about) if found else None
    return None


def field_names(question_fields: QuestionFields, catalogs: Mapping[str, Catalog]) -> list[str]:
    """Every figure and word of the catalogs as a formula names it: `device.bandwidth`."""
    return [f"{axis.name}.{field}" for axis in question_fields.axes.values() for field in catalogs[axis.catalog].fields]


def possible_words(
    name: str, definitions: Mapping[str, Definition], question_fields: QuestionFields, catalogs: Mapping[str, Catalog]
) -> tuple[tuple[str, ...], bool]:
    """Every word that a table or a field of a catalog can be, and whether it can be absent."""
    if name in definitions:
        table = definitions[name]
        words: dict[str, None] = {}
        may_be_absent = False
        for result in results_of(table.rows) if isinstance(table, Table) else ():
            if isinstance(result, ValueOf):
                taken, absent = possible_words(result.name, definitions, question_fields, catalogs)
                words |= dict.fromkeys(taken)
                may_be_absent = may_be_absent or absent
            else:
                words[str(result)] = None
        return tuple(words), may_be_absent
    axis, _, field_name = name.partition(".")
    catalog = catalogs[question_fields.axes[axis].catalog]
    values = [entry.value(field_name) for entry in catalog.entries.values()]
    return tuple(dict.fromkeys(str(value) for value in values if value is not None)), None in values
