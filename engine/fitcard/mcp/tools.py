"""The tools: each is one function, whose docstring and types a client sees.

Types of arguments are aliases with the description for the language model. Choices, bounds and defaults that the
rulebook declares are added when a client lists the tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Annotated, Any

from fitcard.answer.answer import answer_question, answer_questions
from fitcard.answer.explain import explain as explain_rules
from fitcard.answer.problems import MissingParameter, NotWhole, UnknownRule, question_problem
from fitcard.answer.question import Question, read_number, read_question
from fitcard.answer.ranking import rank, read_filter, read_ranking
from fitcard.catalog.catalog import Entry
from fitcard.compiler.engine import Engine
from fitcard.mcp.registry import NoDefault, Tool, project
from fitcard.mcp.results import (
    DeviceMatches,
    Explanation,
    FittingModels,
    HardwarePlan,
    MemoryEstimate,
    ModelMatches,
    Recommendations,
    Run,
)
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.layout import Node, ObjectNode, ValueNode
from fitcard.rulebook.rankings import AT_LEAST, AT_MOST, LIMIT, WORD, Filter
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest
from fitcard.typed_schema import Minimum
from fitcard.values import whole_as_int

Model = Annotated[
    str, "Language model by name, id or tag, such as llama3.1:70b, Qwen3 32B or gpt-oss-120b; see list_models."
]
Device = Annotated[
    str,
    "Graphics card or computer by name or id, such as RTX 4090, MacBook Pro M4 Max 64GB or h100-80gb; "
    "see list_devices.",
]
DeviceMemory = Annotated[float, "Memory of the device as sold, in GB, if it differs from the catalog."]
Quant = Annotated[str, "Quantization of the weights, such as Q4_K_M, Q8_0, F16, AWQ-4bit or MLX-4bit."]
BestQuant = Annotated[str, "Quantization of the weights; by default, for each model, the best that runs.", NoDefault()]
Workload = Annotated[str, "Intended use; sets the default context and prompt length."]
Mode = Annotated[str, "Objective of the ranking, such as low latency for one user or throughput for many."]
KvType = Annotated[str, "Data type of the KV cache; q8_0 takes about half the memory of f16."]
Context = Annotated[float, "Context length per user in tokens, such as 32768; by default that of the workload."]
Users = Annotated[int, "Concurrent users, each with their own context."]
Gpus = Annotated[int, "Number of devices of this kind."]
Runtime = Annotated[str, "Inference runtime; by default the usual one of the device."]
Host = Annotated[str, "Computer that contains the device; by default a usual one."]
Figure = Annotated[
    str,
    "Key of a figure in an answer, such as decode_tok_s, ttft_ms, memory.kv_cache_gb or safe_context_tokens, "
    "or name of a rule in an explanation, such as step_time.",
]
Limit = Annotated[int, "Maximum number of rows.", Minimum(1)]
Text = Annotated[str, "Words of the name, such as qwen coder or rtx 40; by default all entries match."]
Family = Annotated[str, "Model families, comma-separated, such as Qwen."]
Licence = Annotated[str, "Licences of models, comma-separated, such as Apache 2.0."]
Modality = Annotated[str, "Input modalities of models, comma-separated."]
Vendor = Annotated[str, "Vendors of devices, comma-separated, such as NVIDIA, AMD or Apple."]
Segment = Annotated[str, "Market segments of devices, comma-separated."]
MinSafeContext = Annotated[float, "Minimum safe context in tokens."]
MinContext = Annotated[float, "Minimum context in tokens that the publisher supports."]
MinSpeed = Annotated[float, "Minimum decode speed per user in tokens per second."]
Fits = Annotated[bool, "Only models that fit entirely in device memory."]
Budget = Annotated[float, "Maximum total price in US dollars; excludes devices without a known price."]
MinParams = Annotated[float, "Minimum parameters, in billions."]
MaxParams = Annotated[float, "Maximum parameters, in billions."]
MinMemory = Annotated[float, "Minimum memory as sold, in GB."]
MinBandwidth = Annotated[float, "Minimum memory bandwidth in GB/s."]
MaxPrice = Annotated[float, "Maximum price in US dollars; excludes devices without a known price."]

ASSUMED_DEVICE = "rtx-4090-24gb"  # for memory, where the call names no device
QUANTS = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16")  # of estimate_memory
MULTI_GPU = (2, 4, 8)  # of plan_hardware
MULTI_GPU_SEGMENTS = "desktop, workstation, datacenter"
MAX_IN_MEMORY, MAX_OFFLOADED, MAX_RECOMMENDED, MAX_MATCHES = 5, 3, 5, 10  # rows by default
MAX_DISTANCE, MAX_STEPS = 2, 14  # of an explanation


def can_i_run(
    engine: Engine,
    model: Model,
    device: Device,
    quant: Quant | None = None,
    workload: Workload | None = None,
    context: Context | None = None,
    kv: KvType | None = None,
    users: Users | None = None,
    gpus: Gpus | None = None,
    runtime: Runtime | None = None,
    host: Host | None = None,
    device__memory: DeviceMemory | None = None,
) -> Run:
    """Whether a model runs on a device, and how well.

    Returns the fit, the grade, the memory and its parts, decode speed (decode_tok_s) and time to first token (ttft_ms)
    with their ranges, improvements, and the command line that starts it. Use it for any question about a given model
    on given hardware.
    """
    parameters = {
        "model": model, "device": device, "quant": quant, "workload": workload, "context": context, "kv": kv,
        "users": users, "gpus": gpus, "runtime": runtime, "host": host, "device.memory": device__memory,
    }  # fmt: skip
    return project(_answer(engine, parameters), Run)


def what_fits(
    engine: Engine,
    device: Device,
    workload: Workload | None = None,
    context: Context | None = None,
    kv: KvType | None = None,
    users: Users | None = None,
    gpus: Gpus | None = None,
    quant: BestQuant | None = None,
    device__memory: DeviceMemory | None = None,
    limit: Limit | None = None,
) -> FittingModels:
    """Which models run on a device.

    Returns how many models fit entirely in device memory (whole.ranked) and how many run with offload to host memory
    (with_offload.ranked), of all in the catalog (entries), the best of each with their best quantization, and the best
    model for each workload.
    """
    parameters = {
        "device": device, "workload": workload, "context": context, "kv": kv, "users": users, "gpus": gpus,
        "quant": quant, "device.memory": device__memory,
    }  # fmt: skip
    in_memory, with_offload = (MAX_IN_MEMORY, MAX_OFFLOADED) if limit is None else (limit, limit)
    sections = {
        "whole": _ranking(engine, "models", {**parameters, "fits": True, LIMIT: in_memory}),
        "with_offload": _ranking(engine, "models", {**parameters, "offloads": True, LIMIT: with_offload}),
        "best_by_workload": [
            {"workload": each, **_ranking(engine, "models", {**parameters, "workload": each, LIMIT: 1})}
            for each in engine.rulebook.catalog_of("workload").ids
        ],
    }
    every = _ranking(engine, "models", {**parameters, "runs": False, LIMIT: 1})
    return project({**every, **sections}, FittingModels)


def estimate_memory(
    engine: Engine,
    model: Model,
    quant: Quant | None = None,
    context: Context | None = None,
    kv: KvType | None = None,
    users: Users | None = None,
    workload: Workload | None = None,
    gpus: Gpus | None = None,
    runtime: Runtime | None = None,
    device: Device | None = None,
) -> MemoryEstimate:
    """How much memory a model needs.

    Returns the needed memory and its parts (weights, KV cache, runtime, headroom) for a context, quantization, KV cache
    type and number of users, and the memory by quantization and by context. The device is optional; with one, the
    result also says whether the model fits there.
    """
    assumed = None if device else _assumed_device(engine.rulebook)
    parameters = {
        "model": model, "quant": quant, "context": context, "kv": kv, "users": users, "workload": workload,
        "gpus": gpus, "runtime": runtime, "device": assumed.id if assumed else device,
    }  # fmt: skip
    quants = [each for each in QUANTS if each in engine.rulebook.catalog_of("quant").entries]
    questions = [read_question(engine.rulebook, {**parameters, "quant": each}) for each in (quant, *quants)]
    answer, *others = (each.data for each in answer_questions(engine, questions))
    by_quant = [{**other, "quant": each} for each, other in zip(quants, others, strict=True)]
    if assumed is None:
        return project({**answer, "by_quant": by_quant, "on_device": answer}, MemoryEstimate)
    note = (
        f"No device was named; the figures are for {assumed.name}. On another device the headroom (headroom_gb), a "
        "fraction of its memory, and the memory of its usual runtime (runtime_gb) may differ, and with them needed_gb."
    )
    return project({**answer, "by_quant": by_quant, "assumed": [note]}, MemoryEstimate)


def recommend_models(
    engine: Engine,
    device: Device,
    workload: Workload | None = None,
    mode: Mode | None = None,
    quant: BestQuant | None = None,
    context: Context | None = None,
    kv: KvType | None = None,
    users: Users | None = None,
    gpus: Gpus | None = None,
    licence: Licence | None = None,
    modality: Modality | None = None,
    family: Family | None = None,
    min_context: MinSafeContext | None = None,
    min_tok_s: MinSpeed | None = None,
    fits: Fits = False,
    limit: Limit = MAX_RECOMMENDED,
) -> Recommendations:
    """Which models to choose for a device, best first.

    Models are ranked for a workload and a mode; each has its best quantization, its figures, and what speaks for and
    against it. Filters select by licence, family, speed or context.
    """
    parameters = {
        "device": device, "workload": workload, "mode": mode, "quant": quant, "context": context, "kv": kv,
        "users": users, "gpus": gpus, "licence": licence, "modality": modality, "family": family,
        "min_context": min_context, "min_tok_s": min_tok_s, "fits": fits, LIMIT: limit,
    }  # fmt: skip
    return project(_ranking(engine, "models", parameters), Recommendations)


def plan_hardware(
    engine: Engine,
    model: Model,
    quant: Quant | None = None,
    workload: Workload | None = None,
    context: Context | None = None,
    kv: KvType | None = None,
    users: Users | None = None,
    mode: Mode | None = None,
    budget: Budget | None = None,
    vendor: Vendor | None = None,
    segment: Segment | None = None,
    min_context: MinSafeContext | None = None,
    min_tok_s: MinSpeed | None = None,
) -> HardwarePlan:
    """Which hardware to buy for a model.

    Returns the needed memory, the cheapest devices with a known price that hold the model entirely (one, or two, four
    or eight of a kind, where cost is the total price), the cheapest that run it at all, if necessary with offload to
    host memory, and the best rated that hold it alone. Pass the context, users, budget in US dollars or minimum speed
    that the user states.
    """
    question = {
        "model": model, "quant": quant, "workload": workload, "context": context, "kv": kv, "users": users,
    }  # fmt: skip
    parameters = {
        **question, "mode": mode, "budget": budget, "vendor": vendor, "segment": segment, "min_context": min_context,
        "min_tok_s": min_tok_s,
    }  # fmt: skip
    alone = _ranking(engine, "cheapest", {**parameters, "fits": True, "priced": True, LIMIT: 3})
    several = {**parameters, "segment": segment or MULTI_GPU_SEGMENTS, "fits": True, "priced": True, LIMIT: 2}
    groups = [{"gpus": gpus, **_ranking(engine, "cheapest", {**several, "gpus": gpus})} for gpus in MULTI_GPU]
    offloading = _ranking(engine, "cheapest", {**parameters, "priced": True, LIMIT: 2})
    usual_quant = engine.rulebook.question_fields.axes["quant"].default
    rated = _ranking(engine, "devices", {**parameters, "quant": quant or usual_quant, "fits": True, LIMIT: 3})
    assumed = _assumed_device(engine.rulebook)
    note = f"memory is for {assumed.name}; needed_gb of a row includes the headroom of its devices and their runtime."
    sections = {
        "cheapest_that_hold_it_whole": alone,
        "several_that_hold_it_whole": groups,
        "cheapest_that_run_it": offloading,
        "best_rated": rated,
        "assumed": [note],
    }
    return project({**_answer(engine, {**question, "device": assumed.id}), **sections}, HardwarePlan)


def list_models(
    engine: Engine,
    text: Text | None = None,
    family: Family | None = None,
    licence: Licence | None = None,
    modality: Modality | None = None,
    min_params_b: MinParams | None = None,
    max_params_b: MaxParams | None = None,
    min_context: MinContext | None = None,
    limit: Limit = MAX_MATCHES,
) -> ModelMatches:
    """Find models in the catalog by words of their name and by filters.

    `found` counts all matches, `left_off` those that are not listed. Where nothing matches, `nearest_not_matching`
    lists models with similar names.
    """
    conditions = [
        _condition("family", WORD, "model.family", family),
        _condition("licence", WORD, "model.licence", licence),
        _condition("modality", WORD, "model.modality", modality),
        _condition("min_params_b", AT_LEAST, "model.nominal_params", min_params_b),
        _condition("max_params_b", AT_MOST, "model.nominal_params", max_params_b),
        _condition("min_context", AT_LEAST, "model.context", min_context),
    ]
    keys = {"params_b": "nominal_params", "active_params_b": "active_params", "context_tokens": "context"}
    return project(_search(engine.rulebook, "model", text, conditions, keys, limit), ModelMatches)


def list_devices(
    engine: Engine,
    text: Text | None = None,
    vendor: Vendor | None = None,
    segment: Segment | None = None,
    min_memory_gb: MinMemory | None = None,
    min_bandwidth_gb_s: MinBandwidth | None = None,
    max_price_usd: MaxPrice | None = None,
    limit: Limit = MAX_MATCHES,
) -> DeviceMatches:
    """Find graphics cards and computers in the catalog by words of their name and by filters.

    `found` counts all matches, `left_off` those that are not listed. Where nothing matches, `nearest_not_matching`
    lists devices with similar names.
    """
    conditions = [
        _condition("vendor", WORD, "device.vendor", vendor),
        _condition("segment", WORD, "device.segment", segment),
        _condition("min_memory_gb", AT_LEAST, "device.memory", min_memory_gb),
        _condition("min_bandwidth_gb_s", AT_LEAST, "device.bandwidth", min_bandwidth_gb_s),
        _condition("max_price_usd", AT_MOST, "device.price", max_price_usd),
    ]
    keys = {"memory_gb": "memory", "bandwidth_gb_s": "bandwidth", "price_usd": "price"}
    return project(_search(engine.rulebook, "device", text, conditions, keys, limit), DeviceMatches)


def explain(
    engine: Engine,
    model: Model,
    device: Device,
    figure: Figure,
    quant: Quant | None = None,
    workload: Workload | None = None,
    context: Context | None = None,
    kv: KvType | None = None,
    users: Users | None = None,
    gpus: Gpus | None = None,
    runtime: Runtime | None = None,
    host: Host | None = None,
) -> Explanation:
    """How a figure of an answer is computed.

    Returns its formula, unit, rule file and line, its inputs with their values, and the same of those, with the source
    of each catalog figure. Any rule in `inputs` can be explained in turn; names with a dot are figures of catalogs.
    """
    parameters = {
        "model": model, "device": device, "quant": quant, "workload": workload, "context": context, "kv": kv,
        "users": users, "gpus": gpus, "runtime": runtime, "host": host,
    }  # fmt: skip
    question, rule = _read_explanation(engine.rulebook, parameters, figure)
    steps = {step["name"]: step for step in explain_rules(engine, question, [rule])}
    names, frontier = {rule: None}, [rule]
    for _ in range(MAX_DISTANCE):
        frontier = [name for step in frontier for name in steps[step].get("inputs", ()) if name not in names]
        names |= dict.fromkeys(frontier)
    listed = [_with_integers(steps[name]) for name in islice(names, MAX_STEPS)]
    answer = answer_question(engine, question).data
    return project({**answer, "steps": listed, "left_off": len(steps) - len(listed)}, Explanation)


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("Can I run this model?", can_i_run),
        Tool("What runs on this hardware?", what_fits),
        Tool("How much memory does it need?", estimate_memory),
        Tool("Which model for this hardware?", recommend_models),
        Tool("What hardware for this model?", plan_hardware),
        Tool("Find models", list_models),
        Tool("Find devices", list_devices),
        Tool("How is this figure computed?", explain),
    )
}


FIGURES = "figures."  # prefix of the keys of shown figures in an answer


def find_rule(rulebook: Rulebook, word: str) -> str:
    """The rule of this name, or the one shown under this key of an answer, dotted or its last part; else the word."""
    word = word.removeprefix(FIGURES)
    if word in rulebook.rule_set.definitions:
        return word
    by_key = dict(_layout_names(rulebook.layout.root))
    by_last_key = {key.rpartition(".")[2]: name for key, name in reversed(by_key.items())}
    return by_key.get(word) or by_last_key.get(word) or word


def _layout_names(node: Node, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The dotted keys of an answer outside of lists, each with the rule or figure that it shows."""
    for key, part in node.parts.items() if isinstance(node, ObjectNode) else ():
        if isinstance(part, ValueNode):
            yield prefix + key, part.name
        yield from _layout_names(part, f"{prefix}{key}.")


