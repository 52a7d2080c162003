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
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from brainbench.answers import WORDS
from brainbench.arrays import FloatArray
from brainbench.nouns import ModelOptions
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Steering
from brainbench.steering_trial import Prompt, log_odds
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


def shares(
    model: Any, steering: Steering, prompts: Sequence[Prompt], strengths: Sequence[float]
) -> FloatArray:
    """The share of right answers, by the likelier word: unsteered, and at each strength."""
    odds = log_odds(model, steering, prompts, WORDS, strengths, SilentReporter())
    follows = np.array([prompt.right == WORDS[0] for prompt in prompts])
    found: FloatArray = ((odds > 0) == follows).mean(axis=1)
    return found


def tried(
    model: Any, dataset: Any, catalog: Any, prompts: Sequence[Prompt], *, few: bool
) -> list[dict[str, Any]]:
    """For each steering and place the best strength, and what it reaches."""
    rows = []
    for name in NAMES[:2] if few else NAMES:
        for place, where in PLACES.items():
            made = replace(catalog.interventions.get(name), **where)
            steering = made.fit(model, dataset, SilentReporter())
            if isinstance(steering, Skip):
                raise SystemExit(f"{name}: {steering.reason}")
            strengths = [strength for strength in made.strengths if strength]
            found = shares(model, steering, prompts, strengths)[1:]
            reached = dict(zip(strengths, map(float, found), strict=True))
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
        items = [document["id"] for document in task.documents()]
        prompts = prompts_of_task(task, items if arguments else items[:96], 1)
        unsteered = float(shares(opened, Steering({}), prompts, ())[0])
        sys.stdout.write(f"unsteered {unsteered:.3f}\n")
        rows = tried(opened, dataset, catalog, prompts, few=not arguments)
    if arguments:
        held = {"unsteered": unsteered, "items": len(task.documents()), "rows": rows}
        Path(arguments[0]).write_text(json.dumps(held, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
