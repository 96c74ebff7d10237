"""Rounding as figures are printed: halves up, on the number times ten to the decimals, as pages in a browser do it."""

from __future__ import annotations

from typing import Any

import numpy as np

ALL_WHOLE = 2.0**53  # from here on a float has no decimals, and times ten to some it may be beyond all floats


def round_half_up(value: Any, decimals: Any = 0.0) -> Any:
    """`value`, a number or a column, to so many decimals."""
    scale = np.power(10.0, decimals)
    return np.floor(value * scale + 1 / 2) / scale


def printed(value: float, decimals: int) -> str:
    """`value` with exactly so many decimals: 247.05 is printed as 247.1."""
    rounded = value if abs(value) >= ALL_WHOLE else round_half_up(value, decimals)
    return f"{rounded:.{decimals}f}"


def significant(value: float, digits: int) -> float:
    """`value` to so many significant digits: 17521.3 to four of them is 17520."""
    return float(f"{value:.{digits}g}")


def plain_number(value: Any) -> Any:
    """A whole number without a decimal point, as it is read; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
