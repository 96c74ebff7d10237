"""The YAML reader: YAML 1.2 numbers, no silent loss, and a position of every value."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitcard.problems import Problem
from fitcard.source.document import Document
from fitcard.source.yaml_reader import MAX_BYTES, read_bytes, read_content, read_text


def document(text: str) -> Document:
    found, problems = read_text(text, "file.yaml")
    assert problems == []
    assert found is not None
    return found


def only_problem(text: str) -> Problem:
    problems = read_text(text, "file.yaml")[1]
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("1e9", 1e9), ("989e12", 989e12), ("1e-3", 0.001), (".5", 0.5), ("1.", 1.0), ("-2", -2), ("010", 10),
        ("0o10", 8), ("0x1F", 31), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("on", "on"), ("yes", "yes"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ("1_000", "1_000"),
        ("8%", "8%"), ("'1.10'", "1.10"), ('"true"', "true"),
    ],
)  # fmt: skip
def test_plain_values_follow_yaml_1_2(written: str, read_as: object) -> None:
    value = document(f"value: {written}\n").data["value"]
    assert (type(value), value) == (type(read_as), read_as)


def test_keys_are_always_text() -> None:
    assert list(document("on: 1\n1.5: 2\n2024-01-01: 3\n").data) == ["on", "1.5", "2024-01-01"]


def test_equal_keys_are_refused_with_both_places() -> None:
    problem = only_problem("a: 1\nb: 2\na: 3\n")
    assert (problem.code, str(problem.position)) == ("yaml-duplicate-key", "file.yaml:3:1")
    assert [str(related.position) for related in problem.related] == ["file.yaml:1:1"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a:\n\tb: 1\n", "yaml-syntax", "file.yaml:2:1"),
        ("a: b: c\n", "yaml-syntax", "file.yaml:1:5"),
        ("a: [1, 2\n", "yaml-syntax", "file.yaml:1:4"),
        ("a: *b\n", "yaml-syntax", "file.yaml:1:4"),
        ("a: 1\n---\nb: 2\n", "yaml-syntax", "file.yaml:2:1"),
        ("a: !!python/object:os.system 1\n", "yaml-tag", "file.yaml:1:4"),
        ("a: {<<: {b: 1}}\n", "yaml-merge-key", "file.yaml:1:5"),
        ("? [1]\n: 2\n", "yaml-key", "file.yaml:1:3"),
        ("a: 1e999\n", "yaml-not-finite", "file.yaml:1:4"),
        ("a: .nan\n", "yaml-not-finite", "file.yaml:1:4"),
        ("", "yaml-empty", "file.yaml:1:1"),
    ],
)
def test_invalid_yaml_is_a_problem_at_its_position(text: str, code: str, place: str) -> None:
    problem = only_problem(text)
    assert (problem.code, str(problem.position)) == (code, place)


def test_tabs_are_named_as_the_cause() -> None:
    assert only_problem("a:\n\tb: 1\n").hint == "indent with spaces, not tabs"


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]" for n in range(7)]
    assert only_problem("\n".join(lines)).code == "yaml-too-large"


def test_an_alias_of_itself_is_refused() -> None:
    assert only_problem("a: &a [*a]\n").code == "yaml-too-large"


def file_problem(path: Path) -> Problem:
    content = read_content(path, path.name)
    return content if isinstance(content, Problem) else read_bytes(content, path.name)[1][0]


def test_files_that_are_too_large_unreadable_or_not_utf8_are_problems(tmp_path: Path) -> None:
    large, latin = tmp_path / "large.yaml", tmp_path / "latin.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    latin.write_bytes("a: 1\nb: Größe\n".encode("latin-1"))
    found = {path.name: file_problem(path) for path in (large, latin, tmp_path / "none.yaml")}
    assert {name: problem.code for name, problem in found.items()} == {
        "large.yaml": "yaml-too-large",
        "latin.yaml": "yaml-not-utf8",
        "none.yaml": "file-unreadable",
    }
    assert str(found["latin.yaml"].position) == "latin.yaml:2:6"


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("expr: aa + word\n", "word", (1, 12)),
        ("expr: 'aa + word'\n", "word", (1, 13)),
        ('expr: "aa + word"\n', "word", (1, 13)),
        ("expr: >-\n  aa +\n  word * 2\n", "word", (3, 3)),
        ("expr: |\n  aa\n    + word\n", "word", (3, 7)),
        ("expr: aa +\n  bb + word\n", "word", (2, 8)),
        ("deep:\n  expr: >-\n    aa\n\n    + word\n", "word", (5, 7)),
    ],
)
def test_a_character_inside_a_scalar_has_a_place_however_it_is_written(
    text: str, word: str, place: tuple[int, int]
) -> None:
    read_as = document(text)
    path = ("deep", "expr") if text.startswith("deep") else ("expr",)
    value = read_as.data["deep"]["expr"] if text.startswith("deep") else read_as.data["expr"]
    position = read_as.position(path, offset=value.index(word))
    assert (position.line, position.column) == place


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a:\n  unit:GB\n  b: 1\n", "2:7", "write a space after the colon"),
        ("a:\n  b: 1\n \u00a0c: 2\n  d: 3\n", "3:2", "indent with ordinary spaces"),
        ("a: b: c\n", "1:5", "quote text that contains `: `, or check the indentation"),
    ],
)
def test_a_cause_above_the_error_is_named_where_it_is(text: str, place: str, hint: str) -> None:
    _, (problem,) = read_bytes(text.encode(), "file.yaml")
    assert (str(problem.position), problem.hint) == (f"file.yaml:{place}", hint)
