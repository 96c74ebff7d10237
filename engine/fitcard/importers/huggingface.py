"""config.json of Hugging Face: the shape of a model as its makers publish it. Gives an entry of the catalog of models.

Keys, of which the first that is present counts, also in `text_config`, `llm_config` or `language_config`:

    num_hidden_layers, num_layers, n_layers, n_layer           layers
    hidden_size, d_model, n_embd                               hidden
    num_attention_heads, n_heads, n_head                       heads
    num_key_value_heads, multi_query_group_num                 kv_heads: the largest if layers differ
    head_dim, attention_head_dim, kv_channels                  head_dim; else hidden / heads
    vocab_size, padded_vocab_size                              vocabulary
    tie_word_embeddings                                        tied_embeddings
    model_max_length, max_position_embeddings, seq_length, n_positions
                                                               context
    vision_config, vision_tower, mm_vision_tower               modality: vision
    kv_lora_rank, qk_rope_head_dim                             latent_width (MLA)
    layer_types, hybrid_override_pattern                       full_layers, window_layers, linear_layers
    sliding_window, use_sliding_window                         window
    sliding_window_pattern, layer_switch                       full_layers: every n-th, the others with a window
    full_attention_interval, attn_layer_period, attn_layer_offset
                                                               full_layers: every n-th, the others linear
    linear_attn_config.full_attn_layers, .kda_layers           full_layers, linear_layers (Kimi delta attention)
    moe_latent_size, routed_expert_hidden_size                 params: not counted
    model_type                                                 defaults that the config omits

`huggingface_params.py` reads the keys of experts and linear layers for `params`, `active_params`, `experts` and
`fixed_state`. A new architecture needs its keys there or here, or its `model_type` in one of the tables below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fitcard.importers.huggingface_params import count_parameters, expert_layers, linear_layer
from fitcard.importers.importer import Fields, Importer, Reading, RecordReader, applies, number_if
from fitcard.importers.model_shape import LayerCounts, ModelShape, billions
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import ABSENT, ceil, count, first_known, floor, known, number_of, ratio

SECTIONS = ("text_config", "llm_config", "language_config")
# Defaults by model_type, which a config omits.
DEFAULT_CONTEXT = {"gemma3_text": 131072}
DEFAULT_VOCABULARY = {"gemma3_text": 262208}
DEFAULT_HEADS = {"gemma3_text": 8}
DEFAULT_KV_HEADS = {"gemma3_text": 4}
DEFAULT_HEAD_DIM = {"gemma3_text": 256}
TIED_BY_DEFAULT = {"gemma", "gemma2", "gemma3", "gemma3_text", "cohere", "cohere2"}
# Every n-th layer attends to the whole context, the others to a window.
FULL_ATTENTION_INTERVALS = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2}


def recognises(record: Record) -> bool:
    """Whether the config has layers and attention heads."""
    config = RecordReader(record, sections=SECTIONS)
    heads = config.value("num_attention_heads", "n_heads", "n_head")
    has_heads = heads is not None or str(config.value("model_type")) in DEFAULT_HEADS
    return has_heads and config.value("num_hidden_layers", "num_layers", "n_layers", "n_layer") is not None


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One model for each config."""
    return [Reading(_fields(RecordReader(record, overrides, SECTIONS))) for record in records]


def _fields(config: RecordReader) -> dict[str, Any]:
    shape = _shape(config)
    experts = expert_layers(config, shape.layers)
    params, active_params = count_parameters(config, shape, experts)
    has_vision = config.value("vision_config", "vision_tower", "mm_vision_tower") is not None
    # The latent experts of Nemotron 3 Super and vision encoders have parameters that are not counted.
    is_counted = not has_vision and not known(config.number("moe_latent_size", "routed_expert_hidden_size"))
    has_experts = known(experts.total)
    return {
        "params": applies(is_counted, billions(params)),
        "active_params": applies(is_counted and has_experts, billions(active_params, 1)),
        "experts.total": applies(has_experts, experts.total),
        "experts.active": applies(has_experts, experts.active),
        **shape.fields(),
        "modality": "vision" if has_vision else "text",
        "shape": "published config",
    }


