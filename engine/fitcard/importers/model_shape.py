"""The shape of a model, read from config.json or a GGUF header, as fields of a catalog entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fitcard.importers.importer import applies
from fitcard.importers.values import known, rounded

BYTES_PER_MB = 1e6
PARAMETERS_PER_BILLION = 1e9


@dataclass(frozen=True)
class LayerCounts:
    """Numbers of layers with full attention, a sliding window, and a fixed state (linear attention, Mamba)."""

    full: float
    windows: float
    linear: float


@dataclass(frozen=True)
class ModelShape:
    """Sizes of a model; NaN where absent.

    `latent` is the rank of the compressed KV of multi-head latent attention (MLA), `latent_rope` the width of its
    separate rotary part; `window` is in tokens, `state_bytes` the fixed state of one linear layer. Entries of models
    with a latent usually have no `head_dim`.
    """

    layers: float
    hidden: float
    heads: float
    kv_heads: float
    head_dim: float
    head_dim_applies: bool
    latent: float
    latent_rope: float
    counts: LayerCounts
    window: float
    state_bytes: float
    vocabulary: float
    tied_embeddings: bool
    context: float

    @property
    def attention(self) -> str:
        """The kind of attention, a word of the catalog of models."""
        linear = self.counts.linear > 0
        if known(self.latent):
            return "hybrid-latent" if linear else "latent"
        if linear:
            return "state-space" if self.counts.full == 0 else "hybrid"
        return "window" if self.counts.windows > 0 else "full"

    def fields(self) -> dict[str, Any]:
        """The fields of the entry, from `layers` to `context`."""
        counts = self.counts
        linear, windows = counts.linear > 0, counts.windows > 0
        return {
            "layers": self.layers,
            "hidden": self.hidden,
            "heads": self.heads,
            "kv_heads": self.kv_heads,
            "head_dim": applies(self.head_dim_applies, self.head_dim),
            "attention": self.attention,
            "latent_width": applies(known(self.latent), self.latent + self.latent_rope),
            "full_layers": applies(linear or windows, counts.full),
            "window_layers": applies(windows, counts.windows),
            "window": applies(windows, self.window),
            "linear_layers": applies(linear, counts.linear),
            "fixed_state": applies(linear, rounded(counts.linear * self.state_bytes / BYTES_PER_MB, 1)),
            "vocabulary": self.vocabulary,
            "tied_embeddings": applies(self.tied_embeddings, True),
            "context": self.context,
        }


def billions(parameters: float, decimals: int = 2) -> float:
    """A number of parameters in billions."""
    return rounded(parameters / PARAMETERS_PER_BILLION, decimals)
