"""Addresses of pages: a path, and the parameters of a question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

PLAIN = re.compile(r"[\w.~-]*", re.ASCII).fullmatch  # needs no encoding
PLAIN_PATH = re.compile(r"[\w.~/-]*", re.ASCII).fullmatch
EMBED = "/embed/"


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
