"""The YAML reader: YAML 1.2 scalars, positions of all values, and limits of size.

PyYAML alone reads `1e9` as text, `1:30` as 90 and `on` as true, and silently keeps the last of two equal keys. Here
plain scalars follow the YAML 1.2 core schema; duplicate keys, tags and merge keys are problems; files that are too
large, too deeply nested or expand too much through aliases are rejected.
"""

from __future__ import annotations

import math
import re
import stat
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import yaml

from fitcard.problems import Position, Problem, ProblemCode, Related
from fitcard.source.document import Document, Path, Span
from fitcard.source.folders import MAX_BYTES
from fitcard.source.text import INVISIBLE, OVERRIDES, REPLACEMENT, TAGS, UNSHOWN, show


class FileUnreadable(ProblemCode):
    """A file or folder cannot be read, or is a link that leads out of the folder of rules, catalogs or schemas.

    Why: an incomplete rulebook would silently give different answers, and a file elsewhere is not part of a review.
    Avoid: files without read permission, broken links, and links to `/etc`
    Prefer: files that can be read, or removing them; links within the folder.
    """


class YamlTooLarge(ProblemCode):
    """A file or one of its texts is too large, or it is too deeply nested or expands to too many values by aliases.

    Why: nested aliases can grow beyond any memory.
    Avoid: `b: [*a, *a, *a]` over many levels, or files of several megabytes
    Prefer: several smaller files without aliases.
    """


class YamlNotUtf8(ProblemCode):
    """A file is not encoded as UTF-8. The problem names the line.

    Why: in another encoding, names would not be found and texts would be garbled.
    Avoid: saving as Latin-1 or UTF-16
    Prefer: saving as UTF-8.
    """


class YamlSyntax(ProblemCode):
    """A file is not valid YAML, for example because of an unclosed quote, a tab as indentation, or `: ` in plain text.

    Why: nothing after the mistake can be parsed reliably.
    Avoid: `note: Unified memory: shared with the CPU`
    Prefer: `note: "Unified memory: shared with the CPU"`
    """


class YamlEmpty(ProblemCode):
    """A file is empty.

    Why: it may have been truncated while saving, and its content would be missed.
    Avoid: empty files as placeholders
    Prefer: no file, or `fitcard new`, which creates a valid one.
    """


class YamlTag(ProblemCode):
    """A value has a tag, such as `!!python/object`.

    Why: tags make a reader construct something other than plain data.
    Avoid: `layers: !!int "40"`
    Prefer: `layers: 40`
    """


class YamlKey(ProblemCode):
    """A key is a list or a map.

    Why: definitions need a name.
    Avoid: `? [layers, heads]` with `: 40` below it
    Prefer: `layers: 40`
    """


class YamlMergeKey(ProblemCode):
    """A map is merged into another with `<<`.

    Why: YAML 1.2 has no merge keys, and reviewers would not see all fields of the entry.
    Avoid: `m1-16gb: {<<: *m1-8gb, memory: 16}`
    Prefer: `m1-16gb: {name: MacBook Air M1 16GB, memory: 16, bandwidth: 68, ...}`
    """


class YamlDuplicateKey(ProblemCode):
    """A map has the same key twice. The problem points at both.

    Why: YAML parsers silently keep one of the two, and not all keep the same one.
    Avoid: `memory: 8` and, some lines below in the same entry, `memory: 16`
    Prefer: one of the two.
    """


class YamlNotFinite(ProblemCode):
    """A number is infinite or not a number: `.inf`, `.nan`, `1e999`.

    Why: formulas could not give a finite result.
    Avoid: `context: .inf`
    Prefer: leaving out unknown figures; for a limit that is never reached, a large finite number.
    """


MAX_VALUES = 200_000
MAX_PROBLEMS = 200  # per file
MAX_DEPTH = 40
MAX_NUMBER_LENGTH = 40  # characters
MAX_TEXT = 10_000  # characters of a key or value; texts are parsed as formulas, units and templates

INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
NUMBER_STARTS = frozenset("+-.0123456789")
WORDS: dict[str, object] = {"": None, "~": None} | {
    form: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for form in (word, word.capitalize(), word.upper())
}
LINE_ENDS = ("\r\n", "\r", "\x85", "\u2028", "\u2029")  # all line breaks of YAML 1.1 and 1.2
UNSHOWN_BEYOND_ASCII = re.compile(f"[{OVERRIDES}{TAGS}]")  # the parser refuses the others
UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BLOCK = ("|", ">")
QUOTED_OR_BLOCK = ("'", '"', *BLOCK)
OPENED = {"quoted scalar": "close the quote", "flow mapping": "close the brace", "flow sequence": "close the bracket"}
HINTS = {
    "escape": "write the character itself, or use single quotes, where a backslash is literal",
    "nesting": f"the limit is {MAX_DEPTH} levels",
    "cannot start any token": "quote text that starts with a special character",
    "document": "write one document, without lines that start with `%`, `---` or `...`",
    "directive": "quote text that starts with `%`",
}
OTHER_SPACE = re.compile("[ -]*[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")  # that looks like a space
NO_SPACE = re.compile(r"[ -]*[A-Za-z_][\w.-]*:(?=[^\s:/])")  # a key that is not followed by a space
DEFAULT_HINT = "simplify it, and quote text with special characters"
CONFLICT_MARKS = ("<<<<<<<", "=======", ">>>>>>>")
INCOMPLETE = (YamlTooLarge, YamlMergeKey, YamlKey)  # data is missing, so the schema is not checked
TAG = "tag:yaml.org,2002:"
KIND_TAGS = {yaml.ScalarNode: f"{TAG}str", yaml.MappingNode: f"{TAG}map", yaml.SequenceNode: f"{TAG}seq"}
PLAIN_TAGS = set(KIND_TAGS.values())


class _Loader(yaml.CSafeLoader):
    """PyYAML's C parser without implicit types: scalars are the text of the file."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The default tag of a kind of node."""
        return KIND_TAGS[kind]

    def descend_resolver(self, node: Any, index: Any) -> None:
        """Does nothing: tags do not depend on the path of a node."""

    def ascend_resolver(self) -> None:
        """Does nothing, likewise."""


def read_content(file: FilePath, name: str) -> bytes | Problem:
    """The bytes of a file, or the problem that prevents reading it. Problems call the file `name`."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device may never end
            hint = "only regular files, and links to them, are read"
            return _file_problem(name, FileUnreadable, "is not a regular file", hint)
        if status.st_size > MAX_BYTES:
            return _file_problem(name, YamlTooLarge, f"larger than {MAX_BYTES:,} bytes", "split it")
        return file.read_bytes()
    except OSError as error:
        return _file_problem(name, FileUnreadable, f"cannot be read: {error.strerror}", "")


def read_bytes(content: bytes, name: str, file: FilePath | None = None) -> tuple[Document | None, list[Problem]]:
    """Parses the content of a file: the document, None if there is none, and all problems, which call it `name`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig").split("\n")
        position = Position(name, len(before), len(before[-1]) + 1)
        source = content.decode("utf-8-sig", errors="replace").split("\n")[len(before) - 1]
        message, hint = f"not UTF-8: byte {error.start + 1} cannot be decoded", "save the file as UTF-8"
        return None, [Problem(YamlNotUtf8, message, position, hint=hint, source_line=source)]
    return read_text(text, name, file)


def read_text(text: str, name: str, file: FilePath | None = None) -> tuple[Document | None, list[Problem]]:
    """Like `read_bytes`, for decoded text."""
    for end in LINE_ENDS:
        text = text.replace(end, "\n")
    if not text.isascii() and (control := UNSHOWN_BEYOND_ASCII.search(text)):
        return None, [_character_problem(text, control.start(), name)]
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        return None, [_syntax_problem(error, text, name)]
    except (yaml.YAMLError, RecursionError, UnicodeEncodeError) as error:
        if unprintable := UNPRINTABLE.search(text):
            return None, [_character_problem(text, unprintable.start(), name)]
        first_line = str(error).splitlines()[0]
        return None, [_file_problem(name, YamlSyntax, f"not YAML: {first_line}", "simplify it")]
    if node is None:
        return None, [_file_problem(name, YamlEmpty, "the file is empty", "delete it or fill it")]
    builder = _Builder(text, name)
    data = builder.value(node, (), None)
    return Document(name, text, data, builder.spans, file), builder.problems


