"""A new rule or catalog entry: what it must hold, and its text at the end of the section of a file.

What may stand in it, in which order and what is missing, comes from the schema of the file; nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fitcard.language.question_fields import QuestionFields
from fitcard.rulebook.files import RULES
from fitcard.source.document import Document, Path
from fitcard.source.schemas import SUFFIX, Schemas
from fitcard.source.yaml_edit import TextOffsets, parse_value, to_yaml
from fitcard.suggest import closest, did_you_mean

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

ENTRIES, ENTRY = "entries", "entry"
OF_RULES = {"rule": ("formulas", "formula"), "constant": ("constants", "constant")}  # section and definition
STEP = "  "  # of indentation


class FieldUnknown(ValueError):
    """A field that what is to be written does not have."""


@dataclass(frozen=True)
class Field:
    """A field that is missing, as it is asked for."""

    name: str
    about: str
    example: str


@dataclass(frozen=True)
class Scaffold:
    """What is to be written: `word` as people call it, in which section of which kind of file, by which schema."""

    word: str
    kind: str
    section: str
    definition: str  # in the `$defs` of the schema
    schemas: Schemas

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the schema says of each field, by its name."""
        found: Mapping[str, Any] = self.schemas.by_kind[self.kind]["$defs"][self.definition]["properties"]
        return found

    def read(self, assignments: Mapping[str, str]) -> dict[str, Any]:
        """The fields as data, in the order of the schema; `a.b` is the field `b` inside the field `a`.

        Raises FieldUnknown for one that is not there, with the closest.
        """
        data: dict[str, Any] = {}
        for name, text in assignments.items():
            head, _, inner = name.partition(".")
            declared = self._declared(head, self.fields)
            if not inner:
                data[head] = _value(text, declared)
            elif isinstance(inside := data.setdefault(head, {}), dict):
                inside[inner] = _value(text, self._declared(inner, declared.get("properties", {})))
        return self.ordered(data)

    def ordered(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The fields in the order of the schema, a list also where only one thing was given."""
        return {name: _listed(data[name], self._declared(name, self.fields)) for name in self.fields if name in data}

    def missing(self, data: Mapping[str, Any]) -> list[Field]:
        """What the schema still asks for, in its own order."""
        whole = {"$ref": f"{self.kind}{SUFFIX}#/$defs/{self.definition}"}
        asked = {
            key
            for error in self.schemas.validator(self.kind).evolve(schema=whole).iter_errors(data)
            for key in _asked_for(error)
        }
        return [self._field(name) for name in self.fields if name in asked - set(data)]

    def _field(self, name: str) -> Field:
        declared = self._declared(name, self.fields)
        example = next(iter(declared.get("examples", ())), "")
        about = declared.get("description", "").rstrip(".")
        return Field(name, about[:1].lower() + about[1:], example if isinstance(example, str) else to_yaml(example))

    def _declared(self, name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        if name not in fields:
            near = did_you_mean(closest(name, fields)) or f"the fields are: {', '.join(fields)}"
            raise FieldUnknown(f"a {self.word} has no field `{name}`; {near}")
        return {**self.schemas.resolve(fields[name], self.kind), **fields[name]}


def scaffolds(schemas: Schemas, question_fields: QuestionFields) -> dict[str, Scaffold]:
    """What can be written anew, by the word for it: rules, and an entry for each axis of questions."""
    rules = {word: Scaffold(word, RULES, *place, schemas) for word, place in OF_RULES.items()}
    axes = question_fields.axes.values()
    return rules | {axis.name: Scaffold(axis.name, axis.catalog, ENTRIES, ENTRY, schemas) for axis in axes}


def new_file(kind: str, head: Mapping[str, str], section: str) -> str:
    """The text of a file that holds nothing yet but what stands above its section."""
    return "".join(f"{key}: {to_yaml(value)}\n" for key, value in {"kind": kind, **head}.items()) + f"{section}:\n"


def insert_entry(document: Document, section: str, name: str, data: Mapping[str, Any]) -> str:
    """The text of the document with the new one at the end of its section, in the style of the one before it."""
    text, path = document.text, (section,)
    if not document.data.get(section):
        text = _with_section(document, section)
        return f"{text}{entry_block(name, data, STEP)}\n"
    spans = TextOffsets(document)
    last: Path = (*path, list(document.data[section])[-1])
    if spans.in_brackets(path):
        end = spans.value_end(last)
        return f"{text[:end]}, {name}: {to_yaml(dict(data))}{text[end:]}"
    indent = " " * spans.indent(last)
    new = f"{indent}{name}: {to_yaml(dict(data))}" if spans.in_brackets(last) else entry_block(name, data, indent)
    end = spans.end_of_line(spans.value_end(last))
    return f"{text[:end]}\n{_gap(spans, section)}{new}{text[end:] or chr(10)}"


def _with_section(document: Document, section: str) -> str:
    """The text up to where the first of a section belongs, which is then the last of the file."""
    text = document.text.rstrip("\n") + "\n"
    return text if text.endswith(f"\n{section}:\n") else f"{text}\n{section}:\n"


def _gap(spans: TextOffsets, section: str) -> str:
    """The empty line between two of the section, where the last two have one."""
    names = list(spans.document.data[section])[-2:]
    if len(names) == 1:
        return ""
    between = spans.text[spans.value_end((section, names[0])) : spans.key_start((section, names[1]))]
    return "\n" if "\n\n" in between else ""


def entry_block(name: str, data: Mapping[str, Any], indent: str) -> str:
    """A rule or entry as text, a field on each line."""
    return "\n".join(
        [
            f"{indent}{name}:",
            *(f"{indent}{STEP}{key}: {to_yaml(value, in_braces=False)}" for key, value in data.items()),
        ]
    )


def _value(text: str, declared: Mapping[str, Any]) -> Any:
    """A value as the schema wants it: text as it stands, a list also where only one thing was given, else as YAML."""
    if declared.get("type") == "string" or "enum" in declared:
        return text
    value = parse_value(text)
    return _listed(text if value is None else value, declared)


def _listed(value: Any, declared: Mapping[str, Any]) -> Any:
    return [value] if declared.get("type") == "array" and not isinstance(value, list) else value


def _asked_for(error: ValidationError) -> Iterator[str]:
    """The keys of the whole that an error says are missing."""
    expected: Any = error.validator_value
    if error.validator == "required" and not error.absolute_path:
        yield from expected
    elif error.validator == "dependentRequired" and not error.absolute_path:
        yield from (key for there, wanted in expected.items() if there in error.instance for key in wanted)  # type: ignore[operator]
