"""Rendering of pages: templates in the language of the request, and the addresses of pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from flask import g, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from fitcard.answer.question import LANGUAGE
from fitcard.compiler.engine import Engine
from fitcard.reports import format_derivation, format_step_value, format_value
from fitcard.rulebook.messages import Messages
from fitcard.source.text import show

FOLDER = Path(__file__).parent
PLAIN = re.compile(r"[\w.~-]*", re.ASCII).fullmatch  # needs no encoding
PLAIN_PATH = re.compile(r"[\w.~/-]*", re.ASCII).fullmatch
EMBED = "/embed/"
MAX_FRAGMENTS = 1024
MAX_LANGUAGES = 16  # with templates in memory, those of replaced rules included


@dataclass(frozen=True)
class Address:
    """A path and its parameters; those that are empty are left out of the text."""

    path: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        return (self.path if PLAIN_PATH(self.path) else quote(self.path)) + self.query

    @property
    def query(self) -> str:
        """The query with its question mark; empty without parameters."""
        query = "&".join([_pair(name, value) for name, value in self.parameters.items() if value])
        return f"?{query}" if query else ""

    def with_parameters(self, **changed: object) -> Address:
        """The same address with other parameters; None removes one."""
        unchanged = {name: value for name, value in self.parameters.items() if name not in changed}
        added = {name: str(value) for name, value in changed.items() if value is not None}
        return Address(self.path, {**unchanged, **added})

    def varying(self, name: str) -> Callable[[str], str]:
        """The function from a value of a parameter to the text of `with_parameters`."""
        others = str(self.with_parameters(**{name: None}))
        start = f"{others}&" if "?" in others else f"{others}?"
        return lambda value: start + _pair(name, value) if value else others

    def at(self, path: str) -> Address:
        """The same parameters at another path."""
        return Address(path, self.parameters)


def _pair(name: str, value: str) -> str:
    """A parameter like `urlencode` writes it, which is slow for plain words."""
    return f"{name}={value}" if PLAIN(name) and PLAIN(value) else urlencode({name: value})


def sibling_address(embed: str, folder: str, parameters: Mapping[str, str], suffix: str = "") -> str:
    """The address of an embedded card moved to another folder, with further parameters."""
    parts = urlsplit(embed)
    query = urlencode({**dict(parse_qsl(parts.query)), **{name: value for name, value in parameters.items() if value}})
    return urlunsplit(parts._replace(path=parts.path.replace(EMBED, folder, 1) + suffix, query=query))


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
        """A template with `data`. Every template has `to`, `here`, `messages`, `rulebook` and `fragment`.

        It has no control characters, which are invalid in SVG.
        """
        text = self._templates.get_template(template).render(
            to=self.to,
            here=self.here,
            messages=self.messages,
            rulebook=self.rulebook,
            fragment=self.fragment,
            language=self.language,
            **data,
        )
        return show(text)

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
