"""The form of a question: a list for each axis with a default, a field for each input, and the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from fitcard.language.question_fields import PROFILE, Axis, Input
from fitcard.web.pages.renderer import PageRenderer


@dataclass(frozen=True)
class Option:
    """An option of a list."""

    value: str
    name: str
    selected: bool


@dataclass(frozen=True)
class Field:
    """A field of the form: a list where it has `options`, else a number as it stands in the address."""

    name: str
    title: str
    about: str
    value: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class QuestionForm:
    """Rendered fields. `any_number` says whether the address has one of the `numbers`."""

    lists: tuple[Markup, ...]
    numbers: tuple[Markup, ...]
    any_number: bool


def question_form(renderer: PageRenderer, question: Mapping[str, object]) -> QuestionForm:
    """The form filled with the question of an answer."""
    fields, parameters = renderer.rulebook.question_fields, renderer.here.parameters
    lists = [_axis(renderer, axis, str(question[axis.name])) for axis in fields.axes.values() if not axis.required]
    return QuestionForm(
        lists=(*lists, _profile(renderer, str(question[PROFILE]))),
        numbers=tuple([_number(renderer, one, parameters.get(one.name, "")) for one in fields.inputs.values()]),
        any_number=any(parameters.get(name) for name in fields.inputs),
    )


def _axis(renderer: PageRenderer, axis: Axis, selected: str) -> Markup:
    def field() -> Field:
        translate, entries = renderer.messages.translate, renderer.rulebook.catalog_of(axis.name).entries.values()
        options = [
            Option(entry.id, translate(axis.catalog, "name", entry.name), entry.id == selected) for entry in entries
        ]
        title = renderer.messages.translate_title(axis.title)
        return Field(axis.name, title, axis.about, selected, tuple(options))

    return renderer.fragment("list.html", axis.name, selected, field=field)


def _profile(renderer: PageRenderer, selected: str) -> Markup:
    def field() -> Field:
        translate, profiles = renderer.messages.translate_title, renderer.rulebook.rule_sets.items()
        options = [Option(name, translate(profile.title), name == selected) for name, profile in profiles]
        return Field(PROFILE, renderer.messages.label("page_profile"), "", selected, tuple(options))

    return renderer.fragment("list.html", PROFILE, selected, field=field)


def _number(renderer: PageRenderer, number: Input, value: str) -> Markup:
    def field() -> Field:
        return Field(number.name, renderer.messages.translate_title(number.title), number.about, value)

    if value:  # any text; not worth keeping
        return Markup(renderer.render("number.html", field=field()))
    return renderer.fragment("number.html", number.name, field=field)
