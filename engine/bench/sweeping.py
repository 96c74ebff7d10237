"""The whole catalog as one sweep, in a process of its own, for its peak memory: how both grow with the catalog.

Evaluated as `fitcard diff` does, in parts on threads. Run as a module it sweeps a share of the entries and says how
many answers there were, and in how many seconds.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction

from engine.bench.alone import run_alone
from engine.bench.contest import Bench, Contest, Setting, Took, Variant
from engine.compare.impact import MOST_OF_A_PART, MOST_THREADS
from engine.compare.questions import Questions
from engine.evaluate.evaluation import evaluate
from engine.read.folders import Folders, find_folders
from engine.rulebook.load import load
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.rulebook import Rulebook

SHARES = (Fraction(1, 32), Fraction(1, 8), Fraction(1))


def questions_of(rules: RuleSet, share: Fraction) -> Questions:
    """Every question over this share of the entries of the longest axis."""
    every = Questions.both_know(rules, rules)
    longest = every.longest
    ids = every.ids[longest][: max(1, int(len(every.ids[longest]) * share))]
    return replace(every, ids={**every.ids, longest: ids})


def sweep(rulebook: Rulebook, share: Fraction) -> int:
    """Every output of an answer for all these questions; says how many were answered."""
    rules = rulebook.rule_set
    questions = questions_of(rules, share)
    shown = rulebook.needs[rules.profile].shown.computed
    outputs = [name for name in rules.definitions if name in shown and not rules.plan([name]).current]
    threads = min(MOST_THREADS, os.cpu_count() or 1)

    def answered(part: Questions) -> int:
        asked = part.grid(rules)
        evaluate(rules, asked, outputs)
        return math.prod(asked.shape)

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(answered, (part for part, _ in questions.parts(MOST_OF_A_PART))))


def swept(folders: Folders, share: Fraction) -> Took:
    """A sweep in a process of its own: seconds of the sweep alone, and the peak memory of the process."""
    took, printed = run_alone((sys.executable, "-m", __name__, str(share)), folders)
    return Took(float(json.loads(printed)["seconds"]), took.figures)


@contextmanager
def _sweep(setting: Setting) -> Iterator[Contest]:
    rules = setting.rulebook.rule_set
    shares = SHARES[:-1] if setting.quick else SHARES

    def variant(share: Fraction) -> Variant:
        questions = questions_of(rules, share).count
        name = f"{share} of the catalog" if share < 1 else "the whole catalog"
        return Variant(name, lambda: swept(setting.folders, share), questions)

    yield Contest(tuple(variant(share) for share in shares), "answer", long=True)


BENCHES = (Bench("sweep", "every answer over the catalog, and how time and peak memory grow with it", _sweep),)


def main() -> None:
    """Sweeps the share that is named, and prints what came of it as JSON."""
    rulebook = load(find_folders())
    started = time.perf_counter()
    answers = sweep(rulebook, Fraction(sys.argv[1]))
    print(json.dumps({"seconds": time.perf_counter() - started, "answers": answers}))


if __name__ == "__main__":
    main()
