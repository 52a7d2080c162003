"""All people and items climb together: the numbers are those of a plain loop, asked for at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV

from brainbench.answers import WordAnswers
from brainbench.errors import ShapeError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Steering
from brainbench_interventions.descent import spread
from brainbench_interventions.material import Material, Person, gather
from brainbench_interventions.repair import Climbing, Repair, repairs
from brainbench_interventions.ridge_map import ALPHAS
from brainbench_models import shipped
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_tasks.simulated import SimulatedDeduction

QUIET = SilentReporter()


def prepared(model: Any, dataset: Any) -> tuple[Material, WordAnswers]:
    found, answers = gather(model, dataset, QUIET), WordAnswers.of(model, dataset.stimuli(QUIET))
    assert isinstance(found, Material)
    assert answers is not None
    return found, answers


def plain_loop(material: Material, answers: WordAnswers, steps: int) -> Iterator[tuple[str, str, bool, Any]]:
    """NARI with a person, an item and a step after the other, all by scikit-learn and torch.

    Yields person, item, whether it was repaired, and the change at each place.
    """
    wrong = ~answers(Steering({}), material.items)
    for kind in material.kinds:
        of_kind = material.of_type(kind)
        for person in material.people:
            known = np.intersect1d(of_kind, person.present)
            responses = person.responses[np.searchsorted(person.present, known)]
            maps = {
                site: torch.tensor(RidgeCV(alphas=ALPHAS).fit(x[known], responses).coef_)
                for site, x in material.states.items()
            }
            assert person.right is not None
            for item in known[wrong[known] & person.right[known]]:
                y = torch.tensor(responses[list(known).index(item)])
                places = {
                    site: Ball(x[of_kind], x[item], maps[site], y) for site, x in material.states.items()
                }
                right = False
                for step in range(1, steps + 1):
                    for place in places.values():
                        place.step(len(known))
                    if step % 5 == 0 or step == steps:
                        found = {site: place.delta.detach().numpy()[None] for site, place in places.items()}
                        steering = Steering(
                            {s: Addition(d) for s, d in found.items()}, "last", ("x",), key="k"
                        )
                        right = bool(answers(steering, [material.items[item]], ["x"])[0])
                    if right:
                        break
                yield person.id, material.items[item], right, {s: d[0].copy() for s, d in found.items()}


class Ball:
    """One item's change at one place."""

    def __init__(self, states: Any, state: Any, W: Any, y: Any) -> None:
        self.state, self.W, self.y = torch.tensor(state), W, y
        self.delta = torch.zeros_like(self.state, requires_grad=True)
        self.adam = torch.optim.AdamW([self.delta], lr=0.1 * np.abs(states).mean(), weight_decay=0.01)
        self.radius = 10 * spread(states)

    def step(self, items: int) -> None:
        self.adam.zero_grad()
        p = self.W @ (self.state + self.delta)
        (-torch.nn.functional.cosine_similarity(p, self.y, dim=0) / items).backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        with torch.no_grad():
            self.delta.mul_(torch.clamp(self.delta.norm(), max=self.radius) / self.delta.norm())


def flat(found: Any) -> dict[tuple[str, str], tuple[bool, Any]]:
    """By person and item: whether it was repaired, and its change."""
    return {
        (repair.person, item): (bool(repair.kept()[row]), {s: c[row] for s, c in repair.changes.items()})
        for repair in found
        for row, item in enumerate(repair.items)
    }


def same(found: Any, expected: Any, tolerance: float) -> None:
    assert list(found) == list(expected)
    for key, (right, changes) in found.items():
        assert right == expected[key][0]
        for site, change in changes.items():
            other = expected[key][1][site]
            assert np.abs(change - other).max() <= tolerance * np.abs(other).max()


def test_together_is_a_plain_loop_over_people_and_items(arithmetic: Any, brains: Any) -> None:
    material, answers = prepared(arithmetic(), brains(absent=4))
    loop = plain_loop(material, answers, steps=23)
    expected = {(person, item): (right, changes) for person, item, right, changes in loop}
    found = flat(repairs(material, Climbing(steps=23), answers))
    assert {right for right, _ in found.values()} == {True, False}
    same(found, expected, 1e-5)


