"""`fitcard mcp`: runs the Model Context Protocol server."""

from __future__ import annotations

import click

from fitcard.cli.output import FAILED, echo, exit_with_problems
from fitcard.mcp.server import run_http, run_stdio
from fitcard.problems import ProblemsError
from fitcard.reload import ReloadingEngine

POLL_SECONDS = 1.0
NOT_INSTALLED = "`fitcard mcp` requires the package mcp: pip install 'fitcard[mcp]', or in a checkout '.[mcp]'"


@click.command("mcp")
@click.option("--http", is_flag=True, help="Listen on HTTP at localhost instead of standard input and output.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535), help="Port of --http.")
@click.pass_context
def command(ctx: click.Context, /, http: bool, port: int) -> None:
    """Run the Model Context Protocol server.

    MCP clients start it and communicate over standard input and output.
    """
    try:
        import mcp.server  # noqa: F401, PLC0415 - only this command needs the extra
    except ImportError:
        raise click.ClickException(NOT_INSTALLED) from None
    try:
        engine = ReloadingEngine(ctx.obj)
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)
    engine.watch(POLL_SECONDS)
    if http:
        echo(f"http://127.0.0.1:{port}/mcp", err=True)
        run_http(engine, port)
    else:
        run_stdio(engine)
