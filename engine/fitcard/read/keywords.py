"""What our schemas say beyond JSON Schema, and what it has against data: nothing where the text is empty."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

EXACT = 1e-9  # sums of decimal fractions in floats


def _sums_to(total: float, data: Any) -> str:
    if isinstance(data, dict) and all(isinstance(part, int | float) for part in data.values()):
        found = math.fsum(data.values())
        if not math.isclose(found, total, abs_tol=EXACT):
            return f"these must add up to {total:g}, and add up to {found:g}"
    return ""


def _usual(bounds: list[float], data: Any) -> str:
    if isinstance(data, int | float) and not bounds[0] <= data <= bounds[1]:
        return f"{data:g} is unusual: most are from {bounds[0]:g} to {bounds[1]:g}"
    return ""


KEYWORDS: dict[str, Callable[[Any, Any], str]] = {"sumsTo": _sums_to, "usual": _usual}
