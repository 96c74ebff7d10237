"""Rules beside the same formulas by hand: in numpy for 1 to a million rows, in other engines for a row and a page.

One thread each. All variants must give the same results before anything is timed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from benchmarks.benches.formulas_by_hand import (
    AXES,
    FIELDS,
    IN_CEL,
    IN_ZEN,
    OUTPUTS,
    PROFILE,
    TABLE_RESULTS,
    Catalogs,
    in_numpy,
)
from benchmarks.harness import Benchmark, Comparison, NotComparable, Setup, Variant
from fitcard.compiler.batch import QuestionBatch, QuestionGrid, QuestionList
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import evaluate
from fitcard.values import ABSENT

SIZES = (1, 100, 10_000, 1_000_000)
SEED = 1
TOLERANCE = 1e-9  # zen-engine computes in decimals
MISSING = "it needs another package: pip install --group bench"
Row = dict[str, dict[str, Any]]


def random_rows(engine: Engine, size: int) -> dict[str, Any]:
    """This many questions: for each axis the rows of entries in its catalog."""
    random = np.random.default_rng(SEED)
    return {axis: random.integers(len(engine.rulebook.catalog_of(axis).ids), size=size) for axis in AXES}


def by_rules(engine: Engine, rows: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of the rules for these rows."""
    columns = evaluate(engine.rules[PROFILE], _batch(engine, rows), OUTPUTS).columns
    return {name: columns[name] for name in OUTPUTS}


def _batch(engine: Engine, rows: Mapping[str, Any]) -> QuestionBatch:
    """The rows as the engine lays them out: one question as a grid, whose columns are scalars, several as a list."""
    fields, size = engine.rulebook.question_fields, len(rows[AXES[0]])
    if size == 1:
        ids = {axis: [engine.rulebook.catalog_of(axis).ids[int(rows[axis][0])]] for axis in AXES}
        return QuestionGrid.of(fields, engine.columns, ids)
    every = {axis: rows.get(axis, np.int64(ABSENT)) for axis in fields.axes}
    return QuestionList(fields, engine.columns, size, every)


def check_same(ours: Mapping[str, Any], others: Mapping[str, Any], engine: str, tolerance: float = TOLERANCE) -> None:
    """Raises NotComparable where results differ: a rule has changed, or a formula by hand is wrong."""
    for name in OUTPUTS:
        if not np.allclose(ours[name], others[name], rtol=tolerance, atol=tolerance):
            difference = np.max(np.abs(np.asarray(ours[name]) - np.asarray(others[name])))
            message = f"`{name}` in {engine} of formulas_by_hand.py differs from the rules by up to {difference:g}"
            raise NotComparable(message)


@contextmanager
def _numpy(setup: Setup, size: int) -> Iterator[Comparison]:
    engine = setup.engine
    catalogs, rows = Catalogs(engine), random_rows(engine, size)
    at = rows if size > 1 else {axis: codes[0] for axis, codes in rows.items()}  # scalars on both sides
    with np.errstate(all="ignore"):
        check_same(by_rules(engine, rows), in_numpy(catalogs, at), "numpy", 1e-12)
        variants = (
            Variant("numpy by hand", lambda: in_numpy(catalogs, at), size, ours=False),
            Variant("rules", lambda: by_rules(engine, rows), size),
        )
        yield Comparison(variants, "row")


def page_rows(engine: Engine) -> dict[str, Any]:
    """The questions of a page: each workload, and each quantization, with the defaults of everything else."""
    rulebook = engine.rulebook
    pinned, axes = rulebook.pinned.questions[0], rulebook.question_fields.axes
    plain = {axis: rulebook.catalog_of(axis).index[pinned.get(axis, axes[axis].default or "")] for axis in AXES}
    varied = [{**plain, axis: at} for axis in ("workload", "quant") for at in range(len(rulebook.catalog_of(axis).ids))]
    return {axis: np.array([row[axis] for row in varied]) for axis in AXES}


