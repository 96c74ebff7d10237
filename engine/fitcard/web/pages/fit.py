"""Pages about one model on one device: the answer with its form, the trace of a figure, the card and the badge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response
from markupsafe import Markup

from fitcard.answer.custom_entry import with_custom_entries
from fitcard.language.question_fields import PROFILE, Axis, Input
from fitcard.web.pages.charts import context_curve, memory_bar
from fitcard.web.pages.renderer import EMBED, Address, PageRenderer, asset, sibling_address
from fitcard.web.parameters import Pair, QuestionQuery, RuleName
from fitcard.web.questions import answer, explanation, read_pair
from fitcard.web.responses import HTML, SVG, rules_response
from fitcard.web.routing import Routes

routes = Routes()

LETTER_WIDTH = 7  # of a badge, in units of the picture
PADDING = 16
WAY_PARAMETERS = {"quant": "quant", "kv": "kv", "gpus": "gpus", "context": "context_tokens"}  # by their keys in a way

Answer = Mapping[str, Any]
Step = Mapping[str, Any]


@routes.get("/can-run/<pair>", "/can-run/qwen-3-14b-on-m1-16gb?lang=ja", media=HTML)
def fit(pair: Pair, query: QuestionQuery) -> Response:
    """Page about a model on a device.

    Every figure of the answer, each with a link to its explanation.
    """
    data, renderer = answer(read_pair(pair, query.values)), PageRenderer.of_request()
    page = renderer.render(
        "fit.html",
        a=data,
        pair=pair,
        links=_links(data, renderer.here.parameters),
        form=question_form(renderer, data["question"]),
        bar=memory_bar(data["memory"]),
        curve=context_curve(data),
        way_address=lambda way: _way_address(data, renderer.here, way),
        name_at=lambda keys: renderer.rulebook.layout.name_at(*keys),
    )
    return rules_response(page)


@routes.get("/can-run/<pair>/why/<name>", "/can-run/qwen-3-14b-on-m1-16gb/why/decode_tok_s", media=HTML)
def why(pair: Pair, name: RuleName, query: QuestionQuery) -> Response:
    """Page about a figure of an answer.

    How the figure is computed, down to the figures of the catalogs.
    """
    question, renderer = read_pair(pair, query.values), PageRenderer.of_request()
    engine = with_custom_entries(renderer.engine, question.custom_entries)
    names = {
        axis: engine.rulebook.catalog_of(axis).entries[entry].name
        for axis, entry in question.entries.items()
        if engine.rulebook.question_fields.axes[axis].required
    }
    tree = trace_tree(explanation(engine, question, name), name)
    return rules_response(renderer.render("why.html", tree=tree, back=renderer.here.at(f"/can-run/{pair}"), **names))


@routes.get("/embed/<pair>", "/embed/qwen-3-14b-on-m1-16gb", media=HTML)
def embed(pair: Pair, query: QuestionQuery) -> Response:
    """Card for other sites.

    A small page that any site may show in a frame.
    """
    return rules_response(_card(answer(read_pair(pair, query.values)), "card.html"))


@routes.get("/card/<pair>.svg", "/card/qwen-3-14b-on-m1-16gb.svg", media=SVG)
def card(pair: Pair, query: QuestionQuery) -> Response:
    """Card as a picture.

    For previews of links.
    """
    return rules_response(_card(answer(read_pair(pair, query.values)), "card.svg"), SVG)


@routes.get("/badge/<pair>.svg", "/badge/qwen-3-14b-on-m1-16gb.svg", media=SVG)
def badge(pair: Pair, query: QuestionQuery) -> Response:
    """Badge.

    The device, the grade and the fit in one line.
    """
    data = answer(read_pair(pair, query.values))
    label, message = data["device"]["name"], f"{data['grade']} {data['fit']['label']}"
    left, right = (len(text) * LETTER_WIDTH + PADDING for text in (label, message))
    renderer = PageRenderer.of_request()
    return rules_response(
        renderer.render("badge.svg", a=data, label=label, message=message, left=left, right=right), SVG
    )


def _card(data: Answer, template: str) -> str:
    return PageRenderer.of_request().render(template, a=data, links=_links(data, {}), style=asset("card.css"))


def _links(data: Answer, parameters: Mapping[str, str]) -> dict[str, str]:
    """The addresses of the page, of the card with the HTML that embeds it, and of the picture."""
    url = data["embed"]["url"]
    card_address = sibling_address(url, EMBED, parameters)
    return {
        "page": sibling_address(url, "/can-run/", parameters),
        "card": card_address,
        "snippet": data["embed"]["html"].replace(url, card_address),
        "picture": sibling_address(url, "/card/", parameters, ".svg"),
    }


def _way_address(data: Answer, here: Address, way: Mapping[str, Any]) -> Address:
    """The page about one of the `ways` to improve an answer, with the parameters that it changes."""
    question, page = data["question"], here.at(f"/can-run/{data['model']['id']}-on-{way['device']['id']}")
    changed = {name: way[key] for name, key in WAY_PARAMETERS.items() if way[key] != question[name]}
    return page.with_parameters(**changed)


@dataclass(frozen=True)
class TraceNode:
    """A step with the steps that it reads; only the first node of a step is `expanded`."""

    step: Step
    inputs: tuple[TraceNode, ...]
    expanded: bool


def trace_tree(steps: Iterable[Step], root: str) -> TraceNode:
    """The tree of steps below the one with this name."""
    by_name = {step["name"]: step for step in steps}
    return _node(by_name[root], by_name, set())


def _node(step: Step, by_name: Mapping[str, Step], seen: set[str]) -> TraceNode:
    names = list(step.get("inputs", {}))
    if step["name"] in seen and names:
        return TraceNode(step, (), expanded=False)
    seen.add(step["name"])
    return TraceNode(step, tuple([_node(by_name[name], by_name, seen) for name in names]), expanded=True)


@dataclass(frozen=True)
class Option:
    """An option of a list."""

    value: str
    name: str
    selected: bool


@dataclass(frozen=True)
class Field:
    """A field of the form: a list if it has `options`, else a number as text."""

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
    lists = [_axis_list(renderer, axis, str(question[axis.name])) for axis in fields.axes.values() if not axis.required]
    return QuestionForm(
        lists=(*lists, _profile_list(renderer, str(question[PROFILE]))),
        numbers=tuple(
            [_number_field(renderer, number, parameters.get(number.name, "")) for number in fields.inputs.values()]
        ),
        any_number=any(parameters.get(name) for name in fields.inputs),
    )


def _axis_list(renderer: PageRenderer, axis: Axis, selected: str) -> Markup:
    def field() -> Field:
        translate, entries = renderer.messages.translate, renderer.rulebook.catalog_of(axis.name).entries.values()
        options = [
            Option(entry.id, translate(axis.catalog, "name", entry.name), entry.id == selected) for entry in entries
        ]
        title = renderer.messages.translate_title(axis.title)
        return Field(axis.name, title, axis.about, selected, tuple(options))

    return renderer.fragment("list.html", axis.name, selected, field=field)


def _profile_list(renderer: PageRenderer, selected: str) -> Markup:
    def field() -> Field:
        translate, profiles = renderer.messages.translate_title, renderer.rulebook.rule_sets.items()
        options = [Option(name, translate(profile.title), name == selected) for name, profile in profiles]
        return Field(PROFILE, renderer.messages.label("page_profile"), "", selected, tuple(options))

    return renderer.fragment("list.html", PROFILE, selected, field=field)


def _number_field(renderer: PageRenderer, number: Input, value: str) -> Markup:
    def field() -> Field:
        return Field(number.name, renderer.messages.translate_title(number.title), number.about, value)

    if value:  # any text; not worth keeping
        return Markup(renderer.render("number.html", field=field()))
    return renderer.fragment("number.html", number.name, field=field)
