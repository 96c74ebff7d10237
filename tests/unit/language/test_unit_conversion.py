"""Conversion of units: commensurable units are converted where it matters, and no others."""

from __future__ import annotations

import ast
import math
import re
from textwrap import dedent, indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitcard.compiler.batch import QuestionList
from fitcard.compiler.compiled_rules import compile_rules
from fitcard.compiler.evaluation import Evaluation, evaluate
from fitcard.compiler.trace import trace
from fitcard.language.definitions import Formula, read_definitions
from fitcard.language.question_fields import QuestionFields
from fitcard.language.resolution import resolve
from fitcard.language.rule_set import RuleSet
from fitcard.language.unit_system import Conversion, Unit, UnitSystem
from fitcard.language.units import RuleConverter
from fitcard.problems import Problem
from fitcard.reports import format_trace
from fitcard.source.yaml_reader import read_text

DEFINITIONS = (
    "tera- = 1e12 = T-",
    "giga- = 1e9 = G-",
    "gibi- = 1073741824 = Gi-",
    "mega- = 1e6 = M-",
    "milli- = 1e-3 = m-",
    "byte = [information] = B",
    "bit = 0.125 * byte",
    "second = [time] = s",
    "hertz = 1 / second = Hz",
    "param = [parameter]",
    "token = [token]",
    "FLOP = [operation]",
    "percent = 0.01",
)
UNITS = UnitSystem(DEFINITIONS)
NO_QUESTION = QuestionFields({}, {})


def rules(text: str, tables: str = "") -> tuple[RuleSet, list[Problem]]:
    """Constants written as `name = 5 GB` and formulas as `name [GB]: expression`, with YAML of tables."""
    sections: dict[str, list[str]] = {"constants": [], "formulas": [], "tables": [dedent(tables)] if tables else []}
    for line in text.splitlines():
        constant = re.fullmatch(r"(\w+) = (\S+) ?(.*)", line)
        formula = re.fullmatch(r"(\w+) \[(.+?)\]: (.+)", line)
        if constant:
            name, number, unit = constant.groups()
            sections["constants"].append(f"{name}: {{value: {number}, unit: '{unit or 1}', about: Of a test.}}")
        elif formula:
            name, unit, expr = formula.groups()
            sections["formulas"].append(f"{name}: {{unit: '{unit}', about: Of a test., expr: '{expr}'}}")
    source = "".join(f"{name}:\n{indent(chr(10).join(part), '  ')}\n" for name, part in sections.items() if part)
    document, wrong = read_text(f"reference: {{title: a test}}\n{source}", "test.yaml")
    assert document is not None, wrong
    definitions, wrong = read_definitions(document)
    assert not wrong, wrong
    by_name = {definition.name: definition for definition in definitions}
    resolved, wrong = resolve("test", "Test", by_name, NO_QUESTION, {}, UNITS)
    assert resolved is not None, wrong
    return RuleConverter(UNITS, by_name).convert(resolved)


def unit(text: str) -> Unit:
    found = UNITS.parse(text)
    assert found is not None
    return found


def evaluated(text: str, tables: str = "") -> Evaluation:
    converted, problems = rules(text, tables)
    assert not problems, [problem.message for problem in problems]
    compiled = compile_rules(converted, {})
    return evaluate(compiled, QuestionList.of(NO_QUESTION, {}, [{}]), converted.definitions)


def value(text: str, tables: str = "") -> object:
    return evaluated(text, tables).value("x", (0,))


def complaint(text: str, tables: str = "") -> Problem:
    """The only problem there is."""
    _, problems = rules(text, tables)
    assert len(problems) == 1, problems
    return problems[0]


