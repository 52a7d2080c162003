from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from brainbench.arrays import Features
from brainbench.errors import NotApplicable
from brainbench.nouns import BrainDataset, ModelOptions, OpenModel
from brainbench.plan import Cell, Plan
from brainbench.records import Failure, Record, Reused, Scores, Skip
from brainbench.runner import run
from brainbench.stimuli import ItemSet

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
    assert isinstance(plain.cell, Cell)
    assert isinstance(changed.cell, Cell)
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


@dataclass(frozen=True)
class Scaled:
    """One name, many strengths."""

    factor: float
    name: str = "scaled"
    version: int = 1

    @contextmanager
    def apply(self, model: OpenModel, dataset: BrainDataset) -> Iterator[OpenModel]:
        factor = self.factor

        @dataclass
        class Shifted:
            def features(self, stimuli: Any, reporter: Any) -> Features:
                plain = model.features(stimuli, reporter)
                rng = np.random.default_rng(int(factor))
                return replace(
                    plain, layers={n: x + rng.normal(size=x.shape) for n, x in plain.layers.items()}
                )

            def facts(self) -> Any:
                return model.facts()

        yield Shifted()


def headlines(found: list[Record]) -> dict[str, float]:
    assert all(isinstance(record.outcome, Scores) for record in found)
    return {r.fingerprint: r.outcome.headline for r in found if isinstance(r.outcome, Scores)}


def test_things_of_one_name_are_told_apart_within_a_plan(toy: Toy) -> None:
    together = headlines(records(toy, interventions=[Scaled(1), Scaled(2)], ceilings=False))
    alone = headlines(records(toy, interventions=[Scaled(2)], ceilings=False))
    assert len(together) == 8
    assert alone.items() <= together.items()

    base: Any = toy["dataset"]

    @dataclass(frozen=True)
    class Turned(base):  # type: ignore[misc]
        content: str = "turned"

        def recording(self, region: str, reporter: Any) -> Any:
            found = super().recording(region, reporter)
            people = tuple(replace(p, responses=p.responses[::-1].copy()) for p in found.participants)
            return replace(found, participants=people)

    @dataclass(frozen=True)
    class Reworded(base):  # type: ignore[misc]
        content: str = "reworded"

        def stimuli(self, reporter: Any) -> Any:
            found = super().stimuli(reporter)
            return tuple(replace(s, text=s.text + "!" * (at % 5)) for at, s in enumerate(found))

    # One region each, so that the second dataset asks for what the first has just left in memory.
    plain, *others = (kind(regions=("left",)) for kind in (base, Turned, Reworded))
    for other in others:
        both = headlines(records(toy, datasets=[plain, other], ceilings=False))
        alone = headlines(records(toy, datasets=[other], ceilings=False))
        assert len(both) == 4
        assert alone.items() <= both.items()


def test_options_and_models_of_one_name_are_told_apart_within_a_plan(toy: Toy, asked: list[str]) -> None:
    one, two = toy["model"](), toy["model"](scale=-3.0)
    cells = Plan((*plan(toy, one, ceilings=False), *plan(toy, two, ceilings=False)))
    assert len({r.fingerprint for r in run(cells)}) == 8
    assert asked.count("open letters") == 2
    asked.clear()
    other = plan(toy, one, ceilings=False, options=ModelOptions(seed=5))
    assert len({r.fingerprint for r in run(Plan((*plan(toy, one, ceilings=False), *other)))}) == 8
    assert asked.count("open letters") == 2


class Panic(BaseException):
    """What an extension written in another language may raise."""


