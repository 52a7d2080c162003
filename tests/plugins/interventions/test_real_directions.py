"""Directions from real responses and a trained model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Steering
from brainbench_interventions.material import Material, gather
from brainbench_interventions.steering import built_in
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_tasks.deduction import Deduction


@pytest.mark.real
def test_most_of_the_intercept_free_direction_needs_no_brain(mirror: Path, real_model: Path) -> None:
    """Towards noise for brains the direction is much the same: W'Wx and the states' mean make it."""
    found = HuggingFaceSource().find(str(real_model))
    assert found is not None
    with found.open(ModelOptions(device="cpu"), SilentReporter()) as model:
        material = gather(model, Deduction(), SilentReporter())
    assert isinstance(material, Material)
    assert len(material.people) == 10
    directions = {}
    for made in built_in():
        if made.name in {"nari-general", "random-fmri", "mean-pattern", "random-direction"}:
            steering = made.steer_with(material, None)
            assert isinstance(steering, Steering)
            change = steering.changes["attention.2"]
            assert isinstance(change, Addition)
            assert steering.items == ("syllogism", "transitive", "*")
            directions[made.name] = change.vector / np.linalg.norm(change.vector, axis=1, keepdims=True)
    cosine = {name: (unit * directions["nari-general"]).sum(axis=1) for name, unit in directions.items()}
    assert (cosine["mean-pattern"] > 0.9).all()
    assert (cosine["random-fmri"] > 0.7).all()
    assert (np.abs(cosine["random-direction"]) < 0.4).all()
