"""Names that people type for another entry: an alias adds to what an entry is called, and takes nothing from others."""

from __future__ import annotations

import dataclasses

import pytest

from fitcard.catalog.catalog import Catalog, Entry
from fitcard.catalog.name_conflicts import name_conflicts
from fitcard.compiler.engine import Engine
from fitcard.problems import Severity
from helpers.workplace import Workplace

M1, DEVICES = "m1-16gb", "devices"
APPLE, GEFORCE = "catalogs/devices/apple-silicon.yaml", "catalogs/devices/nvidia-geforce.yaml"
ALIASES = "aliases: [Apple M1 16GB]"
ALIKE = "looks like another one beside Latin letters and digits"


def with_aliases(catalog: Catalog, entry_id: str, *aliases: str) -> Catalog:
    entry = catalog.entries[entry_id]
    return catalog.with_entry(dataclasses.replace(entry, data={**entry.data, "aliases": list(aliases)}))


def conflicts(catalog: Catalog) -> list[tuple[str, str, str]]:
    found = name_conflicts(catalog.name_index, lambda entry: catalog.figure_parts(catalog.entries[entry]))
    return [(conflict.entry, conflict.name, conflict.other) for conflict in found]


@pytest.mark.parametrize(
    ("aliases", "other"),
    [
        (["RTX 4090"], "rtx-4090-24gb"),
        (["rtx4090"], "rtx-4090-24gb"),
        (["RTX-4090", "rtx 4090"], "rtx-4090-24gb"),
        (["RTX 4090", "RTX 4090 M1"], "rtx-4090-24gb"),
        (["4090"], "rtx-4090-24gb"),
        (["NVIDIA GeForce RTX 4090"], "rtx-4090-24gb"),
        (["\N{GREEK CAPITAL LETTER OMEGA}4090"], "rtx-4090-24gb"),
        (["\uff32\uff34\uff38 4090"], "rtx-4090-24gb"),  # full-width letters
        (["H100 SXM"], "h100-80gb"),
        (["Strix Halo"], "strix-halo-395-128gb"),  # several entries, not this one
        (["A100"], "a100-80gb"),
        (["24GB"], "m4-24gb"),
    ],
)
def test_an_alias_takes_no_name_of_another_device(engine: Engine, aliases: list[str], other: str) -> None:
    found = conflicts(with_aliases(engine.rulebook.catalogs[DEVICES], M1, *aliases))
    assert [(entry, name in aliases, of) for entry, name, of in found[:1]] == [(M1, True, other)]


@pytest.mark.parametrize(
    ("entry", "alias"),
    [
        (M1, "MacBook Air M1 16GB"),
        (M1, "M1"),  # chooses one of two sizes
        (M1, "16 GB"),  # a figure of the entry
        (M1, "Apfel"),  # nothing that is called so
        ("strix-halo-395-64gb", "Strix Halo"),
        ("a100-40gb", "A100"),
    ],
)
def test_an_alias_may_choose_one_of_the_entries_that_are_called_so(engine: Engine, entry: str, alias: str) -> None:
    assert conflicts(with_aliases(engine.rulebook.catalogs[DEVICES], entry, alias)) == []


@pytest.mark.parametrize(
    ("kind", "entry", "alias"), [("models", "llama-3.2-1b", "405b"), ("models", "tinyllama-1.1b", "Llama 3.1")]
)
def test_an_alias_takes_no_name_of_another_model(engine: Engine, kind: str, entry: str, alias: str) -> None:
    assert [found[:2] for found in conflicts(with_aliases(engine.rulebook.catalogs[kind], entry, alias))] == [
        (entry, alias)
    ]


def test_a_name_that_contradicts_the_id_takes_that_of_another_entry(engine: Engine) -> None:
    catalog = engine.rulebook.catalogs[DEVICES]
    for new_id in (M1, "m5", "x"):
        data = {**catalog.entries[M1].data, "name": "RTX 4090", "aliases": []}
        renamed = catalog.with_entry(Entry(new_id, data, catalog.entries[M1].document))
        assert (new_id, "RTX 4090", "rtx-4090-24gb") in conflicts(renamed)


def test_the_catalogs_have_no_such_names(engine: Engine) -> None:
    axes = engine.rulebook.question_fields.axes.values()
    assert {axis.catalog: conflicts(engine.rulebook.catalogs[axis.catalog]) for axis in axes} == {
        axis.catalog: [] for axis in axes
    }


