"""What can go wrong while the rules of a service are loaded, and is over after a while."""

from __future__ import annotations

import os
import re
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

import fitcard.reload
from helpers.workplace import Workplace

Fault = Callable[[Workplace], AbstractContextManager[None]]


@contextmanager
def invalid_rule(workplace: Workplace) -> Iterator[None]:
    """A name that does not exist."""
    workplace.edit("rules/fit.yaml", "model.kv_per_token * ", "model.kv_per_tken * ")
    yield
    workplace.edit("rules/fit.yaml", "model.kv_per_tken * ", "model.kv_per_token * ")


@contextmanager
def half_a_file(workplace: Workplace) -> Iterator[None]:
    """A file that is not written in full."""
    path = workplace.path("rules/fit.yaml")
    whole = path.read_text("utf-8")
    path.write_text(whole[: len(whole) // 2] + "\n  x: {", "utf-8")
    yield
    path.write_text(whole, "utf-8")


@contextmanager
def undecodable_name(workplace: Workplace) -> Iterator[None]:
    """A file whose name is no UTF-8."""
    path = os.path.join(os.fsencode(workplace.folders.rules), b"\xff.yaml")  # noqa: PTH118 - bytes
    Path(os.fsdecode(path)).write_text("kind: rules\n", "utf-8")
    yield
    Path(os.fsdecode(path)).unlink()


@contextmanager
def folder_gone(workplace: Workplace) -> Iterator[None]:
    """The folder of rules is elsewhere."""
    elsewhere = workplace.folders.rules.with_name("elsewhere")
    workplace.folders.rules.rename(elsewhere)
    yield
    elsewhere.rename(workplace.folders.rules)


@contextmanager
def folder_in_place_of_a_file(workplace: Workplace) -> Iterator[None]:
    """A folder with the name of a file."""
    path = workplace.path("rules/fit.yaml")
    path.rename(path.with_name("fit.txt"))
    path.mkdir()
    yield
    path.rmdir()
    path.with_name("fit.txt").rename(path)


@contextmanager
def no_descriptors(_: Workplace) -> Iterator[None]:
    """No file can be opened."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@contextmanager
def raised(error: type[Exception]) -> Iterator[None]:
    """Loading raises an error."""

    def fail(*_: object) -> None:
        raise error("of a test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitcard.reload, "load_checked", fail)
        yield


def recursion(_: Workplace) -> AbstractContextManager[None]:
    """Loading exceeds the depth of the stack."""
    return raised(RecursionError)


def no_memory(_: Workplace) -> AbstractContextManager[None]:
    """Loading needs more memory than there is."""
    return raised(MemoryError)


@contextmanager
def folder_moved_again_and_again(workplace: Workplace) -> Iterator[None]:
    """The folder of rules is moved while it is read."""
    rules, done = workplace.folders.rules, threading.Event()

    def move() -> None:
        while not done.wait(0.001):
            rules.rename(rules.with_name("elsewhere"))
            rules.with_name("elsewhere").rename(rules)

    moving = threading.Thread(target=move)
    moving.start()
    yield
    done.set()
    moving.join()


def change(workplace: Workplace, number: int) -> None:
    """Changes a figure of the rules."""
    path = workplace.path("rules/fit.yaml")
    text = path.read_text("utf-8")
    path.write_text(
        re.sub(r"storage_bandwidth: {value: [0-9.]+,", f"storage_bandwidth: {{value: {number}.5,", text), "utf-8"
    )


FAILING: tuple[Fault, ...] = (  # for as long as they last
    invalid_rule, half_a_file, undecodable_name, folder_gone, folder_in_place_of_a_file, no_descriptors, recursion,
    no_memory,
)  # fmt: skip
EITHER: tuple[Fault, ...] = (folder_moved_again_and_again,)  # loading may fail or succeed
