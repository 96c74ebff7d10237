"""Rules against the same formulas by hand: numpy from one question to a million, other engines for a row and a page.

One thread each. What they give is checked to be the same before anything is timed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from by_hand import AXES, FIELDS, GIVEN, IN_CEL, IN_ZEN, OUTPUTS, PROFILE, Catalogs, in_numpy
from suite.contest import Bench, Contest, NotComparable, Setting, Variant

from fitcard.compiler.batch import QuestionBatch, QuestionGrid, QuestionList
from fitcard.compiler.evaluation import evaluate
from fitcard.rulebook.rulebook import Rulebook
from fitcard.values import ABSENT

SIZES = (1, 100, 10_000, 1_000_000)
SEED = 1
LAST_DIGITS = 1e-9  # zen-engine counts in decimals
Row = dict[str, dict[str, Any]]


def rows_by_lot(rulebook: Rulebook, size: int) -> dict[str, Any]:
    """So many questions: for each axis the row of an entry in its catalog."""
    lot = np.random.default_rng(SEED)
    return {axis: lot.integers(len(rulebook.catalog_of(axis).ids), size=size) for axis in AXES}


def by_rules(rulebook: Rulebook, rows: Mapping[str, Any]) -> dict[str, Any]:
    """What the engine gives for these rows, from nothing but their numbers."""
    size = len(rows[AXES[0]])
    found = evaluate(rulebook.rule_sets[PROFILE], _questions(rulebook, rows, size), OUTPUTS)
    return {name: found.columns[name] for name in OUTPUTS}


def _questions(rulebook: Rulebook, rows: Mapping[str, Any], size: int) -> QuestionBatch:
    """As the engine lays them out: one question as a grid, whose columns are single numbers, several as a list."""
    question_fields, catalogs = rulebook.question_fields, rulebook.catalogs
    if size == 1:
        return QuestionGrid.of(
            question_fields, catalogs, {axis: [rulebook.catalog_of(axis).ids[int(rows[axis][0])]] for axis in AXES}
        )
    every = {axis: rows.get(axis, np.int64(ABSENT)) for axis in question_fields.axes}
    return QuestionList(question_fields, catalogs, size, every)


def check_same(ours: Mapping[str, Any], others: Mapping[str, Any], whose: str, within: float = LAST_DIGITS) -> None:
    """Raises NotComparable where the others are not the same: then a rule has changed, or what is by hand is wrong."""
    for name in OUTPUTS:
        if not np.allclose(ours[name], others[name], rtol=within, atol=within):
            far = np.max(np.abs(np.asarray(ours[name]) - np.asarray(others[name])))
            raise NotComparable(f"`{name}` in {whose} of by_hand.py is not what the rules give: {far:g} apart at most")


@contextmanager
def _numpy(setting: Setting, size: int) -> Iterator[Contest]:
    rulebook = setting.rulebook
    catalogs, rows = Catalogs(rulebook), rows_by_lot(rulebook, size)
    at = rows if size > 1 else {axis: codes[0] for axis, codes in rows.items()}  # single numbers on both sides
    with np.errstate(all="ignore"):
        check_same(by_rules(rulebook, rows), in_numpy(catalogs, at), "numpy", 1e-12)
        variants = (
            Variant("numpy by hand", lambda: in_numpy(catalogs, at), size, ours=False),
            Variant("rules", lambda: by_rules(rulebook, rows), size),
        )
        yield Contest(variants, "row")


def page_of(rulebook: Rulebook) -> dict[str, Any]:
    """The questions of a page: each workload, and each quantization, with the defaults of all else."""
    pinned = rulebook.pinned.questions[0]
    axes = rulebook.question_fields.axes
    plain = {axis: rulebook.catalog_of(axis).index[pinned.get(axis, axes[axis].default or "")] for axis in AXES}
    varied = [{**plain, axis: at} for axis in ("workload", "quant") for at in range(len(rulebook.catalog_of(axis).ids))]
    return {axis: np.array([one[axis] for one in varied]) for axis in AXES}


def inputs_of(rulebook: Rulebook, rows: Mapping[str, Any]) -> list[Row]:
    """What the other engines are told of each row: the figures that it names, and what tables give for them."""
    rules, size = rulebook.rule_sets[PROFILE], len(rows[AXES[0]])
    fields = {f"{axis}.{name}": (axis, name) for axis, names in FIELDS.items() for name in names}
    every = {axis: rows.get(axis, np.int64(ABSENT)) for axis in rulebook.question_fields.axes}
    questions = QuestionList(rulebook.question_fields, rulebook.catalogs, size, every)
    found = evaluate(rules, questions, [*fields, *GIVEN])
    from_shape = evaluate(rules, questions, ["full_attention_kv_values"]).columns["full_attention_kv_values"]
    rows_told = []
    for at in range(size):
        row: Row = {"question": {"users": 1.0, "gpus": 1.0, "context": None, "prompt": None}, "table": {}}
        for field, (axis, name) in fields.items():
            row.setdefault(axis, {})[name] = found.value(field, (at,))
        row["table"] = {name: found.value(name, (at,)) for name in GIVEN}
        if row["table"]["kv_values_per_token"] == np.broadcast_to(from_shape, (size,))[at]:
            row["table"]["kv_values_per_token"] = None  # no row of its own: worked out from the shape
        row["table"]["size_per_param"] = _own(rulebook, "size_per_param", "quant", int(rows["quant"][at]))
        rows_told.append(row)
    return rows_told


def _own(rulebook: Rulebook, table: str, axis: str, at: int) -> float | None:
    """What the table says of an entry by itself."""
    rows = rulebook.rule_sets[PROFILE].definitions[table].data["rows"]
    found = rows.get(rulebook.catalog_of(axis).ids[at])
    return None if found is None else float(found)


def graph() -> dict[str, Any]:
    """The formulas as a decision graph of zen-engine: a node of expressions between what comes in and goes out."""
    expressions = [{"id": name, "key": name, "value": text} for name, text in IN_ZEN.items()]
    middle = {"id": "formulas", "name": "formulas", "type": "expressionNode", "content": {"expressions": expressions}}
    ends = [{"id": f"{one}put", "name": f"{one}put", "type": f"{one}putNode"} for one in ("in", "out")]
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [{**node, "position": {"x": 0, "y": 0}} for node in (ends[0], middle, ends[1])],
        "edges": [
            {"id": "first", "sourceId": "input", "targetId": "formulas", "type": "edge"},
            {"id": "second", "sourceId": "formulas", "targetId": "output", "type": "edge"},
        ],
    }


def zen_decision() -> Any:
    """The decision. Raises NotComparable where zen-engine is not installed."""
    try:
        import zen  # noqa: PLC0415 - an extra
    except ImportError:
        raise NotComparable("it needs one more package: pip install --group bench") from None
    return zen.ZenEngine().create_decision(json.dumps(graph()))


def cel_program() -> Callable[[Row], dict[str, float]]:
    """The formulas as one expression of CEL, each bound to its name. Raises NotComparable where it is not installed."""
    try:
        from cel_expr_python import cel  # noqa: PLC0415 - an extra
        from cel_expr_python.ext import ext_bindings, ext_math  # noqa: PLC0415
    except ImportError:
        raise NotComparable("it needs one more package: pip install --group bench") from None
    double, of_any = cel.Type.DOUBLE, cel.Type.DYN
    power = cel.FunctionDecl(
        "pow", [cel.Overload("pow_of_two", return_type=double, parameters=[double, double], impl=lambda a, b: a**b)]
    )
    names = (*FIELDS, "question", "table")
    env = cel.NewEnv(
        variables=dict.fromkeys(names, of_any),
        functions=[power],
        extensions=[ext_bindings.ExtBindings(), ext_math.ExtMath()],
    )
    whole = "{" + ", ".join(f"'{name}': {name}" for name in OUTPUTS) + "}"
    for name, text in reversed(IN_CEL.items()):
        whole = f"cel.bind({name}, {text}, {whole})"
    program = env.compile(whole)
    return lambda row: program.eval(data=row).plain_value()


def together(found: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Outputs of one row after another as columns."""
    return {name: np.array([float(one[name]) for one in found]) for name in OUTPUTS}


