"""The form of a question: a choice for each axis that has a default, a field for each number, and the profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.draw.pages.drawing import Drawing
from engine.rulebook.subject import PROFILE


@dataclass(frozen=True)
class Option:
    """One choice, and whether it is the one that holds."""

    value: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class Field:
    """A parameter of a question. `options` are empty for a number, whose `value` is then as it was given."""

    name: str
    title: str
    about: str
    value: str
    options: tuple[Option, ...] = ()


def question_form(drawing: Drawing, asked: Mapping[str, object]) -> tuple[list[Field], list[Field]]:
    """The choices, and the numbers as the address gives them. `asked` is the question of an answer."""
    return list(_choices(drawing, asked)), list(_numbers(drawing))


def _choices(drawing: Drawing, asked: Mapping[str, object]) -> Iterator[Field]:
    rulebook = drawing.rulebook
    for axis in rulebook.subject.axes.values():
        if not axis.required:
            entries = rulebook.catalog_of(axis.name).entries.values()
            options = tuple(
                Option(entry.id, drawing.messages.named(axis.catalog, "name", entry.name), entry.id == asked[axis.name])
                for entry in entries
            )
            yield Field(axis.name, axis.title, axis.about, str(asked[axis.name]), options)
    profiles = tuple(Option(name, one.title, name == asked[PROFILE]) for name, one in rulebook.rule_sets.items())
    yield Field(PROFILE, drawing.messages.label("page_profile"), "", str(asked[PROFILE]), profiles)


def _numbers(drawing: Drawing) -> Iterator[Field]:
    for number in drawing.rulebook.subject.inputs.values():
        yield Field(number.name, number.title, number.about, drawing.here.parameters.get(number.name, ""))
