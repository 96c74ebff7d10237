"""The formulas of the profile `reference`, written by hand for numpy, zen-engine and CEL.

They must give the results of the rules before anything is timed: where a rule changes, they must be changed too. They
include the formulas that come to nothing in this profile. Rows of tables are read from the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fitcard.compiler.engine import Engine
from fitcard.values import WordColumn

PROFILE = "reference"
OUTPUTS = ("weights", "kv_cache", "needed_memory", "offload_share", "host_memory", "decode_tok_s", "ttft")
AXES = ("model", "device", "quant", "workload", "kv")  # the runtime is left to its default

HEADROOM, UNIFIED_HEADROOM, UNIFIED_USABLE = 0.1, 0.15, 0.72
KV_GB, KEYS_AND_VALUES, LATENTS, WINDOW_VALUES, KV_STATE = 2.0**30, 2.0, 1.0, 0.0, 0.0
GEFORCE_OVERHEAD, OVERHEAD, BUFFER_PER_TOKEN, BITS_PER_BYTE = 1.2, 0.9, 0.0, 8.0
GROUPED_QUERY_GAIN, TOKENS_PER_STEP = 0.1, 1.0
LINKED_START, LINKED_POWER, CARD_START, CARD_POWER = 0.8529411764705882, 1.65, 0.75, 2.105
UNIFIED_FLOOR, UNIFIED_POWER, SLOWEST = 0.45, 0.8, 2.0
MS_PER_S, PROMPT_TOKEN_COST = 1000.0, 0.088

Array = Any  # a numpy array


class Catalogs:
    """Every figure of the catalogs as an array, and the rows of tables by word."""

    def __init__(self, engine: Engine) -> None:
        rulebook = engine.rulebook
        self.rules = rules = rulebook.rule_sets[PROFILE]
        self.figures: dict[str, Array] = {}
        self.words: dict[str, tuple[str, ...]] = {}
        for axis in (*AXES, "runtime"):
            catalog = engine.columns[rulebook.catalog_of(axis).kind]
            for name in catalog.catalog.fields:
                column = catalog.column(name)
                if isinstance(column, WordColumn):
                    self.figures[f"{axis}.{name}"], self.words[f"{axis}.{name}"] = column.codes, column.words
                else:
                    self.figures[f"{axis}.{name}"] = np.asarray(column)
        knots = rules.definitions["kv_values_estimated"].data["rows"]
        self.knots = np.array(knots, dtype=float).T
        self.tables = {
            name: self._numbers(name)
            for name in (
                "kv_values_per_token", "size_per_param", "quant_speed", "model_speed", "family_mbu",
                "device_mbu",
            )
        }  # fmt: skip
        runtimes = rulebook.catalog_of("runtime").index
        self.mlx, self.vllm = runtimes["mlx"], runtimes["vllm"]
        gguf = rules.definitions["default_gguf_runtime"].data["rows"]
        vendors = self.words["device.vendor"]
        self.runtime_of_gguf = np.array([runtimes[gguf[word]] if word in gguf else -1 for word in vendors] + [-1])
        self.apple = vendors.index("Apple")
        formats = self.words["quant.format"]
        self.gguf_format, self.mlx_format = formats.index("gguf"), formats.index("mlx")
        self.geforce = self.words["device.family"].index("geforce")
        self.nvlink = self.words["device.link"].index("nvlink")

    def _numbers(self, table: str) -> Array:
        """The row of each word, that of no word last; NaN where a row refers to another name."""
        data = self.rules.definitions[table].data
        rows, otherwise = data["rows"], data["otherwise"]
        numbers = [rows.get(word, otherwise) for word in (*self.words[data["input"]], None)]
        return np.array([np.nan if isinstance(number, dict) else number for number in numbers], dtype=float)


def in_numpy(c: Catalogs, at: Mapping[str, Array]) -> dict[str, Array]:  # noqa: PLR0915 - one line a formula
    """All outputs for these rows of the catalogs, by axis."""
    model, device, quant, workload, kv = (at[axis] for axis in AXES)
    figures, users, gpus = c.figures, 1.0, 1.0

    unified = figures["device.unified"][device]
    usable = gpus * figures["device.memory"][device] * np.where(unified, UNIFIED_USABLE, 1.0)
    headroom = usable * np.where(unified, UNIFIED_HEADROOM, HEADROOM)

    nominal, layers = figures["model.nominal_params"][model], figures["model.layers"][model]
    kv_heads = figures["model.kv_heads"][model]
    plain = KEYS_AND_VALUES * layers * kv_heads * figures["model.head_dim"][model]
    plain = np.where(np.isnan(plain), np.interp(nominal, *c.knots), plain)
    latent = LATENTS * figures["model.latent_width"][model] * layers
    of_shape = np.where(np.isnan(latent), plain, latent)
    values = c.tables["kv_values_per_token"][figures["model.id"][model]]
    values = np.where(np.isnan(values), of_shape, values)
    bytes_per_value = figures["kv.bytes_per_value"][kv]
    tokens = figures["workload.tokens"][workload]
    vendor, written = figures["device.vendor"][device], figures["quant.format"][quant]
    server = np.where(vendor == c.apple, c.mlx, c.vllm)
    gguf = c.runtime_of_gguf[vendor]
    gguf = np.where(gguf < 0, server, gguf)
    runtime = np.where(written == c.gguf_format, gguf, np.where(written == c.mlx_format, c.mlx, server))
    kept = np.where(figures["runtime.window_keeps_batch"][runtime], figures["runtime.micro_batch"][runtime], 0.0)
    window = figures["model.window"][model] + kept
    window = np.where(np.isnan(window), tokens, window)
    per_window_token = WINDOW_VALUES * bytes_per_value / KV_GB
    kv_cache = values * bytes_per_value / KV_GB * tokens + per_window_token * np.minimum(tokens, window) + KV_STATE
    kv_cache = users * kv_cache

    overhead = np.where(figures["device.family"][device] == c.geforce, GEFORCE_OVERHEAD, OVERHEAD)
    runtime_memory = overhead + gpus * users * tokens * BUFFER_PER_TOKEN
    size = c.tables["size_per_param"][figures["quant.id"][quant]]
    size = np.where(np.isnan(size), figures["quant.bits_per_weight"][quant] / BITS_PER_BYTE, size)
    weights = nominal * size
    needed = weights + kv_cache + runtime_memory + headroom
    offload = np.maximum(0.0, needed - usable) / needed

    efficiency = c.tables["device_mbu"][figures["device.id"][device]]
    of_family = c.tables["family_mbu"][figures["device.family"][device]]
    efficiency = np.where(np.isnan(efficiency), of_family, efficiency)
    heads = figures["model.heads"][model]
    grouped = kv_heads / np.where(np.isnan(heads), kv_heads, heads)
    grouped = 1.0 + GROUPED_QUERY_GAIN * (1.0 - np.where(np.isnan(grouped), 1.0, grouped))
    active = figures["model.active_params"][model]
    read = weights * (np.where(np.isnan(active), nominal, active) / nominal) / TOKENS_PER_STEP
    linked = figures["device.link"][device] == c.nvlink
    start, power = np.where(linked, LINKED_START, CARD_START), np.where(linked, LINKED_POWER, CARD_POWER)
    card = start * (usable / needed) ** power
    shared = np.maximum(UNIFIED_FLOOR, 1.0 - offload**UNIFIED_POWER)
    spill = np.where(needed <= usable, 1.0, np.where(unified, shared, card))
    speed = c.tables["quant_speed"][figures["quant.id"][quant]] * c.tables["model_speed"][figures["model.id"][model]]
    decode = np.maximum(SLOWEST, figures["device.bandwidth"][device] / read * efficiency * grouped * speed * spill)
    prompt = np.minimum(figures["workload.prompt_tokens"][workload], tokens)
    ttft = prompt / (decode / PROMPT_TOKEN_COST) * MS_PER_S
    found = (weights, kv_cache, needed, offload, offload * weights, decode, ttft)
    return dict(zip(OUTPUTS, found, strict=True))


# The other engines have no fast tables over words: the results of tables are among their inputs.
TABLE_RESULTS = (
    "kv_values_estimated", "kv_values_per_token", "size_per_param", "quant_speed", "model_speed", "device_mbu",
    "fixed_runtime_memory", "spill_start", "spill_power",
)  # fmt: skip
FIELDS = {
    "model": ("nominal_params", "active_params", "layers", "kv_heads", "heads", "head_dim", "latent_width", "window"),
    "device": ("memory", "bandwidth", "unified"),
    "quant": ("bits_per_weight",),
    "workload": ("tokens", "prompt_tokens"),
    "kv": ("bytes_per_value",),
    "runtime": ("micro_batch", "window_keeps_batch"),
}

IN_ZEN = {
    "usable": "question.gpus * device.memory * (device.unified ? 0.72 : 1)",
    "headroom": "$.usable * (device.unified ? 0.15 : 0.1)",
    "plain": "model.layers != null and model.kv_heads != null and model.head_dim != null"
    " ? 2 * model.layers * model.kv_heads * model.head_dim : table.kv_values_estimated",
    "of_shape": "model.latent_width != null and model.layers != null ? model.latent_width * model.layers : $.plain",
    "per_token": "(table.kv_values_per_token ?? $.of_shape) * kv.bytes_per_value / 1073741824",
    "tokens": "question.context ?? workload.tokens",
    "per_window_token": "0 * kv.bytes_per_value / 1073741824",
    "window": "model.window != null ? model.window + (runtime.window_keeps_batch ? runtime.micro_batch : 0) : $.tokens",
    "kv_cache": "question.users * ($.per_token * $.tokens + $.per_window_token * min([$.tokens, $.window]) + 0)",
    "runtime": "table.fixed_runtime_memory + question.gpus * question.users * $.tokens * 0",
    "weights": "model.nominal_params * (table.size_per_param ?? (quant.bits_per_weight / 8))",
    "needed_memory": "$.weights + $.kv_cache + $.runtime + $.headroom",
    "offload_share": "max([0, $.needed_memory - $.usable]) / $.needed_memory",
    "host_memory": "$.offload_share * $.weights",
    "grouped": "1 + 0.1 * (1 - (model.kv_heads != null ? model.kv_heads / (model.heads ?? model.kv_heads) : 1))",
    "read": "$.weights * ((model.active_params ?? model.nominal_params) / model.nominal_params)",
    "card": "table.spill_start * ($.usable / $.needed_memory) ^ table.spill_power",
    "shared": "max([0.45, 1 - $.offload_share ^ 0.8])",
    "spill": "$.needed_memory <= $.usable ? 1 : (device.unified ? $.shared : $.card)",
    "decode_tok_s": "max([2, device.bandwidth / $.read * table.device_mbu * $.grouped * table.quant_speed"
    " * table.model_speed * $.spill])",
    "prompt": "min([question.prompt ?? workload.prompt_tokens, $.tokens])",
    "ttft": "$.prompt / ($.decode_tok_s / 0.088) * 1000",
}

IN_CEL = {
    "usable": "question.gpus * device.memory * (device.unified ? 0.72 : 1.0)",
    "headroom": "usable * (device.unified ? 0.15 : 0.1)",
    "plain": "model.layers != null && model.kv_heads != null && model.head_dim != null"
    " ? 2.0 * model.layers * model.kv_heads * model.head_dim : table.kv_values_estimated",
    "of_shape": "model.latent_width != null && model.layers != null ? model.latent_width * model.layers : plain",
    "per_token": "(table.kv_values_per_token != null ? table.kv_values_per_token : of_shape)"
    " * kv.bytes_per_value / 1073741824.0",
    "tokens": "question.context != null ? question.context : workload.tokens",
    "per_window_token": "0.0 * kv.bytes_per_value / 1073741824.0",
    "window": "model.window != null ? model.window + (runtime.window_keeps_batch ? runtime.micro_batch : 0.0) : tokens",
    "kv_cache": "question.users * (per_token * tokens + per_window_token * math.least(tokens, window) + 0.0)",
    "at_run": "table.fixed_runtime_memory + question.gpus * question.users * tokens * 0.0",
    "weights": "model.nominal_params"
    " * (table.size_per_param != null ? table.size_per_param : quant.bits_per_weight / 8.0)",
    "needed_memory": "weights + kv_cache + at_run + headroom",
    "offload_share": "math.greatest(0.0, needed_memory - usable) / needed_memory",
    "host_memory": "offload_share * weights",
    "grouped": "1.0 + 0.1 * (1.0 - (model.kv_heads != null"
    " ? model.kv_heads / (model.heads != null ? model.heads : model.kv_heads) : 1.0))",
    "read": "weights * ((model.active_params != null ? model.active_params : model.nominal_params)"
    " / model.nominal_params)",
    "card": "table.spill_start * pow(usable / needed_memory, table.spill_power)",
    "shared": "math.greatest(0.45, 1.0 - pow(offload_share, 0.8))",
    "spill": "needed_memory <= usable ? 1.0 : (device.unified ? shared : card)",
    "decode_tok_s": "math.greatest(2.0, device.bandwidth / read * table.device_mbu * grouped"
    " * table.quant_speed * table.model_speed * spill)",
    "prompt": "math.least(question.prompt != null ? question.prompt : workload.prompt_tokens, tokens)",
    "ttft": "prompt / (decode_tok_s / 0.088) * 1000.0",
}
