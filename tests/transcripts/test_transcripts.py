"""A corpus of broken rulebooks, each a whole transcript: files, a command, and all that it prints."""

from __future__ import annotations

import re

import pytest

from fitcard.answer.problems import QUESTION_TEXTS, REQUEST_TEXTS
from fitcard.problems import all_codes
from helpers.transcripts import Transcript, run, transcripts

CORPUS = transcripts()
PLACE = re.compile(r"^(\S+?):(\d+):(\d+): ", re.M)
ELSEWHERE = {
    "answer-shape",  # needs a page to draw: test_answer_shape.py
    "revision-without-rules",  # needs a repository: test_diff.py
    "sweep-needs-more",  # needs an extra that is not there: test_sweep.py
    "sweep-no-cluster",  # needs an extra that is there: test_sweep.py
    "sweep-other-engine",  # needs another engine: test_sweep.py
    "file-unreadable",  # needs a file that may not be read: test_yaml_reading.py
}


@pytest.mark.parametrize("transcript", CORPUS, ids=lambda transcript: transcript.name)
def test_a_broken_rulebook_is_told_in_these_words(transcript: Transcript) -> None:
    assert run(transcript).text == transcript.text


@pytest.mark.parametrize("transcript", CORPUS, ids=lambda transcript: transcript.name)
def test_every_place_is_in_a_file_of_the_transcript_or_of_the_rulebook_below_it(transcript: Transcript) -> None:
    printed = "".join(transcript.commands.values())
    for file, line, column in PLACE.findall(printed):
        content = transcript.files.get(file)
        if content is not None and content.isascii() and r"\x" not in content:
            assert int(column) <= len((content + "\n").split("\n")[int(line) - 1]) + 1, (file, line, column)


def test_every_kind_of_problem_of_a_rulebook_is_in_the_corpus() -> None:
    printed = "".join(text for transcript in CORPUS for text in transcript.commands.values())
    told = set(re.findall(r"(?:\[|title=)([a-z0-9-]+)", printed))
    assert set(all_codes()) - set(QUESTION_TEXTS) - set(REQUEST_TEXTS) - ELSEWHERE <= told
    assert len(CORPUS) >= 60
