"""`fitcard serve`: the service, on waitress, in one process."""

from __future__ import annotations

import click

from engine.commands.output import PROBLEMS_FOUND, leave
from engine.live_rulebook import LiveRulebook
from engine.problems import ProblemsFound

LOOK_EVERY = 1.0  # seconds


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="Requests at once.")
@click.option("--site", default=None, help="What addresses in answers start with, in place of the rulebook's.")
@click.option("--reload/--no-reload", default=True, show_default=True, help="Follow changes of rules and catalogs.")
@click.pass_context
def command(ctx: click.Context, /, host: str, port: int, threads: int, site: str | None, reload: bool) -> None:
    """Answer over HTTP."""
    from waitress import create_server  # noqa: PLC0415 - only this command serves

    from server import create_app  # noqa: PLC0415

    try:
        live = LiveRulebook(ctx.obj)
    except ProblemsFound as found:
        leave(found.problems, PROBLEMS_FOUND)
    app = create_app(live, site or "")
    try:
        listening = create_server(app, host=host, port=port, threads=threads, ident=None)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error}") from None
    click.echo(f"http://{listening.effective_host}:{listening.effective_port}/", err=True)
    if reload:
        live.watch(LOOK_EVERY)
    listening.run()
