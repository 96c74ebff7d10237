"""Several processes that answer with the same engine, under gunicorn.

The arbiter of gunicorn loads and follows the rules, and forks workers, each with a server as of one process. When rules
were loaded anew it forks others, and ends the former ones when their requests are answered. So rules are loaded once,
all processes share the memory of the engine, and they change together or not at all.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from flask import Flask

from fitcard.reload import ReloadingEngine
from fitcard.web.metrics import process_ended
from fitcard.web.options import Limits, ServerLimits
from fitcard.web.server import Server

try:
    from gunicorn.app.base import BaseApplication
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker
except ImportError:  # an extra, which is not for Windows
    BaseApplication = Arbiter = Worker = object
IS_INSTALLED = Arbiter is not object

HEARTBEAT_SECONDS = 30  # without a sign of life after which a worker is replaced
EXIT_SECONDS = 5  # for a worker to end in addition to its requests
logger = logging.getLogger("fitcard.workers")


def run_workers(
    count: int,
    sockets: Sequence[socket.socket],
    rules: ReloadingEngine,
    make_app: Callable[[], Flask],
    bounds: ServerLimits,
    limits: Limits,
    shared: Path,
    on_ready: Callable[[], None],
    *,
    reload: bool,
) -> None:
    """Answers on these sockets with a number of processes, until SIGTERM or SIGINT; exits the process then.

    `make_app` is called in each process. `shared` is the folder of their common state. `on_ready` is called when
    signals are handled. With `reload` changed rules are loaded by themselves, otherwise on SIGHUP only.
    """
    descriptors = [sock.detach() for sock in sockets]  # gunicorn makes sockets of its own of them
    rules.share_state(shared / "rules.json")
    application = _Application(count, descriptors, make_app, bounds, limits, shared, on_ready)
    _freeze()
    _Arbiter(application, rules, reload=reload).run()


class _Application(BaseApplication):  # type: ignore[misc]
    """The configuration of gunicorn."""

    def __init__(
        self,
        count: int,
        descriptors: Sequence[int],
        make_app: Callable[[], Flask],
        bounds: ServerLimits,
        limits: Limits,
        shared: Path,
        on_ready: Callable[[], None],
    ) -> None:
        self.on_ready = on_ready
        self.count, self.descriptors, self.shared = count, descriptors, shared
        self.make_app, self.bounds, self.limits = make_app, bounds, limits
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": [f"fd://{descriptor}" for descriptor in self.descriptors],
            "workers": self.count,
            "worker_class": _Worker,
            "timeout": HEARTBEAT_SECONDS,
            "graceful_timeout": int(self.bounds.drain + self.bounds.patience + EXIT_SECONDS),
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda _: self.on_ready(),
            "child_exit": self._add_counts_of,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.make_app()

    def _add_counts_of(self, _: Arbiter, worker: Worker) -> None:
        try:
            process_ended(self.shared, worker.pid)
        except Exception:  # the service goes on without these counts
            logger.exception("the metrics of process %d are lost", worker.pid)


class _Arbiter(Arbiter):  # type: ignore[misc]
    """The process that loads the rules; it has no threads, so that it can fork at any time."""

    def __init__(self, application: _Application, rules: ReloadingEngine, *, reload: bool) -> None:
        super().__init__(application)
        self._rules, self._reload = rules, reload
        self._is_replacing = False

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """The signals that were received, at the latest after `timeout` seconds."""
        signals = list(super().wait_for_signals(timeout))
        if self._is_replacing or (self._reload and signal.SIGTERM not in signals and self._rules.poll()):
            self._replace_workers()
        return signals

    def handle_hup(self) -> None:
        """Loads the rules again."""
        if self._rules.poll(requested=True):
            self._replace_workers()

    def spawn_worker(self) -> int:
        """Starts a worker; returns its process id, or 0 where it cannot be started."""
        try:
            return int(super().spawn_worker())
        except OSError as error:
            logger.warning("a process cannot be started: %s", error)
            return 0

    def _replace_workers(self) -> None:
        """Starts workers with the new rules and ends the others; if not all can be started, those are kept for now."""
        _freeze()
        former = list(self.WORKERS)
        started = [self.spawn_worker() for _ in range(self.num_workers)]
        self._is_replacing = not all(started)
        for process in [each for each in started if each] if self._is_replacing else former:
            self.kill_worker(process, signal.SIGTERM)


class _Worker(Worker):  # type: ignore[misc]
    """A process with a server."""

    server: Server | None = None

    def run(self) -> None:
        application: _Application = self.app
        self.server = Server(
            self.wsgi,
            [listener.sock for listener in self.sockets],
            application.bounds,
            application.limits,
            self._tick,
        )
        if not self.alive:
            self.server.stop()
        if aborted := self.server.run():
            logger.warning("requests aborted: %d", aborted)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends when the requests in progress are answered."""
        self.alive = False
        if self.server is not None:
            self.server.stop()

    handle_quit = handle_exit

    def _tick(self) -> None:
        self.notify()
        if os.getppid() != self.ppid and self.server is not None:
            self.server.stop()  # the arbiter has ended without a signal


def _freeze() -> None:
    """Keeps the garbage collector from writing to the memory that processes share, and from searching it."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
