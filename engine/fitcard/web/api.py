"""fitcard over HTTP.

Will a language model run on given hardware, how fast, how good is that, and what would make it better? Names are
matched leniently, numbers are not rounded, and GB is 10^9 bytes. Every answer carries the version and the hash of the
rules that computed it, also in its ETag. Errors are problem documents (RFC 9457) that name each parameter that is wrong
and its closest matches. Answers, notes and problems are in the language of Accept-Language or of `lang`.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, g, request

from fitcard.answer.catalog_api import catalog_by_axis, catalog_entry, catalog_list, rule_detail, rule_list
from fitcard.answer.question import read_body
from fitcard.answer.ranking import ranking_list
from fitcard.web.parameters import (
    AxisName,
    CatalogKind,
    EntryWord,
    Pair,
    ProfileQuery,
    QuestionQuery,
    RankingName,
    RankingQuery,
    RuleName,
    SearchQuery,
)
from fitcard.web.questions import (
    answer,
    answer_batch,
    answer_many,
    batch_cost,
    json_body,
    ranking,
    read_batch,
    read_pair,
)
from fitcard.web.responses import json_response
from fitcard.web.routing import Example, Routes

routes = Routes(strict=True)


@routes.get(
    "/v1/can-run/<pair>",
    "/v1/can-run/qwen-3-14b-on-m1-16gb",
    "/v1/can-run/llama-3.1-70b-on-rtx-4090-24gb?quant=Q4_K_M&context=16384&gpus=2&lang=de",
    "/v1/can-run/qwen-3-14b-on-m1-16gb?explain=1",
    Example("/v1/can-run/qwen-3-14b-on-m1-61gb", status=HTTPStatus.NOT_FOUND),
    Example("/v1/can-run/qwen-3-14b-on-m1-16gb?workload=code", status=HTTPStatus.BAD_REQUEST),
    returns="answer",
)
def can_run(pair: Pair, query: QuestionQuery) -> Response:
    """Answer for a model on a device.

    Parameters that are left out take the defaults of the workload and the device.
    """
    return json_response(answer(read_pair(pair, query.values), explained=query.explain))


@routes.post(
    "/v1/can-run",
    Example("/v1/can-run", '{"model": "qwen-3-14b", "device": "m1-16gb", "workload": "chat"}'),
    Example(
        "/v1/can-run",
        '{"model": "qwen-3-32b", "device": {"like": "rtx-4090-24gb", "memory": 48},'
        ' "overrides": {"headroom_share": 0.1}, "explain": true}',
    ),
    Example("/v1/can-run", '{"model": "qwen-3-14b", "device": "m1-16gb", "contxt": 9000}', HTTPStatus.BAD_REQUEST),
    body="question",
    returns="answer",
)
def can_run_body() -> Response:
    """Answer for a question in the body.

    Like GET, with JSON: the fields of a custom entry may stand in place of a name, and `overrides` sets constants and
    catalog figures for this question.
    """
    question, explained = read_body(g.rulebook, json_body())
    return json_response(answer(question, explained=explained))


@routes.post(
    "/v1/batch",
    Example(
        "/v1/batch",
        '{"questions": [{"model": "qwen-3-14b", "device": "m1-16gb"}, {"model": "qwen-3-14b", "device": "m1-61gb"}]}',
    ),
    Example("/v1/batch", '{"questions": []}', HTTPStatus.BAD_REQUEST),
    body="batch",
    returns="batch-answer",
)
def batch() -> Response:
    """Answers for many questions.

    Each question has an answer or a problem document, in the order of the questions. Those for which the time limit
    left no time, or the size limit no room, have status 503; repeat them in a smaller batch.
    """
    questions = read_batch(g.rulebook, json_body(), g.service.options.limits)
    g.service.access.count(batch_cost(questions), g.caller, request.environ, request.path)
    return json_response(answer_batch(g.rulebook, questions, answer_many, g.service.options.limits, request.path))


@routes.get("/v1/rank", "/v1/rank", returns="responses/rankings")
def rankings() -> Response:
    """Rankings.

    The axis that each ranking orders, and its filters.
    """
    return json_response(ranking_list(g.rulebook))


@routes.get(
    "/v1/rank/<name>",
    "/v1/rank/models?device=RTX+4090&workload=chat&min_tok_s=30&limit=3",
    "/v1/rank/devices?model=llama-3.1-70b&budget=5000&limit=2",
    Example("/v1/rank/modles", status=HTTPStatus.NOT_FOUND),
    returns="ranking-answer",
)
def rank(name: RankingName, query: RankingQuery) -> Response:
    """Models or devices, best first.

    Each with its strengths and weaknesses. Takes the fields of a question, without the axis that is ranked, and the
    filters that /v1/rank lists.
    """
    return json_response(ranking(name, query.values))


@routes.get("/v1/search/<axis>", "/v1/search/device?q=m1+16", returns="responses/found")
def search_entries(axis: AxisName, query: SearchQuery) -> Response:
    """Search.

    Entries of an axis whose id, name or alias matches the letters.
    """
    entries = catalog_by_axis(g.rulebook, axis).suggest(query.q)
    return json_response({"found": [{"id": entry.id, "name": entry.name} for entry in entries]})


@routes.get("/v1/catalog", "/v1/catalog", returns="responses/catalogs")
def catalogs() -> Response:
    """Catalogs.

    Each with its number of entries.
    """
    return json_response(catalog_list(g.rulebook))


@routes.get(
    "/v1/catalog/<kind>",
    "/v1/catalog/workloads",
    Example("/v1/catalog/device", status=HTTPStatus.NOT_FOUND),
    returns="responses/catalog",
)
def catalog(kind: CatalogKind) -> Response:
    """Entries of a catalog.

    The id and name of each.
    """
    return json_response(catalog_list(g.rulebook, kind))


@routes.get("/v1/catalog/<kind>/<entry>", "/v1/catalog/devices/h20-96gb", returns="responses/one")
def entry(kind: CatalogKind, entry: EntryWord) -> Response:
    """Entry of a catalog.

    All of its figures with their units and sources.
    """
    return json_response(catalog_entry(g.rulebook, kind, entry))


@routes.get("/v1/rules", "/v1/rules", "/v1/rules?profile=reference", returns="responses/rules")
def rules(query: ProfileQuery) -> Response:
    """Rules.

    All constants, formulas and tables of a profile.
    """
    return json_response(rule_list(g.rulebook, query.profile))


@routes.get(
    "/v1/rules/<name>",
    "/v1/rules/decode_tok_s",
    Example("/v1/rules/decode_toks", status=HTTPStatus.NOT_FOUND),
    returns="responses/rule",
)
def rule(name: RuleName, query: ProfileQuery) -> Response:
    """Definition of a rule.

    With the names that it reads and those that read it.
    """
    return json_response(rule_detail(g.rulebook, name, query.profile))
