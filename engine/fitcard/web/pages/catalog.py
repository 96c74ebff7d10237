"""Pages about many models or devices: lists, what runs where, tiers and comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Response, g

from fitcard.answer.catalog_api import find_entry
from fitcard.answer.question import read_question
from fitcard.catalog.catalog import Entry
from fitcard.web.pages.renderer import PageRenderer
from fitcard.web.parameters import ComparisonQuery, DeviceWord, ModelWord, RankingQuery
from fitcard.web.questions import answer, ranking, split_line
from fitcard.web.responses import HTML, rules_response
from fitcard.web.routing import Routes

routes = Routes()

MODEL, DEVICE, WORKLOAD = "model", "device", "workload"  # axes
MODELS, DEVICES = "models", "devices"  # rankings
MAX_ROWS = 25  # of a table; the others are counted
MAX_COMPARED = 4
Row = Mapping[str, Any]


@routes.get("/devices", "/devices", media=HTML)
def devices() -> Response:
    """Page of all devices.

    By family, each with a link to its page.
    """
    return _index(DEVICE, "page_devices")


@routes.get("/models", "/models", media=HTML)
def models() -> Response:
    """Page of all models.

    By family, each with a link to its page.
    """
    return _index(MODEL, "page_models")


def _index(axis: str, title: str) -> Response:
    """The page of all entries of an axis."""
    renderer, catalog = PageRenderer.of_request(), g.rulebook.catalog_of(axis)
    family = next((field.name for field in catalog.fields.values() if field.groups), None)
    families: dict[str, list[Entry]] = {}
    for entry in catalog.entries.values():
        families.setdefault(str(entry.value(family) or "") if family else "", []).append(entry)
    return rules_response(renderer.render("index.html", title=renderer.messages.label(title), families=families))


@routes.get("/devices/<word>", "/devices/rtx-4090-24gb", media=HTML)
def device(word: DeviceWord, query: RankingQuery) -> Response:
    """Page about a device.

    The models that it runs, and the best one for each workload.
    """
    entry = find_entry(g.rulebook, DEVICE, word)
    table = _all_rows(MODELS, {**query.values, DEVICE: entry.id})
    best = list(_best_by_workload(query.values, entry))
    return _entry_page(DEVICE, entry, table, _by_fit(table["rows"]), best=best)


@routes.get("/models/<word>", "/models/qwen-3-14b", media=HTML)
def model(word: ModelWord, query: RankingQuery) -> Response:
    """Page about a model.

    The devices that run it, and the cheapest ones.
    """
    entry = find_entry(g.rulebook, MODEL, word)
    table = _all_rows(DEVICES, {**query.values, MODEL: entry.id})
    parts = _by_fit(table["rows"])
    cheapest = {
        "page_cheapest_whole": _cheapest(parts["page_native"]),
        "page_cheapest_runs": _cheapest([*parts["page_native"], *parts["page_with_offload"]]),
    }
    return _entry_page(MODEL, entry, table, parts, cheapest=cheapest)


def _entry_page(
    axis: str,
    entry: Entry,
    table: Row,
    parts: Mapping[str, Sequence[Row]],
    *,
    best: Sequence[tuple[Entry, Row]] = (),
    cheapest: Mapping[str, Row | None] | None = None,
) -> Response:
    page = PageRenderer.of_request().render(
        "entry.html",
        entry=entry,
        axis=axis,
        ranking=table,
        parts=parts,
        max_rows=MAX_ROWS,
        best=best,
        cheapest={label: row for label, row in (cheapest or {}).items() if row is not None},
    )
    return rules_response(page)


def _all_rows(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """A ranking with all entries, those included that do not run."""
    catalog = g.rulebook.catalog_of(g.rulebook.rankings[name].over)
    return ranking(name, {"runs": "0", "limit": str(len(catalog.ids)), **values})


def _by_fit(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by the label of their part of the page: within the memory of the device, with offload, or not at all."""
    parts: dict[str, list[Row]] = {"page_native": [], "page_with_offload": [], "page_not": []}
    for row in rows:
        if row["fit"]["code"] == "too_heavy":
            parts["page_not"].append(row)
        else:
            parts["page_with_offload" if row["offload"]["fraction"] > 0 else "page_native"].append(row)
    return parts


def _cheapest(rows: Sequence[Row]) -> Row | None:
    priced = [row for row in rows if row.get("price_usd") is not None]
    return min(priced, key=lambda row: float(row["price_usd"]), default=None)


def _best_by_workload(values: Mapping[str, str], device: Entry) -> Iterator[tuple[Entry, Row]]:
    """The first model of each workload."""
    for workload in g.rulebook.catalog_of(WORKLOAD).entries.values():
        table = ranking(MODELS, {**values, DEVICE: device.id, WORKLOAD: workload.id, "limit": "1"})
        if table["rows"]:
            yield workload, table["rows"][0]


@routes.get("/tiers", "/tiers?device=m1-16gb", media=HTML)
def tiers(query: RankingQuery) -> Response:
    """Page of models by grade.

    All models on a device, best first.
    """
    values = dict(query.values)
    word = values.pop(DEVICE, "") or str(g.rulebook.pinned.questions[-1][DEVICE])
    entry = find_entry(g.rulebook, DEVICE, word)
    table = _all_rows(MODELS, {**values, DEVICE: entry.id})
    by_grade: dict[str, list[Row]] = {}
    for row in table["rows"]:
        by_grade.setdefault(row["grade"], []).append(row)
    ordered = sorted(by_grade.items(), key=lambda tier: -max(row["score"] for row in tier[1]))
    page = PageRenderer.of_request().render("tiers.html", device=entry, ranking=table, tiers=ordered)
    return rules_response(page)


@routes.get("/compare", "/compare?pair=qwen-3-14b+on+m1-16gb", media=HTML)
def compare(query: ComparisonQuery) -> Response:
    """Page of answers side by side.

    Up to four pairs of a model and a device.
    """
    answers = [(line, answer(read_question(g.rulebook, split_line(line)))) for line in query.pair[:MAX_COMPARED]]
    return rules_response(PageRenderer.of_request().render("compare.html", answers=answers))
