"""Rules and catalogs run no program and lead to no file outside of their folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zoneinfo
from pathlib import Path
from typing import Any

import pytest

from fitcard.problems import ProblemsError
from fitcard.source.schemas import Schemas
from helpers.repository import repository
from helpers.workplace import Workplace

IMPORTS = {  # what once was a language of importers
    "import-runs-a-shell.yaml": """\
kind: import
title: Harmless looking import
reads: machine
machine:
  card: {run: [sh, -c, "echo ran; cat /etc/hostname"]}
  secrets: {file: /proc/../etc/passwd}
needs: [card]
fields:
  name: {text: "{secrets}"}
""",
    "import-cycle-bomb.yaml": """\
kind: import
title: A short import
reads: records
values:
  v0: v1 + v2
  v1: v0 + v0
fields:
  name: {text: "x"}
""",
}
TIME_ZONE = ("/etc/localtime", "/etc/timezone")
WATCHED = """
import json, os, sys

STARTS = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.spawn",
          "socket.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.")
OPENS = ("open", "os.listdir", "os.scandir", "os.walk", "glob.glob", "os.chdir", "os.remove", "os.rename", "os.mkdir")
opened, started = set(), []

def watch(event, arguments):
    if event.startswith(STARTS):
        started.append(event)
    elif event in OPENS and isinstance(arguments[0], (str, bytes, os.PathLike)):
        opened.add(os.path.realpath(os.fsdecode(arguments[0])))

sys.addaudithook(watch)
from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.lint.run import load_checked, run_checks
from fitcard.source.folders import Folders
from pathlib import Path

place = Path(sys.argv[1])
folders = Folders(place / "rules", place / "catalogs", place / "schemas")
problems = [str(problem) for problem in run_checks(folders)[1]]
answer = ""
if not problems:
    engine = load_checked(folders)
    question = read_question(engine.rulebook, {"model": "llama-3.1-8b", "device": "rtx-4090-24gb"})
    answer = answer_question(engine, question, explained=True).data["verdict"]
print(json.dumps({"opened": sorted(opened), "started": started, "problems": problems, "answer": answer}))
"""


def watched(place: Path) -> dict[str, list[str]]:
    """What loading, checking and answering opens and starts."""
    ended = subprocess.run([sys.executable, "-c", WATCHED, str(place)], capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(ended.stdout)
    return found


def of_python(path: str) -> bool:
    """Whether a file belongs to the interpreter, to an installed package, to the package itself or to time zones."""
    package = Path(__file__).resolve().parent.parent.parent / "engine"
    places = (*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, package, *zoneinfo.TZPATH, *sys.path)
    roots = {os.path.realpath(place) for place in places if str(place)}
    return any(path == root or path.startswith(root + os.sep) for root in roots) or path in TIME_ZONE


@pytest.mark.parametrize("with_imports", [False, True])
def test_loading_checking_and_answering_opens_the_folders_alone_and_starts_nothing(
    small: Workplace, with_imports: bool
) -> None:
    for name, text in IMPORTS.items() if with_imports else ():
        small.write(f"rules/{name}", text)
    place = os.path.realpath(small.folders.rules.parent)
    found = watched(Path(place))
    assert found["started"] == []
    elsewhere = [path for path in found["opened"] if not path.startswith(place + os.sep) and not of_python(path)]
    assert elsewhere == []
    assert any(path.endswith("rulebook.yaml") for path in found["opened"])
    assert bool(found["answer"]) is not with_imports
    assert [problem.partition(": ")[2] for problem in found["problems"]] == [
        "there is no kind of file `import`" for _ in IMPORTS if with_imports
    ]


@pytest.mark.parametrize("folder", ["rules", "catalogs"])
def test_links_out_of_the_folders_are_not_read(small: Workplace, tmp_path: Path, folder: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("password: hunter2\n", "utf-8")
    here = small.path(f"{folder}/linked.yaml")
    for target in (outside / "secret.yaml", Path("../outside/secret.yaml"), Path("/dev/zero"), Path("nothing"), here):
        here.symlink_to(target)
        problem = small.problem()
        assert (problem.code, problem.source_line) == ("file-unreadable", ""), target
        here.unlink()
    here.with_suffix("").symlink_to(outside, target_is_directory=True)
    assert small.problem().code == "file-unreadable"


def test_links_within_a_folder_are_read(small: Workplace) -> None:
    """As volumes of Kubernetes have them: `fit.yaml` -> `..data/fit.yaml`, `..data` -> `..2026`."""
    hidden = small.path("rules/..2026")
    hidden.mkdir()
    path = small.path("rules/fit.yaml")
    path.rename(hidden / "fit.yaml")
    small.path("rules/..data").symlink_to("..2026", target_is_directory=True)
    path.symlink_to("..data/fit.yaml")
    assert small.problems() == []


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"$ref": "file:///etc/hostname"}, "refers to `file:///etc/hostname`, which does not exist"),
        ({"$ref": "../../etc/x.json"}, "refers to `../../etc/x.json`, which does not exist"),
        ({"$ref": "http://127.0.0.1:9/x"}, "refers to `http://127.0.0.1:9/x`, which does not exist"),
        ({"$dynamicRef": "file:///etc/hostname"}, "`$dynamicRef` is not supported"),
        ({"$id": "file:///etc/", "$ref": "common.schema.json"}, "`$id` is not supported within a schema"),
        ({"$schema": "http://127.0.0.1:9/x"}, "`$schema` must be `https://json-schema.org/draft/2020-12/schema`"),
        ({"type": "txt"}, "is not a valid schema"),
        ({"pattern": "("}, "`(` is not a regular expression, or looks ahead or behind"),
        ({"pattern": "(?=a)b"}, "`(?=a)b` is not a regular expression, or looks ahead or behind"),
        ({"patternProperties": {"^(a+)+$": {}}}, "`patternProperties` is not supported"),
    ],
)
def test_schemas_refer_to_schemas_of_their_folder_alone(small: Workplace, part: dict[str, Any], message: str) -> None:
    path = small.path("schemas/quants.schema.json")
    schema = json.loads(path.read_text("utf-8"))
    schema["$defs"]["entry"]["properties"]["name"] = part
    path.write_text(json.dumps(schema), "utf-8")
    with pytest.raises(ProblemsError) as caught:
        Schemas.load(small.folders.schemas)
    assert [problem.message for problem in caught.value.problems] == [message]


def test_a_pattern_takes_a_time_in_proportion_to_the_text(small: Workplace) -> None:
    path = small.path("schemas/quants.schema.json")
    schema = json.loads(path.read_text("utf-8"))
    schema["$defs"]["entry"]["properties"]["name"] = {"type": "string", "pattern": "^(a+)+$"}
    path.write_text(json.dumps(schema), "utf-8")
    small.edit("catalogs/quants.yaml", "name: Q8_0", f"name: {'a' * 60}x")
    assert {problem.code for problem in small.problems()} == {"schema-form"}


@pytest.mark.parametrize("target", ["/etc/hostname", "../../../../../etc/hostname"])
def test_a_link_in_the_old_version_is_a_problem(small: Workplace, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    link = small.path("rules/linked.yaml")
    link.symlink_to(target)
    repo = repository(small, monkeypatch)
    link.unlink()
    ended = repo.diff("HEAD")
    assert ended.exit_code != 0
    assert "[file-unreadable]" in ended.output