def written(text: str) -> str:
    """The formula as it is evaluated."""
    formula = rules(text)[0].definitions["x"]
    assert isinstance(formula, Formula)
    return ast.unparse(formula.expression.tree)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weights = 5 GB\ncache = 500 MB\nx [GB]: weights + cache", 5.5),
        ("weights = 5 GB\ncache = 500 MB\nx [GB]: cache + weights", 5.5),
        ("weights = 5 GB\ncache = 500 MB\nx [MB]: weights - cache", 4500),
        ("prefill = 2 s\noverhead = 30 ms\nx [ms]: overhead + prefill", 2030),
        ("prefill = 2 s\noverhead = 30 ms\nx [s]: max(overhead, prefill)", 2),
        ("weights = 5 GB\nbandwidth = 100 GB/s\nx [ms]: weights / bandwidth", 50),
        ("read = 5 GB/token\nbandwidth = 100 GB/s\nx [ms/token]: read / bandwidth", 50),
        ("step = 50 ms/token\nx [token/s]: 1 / step", 20),
        ("params = 8 Gparam\nbits = 4.5 bit/param\nx [GB]: params * bits", 4.5),
        ("vram = 24 GiB\nx [GB]: vram", 25.769803776),
        ("vram = 24 GiB\nused = 25 GB\nx [GB]: vram - used", 0.769803776),
        ("part = 300 MB\nwhole = 2 GB\nx [1]: part / whole", 0.15),
        ("part = 300 MB\nwhole = 2 GB\nx [percent]: part / whole", 15),
        ("share = 0.15\nx [percent]: share", 15),
        ("gain = 15 percent\nx [1]: 2 + gain / percent", 17),
        ("gain = 15 percent\nbase = 2\nx [1]: base + gain", 2.15),
        ("large = 2 GB\nsmall = 300 MB\nx [MB]: either(small, large)", 300),
        ("first = 2 GB\nlow = 300 MB\nhigh = 500 MB\nx [GB]: clamp(first, low, high)", 0.5),
        ("large = 2 GB\nsmall = 300 MB\nx [MB]: small if large > small else large", 300),
        ("area = 4 GB**2\nx [MB]: sqrt(area)", 2000),
        ("side = 2 GB\nx [MB**2]: side ** 2", 4e6),
        ("ratio = 3 GB/MB\nx [1]: log10(ratio / 3)", 3),
        ("half = 50 percent\nx [1]: 4 ** half", 2),
        ("clock = 2 Hz\ntime = 3 s\nx [1]: clock * time", 6),
        ("rate = 2 1/ms\ntime = 3 s\nx [1]: rate * time", 6000),
        ("none [condition]: 2 > 1\nbuffer = 3 MB\nx [GB]: buffer if none else 0", 0.003),
        ("left = 7 GB\nstep = 2000 MB\nx [GB]: left % step", 1),
    ],
)
def test_commensurable_units_are_converted(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("needed = 1500 MB\nusable = 2 GB\nx [condition]: needed <= usable", True),
        ("needed = 2500 MB\nusable = 2 GB\nx [condition]: needed <= usable", False),
        ("needed = 2000 MB\nusable = 2 GB\nx [condition]: needed == usable", True),
        ("low = 900 MB\nused = 1 GB\nhigh = 1 GiB\nx [condition]: low < used < high", True),
        ("gain = 25 percent\nleast = 0.2\nx [condition]: gain >= least and not gain < least", True),
        ("needed = 2500 MB\nusable = 2 GB\nx [condition]: needed <= usable or needed - usable > 400 * MB", True),
    ],
)
def test_both_sides_of_a_comparison_are_in_one_unit(text: str, expected: bool) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("free = 10 GB\ncache = 3 MB/token\nx [token]: floor(free / cache)", 3333),
        ("free = 10 GB\ncache = 3 MB/token\nx [token]: free // cache", 3333),
        ("whole = 10 GB\npart = 3000 MB\nx [1]: ceil(whole / part)", 4),
        ("whole = 10 GB\npart = 3000 MB\nx [1]: whole // part", 3),
        ("gain = 12.34 percent\nx [percent]: round(gain)", 12),
        ("share = 0.1234\nx [percent]: round(share / percent) * percent", 12),
        ("share = 0.638\nstep = 10 percent\nx [percent]: round(share / step) * step", 60),
        ("share = 50 percent\nwhole = 2.6 GB\nx [GB]: round(share * whole)", 1),
        ("size = 1234 MB\nx [GB]: round(size, 1)", 1.234),
    ],
)
def test_a_value_is_rounded_in_its_own_unit(text: str, expected: float) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x [MB]: 2 * GB", 2000),
        ("x [GB/s]: 512 * MB / s", 0.512),
        ("size = 2 GB\nx [1]: size / MB", 2000),
        ("x [FLOP/param/token]: 2 * FLOP / param / token", 2),
        ("x [MB]: GB", 1000),
        ("x [GB]: -500 * MB", -0.5),
        ("x [GB]: -(500 * MB)", -0.5),
        ("x [MB**2]: 3 * GB ** 2", 3e6),
        ("size = 2 GB\nx [GB]: max(size, 512 * MB)", 2),
        ("x [GB/token]: 512 * MB / token", 0.512),
        ("read = 5 GB\nx [GB/token]: read / token", 5),
        ("x [1]: GiB / MB", 1073.741824),
        ("step = 4 ms\nx [1/s]: step ** (0 - 1)", 250),
        ("area = 4 GB**2\nx [MB]: area ** (1/2)", 2000),
        ("area = 4 GB**2\nx [MB]: area ** -(2 * 0.5 - 1.5)", 2000),
        ("x [GB]: 0", 0),
    ],
)
def test_a_number_may_be_written_with_its_unit(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("read = 5 GB\nx [GB/token]: read / token", "read"),
        ("step = 50 ms/token\nx [token/s]: 1 / step", "1000.0 / step"),
        ("size = 5 B\nx [GB]: size", "size / 1000000000.0"),
        ("size = 5 GB\nx [B]: size", "size * 1000000000.0"),
        ("params = 8 Gparam\nbits = 4.5 bit/param\nx [GB]: params * bits", "params * bits / 8.0"),
        ("size = 5 GB\nx [GB]: size + 512 * MB", "size + 0.512"),
        ("count = 5\nx [GB]: 2 * B * count", "2e-09 * count"),
        ("a = 5 ms/s\nb = 4 ms\nx [1/s]: a / b", "a / b"),
        ("part = 3 MB\nwhole = 2 GB\nx [1]: part / whole", "part / 1000.0 / whole"),
    ],
)
def test_no_more_is_computed_than_was_written_by_hand(text: str, expected: str) -> None:
    assert written(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("memory = 5 GB\ntokens = 4 token\nx [GB]: memory + tokens", "`memory` is in `GB` and `tokens` in `token`"),
        ("users = 4\ntokens = 4 token\nx [token]: tokens + users", "`tokens` is in `token` and `users` in no unit"),
        ("memory = 5 GB\nspeed = 4 GB/s\nx [condition]: memory < speed", "they cannot be compared"),
        ("memory = 5 GB\nx [GB]: memory + 1", "`memory` is in `GB` and `1` in no unit"),
        ("gain = 5 percent\nx [condition]: gain > 25", "`gain` is in `percent` and `25` in no unit"),
        ("gain = 5 percent\nx [percent]: 100 - gain", "`100` is in no unit and `gain` in `percent`"),
        (
            "memory = 5 GB\nx [1]: log2(memory)",
            "the argument of `log2` must be a plain number, but `memory` is in `GB`",
        ),
        (
            "memory = 5 GB\nn = 2\nx [GB]: memory ** n",
            "`memory` is in `GB`: its exponent must be a literal number, not `n`",
        ),
        ("memory = 5 GB\nx [1]: 2 ** memory", "an exponent must be a plain number, but `memory` is in `GB`"),
        ("memory = 5 GB\nx [GB]: round(memory, memory)", "each further argument of `round` must be a plain number"),
        ("memory = 5 GB\nx [s]: memory", "the formula gives `GB`, but its unit is `s`"),
        ("tokens = 5 token\nx [1]: tokens", "the formula gives `token`, but its unit is `1`"),
        ("x [percent]: 25", "the formula gives no unit, but its unit is `percent`"),
        ("x [GB]: 5", "the formula gives no unit, but its unit is `GB`"),
        ("memory = 5 GB\nx [GB]: memory ** 9", "the formula gives `GB**9`, but its unit is `GB`"),
        ("tokens = 5 token\nx [token]: (tokens ** 99) ** 9", "`tokens ** 99` comes to a unit with a power beyond 99"),
        ("size = 5 GB\nx [GB]: size ** 20 * size ** 20", "comes to a unit with a factor beyond all bounds"),
        ("memory = 5 GB\nx [GB]: memory ** 99", "`memory` comes to a unit with a factor beyond all bounds"),
    ],
)
def test_incommensurable_units_are_an_error(text: str, expected: str) -> None:
    assert expected in complaint(text).message


