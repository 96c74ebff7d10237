"""The values of an import for one record: worked out when they are asked for, each once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fitcard.compiler.program import evaluate_expression
from fitcard.importers.records import Record, looked_up
from fitcard.language.expression import Expression
from fitcard.rulebook.imports import PLACEHOLDER, Import, Value
from fitcard.values import SAME_SHARE


class WorkedOut:
    """What an import reads from a record; `given` are names that have a value already, and `guessed` those that are
    guesses.
    """

    def __init__(self, source: Import, record: Record, given: Mapping[str, Any]) -> None:
        self._source = source
        self._records = [part for path in source.within if isinstance(part := looked_up(record, path), Mapping)]
        self._records.append(record)
        self._found: dict[str, Any] = dict(given)
        self.guessed: set[str] = set()

    def name(self, name: str) -> Any:
        """The value of a name; None where it cannot be worked out."""
        if name not in self._found:
            self._found[name] = self._name(name)
        return self._found[name]

    def value(self, value: Value, called: str) -> Any:
        """What a value gives; None where it is absent. It is noted under what it is `called` where it is a guess."""
        return self._read(value.data, value.expressions, called)

    def applies(self, value: Value) -> bool:
        """Whether a value should be there: not where a condition says that there is none."""
        return self._applies(value.data, value.expressions)

    def _applies(self, data: Any, expressions: Mapping[str, Expression]) -> bool:
        if isinstance(data, list):
            return any(self._applies(part, expressions) for part in data)
        return not isinstance(data, dict) or "when" not in data or bool(self._expression(expressions[data["when"]]))

    def _name(self, name: str) -> Any:
        if name in self._source.values:
            return self.value(self._source.values[name], name)
        paths = self._source.keys.get(name, (name,))
        found = (looked_up(record, path) for path in paths for record in self._records)
        return next((value for value in found if value is not None), None)

    def _read(self, data: Any, expressions: Mapping[str, Expression], called: str) -> Any:
        if isinstance(data, str):
            return self._expression(expressions[data])
        if isinstance(data, list):
            each = (self._read(part, expressions, called) for part in data)
            return next((value for value in each if value is not None), None)
        if not isinstance(data, dict):
            return data
        if "when" in data and not self._expression(expressions[data["when"]]):
            return None
        found = self._read(data["value"], expressions, called) if "value" in data else self._of_map(data)
        if found is not None and data.get("guess"):
            self.guessed.add(called)
        return found

    def _of_map(self, data: Mapping[str, Any]) -> Any:
        match data:
            case {"gives": given}:
                return given
            case {"word": name}:
                return _translated(self.name(name), data.get("rows"))
            case {"text": text}:
                return self._text(text)
            case {"has": name}:
                return _has(self.name(name), data.get("words"))
            case {"count": name}:
                return _count(self.name(name), data)
            case {"largest": name}:
                return _largest(self.name(name))
            case {"find": pattern, "in": name}:
                found = re.search(pattern, _plain(value)) if (value := self.name(name)) is not None else None
                return found[1] if found else None
        return None

    def _text(self, text: str) -> str | None:
        values = {name: self.name(name) for name in PLACEHOLDER.findall(text)}
        if any(value is None for value in values.values()):
            return None
        return PLACEHOLDER.sub(lambda found: _plain(values[found[1]]), text)

    def _expression(self, expression: Expression) -> Any:
        names = {name: _figure(self.name(name)) for name in expression.names}
        found = evaluate_expression(expression, names)
        if np.asarray(found).dtype == bool:
            return bool(found)
        number = float(found)  # type: ignore[arg-type]
        return whole(number) if np.isfinite(number) else None


def whole(number: float) -> int | float:
    """A number that is whole but for the last digits of a float as an integer."""
    nearest = round(number)
    return nearest if abs(number - nearest) <= SAME_SHARE * max(1, abs(number)) else number


def _figure(value: Any) -> Any:
    """A value as expressions compute with it: a number or a condition; NaN for all else, as for what is absent."""
    if isinstance(value, bool | np.bool_):
        return np.bool_(value)
    try:
        return np.float64(value)
    except (TypeError, ValueError):
        return np.float64("nan")


def _plain(value: Any) -> str:
    return str(whole(value)) if isinstance(value, float) else str(value)


def _translated(value: Any, rows: Mapping[str, Any] | None) -> Any:
    return value if rows is None or value is None else rows.get(_plain(value))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple | str) else list(value) if isinstance(value, Mapping) else [value]


def _has(value: Any, words: Sequence[Any] | None) -> bool:
    if value is None or words is None:
        return value is not None
    parts = [value] if isinstance(value, str) else _listed(value)
    return any(part in words for part in parts)


def _count(value: Any, data: Mapping[str, Any]) -> int | None:
    if value is None or isinstance(value, bool | int | float):
        return None
    if "matching" in data:
        return len(re.findall(data["matching"], _plain(value)))
    parts = _listed(value)
    if "words" in data:
        parts = [part for part in parts if part in data["words"]]
    if "above" in data:
        parts = [part for part in parts if isinstance(part, int | float) and part > data["above"]]
    return len(parts)


def _largest(value: Any) -> Any:
    numbers = [part for part in _listed(value) if isinstance(part, int | float)] if value is not None else []
    return max(numbers, default=None)
