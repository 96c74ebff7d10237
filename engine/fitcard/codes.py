"""The kinds of problems, each with a page that says what it is: a class for each, beside the check that raises it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from functools import cache
from typing import ClassVar

import fitcard

CODES: dict[str, type[Code]] = {}  # all whose modules are loaded, by their id


class Code:
    """One kind of problem. The docstring of each is its page: what is wrong, why that matters, what to avoid, and what
    to write instead. Its `id` is the name of the class, as it stands in messages: `NameUnknown` is `name-unknown`.
    """

    id: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.id = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
        CODES[cls.id] = cls

    @classmethod
    def link(cls) -> str:
        """Where the service shows the page."""
        return f"/problems/{cls.id}"

    @classmethod
    def page(cls) -> str:
        """The page as text."""
        return f"{cls.id}\n\n{inspect.getdoc(cls)}\n"


@cache
def all_codes() -> dict[str, type[Code]]:
    """Every kind of problem of the engine by its id, in the order of the alphabet."""
    for module in pkgutil.walk_packages(fitcard.__path__, f"{fitcard.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return dict(sorted(CODES.items()))