def input_rows(engine: Engine, rows: Mapping[str, Any]) -> list[Row]:
    """The inputs of the other engines for each row: the figures that they name, and the results of tables."""
    size = len(rows[AXES[0]])
    fields = {f"{axis}.{name}": (axis, name) for axis, names in FIELDS.items() for name in names}
    questions = engine.rulebook.question_fields
    every = {axis: rows.get(axis, np.int64(ABSENT)) for axis in questions.axes}
    batch = QuestionList(questions, engine.columns, size, every)
    evaluated = evaluate(engine.rules[PROFILE], batch, [*fields, *TABLE_RESULTS, "full_attention_kv_values"])
    from_shape = np.broadcast_to(evaluated.columns["full_attention_kv_values"], (size,))
    inputs = []
    for at in range(size):
        row: Row = {"question": {"users": 1.0, "gpus": 1.0, "context": None, "prompt": None}, "table": {}}
        for field, (axis, name) in fields.items():
            row.setdefault(axis, {})[name] = evaluated.value(field, (at,))
        row["table"] = {name: evaluated.value(name, (at,)) for name in TABLE_RESULTS}
        if row["table"]["kv_values_per_token"] == from_shape[at]:
            row["table"]["kv_values_per_token"] = None  # no row of its own: computed from the shape
        row["table"]["size_per_param"] = _own_row(engine, "size_per_param", "quant", int(rows["quant"][at]))
        inputs.append(row)
    return inputs


def _own_row(engine: Engine, table: str, axis: str, at: int) -> float | None:
    """The row of a table for one entry; None where it has none."""
    rows = engine.rulebook.rule_sets[PROFILE].definitions[table].data["rows"]
    value = rows.get(engine.rulebook.catalog_of(axis).ids[at])
    return None if value is None else float(value)


def decision_graph() -> dict[str, Any]:
    """The formulas as a decision graph of zen-engine: one node of expressions between input and output."""
    expressions = [{"id": name, "key": name, "value": text} for name, text in IN_ZEN.items()]
    middle = {"id": "formulas", "name": "formulas", "type": "expressionNode", "content": {"expressions": expressions}}
    ends = [{"id": name, "name": name, "type": f"{name}Node"} for name in ("input", "output")]
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
        import zen  # noqa: PLC0415 - optional
    except ImportError:
        raise NotComparable(MISSING) from None
    return zen.ZenEngine().create_decision(json.dumps(decision_graph()))


def cel_program() -> Callable[[Row], dict[str, float]]:
    """The formulas as one CEL expression, each bound to its name. Raises NotComparable where CEL is not installed."""
    try:
        from cel_expr_python import cel  # noqa: PLC0415 - optional
        from cel_expr_python.ext import ext_bindings, ext_math  # noqa: PLC0415
    except ImportError:
        raise NotComparable(MISSING) from None
    double, of_any = cel.Type.DOUBLE, cel.Type.DYN
    power = cel.FunctionDecl(
        "pow", [cel.Overload("pow_of_two", return_type=double, parameters=[double, double], impl=lambda a, b: a**b)]
    )
    env = cel.NewEnv(
        variables=dict.fromkeys((*FIELDS, "question", "table"), of_any),
        functions=[power],
        extensions=[ext_bindings.ExtBindings(), ext_math.ExtMath()],
    )
    expression = "{" + ", ".join(f"'{name}': {name}" for name in OUTPUTS) + "}"
    for name, text in reversed(IN_CEL.items()):
        expression = f"cel.bind({name}, {text}, {expression})"
    program = env.compile(expression)
    return lambda row: program.eval(data=row).plain_value()


def as_columns(results: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The outputs of several rows as columns."""
    return {name: np.array([float(result[name]) for result in results]) for name in OUTPUTS}


@contextmanager
def _other_engine(setup: Setup, name: str, *, page: bool) -> Iterator[Comparison]:
    engine = setup.engine
    rows = page_rows(engine)
    if not page:
        rows = {axis: codes[:1] for axis, codes in rows.items()}
    inputs = input_rows(engine, rows)
    if name == "zen-engine":
        decision = zen_decision()
        run = lambda: [decision.evaluate(row)["result"] for row in inputs]  # noqa: E731
    else:
        program = cel_program()
        run = lambda: [program(row) for row in inputs]  # noqa: E731
    check_same(by_rules(engine, rows), as_columns(run()), name)

    def rules() -> dict[str, Any]:
        return {output: column.tolist() for output, column in by_rules(engine, rows).items()}

    variants = (Variant(name, run, len(inputs), ours=False), Variant("rules", rules, len(inputs)))
    yield Comparison(variants, "row")


def _beside(short: str, name: str, size: str) -> Benchmark:
    set_up = partial(_other_engine, name=name, page=size == "page")
    return Benchmark(f"{short}-{size}", f"rules beside {name}, a {size}", set_up, optional=True)


BENCHMARKS = (
    *(
        Benchmark(f"formulas-{size}", f"rules beside numpy by hand, {size:,} rows", partial(_numpy, size=size))
        for size in SIZES
    ),
    *(
        _beside(*engine, size)
        for engine in (("zen", "zen-engine"), ("cel", "cel-expr-python"))
        for size in ("row", "page")
    ),
)
