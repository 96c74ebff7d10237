"""The service: routes only. Each reads the rulebook once, asks the engine, and sends what it says."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from engine import __version__
from engine.answer.browse import catalog_by_axis, catalog_entry, catalog_list, found_entry, rule_detail, rule_list
from engine.answer.build import answer
from engine.answer.language import LANGUAGE, in_named, in_wanted
from engine.answer.own_entry import OWN
from engine.answer.problem_documents import problem_codes, problem_document, problem_page
from engine.answer.question import Question, read_body, read_query, read_question, split_pair
from engine.answer.ranking import rank, ranking_list, read_ranking
from engine.answer.search import search
from engine.draw.pages import lists
from engine.draw.pages import site as pages
from engine.draw.pages.address import Address
from engine.draw.pages.drawing import Drawing, asset
from engine.live_rulebook import LiveRulebook
from engine.problems import ProblemsFound
from engine.read.folders import find_folders
from engine.response_cache import Kept, ResponseCache

COMPACT = (",", ":")
PAIR = ("model", "device")
JSON, SVG, HTML = "application/json", "image/svg+xml", "text/html"
LARGEST_BODY = 100_000
MOST_COMPARED = 4

api = Blueprint("api", __name__)
site = Blueprint("site", __name__)


def create_app(live: LiveRulebook | None = None, site_address: str = "") -> Flask:
    """The Flask application. `site_address` stands before addresses in answers.

    Raises ProblemsFound where rules or catalogs are wrong: such a service never starts.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    rules_now, cache = live or LiveRulebook(find_folders()), ResponseCache()

    @app.before_request
    def read_once() -> None:
        g.rulebook, g.site = rules_now.rulebook, site_address
        g.rulebook = in_wanted(g.rulebook, (tag for tag, weight in request.accept_languages if weight))
        g.rulebook = in_named(g.rulebook, request.args.get(LANGUAGE))

    @app.before_request
    def answered_before() -> Response | None:
        kept = cache.get(question_key()) if request.method == "GET" else None
        g.kept = kept is not None
        return page(kept.body, kept.mimetype) if kept else None

    @app.after_request
    def keep(response: Response) -> Response:
        if request.method == "GET" and getattr(g, "keeps", False) and not g.kept:
            cache.put(question_key(), Kept(g.body, response.mimetype or HTML))
        return response

    @app.get("/status")
    def status() -> dict[str, Any]:
        return rules_now.status()

    @app.errorhandler(ProblemsFound)
    def problems(found: ProblemsFound) -> Response:
        return tell(problem_document(g.rulebook, found, request.path, request.args))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        response = tell(problem_document(g.rulebook, error.code or 500, request.path))
        response.headers.extend(pair for pair in error.get_headers() if pair[0] == "Allow")
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        app.logger.exception("request failed", exc_info=error)
        return tell(problem_document(g.rulebook, 500, request.path))

    app.register_blueprint(api)
    app.register_blueprint(site)
    return app


@api.get("/v1/can-run/<pair>")
def can_run(pair: str) -> Response:
    question, explain = asked_by(pair)
    return send(answer(g.rulebook, question, explain=explain, site=g.site))


@api.post("/v1/can-run")
def what_if() -> Response:
    question, explain = read_body(g.rulebook, request.get_json(silent=True))
    return send(answer(g.rulebook, question, explain=explain, site=g.site))


@api.get("/v1/catalog")
@api.get("/v1/catalog/<kind>")
def catalogs(kind: str = "") -> Response:
    return send(catalog_list(g.rulebook, kind))


@api.get("/v1/catalog/<kind>/<entry>")
def entry(kind: str, entry: str) -> Response:
    return send(catalog_entry(g.rulebook, kind, entry))


@api.get("/v1/search/<axis>")
def found(axis: str) -> Response:
    entries = search(catalog_by_axis(g.rulebook, axis), request.args.get("q", ""))
    return send({"found": [{"id": entry.id, "name": entry.name} for entry in entries]})


@api.get("/v1/rules")
def rules() -> Response:
    return send(rule_list(g.rulebook, request.args.get("profile", "")))


@api.get("/v1/rules/<name>")
def rule(name: str) -> Response:
    return send(rule_detail(g.rulebook, name, request.args.get("profile", "")))


@api.get("/v1/rank")
def rankings() -> Response:
    return send(ranking_list(g.rulebook))


@api.get("/v1/rank/<name>")
def ranked(name: str) -> Response:
    parameters, _ = read_query(g.rulebook, request.args.lists())
    return send(rank(g.rulebook, read_ranking(g.rulebook, name, parameters), site=g.site))


@api.get("/problems")
@api.get("/problems/<code>")
def codes(code: str = "") -> Response:
    text = problem_page(g.rulebook, code) if code else "\n".join(problem_codes()) + "\n"
    return Response(text, mimetype="text/plain")


@api.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok", "version": __version__}


@api.get("/ready")
def ready() -> dict[str, str]:
    return {"status": "ok", "sha256": g.rulebook.sha256}


@site.get("/")
def start() -> Response:
    return page(pages.start_page(drawing()))