def _shape(config: RecordReader) -> ModelShape:
    model_type = config.text("model_type") or ""
    layers = config.override_or_number("layers", "num_hidden_layers", "num_layers", "n_layers", "n_layer")
    hidden = config.override_or_number("hidden", "hidden_size", "d_model", "n_embd")
    heads = first_known(config.override_number("heads"), _heads(config))
    kv_heads = first_known(
        config.override_number("kv_heads"),
        config.largest("num_key_value_heads", "multi_query_group_num"),
        number_of(DEFAULT_KV_HEADS.get(model_type)),
        heads,
    )
    head_dim = config.number("head_dim", "attention_head_dim", "kv_channels")
    latent = config.number("kv_lora_rank")
    context = first_known(
        config.override_or_number(
            "context", "model_max_length", "max_position_embeddings", "seq_length", "n_positions"
        ),
        number_of(DEFAULT_CONTEXT.get(model_type)),
    )
    window = config.number("sliding_window")
    disabled = config.flag("use_sliding_window") is False
    window_in_use = first_known(config.override_number("window"), number_if(window < context and not disabled, window))
    counts = _layer_counts(config, model_type, layers, has_window=known(window_in_use))
    return ModelShape(
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=first_known(
            config.override_number("head_dim"),
            head_dim,
            number_of(DEFAULT_HEAD_DIM.get(model_type)),
            ratio(hidden, heads),
        ),
        head_dim_applies=known(head_dim) or not known(latent),
        latent=latent,
        latent_rope=config.number("qk_rope_head_dim"),
        counts=counts,
        window=window,
        state_bytes=linear_layer(config, hidden, counts).state_bytes,
        vocabulary=first_known(
            config.override_or_number("vocabulary", "vocab_size", "padded_vocab_size"),
            number_of(DEFAULT_VOCABULARY.get(model_type)),
        ),
        tied_embeddings=_is_tied(config, model_type),
        context=context,
    )


def _heads(config: RecordReader) -> float:
    default = number_of(DEFAULT_HEADS.get(config.text("model_type") or ""))
    return first_known(config.number_or_absent("num_attention_heads", "n_heads", "n_head"), default)


def _is_tied(config: RecordReader, model_type: str) -> bool:
    tied = config.flag("tie_word_embeddings")
    return model_type in TIED_BY_DEFAULT if tied is None else tied


def _layer_counts(config: RecordReader, model_type: str, layers: float, *, has_window: bool) -> LayerCounts:
    types, letters = config.items("layer_types"), config.text("hybrid_override_pattern")
    period, offset = config.number("attn_layer_period"), config.number("attn_layer_offset")
    linear = first_known(
        count(types, "linear_attention", "mamba", "mamba2", "recurrent"),
        count(letters, "M"),
        count(config.items("linear_attn_config.kda_layers")),
        layers - floor(ratio(layers, config.number("full_attention_interval"))),
        layers - ceil(ratio(layers - offset, period)),
        0,
    )
    interval = first_known(_interval(config), number_of(FULL_ATTENTION_INTERVALS.get(model_type)))
    full = first_known(
        count(types, "full_attention", "attention"),
        count(letters, "*"),
        count(config.items("linear_attn_config.full_attn_layers")),
        number_if(linear > 0, layers - linear),
        number_if(has_window, floor(ratio(layers, interval))),
        number_if(has_window, 0),
        layers,
    )
    windows = first_known(count(types, "sliding_attention"), number_if(has_window and linear == 0, layers - full), 0)
    return LayerCounts(full=full, windows=windows, linear=linear)


def _interval(config: RecordReader) -> float:
    """The interval of layers with full attention; absent if `sliding_window_pattern` has a letter for each of them."""
    letters = config.scalar("sliding_window_pattern")
    if isinstance(letters, str) and re.fullmatch("[LG]+", letters):
        return ABSENT
    return config.number("sliding_window_pattern", "layer_switch")


IMPORTER = Importer(
    title="config.json of Hugging Face",
    word="model",
    catalog="models",
    source=SourceKind.RECORDS,
    recognises=recognises,
    read=read,
)
