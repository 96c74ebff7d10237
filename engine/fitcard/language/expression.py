"""Expressions, the language of formulas: parsed once, against an allow-list.

The language has numbers, names, `namespace.field`, + - * / // % **, comparisons, and / or / not,
`a if condition else b`, and calls of the functions in `functions.py`. All other syntax is rejected with a hint, so
that the compiler only gets safe trees: no attributes, no text, no integers of unlimited size, limited length and depth.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fitcard.language.functions import FUNCTIONS
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.suggest import closest, did_you_mean


class ExpressionEmpty(ProblemCode):
    """An expression is empty.

    Why: a formula without an expression has no value.
    Avoid: `expr: " "`
    Prefer: `expr: weights + kv_cache + runtime_memory`
    """


class ExpressionTooLong(ProblemCode):
    """An expression has more than 400 characters.

    Why: it cannot be reviewed.
    Avoid: the whole of `decode_tok_s` in a single expression
    Prefer: a formula per step, such as `reading_time` and `context_time`, each with a name, a unit and a description.
    """


class ExpressionTooDeep(ProblemCode):
    """An expression has more than 200 parts or 30 levels of nesting.

    Why: it cannot be reviewed, and evaluating hostile input of that kind could exhaust the stack.
    Avoid: parentheses nested many levels deep
    Prefer: a formula per step, each with a name, a unit and a description.
    """


class ExpressionCharacter(ProblemCode):
    """An expression contains a character that is not ASCII, such as a typographic minus sign or a non-breaking space.

    Why: such characters look like operators but are not.
    Avoid: a dash, a multiplication sign or a dot copied from a paper
    Prefer: `a - b`, `a * b`
    """


class ExpressionSyntax(ProblemCode):
    """An expression cannot be parsed. The caret marks where parsing stopped.

    Why: a parenthesis, an operator or an operand is missing, or the syntax is that of another language.
    Avoid: `a > 1 ? b : c`, `(a + b`, `a = b`
    Prefer: `b if a > 1 else c`, `(a + b)`, `a == b`
    """


class ExpressionRefused(ProblemCode):
    """An expression uses something outside the expression language. The hint says what to write instead.

    Why: the language has numbers, names, operators and functions only, so that rules are harmless and can be checked.
    Avoid: `model.layers ^ 2`, `model["layers"]`, `"F16"`, `[x for x in y]`
    Prefer: `model.layers ** 2`, `model.layers`, a lookup table for words; formulas already apply to all rows.
    """


class ExpressionNumber(ProblemCode):
    """A number, or an expression of numbers only, is infinite or not a number.

    Why: answers must hold finite numbers only.
    Avoid: `weights / 1e999`, `4000000 ** 4000000`, `1 / 0`
    Prefer: a finite number, in a unit that keeps it small.
    """


class ExpressionFunctionValue(ProblemCode):
    """A function is used without being called.

    Why: a function itself has no value.
    Avoid: `min * 2`
    Prefer: `min(tokens, model.window) * 2`
    """


class ExpressionUnknownFunction(ProblemCode):
    """There is no function with that name.

    Why: only the listed functions can be called.
    Avoid: `minimum(tokens, model.window)`
    Prefer: `min(tokens, model.window)`
    """


class ExpressionArity(ProblemCode):
    """A function is called with too few or too many arguments.

    Why: the result is undefined.
    Avoid: `clamp(speed_points, 100)`
    Prefer: `clamp(speed_points, 0, 100)`
    """


MAX_LENGTH = 400  # characters
MAX_NODES = 200
MAX_DEPTH = 30

OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], object]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip

OTHER_LANGUAGES = {  # hints, by tokens of other languages
    "?": "write `a if condition else b`",
    "&&": "use `and`",
    "||": "use `or`",
    "\\": "formulas may span several lines without it",
    ";": "write a separate formula",
    "$": "write the plain name",
}
NUMBER_BEFORE_KEYWORD = re.compile(  # such as `1if`, which Python parses with a warning
    r"(?<![\w.])\d[\d_.]*(?:[eE][-+]?\d+)?(?=(?:and|or|not|if|else|in|is|for)\b)"
)
LANGUAGE = (
    "the language has numbers, names, `+ - * / // % **`, comparisons, `and or not`, `a if c else b` and functions"
)
LETTER = re.compile(r"[\d_.]?[A-Za-z]")  # after the end of a number
OPERAND = r"(?!(?:and|or|not|if|else)\b)[A-Za-z_0-9.]+"
ADJACENT_OPERANDS = re.compile(rf"(\b{OPERAND}|\))(\s+)(?={OPERAND})")  # separated by spaces only
MISSING_OPERATOR = "two values without an operator between them", "add an operator"

ALLOWED = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Constant, ast.Load,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Not,
    ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
)  # fmt: skip
REFUSED: dict[type[ast.AST], tuple[str, str]] = {  # what it is, and the hint
    ast.BitXor: ("`^`", "use `**` for a power"),
    ast.BitAnd: ("`&`", "use `and`"),
    ast.BitOr: ("`|`", "use `or`"),
    ast.Invert: ("`~`", "use `not`"),
    ast.LShift: ("`<<`", "multiply by a power: `* 2 ** n`"),
    ast.RShift: ("`>>`", "divide by a power: `/ 2 ** n`"),
    ast.MatMult: ("`@`", "use `*`"),
    ast.Is: ("`is`", "use `==`"),
    ast.IsNot: ("`is not`", "use `!=`"),
    ast.In: ("`in`", "compare with `==`, or use a lookup table"),
    ast.NotIn: ("`not in`", "compare with `!=`, or use a lookup table"),
    ast.JoinedStr: ("text", "words belong in a lookup table"),
    ast.Attribute: ("an attribute of a value", "only `namespace.field` has a dot"),
    ast.Subscript: ("`[ ]`", "write the field with a dot: `axis.field`"),
    ast.List: ("a list", "write the numbers out, or use a table"),
    ast.Tuple: ("a comma outside a call", "write one number, with a point for decimals"),
    ast.Dict: ("a map", "use a lookup table"),
    ast.Set: ("a set", "use a lookup table"),
    ast.Lambda: ("`lambda`", "write a separate formula"),
    ast.NamedExpr: ("`:=`", "write a separate formula"),
    ast.Starred: ("`*` before a name", "write the arguments out"),
    ast.keyword: ("a named argument", "give the arguments in order"),
    ast.ListComp: ("a loop", "formulas already apply to all rows"),
    ast.SetComp: ("a loop", "formulas already apply to all rows"),
    ast.DictComp: ("a loop", "formulas already apply to all rows"),
    ast.GeneratorExp: ("a loop", "formulas already apply to all rows"),
    ast.Await: ("`await`", "write a formula"),
    ast.Yield: ("`yield`", "write a formula"),
    ast.YieldFrom: ("`yield`", "write a formula"),
}


@dataclass(frozen=True)
class Fault:
    """An error in an expression, `offset` characters into its source."""

    kind: type[ProblemCode]
    message: str
    offset: int
    hint: str = ""
    closest: tuple[str, ...] = ()

    def problem(self, document: Document, path: Path) -> Problem:
        """The fault as a problem of the expression at `path` in the document."""
        return document.problem(self.kind, self.message, path, offset=self.offset, hint=self.hint, closest=self.closest)


class ExpressionError(Exception):
    """Raised by `parse` with all faults of an expression."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


