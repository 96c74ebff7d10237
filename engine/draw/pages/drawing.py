"""Templates filled with answers: numbers and words written as the messages say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from engine.columns import Scalar
from engine.draw.problem_text import made_of, shown_value, with_unit
from engine.rulebook.messages import Messages
from engine.rulebook.rulebook import Rulebook

HERE = Path(__file__).parent


@cache
def templates() -> Environment:
    """The templates of this folder; a name that is missing is an error, and every value is escaped."""
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"shown": shown_value, "with_unit": with_unit, "made_of": made_of}
    return found


@cache
def asset(name: str) -> str:
    """A file that pages bring along: the style sheet or the script."""
    return (HERE / name).read_text("utf-8")


@dataclass(frozen=True)
class Drawing:
    """Pages about one rulebook in one language."""

    rulebook: Rulebook
    messages: Messages

    def draw(self, template: str, **data: Any) -> str:
        """A template filled with `data`; `t` writes a label, and `n` a number by the label of that name."""
        return (
            templates()
            .get_template(template)
            .render(t=self.messages.label, n=self._number, messages=self.messages, rulebook=self.rulebook, **data)
        )

    def _number(self, key: str, value: Scalar) -> str:
        return self.messages.label(key, value=value)
