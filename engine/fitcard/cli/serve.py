"""`fitcard serve`: runs the HTTP service in one process or several."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from fitcard.cli.output import FAILED, echo, exit_with_problems
from fitcard.problems import ProblemsError
from fitcard.web.options import LOG_FORMATS, METRICS_FOLDER, TEXT_LOG, Limits, Options, ServerLimits

if TYPE_CHECKING:
    from flask import Flask

    from fitcard.source.folders import Folders

POLL_SECONDS = 1.0
NOT_INSTALLED = "--workers requires gunicorn: pip install 'fitcard[workers]'"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
Command = Callable[..., None]
COUNT = click.IntRange(1)


class Seconds(click.FloatRange):
    """A number of seconds, which NaN and infinity are not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return number


SECONDS, SECONDS_OR_NONE = Seconds(0, min_open=True), Seconds(0)
FILE = click.Path(dir_okay=False, path_type=Path)
REQUEST, CONNECTION, SERVICE = Limits(), ServerLimits(), Options()


def option(name: str, default: Any, kind: Any, text: str) -> Callable[[Command], Command]:
    """An option whose help shows the default."""
    return click.option(name, default=default, show_default=True, type=kind, help=text)


def bound(name: str, field: str, kind: Any, text: str) -> Callable[[Command], Command]:
    """An option for a field of `ServerLimits`."""
    return click.option(name, field, default=getattr(CONNECTION, field), show_default=True, type=kind, help=text)


