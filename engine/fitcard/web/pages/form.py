"""The form of a question: a choice for each axis that has a default, a field for each number, and the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from fitcard.language.question_fields import PROFILE, Axis, Input
from fitcard.web.pages.drawing import PageRenderer


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


@dataclass(frozen=True)
class QuestionForm:
    """The fields as they are drawn: `choices`, and `numbers` as the address gives them, if any is `given`."""

    choices: tuple[Markup, ...]
    numbers: tuple[Markup, ...]
    given: bool


def question_form(drawing: PageRenderer, asked: Mapping[str, object]) -> QuestionForm:
    """The form with what was asked in it, which is the question of an answer."""
    subject, given = drawing.rulebook.subject, drawing.here.parameters
    choices = [_choice(drawing, axis, str(asked[axis.name])) for axis in subject.axes.values() if not axis.required]
    return QuestionForm(
        choices=(*choices, _profile(drawing, str(asked[PROFILE]))),
        numbers=tuple(_number(drawing, number, given.get(number.name, "")) for number in subject.inputs.values()),
        given=any(given.get(name) for name in subject.inputs),
    )


def _choice(drawing: PageRenderer, axis: Axis, chosen: str) -> Markup:
    def field() -> Field:
        named, entries = drawing.messages.named, drawing.rulebook.catalog_of(axis.name).entries.values()
        options = tuple(Option(one.id, named(axis.catalog, "name", one.name), one.id == chosen) for one in entries)
        return Field(axis.name, drawing.messages.titled(axis.title), axis.about, chosen, options)

    return drawing.part("choice.html", axis.name, chosen, field=field)


def _profile(drawing: PageRenderer, chosen: str) -> Markup:
    def field() -> Field:
        rule_sets = drawing.rulebook.rule_sets.items()
        titled = drawing.messages.titled
        options = tuple(Option(name, titled(one.title), name == chosen) for name, one in rule_sets)
        return Field(PROFILE, drawing.messages.label("page_profile"), "", chosen, options)

    return drawing.part("choice.html", PROFILE, chosen, field=field)


def _number(drawing: PageRenderer, number: Input, given: str) -> Markup:
    def field() -> Field:
        return Field(number.name, drawing.messages.titled(number.title), number.about, given)

    if given:  # whatever anybody writes there; most is never written again
        return Markup(drawing.draw("number.html", field=field()))
    return drawing.part("number.html", number.name, field=field)
