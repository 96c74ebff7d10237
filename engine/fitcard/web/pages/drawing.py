"""Templates filled with answers: numbers and words written as the messages say."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fitcard.answer.language import LANGUAGE
from fitcard.compiler.engine import Engine
from fitcard.reports import format_value, origin, with_unit
from fitcard.rulebook.messages import Messages
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.pages.address import Address

HERE = Path(__file__).parent
MAX_FRAGMENTS = 1024
MAX_LANGUAGES = 16  # of which templates are kept, those of rules that are no more among them


class Templates(Environment):
    """Those of one language, with `parts` of pages that were drawn before, by what they depend on.

    Jinja looks for an attribute before it looks into a mapping; in an answer nearly all are mappings.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.parts: dict[Hashable, Markup] = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What a template writes as `obj.attribute`."""
        try:
            return obj[attribute] if type(obj) is dict else getattr(obj, attribute)
        except (KeyError, AttributeError):
            return super().getattr(obj, attribute)


@lru_cache(MAX_LANGUAGES)
def templates(messages: Messages) -> Templates:
    """The templates of this folder in one language; a name that is missing is an error, and every value is escaped.

    Since labels are filters, Jinja writes those without slots into the code that it makes of a template.
    """
    found = Templates(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= {"shown": format_value, "with_unit": with_unit, "made_of": origin}
    found.filters |= {"label": messages.label, "written": messages.format_label, "whole": _whole}
    return found


def _whole(number: float) -> str:
    return str(round(number))


@cache
def asset(name: str) -> str:
    """A file that pages bring along: the style sheet or the script."""
    return (HERE / name).read_text("utf-8")


@dataclass(frozen=True)
class PageRenderer:
    """Pages about one rulebook in the language that it speaks; `here` is the address of the page."""

    engine: Engine
    here: Address

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook that pages are about."""
        return self.engine.rulebook

    @property
    def messages(self) -> Messages:
        """The texts of the language."""
        return self.rulebook.messages

    @property
    def chosen(self) -> str:
        """The language that the address of the page names, empty where it names none."""
        return self.here.parameters.get(LANGUAGE, "")

    def to(self, path: str, **parameters: object) -> Address:
        """The address of another page, in the same language where that was chosen."""
        return Address(path, {LANGUAGE: self.chosen} if self.chosen else {}).asking(**parameters)

    def render(self, template: str, **data: Any) -> str:
        """A template filled with `data`, in which `to` is the address of a page, and `here` that of this one."""
        always = {"to": self.to, "here": self.here, "messages": self.messages, "rulebook": self.rulebook}
        return (
            templates(self.messages)
            .get_template(template)
            .render(**always, part=self.fragment, chosen=self.chosen, **data)
        )

    def fragment(self, template: str, *depends: Hashable, **data: Callable[[], Any]) -> Markup:
        """A part of pages, drawn once for all that have the same rules and language, and what else it `depends` on.

        What is in `data` is worked out only where it is drawn.
        """
        parts, key = templates(self.messages).parts, (template, self.rulebook.sha256, *depends)
        found = parts.get(key)
        if found is None:
            found = Markup(self.render(template, **{name: value() for name, value in data.items()}))
            if len(parts) >= MAX_FRAGMENTS:  # parameters of addresses are among what they depend on
                parts.clear()
            parts[key] = found
        return found
