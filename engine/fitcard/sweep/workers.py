"""Where parts are computed: in this process, in threads or processes of this machine, or on a Dask cluster."""

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

Compute = Callable[[Iterable[int]], Iterator[ComputedPart]]  # yields the parts of these numbers, in order
Submit = Callable[[int], Any]  # returns a future
QUEUE_PER_WORKER = 2  # parts; keeps workers busy and bounds memory


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
def local_workers(sweep: Sweep, format_name: str, workers: int) -> Iterator[Compute]:
    """Computes in this process; with several `workers` in threads, or in processes where the format holds the GIL."""
    ahead = workers * QUEUE_PER_WORKER
    if workers == 1:
        yield partial(map, partial(compute_part, sweep, format_name))
    elif find_format(format_name).holds_gil:
        spawn = multiprocessing.get_context("spawn")  # a fork would copy locks held by other threads
        with ProcessPoolExecutor(workers, spawn, _initialize_process, (sweep, format_name)) as processes:
            yield _in_order(lambda number: processes.submit(_compute_in_process, number), ahead)
    else:
        with ThreadPoolExecutor(workers) as threads:
            yield _in_order(lambda number: threads.submit(compute_part, sweep, format_name, number), ahead)


@contextmanager
def cluster_workers(sweep: Sweep, format_name: str, address: str) -> Iterator[Compute]:
    """Computes on the workers of an existing Dask cluster.

    The compiled rules and catalogs are sent to each worker once, so that all use the same. Raises ProblemsError if no
    scheduler answers; iterating raises it if a worker runs another version of the engine.
    """
    try:
        distributed: Any = import_module("distributed")  # an extra
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
        scattered = client.scatter(sweep, broadcast=True, hash=False)
        workers = max(1, sum(client.nthreads().values()))
        yield _in_order(
            lambda number: client.submit(compute_remotely, scattered, format_name, number, code_sha256(), pure=False),
            workers * QUEUE_PER_WORKER,
        )


def _in_order(submit: Submit, ahead: int) -> Compute:
    """Yields parts in order, with at most `ahead` submitted beyond the current one."""

    def compute(numbers: Iterable[int]) -> Iterator[ComputedPart]:
        futures: deque[Any] = deque()
        try:
            for number in numbers:
                futures.append(submit(number))
                if len(futures) > ahead:
                    yield futures.popleft().result()
            while futures:
                yield futures.popleft().result()
        finally:
            for future in futures:
                future.cancel()

    return compute


_process_arguments: list[tuple[Sweep, str]] = []  # of a worker process: the sweep and the format


def _initialize_process(sweep: Sweep, format_name: str) -> None:
    _process_arguments.append((sweep, format_name))
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Exits this process when its parent has ended, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _compute_in_process(number: int) -> ComputedPart:
    return compute_part(*_process_arguments[0], number)


def compute_remotely(sweep: Sweep, format_name: str, number: int, engine_sha256: str) -> ComputedPart:
    """Computes a part on a worker of a cluster. Raises ProblemsError if its engine has another hash."""
    if code_sha256() != engine_sha256:
        message = "a worker of the cluster runs another version of the engine"
        hint = "install the same version on all workers"
        raise ProblemsError([Problem(SweepOtherEngine, message, hint=hint)])
    return compute_part(sweep, format_name, number)
