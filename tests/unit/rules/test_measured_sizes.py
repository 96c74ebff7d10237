"""Sizes of weights and KV caches against those of files and runtimes, run by run."""

from __future__ import annotations

import numpy as np
import pytest

from fitcard.calibration.comparison import Comparison, compare
from fitcard.compiler.engine import Engine

LARGE = 3  # billions of parameters
COUNTED_OTHERWISE = {"FP8"}  # files of DeepSeek alone, which hold a layer more to predict further tokens
OF_FILES = {"median": 0.02, "nineteen_of_twenty": 0.06}
OF_CACHES = 0.01


@pytest.fixture(scope="module")
def compared(engine: Engine) -> dict[str, Comparison]:
    return {one.quantity.name: one for one in compare(engine, engine.rulebook.default_profile)}


def test_files_of_models_of_3b_and_up_are_as_large_as_worked_out(
    engine: Engine, compared: dict[str, Comparison]
) -> None:
    sizes, models = compared["file_sizes"], engine.rulebook.catalogs["models"].entries
    large = [float(models[name].data["nominal_params"]) >= LARGE for name in sizes.words("model")]
    errors = np.abs(sizes.errors[large])
    assert len(errors) > 40
    assert np.median(errors) <= OF_FILES["median"]
    assert np.mean(errors <= OF_FILES["nineteen_of_twenty"]) >= 0.95


def test_files_of_each_quantization_are_as_large_as_worked_out(compared: dict[str, Comparison]) -> None:
    by_quant = {quant: errors for quant, errors in compared["file_sizes"].by("quant") if quant not in COUNTED_OTHERWISE}
    assert len(by_quant) >= 20
    for quant, errors in by_quant.items():
        assert errors.median <= OF_FILES["median"], quant


def test_every_kv_cache_is_as_large_as_engines_log_it(compared: dict[str, Comparison]) -> None:
    caches = compared["kv_cache"]
    assert len(caches.errors) >= 13
    for entry, error in zip(caches.runs.entries, caches.errors, strict=True):
        assert abs(error) <= OF_CACHES, entry.id