@contextmanager
def _others(setting: Setting, whose: str, *, page: bool) -> Iterator[Contest]:
    rulebook = setting.rulebook
    rows = page_of(rulebook)
    if not page:
        rows = {axis: codes[:1] for axis, codes in rows.items()}
    inputs = inputs_of(rulebook, rows)
    if whose == "zen-engine":
        decision = zen_decision()
        run = lambda: [decision.evaluate(row)["result"] for row in inputs]  # noqa: E731
    else:
        program = cel_program()
        run = lambda: [program(row) for row in inputs]  # noqa: E731
    check_same(by_rules(rulebook, rows), together(run()), whose)

    def rules() -> dict[str, Any]:
        return {name: column.tolist() for name, column in by_rules(rulebook, rows).items()}

    variants = (Variant(whose, run, len(inputs), ours=False), Variant("rules", rules, len(inputs)))
    yield Contest(variants, "row")


BENCHES = (
    *(
        Bench(f"formulas-{size}", f"rules beside numpy by hand, {size:,} rows", partial(_numpy, size=size))
        for size in SIZES
    ),
    *(
        Bench(f"{name}-{what}", f"rules beside {whose}, a {what}", partial(_others, whose=whose, page=page), True)
        for name, whose in (("zen", "zen-engine"), ("cel", "cel-expr-python"))
        for what, page in (("row", False), ("page", True))
    ),
)
