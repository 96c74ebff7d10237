"""Formatting of rule and catalog files: keys in the order of the schema, and normalized white space.

Rules and entries keep their order, as do all keys that the schema does not list.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.source.document import Document, Path
from fitcard.source.schemas import SUFFIX, Schemas
from fitcard.source.yaml_edit import reorder_keys
from fitcard.source.yaml_reader import read_text

Subschema = tuple[Mapping[str, Any], str]  # a part of a schema, and the kind of file that the schema is for
SCHEMA_COMMENT = "# yaml-language-server: $schema="  # editors read the address of the schema behind it


class NotFormatted(ProblemCode):
    """A file is not formatted as `fitcard fmt` formats it.

    Why: with keys in a uniform order, reviewers see actual changes only.
    Avoid: `about` above `unit` in one rule and below it in the next
    Prefer: running `fitcard fmt`, which reorders keys with their comments and changes nothing else.
    """


def format_document(document: Document, kind: str, schemas: Schemas, folder: FilePath | None) -> str:
    """The formatted text of a document of that kind, which must be valid against its schema.

    With a `folder` of schemas, its first line names the schema for editors. Changes of white space or order that would
    change the data are left out.
    """
    formatted = _if_equal(document, _normalize_whitespace(document)) or document
    while orders := _innermost(dict(_unordered_maps(formatted, kind, schemas))):
        reordered = _if_equal(document, reorder_keys(formatted, orders))
        if reordered is None:
            break
        formatted = reordered
    text = formatted.text
    if SCHEMA_COMMENT not in text.partition("\n")[0] and document.file is not None and folder is not None:
        text = schema_comment(document.file, kind, folder) + text
    return text


def schema_comment(file: FilePath, kind: str, folder: FilePath) -> str:
    """The first line of a file of that kind, which refers editors to its schema in `folder`."""
    schema = os.path.relpath((folder / f"{kind}{SUFFIX}").resolve(), file.resolve().parent)
    return f"{SCHEMA_COMMENT}{FilePath(schema).as_posix()}\n"


def formatting_problem(document: Document, formatted: str) -> Problem | None:
    """A warning at the first line that differs from the `formatted` text; None if there is none."""
    if formatted == document.text:
        return None
    lines = zip(document.text.split("\n"), formatted.split("\n"), strict=False)
    line, expected = next(((at, new) for at, (old, new) in enumerate(lines) if old != new), (0, ""))
    path = next((path for path, span in document.spans.items() if span.key_line == line), ())
    expected = expected.strip()
    message = f"formatted differently: `{expected}`" if expected else "superfluous whitespace"
    hint = "run `fitcard fmt`"
    return document.problem(NotFormatted, message, path, key=True, severity=Severity.WARNING, hint=hint)


def _if_equal(document: Document, text: str) -> Document | None:
    """The document with another text; None if its data would differ."""
    changed, _ = read_text(text, document.path, document.file)
    return changed if changed is not None and changed.data == document.data else None


def _normalize_whitespace(document: Document) -> str:
    """No spaces at line ends, no consecutive empty lines, one line feed at the end; scalars of several lines stay."""
    text, parents = document.text, {path[:-1] for path in document.spans if path}
    scalars = [(span.start, span.end) for path, span in document.spans.items() if path not in parents]
    fixed = {line for start, end in scalars for line in range(text.count("\n", 0, start), text.count("\n", 0, end))}
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        stripped = line if number in fixed else line.rstrip()
        if stripped or number in fixed or (lines and lines[-1]):
            lines.append(stripped)
    return "\n".join(lines).rstrip("\n") + "\n"


def _innermost(orders: Mapping[Path, list[str]]) -> dict[Path, list[str]]:
    """The maps that contain no other of these maps."""
    outer = {path[:length] for path in orders for length in range(len(path))}
    return {path: order for path, order in orders.items() if path not in outer}


def _unordered_maps(document: Document, kind: str, schemas: Schemas) -> Iterator[tuple[Path, list[str]]]:
    """Each map whose keys are not in the order of its schema, with that order."""

    def visit(path: Path, value: Any, subschema: Subschema) -> Iterator[tuple[Path, list[str]]]:
        applicable = list(_applicable(subschema, value, schemas))
        if isinstance(value, dict):
            order = dict.fromkeys(
                key for schema, _ in applicable for key in schema.get("properties", {}) if key in value
            )
            if len(order) == len(value) and list(order) != list(value):
                yield path, list(order)
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, child in children:
            yield from visit((*path, step), child, _child_schema(applicable, step))

    yield from visit((), document.data, (schemas.by_kind[kind], kind))


def _child_schema(applicable: list[Subschema], step: str | int) -> Subschema:
    """The schema of a key or item; an empty one if there is none."""
    for schema, kind in applicable:
        candidates: list[Any] = [schema.get("items")]
        if isinstance(step, str):
            candidates = [schema.get("properties", {}).get(step), schema.get("additionalProperties")]
        for candidate in candidates:
            if isinstance(candidate, dict):
                return candidate, kind
    return {}, applicable[0][1]


def _applicable(subschema: Subschema, value: Any, schemas: Schemas) -> Iterator[Subschema]:
    """A schema with its `$ref` resolved, then those of its branches that the value is valid against."""
    schema, kind = schemas.follow(*subschema)
    yield schema, kind
    branches: list[Mapping[str, Any]] = [*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if "if" in schema:
        branches.append(schema.get("then" if schemas.is_valid_part(value, schema["if"], kind) else "else", {}))
    for branch in branches:
        if schemas.is_valid_part(value, branch, kind):
            yield from _applicable((branch, kind), value, schemas)
