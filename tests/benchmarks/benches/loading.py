"""Loading, checking, reloading and comparing files, beside parsing the same files as YAML and nothing more."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import yaml

from benchmarks.harness import Benchmark, Comparison, Setup, Variant
from benchmarks.process import run_process
from fitcard.diff.report import compare_snapshots
from fitcard.diff.revisions import find_revision
from fitcard.diff.snapshot import read_snapshot
from fitcard.language.definitions import Constant
from fitcard.lint.run import load_checked, run_checks
from fitcard.lint.watch import Watcher
from fitcard.reload import ReloadingEngine
from fitcard.rulebook.loader import load
from fitcard.source.folders import Folders

TINY = 1e-9  # relative change of a constant, where only the change itself matters


@contextmanager
def copy_folders(folders: Folders) -> Iterator[Folders]:
    """A temporary copy of the folders."""
    with tempfile.TemporaryDirectory() as place:
        copies = [Path(place) / name for name in ("rules", "catalogs", "schemas")]
        for folder, copy in zip(folders.all, copies, strict=True):
            shutil.copytree(folder, copy)
        yield Folders(*copies)


def _yaml_alone(folders: Folders) -> Variant:
    files = [path for folder in (folders.rules, folders.catalogs) for path in folder.rglob("*.yaml")]

    def parse() -> None:
        for file in files:
            yaml.compose(file.read_text("utf-8"), Loader=yaml.CBaseLoader)

    return Variant("parsing YAML", parse, ours=False)


@contextmanager
def _load(setup: Setup) -> Iterator[Comparison]:
    folders = setup.folders
    variants = (
        Variant("load", lambda: load(folders)),
        Variant("load, checked and compiled", lambda: load_checked(folders)),
        Variant("all checks", lambda: run_checks(folders)),
    )
    yield Comparison((_yaml_alone(folders), *variants), "load", slow=True)


@contextmanager
def _reload(setup: Setup) -> Iterator[Comparison]:
    with copy_folders(setup.folders) as served, copy_folders(setup.folders) as watched:
        live, watcher, edits = ReloadingEngine(served), Watcher(watched), count()
        watcher.check()
        file = Path(_central_constant(setup).document.file or "").relative_to(setup.folders.rules)
        text = (served.rules / file).read_text("utf-8")

        def reload() -> None:
            (served.rules / file).write_text(f"{text}\n# {next(edits)}\n", "utf-8")
            assert live.poll(), live.state.problems

        def watch() -> None:
            (watched.rules / file).write_text(f"{text}\n# {next(edits)}\n", "utf-8")
            assert watcher.check().has_figures

        variants = (
            Variant("service, no file changed", live.poll),
            Variant("service, one file changed", reload),
            Variant("watch, one file changed", watch),
        )
        yield Comparison((_yaml_alone(setup.folders), *variants), "poll", slow=True)


@contextmanager
def _diff(setup: Setup) -> Iterator[Comparison]:
    with copy_folders(setup.folders) as folders, tempfile.TemporaryDirectory() as checkout:
        constant = _central_constant(setup)
        file = folders.rules / Path(constant.document.file or "").relative_to(setup.folders.rules)
        text, place = file.read_text("utf-8"), constant.document.spans[(*constant.path, "value")]
        value = f"{constant.value * (1 + TINY)!r}"
        file.write_text(f"{text[: place.start]}{value}{text[place.end :]}", "utf-8")
        base, head = (
            read_snapshot(find_revision(str(side.rules.parent), side, Path(checkout)))
            for side in (setup.folders, folders)
        )
        command = (sys.executable, "-m", "fitcard", "diff", str(setup.folders.rules.parent))
        variants = (
            Variant("comparison of every answer", lambda: compare_snapshots(base, head)),
            Variant("fitcard diff as a process", lambda: run_process(command, folders)[0]),
        )
        yield Comparison((_yaml_alone(folders), *variants), "comparison", slow=True)


def _central_constant(setup: Setup) -> Constant:
    """The constant of the default profile with the most dependents."""
    rules = setup.engine.default_rules
    constants = [each for each in rules.definitions.values() if isinstance(each, Constant)]
    return max(constants, key=lambda each: len(rules.dependencies.dependents(each.name)))


BENCHMARKS = (
    Benchmark("load", "reading and checking all files, beside parsing them as YAML", _load),
    Benchmark("reload", "one poll of the files by service and watch, beside parsing them as YAML", _reload),
    Benchmark("diff", "what a change does to every answer, beside parsing the files as YAML", _diff),
)
