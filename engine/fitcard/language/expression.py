"""Expressions: the small language of formulas, read once and checked before anything runs.

Numbers, names, `namespace.field`, + - * / // % **, comparisons, and / or / not, `a if condition else b`, and calls of
the functions in `functions.py`. Everything else is refused here, with what to write instead, so that the evaluator
only ever meets trees that are safe: no attributes, no text, no big integers, nothing long or deep.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from fitcard.language.functions import FUNCTIONS
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.suggest import closest, did_you_mean

OPERATIONS: dict[type[ast.operator], Callable[[float, float], object]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip


def non_finite_constants(tree: ast.expr) -> Iterator[ast.expr]:
    """The innermost parts of a checked tree that come to infinity or to no number, such as `4000000 ** 4000000`.

    They are computed in floats, which takes no time however large they are.
    """
    found: list[ast.expr] = []
    _value(tree, found)
    yield from found


def _value(node: ast.expr, found: list[ast.expr]) -> float | None:
    """What a part comes to; None where that depends on a name, or where it was found wanting."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant():
            return float(str(node.value))
        case ast.UnaryOp(op=ast.USub()):
            value = _value(node.operand, found)
            return None if value is None else -value
        case ast.BinOp():
            left, right = _value(node.left, found), _value(node.right, found)
            if left is None or right is None:
                return None
            try:
                result = OPERATIONS[type(node.op)](left, right)
            except ArithmeticError:
                result = math.nan
            if isinstance(result, float) and math.isfinite(result):  # a root of less than 0 is no float
                return result
            found.append(node)
            return None
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr):
            _value(part, found)
    return None


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


MAX_LENGTH = 400
MAX_NODES = 200
MAX_DEPTH = 30

OTHER_LANGUAGES = {
    "?": ("?", "write `a if condition else b`"),
    "&&": ("&&", "use `and`"),
    "||": ("||", "use `or`"),
    "\\": ("\\", "formulas may span several lines without it"),
    ";": (";", "write a separate formula"),
    "$": ("$", "write the plain name"),
}
GLUED = re.compile(
    r"(?<![\w.])\d[\d_.]*(?:[eE][-+]?\d+)?(?=(?:and|or|not|if|else|in|is|for)\b)"
)  # Python takes it so, with a warning
LANGUAGE = (
    "the language has numbers, names, `+ - * / // % **`, comparisons, `and or not`, `a if c else b` and functions"
)
WORD = r"(?!(?:and|or|not|if|else)\b)[A-Za-z_0-9.]+"
SIDE_BY_SIDE = re.compile(rf"(\b{WORD}|\))(\s+)(?={WORD})")  # two values with nothing but space between them

