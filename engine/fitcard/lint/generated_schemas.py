"""The generated schemas, and whether their files are up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fitcard.answer.schema import answer_schemas
from fitcard.diff.schema import DIFF, diff_schema
from fitcard.problems import Position, Problem, ProblemCode
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders
from fitcard.source.schemas import SUFFIX, Schema


class SchemaOutdated(ProblemCode):
    """A generated schema is not what the rules lead to: answers and the schema that callers read would differ.

    Why: callers generate clients from the schemas and rely on them.
    Avoid: a new key in `views/answer.yaml` without a new `answer.schema.json`
    Prefer: running `fitcard schemas` after a change of a layout, of a unit, or of the words of a table.
    """


def generated_schemas(rulebook: Rulebook) -> dict[str, Schema]:
    """The schemas of answers, rankings and comparisons, by the name of their file without its suffix."""
    return {**answer_schemas(rulebook), DIFF: diff_schema()}


def schema_text(schema: Schema) -> str:
    """The content of the file of a schema."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def outdated_schemas(rulebook: Rulebook, folders: Folders) -> Iterator[Problem]:
    """An error for each schema file that differs from the generated schema in more than descriptions.

    Only files beside the rules are compared, since those of another folder belong to other rules. Missing files are no
    errors. A tuner may reword rules without generating anything.
    """
    if not folders.schemas_of_rules:
        return
    for kind, schema in generated_schemas(rulebook).items():
        if _without_descriptions(rulebook.schemas.by_kind.get(kind, schema)) != _without_descriptions(schema):
            position = Position(f"{folders.display_path(folders.schemas)}/{kind}{SUFFIX}", 1, 1)
            message, hint = "the file differs from the schema that the rules generate", "run `fitcard schemas`"
            yield Problem(SchemaOutdated, message, position, hint=hint)


def _without_descriptions(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _without_descriptions(part)
            for key, part in schema.items()
            if not (key == "description" and isinstance(part, str))
        }
    return [_without_descriptions(part) for part in schema] if isinstance(schema, list) else schema


def write_schemas(rulebook: Rulebook, folder: Path) -> list[Path]:
    """Writes the schemas that differ from their files. Returns the written files."""
    written = []
    for kind, schema in generated_schemas(rulebook).items():
        file, text = folder / f"{kind}{SUFFIX}", schema_text(schema)
        if not file.is_file() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            written.append(file)
    return written
