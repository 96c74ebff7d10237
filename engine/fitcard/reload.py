"""An engine that follows its files: replaced as a whole when they change, never by one with errors."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.engine import Engine
from fitcard.lint.run import load_checked
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders, fingerprint
from fitcard.source.yaml_reader import FileUnreadable

MAX_UNSETTLED_SECONDS = 5.0  # for which files may change while they are read before what was read is used
MAX_RETRY_SECONDS = 60.0  # between two attempts to load files that have not changed
MAX_PROBLEMS = 100  # that the state of a failed attempt has
NEVER = datetime.max.replace(tzinfo=UTC)

logger = logging.getLogger("fitcard.reload")


class ReloadFailed(ProblemCode):
    """Rules could not be loaded for a reason that is not in the files.

    Why: the rules that were loaded before still answer; changes since then have no effect.
    Avoid: a folder that the service may not read, a full disk, or a limit of open files that is reached
    Prefer: mending the cause. Loading is tried again by itself, or at once on SIGHUP.
    """


@dataclass(frozen=True)
class ReloadState:
    """What is known about the files: when the engine in use was loaded, and how attempts to load them have ended.

    `problems` are those of the last attempt, at `attempted_at`. `failing_since` is the time of the first of the
    attempts that have failed since one succeeded; None if the last one did. `polled_at` is when the files were last
    looked at, and `succeeded` and `failed` count reloads.
    """

    loaded_at: datetime
    attempted_at: datetime
    polled_at: datetime
    problems: Sequence[Mapping[str, Any]] = ()
    failing_since: datetime | None = None
    succeeded: int = 0
    failed: int = 0

    def attempted(self, at: datetime, problems: Sequence[Problem]) -> ReloadState:
        """The state after another attempt."""
        if not problems:
            return replace(
                self, loaded_at=at, attempted_at=at, problems=(), failing_since=None, succeeded=self.succeeded + 1
            )
        return replace(
            self,
            attempted_at=at,
            problems=[problem.as_dict() for problem in problems[:MAX_PROBLEMS]],
            failing_since=self.failing_since or at,
            failed=self.failed + 1,
        )

    def write(self, file: Path) -> None:
        """Writes the state to a file, as a whole. Raises OSError."""
        values = {name: _to_text(value) for name, value in self.__dict__.items()}
        beside = file.with_suffix(".tmp")
        beside.write_text(json.dumps(values), "utf-8")
        beside.replace(file)

    @classmethod
    def read(cls, file: Path) -> ReloadState:
        """The state in a file of `write`. Raises OSError."""
        values = json.loads(file.read_text("utf-8"))
        times = ("loaded_at", "attempted_at", "polled_at", "failing_since")
        return cls(**{**values, **{name: values[name] and datetime.fromisoformat(values[name]) for name in times}})


@dataclass
class ReloadingEngine:
    """The engine of these folders. Readers take `engine` once per request; it is replaced by a single assignment.

    `prepare` is called with each engine before it is used. Raises ProblemsError on construction where the files have
    errors.
    """

    folders: Folders
    prepare: Callable[[Engine], None] = lambda _: None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self._polling, self._requested = threading.Lock(), threading.Event()
        self._files = FileCache()
        self._state_file: Path | None = None
        self._owner = os.getpid()
        self._unsettled_since: datetime | None = None  # when a change was seen that is not loaded yet
        self._retries, self._retry_at = 0, NEVER
        self._fingerprint = fingerprint(self.folders)
        self.engine = load_checked(self.folders, self._files)
        self.prepare(self.engine)
        now = self.now()
        self._state = ReloadState(loaded_at=now, attempted_at=now, polled_at=now)

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook of the current engine."""
        return self.engine.rulebook

    @property
    def state(self) -> ReloadState:
        """What is known about the files; in a forked process, what the process that loads them knows."""
        if self._state_file is not None and os.getpid() != self._owner:
            return replace(ReloadState.read(self._state_file), loaded_at=self._state.loaded_at)
        return self._state

    def share_state(self, file: Path) -> None:
        """Writes the state to this file from now on, where forked processes read it. Raises OSError."""
        self._state_file = file
        self._state.write(file)

    def poll(self, *, requested: bool = False) -> bool:
        """Loads the files if they have changed or it is requested; returns whether the engine was replaced.

        Files that change while they are read are left for the next poll, so that no engine is made of two versions, but
        for `MAX_UNSETTLED_SECONDS` at most. Raises nothing: what prevents loading is a problem of `state`, and loading
        is tried again.
        """
        with self._polling:
            now = self.now()
            try:
                current = fingerprint(self.folders)
            except Exception as error:  # such as a folder that is moved while it is read
                current, failure = "", [_unexpected(error)]
            else:
                failure = []
            if current == self._fingerprint and now < self._retry_at and not requested:
                self._unsettled_since = None
                self._record(replace(self._state, polled_at=now))
                return False
            engine, problems = (None, failure) if failure else self._load()
            if self._is_unsettled(current, now):
                self._record(replace(self._state, polled_at=now))
                return False
            self._fingerprint, self._unsettled_since = current, None
            self._plan_retry(problems)
            self._record(replace(self._state, polled_at=now).attempted(self.now(), problems))
            if engine is not None:
                self.engine = engine
            return engine is not None

    def _load(self) -> tuple[Engine | None, Sequence[Problem]]:
        """The engine of the files, or the problems that prevent it."""
        try:
            engine = load_checked(self.folders, self._files)
            self.prepare(engine)
            return engine, ()
        except ProblemsError as error:
            return None, error.problems
        except Exception as error:
            logger.exception("the rules cannot be loaded")
            return None, [_unexpected(error)]

    def _is_unsettled(self, before: str, now: datetime) -> bool:
        """Whether files have changed while they were read, and may be left for the next poll."""
        try:
            if fingerprint(self.folders) == before:
                return False
        except Exception:
            return False
        self._unsettled_since = self._unsettled_since or now
        return (now - self._unsettled_since).total_seconds() < MAX_UNSETTLED_SECONDS

    def _plan_retry(self, problems: Sequence[Problem]) -> None:
        """Retries, less and less often, where the cause is not in the files, so that they need not change."""
        if any(problem.kind in (ReloadFailed, FileUnreadable) for problem in problems):
            self._retries += 1
            self._retry_at = self.now() + timedelta(seconds=min(2.0**self._retries, MAX_RETRY_SECONDS))
        else:
            self._retries, self._retry_at = 0, NEVER

    def _record(self, state: ReloadState) -> None:
        self._state = state
        if self._state_file is not None:
            try:
                state.write(self._state_file)
            except OSError as error:
                logger.warning("the state of rules cannot be written: %s", error)

    def watch(self, seconds: float | None) -> threading.Event:
        """Polls at this interval and on `request`, in a daemon thread that ends when the returned event is set.

        Without an interval it polls on `request` only.
        """
        stop = threading.Event()

        def poll_until_stopped() -> None:
            while not stop.is_set():
                requested = self._requested.wait(seconds)
                if requested:  # else one that comes just now would be lost
                    self._requested.clear()
                if not stop.is_set():
                    self.poll(requested=requested)

        threading.Thread(target=poll_until_stopped, name="reload", daemon=True).start()
        return stop

    def request(self) -> None:
        """Makes the thread of `watch` load the files now; may be called from a signal handler."""
        self._requested.set()

    def status(self) -> dict[str, Any]:
        """The rules in use, the result of the last attempt to load them, and the number of reloads."""
        rulebook, state = self.rulebook, self.state
        return {
            "rules": {
                "version": rulebook.version,
                "sha256": rulebook.sha256,
                "profiles": list(rulebook.rule_sets),
                "loaded_at": _timestamp(state.loaded_at),
                "age_seconds": round((self.now() - state.loaded_at).total_seconds()),
            },
            "last_attempt": {
                "at": _timestamp(state.attempted_at),
                "succeeded": not state.problems,
                "problems": list(state.problems),
            },
            "failing_since": _timestamp(state.failing_since) if state.failing_since else None,
            "polled_at": _timestamp(state.polled_at),
            "reloads": {"succeeded": state.succeeded, "failed": state.failed},
        }

    def is_stale(self, seconds: float) -> bool:
        """Whether loading has been failing for more than this number of seconds."""
        since = self.state.failing_since
        return since is not None and (self.now() - since).total_seconds() > seconds


def answer_pinned(engine: Engine) -> None:
    """Answers the pinned questions, so that the first caller does not wait until the rules are compiled."""
    for pinned in engine.rulebook.pinned.questions:
        with suppress(ProblemsError):
            answer_question(engine, read_question(engine.rulebook, pinned))


def _unexpected(error: Exception) -> Problem:
    hint = "mend the cause; loading is tried again"
    return Problem(ReloadFailed, f"the rules cannot be loaded: {type(error).__name__}: {error}", hint=hint)


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _to_text(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
