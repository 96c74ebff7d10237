"""Connections stay open after responses without a body. Waitress alone closes them, and whoever asks whether a page has
changed would need a new one each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

KEEPS_OPEN = "1.1"  # the version of HTTP in which a connection stays open unless somebody says otherwise


class _Task(WSGITask):  # type: ignore[misc]
    def set_close_on_finish(self) -> None:
        """Closes the connection after this response, but not for want of a length where there is no body."""
        asked = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or asked or self.version != KEEPS_OPEN:
            super().set_close_on_finish()


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task


def stay_open(servers: Iterable[Any]) -> None:
    """Has these servers of waitress keep their connections open."""
    for server in servers:
        server.channel_class = _Channel