@pytest.mark.parametrize(("asked", "consistent"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize(
    "source", ["own", "random-fmri-mean", "mean-pattern", "shuffled-items", "random-direction"]
)
def test_a_persons_repairs_do_not_depend_on_who_else_climbs(
    source: str, asked: bool, consistent: bool, arithmetic: Any, brains: Any
) -> None:
    material, answers = prepared(arithmetic(), brains(absent=4))
    how = Climbing(source=source, steps=12, consistent_only=consistent, seed=3)
    told = answers if asked else None
    alone: list[Repair] = []
    for kind in material.kinds:
        part = material.select(material.of_type(kind))
        for person in part.people:
            alone += repairs(replace(part, people=(person,)), how, told)
    found = flat(repairs(material, how, told))
    assert len(found) > 10
    same(found, flat(alone), 0.0 if source == "random-direction" else 1e-9)


def test_each_check_is_one_question_about_everybody(arithmetic: Any, brains: Any) -> None:
    """And an item that is right for one person goes on for others."""
    material, _ = prepared(arithmetic(), brains())
    asked: list[list[str]] = []

    def first_of_each(steering: Steering, items: Any, rows: Any = ()) -> Any:
        if not steering.changes:
            return np.zeros(len(items), dtype=bool)
        asked.append(list(items))
        assert len(items) == len(rows) == len(set(rows))
        assert steering.items == tuple(rows)
        return np.array([item not in items[:at] for at, item in enumerate(items)])

    found = list(repairs(material, Climbing(steps=18), first_of_each))
    right = [person.right for person in material.people if person.right is not None]
    for kind, questions in zip(material.kinds, (asked[:3], asked[3:]), strict=True):
        of_kind = material.of_type(kind)
        times = {material.items[i]: sum(int(r[i]) for r in right) for i in of_kind}
        assert max(times.values()) == 3
        for at, question in enumerate(questions):
            assert {item: question.count(item) for item in times} == {
                i: max(n - at, 0) for i, n in times.items()
            }
        people = [repair for repair in found if repair.kind == kind]
        assert [repair.person for repair in people] == ["p0", "p1", "p2"]
        assert all(repair.right is not None and repair.right.all() for repair in people)
    assert len(asked) == 6


def test_who_has_too_few_items_is_left_out(arithmetic: Any, brains: Any) -> None:
    material, answers = prepared(arithmetic(), brains())
    first = material.people[0]
    few = Person("few", first.responses[:4], first.present[:4], first.right)  # two of each type
    for source in ("own", "random-direction"):
        how = Climbing(source=source, steps=5)
        more = flat(repairs(replace(material, people=(few, *material.people)), how, answers))
        same(more, flat(repairs(material, how, answers)), 0.0)


def test_an_error_while_asking_is_the_fits(arithmetic: Any, brains: Any) -> None:
    model = arithmetic()
    material, answers = prepared(model, brains())

    def fails(steering: Steering, items: Any, rows: Any = ()) -> Any:
        if steering.changes:
            raise MemoryError
        return answers(steering, items, rows)

    with pytest.raises(MemoryError):
        list(repairs(material, Climbing(), fails))
    assert not model.active


def test_one_item_is_asked_with_many_changes(arithmetic: Any, brains: Any) -> None:
    model = arithmetic()
    _, answers = prepared(model, brains())
    vectors = np.random.default_rng(3).normal(size=(7, 10)) * 5
    names = [f"n{row}" for row in range(7)]
    together = Steering({"attention.1": Addition(vectors)}, "last", tuple(names), key="row")
    for item in ("i0", "i1"):  # one whose label is False, one whose label is True
        alone = [answers(Steering({"attention.1": Addition(vector)}), [item])[0] for vector in vectors]
        assert len(set(alone)) == 2
        np.testing.assert_array_equal(answers(together, [item] * 7, names), alone)
        np.testing.assert_array_equal(answers(together, [item] * 3, names[:1] * 3), alone[:1] * 3)
    for steering, rows in ((together, names), (Steering({}), names[:1])):
        with pytest.raises(ShapeError, match="Rows are named for each item"):
            answers(steering, ["i0"], rows)


def test_with_a_real_network_it_is_one_person_after_the_other() -> None:
    dataset = SimulatedDeduction("guide")
    source = HuggingFaceSource().find(shipped.NAME)
    assert source is not None
    with source.open(ModelOptions(device="cpu", head=True), QUIET) as model:
        material, answers = prepared(model, dataset)
        material = material.select(material.of_type("syllogism")[:20])
        how = Climbing(steps=8)
        found = flat(repairs(material, how, answers))
        alone = [
            repair
            for person in material.people
            for repair in repairs(replace(material, people=(person,)), how, answers)
        ]
    assert len(found) > len({item for _, item in found}) > 1
    assert {right for right, _ in found.values()} == {True, False}
    same(found, flat(alone), 1e-5)
