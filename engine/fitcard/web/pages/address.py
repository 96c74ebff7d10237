"""Addresses of pages: a path, and the parameters of the question that it asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

NOWHERE = ""
PLAIN = re.compile(r"[\w.~-]*", re.ASCII).fullmatch  # words that stand in an address as they are
PLAIN_PATH = re.compile(r"[\w.~/-]*", re.ASCII).fullmatch
EMBED = "/embed/"  # where cards stand


@dataclass(frozen=True)
class Address:
    """`parameters` are those that were given; what is left to defaults stands in no address."""

    path: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        return (self.path if PLAIN_PATH(self.path) else quote(self.path)) + self.query

    @property
    def query(self) -> str:
        """What follows the path; nothing where nothing was given."""
        query = "&".join([_pair(name, value) for name, value in self.parameters.items() if value != NOWHERE])
        return f"?{query}" if query else ""

    def asking(self, **changed: object) -> Address:
        """The same question with other parameters; one that is None is left to its default."""
        asked = {name: value for name, value in self.parameters.items() if name not in changed}
        given = {name: str(value) for name, value in changed.items() if value is not None}
        return Address(self.path, {**asked, **given})

    def varying(self, name: str) -> Callable[[str], str]:
        """What writes the address of the same question with each value of that parameter, as `asking` would."""
        others = str(self.asking(**{name: None}))
        start = f"{others}&" if "?" in others else f"{others}?"
        return lambda value: start + _pair(name, value) if value != NOWHERE else others

    def at(self, path: str) -> Address:
        """The same question at another page."""
        return Address(path, self.parameters)


def _pair(name: str, value: str) -> str:
    """One parameter as `urlencode` writes it, which takes its time with words that are plain."""
    return f"{name}={value}" if PLAIN(name) and PLAIN(value) else urlencode({name: value})


def sibling_address(embed: str, folder: str, parameters: Mapping[str, str], suffix: str = "") -> str:
    """The address of the same answer elsewhere: that of its card, in another folder and with these parameters too."""
    parts = urlsplit(embed)
    query = urlencode({**dict(parse_qsl(parts.query)), **{name: value for name, value in parameters.items() if value}})
    return urlunsplit(parts._replace(path=parts.path.replace(EMBED, folder, 1) + suffix, query=query))
