"""The project's own rules, loaded once for a whole run."""

from __future__ import annotations

from functools import cache

from fitcard.reload import ReloadingEngine
from fitcard.source.folders import find_folders


@cache
def project_rules() -> ReloadingEngine:
    """The rules of the project, for tests that do not change them."""
    return ReloadingEngine(find_folders())
