"""The start page, the search for a pair, and the files that pages load."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from fitcard.answer.problems import word_problems
from fitcard.answer.question import read_question
from fitcard.catalog.catalog import CUSTOM, JOINED, Field
from fitcard.language.question_fields import Axis
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.pages.renderer import Address, PageRenderer, asset
from fitcard.web.parameters import NamesQuery
from fitcard.web.questions import PAIR, split_line
from fitcard.web.responses import CSS, HTML, JAVASCRIPT, rules_response
from fitcard.web.routing import Example, Routes

routes = Routes()


@routes.get("/", "/", media=HTML)
def start() -> Response:
    """Start page.

    Where people pick a model and a device.
    """
    return rules_response(_start_page())


@routes.get(
    "/find",
    Example("/find?model=qwen-3-14b&device=m1-16gb", status=HTTPStatus.FOUND),
    Example("/find?model=qwen+3+14b+on+rtx+4090", status=HTTPStatus.FOUND),
    Example("/find?model=nothing", status=HTTPStatus.NOT_FOUND),
    media=HTML,
)
def find(query: NamesQuery) -> AnyResponse:
    """Redirect from names to a page.

    Leads to the page about a model and a device, which may share one line; a page with the closest matches for an
    unknown name.
    """
    values = dict(query.values)
    if not values.get("device"):
        values |= split_line(values.get("model", ""))
    try:
        question = read_question(g.rulebook, values)
    except ProblemsError as error:
        return rules_response(_start_page(values, error.problems), status=HTTPStatus.NOT_FOUND)
    words = [
        (values.get(axis) or CUSTOM) if axis in question.custom_entries else question.entries[axis] for axis in PAIR
    ]
    others = {name: value for name, value in request.args.items() if name not in PAIR}
    return redirect(str(Address(f"/can-run/{JOINED.join(words)}", others)))


def _start_page(values: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()) -> str:
    """The start page, after a search with these parameters and their problems."""
    renderer = PageRenderer.of_request()
    rulebook = renderer.rulebook
    required = [axis for axis in rulebook.question_fields.axes.values() if axis.required]
    popular = [
        {axis.name: rulebook.catalog_of(axis.name).entries[str(question[axis.name])] for axis in required}
        for question in rulebook.pinned.questions
    ]
    return renderer.render(
        "start.html",
        popular=popular,
        custom=[(axis, _custom_fields(rulebook, axis)) for axis in required if axis.custom_fields],
        problems=word_problems(problems, renderer.messages),
        **{axis.name: (values or {}).get(axis.name, "") for axis in required},
    )


def _custom_fields(rulebook: Rulebook, axis: Axis) -> list[Field]:
    """The fields that a custom entry needs."""
    fields = rulebook.catalog_of(axis.name).fields
    return [fields[name] for name in axis.custom_fields]


@routes.get("/assets/style.css", "/assets/style.css", media=CSS, localized=False)
def style_sheet() -> Response:
    """Style sheet.

    Of all pages.
    """
    return rules_response(asset("style.css"), CSS)


@routes.get("/assets/page.js", "/assets/page.js", media=JAVASCRIPT, localized=False)
def script() -> Response:
    """Script.

    Updates pages without reloading them; every page works without it.
    """
    return rules_response(asset("page.js"), JAVASCRIPT)
