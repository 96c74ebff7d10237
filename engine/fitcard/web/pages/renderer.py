"""Rendering of templates: figures and texts as the messages of a language write them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import g, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fitcard.answer.language import LANGUAGE
from fitcard.compiler.engine import Engine
from fitcard.reports import format_derivation, format_step_value, format_value
from fitcard.rulebook.messages import Messages
from fitcard.web.pages.address import Address

FOLDER = Path(__file__).parent
MAX_FRAGMENTS = 1024
MAX_LANGUAGES = 16  # with templates in memory, those of replaced rules included


class Templates(Environment):
    """The templates in one language, with the `fragments` that were rendered before.

    Jinja tries attributes before keys; nearly all objects here are dicts, so keys come first.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fragments: dict[Hashable, Markup] = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The value of `obj.attribute` in a template."""
        try:
            return obj[attribute] if type(obj) is dict else getattr(obj, attribute)
        except (KeyError, AttributeError):
            return super().getattr(obj, attribute)


@lru_cache(MAX_LANGUAGES)
def templates(messages: Messages) -> Templates:
    """The templates in the language of the messages. A missing name is an error, and every value is escaped.

    Labels are filters, so that Jinja compiles those without slots into the template as constants.
    """
    environment = Templates(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "shown": format_value,
        "with_unit": format_step_value,
        "origin": format_derivation,
        "whole": _whole,
    }
    environment.filters |= {"label": messages.label, "written": messages.format_label}
    return environment


def _whole(number: float) -> str:
    return str(round(number))


@cache
def asset(name: str) -> str:
    """The text of a style sheet or a script."""
    return (FOLDER / name).read_text("utf-8")


class PageRenderer:
    """Renders pages about an engine in its language; `here` is the address of the page."""

    def __init__(self, engine: Engine, here: Address) -> None:
        self.engine, self.here = engine, here
        self.rulebook = engine.rulebook
        self.messages = engine.rulebook.messages
        self.language = here.parameters.get(LANGUAGE, "")  # that the address names
        self._templates = templates(self.messages)

    @classmethod
    def of_request(cls) -> PageRenderer:
        """The renderer for the page of the current request."""
        return cls(g.engine, Address(request.path, request.args.to_dict()))

    def to(self, path: str, **parameters: object) -> Address:
        """The address of another page, with the language that this address names."""
        return Address(path, {LANGUAGE: self.language} if self.language else {}).with_parameters(**parameters)

    def render(self, template: str, **data: Any) -> str:
        """A template with `data`. Every template has `to`, `here`, `messages`, `rulebook` and `fragment`."""
        return self._templates.get_template(template).render(
            to=self.to,
            here=self.here,
            messages=self.messages,
            rulebook=self.rulebook,
            fragment=self.fragment,
            language=self.language,
            **data,
        )

    def fragment(self, template: str, *depends_on: Hashable, **data: Callable[[], Any]) -> Markup:
        """A part of pages that is rendered once for the same rules, language and `depends_on`.

        The functions in `data` are called only then.
        """
        fragments, key = self._templates.fragments, (template, self.rulebook.sha256, *depends_on)
        markup = fragments.get(key)
        if markup is None:
            markup = Markup(self.render(template, **{name: value() for name, value in data.items()}))
            if len(fragments) >= MAX_FRAGMENTS:  # keys hold parameters of addresses
                fragments.clear()
            fragments[key] = markup
        return markup