@click.command("serve")
@option("--host", "127.0.0.1", str, "Address to listen on.")
@option("--port", 8000, click.IntRange(0, 65535), "Port to listen on.")
@option("--workers", 1, click.IntRange(1, 64), "Processes. More than one requires fitcard[workers].")
@bound("--threads", "threads", click.IntRange(1, 64), "Threads of each process.")
@click.option("--site", default=None, help="Base URL of links in answers. [default: that of the rulebook]")
@option("--reload/--no-reload", True, None, "Reload changed rules and catalogs. SIGHUP reloads them in any case.")
@option(
    "--max-stale-seconds",
    SERVICE.max_stale,
    SECONDS_OR_NONE,
    "Time for which changed rules may fail to load before /ready fails; 0 for any time.",
)
@option("--body-bytes", REQUEST.body, COUNT, "Maximum size of a request body.")
@option("--address-length", REQUEST.address, COUNT, "Maximum length of a URL.")
@option("--batch-questions", REQUEST.questions, COUNT, "Maximum number of questions in a batch.")
@option("--batch-seconds", REQUEST.seconds, SECONDS, "Time limit of a batch.")
@option("--response-bytes", REQUEST.response, COUNT, "Maximum size of the answers of a batch.")
@bound("--header-bytes", "header", COUNT, "Maximum size of request headers.")
@bound(
    "--connections",
    "connections",
    COUNT,
    "Maximum number of open connections of a process. At the limit, the one that waits longest for its client closes.",
)
@bound("--address-connections", "address_connections", COUNT, "The same for those of one address.")
@bound("--idle-seconds", "idle", COUNT, "Time after which an idle connection is closed.")
@bound("--arrival-seconds", "arrival", SECONDS, "Time limit for receiving a request.")
@bound("--send-seconds", "send", SECONDS, "Time limit for sending a response.")
@bound(
    "--drain-seconds",
    "drain",
    SECONDS_OR_NONE,
    "At shutdown, time during which /ready fails and requests are still answered.",
)
@bound(
    "--patience-seconds",
    "patience",
    SECONDS_OR_NONE,
    "At shutdown, time to wait for requests in progress.",
)
@option(
    "--trusted-proxies",
    SERVICE.trusted_proxies,
    click.IntRange(0, 10),
    "Number of proxies, one behind the other, whose X-Forwarded-For is trusted.",
)
@click.option(
    "--proxy-network",
    "proxy_networks",
    multiple=True,
    metavar="NETWORK",
    help="Network of these proxies, such as 10.0.0.0/8; the header of others is ignored, so that no caller can choose"
    " the address by which the rate is limited. Repeatable. To test it, send more requests than the rate limit from"
    " elsewhere, past the proxy, each with another X-Forwarded-For: they must get 429."
    " [default: loopback and private networks]",
)
@click.option(
    "--rate-limit", default=SERVICE.rate_limit, metavar="RATE", help="Rate limit per caller, such as 60/minute."
)
@click.option("--api-keys", type=FILE, help="File with a name and an API key per line; /v1 then requires a key.")
@option("--log", TEXT_LOG, click.Choice(LOG_FORMATS), "Format of the access log on standard error.")
@click.option("--decision-log", type=FILE, help="Append each question and its answer to this file as JSON lines.")
@option("--metrics/--no-metrics", SERVICE.metrics, None, "Serve Prometheus metrics at /metrics.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    host: str,
    port: int,
    workers: int,
    site: str | None,
    reload: bool,
    max_stale_seconds: float,
    log: str,
    body_bytes: int,
    address_length: int,
    batch_questions: int,
    batch_seconds: float,
    response_bytes: int,
    trusted_proxies: int,
    proxy_networks: tuple[str, ...],
    rate_limit: str,
    api_keys: Path | None,
    decision_log: Path | None,
    metrics: bool,
    **bounds: Any,
) -> None:
    """Run the HTTP service.

    On SIGTERM it stops accepting requests, completes those in progress and exits with 0. On SIGHUP it loads the rules
    again.
    """
    limits = Limits(body_bytes, address_length, batch_questions, batch_seconds, response_bytes)
    options = replace(
        SERVICE,
        limits=limits,
        trusted_proxies=trusted_proxies,
        proxy_networks=proxy_networks or SERVICE.proxy_networks,
        rate_limit=rate_limit,
        decision_log=decision_log,
        metrics=metrics,
        max_stale=max_stale_seconds,
    )
    with _shared_folder() if workers > 1 else nullcontext() as shared:
        options = replace(options, shared=shared)
        _serve(ctx.obj, host, port, workers, site, reload, api_keys, log, options, ServerLimits(**bounds))


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """A folder in which processes share their state and metrics; removed by the process that has made it."""
    owner, folder = os.getpid(), tempfile.mkdtemp(prefix="fitcard-")
    os.environ[METRICS_FOLDER] = folder  # read when prometheus_client is imported
    try:
        yield Path(folder)
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _serve(
    folders: Folders,
    host: str,
    port: int,
    workers: int,
    site: str | None,
    reload: bool,
    api_keys: Path | None,
    log: str,
    options: Options,
    bounds: ServerLimits,
) -> None:
    # Only this command serves.
    from fitcard.reload import ReloadingEngine, answer_pinned  # noqa: PLC0415
    from fitcard.web.access import read_keys  # noqa: PLC0415
    from fitcard.web.app import check_options, create_app  # noqa: PLC0415
    from fitcard.web.logs import configure_logging  # noqa: PLC0415
    from fitcard.web.server import Server, address_of, bind_sockets, run_until_signal  # noqa: PLC0415
    from fitcard.web.workers import IS_INSTALLED, run_workers  # noqa: PLC0415

    if site and urlsplit(site).scheme not in ("http", "https"):
        raise click.BadParameter("must start with http:// or https://", param_hint="'--site'")
    if workers > 1 and not IS_INSTALLED:
        raise click.ClickException(NOT_INSTALLED)
    try:
        options = replace(options, api_keys=read_keys(api_keys) if api_keys else {})
        check_options(options)
        configure_logging(log)
        rules = ReloadingEngine(folders, prepare=answer_pinned)
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    try:
        sockets = bind_sockets(host, port)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error}") from None
    address = address_of(sockets[-1])

    def print_address() -> None:
        echo(address, err=True)
        echo(f"rules: {folders.description}", err=True)

    def make_app() -> Flask:
        return create_app(rules, site or local_site(rules.rulebook.site, host, port), options)

    if options.shared is not None:
        run_workers(
            workers, sockets, rules, make_app, bounds, options.limits, options.shared, print_address, reload=reload
        )
    else:
        server = Server(make_app(), sockets, bounds, options.limits)
        rules.watch(POLL_SECONDS if reload else None)
        if aborted := run_until_signal(server, rules.request, print_address):
            echo(f"stopped; requests aborted: {aborted}", err=True)


def local_site(site: str, host: str, port: int) -> str:
    """The site of the rulebook with this port, if both the site and `host` are local; else empty."""
    parts = urlsplit(site)
    if port and parts.hostname in LOCAL_HOSTS and host in LOCAL_HOSTS:
        return parts._replace(netloc=parts.netloc.removesuffix(f":{parts.port}") + f":{port}").geturl()
    return ""
