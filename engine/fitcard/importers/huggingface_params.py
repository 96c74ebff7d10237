"""Experts, linear layers and the number of parameters of a config.json.

Parameters are counted from the shapes of the large matrices, without norms and biases. Keys, of which the first that is
present counts:

    num_experts, n_routed_experts, num_local_experts           experts.total
    num_experts_per_tok, num_experts_per_token, experts_per_token
                                                               experts.active
    intermediate_size, ffn_hidden_size                         params: FFN
    moe_intermediate_size, intermediate_size                   params: an expert
    shared_expert_intermediate_size, moe_shared_expert_intermediate_size; n_shared_experts, num_shared_experts
                                                               params: shared experts
    first_k_dense_replace, mlp_only_layers, expert_layer_period, expert_layer_offset, hybrid_override_pattern
                                                               params: which layers have experts
    q_lora_rank, kv_lora_rank, qk_nope_head_dim, qk_rope_head_dim, v_head_dim
                                                               params: attention (MLA)
    linear_num_key_heads, linear_num_value_heads, linear_key_head_dim, linear_value_head_dim, linear_conv_kernel_dim
                                                               fixed_state, params: delta rule (Qwen)
    linear_attn_config.num_heads, .head_dim, .short_conv_kernel_size
                                                               fixed_state, params: KDA (Kimi)
    mamba_num_heads, mamba_n_heads; mamba_head_dim, mamba_d_head; ssm_state_size, mamba_d_state, mamba_state_dim;
    n_groups, mamba_n_groups, mamba_num_groups; conv_kernel, mamba_d_conv; mamba_expand, expand; mamba_dt_rank
                                                               fixed_state, params: Mamba 2 (Nemotron, Granite), Mamba
    model_type                                                 params: FFN with two matrices, attention with a gate
"""

from __future__ import annotations

from dataclasses import dataclass

from fitcard.importers.importer import RecordReader, number_if
from fitcard.importers.model_shape import LayerCounts, ModelShape
from fitcard.importers.values import ABSENT, ceil, count, first_known, ratio

STATE_BYTES = 4  # per value of the state
CONVOLUTION_BYTES = 2  # per input of the convolution
DELTA_CONVOLUTION_BYTES = 4  # likewise, in Qwen
UNGATED_FFN = {"nemotron", "nemotron_h", "starcoder2"}  # two matrices instead of three
GATED_ATTENTION = {"qwen3_next", "qwen3_5", "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text"}  # one more matrix
HIDDEN_PER_STEP_RANK = 16  # default rank of the time step of Mamba


@dataclass(frozen=True)
class LinearLayer:
    """Bytes of fixed state and number of parameters of one layer."""

    state_bytes: float
    params: float


@dataclass(frozen=True)
class ExpertLayers:
    """Experts per layer, active experts per token, and number of layers with experts."""

    total: float
    active: float
    layers: float


def linear_layer(config: RecordReader, hidden: float, counts: LayerCounts) -> LinearLayer:
    """A layer with a fixed state, of the first kind whose keys are all present."""
    kinds = (_delta_rule(config, hidden), _kimi_delta_attention(config, hidden), *_mamba(config, hidden))
    return LinearLayer(
        first_known(*(kind.state_bytes for kind in kinds)),
        first_known(*(kind.params for kind in kinds), number_if(counts.linear == 0, 0)),
    )


def _delta_rule(config: RecordReader, hidden: float) -> LinearLayer:
    key_heads, value_heads = config.number("linear_num_key_heads"), config.number("linear_num_value_heads")
    key_width, value_width = config.number("linear_key_head_dim"), config.number("linear_value_head_dim")
    inner = 2 * key_heads * key_width + value_heads * value_width
    state = value_heads * key_width * value_width * STATE_BYTES
    convolution = inner * (config.number("linear_conv_kernel_dim") - 1) * DELTA_CONVOLUTION_BYTES
    return LinearLayer(state + convolution, hidden * (inner + 2 * value_heads * value_width + 2 * value_heads))


def _kimi_delta_attention(config: RecordReader, hidden: float) -> LinearLayer:
    heads, width = config.number("linear_attn_config.num_heads"), config.number("linear_attn_config.head_dim")
    kernel = config.number("linear_attn_config.short_conv_kernel_size")
    state = heads * width * width * STATE_BYTES
    convolution = 3 * heads * width * (kernel - 1) * CONVOLUTION_BYTES
    projections = 4 * hidden * heads * width
    gates = 2 * width * (hidden + heads * width) + hidden * heads
    return LinearLayer(state + convolution, projections + gates)


