"""From files to a rulebook that answers, in process: beside parsing the same files as YAML and nothing more."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import yaml

from fitcard.diff.report import compare_snapshots
from fitcard.diff.revisions import find_revision
from fitcard.diff.snapshot import read_snapshot
from fitcard.language.definitions import Constant
from fitcard.lint.run import load_checked, run_checks
from fitcard.reload import ReloadingEngine
from fitcard.rulebook.loader import load
from fitcard.source.folders import Folders
from suite.contest import Bench, Contest, Setting, Variant

BARELY = 1e-9  # what a constant is moved by, as a share of it, where only that it moves matters


@contextmanager
def copied(folders: Folders) -> Iterator[Folders]:
    """The same files in folders that may be changed, until it ends."""
    with tempfile.TemporaryDirectory() as place:
        copies = [Path(place) / name for name in ("rules", "catalogs", "schemas")]
        for folder, copy in zip(folders.all, copies, strict=True):
            shutil.copytree(folder, copy)
        yield Folders(*copies)


def _parsed(folders: Folders) -> Variant:
    files = [path for folder in (folders.rules, folders.catalogs) for path in folder.rglob("*.yaml")]

    def parse() -> None:
        for file in files:
            yaml.compose(file.read_text("utf-8"), Loader=yaml.CBaseLoader)

    return Variant("YAML parsed, no more", parse, ours=False)


@contextmanager
def _load(setting: Setting) -> Iterator[Contest]:
    folders = setting.folders
    variants = (
        Variant("load", lambda: load(folders)),
        Variant("load, proven fit to answer", lambda: load_checked(folders)),
        Variant("all checks", lambda: run_checks(folders)),
    )
    yield Contest((_parsed(folders), *variants), "load", long=True)


@contextmanager
def _reload(setting: Setting) -> Iterator[Contest]:
    with copied(setting.folders) as folders:
        live, edits = ReloadingEngine(folders), count()
        definitions = live.rulebook.rule_set.definitions.values()
        file = next(one.document.file for one in definitions if isinstance(one, Constant))
        assert file is not None
        text = file.read_text("utf-8")

        def edited() -> None:
            file.write_text(f"{text}\n# {next(edits)}\n", "utf-8")
            assert live.poll(), live.last_attempt.problems

        variants = (Variant("nothing has changed", live.poll), Variant("one file has changed", edited))
        yield Contest((_parsed(folders), *variants), "look", long=True)


@contextmanager
def _diff(setting: Setting) -> Iterator[Contest]:
    with copied(setting.folders) as folders:
        constant = _wide(setting)
        file = folders.rules / Path(constant.document.file or "").relative_to(setting.folders.rules)
        text, place = file.read_text("utf-8"), constant.document.spans[(*constant.path, "value")]
        moved = f"{constant.value * (1 + BARELY)!r}"
        file.write_text(f"{text[: place.start]}{moved}{text[place.end :]}", "utf-8")
        with tempfile.TemporaryDirectory() as checkout:
            base, head = (
                read_snapshot(find_revision(str(one.rules.parent), one, Path(checkout)))
                for one in (setting.folders, folders)
            )
            yield Contest(
                (_parsed(folders), Variant("report on every answer", lambda: compare_snapshots(base, head))),
                "report",
                long=True,
            )


def _wide(setting: Setting) -> Constant:
    """The constant of the default profile that most rules are made of."""
    rules = setting.rulebook.rule_set
    constants = [one for one in rules.definitions.values() if isinstance(one, Constant)]
    return max(constants, key=lambda one: len(rules.dependents(one.name)))


BENCHES = (
    Bench("load", "reading and checking all files, beside parsing them as YAML", _load),
    Bench("reload", "a look at the files by a running service, beside parsing them as YAML", _reload),
    Bench("diff", "what a change does to every answer, beside parsing the files as YAML", _diff),
)
