from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from brainbench.identity import canonical, identify
from brainbench.nouns import ModelOptions
from brainbench.plan import Cell
from brainbench.stimuli import ItemSet
from brainbench_interventions.none import NoIntervention

Toy = dict[str, Any]


@pytest.fixture
def cell(toy: Toy) -> Cell:
    return Cell(
        toy["model"](),
        ModelOptions(),
        toy["dataset"](),
        NoIntervention(),
        "left",
        ItemSet("all"),
        toy["metric"](),
    )


def changes(toy: Toy) -> dict[str, dict[str, Any]]:
    """Everything that decides a number, changed one at a time."""
    return {
        "model": {"model": toy["model"](scale=2.0)},
        "data": {"dataset": toy["dataset"](content="v2")},
        "dataset version": {"dataset": toy["dataset"](version=2)},
        "region": {"region": "right"},
        "items": {"item_set": ItemSet("all", {"type": "even"})},
        "metric version": {"metric": toy["metric"](version=2)},
        "metric parameter": {"metric": toy["metric"](power=2)},
        "protocol": {"metric": toy["metric"](protocol="robust")},
        "intervention": {"intervention": NoIntervention(version=2)},
        "seed": {"options": ModelOptions(seed=1)},
        "no model": {"model": None, "intervention": None},
    }


def test_each_thing_that_decides_a_number_changes_the_fingerprint(toy: Toy, cell: Cell) -> None:
    prints = {name: identify(replace(cell, **change)).fingerprint for name, change in changes(toy).items()}
    assert len({*prints.values(), identify(cell).fingerprint}) == len(prints) + 1


def test_what_does_not_decide_a_number_leaves_the_fingerprint(cell: Cell) -> None:
    elsewhere = replace(cell, options=ModelOptions(device="cuda", batch_size=3))
    assert identify(elsewhere).fingerprint == identify(cell).fingerprint


def test_a_ceiling_does_not_depend_on_how_models_are_run(cell: Cell) -> None:
    ceiling = replace(cell, model=None, intervention=None)
    other = replace(ceiling, options=ModelOptions(seed=7, dtype="bfloat16"))
    assert identify(ceiling).fingerprint == identify(other).fingerprint


def test_a_metric_whose_parameters_cannot_be_read_is_never_reused(cell: Cell) -> None:
    class Opaque:
        name, protocol, version = "opaque", "paper", 1

        def score(self, *_: object) -> Any: ...
        def ceiling(self, *_: object) -> Any: ...

    opaque = replace(cell, metric=Opaque())
    assert not identify(opaque).resolved
    assert identify(opaque).fingerprint != identify(opaque).fingerprint


def test_the_fingerprint_is_the_same_in_every_process(cell: Cell) -> None:
    @dataclass(frozen=True)
    class Fixed:
        facts: tuple[int, ...] = (1, 2)

    assert canonical({"b": 1, "a": [0.1, None, True, "ä"]}) == '{"a":[0.1,null,true,"ä"],"b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": float("nan")})
