"""What runs on a pull request: the two scripts of the action, in a repository with a branch, with a stand-in for gh."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.workplace import PROJECT, Workplace

ACTION = PROJECT / ".github" / "actions" / "review"
REFERENCE = "rules/profiles/reference.yaml"
GH = """#!/usr/bin/env bash
echo "$@" >> "$CALLS"
case "$*" in *--paginate*) cat "$EARLIER" ;; esac
"""


@pytest.fixture
def place(copy: Workplace, tmp_path: Path) -> Path:
    """A clone of a repository with a branch of its own, and the commands that the scripts call."""
    top = tmp_path / "target"
    top.mkdir()
    for folder in copy.folders.all:
        shutil.move(folder, top / folder.name)
    git(top, "init", "-q", "-b", "main")
    git(top, "add", ".")
    git(top, "commit", "-qm", "rules")
    git(tmp_path, "clone", "-q", str(top), "clone")
    git(tmp_path / "clone", "checkout", "-qb", "change")
    commands = tmp_path / "bin"
    commands.mkdir()
    write_command(commands / "gh", GH)
    write_command(commands / "fitcard", f'#!/usr/bin/env bash\nexec "{sys.executable}" -m fitcard "$@"\n')
    return tmp_path


def write_command(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def git(where: Path, *words: str) -> None:
    author = ["-c", "user.name=tuner", "-c", "user.email=tuner@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *words], cwd=where, check=True, capture_output=True)


def run(place: Path, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT / "engine"),
        "FITCARD_RULES": "rules",
        "FITCARD_CATALOGS": "catalogs",
        "SCHEMAS": "schemas",
        "TARGET": "main",
        "REPORT": str(place / "report"),
        "GITHUB_OUTPUT": str(place / "output"),
        "GITHUB_STEP_SUMMARY": str(place / "summary"),
        "CALLS": str(place / "calls"),
        "EARLIER": str(place / "earlier"),
        "REPOSITORY": "somebody/rules",
        "NUMBER": "7",
        **more,
    }
    command = ["bash", str(ACTION / script)]
    return subprocess.run(command, cwd=place / "clone", env=environment, capture_output=True, text=True, check=False)


def change(place: Path, file: str, old: str, new: str) -> None:
    path = place / "clone" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    git(place / "clone", "commit", "-qam", "a change")


def test_a_change_of_wording_passes_and_has_a_report(place: Path) -> None:
    change(
        place, "rules/physics/prefill.yaml", "about: Batches of the prompt.", "about: Number of batches of the prompt."
    )
    ended = run(place, "review")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {file.name for file in (place / "report").iterdir()} == {"diff.md", "diff.html", "diff.json", "diff.sarif"}
    assert (place / "output").read_text() == f"report={place / 'report'}\n"
    assert "no answer moves" in (place / "summary").read_text("utf-8")


def test_the_comparison_is_with_the_merge_base(place: Path) -> None:
    target = place / "target" / "rules" / "judgement" / "score.yaml"
    target.write_text(target.read_text("utf-8").replace("at_least: 85", "at_least: 80"), "utf-8")
    git(place / "target", "commit", "-qam", "another change")
    change(place, "catalogs/devices/intel-arc.yaml", "tdp: 150", "tdp: 155")
    assert run(place, "review").returncode == 0
    assert "grade" not in (place / "report" / "diff.md").read_text("utf-8")


def test_failures_are_annotated_and_fail_the_run(place: Path) -> None:
    change(place, REFERENCE, "value: 0.72\n", "value: 0.75\n")
    ended = run(place, "review")
    assert ended.returncode == 1
    assert "::error title=contract-changed,file=rules/profiles/reference_pages.test.yaml" in ended.stdout
    line = (place / "clone" / REFERENCE).read_text("utf-8").splitlines().index("    unified_usable_share:") + 1
    assert f"::notice title=answers-moved,file={REFERENCE},line={line},col=5::" in ended.stdout
    assert ended.stdout.endswith("::error::failed: test diff\n")
    assert "contract cases move" in (place / "summary").read_text("utf-8")


def test_rules_that_cannot_be_read_fail_the_check_and_are_still_compared(place: Path) -> None:
    change(place, "rules/physics/prefill.yaml", "expr: prompt_tokens /", "expr: prompt_tokes /")
    ended = run(place, "review")
    assert ended.stdout.endswith("::error::failed: check test diff\n")
    assert "nothing was computed" in (place / "report" / "diff.md").read_text("utf-8")


@pytest.mark.parametrize(("earlier", "method"), [("", "POST"), ("41\n", "PATCH")])
def test_a_pull_request_has_one_comment_which_is_updated(place: Path, earlier: str, method: str) -> None:
    (place / "report").mkdir()
    (place / "report" / "diff.md").write_text("<!-- fitcard diff -->\n")
    (place / "earlier").write_text(earlier)
    ended = run(place, "comment")
    assert ended.returncode == 0, ended.stderr
    listed, written = (place / "calls").read_text().splitlines()
    assert 'startswith("<!-- fitcard diff -->")' in listed
    where = f"comments/{earlier.strip()}" if earlier else "7/comments"
    assert f"--method {method} repos/somebody/rules/issues/{where}" in written
    assert f"--field body=@{place / 'report' / 'diff.md'}" in written


def test_workflow_and_action_pass_the_inputs_of_the_scripts() -> None:
    action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
    given = {name for step in action["runs"]["steps"] for name in step.get("env", {})}
    assert {"FITCARD_RULES", "FITCARD_CATALOGS", "SCHEMAS", "BASE", "TARGET", "REPORT", "REPOSITORY", "NUMBER"} <= given
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "pull-request.yml").read_text("utf-8"))
    steps = workflow["jobs"]["review"]["steps"]
    assert steps[0]["with"]["fetch-depth"] == 0
    assert steps[1]["uses"] == "./.github/actions/review"
    assert set(steps[1]["with"]) <= set(action["inputs"])
    for step in action["runs"]["steps"]:  # what people write into a pull request never becomes part of a script
        assert "${{" not in step.get("run", "")


def test_every_action_of_others_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    for path in [*(PROJECT / ".github" / "workflows").glob("*.yml"), ACTION / "action.yml"]:
        used = re.findall(r"uses: (\S+)(.*)", path.read_text("utf-8"))
        for action, comment in used:
            pinned = re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) and re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
            assert action.startswith("./") or pinned, f"{path.name}: {action}"


def test_hooks_name_commands_that_are_there() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"]: hook["entry"].split()[-1] for hook in hooks} == {"fitcard-check": "check", "fitcard-fmt": "fmt"}
