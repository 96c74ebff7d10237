"""`fitcard`: the group of all commands, each imported only when it is called."""

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

COMMANDS = {
    "show": "Answer a question, drawn as a page.",
    "rank": "Rank what the catalogs hold, the best first.",
    "sweep": "Write every answer over the catalogs to a file.",
    "check": "Find everything that is wrong with rules and catalogs.",
    "test": "Run the tests that stand beside the rules.",
    "watch": "Check, test and compare on each save.",
    "diff": "Show what changed, and what that does to every answer.",
    "fmt": "Write files of rules and catalogs the one way.",
    "new": "Write a new rule or catalog entry, once it passes.",
    "import": "Write what another program wrote as entries of a catalog.",
    "explain": "Explain a rule, or how the numbers of an answer came about.",
    "backtest": "Hold estimates against what was measured.",
    "catalog": "Show what the catalogs hold, and what in them cannot be right.",
    "calibrate": "Fit constants to what was measured.",
    "graph": "Show which rule reads which.",
    "bench": "Time what matters, beside yardsticks.",
    "serve": "Answer over HTTP.",
    "mcp": "Answer a language model over the Model Context Protocol.",
}
MODULES = {"import": "import_"}  # where the command is a word of Python
COLLECT_AFTER = 100_000  # new objects: a rulebook is some hundred thousand, and looking for cycles in them finds none
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class LazyGroup(click.Group):
    """Commands by name; the module of a command is imported when it is looked up."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command that is named, with what looks for cycles of objects held back from the first import on."""
        gc.set_threshold(COLLECT_AFTER)
        atexit.register(gc.freeze)  # where the process ends, nothing is looked through once more: a tenth of a second
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"fitcard.cli.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands and options that start so, likewise."""
        commands = [CompletionItem(name, help=COMMANDS[name]) for name in COMMANDS if name.startswith(incomplete)]
        return [*commands, *super(click.Group, self).shell_complete(ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FITCARD"})
@click.version_option(fitcard.__version__, prog_name="fitcard")
@click.option(
    "--rules", type=FOLDER, envvar=f"{ENVIRONMENT}RULES", help="Folder of rules, in place of those installed."
)
@click.option("--catalogs", type=FOLDER, envvar=f"{ENVIRONMENT}CATALOGS", help="Folder of catalogs, likewise.")
@click.option("--schemas", type=FOLDER, envvar=f"{ENVIRONMENT}SCHEMAS", help="Folder of schemas, likewise.")
@click.pass_context
def main(context: click.Context, rules: Path | None, catalogs: Path | None, schemas: Path | None) -> None:
    """Answers from rules in YAML, and the tools to change them."""
    for stream in (sys.stdout, sys.stderr):  # where a terminal cannot show a character, show another in its place
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    context.obj = find_folders(rules, catalogs, schemas)
