"""What fitting `nari` takes, all people and items of a type at once, beside one after the other.

    python -m benchmarks.steering_fit

The peer is the method as one writes it down: of each person and each item a vector at each place, the
similarity by torch, its gradient by autograd, torch's AdamW, and one question to the model for each item.
Once brainbench/tiny is asked until it is right, about the problems of simulated-deduction-guide, which eight
people solved; once nobody is asked and twenty steps are taken for 70 items, ten people and the middle half
of 28 layers, with random states and responses. Ours includes the ridge regressions, the peer gets their
weights for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from benchmarks.measured import Row, report, timed

from brainbench.answers import WordAnswers
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Steering
from brainbench_interventions.descent import CHECK_EVERY, spread
from brainbench_interventions.material import Material, Person, gather
from brainbench_interventions.repair import Climbing, Repair, repairs
from brainbench_interventions.ridge_map import RidgeMap
from brainbench_models import shipped
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_models.quiet import quiet
from brainbench_tasks.simulated import SimulatedDeduction

ITEMS, PEOPLE, PLACES, WIDTH, VOXELS = 70, 10, 14, 1024, 500
TIMED_PEOPLE, TIMED_PLACES = 1, 2
QUIET = SilentReporter()
Key = tuple[str, str]  # a person and an item


def one_by_one(
    material: Material, maps: dict[tuple[str, str, str], Any], asked: Sequence[Key], answers: Any, steps: int
) -> dict[Key, dict[str, Any]]:
    """The changes at each place, of one person and one item after the other."""
    return {key: _one(material, maps, key, answers, steps) for key in asked}


def _one(material: Material, maps: Any, key: Key, answers: Any, steps: int) -> dict[str, Any]:
    import torch

    place = material.items.index(key[1])
    kind = material.types[place]
    of_kind = material.of_type(kind)
    person = next(found for found in material.people if found.id == key[0])
    y = torch.tensor(person.responses[place], dtype=torch.float64)
    known, deltas, adams = {}, {}, {}
    for site, states in material.states.items():
        known[site] = maps[site, kind, key[0]], torch.tensor(states[place]), 10 * spread(states[of_kind])
        deltas[site] = torch.zeros(states.shape[1], dtype=torch.float64, requires_grad=True)
        rate = 0.1 * np.abs(states[of_kind]).mean()
        adams[site] = torch.optim.AdamW([deltas[site]], lr=rate, weight_decay=0.01)
    for step in range(1, steps + 1):
        for site, (W, state, radius) in known.items():
            adams[site].zero_grad()
            similarity = torch.nn.functional.cosine_similarity(W @ (state + deltas[site]), y, dim=0)
            (-similarity / len(of_kind)).backward()  # type: ignore[no-untyped-call]
            adams[site].step()
            with torch.no_grad():
                length = deltas[site].norm()
                deltas[site].mul_(torch.clamp(length, max=radius) / length)
        if answers is not None and (step % CHECK_EVERY == 0 or step == steps):
            additions = {site: Addition(delta.detach().numpy()) for site, delta in deltas.items()}
            if answers(Steering(additions), [key[1]])[0]:
                break
    return {site: delta.detach().numpy() for site, delta in deltas.items()}


def all_maps(material: Material) -> dict[tuple[str, str, str], Any]:
    """W (voxels x width) by place, type and person, who has all items."""
    import torch

    made = {}
    for kind in material.kinds:
        rows = material.of_type(kind)
        for person in material.people:
            for site, states in material.states.items():
                ridge = RidgeMap.fit(states[rows], person.responses[rows])
                made[site, kind, person.id] = torch.tensor(ridge.coefficients.T @ ridge.states)
    return made


def changes_of(found: Sequence[Repair]) -> dict[Key, dict[str, Any]]:
    """By person and item."""
    return {
        (repair.person, item): {site: change[row] for site, change in repair.changes.items()}
        for repair in found
        for row, item in enumerate(repair.items)
    }


def difference(ours: dict[Key, dict[str, Any]], theirs: dict[Key, dict[str, Any]]) -> float:
    """The largest, as a part of the longest entry of a change."""
    return max(
        float(np.abs(ours[key][site] - change).max() / np.abs(change).max())
        for key, changes in theirs.items()
        for site, change in changes.items()
    )


def asked() -> Row:
    """Until the embedded model is right."""
    with quiet():
        source = HuggingFaceSource().find(shipped.NAME)
        assert source is not None
        dataset = SimulatedDeduction("guide")
        with source.open(ModelOptions(device="cpu", head=True), QUIET) as model:
            material, answers = gather(model, dataset, QUIET), WordAnswers.of(model, dataset.stimuli(QUIET))
            assert isinstance(material, Material)
            assert answers is not None
            answers(Steering({}), material.items)  # reads all prompts, for both
            how = Climbing()
            ours, found = timed(lambda: changes_of(list(repairs(material, how, answers))), 3)
            maps = all_maps(material)
            theirs, others = timed(lambda: one_by_one(material, maps, list(found), answers, how.steps))
    rows = f"{len(found)} wrong items of {len(material.people)} people"
    return Row(
        f"`nari` on simulated-deduction-guide, brainbench/tiny asked every five steps, {rows}",
        ours,
        "torch autograd and one question, person by person and item by item",
        theirs,
        0,
        difference=difference(found, others),
        allowed=1e-4,
    )


def blind() -> Row:
    """A fixed number of steps, without a model."""
    rng = np.random.default_rng(0)
    people = tuple(Person(f"p{p}", rng.normal(size=(ITEMS, VOXELS)), np.arange(ITEMS)) for p in range(PEOPLE))
    states = {f"attention.{i}": rng.normal(size=(ITEMS, WIDTH)) for i in range(PLACES)}
    types = tuple("ab"[i * 2 // ITEMS] for i in range(ITEMS))
    whole = Material(tuple(map(str, range(ITEMS))), types, None, states, people, {})
    few = Material(
        whole.items, types, None, dict(list(states.items())[:TIMED_PLACES]), people[:TIMED_PEOPLE], {}
    )
    how = Climbing()
    ours, found = timed(lambda: changes_of(list(repairs(whole, how))))
    maps, keys = all_maps(few), [key for key in found if key[0] in {p.id for p in few.people}]
    theirs, others = timed(lambda: one_by_one(few, maps, keys, None, how.blind_steps))
    return Row(
        f"`nari`, {how.blind_steps} steps for {ITEMS} items, {PEOPLE} people, {PLACES} layers {WIDTH} wide",
        ours,
        "torch autograd, person by person and item by item",
        theirs * (PEOPLE / TIMED_PEOPLE) * (PLACES / TIMED_PLACES),
        0,
        timed=f"{TIMED_PEOPLE} of {PEOPLE} people, {TIMED_PLACES} of {PLACES} layers",
        difference=difference(found, others),
        allowed=1e-6,
    )


def main() -> None:
    """Measure both."""
    import torch

    torch.set_num_threads(1)
    report("steering_fit", [asked(), blind()])


if __name__ == "__main__":
    main()
