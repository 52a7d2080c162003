"""How much of a training's first gradient comes from the brain, at the paper's weight of 0.1.

    python -m benchmarks.brain_share [docs/fine-tuning.json]

The norm of the gradient of the brain's part of narf-label's loss, times its weight, over the norm of the
cross-entropy's, before the first step: brainbench/tiny on each dataset, over all that is trained. With a file
the shares are put into it, as "brain_share".
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from brainbench.answers import WORDS
from brainbench.errors import BrainbenchError
from brainbench.nouns import ModelOptions
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench_interventions.tuning import Tuning
from brainbench_interventions.tuning_material import gather_for, stimuli_of
from brainbench_interventions.tuning_run import Run

DATASETS = ("simulated-deduction-guide", "simulated-deduction-null", "deduction")
SILENT = SilentReporter()


def share(model: Any, dataset: Any, arm: Tuning) -> float:
    """The brain's part of the gradient, over the labels'."""
    material = gather_for(arm, model, dataset, SILENT)
    stimuli = stimuli_of(material, dataset, SILENT)
    found = {}
    with model.in_training(arm.form, stimuli, WORDS, arm.seed) as trainee:
        for weight in (0.0, arm.weight):
            run = Run(replace(arm, weight=weight), dataset, trainee, material, stimuli)
            lesson = run.lesson()
            trainee.gradients(lesson.rows, lesson.loss)
            found[weight] = np.concatenate([p.grad.numpy().ravel() for p in trainee.parameters.values()])
    labels = found[0.0]
    return float(np.linalg.norm(found[arm.weight] - labels) / np.linalg.norm(labels))


def main(arguments: list[str]) -> None:
    """Print the shares, and keep them where a file is named."""
    catalog = load(discover())
    arm: Any = catalog.find_intervention("narf-label")
    shares: dict[str, float] = {}
    with catalog.find_model("brainbench/tiny").open(ModelOptions(device="cpu", head=True), SILENT) as model:
        for name in DATASETS:
            try:
                shares[name] = share(model, catalog.datasets.get(name), arm)
            except BrainbenchError as error:  # the real data, without a network or a mirror
                print(f"{name}: {error.message}")
                continue
            print(f"{name}: {shares[name]:.4f}")
    if arguments:
        path = Path(arguments[0])
        held = {
            **json.loads(path.read_text()),
            "brain_share": {k: float(f"{v:.3g}") for k, v in shares.items()},
        }
        path.write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
