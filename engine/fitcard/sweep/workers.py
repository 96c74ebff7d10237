"""Where parts are computed: in this process, in threads or processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.sweep.formats import ComputedPart, SweepNeedsMore, compute_part, find_format
from fitcard.sweep.part_store import code_sha256
from fitcard.sweep.selection import Sweep

Compute = Callable[[Iterable[int]], Iterator[ComputedPart]]  # yields the parts of these numbers, in order
Submit = Callable[[int], Any]  # returns a future
Result = Callable[[Any], ComputedPart]  # waits for a future
QUEUE_PER_WORKER = 2  # parts; keeps workers busy and bounds memory
CONNECT_TIMEOUT = "distributed.comm.timeouts.connect"
CONNECT_SECONDS = 5  # until a scheduler must answer, and have a worker
SEND_SECONDS = 60  # for the compiled rules, some megabytes for each worker
CLOSE_SECONDS = 2
POLL_SECONDS = 1
WITHOUT_WORKERS_SECONDS = 15  # a worker that is started again takes some
MAX_REASON = 200  # characters


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


class SweepWorkersLost(ProblemCode):
    """The scheduler, all workers of the cluster, or a worker process of this machine ended during a sweep.

    Why: nobody computes the parts that are missing.
    Avoid: stopping the workers of a cluster while a sweep runs, or more workers than fit in memory
    Prefer: starting them again; the same command computes only what is missing.
    """


class SweepWorkerFailed(ProblemCode):
    """A worker of the cluster cannot compute a part.

    Why: the file would lack its rows.
    Avoid: workers in an environment without fitcard, or with another version of numpy
    Prefer: the same environment on all workers.
    """


@contextmanager
def local_workers(sweep: Sweep, format_name: str, workers: int) -> Iterator[Compute]:
    """Computes in this process; with several `workers` in threads, or in processes where the format holds the GIL."""
    ahead = workers * QUEUE_PER_WORKER
    if workers == 1:
        yield partial(map, partial(compute_part, sweep, format_name))
    elif find_format(format_name).holds_gil:
        spawn = multiprocessing.get_context("spawn")  # a fork would copy locks held by other threads
        stopping = spawn.Event()
        try:
            with (
                _pickled((sweep, format_name)) as file,
                ProcessPoolExecutor(workers, spawn, _initialize_process, (file, stopping)) as processes,
            ):

                def submit(number: int) -> Future[ComputedPart]:
                    with _blocked_interrupts():  # it may start a process
                        return processes.submit(_compute_in_process, number)

                try:
                    yield _in_order(submit, ahead, Future.result)
                except KeyboardInterrupt:  # only the parts that have begun are waited for
                    stopping.set()
                    raise
        except BrokenProcessPool:
            hint = "start the same command again, with fewer --workers if memory was short"
            raise ProblemsError([Problem(SweepWorkersLost, "a worker process ended", hint=hint)]) from None
    else:
        with ThreadPoolExecutor(workers) as threads:
            yield _in_order(
                lambda number: threads.submit(compute_part, sweep, format_name, number), ahead, Future.result
            )


@contextmanager
def _pickled(value: object) -> Iterator[str]:
    """A file with a pickled value.

    Python waits forever until a process has received megabytes that it is started with, even if it has ended.
    """
    with TemporaryDirectory(prefix="fitcard-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "value.pickle")
        file.write_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        yield str(file)


@contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Processes started meanwhile ignore Ctrl-C, which a terminal sends to all: only this process reports it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def cluster_workers(sweep: Sweep, format_name: str, address: str) -> Iterator[Compute]:
    """Computes on the workers of an existing Dask cluster.

    The compiled rules and catalogs are sent to each worker once, so that all use the same. Raises ProblemsError if no
    scheduler answers or it has no workers; iterating raises it if these are lost, or if a worker runs another version
    of the engine.
    """
    try:
        dask: Any = import_module("dask")
        distributed: Any = import_module("distributed")  # an extra
    except ImportError:
        hint = "install it: pip install 'fitcard[cluster]'"
        raise ProblemsError(
            [Problem(SweepNeedsMore, "a cluster requires the package distributed", hint=hint)]
        ) from None
    with _without_logs(), dask.config.set({CONNECT_TIMEOUT: CONNECT_SECONDS}):
        client = _connect(distributed, address)
        try:
            cluster = _Cluster(client, address)
            scattered = cluster.send(sweep)
            workers = max(1, sum(client.nthreads().values()))

            def submit(number: int) -> Any:
                return client.submit(compute_remotely, scattered, format_name, number, code_sha256(), pure=False)

            yield _in_order(submit, workers * QUEUE_PER_WORKER, cluster.result)
        finally:
            with suppress(Exception):  # a lost scheduler cannot be told
                client.close(timeout=CLOSE_SECONDS)


@contextmanager
def _without_logs() -> Iterator[None]:
    """Drops log messages of Dask: tracebacks of what is reported as a problem."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _connect(distributed: Any, address: str) -> Any:
    """A client of the scheduler. Raises ProblemsError if none answers."""
    found: list[Any] = []

    def connect() -> None:
        try:
            found.append(distributed.Client(address, set_as_default=False, timeout=CONNECT_SECONDS))
        except Exception as error:  # whatever answers at that address
            found.append(error)

    thread = threading.Thread(target=connect, daemon=True)  # the client waits forever for a server of another kind
    thread.start()
    thread.join(2 * CONNECT_SECONDS)
    if not found or isinstance(found[0], Exception):
        reason = _reason(found[0]) if found else "another server is there"
        message = f"no scheduler answers at `{address}`: {reason}"
        hint = "give the address that `dask scheduler` prints"
        raise ProblemsError([Problem(SweepNoCluster, message, hint=hint)])
    return found[0]