@pytest.mark.parametrize(
    ("text", "number", "hint"),
    [
        ("gain = 5 percent\nx [condition]: gain > 25", "25", "25 * percent"),
        ("gain = 5 percent\nx [percent]: gain % 4", "4", "(4 * percent)"),
        ("gain = 5 percent\nx [percent]: gain % (4)", "4", "4 * percent"),
        ("gain = 5 percent\nx [percent]: 4 % gain", "4", "4 * percent"),
        ("gain = 5 percent\nx [percent]: gain - (2 + 3)", "(2 + 3)", "(2 + 3) * percent"),
        ("gain = 5 percent\nx [percent]: max(3 - 1, gain)", "3 - 1", "(3 - 1) * percent"),
        ("x [GB]: 5", "5", "5 * GB"),
        ("x [GB/s]: -5", "-5", "-5 * GB/s"),
        ("x [GB]: 5 + 3", "5 + 3", "(5 + 3) * GB"),
        ("x [GB]: 5 * 3", "5 * 3", "5 * 3 * GB"),
        ("x [percent]: exp(3)", "exp(3)", "exp(3) * percent"),
        (
            "memory = 2 GB\nx [percent]: 50 if memory > 1 * GB and memory < 3000 * MB else 0",
            "50 if memory > 1 * GB and memory < 3000 * MB else 0",
            "(50 if memory > 1 * GB and memory < 3000 * MB else 0) * percent",
        ),
    ],
)
def test_the_hint_writes_the_number_with_its_unit(text: str, number: str, hint: str) -> None:
    assert complaint(text).hint == f"write the number with its unit: `{hint}`"
    lines, _, formula = text.rpartition(": ")
    before, _, after = formula.rpartition(number)
    assert rules(f"{lines}: {before}{hint}{after}")[1] == []