@dataclass(frozen=True)
class Expression:
    """A checked tree. `names` are all names that it reads, sorted, with their namespace: `device.bandwidth`."""

    source: str
    tree: ast.expr
    names: tuple[str, ...]

    def part(self, node: ast.expr) -> Expression:
        """A subtree as an expression."""
        return Expression(self.source, node, _names(node))

    @cached_property
    def conditions(self) -> tuple[Expression, ...]:
        """The conditions between `if` and `else`, at any depth."""
        if "if" not in self.source:
            return ()
        return tuple(self.part(node.test) for node in ast.walk(self.tree) if isinstance(node, ast.IfExp))

    @cached_property
    def text(self) -> str:
        """The source of the tree, on one line."""
        return text_of_node(self.source, self.tree)

    def offset_of(self, name: str) -> int:
        """The offset of the first occurrence of `name` in the source; 0 if there is none."""
        return self._offsets.get(name, 0)

    @cached_property
    def _offsets(self) -> dict[str, int]:
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.Name)]
        last_first = sorted(((offset_of_node(self.source, node), node.id) for node in nodes), reverse=True)
        return {name: offset for offset, name in last_first}


def parse(source: str) -> Expression:
    """The expression in `source`. Raises ExpressionError with all of its faults."""
    if fault := _text_fault(source):
        raise ExpressionError([fault])
    try:
        tree = ast.parse(_in_parentheses(source), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError([_syntax_fault(source, error)]) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(
            [Fault(ExpressionTooDeep, f"nested deeper than {MAX_DEPTH} levels", 0, "split it")]
        ) from None
    faults = _limits(source, tree)
    if not faults:
        tree = _MergeDottedNames().visit(tree)
        faults = list(_faults(source, tree))
    if not faults:
        message, hint = "the result is not a finite number", "write a finite number"
        non_finite: list[ast.expr] = []
        _fold(tree, non_finite)
        faults = [Fault(ExpressionNumber, message, offset_of_node(source, part), hint) for part in non_finite]
    if faults:
        raise ExpressionError(faults)
    return Expression(source, _IntegersToFloats().visit(tree), _names(tree))


def _names(tree: ast.expr) -> tuple[str, ...]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in FUNCTIONS}
    return tuple(sorted(names))


