"""Templates filled with answers: numbers and words written as the messages say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from engine.answer.language import LANGUAGE
from engine.columns import Scalar
from engine.draw.pages.address import Address
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
    """Pages about one rulebook in the language that it speaks; `here` is the address of the page."""

    rulebook: Rulebook
    here: Address

    @property
    def messages(self) -> Messages:
        """The texts of the language."""
        return self.rulebook.messages

    def to(self, path: str, **parameters: object) -> Address:
        """The address of another page, in the same language where that was chosen."""
        chosen = self.here.parameters.get(LANGUAGE)
        return Address(path, {LANGUAGE: chosen} if chosen else {}).asking(**parameters)

    def draw(self, template: str, **data: Any) -> str:
        """A template filled with `data`; `t` writes a label, `n` a number, and `to` is the address of a page."""
        always = {"t": self.messages.label, "n": self._number, "to": self.to, "here": self.here}
        always |= {"messages": self.messages, "rulebook": self.rulebook}
        return templates().get_template(template).render(**always, **data)

    def _number(self, key: str, value: Scalar) -> str:
        return self.messages.label(key, value=value)