class _Builder:
    """Builds data and spans from the node tree in one pass, and collects problems."""

    def __init__(self, text: str, name: str) -> None:
        self.lines, self.name = text.split("\n"), name
        self.spans: dict[Path, Span] = {}
        self.problems: list[Problem] = []
        self.full = False

    def value(self, node: Any, path: Path, key: yaml.Node | None) -> Any:
        if len(self.spans) >= MAX_VALUES or len(path) > MAX_DEPTH:
            if not self.full:
                self.full = True
                message = f"more than {MAX_VALUES:,} values or {MAX_DEPTH} levels after expanding aliases"
                self.problem(YamlTooLarge, message, node, "split the file, or remove the aliases")
            return None
        start, end = node.start_mark, node.end_mark
        scalar = isinstance(node, yaml.ScalarNode)
        if any(isinstance(each, yaml.ScalarNode) and len(each.value) > MAX_TEXT for each in (key, node)):
            message = f"a text of more than {MAX_TEXT:,} characters"
            self.problem(YamlTooLarge, message, node, "shorten it, or split it into several texts")
            return None
        self.spans[path] = Span(
            start.line,
            start.column,
            start.index,
            end.index,
            key.start_mark.line if key else None,
            key.start_mark.column if key else None,
            node.value if scalar else None,
            scalar and node.style in BLOCK,
        )
        if node.tag not in PLAIN_TAGS:
            self.tag_problem(node)
            return None
        if scalar and node.style == '"' and (unshown := UNSHOWN.search(node.value)):
            self.escape_problem(node, unshown[0])
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self.sequence(node, path)
        return node.value if node.style in QUOTED_OR_BLOCK else self.scalar(node)

    def sequence(self, node: yaml.SequenceNode, path: Path) -> list[Any]:
        items: list[Any] = []
        for index, item in enumerate(node.value):
            if self.full or len(self.problems) >= MAX_PROBLEMS:
                break
            items.append(self.value(item, (*path, index), None))
        return items

    def tag_problem(self, node: yaml.Node) -> None:
        message = f"the tag `{node.tag.replace(TAG, '!!')}` is not allowed"
        self.problem(YamlTag, message, node, "write the plain value")

    def escape_problem(self, node: yaml.Node, character: str) -> None:
        message = f"the character U+{ord(character):04X} is not allowed, not even as an escape"
        self.problem(YamlSyntax, message, node, "delete it")

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        keys: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if self.full or len(self.problems) >= MAX_PROBLEMS:
                break
            if isinstance(key, yaml.ScalarNode) and key.tag not in PLAIN_TAGS:
                self.tag_problem(key)
            elif not isinstance(key, yaml.ScalarNode):
                self.problem(YamlKey, "a key must be plain text", key, "write a plain word before the colon")
            elif unshown := INVISIBLE.search(key.value):
                self.escape_problem(key, unshown[0])
            elif key.value == "<<" and key.style not in QUOTED_OR_BLOCK:
                self.problem(YamlMergeKey, "`<<` merge keys are not part of YAML 1.2", key, "write the keys out")
            elif key.value in keys:
                first = keys[key.value].start_mark
                at = Position(self.name, first.line + 1, first.column + 1)
                message = f"duplicate key `{key.value}`"
                self.problem(YamlDuplicateKey, message, key, "keep one of the two", (Related(at, "the first is here"),))
            else:
                keys[key.value] = key
                mapping[key.value] = self.value(value, (*path, key.value), key)
        return mapping

    def scalar(self, node: yaml.ScalarNode) -> Any:
        written = node.value
        if written in WORDS:
            return WORDS[written]
        if written[0] not in NUMBER_STARTS or len(written) > MAX_NUMBER_LENGTH:
            return written
        if INTEGER.fullmatch(written):
            return int(written)
        if OCTAL.fullmatch(written):
            return int(written[2:], 8)
        if HEXADECIMAL.fullmatch(written):
            return int(written[2:], 16)
        if DECIMAL.fullmatch(written):
            number = float(written)
            if math.isfinite(number):
                return number
        if NOT_FINITE.fullmatch(written) or DECIMAL.fullmatch(written):
            self.problem(YamlNotFinite, f"`{written}` is not a finite number", node, "write a number, or leave it out")
            return None
        return written

    def problem(
        self, kind: type[ProblemCode], message: str, node: yaml.Node, hint: str, related: tuple[Related, ...] = ()
    ) -> None:
        mark = node.start_mark
        position = Position(self.name, mark.line + 1, mark.column + 1)
        self.problems.append(
            Problem(kind, message, position, hint=hint, source_line=self.lines[mark.line], related=related)
        )


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, name: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    opened = next((construct for construct in OPENED if construct in (error.context or "")), "")
    if error.context_mark and opened:
        mark = error.context_mark  # where it was opened, not the end of the file
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    source = lines[line] if line < len(lines) else ""
    message = " ".join(part for part in (error.problem, error.context) if part)
    hint = ""
    conflict = next((at for at, text in enumerate(lines) if text.startswith(CONFLICT_MARKS)), None)
    if conflict is not None:
        line, column, source, message = conflict, 0, lines[conflict], "unresolved merge conflict"
        hint = "keep one of the two versions, and remove the markers"
    elif spaced := _first_match(OTHER_SPACE, lines, line):
        line, column, source = spaced.line, spaced.column, lines[spaced.line]
        message = f"the indentation has the character U+{ord(source[column]):04X}"
        hint = "indent with ordinary spaces"
    elif "mapping values are not allowed" in message and (joined := _first_match(NO_SPACE, lines, line)):
        line, column, source = joined.line, joined.column, lines[joined.line]
        hint = "write a space after the colon"
    elif opened and "escape" not in (error.problem or ""):
        hint = OPENED[opened]
    elif "\t" in source[: column + 1]:
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in message:
        hint = "quote text that contains `: `, or check the indentation"
    elif "expected key" in message or "block end" in message:
        hint = "check the indentation here and above, and quote text that contains `: ` or ` #`"
    elif error.problem and "alias" in error.problem:
        hint = "quote values that start with `*` or `&`"
    elif "another document" in message:
        message, hint = "a second document starts here", "write one document in each file"
    else:
        hint = next((hint for part, hint in HINTS.items() if part in message), DEFAULT_HINT)
    position = Position(name, line + 1, column + 1)
    return Problem(YamlSyntax, f"not YAML: {message}", position, hint=hint, source_line=source)


class _Match(NamedTuple):
    line: int
    column: int


def _first_match(pattern: re.Pattern[str], lines: list[str], line: int) -> _Match | None:
    """Where a pattern ends in the line before this one, or else in this one."""
    for at in (line - 1, line):
        if 0 <= at < len(lines) and (found := pattern.match(lines[at])):
            return _Match(at, found.end() - 1)
    return None


def _character_problem(text: str, at: int, name: str) -> Problem:
    """The problem of an invisible character."""
    line, start = text.count("\n", 0, at) + 1, text.rfind("\n", 0, at) + 1
    source = show(UNPRINTABLE.sub(REPLACEMENT, text[start:].partition("\n")[0]))
    message = f"the character U+{ord(text[at]):04X} is not allowed"
    return Problem(YamlSyntax, message, Position(name, line, at - start + 1), hint="delete it", source_line=source)


def _file_problem(name: str, kind: type[ProblemCode], message: str, hint: str) -> Problem:
    return Problem(kind, message, Position(name, 1, 1), hint=hint)