class _MergeDottedNames(ast.NodeTransformer):
    """Turns `device.bandwidth` into one name, so that no attribute of a value is ever read."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        parts: list[str] = [node.attr]
        inner: ast.expr = node.value
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.generic_visit(node)
            return node
        return ast.copy_location(ast.Name(".".join([inner.id, *reversed(parts)]), ast.Load()), node)


class _IntegersToFloats(ast.NodeTransformer):
    """Turns every number into a float: integers of unlimited size could exhaust time and memory."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, int):
            return node
        return ast.copy_location(ast.Constant(float(node.value)), node)


def _limits(source: str, tree: ast.expr) -> list[Fault]:
    depth: dict[ast.AST, int] = {tree: 0}
    for count, node in enumerate(ast.walk(tree), 1):
        for child in ast.iter_child_nodes(node):
            depth[child] = depth[node] + 1
        if count > MAX_NODES or depth[node] > MAX_DEPTH:
            message = f"more than {MAX_NODES} parts or {MAX_DEPTH} levels"
            return [Fault(ExpressionTooDeep, message, offset_of_node(source, node), "split it into several formulas")]
    return []


def _faults(source: str, node: ast.AST, at: int = 0) -> Iterator[Fault]:
    """The faults of `node` and its descendants, except below a node that is rejected itself."""
    at = offset_of_node(source, node) if hasattr(node, "col_offset") else at
    if isinstance(node, ast.Call):
        yield from _call_faults(node, at)
        for argument in (*node.args, *node.keywords):
            yield from _faults(source, argument, at)
    elif isinstance(node, ast.Name):
        if node.id in FUNCTIONS:
            yield Fault(ExpressionFunctionValue, f"`{node.id}` is a function", at, f"call it: `{node.id}(...)`")
    elif isinstance(node, ast.Constant):
        yield from _constant_faults(node, at)
    elif not isinstance(node, ALLOWED):
        what, hint = REFUSED.get(type(node), (type(node).__name__, "use arithmetic, comparisons and functions"))
        yield Fault(ExpressionRefused, f"{what} is not part of the language", at, hint)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _faults(
                source, child, _operator_offset(source, node) if isinstance(child, ast.operator | ast.cmpop) else at
            )


def _constant_faults(node: ast.Constant, at: int) -> Iterator[Fault]:
    if isinstance(node.value, bool):
        return
    if isinstance(node.value, complex):  # such as `5J`
        message, hint = MISSING_OPERATOR
        yield Fault(ExpressionSyntax, message, at + (node.end_col_offset or 0) - node.col_offset - 1, hint)
        return
    if not isinstance(node.value, int | float):
        what, hint = (
            ("text", "words belong in a lookup table") if isinstance(node.value, str) else ("this", "write a number")
        )
        yield Fault(ExpressionRefused, f"{what} is not part of the language", at, hint)
        return
    try:
        finite = math.isfinite(float(node.value))
    except OverflowError:
        finite = False
    if not finite:
        yield Fault(ExpressionNumber, "the number is too large", at, "write a finite number")


def _fold(node: ast.expr, non_finite: list[ast.expr]) -> float | None:
    """The value of a constant subtree; None where it depends on a name.

    Adds the innermost nodes that are infinite or NaN, such as `4000000 ** 4000000`, to `non_finite`. Values are
    computed in floats, which is fast for numbers of any size.
    """
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant():
            return float(str(node.value))
        case ast.UnaryOp(op=ast.USub()):
            value = _fold(node.operand, non_finite)
            return None if value is None else -value
        case ast.BinOp():
            left, right = _fold(node.left, non_finite), _fold(node.right, non_finite)
            if left is None or right is None:
                return None
            try:
                result = OPERATIONS[type(node.op)](left, right)
            except ArithmeticError:
                result = math.nan
            if isinstance(result, float) and math.isfinite(result):  # a root of a negative number is complex
                return result
            non_finite.append(node)
            return None
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr):
            _fold(part, non_finite)
    return None


