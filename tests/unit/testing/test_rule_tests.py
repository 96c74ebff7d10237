"""Rule tests: tolerances, known differences, and failures with their position and trace."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.testing.rule_tests import Outcome, rule_tests, run_test
from helpers.workplace import Workplace

HEAD = "kind: tests\ntitle: Fit\ntests:\n"
MODEL, UNKNOWN_MODEL = "model: llama-3.1-8b", "model: llama-3.1-b8"


def outcomes(small: Workplace, tests: str) -> list[Outcome]:
    small.write("rules/fit.test.yaml", HEAD + tests)
    engine = small.load()
    return [run_test(engine, test) for test in rule_tests(engine.rulebook)]


@pytest.mark.parametrize(
    ("given", "expect", "within", "passes"),
    [
        (f"{{{MODEL}, context: 56000}}", "{load_time: 2.4}", "0", True),
        (f"{{{MODEL}, context: 56800}}", "{load_time: 2.4}", "0.01", False),
        (f"{{{MODEL}, context: 56800}}", "{load_time: 2.4}", "0.03", True),
        (f"{{{MODEL}, context: 56800}}", "{load_time: 2.4}", "1 %", True),
        (f"{{{MODEL}, context: 56800}}", "{load_time: 2.4}", "0.5 %", False),
        (f"{{{MODEL}, context: 56800}}", "{load_time: 2.4}", "printed", True),
        (f"{{{MODEL}, context: 56800}}", "{load_time: 2.40}", "printed", False),
        (f"{{{MODEL}, context: 56800}}", "{load_time: 2.42}", "{load_time: printed}", True),
        ("{memory_share: 0.4}", "{fit: easy}", "0", True),
        ("{memory_share: 0.6}", "{fit: easy}", "0", False),
        ("{model.params: 1.6, quant: Q4_K_M, kv_cache: 0, device: rtx-4090-24gb}", "{memory_share: 0.125}", "0", True),
        ("{weights: 9, device: m1-16gb, memory_share: 1}", "{runs: true}", "0", True),
    ],
)
def test_a_figure_passes_within_its_tolerance(
    small: Workplace, given: str, expect: str, within: str, passes: bool
) -> None:
    test = f"  - {{name: a model, given: {given}, expect: {expect}, within: {within}}}\n"
    assert [outcome.passed for outcome in outcomes(small, test)] == [passes]


def test_a_failure_has_its_line_both_figures_and_the_trace(small: Workplace) -> None:
    test = f"  - name: it loads at once\n    given: {{{MODEL}, context: 40000}}\n    expect: {{load_time: 1}}\n"
    (outcome,) = outcomes(small, test)
    problem = outcome.problems[0]
    assert str(problem.position) == "rules/fit.test.yaml:6:25"
    assert problem.message == "`load_time` is 2, expected 1"
    steps = {step["name"]: step["value"] for step in outcome.trace}
    expected = {"question.context": 40000, "storage_bandwidth": 5, "weights": 5, "kv_cache": 5, "load_time": 2}
    assert expected.items() <= steps.items()


def test_a_known_difference_passes_until_it_agrees(small: Workplace) -> None:
    test = (
        "  - name: a model\n    given: {{{model}, context: {context}}}\n"
        "    differs: {{load_time: {{printed: 2.0, reason: the data sheet has a slower disk}}}}\n"
    )
    assert outcomes(small, test.format(model=MODEL, context=8000))[0].passed
    problem = outcomes(small, test.format(model=MODEL, context=40000))[0].problems[0]
    assert (problem.code, problem.hint) == ("test-agrees", "move it to `expect`")


@pytest.mark.parametrize(
    ("given", "expect", "code", "column"),
    [
        (UNKNOWN_MODEL, "load_time: 2", "unknown-entry", 36),
        (MODEL, "load_tiem: 2", "name-unknown", 60),
        (f"{MODEL}, memory_shar: 1", "load_time: 2", "name-unknown", 50),
        ("fit: 3", "fit: none", "test-kind", 34),
        ("runs: 1", "fit: none", "test-kind", 35),
        ("memory_share: 1", "fit: 2", "test-kind", 61),
        ("memory_share: 1", "fit: esay", "test-kind", 61),
        ("memory_share: 1", "memory_share: half", "test-kind", 70),
        ("device: h100-80gb", "fit: none", "axis-missing", 12),
        (f"{MODEL}, context: 0", "load_time: 2", "out-of-range", 59),
    ],
)
def test_a_test_that_cannot_run_has_its_position(
    small: Workplace, given: str, expect: str, code: str, column: int
) -> None:
    test = f"  - {{name: a model, given: {{{given}}}, expect: {{{expect}}}}}\n"
    problem = outcomes(small, test)[0].problems[0]
    assert (problem.code, str(problem.position)) == (code, f"rules/fit.test.yaml:4:{column}")


def test_the_command_counts_and_selects_tests(small: Workplace) -> None:
    small.edit("rules/fit.test.yaml", "price: 700", "price: 750")
    ended = CliRunner().invoke(main, [*small.options, "test"])
    assert ended.exit_code == 1
    assert "1 passed, 1 failed" in ended.output
    assert "rules/fit.test.yaml:9:34: error: `price` is 700, expected 750 [test-failed]" in ended.output
    assert "price = 700 USD  <- device.id = m1-16gb  (rules/fit.yaml:39)" in ended.output
    for options, code in ((["H100"], 0), (["nothing"], 0), (["nothing", "--fail-on-empty"], 1)):
        assert CliRunner().invoke(main, [*small.options, "test", "-k", *options]).exit_code == code


def test_the_command_writes_junit_xml(small: Workplace, tmp_path: Path) -> None:
    small.edit("rules/fit.test.yaml", "price: 700", "price: 750")
    ended = CliRunner().invoke(main, [*small.options, "test", "--junit", str(tmp_path / "out.xml")])
    assert ended.exit_code == 1
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "`price` is 700, expected 750"
    assert "price = 700 USD" in (failure.text or "")
