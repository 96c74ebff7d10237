"""The service: routes only. Each reads the rulebook once, asks the engine, and sends what it says."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from fitcard import __version__
from fitcard.answer.answer import answer_question
from fitcard.answer.catalog_api import catalog_by_axis, catalog_entry, catalog_list, find_entry, rule_detail, rule_list
from fitcard.answer.custom_entry import CUSTOM
from fitcard.answer.problem_documents import problem_codes, problem_page
from fitcard.answer.problems import Stopping
from fitcard.answer.question import Question, read_body, read_query, read_question, split_pair
from fitcard.answer.ranking import rank, ranking_list, read_ranking
from fitcard.catalog.catalog import search
from fitcard.problems import ProblemsError
from fitcard.rulebook.service import Service
from fitcard.source.folders import find_folders
from fitcard.web.app import STOPPING, application
from fitcard.web.body import answers, json_body, parameters, questions_of
from fitcard.web.errors import refused
from fitcard.web.lock import answer_lock
from fitcard.web.logging import log_decision
from fitcard.web.metrics import EXTENSION as METRICS
from fitcard.web.metrics import MIMETYPE as PROMETHEUS
from fitcard.web.openapi import openapi
from fitcard.web.options import Options
from fitcard.web.pages import lists
from fitcard.web.pages import site as pages
from fitcard.web.pages.address import Address
from fitcard.web.pages.docs import docs_page
from fitcard.web.pages.drawing import PageRenderer, asset
from fitcard.web.rate_limit import charge_more
from fitcard.web.reload import ReloadingRulebook
from fitcard.web.responses import HTML, JSON, html_response, json_response, tagged_response, to_json

PAIR = ("model", "device")
SVG = "image/svg+xml"
MOST_COMPARED = 4

api = Blueprint("api", __name__)
site = Blueprint("site", __name__)


def create_app(live: ReloadingRulebook | None = None, site_address: str = "", options: Options | None = None) -> Flask:
    """The Flask application. `site_address` stands before addresses in answers.

    Raises ProblemsFound where rules or catalogs are wrong: such a service never starts.
    """
    app = application(live or ReloadingRulebook(find_folders()), site_address, options or Options())
    app.register_blueprint(api)
    app.register_blueprint(site)
    return app


@api.get("/v1/can-run/<pair>")
def can_run(pair: str) -> Response:
    return json_response(answered(*asked_by(pair)))


@api.post("/v1/can-run")
def what_if() -> Response:
    parameters()
    return json_response(answered(*read_body(g.rulebook, json_body())))


@api.post("/v1/batch")
def batch() -> Response:
    parameters()
    questions = questions_of(g.rulebook, json_body(), g.limits)
    charge_more(len(questions) - 1)
    found = answers(g.rulebook, questions, lambda one: answered(*read_body(g.rulebook, one)), g.limits, request.path)
    return json_response(found)


@api.get("/v1/catalog")
@api.get("/v1/catalog/<kind>")
def catalogs(kind: str = "") -> Response:
    parameters()
    return json_response(catalog_list(g.rulebook, kind))


@api.get("/v1/catalog/<kind>/<entry>")
def entry(kind: str, entry: str) -> Response:
    parameters()
    return json_response(catalog_entry(g.rulebook, kind, entry))


@api.get("/v1/search/<axis>")
def found(axis: str) -> Response:
    entries = search(catalog_by_axis(g.rulebook, axis), parameters("q")["q"])
    return json_response({"found": [{"id": entry.id, "name": entry.name} for entry in entries]})


@api.get("/v1/rules")
def rules() -> Response:
    return json_response(rule_list(g.rulebook, **parameters("profile")))


@api.get("/v1/rules/<name>")
def rule(name: str) -> Response:
    return json_response(rule_detail(g.rulebook, name, **parameters("profile")))


@api.get("/v1/rank")
def rankings() -> Response:
    parameters()
    return json_response(ranking_list(g.rulebook))


@api.get("/v1/rank/<name>")
def ranked(name: str) -> Response:
    asked, _ = read_query(request.args.lists())
    with answer_lock():
        found = rank(g.engine, read_ranking(g.rulebook, name, asked), site=g.site)
    return json_response(found)


@api.get("/problems")
@api.get("/problems/<code>")
def codes(code: str = "") -> Response:
    text = problem_page(code) if code else "\n".join(problem_codes()) + "\n"
    return Response(text, mimetype="text/plain")


@api.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok", "version": __version__}


@api.get("/ready")
def ready() -> dict[str, str]:
    if current_app.extensions[STOPPING].is_set():
        raise refused(Stopping)
    return {"status": "ok", "sha256": g.rulebook.sha256}


@api.get("/status")
def status() -> dict[str, Any]:
    return g.live.status()  # type: ignore[no-any-return]


@api.get("/metrics")
def measured() -> Response:
    if METRICS not in current_app.extensions:
        abort(HTTPStatus.NOT_FOUND)
    return Response(current_app.extensions[METRICS].page(), mimetype=PROMETHEUS)


@api.get("/openapi.json")
def description() -> Response:
    body = to_json(openapi(g.rulebook, described(), g.site or g.rulebook.site))
    return tagged_response(body, JSON, sha256(body).hexdigest())


@site.get("/docs")
def docs() -> Response:
    body = docs_page(drawing(), openapi(g.rulebook, described(), g.site or g.rulebook.site), described())
    return tagged_response(body, HTML, sha256(body.encode()).hexdigest())


@site.get("/")
def start() -> Response:
    return html_response(pages.start_page(drawing()))


@site.get("/find")
def find() -> AnyResponse:
    asked, _ = read_query(request.args.lists())
    if not asked.get("device"):
        asked |= split_line(asked.get("model", ""))
    try:
        question = read_question(g.rulebook, asked)
    except ProblemsError as wrong:
        return html_response(pages.start_page(drawing(), asked, wrong.problems), status=HTTPStatus.NOT_FOUND)
    words = [
        (asked.get(axis) or CUSTOM) if axis in question.custom_entries else question.entries[axis] for axis in PAIR
    ]
    rest = {name: value for name, value in request.args.items() if name not in PAIR}
    return redirect(str(Address(f"/can-run/{words[0]}-on-{words[1]}", rest)))


@site.get("/can-run/<pair>")
def fit(pair: str) -> Response:
    return html_response(pages.fit_page(drawing(), answered(asked_by(pair)[0]), pair))


@site.get("/can-run/<pair>/why/<name>")
def why(pair: str, name: str) -> Response:
    return html_response(pages.why_page(drawing(), asked_by(pair)[0], name, f"/can-run/{pair}"))


@site.get("/embed/<pair>")
def embed(pair: str) -> Response:
    return html_response(pages.card(drawing(), answered(asked_by(pair)[0]), "card.html"))


@site.get("/card/<pair>.svg")
def picture(pair: str) -> Response:
    return html_response(pages.card(drawing(), answered(asked_by(pair)[0]), "card.svg"), SVG)


@site.get("/badge/<pair>.svg")
def badge(pair: str) -> Response:
    return html_response(pages.badge(drawing(), answered(asked_by(pair)[0])), SVG)


@site.get("/devices")
def devices() -> Response:
    return html_response(lists.index_page(drawing(), "device", "page_devices"))


@site.get("/models")
def models() -> Response:
    return html_response(lists.index_page(drawing(), "model", "page_models"))


@site.get("/devices/<word>")
def device(word: str) -> Response:
    entry = find_entry(g.rulebook, "device", word)
    return html_response(lists.entry_page(drawing(), "device", entry, read_query(request.args.lists())[0]))


@site.get("/models/<word>")
def model(word: str) -> Response:
    entry = find_entry(g.rulebook, "model", word)
    return html_response(lists.entry_page(drawing(), "model", entry, read_query(request.args.lists())[0]))


@site.get("/tiers")
def tiers() -> Response:
    asked, _ = read_query(request.args.lists())
    word = asked.pop("device", "") or str(g.rulebook.pinned.questions[-1]["device"])
    return html_response(lists.tiers_page(drawing(), find_entry(g.rulebook, "device", word), asked))


@site.get("/compare")
def compare() -> Response:
    shown = []
    for line in [line for line in request.args.getlist("pair") if line][:MOST_COMPARED]:
        shown.append((line, answered(read_question(g.rulebook, split_line(line)))))
    return html_response(lists.compare_page(drawing(), shown))


@site.get("/methodology")
def methodology() -> Response:
    return html_response(pages.methodology_page(drawing()))


@site.get("/rules")
def rules_page() -> Response:
    return html_response(pages.rules_page(drawing(), rule_list(g.rulebook, request.args.get("profile", ""))))


@site.get("/rules/<name>")
def rule_page(name: str) -> Response:
    return html_response(pages.rule_page(drawing(), rule_detail(g.rulebook, name, request.args.get("profile", ""))))


@site.get("/assets/style.css")
def style() -> Response:
    return html_response(asset("style.css"), "text/css")


@site.get("/assets/page.js")
def script() -> Response:
    return html_response(asset("page.js"), "text/javascript")


def drawing() -> PageRenderer:
    """What draws the pages of this request."""
    return PageRenderer(g.engine, Address(request.path, request.args.to_dict()))


def asked_by(pair: str) -> tuple[Question, bool]:
    """The question of an address, and whether it is to be explained."""
    asked, explain = read_query(request.args.lists())
    return read_question(g.rulebook, {**asked, **split_pair(g.rulebook, pair, "-on-", *PAIR)}), explain


def answered(question: Question, explain: bool = False) -> dict[str, Any]:
    """The answer to a question, which is noted where there is a log of decisions."""
    with answer_lock():
        built = answer_question(g.engine, question, explained=explain, site=g.site).to_dict()
    log_decision(question, built)
    return built


def described() -> Service:
    """The service's own description; what is not there is 404."""
    if g.rulebook.service is None:
        abort(HTTPStatus.NOT_FOUND)
    return g.rulebook.service  # type: ignore[no-any-return]


def split_line(line: str) -> dict[str, str]:
    """A model and a device in one line, as people write it in the language of the page."""
    between = g.rulebook.messages.label("page_between")
    return split_pair(g.rulebook, line, f" {between} ", *PAIR)