@pytest.mark.parametrize("alias", ["RTX 4090 M5", "R T X-4090", "4090 Ti Super RTX", "nvidia r t x 4090"])
def test_an_alias_with_other_words_does_not_lead_a_name_elsewhere(engine: Engine, alias: str) -> None:
    catalog = engine.rulebook.catalogs[DEVICES]
    entry = dataclasses.replace(catalog.entries[M1], id="m5", data={**catalog.entries[M1].data, "aliases": [alias]})
    catalog = catalog.with_entry(entry)
    for typed in ("RTX 4090", "rtx4090", "4090", "NVIDIA RTX 4090", "GeForce RTX 4090 24GB"):
        found = catalog.find(typed)
        assert found is not None, typed
        assert found.id == "rtx-4090-24gb", typed


def test_a_check_points_at_the_alias_and_at_the_entry_that_is_called_so(whole_copy: Workplace) -> None:
    whole_copy.edit(APPLE, ALIASES, "aliases: [Apple M1 16GB, RTX 4090]")
    problem = whole_copy.problem()
    assert (problem.code, problem.severity) == ("catalog-taken-name", Severity.ERROR)
    assert problem.position is not None
    line = whole_copy.path(APPLE).read_text("utf-8").split("\n")[problem.position.line - 1]
    assert line[problem.position.column - 1 :] == "RTX 4090]"
    related = problem.related[0].position
    assert whole_copy.path(GEFORCE).read_text("utf-8").split("\n")[related.line - 1] == "  rtx-4090-24gb:"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: M1 16GB", "name: own", "the name `own` has another meaning in questions"),
        ("name: M1 16GB", 'name: "a\\u200bb"', "the character U+200B is not allowed in a name"),
        ("name: M1 16GB", "name: \u041c1 16GB", f"the character U+041C {ALIKE}"),
        ("name: M1 16GB", "name: \uff2d1 16GB", f"the character U+FF2D {ALIKE}"),
        ("name: M1 16GB", "name: M1\u0336 16GB", f"the character U+0336 {ALIKE}"),
        ("name: M1 16GB", f"name: {'x' * 201}", "a name of 201 characters"),
        ("name: M1 16GB", "name: '=cmd|calc'", "a name starts with a letter or a digit"),
        ("name: M1 16GB", "name: '@octocat'", "a name starts with a letter or a digit"),
        ("  h100-80gb: ", "  OWN: ", "the id `OWN` has another meaning in questions"),
        ("  h100-80gb: ", "  h100-on-80gb: ", "the id `h100-on-80gb` has another meaning in questions"),
        ("  h100-80gb: ", '  "h100\\u200b80gb": ', "the character U+200B is not allowed, not even as an escape"),
        ("  h100-80gb: ", '  "h100-80gb\\n": ', "the character U+000A is not allowed, not even as an escape"),
        ("name: M1 16GB", 'name: "M1\\nX"', "must be one line without spaces around it"),
        ("name: M1 16GB", 'name: "M1\\n"', "must be one line without spaces around it"),
        ("name: M1 16GB", 'name: "\\e[31mM1"', "the character U+001B is not allowed, not even as an escape"),
        ("name: M1 16GB", 'name: "\\u202eM1"', "the character U+202E is not allowed, not even as an escape"),
    ],
)
def test_ids_and_names_that_cannot_be_typed_or_told_apart_are_errors(
    small: Workplace, old: str, new: str, message: str
) -> None:
    small.edit("catalogs/devices.yaml", old, new)
    assert message in [problem.message for problem in small.problems()]


def test_names_of_other_scripts_are_told_apart(small: Workplace) -> None:
    small.edit("catalogs/devices.yaml", "name: M1 16GB", "name: \u7532")
    small.edit("catalogs/devices.yaml", "name: H100 80GB", "name: \u4e59")
    catalog = small.load().rulebook.catalogs[DEVICES]
    assert catalog.find("\u7532\u4e59") is None
    assert catalog.find("---") is None
    found = catalog.find("\u4e59")
    assert found is not None
    assert found.id == "h100-80gb"


@pytest.mark.parametrize(
    ("kind", "typed", "expected"),
    [
        ("models", "Qwen2 57B", "qwen-2-57b-a14b"),  # the same letters as Qwen2.5 7B
        ("models", "Qwen2.5 7B", "qwen-2.5-7b"),
        ("models", "zai-org/GLM-4.7", "glm-4.7"),
        ("quants", "INT4", "GPTQ-4bit"),
        ("quants", "4-bit", "Q4_K_M"),
        ("quants", "8bit", "Q8_0"),
        (DEVICES, "AMD", None),  # a word that names no device
        (DEVICES, "MacBook", None),
        ("models", "chat", None),
    ],
)
def test_a_typed_name_finds_the_entry_that_has_its_words(
    engine: Engine, kind: str, typed: str, expected: str | None
) -> None:
    found = engine.rulebook.catalogs[kind].find(typed)
    assert (found.id if found else None) == expected