@pytest.mark.parametrize(
    "expr",
    [
        "50 if yes else 0 * percent",
        "25 + 0 * percent",
        "max(0 * percent, 25)",
        "25 - percent * 0",
        "25 + 0 * gain",
        "25 + -0 * 2 * percent",
        "25 + (0 if yes else 0) * percent",
        "where(yes, gain, 25)",
        "either(gain, exp(3))",
    ],
)
def test_a_number_without_a_unit_is_never_mixed_with_percent(expr: str) -> None:
    problem = complaint(f"gain = 5 percent\nyes [condition]: 2 > 1\nx [percent]: {expr}")
    assert problem.code == "unit-mismatch"
    assert "write the number with its unit" in problem.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x [percent]: 0 * percent", 0),
        ("x [MB]: 0 * GB + 5 * MB", 5),
        ("gain = 5 percent\nx [percent]: max(0, gain) + 0", 5),
        ("share = 0.25\nx [percent]: max(0 * percent, share)", 25),
        ("x [1]: 0 ** 2 + 3", 3),
    ],
)
def test_zero_with_a_unit_is_in_that_unit(text: str, expected: float) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("memory / s + memory", "`memory / s` is in `GB/s` and `memory` in `GB`"),
        ("memory + 3 * token", "`memory` is in `GB` and `3 * token` in `token`"),
        ("memory + GB * count", "`memory` is in `GB` and `GB * count` in"),
        ("max(memory, memory / s)", "`memory` is in `GB` and `memory / s` in `GB/s`"),
        ("memory if memory > s else memory", "`memory` is in `GB` and `s` in `s`"),
        ("memory * log2(memory / s)", "but `memory / s` is in `GB/s`"),
        ("round(memory, 3 * token)", "but `3 * token` is in `token`"),
        (
            "(memory / s) ** max(1, 2)",
            "`memory / s` is in `GB/s`: its exponent must be a literal number, not `max(1, 2)`",
        ),
        ("(memory / token) ** 99", "`memory / token` comes to a unit"),
    ],
)
def test_a_message_shows_the_whole_operand(expr: str, expected: str) -> None:
    _, problems = rules(f"memory = 5 GB\ncount = 3 token\nx [GB]: {expr}")
    assert expected in problems[0].message


SIZES = "small = 300 MB\nlarge = 2 GB\nspeed = 2 GB/s"
TABLES = """\
word: {kind: bands, input: small, unit: word, about: A word., rows: [{at_most: 1, gives: low}, {otherwise: high}]}
x: {kind: lookup, input: word, unit: MB, about: Rows., rows: {low: {value_of: small}, high: {value_of: large}}}
"""


def test_a_row_that_takes_the_value_of_a_name_is_converted() -> None:
    assert value(SIZES, TABLES) == 2000
    assert value(SIZES, TABLES.replace("at_most: 1", "at_most: 300")) == 300


def test_bounds_are_in_the_unit_of_the_input() -> None:
    by_large = TABLES.replace("input: small", "input: large")
    assert value(SIZES, by_large) == 2000
    assert value(SIZES, by_large.replace("at_most: 1", "at_most: 2")) == 300


def test_a_row_with_an_incommensurable_value_is_an_error() -> None:
    problem = complaint(SIZES, TABLES.replace("value_of: large", "value_of: speed"))
    assert (problem.code, problem.message) == ("unit-rows", "the rows give `MB`, but `speed` is in `GB/s`")


def test_a_rule_hides_the_unit_of_its_name() -> None:
    text = "percent = 100 percent\nshare = 0.25\nx [percent]: share * percent"
    converted, problems = rules(text)
    assert [(problem.code, str(problem.severity)) for problem in problems] == [("name-hides-unit", "warning")]
    assert converted.definitions["x"].reads == ("percent", "share")
    assert written(text) == "share * percent"


