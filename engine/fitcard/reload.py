"""An engine that follows its files: replaced as a whole when they change, never by one with errors."""

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
class LoadAttempt:
    """When the files were last read, and the problems that they had."""

    at: datetime
    problems: tuple[Problem, ...]


@dataclass
class ReloadingEngine:
    """The engine of these folders. Readers take `engine` once per request; it is replaced by a single assignment.

    `succeeded` and `failed` count reloads. Raises ProblemsError on construction where the files have errors.
    """

    folders: Folders
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    engine: Engine = field(init=False)
    loaded_at: datetime = field(init=False)
    last_attempt: LoadAttempt = field(init=False)
    succeeded: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._polling = threading.Lock()
        self._files = FileCache()
        self._fingerprint = fingerprint(self.folders)
        self.engine = load_checked(self.folders, self._files)
        self.loaded_at = self.now()
        self.last_attempt = LoadAttempt(self.loaded_at, ())

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook of the current engine."""
        return self.engine.rulebook

    def poll(self) -> bool:
        """Loads the files again if they have changed; returns whether the engine was replaced.

        Files that change while they are read are left for the next poll, so an engine is never made of two versions.
        """
        with self._polling:
            current = fingerprint(self.folders)
            if current == self._fingerprint:
                return False
            try:
                engine = load_checked(self.folders, self._files)
                problems: tuple[Problem, ...] = ()
            except ProblemsError as error:
                problems = error.problems
            if fingerprint(self.folders) != current:
                return False
            self._fingerprint, self.last_attempt = current, LoadAttempt(self.now(), problems)
            if problems:
                self.failed += 1
                return False
            self.engine, self.loaded_at = engine, self.last_attempt.at
            self.succeeded += 1
            return True

    def watch(self, seconds: float) -> threading.Event:
        """Polls at this interval, in a daemon thread that ends when the returned event is set."""
        stop = threading.Event()

        def poll_until_stopped() -> None:
            while not stop.wait(seconds):
                self.poll()

        threading.Thread(target=poll_until_stopped, name="reload", daemon=True).start()
        return stop

    def status(self) -> dict[str, Any]:
        """The rules in use, the result of the last attempt to load them, and the number of reloads."""
        rulebook, last = self.rulebook, self.last_attempt
        return {
            "rules": {
                "version": rulebook.version,
                "sha256": rulebook.sha256,
                "profiles": list(rulebook.rule_sets),
                "loaded_at": _timestamp(self.loaded_at),
            },
            "last_attempt": {
                "at": _timestamp(last.at),
                "succeeded": not last.problems,
                "problems": [problem.as_dict() for problem in last.problems],
            },
            "reloads": {"succeeded": self.succeeded, "failed": self.failed},
        }


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
