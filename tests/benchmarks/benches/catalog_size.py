"""How time and peak memory of a sweep grow with the number of devices in the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction

from benchmarks.benches.large_catalog import enlarge
from benchmarks.benches.loading import copy_folders
from benchmarks.benches.sweep import run_sweep, sweep_share
from benchmarks.harness import Benchmark, Comparison, Setup, Variant
from helpers.workplace import Workplace

FACTORS = (1, 2, 4)
SHARE = Fraction(1, 32)  # of the longest axis, so that a sweep takes seconds


@contextmanager
def _catalog_size(setup: Setup) -> Iterator[Comparison]:
    catalogs = setup.rulebook.catalogs
    devices, models = len(catalogs["devices"].entries), len(catalogs["models"].entries)
    with ExitStack() as stack:
        variants = []
        for factor in FACTORS[:-1] if setup.quick else FACTORS:
            workplace = Workplace(stack.enter_context(copy_folders(setup.folders)))
            enlarge(workplace, factor * devices, models)
            count = sweep_share(workplace.load(), SHARE).parts.count
            run = lambda folders=workplace.folders: run_sweep(folders, SHARE)  # noqa: E731
            variants.append(Variant(f"{factor * devices:,} devices, {SHARE} of the catalog", run, count))
        yield Comparison(tuple(variants), "answer", slow=True)


BENCHMARKS = (Benchmark("catalog-size", "a 32nd of every answer over catalogs with more devices", _catalog_size),)
