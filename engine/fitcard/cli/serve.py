"""`fitcard serve`: runs the HTTP service in one process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from fitcard.cli.output import FAILED, exit_with_problems
from fitcard.problems import ProblemsError
from fitcard.reload import ReloadingEngine
from fitcard.web.access import read_keys
from fitcard.web.observability import LOG_FORMATS, TEXT_LOG, configure_logging
from fitcard.web.options import (
    BATCH_SECONDS,
    MAX_ADDRESS,
    MAX_BODY,
    MAX_QUESTIONS,
    MAX_RESPONSE,
    Limits,
    Options,
    ServerLimits,
)
from fitcard.web.server import Server, run_until_signal

POLL_SECONDS = 1.0
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
Command = Callable[..., None]
COUNT = click.IntRange(1)
SECONDS = click.FloatRange(0, min_open=True)
FILE = click.Path(dir_okay=False, path_type=Path)


def option(name: str, default: Any, kind: Any, text: str) -> Callable[[Command], Command]:
    """An option whose help shows the default."""
    return click.option(name, default=default, show_default=True, type=kind, help=text)


@click.command("serve")
@option("--host", "127.0.0.1", str, "Address to listen on.")
@option("--port", 8000, click.IntRange(0, 65535), "Port to listen on.")
@option("--threads", 4, click.IntRange(1, 64), "Worker threads.")
@click.option("--site", default=None, help="Base URL of links in answers. [default: that of the rulebook]")
@option("--reload/--no-reload", True, None, "Reload changed rules and catalogs.")
@option("--body-bytes", MAX_BODY, COUNT, "Maximum size of a request body.")
@option("--address-length", MAX_ADDRESS, COUNT, "Maximum length of a URL.")
@option("--batch-questions", MAX_QUESTIONS, COUNT, "Maximum number of questions in a batch.")
@option("--batch-seconds", BATCH_SECONDS, SECONDS, "Time limit of a batch.")
@option("--response-bytes", MAX_RESPONSE, COUNT, "Maximum size of the answers of a batch.")
@option("--header-bytes", 32_000, COUNT, "Maximum size of request headers.")
@option("--connections", 200, COUNT, "Maximum number of open connections.")
@option("--idle-seconds", 60, COUNT, "Time after which an idle connection is closed.")
@option("--arrival-seconds", 30.0, SECONDS, "Time limit for receiving a request.")
@option(
    "--drain-seconds",
    0.0,
    click.FloatRange(0),
    "At shutdown, time during which /ready fails and requests are still answered.",
)
@option("--patience-seconds", 20.0, click.FloatRange(0), "At shutdown, time to wait for requests in progress.")
@option("--trusted-proxies", 0, click.IntRange(0, 10), "Number of proxies whose X-Forwarded-For is trusted.")
@click.option("--rate-limit", default="", metavar="RATE", help="Rate limit per caller, such as 60/minute.")
@click.option("--api-keys", type=FILE, help="File with a name and an API key per line; /v1 then requires a key.")
@option("--log", TEXT_LOG, click.Choice(LOG_FORMATS), "Format of the access log on standard error.")
@click.option("--decision-log", type=FILE, help="Append each question and its answer to this file as JSON lines.")
@option("--metrics/--no-metrics", True, None, "Serve Prometheus metrics at /metrics.")
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
    response_bytes: int,
    trusted_proxies: int,
    rate_limit: str,
    api_keys: Path | None,
    decision_log: Path | None,
    metrics: bool,
    **bounds: Any,
) -> None:
    """Run the HTTP service.

    On SIGTERM it stops accepting requests, completes those in progress and exits with 0.
    """
    from fitcard.web.app import create_app  # noqa: PLC0415 - only this command serves

    limits = Limits(body_bytes, address_length, batch_questions, batch_seconds, response_bytes)
    try:
        keys = read_keys(api_keys) if api_keys else {}
        options = Options(limits, trusted_proxies, rate_limit, keys, decision_log, metrics)
        configure_logging(log)
        engine = ReloadingEngine(ctx.obj)
        app = create_app(engine, site or local_site(engine.rulebook.site, host, port), options)
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    try:
        server = Server(app, host, port, _bounds(**bounds), limits)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error}") from None
    click.echo(server.address, err=True)
    click.echo(f"rules: {ctx.obj.description}", err=True)
    if reload:
        engine.watch(POLL_SECONDS)
    if aborted := run_until_signal(server):
        click.echo(f"stopped; requests aborted: {aborted}", err=True)


def local_site(site: str, host: str, port: int) -> str:
    """The site of the rulebook with this port, if both the site and `host` are local; else empty."""
    parts = urlsplit(site)
    if port and parts.hostname in LOCAL_HOSTS and host in LOCAL_HOSTS:
        return parts._replace(netloc=parts.netloc.removesuffix(f":{parts.port}") + f":{port}").geturl()
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
