"""Who computes the parts: this process, others on this machine, or the workers of a cluster; in order either way."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.sweep.formats import ComputedPart, SweepNeedsMore, compute_part, find_format
from fitcard.sweep.part_store import code_sha256
from fitcard.sweep.selection import Sweep

Compute = Callable[[Iterable[int]], Iterator[ComputedPart]]  # the parts of these numbers, in their order
Submit = Callable[[int], Any]  # gives what has a `result()`
QUEUE_PER_WORKER = (
    2  # parts that each worker has at hand, so that it never waits, and no more of them are held in memory
)


class SweepOtherEngine(ProblemCode):
    """A worker of the cluster runs another version of the engine.

    Why: the same rules could give different numbers there.
    Avoid: workers installed before the engine was updated
    Prefer: the same version on all workers.
    """


class SweepNoCluster(ProblemCode):
    """No Dask scheduler answers at that address.

    Why: there are no workers to compute the sweep.
    Avoid: `--scheduler tcp://10.0.0.1:8787`, the port of the dashboard
    Prefer: the address that `dask scheduler` prints, such as `tcp://10.0.0.1:8786`.
    """


@contextmanager
def local_workers(sweep: Sweep, form: str, workers: int) -> Iterator[Compute]:
    """Computes in this process, in threads, or, where threads would wait for each other, in other processes."""
    if workers == 1:
        yield partial(map, partial(compute_part, sweep, form))
    elif find_format(form).in_python:
        start = multiprocessing.get_context("spawn")  # no lock of a thread here is taken over by the other processes
        with ProcessPoolExecutor(workers, start, _begin, (sweep, form)) as pool:
            yield _in_order(lambda number: pool.submit(_computed_here, number), workers * QUEUE_PER_WORKER)
    else:
        with ThreadPoolExecutor(workers) as pool:
            yield _in_order(lambda number: pool.submit(compute_part, sweep, form, number), workers * QUEUE_PER_WORKER)


@contextmanager
def cluster_workers(sweep: Sweep, form: str, address: str) -> Iterator[Compute]:
    """Computes on the workers of an existing Dask cluster.

    Each is sent the rules and catalogs as they were read here, once: files there could be others, and reading them
    again would take longer than most parts. Raises ProblemsFound where there is no cluster, and while parts are
    computed where a worker runs another engine.
    """
    try:
        distributed: Any = import_module("distributed")  # only a cluster needs the extra
    except ImportError:
        hint = "install it: pip install 'fitcard[cluster]'"
        raise ProblemsError(
            [Problem(SweepNeedsMore, "a cluster requires the package distributed", hint=hint)]
        ) from None
    try:
        client = distributed.Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        message = f"no scheduler answers at `{address}`: {error}"
        raise ProblemsError([Problem(SweepNoCluster, message, hint="is it running?")]) from None
    with client:
        sent = client.scatter(sweep, broadcast=True, hash=False)
        workers = max(1, sum(client.nthreads().values()))
        yield _in_order(
            lambda number: client.submit(compute_remotely, sent, form, number, code_sha256(), pure=False),
            workers * QUEUE_PER_WORKER,
        )


def _in_order(submit: Submit, ahead: int) -> Compute:
    """Parts as they are wanted, with no more than so many under way."""

    def compute(numbers: Iterable[int]) -> Iterator[ComputedPart]:
        waiting: deque[Any] = deque()
        try:
            for number in numbers:
                waiting.append(submit(number))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    return compute


_here: list[tuple[Sweep, str]] = []  # of another process on this machine: what it computes parts of


def _begin(sweep: Sweep, form: str) -> None:
    _here.append((sweep, form))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, however that came about."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _computed_here(number: int) -> ComputedPart:
    return compute_part(*_here[0], number)


def compute_remotely(sweep: Sweep, form: str, number: int, wanted: str) -> ComputedPart:
    """The part of that number on a worker of a cluster. Raises ProblemsFound where its engine is not the one wanted."""
    if code_sha256() != wanted:
        message, hint = (
            "a worker of the cluster runs another version of the engine",
            "install the same version on all workers",
        )
        raise ProblemsError([Problem(SweepOtherEngine, message, hint=hint)])
    return compute_part(sweep, form, number)
