"""Catalogs made large: how the time and the peak memory of a sweep grow with the number of devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction

from large_catalog import enlarge
from suite.contest import Bench, Contest, Setting, Variant
from suite.loading import copied
from suite.sweeping import sweep_of, swept

from helpers.workplace import Workplace

TIMES = (1, 2, 4)  # as many devices as there are
SHARE = Fraction(1, 32)  # of the longest axis, so that one sweep takes no minute


@contextmanager
def _larger(setting: Setting) -> Iterator[Contest]:
    catalogs = setting.rulebook.catalogs
    devices, models = len(catalogs["devices"].entries), len(catalogs["models"].entries)
    with ExitStack() as stack:
        variants = []
        for times in TIMES[:-1] if setting.quick else TIMES:
            folders = stack.enter_context(copied(setting.folders))
            place = Workplace(folders)
            enlarge(place, times * devices, models)
            count = sweep_of(place.load(), SHARE).parts.count
            run = lambda folders=folders: swept(folders, SHARE)  # noqa: E731
            variants.append(Variant(f"{times * devices:,} devices, {SHARE} of the catalog", run, count))
        yield Contest(tuple(variants), "answer", long=True)


BENCHES = (Bench("larger", "a thirty-second of every answer over catalogs with more devices", _larger),)
