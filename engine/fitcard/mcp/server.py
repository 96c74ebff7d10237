"""The MCP server. It requires the extra `mcp`, whose packages are imported on use."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import fitcard
from fitcard.answer.problem_documents import problem_document
from fitcard.compiler.engine import Engine
from fitcard.mcp.registry import Tool, call
from fitcard.mcp.tools import TOOLS
from fitcard.problems import ProblemsError
from fitcard.reload import ReloadingEngine
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest, did_you_mean

if TYPE_CHECKING:
    import mcp.types
    from mcp.server import Server

INSTRUCTIONS = (
    "Estimates of whether an open-weight language model runs on given hardware, with how much memory, and how fast. "
    "Every figure is computed from published formulas and catalog data; pass on the ranges and notes that come with "
    "it. Names are matched leniently: `4090`, `M4 Max 64GB`, `llama3.1:70b` and Hugging Face ids are found; the error "
    "for an unknown name lists the closest. GB is 10^9 bytes: a card sold as 24 GB has 25.8 of them, of which "
    "usable_gb can be used. tok_s is tokens per second, ttft_ms the time to first token in milliseconds; grades go "
    "from S (best) to F. Prices are in US dollars, most of them launch prices. Where no context is stated, it is that "
    "of the workload."
)
COMPACT = (",", ":")


def create_server(live: ReloadingEngine) -> Server[Any]:
    """The server; each request uses the current rules."""
    from anyio.to_thread import run_sync  # noqa: PLC0415
    from mcp import MCPError  # noqa: PLC0415
    from mcp.server import Server  # noqa: PLC0415
    from mcp.types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, ListToolsResult  # noqa: PLC0415

    async def list_tools(_: Any, __: Any) -> ListToolsResult:
        rulebook = live.rulebook
        return ListToolsResult(tools=[_listing(rulebook, tool) for tool in TOOLS.values()])

    async def call_tool(_: Any, request: CallToolRequestParams) -> CallToolResult:
        if request.name not in TOOLS:
            hint = did_you_mean(closest(request.name, TOOLS)) or f"the tools are: {', '.join(TOOLS)}"
            raise MCPError(INVALID_PARAMS, f"there is no tool `{request.name}`; {hint}")
        return await run_sync(_call, live.engine, TOOLS[request.name], request.arguments or {})

    return Server(
        live.rulebook.title,
        version=fitcard.__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def run_stdio(live: ReloadingEngine) -> None:
    """Serves one client over standard input and output, until it disconnects."""
    import anyio  # noqa: PLC0415
    from mcp.server.stdio import stdio_server  # noqa: PLC0415

    async def serve() -> None:
        server = create_server(live)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)


def run_http(live: ReloadingEngine, port: int) -> None:
    """Serves clients of this machine over HTTP."""
    import uvicorn  # noqa: PLC0415

    uvicorn.run(create_server(live).streamable_http_app(), host="127.0.0.1", port=port, log_level="warning")


def _listing(rulebook: Rulebook, tool: Tool) -> mcp.types.Tool:
    from mcp.types import Tool, ToolAnnotations  # noqa: PLC0415

    return Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema(rulebook),
        output_schema=tool.output_schema,
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )


def _call(engine: Engine, tool: Tool, arguments: dict[str, Any]) -> mcp.types.CallToolResult:
    """The result of a tool, or the problem document, as text and as structured content."""
    from mcp.types import CallToolResult, TextContent  # noqa: PLC0415

    failed = False
    try:
        result = call(engine, tool, arguments)
    except ProblemsError as error:
        failed, result = True, problem_document(engine.rulebook, error, tool.name, arguments)
    except Exception:  # as over HTTP, details are logged and not shown
        logging.getLogger(__name__).exception("tool failed")
        failed, result = True, problem_document(engine.rulebook, 500, tool.name)
    text = json.dumps(result, ensure_ascii=False, allow_nan=False, separators=COMPACT)
    return CallToolResult(content=[TextContent(text=text)], structured_content=result, is_error=failed)
