"""The catalogs enlarged by copies of devices and models with other figures."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

from fitcard.catalog.catalog import Catalog
from fitcard.source.yaml_edit import to_yaml
from helpers.workplace import Workplace

STEP = 0.03  # each further copy has figures larger by this share
VARIED = {"devices": ("memory", "bandwidth"), "models": ("nominal_params", "layers")}


def enlarge(workplace: Workplace, devices: int, models: int) -> None:
    """Adds copies until the catalogs hold this many devices and models."""
    catalogs = workplace.load().rulebook.catalogs
    for kind, count in (("devices", devices), ("models", models)):
        text = _copies(catalogs[kind], max(0, count - len(catalogs[kind].entries)))
        if text:
            workplace.write(f"catalogs/{kind}/copies.yaml", f"kind: {kind}\ntitle: Copies\nentries:\n{text}")


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
