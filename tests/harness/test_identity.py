from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from brainbench.identity import canonical, fingerprint, identify, identify_training, unidentified
from brainbench.nouns import Identity, ModelOptions
from brainbench.plan import Cell
from brainbench.stimuli import ItemSet
from brainbench_interventions.none import NoIntervention
from brainbench_interventions.tuning import arms
from brainbench_tasks.deduction_given import ScannerItems

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


def test_each_thing_that_decides_a_training_decides_where_it_is_kept(toy: Toy) -> None:
    def data(name: str, **more: Any) -> Any:
        found = toy["dataset"](**more)
        object.__setattr__(found, "validation", lambda: ScannerItems(version=int(name)))
        return found

    arm = {arm.name: arm for arm in arms()}["narf-label"]
    usual: dict[str, Any] = {
        "model": toy["model"](),
        "options": ModelOptions(),
        "intervention": arm,
        "dataset": data("1"),
    }
    changes: list[dict[str, Any]] = [
        {},
        {"model": toy["model"](scale=2.0)},
        {"dataset": data("1", content="v2")},
        {"dataset": data("2")},
        *({"intervention": replace(arm, **more)} for more in ({"seed": 1}, {"rate": 1e-3}, {"version": 2})),
        {"intervention": replace(arm, region="right")},
    ]
    found = [identify_training(**{**usual, **change}) for change in changes]
    assert all(one.resolved for one in found)
    assert len({canonical(dict(one.facts)) for one in found}) == len(changes)
    elsewhere = {**usual, "options": ModelOptions(device="cuda", batch_size=3, head=True)}
    assert identify_training(**elsewhere) == found[0]


def test_a_training_is_known_by_how_its_validation_set_is_asked(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = next(iter(arms()))
    learnt = (toy["model"](), ModelOptions(), arm, toy["dataset"]())
    before = identify_training(*learnt)
    monkeypatch.setattr("brainbench.identity_parts.ADAPTER", -1)
    assert identify_training(*learnt) != before


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


@pytest.mark.parametrize("part", ["model", "dataset", "metric", "intervention"])
def test_one_unresolved_part_makes_the_cell_unresolved(toy: Toy, cell: Cell, part: str) -> None:
    class Opaque:
        name, version, protocol = "opaque", 1, "paper"

    bases: Any = toy["dataset"]

    @dataclass(frozen=True)
    class Loose(bases):  # type: ignore[misc]
        def identity(self, region: str) -> Identity:
            return Identity({"name": "loose"}, resolved=False)

    loose: dict[str, Any] = {
        "model": toy["model"](resolved=False),
        "dataset": Loose(),
        "metric": Opaque(),
        "intervention": Opaque(),
    }
    assert identify(cell).resolved
    found = identify(replace(cell, **{part: loose[part]}))
    assert not found.resolved
    assert found.fingerprint != identify(replace(cell, **{part: loose[part]})).fingerprint


@pytest.mark.parametrize("part", ["model", "dataset", "metric", "intervention"])
def test_two_plugins_with_equal_names_and_numbers_are_told_apart(toy: Toy, cell: Cell, part: str) -> None:
    thing = getattr(cell, part)
    copy = type(type(thing).__name__, (type(thing),), {"__module__": "another_package"})
    other = copy(**{f.name: getattr(thing, f.name) for f in fields(thing)})
    assert identify(replace(cell, **{part: other})).fingerprint != identify(cell).fingerprint


def test_the_name_of_a_set_of_items_and_the_kind_of_a_cell_belong_to_it(cell: Cell) -> None:
    renamed = replace(cell, item_set=ItemSet("whole"))
    assert identify(renamed).fingerprint != identify(cell).fingerprint
    facts = identify(cell).facts
    assert facts["kind"] == "score"
    assert facts["schema"] == 1


def test_facts_are_canonical_and_refuse_what_is_not_finite() -> None:
    assert canonical({"b": 1, "a": [0.1, None, True, "ä"]}) == '{"a":[0.1,null,true,"ä"],"b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": float("nan")})


def test_the_fingerprint_is_the_same_everywhere_and_always() -> None:
    facts = {"dataset": {"name": "deduction", "version": 1}, "seed": 0, "alphas": [1e-3, 1e3]}
    golden = "b51b2860fae0cbf72b27e1774c6467e40211d107c67ca6ea1eb1222fffec2aaa"
    assert fingerprint(facts) == golden
    assert fingerprint(dict(reversed(facts.items()))) == golden


def test_attempts_without_an_identity_share_a_fingerprint_by_all_that_was_asked(cell: Cell) -> None:
    first = unidentified(cell)
    assert not first.resolved
    assert first.fingerprint == unidentified(cell).fingerprint
    for change in (
        {"options": ModelOptions(dtype="bfloat16")},
        {"options": ModelOptions(pooling="mean")},
        {"region": "right"},
        {"item_set": ItemSet("even")},
        {"model": replace(cell.model, name="other")},  # type: ignore[type-var]
        {"model": None, "intervention": None},
    ):
        assert unidentified(replace(cell, **change)).fingerprint != first.fingerprint
