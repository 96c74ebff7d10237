"""`fitcard mcp`: the Model Context Protocol server."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import click

import fitcard
from fitcard.answer.problem_documents import problem_document
from fitcard.answer.tools import call, input_schema, output_schema, tools_of
from fitcard.cli.output import FAILED, MISUSE, exit_with_problems
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.reload import ReloadingEngine as ReloadingRulebook
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.tools import Tool
from fitcard.suggest import closest, did_you_mean

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp.types import CallToolResult
    from mcp.types import Tool as Offered

LOOK_EVERY = 1.0  # seconds
COMPACT = (",", ":")
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
        import anyio  # noqa: PLC0415 - only this command needs the extra
        import mcp.server  # noqa: F401, PLC0415
    except ImportError:
        raise click.ClickException(NOT_INSTALLED) from None
    try:
        live = ReloadingRulebook(ctx.obj)
    except ProblemsError as found:
        exit_with_problems(found.problems, FAILED)
    if not tools_of(live.rulebook):
        click.echo("error: the rules folder has no file of `kind: tools`", err=True)
        raise SystemExit(MISUSE)
    live.watch(LOOK_EVERY)
    if http:
        _serve(live, port)
    else:
        anyio.run(_speak, live)


def server_of(live: ReloadingRulebook) -> Server[Any]:
    """The server with the tools of a rulebook; each request is answered by the rules as they are then."""
    from anyio.to_thread import run_sync  # noqa: PLC0415
    from mcp import MCPError  # noqa: PLC0415
    from mcp.server import Server  # noqa: PLC0415
    from mcp.types import INVALID_PARAMS, CallToolRequestParams, ListToolsResult  # noqa: PLC0415

    async def list_tools(_: Any, __: Any) -> ListToolsResult:
        rulebook = live.rulebook
        return ListToolsResult(tools=[_offered(rulebook, tool) for tool in tools_of(rulebook).values()])

    async def call_tool(_: Any, asked: CallToolRequestParams) -> CallToolResult:
        rulebook = live.rulebook
        tools = tools_of(rulebook)
        if asked.name not in tools:
            near = did_you_mean(closest(asked.name, tools)) or f"there are: {', '.join(tools)}"
            raise MCPError(INVALID_PARAMS, f"there is no tool `{asked.name}`; {near}")
        return await run_sync(_called, live.engine, tools[asked.name], asked.arguments or {})

    rulebook = live.rulebook
    return Server(
        rulebook.title,
        version=fitcard.__version__,
        instructions=rulebook.tools.instructions if rulebook.tools else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _offered(rulebook: Rulebook, tool: Tool) -> Offered:
    from mcp.types import Tool as Offered  # noqa: PLC0415
    from mcp.types import ToolAnnotations  # noqa: PLC0415

    return Offered(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=input_schema(rulebook, tool),
        output_schema=output_schema(rulebook, tool),
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )


def _called(engine: Engine, tool: Tool, arguments: dict[str, Any]) -> CallToolResult:
    """What the tool gives, or the problem document, as text and as data."""
    from mcp.types import CallToolResult, TextContent  # noqa: PLC0415

    failed = False
    try:
        given = call(engine, tool, arguments)
    except ProblemsError as found:
        failed, given = True, problem_document(engine.rulebook, found, tool.name, arguments)
    except Exception:  # as over HTTP: the caller is told that it failed, the log how
        logging.getLogger(__name__).exception("tool failed")
        failed, given = True, problem_document(engine.rulebook, 500, tool.name)
    text = json.dumps(given, ensure_ascii=False, allow_nan=False, separators=COMPACT)
    return CallToolResult(content=[TextContent(text=text)], structured_content=given, is_error=failed)


async def _speak(live: ReloadingRulebook) -> None:
    from mcp.server.stdio import stdio_server  # noqa: PLC0415

    server = server_of(live)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def _serve(live: ReloadingRulebook, port: int) -> None:
    import uvicorn  # noqa: PLC0415

    click.echo(f"http://127.0.0.1:{port}/mcp", err=True)
    uvicorn.run(server_of(live).streamable_http_app(), host="127.0.0.1", port=port, log_level="warning")
