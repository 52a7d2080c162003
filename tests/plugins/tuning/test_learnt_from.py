"""What an arm's settings do to what it is trained on: items, patterns, weights of the loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from brainbench.adapter import Adapter
from brainbench.answers import WORDS
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Steering
from brainbench.stimuli import Stimulus
from brainbench_interventions.material import Material
from brainbench_interventions.tuning import Tuning, arms
from brainbench_interventions.tuning_material import extra_for, gather_for, repairs_for, stimuli_of
from brainbench_interventions.tuning_run import Run
from brainbench_models.embedded import EmbeddedModel
from brainbench_models.shipped import ShippedCheckpoint

SILENT = SilentReporter()
ARMS = {arm.name: arm for arm in arms()}


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with EmbeddedModel(ShippedCheckpoint()).open(ModelOptions(head=True), SILENT) as model:
        yield model


def made_by(how: Tuning, few: Any, model: Any, trainee: Any, material: Material | None = None) -> Any:
    """A run that is ready for its lesson."""
    material = material or gather_for(how, model, few, SILENT)
    return Run(how, few, trainee, material, stimuli_of(material, few, SILENT))


def test_each_setting_and_each_control_has_a_loss_of_its_own(opened: Any, few: Any) -> None:
    both = ARMS["narf-label"]
    asked = {name: arm for name, arm in ARMS.items() if arm.arm != "narf"}
    changes: list[dict[str, Any]] = [
        *({"weight": 0.2}, {"similarity": "mse"}, {"similarity": "pearson"}, {"intercept": True}),
        *({"right": True}, {"balance": True}, {"region": few.regions[1]}, {"people": "best1"}),
        *({"types": ("syllogism",)}, {"source": "random-fmri", "seed": 1}),
    ]
    asked |= {str(change): replace(both, **change) for change in changes}
    stimuli, material, losses = few.stimuli(SILENT), gather_for(both, opened, few, SILENT), {}
    with opened.in_training(both.form, stimuli, WORDS, 0) as trainee:
        for name, how in asked.items():
            own = how.region or how.people or how.types
            lesson = made_by(how, few, opened, trainee, None if own else material).lesson()
            losses[name] = trainee.gradients(lesson.rows, lesson.loss, scale=1 / len(lesson.rows))
        said = trainee.outputs(range(len(stimuli))).log_likelihoods.numpy()
    right = np.array([said[at, 0 if one.conditions["label"] else 1] for at, one in enumerate(stimuli)])
    assert losses["label-only"] == pytest.approx(-right.mean(), rel=1e-5)
    values = np.array(sorted(losses.values()))
    assert len(values) == 18
    assert np.diff(values).min() > 1e-6, losses


def test_each_control_of_narf_has_states_of_its_own_to_reach(opened: Any, few: Any) -> None:
    narf = ARMS["narf"]
    material = gather_for(narf, opened, few, SILENT)
    stimuli = stimuli_of(material, few, SILENT)
    ways = (
        *(narf, ARMS["narf-shuffled-items"], ARMS["narf-random-fmri"], ARMS["narf-random-direction"]),
        *(replace(narf, similarity="mse"), replace(narf, intercept=True)),
        replace(ARMS["narf-random-fmri"], seed=1),
    )
    found = []
    for how in ways:
        repairs = repairs_for(how, opened, material, stimuli)
        change = repairs.changes["attention.1"]
        assert isinstance(change, Addition)
        rows = np.zeros_like(material.states["attention.1"])
        rows[[material.items.index(item) for item in repairs.items]] = change.vector
        found.append(rows)
    apart = [np.abs(one - other).max() for at, one in enumerate(found) for other in found[:at]]
    assert min(apart) > 1e-6


def test_items_neither_right_nor_repaired_are_not_trained_on(opened: Any, few: Any) -> None:
    """And those that are right count by `keep`, towards where they were."""
    how = ARMS["narf"]
    with opened.in_training(how.form, few.stimuli(SILENT), WORDS, 0) as trainee:
        run = made_by(replace(how, keep=3.0), few, opened, trainee)
        wrong = np.flatnonzero(run.wrong)
        items = tuple(run.material.items[at] for at in wrong[:2])
        width = run.material.states["attention.1"].shape[1]
        added = np.ones((2, width))
        lesson = run.lesson_of(Steering({"attention.1": Addition(added)}, items=items), opened)
        assert lesson.rows == tuple(sorted({*wrong[:2], *np.flatnonzero(~run.wrong)}))
        before = trainee.outputs(range(14))
        states = {site: array.clone() for site, array in before.states.items()}

        def loss(row: int) -> float:
            at = {site: array[[row]] for site, array in states.items()}
            return float(lesson.loss([row], replace(before, states=at)))

        kept = lesson.rows[[row in wrong for row in lesson.rows].index(False)]
        assert loss(kept) == pytest.approx(0, abs=1e-8)
        # what was added at the first place, and what that alone changed at the next
        assert loss(int(wrong[0])) > 1 + 1e-6
        states["attention.1"] += 1
        assert loss(kept) == pytest.approx(3, rel=1e-4)
        assert loss(int(wrong[0])) < 1


@dataclass(frozen=True)
class More:
    """The few problems, with others of the same whole beside them, of both types in turn."""

    few: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.few, name)

    def more_problems(self, count: int, seed: int) -> tuple[Stimulus, ...]:
        whole = self.few.whole.stimuli(SILENT)
        others = [whole[at] for pair in zip(range(3, 10), range(51, 58), strict=True) for at in pair]
        return tuple(replace(one, id=f"extra-{seed}-{at}") for at, one in enumerate(others[:count]))


def test_more_problems_are_of_the_types_that_are_trained_on(few: Any) -> None:
    data: Any = More(few)
    how = replace(ARMS["narf-label"], extra=5, seed=3)
    assert extra_for(how, data) == data.more_problems(5, 3)
    for at, kind in enumerate(("syllogism", "transitive")):
        found = extra_for(replace(how, types=(kind,)), data)
        assert [one.conditions["type"] for one in found] == [kind] * 5
        assert [one.id for one in found] == [f"extra-3-{number}" for number in range(at, 10, 2)]


def test_more_problems_are_trained_on_by_their_answers_and_told(opened: Any, few: Any) -> None:
    data: Any = More(few)
    plain = replace(ARMS["narf-label"], epochs=1, early_stop=False)
    found = [replace(plain, extra=extra).tune(opened, data, SILENT) for extra in (0, 4)]
    without, more = found
    assert isinstance(without, Adapter)
    assert isinstance(more, Adapter)
    assert more.facts["fitted_on"] == [*without.facts["fitted_on"], *(f"extra-0-{at}" for at in range(4))]
    asked = (*few.stimuli(SILENT), *data.more_problems(4, 0))
    with opened.in_training(plain.form, asked, WORDS, 0) as trainee:
        said = trainee.outputs(range(14, 18)).log_likelihoods.numpy()
    crossed = -sum(said[at, 0 if one.conditions["label"] else 1] for at, one in enumerate(asked[14:]))
    losses = [adapter.facts["training"]["loss"][0] for adapter in (without, more)]
    assert losses[1] * 18 == pytest.approx(losses[0] * 14 + crossed, rel=1e-5)
