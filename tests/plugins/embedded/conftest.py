"""A stand-in for the model that comes with brainbench: the same files, random weights."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def shipped(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take this folder for the one inside the package."""
    monkeypatch.setattr("brainbench_models.shipped.FOLDER", tiny_model)
    return tiny_model
