"""What each arm is trained on: which items, towards what. Nothing else differs between arms.

Xiao, Du & Lin (2026): "narf" draws the attention outputs of items that NARI repaired towards the states that
it reached (of the nearest person), and holds those of items right beforehand where they were; "narf-label" is
cross-entropy of the right word plus `weight` times the brain's loss over items that the model got wrong;
"label-only" is the cross-entropy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainbench.tuning import Loss, Outputs
from brainbench_interventions.brain_loss import Pairs
from brainbench_interventions.ridge_map import Array

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Lesson:
    """The items (positions) that are trained on, and the loss of any of them: a sum."""

    rows: tuple[int, ...]
    loss: Loss


def labels_and_brains(
    labels: NDArray[np.bool_], pairs: Sequence[Pairs], weight: float, *, balance: bool
) -> Lesson:
    """Cross-entropy of the right answers (labels of all items), and so much of the brain's loss.

    balance: an answer given to fewer items weighs more, so that both weigh alike; 1 on average.
    """
    which = np.where(labels, 0, 1)  # of the words True and False
    weights = np.ones(len(labels))
    if balance and 0 < labels.sum() < len(labels):
        weights = len(labels) / (2 * np.bincount(which))[which]

    def loss(rows: Sequence[int], outputs: Outputs) -> Tensor:
        said = outputs.log_likelihoods
        chosen = said[range(len(rows)), which[list(rows)].tolist()]
        total = -(chosen * said.new_tensor(weights[list(rows)])).sum()
        for found in (part.loss(outputs.states, rows) for part in pairs):
            total = total if found is None else total + weight * found
        return total

    return Lesson(tuple(range(len(labels))), loss)


def reached_states(
    reached: Mapping[str, Array], repaired: NDArray[np.intp], right: NDArray[np.intp], keep: float
) -> Lesson:
    """The mean squared error over the width, summed over places, to states that are to be reached.

    reached: place -> (items x width); of the items at `right`, which weigh `keep`, the states as they are.
    """
    weights = np.zeros(len(next(iter(reached.values()))))
    weights[right], weights[repaired] = keep, 1.0
    rows = tuple(int(row) for row in np.flatnonzero(weights))

    def loss(asked: Sequence[int], outputs: Outputs) -> Tensor:
        total: Tensor | None = None
        for site, targets in reached.items():
            states = outputs.states[site]
            missed = ((states - states.new_tensor(targets[list(asked)])) ** 2).mean(dim=1)
            part = (missed * states.new_tensor(weights[list(asked)])).sum()
            total = part if total is None else total + part
        assert total is not None
        return total

    return Lesson(rows, loss)
