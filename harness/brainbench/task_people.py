"""How people did on a task's items, and how well a model agrees with each of them.

Agreement is about which items are answered rightly (Geirhos, Meding and Wichmann 2020, arXiv:2006.16736,
"error consistency"): two who are right on 90 % of items agree on 82 % of them by chance alone, and Cohen's
kappa is what they agree on beyond that, 0 by chance, 1 when always.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import Behaviour
from brainbench.errors import DataError
from brainbench.task_scores import TaskItem


def agreement(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> dict[str, float | None]:
    """Share of items on which two (items,) are both right or both wrong, the same by chance, and kappa.

    kappa is None where chance alone agrees on everything: both always right, or both always wrong.
    """
    a, b = float(first.mean()), float(second.mean())
    observed, chance = float((first == second).mean()), a * b + (1 - a) * (1 - b)
    kappa = None if np.isclose(chance, 1) else (observed - chance) / (1 - chance)
    return {"consistency": observed, "by_chance": chance, "kappa": kappa}


def beside_people(items: tuple[TaskItem, ...], behaviour: Behaviour) -> dict[str, Any]:
    """Plain JSON: each person's accuracy on these items and agreement with the model, and their means.

    `among_people` is the mean agreement of pairs of people: what a model that is like one of them would
    reach. `with_constant` is that of the best constant answer ("always True"): people who are better at what
    is true agree with it, too, beyond chance. Raises DataError when the behaviour is about other items or
    does not say who was right.
    """
    places = {item: at for at, item in enumerate(behaviour.items)}
    if behaviour.correct is None or any(item.id not in places for item in items):
        raise DataError("The people's answers are not about the task's items, or not known.")
    asked = behaviour.correct[:, [places[item.id] for item in items]].astype(np.bool_)
    model = np.array([item.correct for item in items])
    each = {
        person: {"accuracy": float(right.mean()), **agreement(model, right)}
        for person, right in zip(behaviour.participants, asked, strict=True)
    }
    constant = Counter(item.expected for item in items).most_common(1)[0][0]
    always = np.array([item.expected == constant for item in items])
    pairs = [agreement(one, other) for one, other in combinations(asked, 2)]
    return {
        "people": each,
        "accuracy": float(asked.mean()),
        "with_model": _means(list(each.values())),
        "among_people": _means(pairs),
        "with_constant": _means([agreement(always, right) for right in asked]),
    }


def _means(found: list[dict[str, float | None]]) -> dict[str, float | None]:
    kept = {name: [one[name] for one in found] for name in ("consistency", "by_chance", "kappa")}
    known = {name: [value for value in values if value is not None] for name, values in kept.items()}
    return {name: float(np.mean(values)) if values else None for name, values in known.items()}
