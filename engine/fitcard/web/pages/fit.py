"""Pages about one model on one device: the answer, the explanation of a figure, the card and the badge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response

from fitcard.answer.custom_entry import with_custom_entries
from fitcard.web.pages.address import EMBED, Address, sibling_address
from fitcard.web.pages.charts import context_curve, memory_bar
from fitcard.web.pages.form import question_form
from fitcard.web.pages.renderer import PageRenderer, asset
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
