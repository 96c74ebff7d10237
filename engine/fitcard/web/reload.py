"""A rulebook that follows its files: a whole new one or none, and the last good one until then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fitcard.compiler.engine import Engine
from fitcard.lint.run import load_checked
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders, fingerprint


@dataclass(frozen=True)
class Attempt:
    """One reading of the files, and what was wrong with them."""

    at: datetime
    problems: tuple[Problem, ...]


@dataclass
class ReloadingRulebook:
    """`engine` is what answers; a request reads it once. It is replaced whole, by a single assignment.

    Raises ProblemsFound, when it is made, where the files hold an error.
    """

    folders: Folders
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    engine: Engine = field(init=False)
    loaded_at: datetime = field(init=False)
    last_attempt: Attempt = field(init=False)
    succeeded: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._looking = threading.Lock()
        self._kept = FileCache()
        self._seen = fingerprint(self.folders)
        self.engine = load_checked(self.folders, self._kept)
        self.loaded_at = self.now()
        self.last_attempt = Attempt(self.loaded_at, ())

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook that answers now."""
        return self.engine.rulebook

    def poll(self) -> bool:
        """Reads the files again if they have changed; says whether there is a new rulebook.

        Files that change while they are read are left for the next look: what is taken over is one whole set.
        """
        with self._looking:
            found = fingerprint(self.folders)
            if found == self._seen:
                return False
            try:
                fresh = load_checked(self.folders, self._kept)
                problems: tuple[Problem, ...] = ()
            except ProblemsError as wrong:
                problems = wrong.problems
            if fingerprint(self.folders) != found:
                return False
            self._seen, self.last_attempt = found, Attempt(self.now(), problems)
            if problems:
                self.failed += 1
                return False
            self.engine, self.loaded_at = fresh, self.last_attempt.at
            self.succeeded += 1
            return True

    def watch(self, every: float) -> threading.Event:
        """Looks every so many seconds, in a thread that ends with the program or when the event is set."""
        stop = threading.Event()

        def watching() -> None:
            while not stop.wait(every):
                self.poll()

        threading.Thread(target=watching, name="rules", daemon=True).start()
        return stop

    def status(self) -> dict[str, Any]:
        """What is being asked, since when, and what came of the last reading of the files."""
        rulebook, last = self.rulebook, self.last_attempt
        return {
            "rules": {
                "version": rulebook.version,
                "sha256": rulebook.sha256,
                "profiles": list(rulebook.rule_sets),
                "loaded_at": _written(self.loaded_at),
            },
            "last_attempt": {
                "at": _written(last.at),
                "succeeded": not last.problems,
                "problems": [problem.as_dict() for problem in last.problems],
            },
            "reloads": {"succeeded": self.succeeded, "failed": self.failed},
        }


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
