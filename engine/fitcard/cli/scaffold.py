"""New rules and catalog entries: reads their fields by the schema, and inserts them into files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fitcard.cli.output import FAILED, echo, exit_with_problems, print_problems
from fitcard.language.question_fields import QuestionFields
from fitcard.lint.run import problems_after_edit
from fitcard.problems import errors
from fitcard.rulebook.files import RULES, FileRead
from fitcard.source.document import Document
from fitcard.source.document import Path as DataPath
from fitcard.source.folders import Folders
from fitcard.source.formatting import format_document, schema_comment
from fitcard.source.schemas import SUFFIX, Schemas
from fitcard.source.yaml_edit import TextOffsets, parse_value, to_yaml
from fitcard.source.yaml_reader import read_text
from fitcard.suggest import closest, did_you_mean

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

ENTRIES, ENTRY = "entries", "entry"
RULE_DEFINITIONS = {"rule": ("formulas", "formula"), "constant": ("constants", "constant")}  # section, definition
INDENT = "  "


class UnknownFieldError(ValueError):
    """A field that the schema does not have."""


@dataclass(frozen=True)
class Field:
    """A missing field, with its description and an example from the schema."""

    name: str
    about: str
    example: str


@dataclass(frozen=True)
class Scaffold:
    """A type of entry: its `word` on the command line, the kind and section of its files, and its schema."""

    word: str
    kind: str
    section: str
    definition: str  # in the `$defs` of the schema
    schemas: Schemas

    @property
    def fields(self) -> Mapping[str, Any]:
        """The schema of each field, by name."""
        properties: Mapping[str, Any] = self.schemas.by_kind[self.kind]["$defs"][self.definition]["properties"]
        return properties

    def read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """The fields as data, in schema order; `a.b` is the field `b` of the object `a`.

        Raises UnknownFieldError, with the closest names.
        """
        data: dict[str, Any] = {}
        for name, text in texts.items():
            outer, _, inner = name.partition(".")
            schema = self._schema(outer, self.fields)
            if not inner:
                data[outer] = _read_value(text, schema)
            elif isinstance(nested := data.setdefault(outer, {}), dict):
                nested[inner] = _read_value(text, self._schema(inner, schema.get("properties", {})))
        return self.ordered(data)

    def ordered(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The fields in schema order, with single values of list fields as lists."""
        return {name: _as_list(data[name], self._schema(name, self.fields)) for name in self.fields if name in data}

    def missing(self, data: Mapping[str, Any]) -> list[Field]:
        """The required fields that the data lacks, in schema order."""
        schema = {"$ref": f"{self.kind}{SUFFIX}#/$defs/{self.definition}"}
        validator = self.schemas.validator(self.kind).evolve(schema=schema)
        required = {key for error in validator.iter_errors(data) for key in _required_keys(error)}
        return [self._field(name) for name in self.fields if name in required - set(data)]

    def _field(self, name: str) -> Field:
        schema = self._schema(name, self.fields)
        example = next(iter(schema.get("examples", ())), "")
        about = schema.get("description", "").rstrip(".")
        return Field(name, about[:1].lower() + about[1:], example if isinstance(example, str) else to_yaml(example))

    def _schema(self, name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        if name not in fields:
            near = did_you_mean(closest(name, fields)) or f"the fields are: {', '.join(fields)}"
            raise UnknownFieldError(f"a {self.word} has no field `{name}`; {near}")
        return {**self.schemas.resolve(fields[name], self.kind), **fields[name]}


def scaffolds(schemas: Schemas, question_fields: QuestionFields) -> dict[str, Scaffold]:
    """The scaffolds of rules, constants and the entries of each axis, by word."""
    rules = {word: Scaffold(word, RULES, *names, schemas) for word, names in RULE_DEFINITIONS.items()}
    axes = question_fields.axes.values()
    return rules | {axis.name: Scaffold(axis.name, axis.catalog, ENTRIES, ENTRY, schemas) for axis in axes}


def parse_fields(words: Iterable[str]) -> dict[str, str]:
    """The values of FIELD=VALUE by field. Raises UsageError for words without `=`."""
    fields = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"`{word}` is not FIELD=VALUE")
        fields[name] = value
    return fields


def list_fields(fields: Iterable[Field]) -> str:
    """A line for each field, with its example and description."""
    return "".join(f"\n  {field.name}={field.example}  {field.about}" for field in fields)


def find_document(
    scaffold: Scaffold, file: Path | None, files: list[FileRead], folders: Folders, head: Mapping[str, str]
) -> Document:
    """The document to insert an entry into; a new one, with the keys of `head`, if `file` does not exist.

    Raises UsageError for an unsuitable file, or without a file if there are several of its kind.
    """
    if file is None:
        candidates = [candidate for candidate in files if candidate.kind == scaffold.kind]
        if len(candidates) != 1:
            listed = ", ".join(candidate.document.path for candidate in candidates if candidate.document)
            raise click.UsageError(f"--file is required: {listed}, or a new file")
        existing = candidates[0]
    else:
        matches = (candidate for candidate in files if candidate.file.resolve() == file.resolve())
        match = next(matches, None)
        if match is None:
            return _new_document(scaffold, file, folders, head)
        existing = match
    if existing.document is None or existing.kind != scaffold.kind or errors(existing.problems):
        raise click.UsageError(f"{existing.file} is not a valid file of kind `{scaffold.kind}`")
    return existing.document


