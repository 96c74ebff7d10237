"""The language of formulas: its grammar, errors with a caret and a hint, and evaluation on columns."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitcard.compiler.program import evaluate_expression
from fitcard.language.expression import ExpressionError, Fault, parse
from fitcard.language.kinds import infer_kind
from fitcard.values import Kind

A = np.array([1.0, 2.0, 3.0, 4.0])
B = np.array([4.0, 3.0, 2.0, 1.0])
GAPS = np.array([1.0, np.nan, 3.0, np.nan])


def value(source: str) -> list[float]:
    with np.errstate(all="ignore"):
        result = evaluate_expression(parse(source), {"a": A, "b": B, "gaps": GAPS, "device.bandwidth": A * 10})
    return np.broadcast_to(result, A.shape).tolist()


def fault(source: str) -> Fault:
    with pytest.raises(ExpressionError) as found:
        parse(source)
    return found.value.faults[0]


def faults_of(source: str) -> list[Fault]:
    """All faults; none where it parses. Anything but ExpressionError fails the test."""
    try:
        parse(source)
    except ExpressionError as found:
        return found.faults
    return []


@pytest.mark.parametrize(
    ("source", "gives"),
    [
        ("a + b * 2", [9, 8, 7, 6]),
        ("a ** 2", [1, 4, 9, 16]),
        ("2 ** a", [2, 4, 8, 16]),
        ("-a + 1", [0, -1, -2, -3]),
        ("a % 2", [1, 0, 1, 0]),
        ("a // 2", [0, 1, 1, 2]),
        ("a if a > 2 else b", [4, 3, 3, 4]),
        ("1 if a < b else 0", [1, 1, 0, 0]),
        ("1 < a <= 3", [False, True, True, False]),
        ("a > 1 and b > 1", [False, True, True, False]),
        ("a > 3 or b > 3", [True, False, False, True]),
        ("not a > 2", [True, True, False, False]),
        ("a == 2", [False, True, False, False]),
        ("min(a, b, 2.5)", [1, 2, 2, 1]),
        ("max(a, b)", [4, 3, 3, 4]),
        ("clamp(a, 2, 3)", [2, 2, 3, 3]),
        ("where(a > 2, 1, 0)", [0, 0, 1, 1]),
        ("floor(a / 2) + ceil(a / 2)", [1, 2, 3, 4]),
        ("round(a / 4, 1)", [0.3, 0.5, 0.8, 1.0]),
        ("sqrt(a ** 2) + abs(-1)", [2, 3, 4, 5]),
        ("log2(2 ** a)", [1, 2, 3, 4]),
        ("log10(100) + exp(0)", [3, 3, 3, 3]),
        ("known(gaps)", [True, False, True, False]),
        ("either(gaps, 0)", [1, 0, 3, 0]),
        ("device.bandwidth / 10", [1, 2, 3, 4]),
        ("1 if known(gaps) else 0", [1, 0, 1, 0]),
    ],
)
def test_on_columns_it_means_each_row(source: str, gives: list[float]) -> None:
    assert value(source) == gives


@pytest.mark.parametrize(
    ("source", "code", "offset", "hint"),
    [
        ("a ^ 2", "expression-refused", 2, "use `**` for a power"),
        ("a & b", "expression-refused", 2, "use `and`"),
        ("a | b", "expression-refused", 2, "use `or`"),
        ("a in b", "expression-refused", 2, "compare with `==`, or use a lookup table"),
        ("a is b", "expression-refused", 2, "use `==`"),
        ("'Apple' == a", "expression-refused", 0, "words belong in a lookup table"),
        ("f'{a}'", "expression-refused", 0, "words belong in a lookup table"),
        ("[a][0]", "expression-refused", 0, "write the field with a dot: `axis.field`"),
        ("lambda: a", "expression-refused", 0, "write a separate formula"),
        ("(a := 3)", "expression-refused", 1, "write a separate formula"),
        ("[x for x in a]", "expression-refused", 0, "formulas already apply to all rows"),
        ("min(a)", "expression-arity", 0, "min: smallest argument"),
        ("sqrt(a, b)", "expression-arity", 0, "sqrt: square root"),
        ("mni(a, b)", "expression-unknown-function", 0, "did you mean `min`?"),
        ("min(key=a, b=b)", "expression-syntax", 7, "use `==` to compare"),
        ("a + max", "expression-function-value", 4, "call it: `max(...)`"),
        ("a.sum()", "expression-unknown-function", 0, "the functions are"),
        ("(1).real", "expression-refused", 0, "only `namespace.field` has a dot"),
        ("a +", "expression-syntax", 2, "complete the expression"),
        ("a + (b", "expression-syntax", 4, "check the parentheses"),
        ("a) + (b", "expression-syntax", 1, "check the parentheses"),
        ("a b", "expression-syntax", 2, "add an operator"),
        ("5 GB", "expression-syntax", 2, "add an operator"),
        ("5GB", "expression-syntax", 1, "add an operator"),
        ("a + 5.5e3MB / s", "expression-syntax", 9, "add an operator"),
        ("a +\n5_000token", "expression-syntax", 9, "add an operator"),
        ("5J", "expression-syntax", 1, "add an operator"),
        ("0bytes", "expression-syntax", 1, "add an operator"),
        (" ", "expression-empty", 0, "write a formula"),
        ("x = 5", "expression-syntax", 2, "use `==` to compare; the name of the formula is its key"),
        ("a > b ? a : b", "expression-syntax", 6, "write `a if condition else b`"),
        ("a && b", "expression-syntax", 2, "use `and`"),
        ("a + \uff4dax(a, b)", "expression-character", 4, "use ASCII characters only"),
        ("a * 1e999", "expression-number", 4, "write a finite number"),
        ("1, 2", "expression-refused", 0, "write one number, with a point for decimals"),
    ],
)
def test_it_refuses_all_else_with_a_place_and_a_hint(source: str, code: str, offset: int, hint: str) -> None:
    found = fault(source)
    assert (found.kind.id, found.offset) == (code, offset)
    assert hint in found.hint


@pytest.mark.parametrize(
    "source",
    [
        "9**9**9**9", "4000000**4000000", "(9**4000000)*(9**4000000)", "f'{1:>1000000000}'", "'%1000000000d' % 1",
        "'a'.ljust(1000000000)", "().__class__.__bases__[0].__subclasses__()", "__import__('os').system('true')",
        "open('/etc/passwd')", "rand()", "-" * 5000 + "1", "+".join(["1"] * 900), "(" * 150 + "1" + ")" * 150,
        "a.__class__", "x" * 5000, "1 if " * 60 + "1", "9" * 399,
    ],
)  # fmt: skip
def test_hostile_expressions_end_at_once(source: str) -> None:
    start = time.perf_counter()
    try:
        expression = parse(source)
        if not expression.names:  # a name that the rules do not define is refused when they are read
            with np.errstate(all="ignore"):
                evaluate_expression(expression, {})
    except (ExpressionError, ArithmeticError):
        pass
    assert time.perf_counter() - start < 1  # a hang, not a figure: each takes well under a millisecond


def test_all_errors_of_an_expression_are_reported() -> None:
    with pytest.raises(ExpressionError) as found:
        parse("mni(a, b) + (a ^ 2) + 'x'")
    assert len(found.value.faults) == 3


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("a + 1", Kind.NUMBER),
        ("a > 1", Kind.CONDITION),
        ("known(a) and a > 1", Kind.CONDITION),
        ("1 if c else 2", Kind.NUMBER),
    ],
)
def test_an_expression_gives_a_number_or_a_condition(source: str, kind: Kind) -> None:
    assert infer_kind(parse(source), {"a": Kind.NUMBER, "c": Kind.CONDITION}.get) == (kind, [])


@pytest.mark.parametrize(
    "source", ["c and 5", "c + 1", "1 if a else 2", "not a", "c > 1", "w * 2", "1 if c else a > 1", "sqrt(c)"]
)
def test_numbers_conditions_and_words_cannot_be_mixed(source: str) -> None:
    kinds = {"a": Kind.NUMBER, "c": Kind.CONDITION, "w": Kind.WORD}
    assert [found.kind.id for found in infer_kind(parse(source), kinds.get)[1]] == ["expression-kind"]


@given(st.text(alphabet="ab +-*/()<>=.,0123456789^&|'\"[]{}:ifelsndormax", max_size=60))
def test_any_text_is_an_expression_or_has_faults_inside_it(source: str) -> None:
    faults = faults_of(source)
    assert all(0 <= fault.offset <= len(source) and fault.message for fault in faults)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(-1e6, 1e6))
def test_a_single_row_equals_the_same_row_of_a_batch(column: list[float], other: float) -> None:
    expression = parse("a * 2 + b if a > b else min(a, b) - abs(a)")
    together = np.broadcast_to(evaluate_expression(expression, {"a": np.array(column), "b": other}), (len(column),))
    alone = [float(evaluate_expression(expression, {"a": np.float64(number), "b": other})) for number in column]
    assert together.tolist() == alone
