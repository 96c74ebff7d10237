"""Runs targets for longer: `python tests/fuzz [--seconds N] [--seed N] [--input N] [TARGET]...`; all by default."""

import argparse
import resource
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.runner import Outcome, run, run_input
from fuzz.targets import TARGETS

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--input", type=int, help="the number of a single input")
arguments = parser.parse_args()
if unknown := set(arguments.targets) - set(TARGETS):
    parser.error(f"no target is called {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")

warnings.simplefilter("error")
failed = False
for name in arguments.targets or TARGETS:
    outcome = Outcome()
    if arguments.input is None:
        outcome = run(TARGETS[name], arguments.seed, arguments.seconds)
    else:
        run_input(TARGETS[name], arguments.seed, arguments.input, outcome)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name}: {outcome.inputs:,} inputs, seed {arguments.seed}, at most {memory} MiB; slowest", end=" ")
    print(f"{outcome.slowest:.2f} s (input {outcome.slowest_input})")
    for word, count in outcome.counts.most_common():
        print(f"  {count:8,} {word}")
    if outcome.failed_input is not None:
        failed = True
        print(f"  failed: --seed {arguments.seed} --input {outcome.failed_input} {name}\n{outcome.failure}")
sys.exit(failed)
