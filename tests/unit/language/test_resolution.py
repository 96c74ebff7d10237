"""Names are resolved when rules are loaded: unknown, circular and duplicate names have a position and a hint."""

from __future__ import annotations

import pytest

from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Constant
from fitcard.lint.run import run_checks
from fitcard.reports import format_problem
from helpers.workplace import Workplace


def test_an_unknown_name_has_a_caret_and_the_closest_name(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "device.bandwidth, storage_bandwidth", "device.bandwidth, storage_bandwith")
    assert format_problem(small.problem()) == (
        "rules/fit.yaml:28:56: error: undefined name `storage_bandwith` [name-unknown]\n"
        "  28 |     expr: (weights + kv_cache) / min(device.bandwidth, storage_bandwith)\n"
        "     |                                                        ^\n"
        "  did you mean `storage_bandwidth`?"
    )


def test_an_unknown_field_has_the_closest_field_of_that_catalog(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "device.bandwidth", "device.bandwith")
    problem = small.problem()
    assert (problem.code, problem.closest[0]) == ("name-unknown", "device.bandwidth")


def test_an_unknown_input_has_the_closest_input(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "question.context", "question.contxt")
    assert small.problem().closest == ("question.context",)


def test_a_cycle_is_shown_as_a_path(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "expr: (weights + kv_cache + overhead)", "expr: load_time * (weights + overhead)")
    small.edit("rules/fit.yaml", "expr: (weights + kv_cache) / min", "expr: memory_share * weights / min")
    problem = small.problem()
    assert problem.code == "name-cycle"
    assert "memory_share -> load_time -> memory_share" in problem.message


def test_a_duplicate_name_has_both_positions(small: Workplace) -> None:
    small.write(
        "rules/disk.yaml",
        "kind: rules\ntitle: Disk\nabout: Loading from a disk.\nreference: {title: Data sheets}\nconstants:\n"
        "  storage_bandwidth: {value: 0.2, unit: GB/s, about: Read bandwidth of a disk.}\n",
    )
    problem = small.problem()
    assert (problem.code, str(problem.position)) == ("name-twice", "rules/fit.yaml:7:3")
    assert str(problem.related[0].position) == "rules/disk.yaml:6:3"


@pytest.mark.parametrize("name", ["device", "question", "min", "else", "not"])
def test_names_of_axes_inputs_functions_and_the_language_are_reserved(small: Workplace, name: str) -> None:
    constant = f"  {name}: {{value: 1, unit: s, about: A reserved name.}}\n"
    small.edit("rules/fit.yaml", "  storage_bandwidth: {", f"{constant}  storage_bandwidth: {{")
    assert small.problem().code == "name-reserved"


def test_the_unit_of_a_condition_is_condition(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "unit: condition", "unit: GB")
    assert small.problem().code == "unit-kind"


def test_problems_of_all_files_are_reported_together(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "device.bandwidth", "device.bandwith")
    small.edit("rules/fit.yaml", "memory_share <= 1", "memory_share <= 1 ^ 2")
    small.edit("rules/fit.yaml", "unit: USD", "unti: USD")
    small.edit("catalogs/devices.yaml", "memory: 16", "memory: -16")
    small.edit("catalogs/models.yaml", "params: 70", "params: many")
    codes = [problem.code for problem in small.problems()]
    assert codes == ["schema-range", "schema-type", "schema-unknown-key"]
    small.edit("rules/fit.yaml", "unti: USD", "unit: USD")
    codes = [problem.code for problem in small.problems()]
    assert codes == ["schema-range", "schema-type", "expression-refused", "name-unknown"]


def test_a_profile_overrides_by_name(small: Workplace) -> None:
    small.write(
        "rules/profiles/disk.yaml",
        "kind: profile\ntitle: Disk\nabout: Loading from a disk.\nreference: {title: Data sheets}\nconstants:\n"
        "  storage_bandwidth: {value: 0.2, unit: GB/s, about: Read bandwidth of a disk.}\n",
    )
    constants = {
        name: rules.definitions["storage_bandwidth"] for name, rules in small.load().rulebook.rule_sets.items()
    }
    assert {name: constant.value for name, constant in constants.items() if isinstance(constant, Constant)} == {
        "plain": 5,
        "disk": 0.2,
    }


def test_a_profile_overrides_only_names_that_exist(small: Workplace) -> None:
    small.edit(
        "rules/profiles/plain.yaml",
        "stand.",
        "stand.\nreference: {title: Data sheets}\nconstants:\n"
        "  storage_bandwith: {value: 2, unit: GB/s, about: Read bandwidth.}",
    )
    problem = small.problem()
    assert (problem.code, problem.closest) == ("profile-unknown-name", ("storage_bandwidth",))


def test_the_default_of_an_axis_is_an_entry_of_its_catalog(small: Workplace) -> None:
    small.edit("rules/rulebook.yaml", "default: m1-16gb", "default: m1-61gb")
    assert small.problem().closest == ("m1-16gb",)


def test_the_default_profile_exists(small: Workplace) -> None:
    small.edit("rules/rulebook.yaml", "default: plain", "default: plane")
    assert small.problem().closest == ("plain",)