@pytest.mark.parametrize("raised", [SystemExit(0), Panic("panicked"), GeneratorExit()], ids=repr)
def test_a_plugin_that_exits_or_panics_fails_its_cell_only(toy: Toy, raised: Any) -> None:
    base: Any = toy["metric"]

    @dataclass(frozen=True)
    class Leaving(base):  # type: ignore[misc]
        name: str = "leaving"

        def score(self, features: Any, recording: Any, reporter: Any) -> Any:
            raise raised

    made = records(toy, metrics=[Leaving(), toy["metric"]()], ceilings=False)
    outcomes = [type(record.outcome) for record in made]
    assert outcomes == [Failure, Scores] * 4


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("features", "features() gave NoneType"),
        ("facts", "plain JSON"),
        ("open", "What open() gave is NoneType, which lacks features, facts"),
        ("context", "open() gave object, not a context"),
        ("identity", "identity() of letters gave NoneType"),
        ("lists", "must be a numpy array; got list"),
        ("words", "must be real numbers"),
    ],
)
def test_a_model_that_returns_rubbish_is_named_in_one_sentence(toy: Toy, method: str, says: str) -> None:
    base: Any = toy["model"]

    class Rubbish:
        def features(self, stimuli: Any, reporter: Any) -> Any:
            if method == "lists":
                return Features({"a": [[1.0]] * 12})  # type: ignore[dict-item]
            if method == "words":
                return Features({"a": np.array([["b"]] * 12)})
            return None if method == "features" else Features({"a": np.arange(12.0)[:, None]})

        def facts(self) -> Any:
            return {"x": float("nan")}

    @dataclass(frozen=True)
    class Wrong(base):  # type: ignore[misc]
        def identity(self, options: Any) -> Any:
            return None if method == "identity" else super().identity(options)

        def open(self, options: Any, reporter: Any) -> Any:
            return object() if method == "context" else nullcontext(None if method == "open" else Rubbish())

    (record, *_) = records(toy, Wrong(), ceilings=False)
    assert isinstance(record.outcome, Failure)
    assert says in record.outcome.message
    assert record.outcome.message.endswith(".")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("items", "are not its stimuli"),
        ("stimuli", "has no stimuli"),
        ("recording", "recording() gave"),
        ("set", "no items in its set"),
        ("short", "features of 11 items"),
    ],
)
def test_a_dataset_whose_parts_do_not_fit_fails_in_one_sentence(toy: Toy, change: str, says: str) -> None:
    base: Any = toy["dataset"]

    @dataclass(frozen=True)
    class Wrong(base):  # type: ignore[misc]
        def stimuli(self, reporter: Any) -> Any:
            return () if change == "stimuli" else super().stimuli(reporter)

        def recording(self, region: str, reporter: Any) -> Any:
            found = super().recording(region, reporter)
            if change == "recording":
                return found.participants
            return replace(found, items=found.items[::-1]) if change == "items" else found

    wrong = Wrong(item_sets=(ItemSet("odd ones", {"type": "?"}),)) if change == "set" else Wrong()
    model = toy["model"]()
    if change == "short":
        base_model: Any = toy["model"]

        @dataclass(frozen=True)
        class Short(base_model):  # type: ignore[misc]
            @contextmanager
            def open(self, options: Any, reporter: Any) -> Any:
                with super().open(options, reporter) as opened:

                    class Shorter:
                        def features(self, stimuli: Any, reporter: Any) -> Any:
                            return opened.features(stimuli[1:], reporter)

                        def facts(self) -> Any:
                            return {}

                    yield Shorter()

        model = Short()
    (record, *_) = records(toy, model, datasets=[wrong], ceilings=False)
    assert isinstance(record.outcome, Failure)
    assert says in record.outcome.message


def test_a_metric_that_returns_something_else_is_a_failure(toy: Toy) -> None:
    base: Any = toy["metric"]

    @dataclass(frozen=True)
    class Number(base):  # type: ignore[misc]
        def score(self, features: Any, recording: Any, reporter: Any) -> Any:
            return 0.5

    (record, *_) = records(toy, metrics=[Number()], ceilings=False)
    assert isinstance(record.outcome, Failure)
    assert "float, not Scores or Skip" in record.outcome.message


def test_a_models_facts_never_overwrite_where_a_number_comes_from(toy: Toy) -> None:
    base: Any = toy["model"]

    class Boastful:
        def features(self, stimuli: Any, reporter: Any) -> Any:
            return Features({"a": np.arange(float(len(stimuli)))[:, None]})

        def facts(self) -> Any:
            return {"brainbench": "9.9", "device": "abacus"}

    @dataclass(frozen=True)
    class Wrong(base):  # type: ignore[misc]
        @contextmanager
        def open(self, options: Any, reporter: Any) -> Any:
            yield Boastful()

    (record, *_) = records(toy, Wrong(), ceilings=False)
    assert record.provenance["device"] == "abacus"
    assert record.provenance["brainbench"] != "9.9"


def test_what_does_not_apply_is_a_skip_with_its_reason(toy: Toy) -> None:
    @dataclass(frozen=True)
    class NothingToFit(Plain):
        name: str = "fitted"

        def apply(self, model: OpenModel, dataset: BrainDataset) -> Any:
            raise NotApplicable("The fit found no direction.")

    for record in records(toy, interventions=[NothingToFit()], ceilings=False):
        assert record.outcome == Skip("The fit found no direction.")
        assert record.resolved
