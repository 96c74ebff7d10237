"""What is added in YAML alone: a workload, a mode, a quant and a device, seen in JSON, a terminal and a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.lint.run import run_checks
from fitcard.problems import errors
from fitcard.reload import ReloadingEngine
from fitcard.web.app import create_app
from helpers.workplace import Workplace


@dataclass(frozen=True)
class Entry:
    """An entry of a catalog as YAML, and what a caller sees of it."""

    axis: str
    file: str
    id: str
    yaml: str
    title: str


ENTRIES = [
    Entry(
        "workload",
        "catalogs/workloads.yaml",
        "meeting-notes",
        """\
    name: Meeting notes
    about: Summaries of transcripts.
    tokens: 24000
    prompt_tokens: 20000
    source: [own transcripts]
    checked_on: 2026-11-30
""",
        "Meeting notes",
    ),
    Entry(
        "mode",
        "rules/judgement/modes.yaml",
        "overnight",
        """\
    name: Overnight
    about: For batches that run while everybody sleeps.
    weights:
      {quality: 0.7, fit: 0.3, utilisation: 0, speed: 0, specialisation: 0, freshness: 0, responsiveness: 0, serving: 0}
    reference: {title: Own weighting}
""",
        "Overnight",
    ),
    Entry(
        "quant",
        "catalogs/quants.yaml",
        "Q4_K_XS",
        """\
    name: Q4_K_XS
    format: gguf
    family: k-quant
    bits: 4
    bits_per_weight: 4.3
    embedding_bits: 5.69
    quality: Medium
    source: [file sizes of a repository]
    checked_on: 2026-11-30
""",
        "Q4_K_XS",
    ),
    Entry(
        "device",
        "catalogs/devices/nvidia-geforce.yaml",
        "rtx-4090-48gb-modified",
        """\
    name: GeForce RTX 4090 48GB (modified)
    vendor: NVIDIA
    family: geforce
    segment: desktop
    architecture: ada
    memory: 48
    memory_type: GDDR6X
    bandwidth: 1008
    unified: false
    link: pcie
    compute: {fp16: 165.2, fp32: 82.6}
    year: 2024
    source: [a seller's data sheet]
    checked_on: 2026-11-30
""",
        "GeForce RTX 4090 48GB (modified)",
    ),
]
QUESTION = {"model": "qwen-3-14b", "device": "rtx-4090-24gb"}


@pytest.fixture(params=ENTRIES, ids=lambda entry: entry.axis)
def entry(request: pytest.FixtureRequest) -> Entry:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def added(copy: Workplace, entry: Entry) -> Workplace:
    text = copy.path(entry.file).read_text("utf-8").rstrip("\n")
    copy.write(entry.file, f"{text}\n  {entry.id}:\n{entry.yaml}")
    return copy


def test_an_added_entry_is_answered_everywhere(added: Workplace, entry: Entry) -> None:
    question = {**QUESTION, entry.axis: entry.id}
    model, device, *others = question.values()
    options = [word for axis in question.keys() - QUESTION.keys() for word in (f"--{axis}", question[axis])]
    assert errors(run_checks(added.folders)[1]) == []

    client = create_app(ReloadingEngine(added.folders)).test_client()
    parameters = "".join(f"?{entry.axis}={one}" for one in others)
    answer: dict[str, Any] = client.get(f"/v1/can-run/{model}-on-{device}{parameters}").get_json()
    assert (answer["question"][entry.axis] if entry.axis != "device" else answer["device"]["id"]) == entry.id
    page = client.get(f"/can-run/{model}-on-{device}{parameters}").get_data(as_text=True)
    assert entry.title in unescape(re.sub(r"<[^>]+>", "", page))

    shown = CliRunner().invoke(main, [*added.options, "show", model, device, *options], env={"COLUMNS": "120"})
    assert shown.exit_code == 0
    assert entry.title in shown.output
