"""What the catalogs hold, as plain data: entries by group, the share of each figure that is known, and their age."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from statistics import median_low
from typing import Any

from fitcard.columns import Kind
from fitcard.rulebook.catalogs import Catalog
from fitcard.rulebook.fields import day_of
from fitcard.rulebook.rulebook import Rulebook


def catalog_stats(rulebook: Rulebook, today: date) -> dict[str, Any]:
    """Each catalog that has entries; ages are counted in days until `today`."""
    return {
        "rules": {"version": rulebook.version, "sha256": rulebook.sha256},
        "today": today.isoformat(),
        "catalogs": {
            kind: {
                "entries": len(catalog.entries),
                "groups": dict(_groups(catalog)),
                "known": dict(_known(catalog)),
                "days": dict(_days(catalog, today)),
            }
            for kind, catalog in rulebook.catalogs.items()
            if catalog.entries
        },
    }


def _groups(catalog: Catalog) -> Iterator[tuple[str, dict[str, int]]]:
    """For each field that groups entries how many have each word, the most frequent first."""
    for field in catalog.fields.values():
        if field.groups:
            words = [entry.value(field.name) for entry in catalog.entries.values()]
            yield field.name, dict(Counter(word for word in words if word is not None).most_common())


def _known(catalog: Catalog) -> Iterator[tuple[str, float]]:
    """The share of entries that have each field that may be absent; of a condition, absent says no."""
    for field in catalog.fields.values():
        if not field.required and not field.of_day and field.kind is not Kind.CONDITION:
            there = sum(entry.value(field.name) is not None for entry in catalog.entries.values())
            yield field.name, there / len(catalog.entries)


def _days(catalog: Catalog, today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of each field that says when: the oldest, the median and the newest day, and how many days ago that was."""
    for field in catalog.fields.values():
        words = [entry.value(field.name) for entry in catalog.entries.values()] if field.day else []
        days = sorted(day_of(word) for word in words if word is not None)
        if days:
            told = {"oldest": days[0], "median": median_low(days), "newest": days[-1]}
            yield (
                field.name,
                {name: {"day": day.isoformat(), "days_ago": (today - day).days} for name, day in told.items()},
            )
