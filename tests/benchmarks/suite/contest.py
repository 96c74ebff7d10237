"""What is timed side by side: a yardstick, and what is held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from fitcard.source.folders import Folders, find_folders

if TYPE_CHECKING:  # what starts processes to measure them must be small itself
    from fitcard.rulebook.rulebook import Rulebook

Run = Callable[[], object]  # what comes back is not used; where it is a Took, that is the time


@dataclass(frozen=True)
class Took:
    """The seconds that something took by its own measure, and other figures of that run, such as peak memory."""

    seconds: float
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """One way to do the work: it does so many `things` in one run. Only what is `ours` is judged."""

    name: str
    run: Run
    things: float = 1
    ours: bool = True


@dataclass(frozen=True)
class Contest:
    """The same work done in several ways; the first is the yardstick, and ratios are times of it.

    A run that is `long` is timed once a round, any other as often as fills a moment.
    """

    variants: tuple[Variant, ...]
    unit: str = "run"
    long: bool = False


@dataclass(frozen=True)
class Setting:
    """What contests are set up from; a `quick` one settles for less work."""

    folders: Folders
    quick: bool = False

    @classmethod
    def of_project(cls) -> Setting:
        """That of the project's own folders, or of those that the environment names."""
        return cls(find_folders())

    @cached_property
    def rulebook(self) -> Rulebook:
        """The rulebook of the folders. Raises ProblemsFound where it holds an error."""
        from fitcard.rulebook.loader import load  # noqa: PLC0415

        return load(self.folders)


@dataclass(frozen=True)
class Bench:
    """A contest by name; it is set up when it is its turn, and cleared away after it.

    One that is `optional` is left out where it cannot be set up, such as for want of what it compares with.
    """

    name: str
    about: str
    set_up: Callable[[Setting], AbstractContextManager[Contest]]
    optional: bool = False


class NotComparable(Exception):
    """Two ways of doing the same work gave different results, or what one of them needs is not installed."""
