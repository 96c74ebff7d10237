"""Rewrites every transcript with what its commands print now: `python tests/transcripts`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from helpers.transcripts import FOLDER, run, transcripts

for transcript in transcripts():
    (FOLDER / f"{transcript.name}.txt").write_text(run(transcript).text, "utf-8")