def _new_document(scaffold: Scaffold, file: Path, folders: Folders, head: Mapping[str, str]) -> Document:
    folder = folders.rules if scaffold.kind == RULES else folders.catalogs
    if not file.resolve().is_relative_to(folder.resolve()) or file.suffix != ".yaml":
        raise click.UsageError(f"{file} must be in {folder} and end in .yaml")
    if file.exists():
        raise click.UsageError(f"{file} cannot be read; run `fitcard check`")
    name = f"{folders.display_path(folder)}/{file.resolve().relative_to(folder.resolve()).as_posix()}"
    comment = schema_comment(file, scaffold.kind, folders.schemas_beside) if folders.schemas_beside else ""
    keys = "".join(f"{key}: {to_yaml(value)}\n" for key, value in {"kind": scaffold.kind, **head}.items())
    document, problems = read_text(f"{comment}{keys}{scaffold.section}:\n", name, file.resolve())
    assert document is not None, problems
    return document


def insert_entry(document: Document, section: str, name: str, data: Mapping[str, Any]) -> str:
    """The text of the document with an entry added at the end of the section, in the style of the entry before it."""
    return insert_entries(document, section, [(name, data)])


def insert_entries(document: Document, section: str, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Like `insert_entry`, for several entries."""
    text, path = document.text, (section,)
    if not document.data.get(section):
        blocks = [entry_block(name, data, INDENT) for name, data in entries]
        return "\n".join([f"{_with_section(document, section)}{blocks[0]}", *blocks[1:], ""])
    spans = TextOffsets(document)
    last: DataPath = (*path, list(document.data[section])[-1])
    in_braces = [f"{name}: {to_yaml(dict(data))}" for name, data in entries]
    if spans.in_brackets(path):
        end = spans.value_end(last)
        return f"{', '.join([text[:end], *in_braces])}{text[end:]}"
    indent = " " * spans.indent(last)
    if spans.in_brackets(last):
        blocks = [f"{indent}{entry}" for entry in in_braces]
    else:
        blocks = [entry_block(name, data, indent) for name, data in entries]
    end = spans.end_of_line(spans.value_end(last))
    separator = _separator(spans, section)
    return f"{text[:end]}\n{separator}{f'{chr(10)}{separator}'.join(blocks)}{text[end:] or chr(10)}"


def _with_section(document: Document, section: str) -> str:
    """The text of the document, ending with the key of an empty section."""
    text = document.text.rstrip("\n") + "\n"
    return text if text.endswith(f"\n{section}:\n") else f"{text}\n{section}:\n"


def _separator(spans: TextOffsets, section: str) -> str:
    """An empty line if there is one between the last two entries of the section."""
    names = list(spans.document.data[section])[-2:]
    if len(names) == 1:
        return ""
    between = spans.text[spans.value_end((section, names[0])) : spans.key_start((section, names[1]))]
    return "\n" if "\n\n" in between else ""


def entry_block(name: str, data: Mapping[str, Any], indent: str) -> str:
    """An entry as YAML, with a line for each field."""
    fields = [f"{indent}{INDENT}{key}: {to_yaml(value, in_braces=False)}" for key, value in data.items()]
    return "\n".join([f"{indent}{name}:", *fields])


def write_or_exit(
    scaffold: Scaffold, folders: Folders, document: Document, text: str, names: Iterable[str], *, dry_run: bool = False
) -> None:
    """Writes the text of a document with new entries, if it passes the check; else exits with its problems.

    The text is formatted if the document was. A dry run prints the result of the check and writes nothing.
    """
    assert document.file is not None
    text = _format_like(document, text, scaffold, folders)
    problems = problems_after_edit(folders, document.file, text)
    if errors(problems):
        echo(f"nothing written: {document.path} would fail the check", err=True)
        exit_with_problems(problems, FAILED)
    if not dry_run:
        try:
            document.file.parent.mkdir(parents=True, exist_ok=True)
            document.file.write_text(text, "utf-8")
        except OSError as error:
            raise click.ClickException(f"{document.path} cannot be written: {error.strerror}") from None
    edited, _ = read_text(text, document.path, document.file)
    assert edited is not None
    for name in names:
        position = edited.position((scaffold.section, name), key=True)
        echo(f"{'would be written' if dry_run else 'written'}: {position}", err=dry_run)
    print_problems(problems, to_stderr=dry_run)


def _format_like(document: Document, text: str, scaffold: Scaffold, folders: Folders) -> str:
    """The new text of the document, formatted if the document was formatted before."""

    def formatted(version: Document) -> str:
        return format_document(version, scaffold.kind, scaffold.schemas, folders.schemas_beside)

    edited, _ = read_text(text, document.path, document.file)
    return text if edited is None or formatted(document) != document.text else formatted(edited)


def _read_value(text: str, schema: Mapping[str, Any]) -> Any:
    """The value of a field: its text for string fields, else parsed as YAML; single values of list fields as lists."""
    if schema.get("type") == "string" or "enum" in schema:
        return text
    value = parse_value(text)
    return _as_list(text if value is None else value, schema)


def _as_list(value: Any, schema: Mapping[str, Any]) -> Any:
    return [value] if schema.get("type") == "array" and not isinstance(value, list) else value


def _required_keys(error: ValidationError) -> Iterator[str]:
    """The top-level keys that a validation error reports as missing."""
    expected: Any = error.validator_value
    if error.validator == "required" and not error.absolute_path:
        yield from expected
    elif error.validator == "dependentRequired" and not error.absolute_path:
        yield from (key for cause, keys in expected.items() if cause in error.instance for key in keys)  # type: ignore[operator]
