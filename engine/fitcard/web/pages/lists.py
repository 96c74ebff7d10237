"""Pages about many answers: what a device runs, what runs a model, tiers, and answers side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fitcard.answer.ranking import rank, read_ranking
from fitcard.catalog.catalog import Entry
from fitcard.web.pages.drawing import PageRenderer

MODELS, DEVICES = "models", "devices"  # the rankings that pages show
SHOWN = 25  # rows of a part before the others are counted
EVERY = {"runs": "0"}
Ranked = Mapping[str, Any]


def index_page(drawing: PageRenderer, axis: str, title: str) -> str:
    """All entries of an axis, by family, each with its page."""
    families: dict[str, list[Entry]] = {}
    catalog = drawing.rulebook.catalog_of(axis)
    groups = [field.name for field in catalog.fields.values() if field.groups]
    for entry in catalog.entries.values():
        families.setdefault(str(entry.value(groups[0]) or "") if groups else "", []).append(entry)
    return drawing.render("index.html", title=drawing.messages.label(title), families=families)


def entry_page(drawing: PageRenderer, axis: str, entry: Entry, parameters: Mapping[str, str]) -> str:
    """What a device runs, or what runs a model: whole on the device, with the host, or not; and what is best."""
    name = MODELS if axis == "device" else DEVICES
    found = _ranked(drawing, name, {**parameters, axis: entry.id}, every=True)
    parts: dict[str, list[Any]] = {"page_native": [], "page_with_offload": [], "page_not": []}
    for row in found["rows"]:
        parts[_part_of(row)].append(row)
    cheapest = {
        "page_cheapest_whole": _cheapest(parts["page_native"]),
        "page_cheapest_runs": _cheapest([*parts["page_native"], *parts["page_with_offload"]]),
    }
    return drawing.render(
        "entry.html",
        entry=entry,
        axis=axis,
        found=found,
        parts=parts,
        most=SHOWN,
        cheapest={label: row for label, row in cheapest.items() if row is not None and axis == "model"},
        best=_best_by_workload(drawing, parameters, entry) if axis == "device" else [],
    )


def tiers_page(drawing: PageRenderer, device: Entry, parameters: Mapping[str, str]) -> str:
    """Models for a device by their grades, the best first."""
    found = _ranked(drawing, MODELS, {**parameters, "device": device.id}, every=True)
    tiers: dict[str, list[Any]] = {}
    for row in found["rows"]:
        tiers.setdefault(row["grade"], []).append(row)
    order = sorted(tiers.items(), key=lambda tier: -max(row["score"] for row in tier[1]))
    return drawing.render("tiers.html", device=device, found=found, tiers=order)


def compare_page(drawing: PageRenderer, answers: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Answers side by side, each under the pair that it is about."""
    return drawing.render("compare.html", answers=answers)


def _ranked(drawing: PageRenderer, name: str, parameters: Mapping[str, str], *, every: bool = False) -> Ranked:
    rulebook = drawing.rulebook
    limit = {"limit": str(len(rulebook.catalog_of(rulebook.rankings[name].over).ids))} if every else {}
    return rank(drawing.engine, read_ranking(rulebook, name, {**(EVERY if every else {}), **limit, **parameters}))


def _part_of(row: Mapping[str, Any]) -> str:
    if row["fit"]["code"] == "too_heavy":
        return "page_not"
    return "page_with_offload" if row["offload"]["fraction"] > 0 else "page_native"


def _cheapest(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    priced = [row for row in rows if row.get("price_usd") is not None]
    return min(priced, key=lambda row: float(row["price_usd"]), default=None)


def _best_by_workload(drawing: PageRenderer, parameters: Mapping[str, str], device: Entry) -> list[tuple[Entry, Any]]:
    """For each workload the model that ranks first."""
    best = []
    for workload in drawing.rulebook.catalog_of("workload").entries.values():
        asked = {**parameters, "device": device.id, "workload": workload.id, "limit": "1"}
        rows = _ranked(drawing, MODELS, asked)["rows"]
        best += [(workload, rows[0])] if rows else []
    return best
