"""Our catalogs made large: copies of devices and models with other figures, to see how costs grow."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

from fitcard.catalog.catalog import Catalog
from fitcard.source.yaml_edit import to_yaml
from helpers.workplace import Workplace

STEP = 0.03  # by how much the figures of a copy are larger than those of the one before
VARIED = {"devices": ("memory", "bandwidth"), "models": ("nominal_params", "layers")}


def enlarge(place: Workplace, devices: int, models: int) -> int:
    """Adds copies until there are so many, where there are fewer; says how many questions there are then."""
    catalogs = place.load().catalogs
    for kind, count in (("devices", devices), ("models", models)):
        text = _copies(catalogs[kind], max(0, count - len(catalogs[kind].entries)))
        if text:
            place.write(f"catalogs/{kind}/copies.yaml", f"kind: {kind}\ntitle: Copies\nentries:\n{text}")
    rulebook = place.load()
    questions = 1
    for axis in rulebook.question_fields.axes:
        questions *= len(rulebook.catalog_of(axis).ids)
    return questions


def _copies(catalog: Catalog, count: int) -> str:
    lines = []
    names = {"aliases", *(name for name, field in catalog.fields.items() if field.spelling)}
    for number, entry in enumerate(islice(cycle(catalog.entries.values()), count)):
        turn = number // len(catalog.entries) + 1
        data: dict[str, Any] = {key: value for key, value in entry.data.items() if key not in names}
        data["name"] = f"{entry.name}, copy {turn}"
        for field in (field for field in VARIED[catalog.kind] if field in data):
            data[field] = type(data[field])(data[field] * (1 + STEP * turn)) + 1
        lines.append(f"  {entry.id}-copy-{turn}: {to_yaml(data)}\n")
    return "".join(lines)