def _mamba(config: RecordReader, hidden: float) -> tuple[LinearLayer, LinearLayer]:
    """A layer of Mamba 2, and one of Mamba."""
    heads = config.number("mamba_num_heads", "mamba_n_heads")
    width = config.number("mamba_head_dim", "mamba_d_head")
    state = config.number("ssm_state_size", "mamba_d_state", "mamba_state_dim")
    groups = config.number("n_groups", "mamba_n_groups", "mamba_num_groups")
    previous = config.number("conv_kernel", "mamba_d_conv") - 1  # inputs that the convolution keeps
    inner = first_known(heads * width, config.number("mamba_expand", "expand") * hidden)
    step_rank = first_known(config.number("mamba_dt_rank"), ceil(hidden / HIDDEN_PER_STEP_RANK))
    state_bytes = inner * state * STATE_BYTES
    return (
        LinearLayer(
            state_bytes + (inner + 2 * groups * state) * previous * CONVOLUTION_BYTES,
            hidden * (3 * inner + 2 * groups * state + heads),
        ),
        LinearLayer(
            state_bytes + inner * previous * CONVOLUTION_BYTES,
            inner * (3 * hidden + 2 * step_rank + 3 * state),
        ),
    )


def expert_layers(config: RecordReader, layers: float) -> ExpertLayers:
    """The experts of a model; for a dense one `total` is absent and `layers` 0."""
    total = config.number("num_experts", "n_routed_experts", "num_local_experts")
    if not total > 0:
        return ExpertLayers(ABSENT, ABSENT, 0)
    dense = count(config.items("mlp_only_layers"))
    period, offset = config.number("expert_layer_period"), config.number("expert_layer_offset")
    return ExpertLayers(
        total,
        config.number_or_absent("num_experts_per_tok", "num_experts_per_token", "experts_per_token"),
        first_known(
            count(config.text("hybrid_override_pattern"), "E"),
            ceil(ratio(layers - offset, period)),
            layers - config.number("first_k_dense_replace"),
            layers - first_known(dense, 0),
        ),
    )


def count_parameters(config: RecordReader, shape: ModelShape, experts: ExpertLayers) -> tuple[float, float]:
    """The number of parameters, and of those active per token, which exclude the input embeddings."""
    hidden, counts = shape.hidden, shape.counts
    model_type = config.text("model_type") or ""
    ffn_matrices = 2 if model_type in UNGATED_FFN else 3
    ffn_layers = first_known(count(config.text("hybrid_override_pattern"), "-"), shape.layers - experts.layers)
    ffn = ffn_matrices * hidden * config.number_or_absent("intermediate_size", "ffn_hidden_size")
    expert = ffn_matrices * hidden * config.number_or_absent("moe_intermediate_size", "intermediate_size")
    expert = first_known(expert, number_if(experts.layers == 0, 0))
    shared_width = config.number("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size")
    shared_count = config.number_or_absent("n_shared_experts", "num_shared_experts")
    shared = first_known(ffn_matrices * hidden * shared_width, shared_count * expert, 0)
    embeddings = shape.vocabulary * hidden * (1 if shape.tied_embeddings else 2)
    dense = (
        embeddings
        + (counts.full + counts.windows) * _attention(config, shape, is_gated=model_type in GATED_ATTENTION)
        + counts.linear * linear_layer(config, hidden, counts).params
        + ffn_layers * first_known(ffn, number_if(ffn_layers == 0, 0))
    )
    total = dense + experts.layers * (first_known(experts.total, 0) * (expert + hidden) + shared)
    input_embeddings = 0 if shape.tied_embeddings else shape.vocabulary * hidden
    routed = experts.active * expert + experts.total * hidden
    return total, dense - input_embeddings + experts.layers * (routed + shared)


def _attention(config: RecordReader, shape: ModelShape, *, is_gated: bool) -> float:
    """The parameters of the attention of one layer, multi-head latent attention (MLA) if its keys are present."""
    hidden, heads, latent, rope = shape.hidden, shape.heads, shape.latent, shape.latent_rope
    keys, values = config.number("qk_nope_head_dim"), config.number("v_head_dim")
    query_rank = config.number("q_lora_rank")
    query = first_known(
        hidden * query_rank + query_rank * heads * (keys + rope),
        hidden * heads * (keys + rope),
    )
    with_latent = query + hidden * (latent + rope) + latent * heads * (keys + values) + heads * values * hidden
    head_matrices = heads * (3 if is_gated else 2) + 2 * shape.kv_heads
    return first_known(with_latent, hidden * shape.head_dim * head_matrices)