def _answer(engine: Engine, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return answer_question(engine, read_question(engine.rulebook, parameters)).data


def _ranking(engine: Engine, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return rank(engine, read_ranking(engine.rulebook, name, parameters))


def _assumed_device(rulebook: Rulebook) -> Entry:
    """The device for memory estimates without one: ASSUMED_DEVICE, or the first of a catalog that lacks it."""
    devices = rulebook.catalog_of("device").entries
    return devices.get(ASSUMED_DEVICE) or next(iter(devices.values()))


def _read_explanation(rulebook: Rulebook, parameters: Mapping[str, Any], figure: str) -> tuple[Question, str]:
    """The question and the rule to explain. Raises ProblemsError with the problems of both."""
    rules = rulebook.rule_set.definitions
    rule = find_rule(rulebook, str(figure))
    problems = []
    if not figure:
        problems.append(question_problem(MissingParameter, "figure"))
    elif rule not in rules:
        problems.append(question_problem(UnknownRule, "figure", figure, closest(rule, rules)))
    try:
        question = read_question(rulebook, parameters)
    except ProblemsError as error:
        raise ProblemsError([*error.problems, *problems]) from None
    if problems:
        raise ProblemsError(problems)
    return question, rule


def _with_integers(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of a trace with whole numbers as integers, which are not rounded."""
    inputs = {name: whole_as_int(value) for name, value in step.get("inputs", {}).items()}
    return {**step, "value": whole_as_int(step["value"]), **({"inputs": inputs} if inputs else {})}


Condition = tuple[Filter, object]


def _condition(name: str, how: str, figure: str, value: object) -> Condition:
    return Filter(name, "", how, ValueNode(figure, ()), default=False), value


def _search(
    rulebook: Rulebook,
    axis: str,
    text: str | None,
    conditions: Iterable[Condition],
    keys: Mapping[str, str],
    limit: int,
) -> dict[str, Any]:
    """The entries of an axis that match, or those with similar names. `keys` maps result keys to catalog fields.

    Raises ProblemsError with one problem for each invalid condition.
    """
    catalog = rulebook.catalog_of(axis)
    problems: list[Problem] = []
    matches = catalog.search(str(text or ""))
    for condition, value in conditions:
        bound = read_filter(rulebook, condition, value)
        if isinstance(bound, Problem):
            problems.append(bound)
        elif bound is not None:
            matches = [entry for entry in matches if _meets(entry, condition, bound)]
    rows = read_number(LIMIT, limit, 1, len(catalog.ids))
    if not isinstance(rows, Problem) and not rows.is_integer():
        rows = question_problem(NotWhole, LIMIT, limit)
    if isinstance(rows, Problem):
        raise ProblemsError([*problems, rows])
    if problems:
        raise ProblemsError(problems)
    listed = matches[: int(rows)]
    nearest = {} if matches else {"nearest_not_matching": [catalog.entries[id_] for id_ in catalog.nearest(str(text))]}
    sections = {
        key: [{**entry.data, "id": entry.id, **{key: entry.value(keys[key]) for key in keys}} for entry in entries]
        for key, entries in {"entries": listed, **nearest}.items()
    }
    return {"found": len(matches), "left_off": len(matches) - len(listed), **sections}


def _meets(entry: Entry, condition: Filter, bound: Any) -> bool:
    """Whether an entry meets a condition; an unknown figure is neither at least nor at most."""
    value = entry.value(condition.value.name.partition(".")[2])
    if value is None:
        return False
    if condition.operator == WORD:
        return value in bound
    return bool(value >= bound if condition.operator == AT_LEAST else value <= bound)
