"""Two validators of the same schemas: one says whether data fits, in a fiftieth of the time, the other why it does not.

Nearly all data fits, and what messages are made of is asked of few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from fitcard.read.keywords import KEYWORDS

Schema = dict[str, Any]  # as JSON is read


def quick_registry(schemas: Iterable[Schema]) -> Any:
    """Schemas by their `$id`, for quick validators of schemas that refer to them."""
    return jsonschema_rs.Registry([(schema["$id"], schema) for schema in schemas])


def quick_validator(schema: Schema, registry: Any) -> Any | None:
    """What says whether data fits a schema; None where it is no schema."""
    try:
        return jsonschema_rs.Draft202012Validator(schema, registry=registry, keywords=_QUICK)
    except ValueError:  # the one that tells why then says what is wrong with it
        return None


def full_validator(schema: Schema, registry: Any) -> Any:
    """What says why data does not fit a schema, with a `referencing` registry of what it refers to."""
    return _full()(schema, registry=registry)


@cache
def _full() -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - takes long to import, and is asked seldom
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415

    def checked(name: str) -> Any:
        def errors(_: Any, value: Any, data: Any, schema: Any) -> Iterator[ValidationError]:
            message = KEYWORDS[name](value, data)
            if message:
                yield ValidationError(message)

        return errors

    return extend(Draft202012Validator, {name: checked(name) for name in KEYWORDS})  # type: ignore[no-untyped-call]


def _keyword(name: str) -> Any:
    """The class that the quick validator makes of a keyword for each place where it stands."""

    class Keyword:
        def __init__(self, schema: Any, value: Any, path: Any) -> None:
            self.value = value

        def validate(self, data: Any) -> None:
            message = KEYWORDS[name](self.value, data)
            if message:
                raise ValueError(message)

    return Keyword


_QUICK = {name: _keyword(name) for name in KEYWORDS}