@site.get("/find")
def find() -> AnyResponse:
    asked, _ = read_query(g.rulebook, request.args.lists())
    if not asked.get("device"):
        asked |= split_line(asked.get("model", ""))
    try:
        question = read_question(g.rulebook, asked)
    except ProblemsFound as wrong:
        return page(pages.start_page(drawing(), asked, wrong.problems), status=HTTPStatus.NOT_FOUND)
    words = [(asked.get(axis) or OWN) if axis in question.own else question.entries[axis] for axis in PAIR]
    rest = {name: value for name, value in request.args.items() if name not in PAIR}
    return redirect(str(Address(f"/can-run/{words[0]}-on-{words[1]}", rest)))


@site.get("/can-run/<pair>")
def fit(pair: str) -> Response:
    return page(pages.fit_page(drawing(), answer(g.rulebook, asked_by(pair)[0], site=g.site), pair))


@site.get("/can-run/<pair>/why/<name>")
def why(pair: str, name: str) -> Response:
    return page(pages.why_page(drawing(), asked_by(pair)[0], name, f"/can-run/{pair}"))


@site.get("/embed/<pair>")
def embed(pair: str) -> Response:
    return page(pages.card(drawing(), answer(g.rulebook, asked_by(pair)[0], site=g.site), "card.html"))


@site.get("/card/<pair>.svg")
def picture(pair: str) -> Response:
    return page(pages.card(drawing(), answer(g.rulebook, asked_by(pair)[0], site=g.site), "card.svg"), SVG)


@site.get("/badge/<pair>.svg")
def badge(pair: str) -> Response:
    return page(pages.badge(drawing(), answer(g.rulebook, asked_by(pair)[0], site=g.site)), SVG)


@site.get("/devices")
def devices() -> Response:
    return page(lists.index_page(drawing(), "device", "page_devices"))


@site.get("/models")
def models() -> Response:
    return page(lists.index_page(drawing(), "model", "page_models"))


@site.get("/devices/<word>")
def device(word: str) -> Response:
    entry = found_entry(g.rulebook, "device", word)
    return page(lists.entry_page(drawing(), "device", entry, read_query(g.rulebook, request.args.lists())[0]))


@site.get("/models/<word>")
def model(word: str) -> Response:
    entry = found_entry(g.rulebook, "model", word)
    return page(lists.entry_page(drawing(), "model", entry, read_query(g.rulebook, request.args.lists())[0]))


@site.get("/tiers")
def tiers() -> Response:
    parameters, _ = read_query(g.rulebook, request.args.lists())
    word = parameters.pop("device", "") or str(g.rulebook.pinned.questions[-1]["device"])
    return page(lists.tiers_page(drawing(), found_entry(g.rulebook, "device", word), parameters))


@site.get("/compare")
def compare() -> Response:
    shown = []
    for line in [line for line in request.args.getlist("pair") if line][:MOST_COMPARED]:
        shown.append((line, answer(g.rulebook, read_question(g.rulebook, split_line(line)), site=g.site)))
    return page(lists.compare_page(drawing(), shown))


@site.get("/methodology")
def methodology() -> Response:
    return page(pages.methodology_page(drawing()))


@site.get("/rules")
def rules_page() -> Response:
    return page(pages.rules_page(drawing(), rule_list(g.rulebook, request.args.get("profile", ""))))


@site.get("/rules/<name>")
def rule_page(name: str) -> Response:
    return page(pages.rule_page(drawing(), rule_detail(g.rulebook, name, request.args.get("profile", ""))))


@site.get("/assets/style.css")
def style() -> Response:
    return page(asset("style.css"), "text/css")


@site.get("/assets/page.js")
def script() -> Response:
    return page(asset("page.js"), "text/javascript")


def drawing() -> Drawing:
    """What draws the pages of this request."""
    return Drawing(g.rulebook, Address(request.path, request.args.to_dict()))


def asked_by(pair: str) -> tuple[Question, bool]:
    """The question of an address, and whether it is to be explained."""
    parameters, explain = read_query(g.rulebook, request.args.lists())
    return read_question(g.rulebook, {**parameters, **split_pair(g.rulebook, pair, "-on-", *PAIR)}), explain


def split_line(line: str) -> dict[str, str]:
    """A model and a device in one line, as people write it in the language of the page."""
    between = g.rulebook.messages.label("page_between")
    return split_pair(g.rulebook, line, f" {between} ", *PAIR)


def send(data: Any) -> Response:
    """Data as JSON."""
    return page(current_app.json.dumps(data, separators=COMPACT), JSON)


def question_key() -> tuple[str, ...]:
    """What makes two requests the same: the rules, the language and the whole address."""
    return (g.rulebook.sha256, g.rulebook.messages.language, request.full_path)


def page(body: str | bytes, mimetype: str = HTML, status: int = HTTPStatus.OK) -> Response:
    """A body that belongs to these rules: 304 where the caller has it already."""
    g.body = body.encode() if isinstance(body, str) else body
    g.keeps = status == HTTPStatus.OK
    response = Response(g.body, status, mimetype=mimetype)
    response.set_etag(f"{__version__}-{g.rulebook.version}-{g.rulebook.sha256}-{g.rulebook.messages.language}")
    response.cache_control.no_cache = True  # ask again each time; 304 where the rules are the same
    response.make_conditional(request)
    return speak(response)


def speak(response: Response) -> Response:
    """Says in which language the response is, and that another could have been asked for."""
    response.content_language.add(g.rulebook.messages.language)
    response.vary.add("Accept-Language")
    return response


def tell(document: dict[str, Any]) -> Response:
    """A problem document."""
    body = current_app.json.dumps(document, separators=COMPACT)
    return speak(Response(body, document["status"], mimetype="application/problem+json"))
