"""The one way to write a file of rules or catalogs: keys in the order of its schema, and nothing else moved.

Names that a person chose, of rules and of entries, keep the order that the person gave them.
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

Part = tuple[Mapping[str, Any], str]  # of a schema, and the kind of file whose schema it stands in
EDITORS = "# yaml-language-server: $schema="  # how editors find the schema of a file


class NotFormatted(ProblemCode):
    """A file is not formatted as `fitcard fmt` formats it.

    Why: with keys in a uniform order, reviewers see actual changes only.
    Avoid: `about` above `unit` in one rule and below it in the next
    Prefer: running `fitcard fmt`, which reorders keys with their comments and changes nothing else.
    """


def format_document(document: Document, kind: str, schemas: Schemas, folder: FilePath | None) -> str:
    """The text of a document of that kind, in order; `folder` is where its first line leads editors for the schema,
    None where there is no such line.

    The document must have passed its schema. Where a change of spaces or of order would change what the file says, as
    at a block of text that no line feed ends, it stays as it was.
    """
    ordered = _the_same(document, _spaced(document)) or document
    while orders := _innermost(dict(_orders(ordered, kind, schemas))):
        moved = _the_same(document, reorder_keys(ordered, orders))
        if moved is None:
            break
        ordered = moved
    text = ordered.text
    if EDITORS not in text.partition("\n")[0] and document.file is not None and folder is not None:
        text = schema_comment(document.file, kind, folder) + text
    return text


def schema_comment(file: FilePath, kind: str, folder: FilePath) -> str:
    """The first line of a file of that kind, which leads editors to its schema in the folder."""
    way = os.path.relpath((folder / f"{kind}{SUFFIX}").resolve(), file.resolve().parent)
    return f"{EDITORS}{FilePath(way).as_posix()}\n"


def formatting_problem(document: Document, new: str) -> Problem | None:
    """The first line that is written otherwise in the `new` text; None where there is none."""
    if new == document.text:
        return None
    pairs = zip(document.text.split("\n"), new.split("\n"), strict=False)
    line, other = next(((at, other) for at, (one, other) in enumerate(pairs) if one != other), (0, ""))
    path = next((path for path, place in document.places.items() if place.key_line == line), ())
    message, hint = (
        f"formatted differently: `{other.strip()}`" if other.strip() else "superfluous whitespace",
        "run `fitcard fmt`",
    )
    return document.problem(NotFormatted, message, path, key=True, severity=Severity.WARNING, hint=hint)


def _the_same(document: Document, text: str) -> Document | None:
    """The document in another text; None where that would hold something else."""
    found, _ = read_text(text, document.path, document.file)
    return found if found is not None and found.data == document.data else None


def _spaced(document: Document) -> str:
    """No space at the ends of lines, no two empty lines in a row, one line feed at the end; long texts stay."""
    text, inner = document.text, {path[:-1] for path in document.places if path}
    texts = [(place.start, place.end) for path, place in document.places.items() if path not in inner]
    fixed = {line for start, end in texts for line in range(text.count("\n", 0, start), text.count("\n", 0, end))}
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        kept = line if number in fixed else line.rstrip()
        if kept or number in fixed or (lines and lines[-1]):
            lines.append(kept)
    return "\n".join(lines).rstrip("\n") + "\n"


def _innermost(orders: Mapping[Path, list[str]]) -> dict[Path, list[str]]:
    """Those maps that hold no other of them."""
    outer = {path[:length] for path in orders for length in range(len(path))}
    return {path: order for path, order in orders.items() if path not in outer}


def _orders(document: Document, kind: str, schemas: Schemas) -> Iterator[tuple[Path, list[str]]]:
    """Each map whose keys are not in the order of its schema, and that order."""

    def visit(path: Path, value: Any, part: Part) -> Iterator[tuple[Path, list[str]]]:
        layers = list(_layers(part, value, schemas))
        if isinstance(value, dict):
            listed = dict.fromkeys(key for layer, _ in layers for key in layer.get("properties", {}) if key in value)
            if len(listed) == len(value) and list(listed) != list(value):
                yield path, list(listed)
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, found in inside:
            yield from visit((*path, step), found, _part(layers, step))

    yield from visit((), document.data, (schemas.by_kind[kind], kind))


def _part(layers: list[Part], step: str | int) -> Part:
    """What the schema says of one part of a value; nothing, where it says nothing."""
    for layer, kind in layers:
        places: list[Any] = [layer.get("items")]
        if isinstance(step, str):
            places = [layer.get("properties", {}).get(step), layer.get("additionalProperties")]
        for found in places:
            if isinstance(found, dict):
                return found, kind
    return {}, layers[0][1]


def _layers(part: Part, value: Any, schemas: Schemas) -> Iterator[Part]:
    """A part of a schema, followed to what it refers to, and those of its alternatives that the value is of."""
    schema, kind = schemas.follow(*part)
    yield schema, kind
    options: list[Mapping[str, Any]] = [*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if "if" in schema:
        options.append(schema.get("then" if schemas.is_valid(value, schema["if"], kind) else "else", {}))
    for option in options:
        if schemas.is_valid(value, option, kind):
            yield from _layers((option, kind), value, schemas)
