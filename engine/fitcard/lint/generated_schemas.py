"""Schemas that are generated: what they must be by the rules, and whether their files are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from fitcard.answer.schema import Schema, answer_schemas
from fitcard.problems import Position, Problem, ProblemCode
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders
from fitcard.source.schemas import SUFFIX


class SchemaOutdated(ProblemCode):
    """A generated schema is not what the rules lead to: answers and the schema that callers read would differ.

    Why: callers generate clients from the schemas and rely on them.
    Avoid: a new key in `views/answer.yaml` without a new `answer.schema.json`
    Prefer: running `fitcard schemas` after a change of a layout, of a unit, or of the words of a table.
    """


def generated_schemas(rulebook: Rulebook) -> dict[str, Schema]:
    """The schemas by the name of their files, without the suffix."""
    return answer_schemas(rulebook)


def schema_text(schema: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def outdated_schemas(rulebook: Rulebook, folders: Folders) -> Iterator[Problem]:
    """The files that differ from what the rules lead to, in a folder of schemas that belongs to the rules."""
    if folders.schemas_beside is None:
        return
    for kind, schema in generated_schemas(rulebook).items():
        if rulebook.schemas.by_kind.get(kind, schema) != schema:
            position = Position(f"{folders.shown(folders.schemas)}/{kind}{SUFFIX}", 1, 1)
            message, hint = "the file is not what the rules lead to", "run `fitcard schemas`"
            yield Problem(SchemaOutdated, message, position, hint=hint)


def write_schemas(rulebook: Rulebook, folder: Path) -> list[Path]:
    """Writes those that are not in the folder already; gives the files that were written."""
    written = []
    for kind, schema in generated_schemas(rulebook).items():
        file, text = folder / f"{kind}{SUFFIX}", schema_text(schema)
        if not file.is_file() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            written.append(file)
    return written
