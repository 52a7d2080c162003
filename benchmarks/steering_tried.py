"""What else was tried where the right answer is planted: other places, on validation problems.

    python -m benchmarks.steering_tried docs/steering_tried.json
    python tests/docs/steering.py

Each steering is fitted on simulated-deduction-guide and asked the problems of deduction_3_tiny's validation
set at all of its strengths; shown is the best of them, picked on these very problems: more than it can do.
Without an argument a quick look at a few problems.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from brainbench.answers import WORDS
from brainbench.nouns import ModelOptions
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Steering
from brainbench.task_prompts import prompts_of_task

NAMES = (
    *("nari-general", "nari-general-joint", "brain-subspace", "brain-subspace-cca"),
    *("shuffled-items", "mean-pattern", "random-direction", "language-only", "shuffled-subspace"),
)
PLACES = {
    f"{module} outputs of {'all' if every else 'the middle'} layers": {"module": module, "every_layer": every}
    for module in ("attention", "layer")
    for every in (False, True)
}


class Asked:
    """A model's share of right answers on some problems, by the likelier word."""

    def __init__(self, model: Any, task: Any, few: bool) -> None:
        items = [document["id"] for document in task.documents()]
        prompts = prompts_of_task(task, items[:96] if few else items, 1)
        self._model, self._stimuli = model, [prompt.stimulus for prompt in prompts]
        self._true = np.array([prompt.right == WORDS[0] for prompt in prompts])

    def __call__(self, steering: Steering) -> float:
        """The share, while the model is steered."""
        with self._model.steered(steering) as steered:
            odds = steered.log_odds(self._stimuli, WORDS, SilentReporter())
        return float(((odds[:, 0] > odds[:, 1]) == self._true).mean())


def tried(model: Any, dataset: Any, catalog: Any, asked: Asked, *, few: bool) -> list[dict[str, Any]]:
    """For each steering and place the best strength, and what it reaches."""
    rows = []
    for name in NAMES[:2] if few else NAMES:
        for place, where in PLACES.items():
            made = replace(catalog.interventions.get(name), **where)
            steering = made.fit(model, dataset, SilentReporter())
            if isinstance(steering, Skip):
                raise SystemExit(f"{name}: {steering.reason}")
            reached = {strength: asked(steering.scaled(strength)) for strength in made.strengths if strength}
            best = max(reached, key=lambda strength: (reached[strength], -abs(strength)))
            row = {"name": name, "role": made.role, "place": place, "strength": best}
            rows.append({**row, "accuracy": reached[best], "tries": len(reached)})
            sys.stdout.write(f"{name:<20}{place:<40}{best:>6g}{reached[best]:>8.3f}\n")
            sys.stdout.flush()
    return rows


def main(arguments: list[str]) -> int:
    """Fit, ask and write."""
    catalog = load(discover())
    model: Any = catalog.models.get("brainbench/tiny")
    dataset = catalog.datasets.get("simulated-deduction-guide")
    task: Any = catalog.tasks.get("deduction_3_tiny_validation")
    with model.open(ModelOptions(head=True), SilentReporter()) as opened:
        asked = Asked(opened, task, few=not arguments)
        unsteered = asked(Steering({}))
        sys.stdout.write(f"unsteered {unsteered:.3f}\n")
        rows = tried(opened, dataset, catalog, asked, few=not arguments)
    if arguments:
        held = {"unsteered": unsteered, "items": len(task.documents()), "rows": rows}
        Path(arguments[0]).write_text(json.dumps(held, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