def _call_faults(node: ast.Call, at: int) -> Iterator[Fault]:
    if not isinstance(node.func, ast.Name):
        yield Fault(ExpressionRefused, "only functions can be called", at, f"the functions are: {', '.join(FUNCTIONS)}")
        return
    function = FUNCTIONS.get(node.func.id)
    if function is None:
        near = closest(node.func.id, FUNCTIONS)
        hint = did_you_mean(near) or f"the functions are: {', '.join(FUNCTIONS)}"
        yield Fault(ExpressionUnknownFunction, f"there is no function `{node.func.id}`", at, hint, near)
        return
    count, minimum, maximum = len(node.args), function.min_arguments, function.max_arguments
    if count < minimum or (maximum is not None and count > maximum):
        arity = f"{minimum} or more" if maximum is None else " or ".join(map(str, sorted({minimum, maximum})))
        message = f"`{node.func.id}` takes {arity} arguments, not {count}"
        yield Fault(ExpressionArity, message, at, f"{node.func.id}: {function.about}")


def _text_fault(source: str) -> Fault | None:
    """The first fault of the text, before it is parsed; None without one."""
    if len(source) > MAX_LENGTH:
        hint = "split it into several formulas"
        return Fault(ExpressionTooLong, f"longer than {MAX_LENGTH} characters", 0, hint)
    if not source.strip():
        return Fault(ExpressionEmpty, "the expression is empty", 0, "write a formula")
    for at, character in enumerate(source):
        if not (character.isascii() and (character.isprintable() or character in "\n\t")):
            return Fault(
                ExpressionCharacter, f"the character {character!r} is not allowed", at, "use ASCII characters only"
            )
    for token, hint in OTHER_LANGUAGES.items():
        if token in source:
            message = f"`{token}` is not allowed in an expression"
            return Fault(ExpressionSyntax, message, source.index(token), hint)
    if assignment := re.search(r"(?<![<>=!:])=(?!=)", source):
        hint = "use `==` to compare; the name of the formula is its key"
        return Fault(ExpressionSyntax, "`=` is not allowed in an expression", assignment.start(), hint)
    if number := NUMBER_BEFORE_KEYWORD.search(source):
        return Fault(ExpressionSyntax, "a word directly follows a number", number.end(), "add a space between them")
    return _parenthesis_fault(source)


def _parenthesis_fault(source: str) -> Fault | None:
    """An unmatched parenthesis; the parser gets the source in parentheses, and would accept `a) + (b`."""
    opened: list[int] = []
    for at, character in enumerate(source):
        if character == "(":
            opened.append(at)
        elif character == ")" and opened:
            opened.pop()
        elif character == ")":
            return Fault(ExpressionSyntax, "unmatched closing parenthesis", at, "check the parentheses")
    return Fault(ExpressionSyntax, "unclosed parenthesis", opened[-1], "check the parentheses") if opened else None


def _syntax_fault(source: str, error: SyntaxError) -> Fault:
    line, column = error.lineno or 1, error.offset or 1
    at = _start_of_line(source, line) + column - (2 if line == 1 else 1)
    at = max(0, min(at, len(source.rstrip()) - 1))
    message, hint = (error.msg or "it cannot be parsed").split(". ")[0], LANGUAGE
    if source.rstrip()[-1:] in "+-*/%<>=":
        message, hint = "the expression is incomplete", "complete the expression"
    elif pair := ADJACENT_OPERANDS.search(source):
        at, (message, hint) = pair.end(), MISSING_OPERATOR
    elif message.endswith("literal") and (word := LETTER.match(source, at)):  # such as `5GB`
        at, (message, hint) = word.end() - 1, MISSING_OPERATOR
    return Fault(ExpressionSyntax, message, at, hint)


def _start_of_line(source: str, line: int) -> int:
    return sum(len(text) + 1 for text in source.split("\n")[: line - 1])


def offset_of_node(source: str, node: ast.AST) -> int:
    """The offset in `source` at which a node starts; the tree was parsed with one parenthesis before it."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 1)
    return max(0, _start_of_line(source, line) + column - (1 if line == 1 else 0))


def text_of_node(source: str, node: ast.AST) -> str:
    """The source of a node, on one line."""
    return " ".join((ast.get_source_segment(_in_parentheses(source), node) or "").split())


def _in_parentheses(source: str) -> str:
    """The source as it is parsed: in parentheses it may span several lines."""
    return f"({source}\n)"


def _operator_offset(source: str, node: ast.AST) -> int:
    """The offset of the operator of `a + b`: the first character after the left operand but spaces and parentheses."""
    left = getattr(node, "left", node)
    line, column = getattr(left, "end_lineno", 1), getattr(left, "end_col_offset", 1)
    at = _start_of_line(source, line) + column - (1 if line == 1 else 0)
    while source[at : at + 1] in (" ", ")", "\n"):
        at += 1
    return at
