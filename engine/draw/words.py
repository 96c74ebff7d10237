"""The words that the page in a terminal takes from the messages: each label, and what its slots may be filled with."""

from __future__ import annotations

from engine.rulebook.messages import Texts

LABELS: Texts = {
    **{
        name: frozenset()
        for name in (
            "fit", "grade", "score", "decode", "ttft", "safe_context", "memory", "offload", "runtime", "bandwidth",
            "weights", "kv_cache", "headroom", "workload", "context", "quant", "bits", "quality", "device", "price",
            "changes", "workloads_title", "quants_title", "upgrades_title", "no_upgrades", "faq_title", "embed_title",
            "trace_title",
        )
    },
    **{name: frozenset({"value"}) for name in ("gb", "tok_s", "ms", "tokens", "percent", "usd")},
    "gb_of": frozenset({"value", "of"}),
    "over_capacity": frozenset({"over"}),
    "under_capacity": frozenset({"under"}),
    "quants_caption": frozenset({"model", "device", "usable", "context"}),
    "ranking": frozenset({"name", "about", "score"}),
    "what_if": frozenset({"name", "value", "instead_of"}),
    "range": frozenset({"share", "slowest", "fastest", "earliest", "latest"}),
    "measured_run": frozenset({"run", "runtime", "gpus", "context", "depth", "decode_tok_s", "source"}),
    "rules_title": frozenset({"version", "sha256", "profile"}),
}  # fmt: skip
