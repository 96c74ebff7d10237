"""`fitcard`: the group of all commands, each imported when it is called."""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

import fitcard
from fitcard.source.folders import ENVIRONMENT, find_folders

GROUPS = {
    "Questions": {
        "show": "Estimate whether and how a model runs on a device.",
        "rank": "Rank models for a device, or devices for a model.",
        "sweep": "Write the answers for all catalog entries to a file.",
        "explain": "Explain a rule, or how a figure is computed.",
    },
    "Rules": {
        "check": "Check rules and catalogs for errors.",
        "test": "Run the rule tests.",
        "watch": "Check, test and compare on each save.",
        "diff": "Compare two versions of the rules and their answers.",
        "fmt": "Format rules and catalogs.",
        "new": "Create a rule or a catalog entry.",
        "graph": "Show the dependencies between rules.",
        "schemas": "Write the JSON Schemas of answers, rankings and comparisons.",
    },
    "Catalogs and measurements": {
        "catalog": "Show statistics of the catalogs, or verify their figures.",
        "import": "Import catalog entries from the output of other programs.",
        "backtest": "Compare estimates with measured runs.",
        "calibrate": "Fit constants to measured runs.",
    },
    "Services": {
        "serve": "Run the HTTP service.",
        "mcp": "Run the Model Context Protocol server.",
    },
}
COMMANDS = {name: about for group in GROUPS.values() for name, about in group.items()}
MODULES = {"import": "import_"}  # modules not named like their command
GC_THRESHOLD = 100_000  # new objects; a rulebook has several hundred thousand, without garbage cycles
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class SuggestingGroup(click.Group):
    """A group that answers an unknown command with the closest ones."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument, its name and its arguments. Raises UsageError for an unknown name."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            from fitcard.suggest import closest, did_you_mean  # noqa: PLC0415 - imports difflib

            hint = did_you_mean(closest(args[0], names)) or f"the commands are: {', '.join(names)}"
            raise click.UsageError(f"there is no command `{args[0]}`; {hint}", ctx)
        return super().resolve_command(ctx, args)


class LazyGroup(SuggestingGroup):
    """Commands by name; the module of a command is imported when it is looked up."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs a command, with rare garbage collections."""
        gc.set_threshold(GC_THRESHOLD)
        atexit.register(gc.freeze)  # skips the collection at exit, which takes 0.1 s
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, by group."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"fitcard.cli.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands and options that start with `incomplete`, without importing any."""
        commands = [CompletionItem(name, help=COMMANDS[name]) for name in COMMANDS if name.startswith(incomplete)]
        return [*commands, *super(click.Group, self).shell_complete(ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands by group, without importing any."""
        width = max(map(len, COMMANDS))
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), about) for name, about in group.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FITCARD"})
@click.version_option(fitcard.__version__, prog_name="fitcard")
@click.option(
    "--rules",
    type=FOLDER,
    envvar=f"{ENVIRONMENT}RULES",
    help="Rules folder, or a project. [default: the current project, or the installed rules]",
)
@click.option(
    "--catalogs", type=FOLDER, envvar=f"{ENVIRONMENT}CATALOGS", help="Catalogs folder. [default: beside the rules]"
)
@click.option(
    "--schemas", type=FOLDER, envvar=f"{ENVIRONMENT}SCHEMAS", help="Schemas folder. [default: beside the rules]"
)
@click.pass_context
def main(context: click.Context, rules: Path | None, catalogs: Path | None, schemas: Path | None) -> None:
    """Estimate whether a language model runs on given hardware, how fast, and how well."""
    for stream in (sys.stdout, sys.stderr):  # characters that the terminal cannot show are replaced
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    context.obj = find_folders(rules, catalogs, schemas)
