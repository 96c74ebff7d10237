"""The one YAML loader: YAML 1.2 numbers and booleans, positions, and no surprises.

PyYAML alone reads `1e9` as text, `1:30` as 90, `on` as true, and keeps the last of two equal keys without a word.
Here plain scalars follow the YAML 1.2 core schema, equal keys are refused with both positions, tags and merge keys are
refused, and files that are too large, too deep or grow too much through aliases never get as far as data.
"""

from __future__ import annotations

import math
import re
import stat
from pathlib import Path as FilePath
from typing import Any

import yaml

from fitcard.problems import Position, Problem, ProblemCode, Related
from fitcard.source.document import Document, Path, Place
from fitcard.source.folders import MAX_BYTES


class FileUnreadable(ProblemCode):
    """A file cannot be opened.

    Why: an incomplete rulebook would silently give different answers.
    Avoid: files without read permission, and broken links
    Prefer: files that can be read, or removing them.
    """


class YamlTooLarge(ProblemCode):
    """A file is too large or too deeply nested, or expands to too many values through aliases.

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
MAX_PROBLEMS = 200  # of one file: nobody reads more
MAX_DEPTH = 40
MAX_NUMBER_LENGTH = 40

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
LINE_ENDS = ("\r\n", "\r", "\x85", "\u2028", "\u2029")  # where YAML too begins a new line
BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # a reviewer would see other text than holds
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
PLAINEST = "simplify it, and quote text with special characters"
CONFLICT_MARKS = ("<<<<<<<", "=======", ">>>>>>>")
INCOMPLETE = (YamlTooLarge, YamlMergeKey, YamlKey)  # what was read is less than was written: its shape says nothing
TAG = "tag:yaml.org,2002:"
KIND_TAGS = {yaml.ScalarNode: f"{TAG}str", yaml.MappingNode: f"{TAG}map", yaml.SequenceNode: f"{TAG}seq"}
PLAIN_TAGS = set(KIND_TAGS.values())


class _Loader(yaml.CSafeLoader):
    """PyYAML's C parser with every implicit type removed: each scalar arrives as the text that was written."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag of a node that carries none; that of its kind, and it is asked of every node."""
        return KIND_TAGS[kind]

    def descend_resolver(self, node: Any, index: Any) -> None:
        """Nothing: no tag goes by where a node stands."""

    def ascend_resolver(self) -> None:
        """Nothing, likewise."""


def read(file: FilePath, shown_as: str) -> tuple[Document | None, list[Problem]]:
    """The file at `file` as a `Document`, and all that is wrong with it; None where nothing could be read.

    Problems carry `shown_as` as the file's name. A file that cannot be opened is a problem, not an exception.
    """
    content = read_content(file, shown_as)
    return (None, [content]) if isinstance(content, Problem) else read_bytes(content, shown_as, file)


def read_content(file: FilePath, shown_as: str) -> bytes | Problem:
    """The bytes of a file, or what is wrong about it as a whole."""
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):  # reading a pipe or a device may never end
            return _whole_file(
                shown_as, FileUnreadable, "is not a regular file", "only regular files, and links to them, are read"
            )
        if about.st_size > MAX_BYTES:
            return _whole_file(shown_as, YamlTooLarge, f"larger than {MAX_BYTES:,} bytes", "split it")
        return file.read_bytes()
    except OSError as error:
        return _whole_file(shown_as, FileUnreadable, f"cannot be read: {error.strerror}", "")