ALLOWED = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Constant, ast.Load,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Not,
    ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
)  # fmt: skip
REFUSED: dict[type[ast.AST], tuple[str, str]] = {
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
    """What is wrong with an expression, `offset` characters into its text."""

    kind: type[ProblemCode]
    message: str
    offset: int
    hint: str = ""
    closest: tuple[str, ...] = ()

    def problem(self, document: Document, path: Path) -> Problem:
        """The fault as a problem of the expression at `path`."""
        return document.problem(self.kind, self.message, path, offset=self.offset, hint=self.hint, closest=self.closest)


class ExpressionError(Exception):
    """Raised by `parse` with every fault that was found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


@dataclass(frozen=True)
class Expression:
    """A checked tree. `names` are all that it reads, in order, dotted ones whole: `device.bandwidth`."""

    source: str
    tree: ast.expr
    names: tuple[str, ...]

    def part(self, node: ast.expr) -> Expression:
        """A part of the tree as an expression of its own."""
        return Expression(self.source, node, _names(node))

    @cached_property
    def conditions(self) -> tuple[Expression, ...]:
        """What stands between `if` and `else`, wherever it stands, each as a part of the tree."""
        if "if" not in self.source:
            return ()
        return tuple(self.part(node.test) for node in ast.walk(self.tree) if isinstance(node, ast.IfExp))

    @cached_property
    def written(self) -> str:
        """The tree as it is written, on one line."""
        return text_of_node(self.source, self.tree)

    def offset_of(self, name: str) -> int:
        """Where `name` first stands in the text; 0 where it does not."""
        return self._offsets.get(name, 0)

    @cached_property
    def _offsets(self) -> dict[str, int]:
        """Where each name first stands."""
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, ast.Name)]
        last_first = sorted(((offset_of_node(self.source, node), node.id) for node in nodes), reverse=True)
        return {name: offset for offset, name in last_first}


def parse(source: str) -> Expression:
    """The expression in `source`. Raises ExpressionFaults with all that is wrong with it."""
    if fault := _text_fault(source):
        raise ExpressionError([fault])
    try:
        tree = ast.parse(_in_brackets(source), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError([_syntax_fault(source, error)]) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(
            [Fault(ExpressionTooDeep, f"nested deeper than {MAX_DEPTH} levels", 0, "split it")]
        ) from None
    faults = _limits(source, tree)
    if not faults:
        tree = _Names().visit(tree)
        faults = list(_faults(source, tree))
    if not faults:
        message, hint = "the result is not a finite number", "write a finite number"
        endless = non_finite_constants(tree)
        faults = [Fault(ExpressionNumber, message, offset_of_node(source, part), hint) for part in endless]
    if faults:
        raise ExpressionError(faults)
    return Expression(source, _Floats().visit(tree), _names(tree))


def _names(tree: ast.expr) -> tuple[str, ...]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in FUNCTIONS}
    return tuple(sorted(names))


class _Names(ast.NodeTransformer):
    """`device.bandwidth` becomes one name, so that nothing is ever looked up inside a value."""

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


class _Floats(ast.NodeTransformer):
    """Every number a float: integers of any size would be an attack on time and memory."""

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
    """What is wrong at `node` and below it; nothing is said about the inside of what is refused."""
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
    given = len(node.args)
    if given < function.min_arguments or (function.max_arguments is not None and given > function.max_arguments):
        wanted = (
            f"{function.min_arguments} or more"
            if function.max_arguments is None
            else " or ".join(map(str, sorted({function.min_arguments, function.max_arguments})))
        )
        message = f"`{node.func.id}` takes {wanted} arguments, not {given}"
        yield Fault(ExpressionArity, message, at, f"{node.func.id}: {function.about}")


def _text_fault(source: str) -> Fault | None:
    """What can be told from the text alone, before it is parsed."""
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
    for written, (what, hint) in OTHER_LANGUAGES.items():
        if written in source:
            message = f"`{what}` is not allowed in an expression"
            return Fault(ExpressionSyntax, message, source.index(written), hint)
    if single := re.search(r"(?<![<>=!:])=(?!=)", source):
        hint = "use `==` to compare; the name of the formula is its key"
        return Fault(ExpressionSyntax, "`=` is not allowed in an expression", single.start(), hint)
    if glued := GLUED.search(source):
        return Fault(ExpressionSyntax, "a word directly follows a number", glued.end(), "add a space between them")
    return _bracket_fault(source)


def _bracket_fault(source: str) -> Fault | None:
    """A bracket without its partner; by hand, since the parser sees the text in brackets and lets `a) + (b` pass."""
    waiting: list[int] = []
    for at, character in enumerate(source):
        if character == "(":
            waiting.append(at)
        elif character == ")" and waiting:
            waiting.pop()
        elif character == ")":
            return Fault(ExpressionSyntax, "unmatched closing parenthesis", at, "check the parentheses")
    return Fault(ExpressionSyntax, "unclosed parenthesis", waiting[-1], "check the parentheses") if waiting else None


def _syntax_fault(source: str, error: SyntaxError) -> Fault:
    line, column = error.lineno or 1, error.offset or 1
    at = _start_of_line(source, line) + column - (2 if line == 1 else 1)
    at = max(0, min(at, len(source.rstrip()) - 1))
    message, hint = (error.msg or "it cannot be parsed").split(". ")[0], LANGUAGE
    if source.rstrip()[-1:] in "+-*/%<>=":
        message, hint = "the expression is incomplete", "complete the expression"
    elif pair := SIDE_BY_SIDE.search(source):
        at = pair.end(1) + len(pair[2])
        message, hint = "two values without an operator between them", "add an operator"
    return Fault(ExpressionSyntax, message, at, hint)


def _start_of_line(source: str, line: int) -> int:
    return sum(len(text) + 1 for text in source.split("\n")[: line - 1])


def offset_of_node(source: str, node: ast.AST) -> int:
    """Characters into `source` at which a node starts; the tree was parsed with one bracket before it."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 1)
    return max(0, _start_of_line(source, line) + column - (1 if line == 1 else 0))


def text_of_node(source: str, node: ast.AST) -> str:
    """A node as it is written, on one line."""
    return " ".join((ast.get_source_segment(_in_brackets(source), node) or "").split())


def _in_brackets(source: str) -> str:
    """What is parsed: in brackets, so that it may run over several lines."""
    return f"({source}\n)"


def _operator_offset(source: str, node: ast.AST) -> int:
    """Where the operator of `a + b` stands: the first mark after its left side."""
    left = getattr(node, "left", node)
    line, column = getattr(left, "end_lineno", 1), getattr(left, "end_col_offset", 1)
    at = _start_of_line(source, line) + column - (1 if line == 1 else 0)
    while source[at : at + 1] in (" ", ")", "\n"):
        at += 1
    return at
