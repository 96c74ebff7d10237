"""The form of a question: a choice for each axis that has a default, a field for each number, and the profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from engine.draw.pages.drawing import Drawing
from engine.rulebook.subject import PROFILE, Axis


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


def question_form(drawing: Drawing, asked: Mapping[str, object]) -> tuple[list[Markup], list[Field]]:
    """The choices as drawn, and the numbers as the address gives them. `asked` is the question of an answer."""
    rulebook = drawing.rulebook
    choices = [
        _choice(drawing, axis, str(asked[axis.name])) for axis in rulebook.subject.axes.values() if not axis.required
    ]
    return [*choices, _profile(drawing, str(asked[PROFILE]))], list(_numbers(drawing))


def _choice(drawing: Drawing, axis: Axis, chosen: str) -> Markup:
    def field() -> Field:
        named, entries = drawing.messages.named, drawing.rulebook.catalog_of(axis.name).entries.values()
        options = tuple(Option(one.id, named(axis.catalog, "name", one.name), one.id == chosen) for one in entries)
        return Field(axis.name, axis.title, axis.about, chosen, options)

    return drawing.part("choice.html", axis.name, chosen, field=field)


def _profile(drawing: Drawing, chosen: str) -> Markup:
    def field() -> Field:
        rule_sets = drawing.rulebook.rule_sets.items()
        options = tuple(Option(name, one.title, name == chosen) for name, one in rule_sets)
        return Field(PROFILE, drawing.messages.label("page_profile"), "", chosen, options)

    return drawing.part("choice.html", PROFILE, chosen, field=field)


def _numbers(drawing: Drawing) -> Iterator[Field]:
    for number in drawing.rulebook.subject.inputs.values():
        yield Field(number.name, number.title, number.about, drawing.here.parameters.get(number.name, ""))
