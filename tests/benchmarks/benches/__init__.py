"""All benchmarks, in the order in which they run."""

from benchmarks.benches import answer, catalog_size, formulas, http_service, loading, processes, sweep

BENCHMARKS = (
    *formulas.BENCHMARKS,
    *answer.BENCHMARKS,
    *sweep.BENCHMARKS,
    *catalog_size.BENCHMARKS,
    *http_service.BENCHMARKS,
    *loading.BENCHMARKS,
    *processes.BENCHMARKS,
)