def test_a_unit_is_no_name_that_a_rule_is_made_of() -> None:
    converted, _ = rules("read = 5 GB\nx [GB/token]: read / token")
    assert converted.definitions["x"].reads == ("read",)


def test_a_trace_shows_each_part_in_its_own_unit() -> None:
    found = evaluated("values = 65536 B/token\ncontext = 4000 token\nx [GB]: values * context")
    lines = [line.partition("  (")[0] for line in format_trace(trace(found, (0,), ["x"]))]
    assert lines == ["values = 65536 B/token", "context = 4000 token", "x = 0.262144 GB  <- values * context in B"]


def test_conversions_are_exact_fractions() -> None:
    def conversion(one: str, other: str) -> Conversion:
        return Conversion.of(unit(one).factor_to(unit(other)))

    assert conversion("B", "GB") == Conversion(1e9, divides=True)
    assert conversion("GB", "B") == Conversion(1e9)
    assert conversion("GiB", "GB") == Conversion(1.073741824)
    assert conversion("GB/s", "B/ms") == Conversion(1e6)
    assert conversion("Gparam*bit/param", "GB") == Conversion(8, divides=True)


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("hour [time]", "`=` is missing"),
        ("degC = kelvin; offset: 273.15", "an offset is not supported"),
        ("x = 1000 * y", "undefined unit `y`"),
        ("x = 1e999 * token", "`1e999` is beyond all bounds"),
        ("x = (token", "`(` is unexpected"),
        ("x = token ** token", "a power must be one number"),
        ("x = token ** 9 ** 9", "a power must be one number"),
        ("x = token ** 100", "a power beyond 99"),
        ("x = token / 0", "`0` is beyond all bounds"),
        ("x = token + token", "`+` is not part of a unit"),
        ("token = [token]", "`token` is defined twice"),
        ("k- = token", "a prefix must be a number"),
        ("2x = token", "`2x` is not a name"),
    ],
)
def test_an_invalid_unit_is_an_error(definition: str, expected: str) -> None:
    assert UnitSystem(["token = [token]", definition]).errors == {1: expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gb", ("GB", "Gbit")),
        ("mb", ("MB", "Mbit")),
        ("gigabyt", ("gigabyte",)),
        ("gigabytes", ("gigabyte",)),
        ("tflops", ("TFLOP", "FLOP")),
        ("tokens", ("token",)),
        ("Gb/s", ("GB/s", "Gbit/s")),
        ("GB/sec", ("GB/second",)),
        ("minute", ()),
        ("needed_memory", ()),
    ],
)
def test_units_with_prefixes_are_suggested(text: str, expected: tuple[str, ...]) -> None:
    assert UNITS.suggest(text) == expected
    assert all(UNITS.parse(near) for near in expected)


SCALES = ("GB", "MB", "B", "GiB", "bit", "ms", "s", "GB/s", "B/s", "MB/ms", "bit/ms", "GiB/s", "percent", "1")
NUMBERS = st.floats(min_value=1e-3, max_value=1e6)
OPERATIONS = ("a + b", "a - b", "min(a, b)", "max(b, a)", "a if a > b else b", "either(b, a)", "clamp(b, a, a + b)")


@given(st.sampled_from(OPERATIONS), st.data())
def test_the_result_is_that_of_explicit_factors(operation: str, data: st.DataObject) -> None:
    first = data.draw(st.sampled_from(SCALES))
    kin = [other for other in SCALES if unit(other).is_commensurable(unit(first))]
    second, result = data.draw(st.sampled_from(kin)), data.draw(st.sampled_from(kin))
    a, b = data.draw(NUMBERS), data.draw(NUMBERS)
    names = {"a": a * float(unit(first).scale), "b": b * float(unit(second).scale)}
    functions = {"min": min, "max": max, "either": lambda x, y: x, "clamp": lambda x, low, high: min(max(x, low), high)}
    step = float(unit(result).scale)
    expected = eval(operation, {**functions, **names}) / step
    found = value(f"a = {a!r} {first}\nb = {b!r} {second}\nx [{result}]: {operation}")
    assert isinstance(found, float)
    assert math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12 * max(names.values()) / step)


@given(st.sampled_from(SCALES), st.sampled_from(SCALES), NUMBERS)
def test_incommensurable_units_are_never_converted(first: str, second: str, number: float) -> None:
    _, problems = rules(f"a = {number!r} {first}\nx [{second}]: a")
    is_commensurable = unit(first).is_commensurable(unit(second))
    assert [problem.code for problem in problems] == ([] if is_commensurable else ["unit-result"])
