"""`fitcard serve`: the service, on waitress, in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from fitcard.cli.output import FAILED, exit_with_problems
from fitcard.problems import ProblemsError
from fitcard.web.api_keys import read_keys
from fitcard.web.logging import KINDS, TEXT, configure
from fitcard.web.options import BATCH_SECONDS, MAX_ADDRESS, MAX_BODY, MAX_QUESTIONS, Limits, Options
from fitcard.web.reload import ReloadingRulebook
from fitcard.web.server import Server, ServerLimits, run_until_signal

LOOK_EVERY = 1.0  # seconds
HERE = ("localhost", "127.0.0.1", "::1")
Command = Callable[..., None]
COUNT = click.IntRange(1)
SECONDS = click.FloatRange(0, min_open=True)
FILE = click.Path(dir_okay=False, path_type=Path)


def option(name: str, default: Any, kind: Any, text: str) -> Callable[[Command], Command]:
    """An option whose default is shown."""
    return click.option(name, default=default, show_default=True, type=kind, help=text)


@click.command("serve")
@option("--host", "127.0.0.1", str, "Address to listen on.")
@option("--port", 8000, click.IntRange(0, 65535), "Port to listen on.")
@option("--threads", 4, click.IntRange(1, 64), "Requests at once.")
@click.option("--site", default=None, help="What addresses in answers start with, in place of the rulebook's.")
@option("--reload/--no-reload", True, None, "Follow changes of rules and catalogs.")
@option("--body-bytes", MAX_BODY, COUNT, "Bytes of the largest body.")
@option("--address-length", MAX_ADDRESS, COUNT, "Characters of the longest address with its parameters.")
@option("--batch-questions", MAX_QUESTIONS, COUNT, "Questions of the largest batch.")
@option("--batch-seconds", BATCH_SECONDS, SECONDS, "Seconds for a batch; what is not answered by then is told so.")
@option("--header-bytes", 32_000, COUNT, "Bytes of the longest headers.")
@option("--connections", 200, COUNT, "Open connections.")
@option("--idle-seconds", 60, COUNT, "A silent connection is closed after so many seconds.")
@option("--arrival-seconds", 30.0, SECONDS, "A request that has not arrived whole by then is cut off.")
@option("--drain-seconds", 0.0, click.FloatRange(0), "At the end, seconds of answering on while /ready says no.")
@option("--patience-seconds", 20.0, click.FloatRange(0), "At the end, seconds to wait for what is under way.")
@option("--trusted-proxies", 0, click.IntRange(0, 10), "Proxies in front whose X-Forwarded-For is believed.")
@click.option("--rate-limit", default="", metavar="RATE", help="Requests of one caller, such as 60/minute.")
@click.option("--api-keys", type=FILE, help="File with a name and a key in each line; /v1 then needs one of them.")
@option("--log", TEXT, click.Choice(KINDS), "A line for each request on standard error.")
@click.option("--decision-log", type=FILE, help="File that gets a line of JSON for each question and its answer.")
@option("--metrics/--no-metrics", True, None, "Show metrics for Prometheus at /metrics.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    host: str,
    port: int,
    site: str | None,
    reload: bool,
    log: str,
    body_bytes: int,
    address_length: int,
    batch_questions: int,
    batch_seconds: float,
    trusted_proxies: int,
    rate_limit: str,
    api_keys: Path | None,
    decision_log: Path | None,
    metrics: bool,
    **bounds: Any,
) -> None:
    """Answer over HTTP.

    SIGTERM ends it: it takes no more requests, answers those under way, and leaves with 0.
    """
    from fitcard.web.routes import create_app  # noqa: PLC0415 - only this command serves

    limits = Limits(body_bytes, address_length, batch_questions, batch_seconds)
    try:
        keys = read_keys(api_keys) if api_keys else {}
        options = Options(limits, trusted_proxies, rate_limit, keys, decision_log, metrics)
        configure(log)
        live = ReloadingRulebook(ctx.obj)
        app = create_app(live, site or site_here(live.rulebook.site, host, port), options)
    except ProblemsError as found:
        exit_with_problems(found.problems, FAILED)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    try:
        listening = Server(app, host, port, _bounds(**bounds), limits)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error}") from None
    click.echo(listening.address, err=True)
    if reload:
        live.watch(LOOK_EVERY)
    if left := run_until_signal(listening):
        click.echo(f"stopped; requests that were cut off: {left}", err=True)


def site_here(site: str, host: str, port: int) -> str:
    """The site of the rulebook with the port that is listened on, where it is this machine; else nothing of its own."""
    usual = urlsplit(site)
    if port and usual.hostname in HERE and host in HERE:
        return usual._replace(netloc=usual.netloc.removesuffix(f":{usual.port}") + f":{port}").geturl()
    return ""


def _bounds(
    threads: int,
    connections: int,
    idle_seconds: int,
    arrival_seconds: float,
    header_bytes: int,
    drain_seconds: float,
    patience_seconds: float,
) -> ServerLimits:
    return ServerLimits(
        threads, connections, idle_seconds, arrival_seconds, header_bytes, drain_seconds, patience_seconds
    )
