"""Results of the tools as types: they are the output schemas, and they select the fields taken from an answer.

Units are part of the keys: `_gb` (10^9 bytes), `_gb_s`, `_tok_s` (tokens per second), `_ms`, `_tokens`, `_usd`, and
`params_b` (10^9 parameters). All keys are optional: unknown values are left out.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from fitcard.typed_schema import MaxItems

MAX_RUNS, MAX_IMPROVEMENTS = 2, 4

Scalar = float | str | bool
Grade = Annotated[str, "From S (best) to F."]
Fraction = Annotated[float, "From 0 to 1."]
Speed = Annotated[float, "Decode speed per user."]
FirstToken = Annotated[float, "Time to first token."]
SafeContext = Annotated[float, "Longest context per user that fits."]
OfficialContext = Annotated[float, "Maximum context supported by the publisher."]
Needed = Annotated[float, "Total memory needed."]
Usable = Annotated[float, "Total usable memory."]
Entries = Annotated[int, "Number of catalog entries."]
Ranked = Annotated[int, "Number of entries that meet the conditions."]
BestQuant = Annotated[str, "Best quantization that runs, or the requested one."]
Basis = Annotated[str, "Scope of the price."]
Assumed = Annotated[list[str], "Assumptions in place of missing arguments."]


class Named(TypedDict, total=False):
    """A catalog entry by its name."""

    name: str


class Remark(TypedDict, total=False):
    """One sentence."""

    sentence: str


class Note(TypedDict, total=False):
    """A remark on the answer as a whole."""

    code: str
    sentence: str


class FitLabel(TypedDict, total=False):
    """The fit in words."""

    label: str


class Fit(FitLabel, total=False):
    """How the model fits in memory."""

    code: str


class Range(TypedDict, total=False):
    """The range in which measured runs lie."""

    low: float
    high: float


class OverriddenValue(TypedDict, total=False):
    """A catalog figure that the call replaced."""

    name: str
    value: float
    instead_of: float
    unit: str


# The question with all defaults.


class Setup(TypedDict, total=False):
    """The conditions of every question."""

    quant: str
    context: Annotated[float, "Context per user, in tokens."]
    kv: Annotated[str, "Data type of the KV cache."]
    users: Annotated[int, "Concurrent users."]


class WorkloadSetup(Setup, total=False):
    """The conditions with the workload."""

    workload: str


class DeviceSetup(WorkloadSetup, total=False):
    """The conditions with the number of devices."""

    gpus: Annotated[int, "Number of devices."]


class RunSetup(DeviceSetup, total=False):
    """All conditions of a run."""

    host: Annotated[str, "Computer that contains the device."]
    runtime: Annotated[str, "Inference runtime."]


class MemorySetup(Setup, total=False):
    """The conditions that memory depends on."""

    gpus: Annotated[int, "Number of devices."]
    runtime: Annotated[str, "Inference runtime."]


class RankingSetup(TypedDict, total=False):
    """The conditions of a ranking of models."""

    workload: str
    mode: str
    kv: Annotated[str, "Data type of the KV cache."]
    profile: str
    context: Annotated[float, "Context per user, in tokens."]
    users: Annotated[float, "Concurrent users."]
    gpus: Annotated[float, "Number of devices."]


# can_i_run


class NeededMemory(TypedDict, total=False):
    """The memory that a model needs, and its parts."""

    needed_gb: Needed
    weights_gb: float
    kv_cache_gb: Annotated[float, "KV cache of all users."]
    runtime_gb: Annotated[float, "Memory of the runtime itself."]
    headroom_gb: float


class Memory(NeededMemory, total=False):
    """Needed and usable memory."""

    usable_gb: Usable
    over_gb: Annotated[float, "Needed minus usable memory; negative if memory is left."]


class Offload(TypedDict, total=False):
    """The part of a model in host memory."""

    fraction: Annotated[float, "Fraction of the needed memory that is outside the device, from 0 to 1."]
    host_memory_gb: Annotated[float, "Host memory used."]


class MeasuredRun(TypedDict, total=False):
    """A measured run of this model on this device."""

    run: Annotated[str, "Id of the run in the catalog of measurements."]
    gpus: float
    context: Annotated[float, "In tokens."]
    decode_tok_s: Speed
    source: list[str]


class Confidence(TypedDict, total=False):
    """The deviations of measured runs from the estimates."""

    sentence: str
    share: Annotated[float, "Fraction of measured runs within the ranges, from 0 to 1."]
    decode_tok_s: Range
    ttft_ms: Range
    measured: Annotated[list[MeasuredRun], MaxItems(MAX_RUNS)]


class Price(TypedDict, total=False):
    """A price of hardware."""

    usd: Annotated[float, "Total price."]
    basis: Basis
    checked_on: Annotated[str, "Date of the price."]


class Improvement(TypedDict, total=False):
    """A change that improves the answer, and its result."""

    title: Annotated[str, "The change."]
    quant: str
    gpus: Annotated[float, "Number of devices."]
    price: Price
    fit: FitLabel
    needed_gb: Needed
    decode_tok_s: Speed


class Launch(TypedDict, total=False):
    """The settings to start the model with."""

    prepare: Annotated[str, "One-time preparation: a command, or a comment after #."]
    command: Annotated[str, "Command line."]
    sentence: Annotated[str, "Summary of the settings."]


class ShownFigure(TypedDict, total=False):
    """A figure beside the core ones."""

    label: str
    text: Annotated[str, "The value with its unit."]


class Run(TypedDict, total=False):
    """One model on one device."""

    model: Named
    device: Named
    question: RunSetup
    verdict: Annotated[str, "Summary in one sentence."]
    notes: list[Remark]
    fit: Fit
    grade: Grade
    memory: Memory
    offload: Offload
    decode_tok_s: Speed
    throughput_tok_s: Annotated[float, "Decode speed of all users together."]
    prefill_tok_s: Annotated[float, "Prefill speed."]
    ttft_ms: FirstToken
    confidence: Confidence
    safe_context_tokens: SafeContext
    official_context_tokens: OfficialContext
    bottleneck: Remark
    advice: Remark
    recommended_quant: Remark
    ways: Annotated[list[Improvement], MaxItems(MAX_IMPROVEMENTS)]
    settings: Launch
    figures: Annotated[dict[str, ShownFigure], "Further figures by the name of their rule."]
    set: Annotated[list[OverriddenValue], "Catalog figures replaced by the call."]


# what_fits and recommend_models


class OffloadFraction(TypedDict, total=False):
    """The part of a model in host memory."""

    fraction: Fraction


class RankedDevice(TypedDict, total=False):
    """The device that models are ranked for."""

    name: str
    usable_gb: Usable
    bandwidth_gb_s: Annotated[float, "Peak memory bandwidth."]


class RankedModel(TypedDict, total=False):
    """A model with its best quantization."""

    name: str
    quant: BestQuant
    grade: Grade
    fit: FitLabel
    needed_gb: Needed
    decode_tok_s: Speed


class ModelInMemory(RankedModel, total=False):
    """A model that fits entirely in device memory."""

    ttft_ms: FirstToken
    safe_context_tokens: SafeContext


class OffloadedModel(RankedModel, total=False):
    """A model that needs host memory."""

    offload: OffloadFraction


class ModelsInMemory(TypedDict, total=False):
    """The best models that fit entirely in device memory."""

    ranked: Ranked
    rows: list[ModelInMemory]


class OffloadedModels(TypedDict, total=False):
    """The best models that need host memory."""

    ranked: Ranked
    rows: list[OffloadedModel]


class BestModel(TypedDict, total=False):
    """The best model for a workload."""

    workload: str
    rows: list[RankedModel]


class FittingModels(TypedDict, total=False):
    """The models that run on a device."""

    device: RankedDevice
    question: RankingSetup
    entries: Entries
    set: Annotated[list[OverriddenValue], "Catalog figures replaced by the call."]
    whole: ModelsInMemory
    with_offload: OffloadedModels
    best_by_workload: list[BestModel]


class RecommendedModel(TypedDict, total=False):
    """A ranked model, with its main strength and weakness."""

    rank: int
    name: str
    params_b: float
    active_params_b: float
    licence: str
    quant: BestQuant
    score: Annotated[float, "Ranking score."]
    grade: Grade
    fit: FitLabel
    needed_gb: Needed
    offload: OffloadFraction
    decode_tok_s: Speed
    ttft_ms: FirstToken
    safe_context_tokens: SafeContext
    praise: Remark
    blame: Remark


class Recommendations(TypedDict, total=False):
    """Models for a device, best first."""

    title: str
    question: RankingSetup
    filters: Annotated[dict[str, Scalar | list[str]], "Applied filters by name."]
    entries: Entries
    ranked: Ranked
    rows: list[RecommendedModel]


# estimate_memory


class SizedModel(TypedDict, total=False):
    """A model with its size."""

    name: str
    params_b: Annotated[float, "Nominal parameters, in billions."]


class MemoryOfContext(TypedDict, total=False):
    """The memory at a context length."""

    context_tokens: float
    needed_gb: Needed


class WeightMemory(TypedDict, total=False):
    """The memory that depends on the quantization."""

    weights_gb: float
    needed_gb: Needed


class MemoryOfQuant(TypedDict, total=False):
    """The memory with a quantization."""

    quant: str
    memory: WeightMemory


class UsableMemory(TypedDict, total=False):
    """Usable memory of a device."""

    usable_gb: Usable
    over_gb: Annotated[float, "Needed minus usable memory; negative if memory is left."]


class OnDevice(TypedDict, total=False):
    """Whether the model fits on the requested device."""

    device: Named
    verdict: Annotated[str, "Summary in one sentence."]
    fit: FitLabel
    memory: UsableMemory
    safe_context_tokens: SafeContext


class MemoryEstimate(TypedDict, total=False):
    """The memory that a model needs."""

    model: SizedModel
    question: MemorySetup
    notes: list[Note]
    memory: NeededMemory
    official_context_tokens: OfficialContext
    by_context: list[MemoryOfContext]
    by_quant: list[MemoryOfQuant]
    on_device: OnDevice
    assumed: Assumed


# plan_hardware


class Cost(TypedDict, total=False):
    """The total price of all devices."""

    usd: float


class KnownCost(Cost, total=False):
    """The total price with its scope."""

    basis: Basis


class SeveralDevices(TypedDict, total=False):
    """Several devices of a kind that hold the model together."""

    name: str
    cost: KnownCost
    usable_gb: Usable
    needed_gb: Needed
    grade: Grade
    decode_tok_s: Speed
    ttft_ms: FirstToken


class SingleDevice(SeveralDevices, total=False):
    """A device that holds the model alone."""

    memory_gb: Annotated[float, "Memory of the device as sold."]


class OffloadingDevice(TypedDict, total=False):
    """A device that runs the model, if necessary with offload."""

    name: str
    cost: Cost
    fit: FitLabel
    offload: OffloadFraction
    grade: Grade
    decode_tok_s: Speed


class RatedDevice(TypedDict, total=False):
    """A device by its rating."""

    name: str
    price_usd: Annotated[float, "Price of one device."]
    price_basis: Basis
    needed_gb: Needed
    usable_gb: Usable
    grade: Grade
    decode_tok_s: Speed
    ttft_ms: FirstToken


class SingleDevices(TypedDict, total=False):
    """The cheapest devices that hold the model alone."""

    ranked: Ranked
    rows: list[SingleDevice]


class DeviceGroups(TypedDict, total=False):
    """The cheapest devices that hold the model together with others of their kind."""

    gpus: Annotated[int, "Number of devices."]
    ranked: Ranked
    rows: list[SeveralDevices]


class OffloadingDevices(TypedDict, total=False):
    """The cheapest devices that run the model."""

    ranked: Ranked
    rows: list[OffloadingDevice]


class RatedDevices(TypedDict, total=False):
    """The best devices that hold the model alone."""

    ranked: Ranked
    rows: list[RatedDevice]


class HardwarePlan(TypedDict, total=False):
    """Hardware for a model."""

    model: Named
    question: WorkloadSetup
    memory: NeededMemory
    cheapest_that_hold_it_whole: SingleDevices
    several_that_hold_it_whole: list[DeviceGroups]
    cheapest_that_run_it: OffloadingDevices
    best_rated: RatedDevices
    assumed: Assumed


# list_models and list_devices


class ModelEntry(TypedDict, total=False):
    """A model of the catalog."""

    id: str
    name: str
    family: str
    params_b: Annotated[float, "Nominal parameters, in billions."]
    active_params_b: Annotated[float, "Active parameters per token, in billions; only for mixtures of experts (MoE)."]
    context_tokens: OfficialContext
    modality: Annotated[str, "Input modality: text only, or also images."]
    licence: str
    released: Annotated[str, "Release date, as month or day."]


class DeviceEntry(TypedDict, total=False):
    """A device of the catalog."""

    id: str
    name: str
    vendor: str
    segment: Annotated[str, "Market segment."]
    memory_gb: Annotated[float, "Memory as sold; total memory if it is unified."]
    bandwidth_gb_s: Annotated[float, "Peak memory bandwidth."]
    price_usd: float
    price_basis: Basis
    year: Annotated[float, "Year of release."]


class Matches(TypedDict, total=False):
    """The numbers of matching catalog entries."""

    found: Annotated[int, "Number of matches."]
    left_off: Annotated[int, "Number of matches that are not listed."]


class ModelMatches(Matches, total=False):
    """Models that match."""

    entries: list[ModelEntry]
    nearest_not_matching: Annotated[list[ModelEntry], "Models with similar names, if none matches."]


class DeviceMatches(Matches, total=False):
    """Devices that match."""

    entries: list[DeviceEntry]
    nearest_not_matching: Annotated[list[DeviceEntry], "Devices with similar names, if none matches."]


# explain


class Rules(TypedDict, total=False):
    """The rules that were applied."""

    version: str


class Step(TypedDict, total=False):
    """How a value is computed."""

    name: str
    value: Scalar
    unit: str
    about: str
    expr: Annotated[str, "Formula."]
    by: Annotated[str, "Input of a table."]
    inputs: Annotated[dict[str, Scalar], "Values that it was computed from, by name."]
    entry: Annotated[str, "Catalog entry that states it."]
    source: list[str]
    file: str
    line: int


class Explanation(TypedDict, total=False):
    """How a figure is computed."""

    model: Named
    device: Named
    question: DeviceSetup
    rules: Rules
    steps: Annotated[list[Step], "The figure itself first."]
    left_off: Annotated[int, "Number of further steps."]
