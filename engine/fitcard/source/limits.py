"""Limits of size: what a rulebook may hold, so that the time of a check is known before anything is evaluated.

Rule files may come from strangers. Each limit is several times what the rules of this project need, and small enough
that a rulebook at all limits is checked within seconds.
"""

from __future__ import annotations

from fitcard.problems import ProblemCode


class TooMany(ProblemCode):
    """There is more of something than a rulebook may have. The problem is at the first that is over the limit.

    Why: a check, and a service that reloads its rules, must end soon whatever the files hold.
    Avoid: thousands of generated formulas
    Prefer: one formula over a figure of the catalog, which has a value for each entry.
    """