def test_a_duplicate_id_has_both_positions(small: Workplace) -> None:
    small.write(
        "catalogs/more.yaml", "kind: quants\ntitle: More\nentries:\n  Q8_0: {name: Another Q8_0, bytes_per_param: 1}\n"
    )
    problem = small.problem()
    assert problem.code == "catalog-duplicate-id"
    assert {str(problem.position), str(problem.related[0].position)} == {
        "catalogs/quants.yaml:5:3",
        "catalogs/more.yaml:4:3",
    }


ENGLISH = "catalogs/messages/en.yaml"


@pytest.mark.parametrize(
    ("old", "new", "closest"),
    [
        ("{load_time:whole}", "{load_tiem:whole}", ("load_time",)),
        ("{load_time:whole}", "{load_time:hole}", ("whole",)),
    ],
)
def test_names_and_formats_of_sentences_are_resolved(
    small: Workplace, old: str, new: str, closest: tuple[str, ...]
) -> None:
    small.edit(ENGLISH, old, new)
    assert small.problem().closest == closest


def test_a_number_in_a_sentence_has_a_format(small: Workplace) -> None:
    small.edit(ENGLISH, "{load_time:whole}", "{load_time}")
    assert small.problem().code == "message-format"


def test_a_message_has_a_text_for_each_value(small: Workplace) -> None:
    small.edit(ENGLISH, "      none:", "      nothing:")
    assert {problem.code for problem in small.problems()} == {"message-incomplete", "message-unused"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("load_time_s: load_time", "load_time_s: load_tiem", "layout-unknown"),
        ("load_time_s: load_time", "load_time_s: {message: verdct}", "layout-unknown"),
        ("where: runs", "where: memory_share", "layout-kind"),
    ],
)
def test_names_of_the_layout_are_resolved(small: Workplace, old: str, new: str, code: str) -> None:
    small.edit("rules/answer.yaml", old, new)
    assert small.problem().code == code


def test_an_unknown_message_of_the_layout_gets_the_closest(small: Workplace) -> None:
    small.edit("rules/answer.yaml", "load_time_s: load_time", "load_time_s: {message: verdct}")
    assert small.problem().closest == ("verdict",)


def test_a_file_with_another_suffix_is_reported(small: Workplace) -> None:
    small.path("rules/fit.yaml").rename(small.path("rules/fit.yml"))
    problem = small.problem()
    assert (problem.code, str(problem.position)) == ("file-suffix", "rules/fit.yml:1:1")


def test_a_name_that_refers_to_two_entries_is_ambiguous(copy: Workplace) -> None:
    copy.edit("catalogs/quants.yaml", "aliases: [FP16]", "aliases: [q8-0]")
    problem = copy.problem()
    assert (problem.code, problem.message) == ("catalog-ambiguous", "`q8-0` also refers to `Q8_0`")


def test_the_caret_stands_under_the_wrong_slot(small: Workplace) -> None:
    small.edit(ENGLISH, "{load_time:whole}", "{load_tiem:whole}")
    problem = small.problem()
    assert problem.position is not None
    assert problem.source_line[problem.position.column - 1 :].startswith("load_tiem:whole}")


@pytest.mark.parametrize("kind", ["quants", "hosts", "runtimes"])
def test_a_missing_catalog_is_one_problem(copy: Workplace, kind: str) -> None:
    copy.path(f"catalogs/{kind}.yaml").unlink()
    assert copy.problem().code == "axis-empty"


@pytest.mark.parametrize("kind", ["quants", "hosts", "runtimes"])
def test_an_error_in_a_catalog_is_not_also_reported_as_missing_entries(copy: Workplace, kind: str) -> None:
    copy.edit(f"catalogs/{kind}.yaml", "    name: ", "    nmae: ")
    assert copy.problem().code == "schema-unknown-key"


def test_an_unused_rule_is_a_warning(small: Workplace) -> None:
    small.edit("rules/answer.yaml", "  load_time_s: load_time\n", "")
    small.edit(ENGLISH, "; it loads in {load_time:whole} seconds", "")
    small.edit("catalogs/messages/de.yaml", "; das Laden dauert {load_time:whole} Sekunden", "")
    small.path("rules/backtest.yaml").unlink()  # it uses the load time
    problems = run_checks(small.folders)[1]
    assert [(problem.message, problem.severity) for problem in problems] == [
        ("`storage_bandwidth` is not used", "warning"),
        ("`load_time` is not used", "warning"),
    ]


def test_a_misspelt_value_of_a_table_gets_those_of_the_table(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "gives: easy", "gives: easyy")
    hints = {problem.code: problem.hint for problem in small.problems()}
    assert hints["message-unused"] == "it gives: easyy, tight, none"


@pytest.mark.parametrize(
    ("name", "closest"),
    [("m1-61gb", "m1-16gb"), ("rtx-4009-24gb", "rtx-4090-24gb"), ("rtx 4090 42gb", "rtx-4090-24gb")],
)
def test_transposed_digits_lead_to_the_closest_entry(engine: Engine, name: str, closest: str) -> None:
    assert engine.rulebook.catalog_of("device").nearest(name)[0] == closest