@dataclass(frozen=True)
class _Cluster:
    """A connected cluster. Raises ProblemsError when its scheduler or all of its workers are lost."""

    client: Any
    address: str

    def send(self, sweep: Sweep) -> Any:
        """The sweep on all workers."""
        try:
            self.client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            return self.client.scatter(sweep, broadcast=True, hash=False, timeout=SEND_SECONDS)
        except Exception as error:
            if isinstance(error, TimeoutError):
                message, hint = f"the scheduler at `{self.address}` has no workers", "start some: dask worker ADDRESS"
                raise ProblemsError([Problem(SweepNoCluster, message, hint=hint)]) from None
            raise self._lost(_reason(error)) from None

    def result(self, future: Any) -> ComputedPart:
        """The part of a future. Waits as long as there are workers."""
        alone_since: float | None = None
        while True:
            try:
                part: ComputedPart = future.result(timeout=POLL_SECONDS)
                return part
            except ProblemsError:
                raise
            except Exception as error:
                if future.status == "error":  # of the task itself
                    message = f"a worker of the cluster failed: {_reason(error)}"
                    hint = "install the same packages on all workers, with enough memory"
                    raise ProblemsError([Problem(SweepWorkerFailed, message, hint=hint)]) from None
                if not isinstance(error, TimeoutError):
                    raise self._cancelled() from None
            alone_since = None if self._has_workers() else alone_since or time.monotonic()
            if alone_since is not None and time.monotonic() - alone_since > WITHOUT_WORKERS_SECONDS:
                raise self._lost("all workers ended")

    def _has_workers(self) -> bool:
        try:
            return bool(self.client.sync(self.client.scheduler.ncores, callback_timeout=CONNECT_SECONDS))
        except Exception as error:
            raise self._lost(f"the scheduler does not answer: {_reason(error)}") from None

    def _cancelled(self) -> ProblemsError:
        """The problem of a part whose computation was cancelled."""
        if self.client.status != "running":
            return self._lost("the scheduler ended")
        return self._lost("a worker ended" if self._has_workers() else "all workers ended")

    def _lost(self, reason: str) -> ProblemsError:
        message = f"the cluster at `{self.address}` was lost: {reason}"
        hint = "start it again, and then the same command"
        return ProblemsError([Problem(SweepWorkersLost, message, hint=hint)])


def _reason(error: BaseException) -> str:
    """The first line of an error, or its name."""
    return next(iter(str(error).strip().splitlines()), "")[:MAX_REASON] or type(error).__name__


def _in_order(submit: Submit, ahead: int, result: Result) -> Compute:
    """Yields parts in order, with at most `ahead` submitted beyond the current one."""

    def compute(numbers: Iterable[int]) -> Iterator[ComputedPart]:
        futures: deque[Any] = deque()
        try:
            for number in numbers:
                futures.append(submit(number))
                if len(futures) > ahead:
                    yield result(futures.popleft())
            while futures:
                yield result(futures.popleft())
        finally:
            for future in futures:
                future.cancel()

    return compute


_process_arguments: list[tuple[Sweep, str]] = []  # of a worker process: the sweep and the format
_process_stopping: list[Event] = []  # of a worker process: whether parts that have not begun are of no use


def _initialize_process(file: str, stopping: Event) -> None:
    _process_arguments.append(pickle.loads(Path(file).read_bytes()))
    _process_stopping.append(stopping)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """Exits this process when its parent has ended, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _compute_in_process(number: int) -> ComputedPart:
    if _process_stopping[0].is_set():
        raise InterruptedError
    return compute_part(*_process_arguments[0], number)


def compute_remotely(sweep: Sweep, format_name: str, number: int, engine_sha256: str) -> ComputedPart:
    """Computes a part on a worker of a cluster. Raises ProblemsError if its engine has another hash."""
    if code_sha256() != engine_sha256:
        message = "a worker of the cluster runs another version of the engine"
        hint = "install the same version on all workers"
        raise ProblemsError([Problem(SweepOtherEngine, message, hint=hint)])
    return compute_part(sweep, format_name, number)
