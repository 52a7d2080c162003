"""The brain's part of the loss against autograd through the maps themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brainbench_interventions.brain_likeness import FOLDS, likeness
from brainbench_interventions.brain_loss import pairs_of
from brainbench_interventions.directions import folds, stream
from brainbench_interventions.lessons import reached_states
from brainbench_interventions.material import Material, Person
from brainbench_interventions.objective import Similarity
from brainbench_interventions.ridge_map import RidgeMap
from brainbench_interventions.targets import MAKE

ITEMS, WIDTH, VOXELS = 20, 6, 9
WRONG = np.arange(ITEMS) % 2 == 0
PLACES = ("attention.1", "attention.2")


def material() -> Material:
    rng = np.random.default_rng(5)
    types = tuple(("syllogism", "transitive")[i % 3 == 0] for i in range(ITEMS))
    people = []
    for name in ("a", "b", "c"):
        present = np.arange(ITEMS - (name == "c"))
        right = rng.random(ITEMS) < 0.7
        people.append(Person(name, rng.normal(size=(len(present), VOXELS)) + 1, present, right))
    return Material(
        items=tuple(f"i{i}" for i in range(ITEMS)),
        types=types,
        labels=np.arange(ITEMS) % 4 > 0,
        states={place: rng.normal(size=(ITEMS, WIDTH)) for place in PLACES},
        people=tuple(people),
        facts={},
        key="type",
    )


def written_out(
    found: Material, states: Any, source: str, similarity: str, intercept: bool, rows: Any
) -> Any:
    """The loss as the paper has it, through W itself, with all voxels."""
    import torch

    total = torch.zeros((), dtype=torch.float64)
    for kind in found.kinds:
        part = found.select(found.of_type(kind))
        where = found.of_type(kind)
        by_item: dict[int, list[Any]] = {}
        for person in part.people:
            responses, targets = MAKE[source](part, person, stream(4, source, person.id, kind))  # type: ignore
            for at, item in enumerate(person.present):
                assert person.right is not None
                if not (WRONG[where[item]] and person.right[item]) or where[item] not in rows:
                    continue
                for place in PLACES:
                    ridge = RidgeMap.fit(part.states[place][person.present], responses)
                    w = torch.tensor(ridge.coefficients.T @ ridge.states)
                    b = torch.tensor(ridge.intercept) if intercept else 0.0
                    p, y = w @ states[place][where[item]].double() + b, torch.tensor(targets[at])
                    if similarity == "cosine":
                        missed: Any = 1 - torch.nn.functional.cosine_similarity(p, y, dim=0)
                    else:
                        missed = ((p - y) ** 2).mean()
                    by_item.setdefault(int(where[item]), []).append(missed)
        for found_of_item in by_item.values():
            total = total + sum(found_of_item) / (len(found_of_item) / len(PLACES))
    return total


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("similarity", ["cosine", "mse"])
@pytest.mark.parametrize("source", ["own", "shuffled-items"])
def test_value_and_gradient_are_those_of_the_paper(
    source: Any, similarity: Similarity, intercept: bool
) -> None:
    import torch

    found = material()
    pairs = pairs_of(found, WRONG, source=source, similarity=similarity, intercept=intercept, seed=4)
    rng = np.random.default_rng(9)
    moved = {p: torch.tensor(rng.normal(size=(ITEMS, WIDTH)), requires_grad=True) for p in PLACES}
    rows = [4, 0, 3, 10, 7, 6, 12, 18]
    losses = [part.loss({p: x[rows].float() for p, x in moved.items()}, rows) for part in pairs]
    ours: Any = sum(loss for loss in losses if loss is not None)
    theirs = written_out(found, moved, source, similarity, intercept, rows)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    got = torch.autograd.grad(ours, list(moved.values()))
    want = torch.autograd.grad(theirs, list(moved.values()))
    for one, other in zip(got, want, strict=True):
        assert float(other.abs().max()) > 0
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_right_answer_as_brain_is_two_numbers_of_nobody() -> None:
    found = material()
    pairs = pairs_of(found, WRONG, source="one-hot", similarity="cosine", intercept=False, seed=0)
    drawn = sorted(int(item) for part in pairs for item in part.items)
    assert drawn == list(np.flatnonzero(WRONG))  # whoever was right: there are no people in it
    for part in pairs:
        assert (part.weights == 1).all()
        assert all((o.voxels == 2).all() for o in part.objectives.values())


def test_noise_differs_between_trainings_and_people() -> None:
    found = material()
    made = [
        pairs_of(found, WRONG, source="random-fmri", similarity="cosine", intercept=False, seed=seed)
        for seed in (0, 0, 1)
    ]
    squares = [parts[0].objectives["attention.1"].target_square for parts in made]
    np.testing.assert_array_equal(squares[0], squares[1])
    assert not np.allclose(squares[0], squares[2])
    assert len(np.unique(squares[0])) == len(squares[0])


def test_items_reached_and_items_kept() -> None:
    import torch

    from brainbench.tuning import Outputs

    rng = np.random.default_rng(2)
    states = {place: rng.normal(size=(ITEMS, WIDTH)) for place in PLACES}
    lesson = reached_states(states, np.array([1, 5]), np.array([0, 2]), keep=10.0)
    assert lesson.rows == (0, 1, 2, 5)
    there = {p: torch.tensor(x[list(lesson.rows)]) for p, x in states.items()}
    nothing = torch.zeros(4, 2)
    assert float(lesson.loss(lesson.rows, Outputs(nothing, there))) == 0
    off = {p: x + torch.tensor([[0.0], [0.0], [1.0], [1.0]]) for p, x in there.items()}
    assert float(lesson.loss(lesson.rows, Outputs(nothing, off))) == pytest.approx(2 * (10 + 1))


def test_likeness_of_the_states_that_maps_were_fitted_on() -> None:
    """By hand, for one person; held out it is less."""
    found = material()
    before = likeness(found, found.states)
    cosines = []
    for kind in found.kinds:
        part = found.select(found.of_type(kind))
        for person in part.people:
            for place in PLACES:
                x = part.states[place][person.present]
                ridge = RidgeMap.fit(x, person.responses)
                p, y = ridge.predict(x, intercept=False), person.responses
                each = (p * y).sum(axis=1) / np.linalg.norm(p, axis=1) / np.linalg.norm(y, axis=1)
                cosines.append(each.mean())
    assert before["cosine"] == pytest.approx(float(np.median(cosines)), abs=1e-9)
    assert before["cosine_heldout"] < before["cosine"]


def test_held_out_likeness_is_of_the_states_now_by_maps_of_the_states_before() -> None:
    found = material()
    rng = np.random.default_rng(8)
    now = {place: states + rng.normal(size=states.shape) for place, states in found.states.items()}
    cosines = []
    for kind in found.kinds:
        rows = found.of_type(kind)
        part = found.select(rows)
        for person in part.people:
            fold = folds((kind,) * len(person.present), FOLDS, 0)
            for place in PLACES:
                each = []
                for at, item in enumerate(person.present):
                    other = fold != fold[at]
                    ridge = RidgeMap.fit(part.states[place][person.present][other], person.responses[other])
                    p, y = (
                        ridge.coefficients.T @ (ridge.states @ now[place][rows[item]]),
                        person.responses[at],
                    )
                    each.append(p @ y / np.linalg.norm(p) / np.linalg.norm(y))
                cosines.append(np.mean(each))
    assert likeness(found, now)["cosine_heldout"] == pytest.approx(float(np.median(cosines)), abs=1e-9)


@pytest.mark.parametrize("intercept", [False, True])
def test_a_right_answer_without_intercept_has_no_gradient(intercept: bool) -> None:
    """Its two dimensions are predicted as p and -p: a cosine that is the same for all p."""
    import torch

    found = material()
    pairs = pairs_of(found, WRONG, source="one-hot", similarity="cosine", intercept=intercept, seed=0)
    states = {p: torch.tensor(x[WRONG], requires_grad=True) for p, x in found.states.items()}
    rows = [int(row) for row in np.flatnonzero(WRONG)]
    losses = [part.loss({p: x.float() for p, x in states.items()}, rows) for part in pairs]
    total: Any = sum(loss for loss in losses if loss is not None)
    gradients = torch.autograd.grad(total, list(states.values()))
    largest = max(float(one.abs().max()) for one in gradients)
    assert (largest > 1e-3) == intercept
    assert intercept or largest < 1e-6


def test_the_arm_of_right_answers_has_the_intercept() -> None:
    from brainbench_interventions.tuning import arms

    assert {arm.name for arm in arms() if arm.intercept} == {"narf-label-one-hot"}
