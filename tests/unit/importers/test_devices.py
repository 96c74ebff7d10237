"""`fitcard import device`: the output of tools of a machine, matched with the catalog first."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.importers import nvidia_smi
from fitcard.importers.entries import import_entries
from fitcard.importers.machine import machine_records
from fitcard.importers.records import SourceKind
from fitcard.importers.registry import IMPORTERS, recognise
from helpers.workplace import PROJECT, Workplace

MACHINES = PROJECT / "tests" / "unit" / "importers" / "samples" / "machines"
PRICE = ["vendor=NVIDIA", "bandwidth=1800", "source=data sheet"]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["import", "device", *words])


def known(engine: Engine, machine: str, source: str) -> list[str | None]:
    """The entries of the catalog that a machine has."""
    importer = next(one for one in IMPORTERS if one.title == source)
    records = machine_records(importer.machine, importer.each, MACHINES / machine)
    assert recognise([importer], SourceKind.MACHINE, records)
    entries = import_entries(importer, records, engine.rulebook.catalogs, today="2026-11-25")
    return [entry.match.entry.id if entry.match and not entry.match.differences else None for entry in entries]


@pytest.mark.parametrize(
    ("machine", "source", "devices"),
    [
        ("two-rtx-4090", "nvidia-smi", ["rtx-4090-24gb"] * 2),
        ("rx-7900-xtx", "rocm-smi", ["rx-7900-xtx-24gb"]),
        ("m3-max", "Apple silicon", ["m3-max-36gb"]),
        ("unknown-card", "nvidia-smi", [None]),
        ("lspci-only", "graphics that lspci lists", [None]),
    ],
)
def test_devices_are_found_by_name_and_memory(
    engine: Engine, machine: str, source: str, devices: list[str | None]
) -> None:
    assert known(engine, machine, source) == devices


@pytest.mark.parametrize(
    ("line", "device"),
    [
        ("NVIDIA A100-SXM4-40GB, 40960, 4, 16, 400.00, 8.0", "a100-40gb"),
        ("NVIDIA H100 80GB HBM3, 81559, 5, 16, 700.00, 9.0", "h100-80gb"),
        ("NVIDIA GeForce RTX 3060, 12288, 4, 16, 170.00, 8.6", "rtx-3060-12gb"),
        ("NVIDIA GeForce RTX 3060, 8192, 4, 16, 170.00, 8.6", "rtx-3060-8gb"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU, 16376, 4, 16, 150.00, 8.9", "rtx-4090-laptop-16gb"),
        ("NVIDIA A100-PCIE-40GB, 40960, 4, 16, 250.00, 8.0", "a100-pcie-40gb"),
        ("NVIDIA H100 PCIe, 81559, 5, 16, 350.00, 9.0", "h100-pcie-80gb"),
        ("NVIDIA L4, 23034, 4, 16, 72.00, 8.9", "l4-24gb"),
        ("Tesla T4, 15360, 3, 16, 70.00, 7.5", "t4-16gb"),
        ("NVIDIA RTX A6000, 49140, 4, 16, 300.00, 8.6", "rtx-a6000-48gb"),
    ],
)
def test_drivers_of_cards_name_entries_of_the_catalog(engine: Engine, line: str, device: str) -> None:
    (entry,) = import_entries(nvidia_smi.IMPORTER, [{"nvidia_smi": line}], engine.rulebook.catalogs)
    assert entry.match is not None
    assert (entry.match.entry.id, entry.match.differences) == (device, {})


def test_a_device_that_is_known_is_named_with_its_place_and_not_written_again() -> None:
    ended = run("--from", str(MACHINES / "two-rtx-4090"))
    assert ended.exit_code == 0
    assert "this is `rtx-4090-24gb` (2 of them), already in the catalog: catalogs/devices/nvidia-" in ended.stdout


def test_a_new_device_lists_what_was_read_guessed_and_missing() -> None:
    ended = run("--from", str(MACHINES / "unknown-card"), "--name=rtx-6090-36gb", "--dry-run")
    assert ended.exit_code == 2
    assert "rtx-6090-36gb: guessed: segment, link" in ended.output
    assert "rtx-6090-36gb: not read: architecture" in ended.output
    assert ended.stdout.startswith("rtx-6090-36gb:\n  name: GeForce RTX 6090 36GB\n  vendor: NVIDIA\n")
    listed = [line.split("=")[0].strip() for line in ended.stderr.splitlines() if line.startswith("  ") and "=" in line]
    assert listed == ["bandwidth", "source"]


def test_a_new_device_is_written_with_the_options(copy: Workplace) -> None:
    file = copy.path("catalogs/devices/nvidia-geforce.yaml")
    words = ["import", "device", "--from", str(MACHINES / "unknown-card"), "--name=rtx-6090-36gb", *PRICE]
    ended = CliRunner().invoke(main, [*copy.options, *words, "architecture=blackwell", f"--file={file}"])
    assert ended.exit_code == 0, ended.output
    assert copy.load().rulebook.catalogs["devices"].entries["rtx-6090-36gb"].data["pcie"] == {
        "generation": 6,
        "lanes": 16,
    }


def test_an_ambiguous_card_is_not_guessed() -> None:
    ended = run("--from", str(MACHINES / "lspci-only"))
    assert "no certain match in the catalog; did you mean `arc-a770-" in ended.output


def test_a_card_with_another_memory_size_is_a_different_device(engine: Engine) -> None:
    line = "NVIDIA GeForce RTX 4090, 49140, 4, 16, 450.00, 8.9"
    (entry,) = import_entries(nvidia_smi.IMPORTER, [{"nvidia_smi": line}], engine.rulebook.catalogs)
    assert entry.match is not None
    assert entry.match.differences == {"memory": (24, 48)}


def test_a_machine_without_known_devices_lists_the_sources_searched(tmp_path_factory: pytest.TempPathFactory) -> None:
    ended = run("--from", str(tmp_path_factory.mktemp("nothing")))
    assert ended.exit_code == 1
    assert "no device found" in ended.output
    assert "looked for: Apple silicon, graphics that lspci lists, nvidia-smi, rocm-smi" in ended.output
