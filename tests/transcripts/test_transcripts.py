"""Each transcript of this folder prints what it says; together they show every problem of a rulebook."""

from __future__ import annotations

import re

import pytest

from fitcard.answer.problems import QUESTION_TEXTS, REQUEST_TEXTS
from fitcard.problems import all_codes
from helpers.transcripts import Transcript, laid_out, run, transcripts

TRANSCRIPTS = transcripts()
POSITION = re.compile(r"^(\S+?):(\d+):(\d+): ", re.M)
TESTED_ELSEWHERE = {
    "revision-without-rules",  # needs a repository: unit/diff/test_diff.py
    "sweep-needs-more",  # needs a missing package: unit/sweep/test_sweep.py
    "sweep-no-cluster",  # needs another package: unit/sweep/test_sweep.py
    "sweep-running",  # needs another sweep: unit/sweep/test_lost_sweeps.py
    "sweep-workers-lost",  # needs a cluster: unit/sweep/test_lost_sweeps.py
    "sweep-worker-failed",  # needs a cluster: unit/sweep/test_lost_sweeps.py
    "sweep-other-engine",  # needs another engine: unit/sweep/test_sweep.py
    "reload-failed",  # needs a service: web/test_reload.py
    "too-costly",  # needs hundreds of rules: property/test_hostile_rulebooks.py
    "file-unreadable",  # needs an unreadable file: unit/source/test_yaml_reader.py
}


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda transcript: transcript.name)
def test_the_commands_print_the_transcript(transcript: Transcript) -> None:
    assert run(transcript).text == transcript.text


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda transcript: transcript.name)
def test_every_position_lies_within_its_file(transcript: Transcript) -> None:
    printed = "".join(transcript.commands.values())
    with laid_out(transcript) as place:
        for file, line, column in POSITION.findall(printed):
            if (path := place / file).is_file():
                lines = path.read_text("utf-8", errors="replace").split("\n")
                assert int(column) <= len(lines[int(line) - 1]) + 1, (file, line, column)


def test_every_problem_of_a_rulebook_has_a_transcript() -> None:
    printed = "".join(text for transcript in TRANSCRIPTS for text in transcript.commands.values())
    codes = set(re.findall(r"(?:\[|title=)([a-z0-9-]+)", printed))
    assert set(all_codes()) - set(QUESTION_TEXTS) - set(REQUEST_TEXTS) - TESTED_ELSEWHERE <= codes
    assert len(TRANSCRIPTS) >= 60
