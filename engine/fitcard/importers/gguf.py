"""The header of a GGUF file: the shape of a model as llama.cpp reads it. Gives an entry of the catalog of models.

Keys of the architecture are without its name: `block_count` is `llama.block_count` in a file of the architecture llama.

    general.name                                      name
    general.license                                   licence
    parameters (counted from the tensors)             params
    expert_count, expert_used_count                   experts.total, experts.active
    block_count                                       layers
    embedding_length                                  hidden
    attention.head_count, attention.head_count_kv     heads, kv_heads: the largest if layers differ
    attention.key_length                              head_dim; else embedding_length / heads
    attention.kv_lora_rank, rope.dimension_count      latent_width (MLA)
    attention.sliding_window, .sliding_window_pattern window, window_layers, full_layers
    full_attention_interval                           linear_layers: all but every n-th
    attention.head_count_kv, feed_forward_length      full_layers, linear_layers: which layers have a KV cache or a FFN
    ssm.inner_size, .state_size, .conv_kernel, .group_count, .time_step_rank, kda.head_dim
                                                      fixed_state
    vocab_size, or the length of tokenizer.ggml.tokens
                                                      vocabulary
    context_length                                    context
    tensors.output.weight                             tied_embeddings if it is missing

`general.architecture` decides which layers have a fixed state and, if the header does not state it, how many layers
attend to a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fitcard.importers.gguf_header import ARCHITECTURE
from fitcard.importers.importer import Fields, Importer, Reading, RecordReader, applies, number_if
from fitcard.importers.model_shape import LayerCounts, ModelShape, billions
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import count, count_positive, first_known, floor, known, number_of, ratio

# Every n-th layer attends to the whole context, the others to a window.
FULL_ATTENTION_INTERVALS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "cohere2": 4}
DELTA_RULE = {"qwen3next", "qwen35", "qwen35moe"}
SINGLE_BLOCK_LAYERS = {"nemotron_h", "nemotron_h_moe"}  # a layer is attention, Mamba or FFN alone
WITH_FIXED_STATE = DELTA_RULE | SINGLE_BLOCK_LAYERS | {"granitehybrid", "jamba", "kimi-linear", "lfm2", "falcon-h1"}
STATE_BYTES = 4  # per value of the state of Mamba and the delta rule
CONVOLUTION_BYTES = 2
DELTA_CONVOLUTION_BYTES = 4


def recognises(record: Record) -> bool:
    """Whether the header has layers and attention heads."""
    header = RecordReader(record)
    return header.value("block_count") is not None and header.value("attention.head_count") is not None


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One model for each header."""
    return [Reading(_fields(RecordReader(record, overrides))) for record in records]


def _fields(header: RecordReader) -> dict[str, Any]:
    experts = header.number("expert_count")
    return {
        "name": header.text("general.name"),
        "params": billions(header.number("parameters")),
        "experts.total": applies(experts > 0, experts),
        "experts.active": applies(experts > 0, header.number("expert_used_count")),
        **_shape(header).fields(),
        "modality": "text",
        "licence": header.override_or_text("licence", "general.license"),
        "shape": "published config",
    }


def _shape(header: RecordReader) -> ModelShape:
    layers = header.override_or_number("layers", "block_count")
    hidden = header.override_or_number("hidden", "embedding_length")
    heads = first_known(header.override_number("heads"), header.largest("attention.head_count"))
    context = header.number("context_length")
    latent = header.number("attention.kv_lora_rank")
    kv_heads = first_known(
        header.override_number("kv_heads"),
        number_if(known(latent), heads),
        header.largest("attention.head_count_kv"),
        heads,
    )
    window = header.number("attention.sliding_window")
    window = first_known(header.override_number("window"), number_if(window < context, window))
    vocabulary = header.override_or_number("vocabulary", "vocab_size")
    return ModelShape(
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=first_known(header.number("attention.key_length"), ratio(hidden, heads)),
        head_dim_applies=not known(latent),
        latent=latent,
        latent_rope=header.number("rope.dimension_count"),
        counts=_layer_counts(header, layers, window),
        window=window,
        state_bytes=_state_bytes(header, heads),
        vocabulary=first_known(vocabulary, count(header.items("tokenizer.ggml.tokens"))),
        tied_embeddings=header.value("tensors.output.weight") is None,
        context=context,
    )


def _layer_counts(header: RecordReader, layers: float, window: float) -> LayerCounts:
    architecture = header.text(ARCHITECTURE) or ""
    with_kv_cache = count_positive(header.per_layer("attention.head_count_kv"))
    linear = 0.0
    if architecture in WITH_FIXED_STATE:
        with_ffn = count_positive(header.per_layer("feed_forward_length"))
        linear = first_known(
            layers - floor(ratio(layers, header.number("full_attention_interval"))),
            number_if(architecture in SINGLE_BLOCK_LAYERS, layers - with_kv_cache - with_ffn),
            layers - with_kv_cache,
        )
    full = layers
    if linear > 0:
        full = first_known(with_kv_cache, layers - linear)
    elif known(window):
        pattern = header.per_layer("attention.sliding_window_pattern")
        interval = number_of(FULL_ATTENTION_INTERVALS.get(architecture))
        if pattern is None:
            interval = first_known(header.number("attention.sliding_window_pattern"), interval)
        full = first_known(layers - count(pattern, True), floor(ratio(layers, interval)), 0)
    return LayerCounts(full=full, windows=number_if(known(window), layers - full), linear=linear)


def _state_bytes(header: RecordReader, heads: float) -> float:
    """Bytes of fixed state of one layer: Kimi delta attention (KDA), or Mamba and the delta rule of Qwen."""
    width = header.number("kda.head_dim")
    inner, state = header.number("ssm.inner_size"), header.number("ssm.state_size")
    inputs = first_known(inner + 2 * header.number("ssm.group_count") * state, inner)
    previous = header.number("ssm.conv_kernel") - 1  # inputs that the convolution keeps
    input_bytes = DELTA_CONVOLUTION_BYTES if header.text(ARCHITECTURE) in DELTA_RULE else CONVOLUTION_BYTES
    return first_known(
        heads * width * width * STATE_BYTES + 3 * heads * width * previous * CONVOLUTION_BYTES,
        inner * state * STATE_BYTES + inputs * previous * input_bytes,
    )


IMPORTER = Importer(
    title="header of a GGUF file",
    word="model",
    catalog="models",
    source=SourceKind.GGUF,
    recognises=recognises,
    read=read,
)
