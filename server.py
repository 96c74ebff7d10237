"""The service: routes only. Each reads the rulebook once, asks the engine, and sends what it says."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from engine import __version__
from engine.answer.browse import catalog_entry, catalog_list, rule_detail, rule_list
from engine.answer.build import answer
from engine.answer.problem_documents import problem_codes, problem_document, problem_page
from engine.answer.question import read_body, read_query, read_question, split_pair
from engine.answer.ranking import rank, ranking_list, read_ranking
from engine.live_rulebook import LiveRulebook
from engine.problems import ProblemsFound
from engine.read.folders import find_folders

COMPACT = (",", ":")
LARGEST_BODY = 100_000


def create_app(live: LiveRulebook | None = None, site: str = "") -> Flask:
    """The Flask application. `site` stands before addresses in answers.

    Raises ProblemsFound where rules or catalogs are wrong: such a service never starts.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    rules_now = live or LiveRulebook(find_folders())

    @app.before_request
    def read_once() -> None:
        g.rulebook = rules_now.rulebook

    @app.get("/v1/can-run/<pair>")
    def can_run(pair: str) -> Response:
        parameters, explain = read_query(g.rulebook, request.args.lists())
        question = read_question(g.rulebook, {**parameters, **split_pair(g.rulebook, pair, "-on-", "model", "device")})
        return send(answer(g.rulebook, question, explain=explain, site=site))

    @app.post("/v1/can-run")
    def what_if() -> Response:
        question, explain = read_body(g.rulebook, request.get_json(silent=True))
        return send(answer(g.rulebook, question, explain=explain, site=site))

    @app.get("/v1/catalog")
    @app.get("/v1/catalog/<kind>")
    def catalogs(kind: str = "") -> Response:
        return send(catalog_list(g.rulebook, kind))

    @app.get("/v1/catalog/<kind>/<entry>")
    def entry(kind: str, entry: str) -> Response:
        return send(catalog_entry(g.rulebook, kind, entry))

    @app.get("/v1/rules")
    def rules() -> Response:
        return send(rule_list(g.rulebook, request.args.get("profile", "")))

    @app.get("/v1/rules/<name>")
    def rule(name: str) -> Response:
        return send(rule_detail(g.rulebook, name, request.args.get("profile", "")))

    @app.get("/problems")
    @app.get("/problems/<code>")
    def pages(code: str = "") -> Response:
        found = problem_page(g.rulebook, code) if code else "\n".join(problem_codes()) + "\n"
        return Response(found, mimetype="text/plain")

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/ready")
    def ready() -> dict[str, str]:
        return {"status": "ok", "sha256": g.rulebook.sha256}

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

    def send(data: Any) -> Response:
        response = Response(app.json.dumps(data, separators=COMPACT), mimetype="application/json")
        response.set_etag(f"{__version__}-{g.rulebook.version}-{g.rulebook.sha256}")
        response.cache_control.no_cache = True  # ask again each time; 304 where the rules are the same
        response.make_conditional(request)
        return response

    def tell(document: dict[str, Any]) -> Response:
        return Response(
            app.json.dumps(document, separators=COMPACT), document["status"], mimetype="application/problem+json"
        )

    @app.get("/v1/rank")
    def rankings() -> Response:
        return send(ranking_list(g.rulebook))

    @app.get("/v1/rank/<name>")
    def ranked(name: str) -> Response:
        parameters, _ = read_query(g.rulebook, request.args.lists())
        return send(rank(g.rulebook, read_ranking(g.rulebook, name, parameters), site=site))

    return app
