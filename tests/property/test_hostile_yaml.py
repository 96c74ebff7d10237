"""Hostile YAML: reading ends soon, with a problem at a position, and builds plain data only."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from fitcard.problems import Problem
from fitcard.source.folders import fingerprint
from fitcard.source.yaml_reader import MAX_BYTES, MAX_DEPTH, MAX_PROBLEMS, MAX_VALUES, read_bytes, read_content
from helpers.workplace import Workplace

LAUGHS = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(12)
)


def problems_in(content: bytes) -> list[Problem]:
    """The problems of these bytes; each has a message and a position in them."""
    document, problems = read_bytes(content, "file.yaml")
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for problem in problems:
        assert problem.message
        assert problem.position
        assert 1 <= problem.position.line <= lines + 1
    assert document is not None or problems
    return problems


@pytest.mark.parametrize(
    ("content", "code", "position"),
    [
        # tags
        (b"a: !!python/object/apply:os.system ['true']", "yaml-tag", (1, 4)),
        (b"!!python/name:os.system", "yaml-tag", (1, 1)),
        (b"a: !!python/object/new:os.system [x]", "yaml-tag", (1, 4)),
        (b"!!python/object:os.x a: 1", "yaml-tag", (1, 1)),
        (b"a: !!binary aGVsbG8=", "yaml-tag", (1, 4)),
        (b"!!set {a, b}", "yaml-tag", (1, 1)),
        (b"!!omap [a: 1]", "yaml-tag", (1, 1)),
        (b"a: !!timestamp 2024-01-01", "yaml-tag", (1, 4)),
        (b"a: !include /etc/passwd", "yaml-tag", (1, 4)),
        (b"%TAG ! tag:x,2000:\n---\n!a b", "yaml-tag", (3, 1)),
        (b"a: 1\rb: !!x 2\r", "yaml-tag", (2, 4)),
        # aliases
        (LAUGHS, "yaml-too-large", None),
        (b"&a [*a]", "yaml-too-large", None),
        (b"&a {b: *a}", "yaml-too-large", None),
        (b"a: &a {b: &b {c: *a, d: *b}}", "yaml-too-large", None),
        (b"&a {*a : 1}", "yaml-key", (1, 1)),
        (b"a: *nothing", "yaml-syntax", (1, 4)),
        (b"a: &a {b: 1}\nc: {<<: *a}", "yaml-merge-key", (2, 5)),
        (b"<<: [{a: 1}]", "yaml-merge-key", (1, 1)),
        (b"a: &x b\nb: 1\n*x : 2", "yaml-duplicate-key", (1, 4)),
        (b"a: 1\ra: 2", "yaml-duplicate-key", (2, 1)),
        # deep and wide
        (b"[" * 1_900_000, "yaml-syntax", None),
        (b"{a: " * 400_000, "yaml-syntax", None),
        (b"- " * 900_000 + b"1", "yaml-syntax", None),
        (b"? " * 900_000 + b"1", "yaml-syntax", None),
        (b"".join(b" " * level + b"a:\n" for level in range(MAX_DEPTH + 2)), "yaml-too-large", (42, 42)),
        (b"[" + b"a," * (MAX_VALUES + 1) + b"]", "yaml-too-large", None),
        (b"a" * 1_900_000 + b": 1", "yaml-syntax", None),
        (b'"' + b"a" * 1_900_000 + b'": 1', "yaml-syntax", None),
        # encodings
        ("a: 1".encode("utf-16"), "yaml-not-utf8", (1, 1)),
        ("a: 1".encode("utf-16-le"), "yaml-syntax", (1, 2)),
        ("a: 1".encode("utf-32"), "yaml-not-utf8", (1, 1)),
        (b"a: \xc0\x80", "yaml-not-utf8", (1, 4)),
        (b"a: \xed\xa0\x80", "yaml-not-utf8", (1, 4)),
        (b"a: 1\nb: x\xff", "yaml-not-utf8", (2, 5)),
        (b"a: 1\nb: \x00", "yaml-syntax", (2, 4)),
        (b"a: 1\nb: \x1b[2J", "yaml-syntax", (2, 4)),
        (b'a: "\\ud800"', "yaml-syntax", (1, 4)),
        ("a: 1\nb: 1 # \u202e2".encode(), "yaml-syntax", (2, 8)),
        ("a: x\u2066y".encode(), "yaml-syntax", (1, 5)),
        (b'a: "\\u202e"', "yaml-syntax", (1, 4)),
        (b'a: "\\e[2J"', "yaml-syntax", (1, 4)),
        (b'a: 1\nb: "\\x9b"', "yaml-syntax", (2, 4)),
        (b'a: "\\U000E0041"', "yaml-syntax", (1, 4)),
        (b'"a\\nb": 1', "yaml-syntax", (1, 1)),
        (b'"a\\u200bb": 1', "yaml-syntax", (1, 1)),
        (b"a: 1\n\xef\xbb\xbfb: 2", "yaml-syntax", (2, 2)),
        (b"\xef\xbb\xbf", "yaml-empty", (1, 1)),
        # several documents
        (b"a: 1\n---\n" * 100_000, "yaml-syntax", (2, 1)),
        (b"---\n---\n", "yaml-syntax", (2, 1)),
        (b"a: 1\n...\nb: 2", "yaml-syntax", (3, 1)),
        (b"%YAML 3.0\n---\na: 1", "yaml-syntax", (1, 1)),
        # infinite numbers
        (b"a: +.inf", "yaml-not-finite", (1, 4)),
        (b"a: .NaN", "yaml-not-finite", (1, 4)),
        (b"a: -1e999", "yaml-not-finite", (1, 4)),
    ],
)
def test_hostile_yaml_is_refused_at_its_position(content: bytes, code: str, position: tuple[int, int] | None) -> None:
    (problem,) = problems_in(content)
    assert problem.code == code
    assert problem.hint
    if position:
        assert problem.position
        assert (problem.position.line, problem.position.column) == position


def test_the_number_of_problems_of_a_file_is_limited() -> None:
    for content in (b"a: 1\n" * 100_000, b"[" + b"!a 1, " * 100_000 + b"]"):
        assert len(problems_in(content)) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (b"[yes, No, on, OFF, y, n]", ["yes", "No", "on", "OFF", "y", "n"]),
        (b"[0777, 0b11, 1_000, 1:30:00, 0o8, 2024-01-01]", [777, "0b11", "1_000", "1:30:00", "0o8", "2024-01-01"]),
        (b"a: " + b"9" * 1000, {"a": "9" * 1000}),
        (b"\xef\xbb\xbfa: 1", {"a": 1}),
        (b"a: 1\r\nb: 2\rc: 3\n", {"a": 1, "b": 2, "c": 3}),
        (b"%YAML 1.1\n---\na: on", {"a": "on"}),
        (b'"<<": {b: 1}', {"<<": {"b": 1}}),
        (b"&a b: &c [1]\nd: *c", {"b": [1], "d": [1]}),
        (b'a: "\\t\\n\\u200d\\u200f"', {"a": "\t\n\u200d\u200f"}),
    ],
)
def test_values_that_yaml_1_1_interprets_are_read_as_written(content: bytes, data: object) -> None:
    assert problems_in(content) == []
    document = read_bytes(content, "file.yaml")[0]
    assert document
    assert document.data == data


def test_a_large_file_is_not_read(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    large = small.path("rules/large.yaml")
    with large.open("wb") as file:
        file.truncate(100_000_000)
    read_bytes = Path.read_bytes

    def watched(path: Path) -> bytes:
        assert path.stat().st_size <= MAX_BYTES, f"{path} is read"
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", watched)
    before = fingerprint(small.folders)
    assert [problem.code for problem in small.problems()] == ["yaml-too-large"]
    large.unlink()
    assert fingerprint(small.folders) != before


def test_pipes_devices_and_folders_are_not_read(small: Workplace) -> None:
    os.mkfifo(small.path("rules/pipe.yaml"))
    small.path("rules/device.yaml").symlink_to("/dev/zero")
    small.path("rules/nowhere.yaml").symlink_to("nowhere")
    small.path("rules/folder.yaml").mkdir()
    fingerprint(small.folders)
    files = {problem.position.file: problem.code for problem in small.problems() if problem.position}
    assert files == dict.fromkeys(
        (f"rules/{name}.yaml" for name in ("device", "folder", "nowhere", "pipe")), "file-unreadable"
    )


def test_a_schema_that_is_not_a_schema_is_refused(small: Workplace) -> None:
    for text in ("[]", "{}", '{"$id": 1}', "[" * 100_000):
        small.write("schemas/devices.schema.json", text)
        assert small.problem().code == "schemas-unreadable"


def test_a_schema_with_a_broken_reference_is_refused(small: Workplace) -> None:
    small.edit("schemas/devices.schema.json", '"#/$defs/entry"', '"commons.schema.json#/$defs/entry"')
    problem = small.problem()
    assert (problem.code, problem.closest) == ("schemas-unreadable", ("common.schema.json",))
    assert "`commons.schema.json`" in problem.message


def test_a_truncated_file_is_read_or_refused(small: Workplace) -> None:
    content = small.path("rules/fit.yaml").read_bytes()
    chance = random.Random(5)
    for _ in range(300):
        at, inserted = chance.randrange(len(content)), bytes(chance.randrange(256) for _ in range(chance.randrange(4)))
        problems_in(content[:at] + inserted + content[at + chance.randrange(4) :])
        problems_in(content[:at])


def test_an_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    problem = read_content(tmp_path, "folder")
    assert isinstance(problem, Problem)
    assert problem.code == "file-unreadable"
