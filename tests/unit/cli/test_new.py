"""`fitcard new`: entries and rules are written complete, in order and valid, or not at all."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from helpers.workplace import Workplace

B60 = [
    "name=Intel Arc Pro B60 24GB", "vendor=Intel", "family=arc", "segment=workstation", "memory=24", "bandwidth=456",
    "unified=false", "link=pcie", "source=Intel data sheet: Arc Pro B60", "checked_on=2026-11-24",
]  # fmt: skip
ARC = "catalogs/devices/intel-arc.yaml"
HALF = ["rule", "half_kv", "unit=GB", "about=Half of the KV cache."]


def new(place: Workplace, *words: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(main, [*place.options, "new", *words], input=answers)


def into(place: Workplace, file: str) -> str:
    return f"--file={place.path(file)}"


def refused(place: Workplace, words: list[str], file: str) -> str:
    """What is printed where nothing is written."""
    path = place.path(file)
    before = path.read_text("utf-8") if path.exists() else None
    ended = new(place, *words, into(place, file))
    assert ended.exit_code == 1
    assert "nothing written" in ended.output
    assert (path.read_text("utf-8") if path.exists() else None) == before
    return ended.output


def test_an_entry_is_written_behind_the_last_in_the_order_of_the_schema(copy: Workplace) -> None:
    before = copy.path(ARC).read_text("utf-8")
    ended = new(copy, "device", "arc-b60-24gb", *reversed(B60), into(copy, ARC))
    assert ended.output == f"written: {ARC}:{before.count(chr(10)) + 1}:3\n"
    assert (
        copy.path(ARC).read_text("utf-8")
        == before
        + """\
  arc-b60-24gb:
    name: Intel Arc Pro B60 24GB
    vendor: Intel
    family: arc
    segment: workstation
    memory: 24
    bandwidth: 456
    unified: false
    link: pcie
    source: ["Intel data sheet: Arc Pro B60"]
    checked_on: 2026-11-24
"""
    )
    assert copy.load().rulebook.catalogs["devices"].entries["arc-b60-24gb"].data["bandwidth"] == 456


def test_missing_fields_are_listed_with_examples_and_never_invented(copy: Workplace) -> None:
    ended = new(copy, "device", "arc-b60-24gb", *B60[:5], into(copy, ARC))
    assert ended.exit_code == 2
    listed = [line.split("=")[0].strip() for line in ended.output.splitlines() if line.startswith("  ")]
    assert listed == ["bandwidth", "unified", "link", "source", "checked_on"]
    assert "bandwidth=300  peak memory bandwidth" in ended.output


def test_at_a_terminal_missing_fields_are_prompted_for(copy: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fitcard.cli.new.at_terminal", lambda: True)
    ended = new(copy, "device", "arc-b60-24gb", *B60[:9], into(copy, ARC), answers="2026-11-24\n")
    assert "checked_on (date in the form YYYY-MM-DD, such as 2026-11-23): 2026-11-24" in ended.output
    assert ended.exit_code == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["devise", "x"], "cannot create `devise`: did you mean `device`?"),
        (["device", "x", "bandwith=3"], "a device has no field `bandwith`; did you mean `bandwidth`?"),
        (["device", "x", "bandwidth"], "`bandwidth` is not FIELD=VALUE"),
        ([*HALF, "expr=kv_cache / 2", "--file=nowhere.yaml"], "nowhere.yaml must be in"),
    ],
)
def test_misuse_of_new_is_reported_with_a_hint(copy: Workplace, words: list[str], expected: str) -> None:
    ended = new(copy, *words)
    assert ended.exit_code == 2
    assert expected in ended.output


def test_where_several_files_could_hold_it_all_are_named(copy: Workplace) -> None:
    files = sorted(
        f"rules/{path.relative_to(copy.folders.rules).as_posix()}"
        for path in copy.folders.rules.rglob("*.yaml")
        if "\nkind: rules\n" in path.read_text("utf-8")
    )
    ended = new(copy, *HALF, "expr=kv_cache / 2")
    assert ended.exit_code == 2
    assert len(files) > 1
    assert f"--file is required: {', '.join(files)}, or a new file" in ended.output


@pytest.mark.parametrize(
    ("words", "file", "expected"),
    [
        ([*HALF, "expr=kv_cahe / 2"], "rules/physics/kv_cache.yaml", "did you mean `kv_cache`?"),
        ([*HALF, "expr=kv_cache * kv_cache"], "rules/physics/kv_cache.yaml", "[unit-result]"),
        (["device", "x", *B60, "memory=24 GB"], ARC, "write a plain number"),
        ([*HALF, "expr=kv_cache / 2"], "rules/halves.yaml", "`title` is missing from a rule file"),
    ],
)  # fmt: skip
def test_an_invalid_value_is_reported_at_its_position_and_not_written(
    copy: Workplace, words: list[str], file: str, expected: str
) -> None:
    assert expected in refused(copy, words, file)


def test_a_duplicate_entry_is_reported_with_the_position_of_the_first(copy: Workplace) -> None:
    above, *_ = copy.path(ARC).read_text("utf-8").partition("  arc-b570-10gb:\n")
    expected = refused(copy, ["device", "arc-b570-10gb", *B60], ARC)
    assert f"{ARC}:{above.count(chr(10)) + 1}:3: the first is here" in expected


def test_an_entry_without_a_table_row_is_not_written(small: Workplace) -> None:
    output = refused(
        small, ["device", "a6000-48gb", "name=A6000", "memory=48", "bandwidth=768"], "catalogs/devices.yaml"
    )
    assert "there is no row for `a6000-48gb`" in output


def test_a_new_file_starts_the_way_all_do(copy: Workplace) -> None:
    head = ["--title=Halves", "--about=Halves of what there is."]
    ended = new(copy, *HALF, "expr=kv_cache / 2", "reference.title=Arithmetic", into(copy, "rules/halves.yaml"), *head)
    assert ended.exit_code == 0
    assert (
        copy.path("rules/halves.yaml").read_text("utf-8")
        == """\
# yaml-language-server: $schema=../schemas/rules.schema.json
kind: rules
title: Halves
about: Halves of what there is.
formulas:
  half_kv:
    unit: GB
    about: Half of the KV cache.
    expr: kv_cache / 2
    reference: {title: Arithmetic}
"""
    )


def test_a_new_section_comes_where_all_files_have_it(copy: Workplace) -> None:
    ended = new(
        copy,
        "constant",
        "third",
        "value=0.5",
        "unit=1",
        "about=Not quite.",
        into(copy, "rules/physics/context.test.yaml"),
    )
    assert ended.exit_code == 2
    assert "is not a valid file of kind `rules`" in ended.output
    new(copy, "constant", "third", "value=0.5", "unit=1", "about=Not quite.", into(copy, "rules/physics/prefill.yaml"))
    text = copy.path("rules/physics/prefill.yaml").read_text("utf-8")
    assert text.index("third:") < text.index("formulas:")
    assert CliRunner().invoke(main, [*copy.options, "fmt", "--check"]).exit_code == 0


def test_a_new_entry_has_the_fields_of_its_schema(small: Workplace) -> None:
    ended = new(small, "quant", "Q6_K", "name=Q6_K", "bytes_per_param=0.82")
    assert ended.output.startswith("written: catalogs/quants.yaml:6:3")
    assert (
        small.path("catalogs/quants.yaml").read_text("utf-8").endswith("  Q6_K: {name: Q6_K, bytes_per_param: 0.82}\n")
    )
    assert small.load().rulebook.catalogs["quants"].entries["Q6_K"].data["bytes_per_param"] == 0.82
