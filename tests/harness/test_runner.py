from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from brainbench.arrays import Features
from brainbench.nouns import BrainDataset, ModelOptions, OpenModel
from brainbench.plan import Plan
from brainbench.records import Failure, Record, Reused, Scores, Skip
from brainbench.runner import run

Toy = dict[str, Any]


@dataclass(frozen=True)
class Plain:
    name: str = "none"
    version: int = 1

    @contextmanager
    def apply(self, model: OpenModel, dataset: BrainDataset) -> Iterator[OpenModel]:
        yield model


@dataclass(frozen=True)
class Reverse:
    """Gives each item another item's features; `stuck` makes undoing it fail."""

    name: str = "reverse"
    version: int = 1
    stuck: bool = False

    @contextmanager
    def apply(self, model: OpenModel, dataset: BrainDataset) -> Iterator[OpenModel]:
        @dataclass
        class Reversed:
            def features(self, stimuli: Any, reporter: Any) -> Features:
                plain = model.features(stimuli, reporter)
                return replace(plain, layers={name: x[::-1].copy() for name, x in plain.layers.items()})

            def facts(self) -> Any:
                return model.facts()

        yield Reversed()
        if self.stuck:
            raise OSError("cannot undo")


def plan(toy: Toy, *models: Any, **more: Any) -> Plan:
    return Plan.product(
        **{
            "models": models or [toy["model"]()],
            "datasets": [toy["dataset"]()],
            "metrics": [toy["metric"]()],
            "interventions": [Plain()],
            "options": ModelOptions(),
            **more,
        }
    )


def records(toy: Toy, *models: Any, **more: Any) -> list[Record]:
    found = list(run(plan(toy, *models, **more)))
    assert all(isinstance(record, Record) for record in found)
    return [record for record in found if isinstance(record, Record)]


def test_every_region_and_item_set_is_scored_and_the_model_opened_once(toy: Toy, asked: list[str]) -> None:
    made = records(toy, ceilings=False)
    assert len(made) == 2 * 2
    assert all(isinstance(record.outcome, Scores) for record in made)
    assert asked == ["open letters", "features", "close letters"]
    assert len({record.fingerprint for record in made}) == 4


def test_one_model_is_closed_before_the_next_is_opened(toy: Toy, asked: list[str]) -> None:
    records(toy, toy["model"]("a"), toy["model"]("b"), ceilings=False)
    assert asked == ["open a", "features", "close a", "open b", "features", "close b"]


def test_nothing_is_opened_when_all_is_done(toy: Toy, asked: list[str]) -> None:
    found = list(run(plan(toy, ceilings=False), is_done=lambda fingerprint: True))
    assert all(isinstance(result, Reused) for result in found)
    assert asked == []


def test_only_what_is_missing_is_computed(toy: Toy) -> None:
    first, *rest = records(toy, ceilings=False)
    again = list(run(plan(toy, ceilings=False), is_done=lambda fingerprint: fingerprint == first.fingerprint))
    assert isinstance(again[0], Reused)
    assert [r.fingerprint for r in again[1:]] == [r.fingerprint for r in rest]


@pytest.mark.parametrize(
    ("breaks", "phase", "exception"),
    [
        ("identity", "identity", "ConnectionError"),
        ("open", "open", "MemoryError"),
        ("features", "features", "ShapeError"),
    ],
)
def test_a_model_that_breaks_fails_its_own_cells_only(
    toy: Toy, asked: list[str], breaks: str, phase: str, exception: str
) -> None:
    made = records(toy, toy["model"]("bad", breaks=breaks), toy["model"]("good"), ceilings=False)
    bad, good = made[:4], made[4:]
    for record in bad:
        assert isinstance(record.outcome, Failure)
        assert (record.outcome.phase, record.outcome.exception) == (phase, exception)
        assert record.outcome.hint
        assert "Traceback" in record.provenance["traceback"]
    assert all(isinstance(record.outcome, Scores) for record in good)
    assert asked.count("open bad") <= 1, "what does not open is tried once"


def test_a_score_that_is_not_finite_is_a_failure(toy: Toy) -> None:
    base: Any = toy["metric"]

    @dataclass(frozen=True)
    class Blank(base):  # type: ignore[misc]
        def score(self, features: Any, recording: Any, reporter: Any) -> Any:
            scores = super().score(features, recording, reporter)
            return replace(scores, per_layer=scores.per_layer * float("nan"))

    (record, *_) = records(toy, metrics=[Blank()], ceilings=False)
    assert isinstance(record.outcome, Failure)
    assert record.outcome.phase == "metric"
    assert "finite" in record.outcome.message


def test_a_ceiling_needs_no_model_and_a_skip_keeps_its_reason(toy: Toy, asked: list[str]) -> None:
    made = records(toy, models=[])
    assert [record.cell.kind for record in made] == ["ceiling"] * 4
    assert all(record.outcome == Skip("noise has none") for record in made)
    assert asked == []


def test_a_changed_model_scores_otherwise_and_has_its_own_fingerprint(toy: Toy, asked: list[str]) -> None:
    made = records(toy, interventions=[Plain(), Reverse()], ceilings=False)
    plain, changed = made[0], made[4]
    assert isinstance(plain.outcome, Scores)
    assert isinstance(changed.outcome, Scores)
    assert plain.cell.region == changed.cell.region
    assert plain.outcome.headline != changed.outcome.headline
    assert plain.fingerprint != changed.fingerprint
    assert asked == ["open letters", "features", "features", "close letters"]


def test_after_a_change_that_cannot_be_undone_the_model_is_opened_anew(toy: Toy, asked: list[str]) -> None:
    with pytest.warns(UserWarning, match="cannot undo"):
        made = records(toy, interventions=[Reverse(stuck=True), Plain()], ceilings=False)
    assert all(isinstance(record.outcome, Scores) for record in made)
    assert asked == ["open letters", "features", "close letters", "open letters", "features", "close letters"]


def test_an_unresolved_model_is_run_but_never_reused(toy: Toy) -> None:
    model = toy["model"](resolved=False)
    first, second = records(toy, model, ceilings=False)[0], records(toy, model, ceilings=False)[0]
    assert not first.resolved
    assert isinstance(first.outcome, Scores)
    assert first.fingerprint != second.fingerprint


def test_stopping_early_closes_the_model(toy: Toy, asked: list[str]) -> None:
    going = run(plan(toy))
    next(going)
    going.close()  # type: ignore[attr-defined]
    assert asked[-1] == "close letters"


def test_ctrl_c_goes_through_and_closes_the_model(toy: Toy, asked: list[str]) -> None:
    base: Any = toy["metric"]

    @dataclass(frozen=True)
    class Interrupted(base):  # type: ignore[misc]
        def score(self, features: Any, recording: Any, reporter: Any) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run(plan(toy, metrics=[Interrupted()])))
    assert asked[-1] == "close letters"


def test_records_say_where_they_come_from(toy: Toy) -> None:
    (record, *_) = list(run(plan(toy), plugins={"brainbench": "0"}))
    assert isinstance(record, Record)
    for name in ("brainbench", "libraries", "plugins", "device", "dtype", "started", "seconds", "python"):
        assert name in record.provenance