def read_bytes(content: bytes, shown_as: str, file: FilePath | None = None) -> tuple[Document | None, list[Problem]]:
    """Like `read`, for bytes at hand."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig").split("\n")
        position = Position(shown_as, len(before), len(before[-1]) + 1)
        source = content.decode("utf-8-sig", errors="replace").split("\n")[len(before) - 1]
        message, hint = f"not UTF-8: byte {error.start + 1} cannot be decoded", "save the file as UTF-8"
        return None, [Problem(YamlNotUtf8, message, position, hint=hint, source_line=source)]
    return read_text(text, shown_as, file)


def read_text(text: str, shown_as: str, file: FilePath | None = None) -> tuple[Document | None, list[Problem]]:
    """Like `read`, for text at hand."""
    for end in LINE_ENDS:
        text = text.replace(end, "\n")
    if not text.isascii() and (turning := BIDI_CONTROLS.search(text)):
        return None, [_not_text(text, turning.start(), shown_as)]
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        return None, [_syntax(error, text, shown_as)]
    except (yaml.YAMLError, RecursionError, UnicodeEncodeError) as error:
        if strange := UNPRINTABLE.search(text):
            return None, [_not_text(text, strange.start(), shown_as)]
        first = str(error).splitlines()[0]
        return None, [_whole_file(shown_as, YamlSyntax, f"not YAML: {first}", "simplify it")]
    if node is None:
        return None, [_whole_file(shown_as, YamlEmpty, "the file is empty", "delete it or fill it")]
    walk = _Walk(text, shown_as)
    data = walk.value(node, (), None)
    return Document(shown_as, text, data, walk.places, file), walk.problems


class _Walk:
    """One pass over the composed tree: builds data and places, and collects problems."""

    def __init__(self, text: str, shown_as: str) -> None:
        self.text, self.lines, self.shown_as = text, text.split("\n"), shown_as
        self.places: dict[Path, Place] = {}
        self.problems: list[Problem] = []
        self.full = False

    def value(self, node: Any, path: Path, key: yaml.Node | None) -> Any:
        if len(self.places) >= MAX_VALUES or len(path) > MAX_DEPTH:
            if not self.full:
                self.full = True
                what = f"more than {MAX_VALUES:,} values or {MAX_DEPTH} levels after expanding aliases"
                self.problem(YamlTooLarge, what, node, "split the file, or remove the aliases")
            return None
        start, end = node.start_mark, node.end_mark
        scalar = isinstance(node, yaml.ScalarNode)
        self.places[path] = Place(
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
            self.tag(node)
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self.sequence(node, path)
        return node.value if node.style in QUOTED_OR_BLOCK else self.scalar(node)

    def sequence(self, node: yaml.SequenceNode, path: Path) -> list[Any]:
        out: list[Any] = []
        for index, item in enumerate(node.value):
            if self.full or len(self.problems) >= MAX_PROBLEMS:
                break
            out.append(self.value(item, (*path, index), None))
        return out

    def tag(self, node: yaml.Node) -> None:
        message = f"the tag `{node.tag.replace(TAG, '!!')}` is not allowed"
        self.problem(YamlTag, message, node, "write the plain value")

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        out: dict[str, Any] = {}
        seen: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if self.full or len(self.problems) >= MAX_PROBLEMS:
                break
            if isinstance(key, yaml.ScalarNode) and key.tag not in PLAIN_TAGS:
                self.tag(key)
            elif not isinstance(key, yaml.ScalarNode):
                self.problem(YamlKey, "a key must be plain text", key, "write a plain word before the colon")
            elif key.value == "<<" and key.style not in QUOTED_OR_BLOCK:
                self.problem(YamlMergeKey, "`<<` merge keys are not part of YAML 1.2", key, "write the keys out")
            elif key.value in seen:
                first = seen[key.value].start_mark
                at = Position(self.shown_as, first.line + 1, first.column + 1)
                message = f"duplicate key `{key.value}`"
                self.problem(YamlDuplicateKey, message, key, "keep one of the two", (Related(at, "the first is here"),))
            else:
                seen[key.value] = key
                out[key.value] = self.value(value, (*path, key.value), key)
        return out

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
        position = Position(self.shown_as, mark.line + 1, mark.column + 1)
        self.problems.append(
            Problem(kind, message, position, hint=hint, source_line=self.lines[mark.line], related=related)
        )


def _syntax(error: yaml.MarkedYAMLError, text: str, shown_as: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    opened = next((text for text in OPENED if text in (error.context or "")), "")
    if error.context_mark and opened:
        mark = error.context_mark  # where it was opened, not where the file ended
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    source = lines[line] if line < len(lines) else ""
    what = " ".join(part for part in (error.problem, error.context) if part)
    hint = ""
    conflict = next((at for at, text in enumerate(lines) if text.startswith(CONFLICT_MARKS)), None)
    if conflict is not None:
        line, column, source, what = conflict, 0, lines[conflict], "unresolved merge conflict"
        hint = "keep one of the two versions, and remove the markers"
    elif opened and "escape" not in (error.problem or ""):
        hint = OPENED[opened]
    elif "\t" in source[: column + 1]:
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in what:
        hint = "quote text that contains `: `, or check the indentation"
    elif "expected key" in what or "block end" in what:
        hint = "check the indentation here and above, and quote text that contains `: ` or ` #`"
    elif error.problem and "alias" in error.problem:
        hint = "quote values that start with `*` or `&`"
    elif "another document" in what:
        what, hint = "a second document starts here", "write one document in each file"
    else:
        hint = next((hint for text, hint in HINTS.items() if text in what), PLAINEST)
    return Problem(
        YamlSyntax, f"not YAML: {what}", Position(shown_as, line + 1, column + 1), hint=hint, source_line=source
    )


def _not_text(text: str, at: int, shown_as: str) -> Problem:
    """What is wrong with a character that no editor shows as it is."""
    line, start = text.count("\n", 0, at) + 1, text.rfind("\n", 0, at) + 1
    source = BIDI_CONTROLS.sub("\ufffd", UNPRINTABLE.sub("\ufffd", text[start:].partition("\n")[0]))
    message = f"the character U+{ord(text[at]):04X} is not allowed"
    hint = f"delete it, or if it is intended, write `\\u{ord(text[at]):04X}` in double quotes"
    return Problem(YamlSyntax, message, Position(shown_as, line, at - start + 1), hint=hint, source_line=source)


def _whole_file(shown_as: str, kind: type[ProblemCode], message: str, hint: str) -> Problem:
    return Problem(kind, message, Position(shown_as, 1, 1), hint=hint)
