"""The words that the page in a terminal takes from the messages: each label, and what its slots may be filled with."""

from __future__ import annotations

from fitcard.rulebook.messages import Texts

LABELS: Texts = {
    **{
        name: frozenset()
        for name in (
            "fit", "grade", "score", "decode", "ttft", "safe_context", "memory", "offload", "runtime", "bandwidth",
            "weights", "kv_cache", "headroom", "workload", "context", "quant", "bits", "quality", "device", "price",
            "changes", "ways_title", "settings_title", "workloads_title",
            "quants_title", "upgrades_title", "no_upgrades", "faq_title",
            "embed_title",
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
    **{
        name: frozenset()
        for name in (
            "page_about", "page_sections", "page_devices", "page_models", "page_methodology", "page_rules", "page_why",
            "page_close", "page_mode", "page_more", "page_update", "page_by_context", "page_embed_about", "page_copied",
            "page_copy", "page_back", "page_ask", "page_paste", "page_popular", "page_own", "page_own_about",
            "page_like", "page_methodology_about", "page_backtest", "page_backtest_about", "page_quantity",
            "page_runs", "page_profiles", "page_reference", "page_graph", "page_between", "page_profile",
            "page_native", "page_with_offload", "page_not", "page_best",
            "page_cheapest_whole", "page_cheapest_runs", "page_tiers", "page_compare",
            "page_service", "page_parameters", "page_gives",
        )
    },
    "page_footer": frozenset({"version", "sha256"}),
    "page_fit_title": frozenset({"model", "device"}),
    "page_pair": frozenset({"model", "device"}),
    "page_why_title": frozenset({"name", "model", "device"}),
    "page_rule_of": frozenset({"name"}),
    "share": frozenset({"value"}),
    "page_more_rows": frozenset({"count"}),
    "rules_title": frozenset({"version", "sha256", "profile"}),
}  # fmt: skip
