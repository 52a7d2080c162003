"""The stage "response": a model's own ideas are written, kept, read with the items and averaged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.arrays import Behaviour, Features, Participant, Recording
from brainbench.catalog import Catalog, Provider
from brainbench.cli.planning import make_plan
from brainbench.errors import DataError
from brainbench.ideas import AsksForIdeas, Idea
from brainbench.identity import identify
from brainbench.nouns import BrainDataset, Identity, ModelOptions, Reporter
from brainbench.plan import Cell, Plan, ScorerCell
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Record, Skip
from brainbench.responses import features_with
from brainbench.runner import run
from brainbench.sampling import Sampling
from brainbench.stimuli import ALL_ITEMS, ItemSet, Message, Stimulus
from brainbench.workbench import Workbench
from brainbench_interventions.none import NoIntervention

QUIET = SilentReporter()
THINGS = ("rope", "box", "brick", "spoon")
CREATIVE = ItemSet("create", {"task": "create"})
SAMPLING = Sampling(count=2, tokens=12, seed=3)
OPTIONS = ModelOptions(device="cpu", head=True, sampling=SAMPLING)


def item(task: str, noun: str) -> Stimulus:
    text = {"create": f"Think of creative uses for {noun}.", "object": f"Think of what {noun} is like."}[task]
    return Stimulus(f"{task}-{noun}", (Message("user", text),), text, noun, {"task": task, "object": noun})


@dataclass(frozen=True)
class Ideas:
    """Uses of four things, and what they are like, with noise for brains."""

    card: Any
    stage: str = "response"
    name: str = "things"
    version: int = 1
    regions: tuple[str, ...] = ("default",)
    item_sets: tuple[ItemSet, ...] = (ALL_ITEMS, CREATIVE)
    simulated: bool = True
    creative: ItemSet = CREATIVE
    shift: int = 0

    def identity(self, region: str) -> Identity:
        return Identity({"name": self.name, "version": self.version, "stage": self.stage})

    def stimuli(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        return tuple(item(task, noun) for task in ("create", "object") for noun in THINGS)

    def questions(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        asked = [replace(one, text=f"{one.text} Be brief.") for one in self.stimuli(reporter)]
        return tuple(asked[self.shift :] + asked[: self.shift])

    def recording(self, region: str, reporter: Reporter) -> Recording:
        ids = tuple(one.id for one in self.stimuli(reporter))
        rng = np.random.default_rng(0)
        people = tuple(Participant(f"p{at}", rng.normal(size=(8, 5)), np.arange(8)) for at in range(3))
        return Recording(region, ids, people, tuple(name.partition("-")[0] for name in ids))

    def behaviour(self, reporter: Reporter) -> Behaviour | None:
        return None


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(discover())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def data(toy: dict[str, Any]) -> Ideas:
    return Ideas(toy["dataset"]().card)


@pytest.fixture
def cell(toy: dict[str, Any], catalog: Catalog, data: Ideas) -> Cell:
    model = catalog.find_model("brainbench/tiny")
    return Cell(model, OPTIONS, data, NoIntervention(), "default", ALL_ITEMS, toy["metric"]())


def bench_on(cell: Any) -> Any:
    bench = Workbench(QUIET)
    try:
        return bench.ideas(cell)
    finally:
        bench.close()


def test_features_are_the_mean_over_the_items_read_with_each_of_the_models_ideas(
    cell: Cell, cache: Path
) -> None:
    assert isinstance(cell.dataset, AsksForIdeas)
    assert isinstance(cell.dataset, BrainDataset)
    bench = Workbench(QUIET)
    found = bench.features(replace(cell, item_set=cell.dataset.item_sets[1]))
    written = bench.ideas(cell)
    assert not isinstance(found, Skip)
    assert not isinstance(written, Skip)
    (features, facts), (ideas, told) = found, written
    with cell.model.open(OPTIONS, QUIET) as model:  # type: ignore[union-attr]
        for at in (0, 3):
            stimulus = cell.dataset.stimuli(QUIET)[at]
            own = [idea.text for idea in ideas if idea.item == stimulus.id]
            assert len(set(own)) == 2
            alone = [model.features([replace(stimulus, response=text)], QUIET) for text in own]  # type: ignore[union-attr]
            for name, array in features.layers.items():
                expected = (alone[0].layers[name][0] + alone[1].layers[name][0]) / 2
                np.testing.assert_allclose(array[at], expected, atol=1e-4)
    bench.close()
    assert features.n_items == 4
    assert next(iter(features.layers.values())).dtype == np.float32
    assert facts["features"]["ideas"] == told["ideas"]
    assert facts["features"]["stage"] == "response"
    assert {"written": 16, "dropped": 0}.items() <= told["ideas"].items()
    assert told["device"] == "cpu"


def test_ideas_are_kept_by_who_wrote_them_and_how_and_pooling_is_no_part_of_it(
    cell: Cell, cache: Path
) -> None:
    first, facts = bench_on(cell)
    (folder,) = (cache / "ideas").iterdir()
    kept = json.loads((folder / "ideas.json").read_text())
    for idea in (idea for ideas in kept["ideas"].values() for idea in ideas):
        idea["text"] = f"kept {idea['item']}"
    (folder / "ideas.json").write_text(json.dumps(kept))
    same = (
        cell,
        replace(cell, options=replace(OPTIONS, pooling="mean", batch_size=3)),
        replace(cell, dataset=replace(cell.dataset, name="others", version=2)),  # type: ignore[type-var]
    )
    for one in same:
        again, told = bench_on(one)
        assert [idea.text for idea in again] == [f"kept {idea.item}" for idea in first]
        assert told["ideas"]["fingerprint"] != facts["ideas"]["fingerprint"]
    others = (
        replace(cell, options=replace(OPTIONS, sampling=replace(SAMPLING, temperature=0.5))),
        replace(cell, intervention=NoIntervention(version=2)),
    )
    for one in others:
        again, _ = bench_on(one)
        assert not any(idea.text.startswith("kept") for idea in again)
    assert len(list((cache / "ideas").iterdir())) == 3


@dataclass(frozen=True)
class Unpinned:
    """A model of which nobody can say which it is, as behind an endpoint."""

    model: Any
    name: str = "unpinned"

    def identity(self, options: ModelOptions) -> Identity:
        return Identity({"name": "unpinned"}, resolved=False)

    def open(self, options: ModelOptions, reporter: Reporter) -> Any:
        return self.model.open(options, reporter)


def test_of_a_model_that_cannot_be_pinned_down_no_text_is_kept(cell: Cell, cache: Path) -> None:
    ideas, _ = bench_on(replace(cell, model=Unpinned(cell.model)))
    assert len(ideas) == 16
    assert not (cache / "ideas").exists()


def test_a_scorer_gets_the_texts_of_its_own_questions_or_of_those_that_ask_for_something_original(
    cell: Cell, cache: Path
) -> None:
    @dataclass(frozen=True)
    class Asks:
        questions: tuple[Stimulus, ...] = ()

    def asking(dataset: Any, *questions: Stimulus) -> Any:
        scorer: Any = Asks(questions)
        return ScorerCell(cell.model, OPTIONS, NoIntervention(), scorer, cell.model, dataset)  # type: ignore[arg-type]

    whole, _ = bench_on(cell)
    creative, facts = bench_on(asking(cell.dataset))
    assert creative == whole[:8]
    assert facts["ideas"]["written"] == 8
    assert bench_on(asking(replace(cell.dataset, stage="prompt")))[0] == creative  # type: ignore[type-var]
    own, _ = bench_on(asking(None, item("create", "sock")))
    assert {idea.item for idea in own} == {"create-sock"}
    assert "name a dataset" in bench_on(asking(None)).reason
    nothing = replace(cell.dataset, creative=ItemSet("none", {"task": "?"}))  # type: ignore[type-var]
    assert "no items that ask for something original" in bench_on(asking(nothing)).reason


def test_only_models_that_write_and_baselines_have_features_at_the_stage_response(
    cell: Cell, cache: Path, toy: dict[str, Any], catalog: Catalog
) -> None:
    prompt = replace(cell, dataset=replace(cell.dataset, stage="prompt"))  # type: ignore[type-var]
    bench = Workbench(QUIET)
    found = bench.features(replace(cell, model=toy["model"]()))
    assert isinstance(found, Skip)
    assert found.reason == "letters is no language model: it answers nothing."
    assert not isinstance(bench.features(replace(prompt, model=toy["model"]())), Skip)
    headless = bench.features(replace(cell, options=replace(OPTIONS, head=False)))
    assert isinstance(headless, Skip)
    assert "no language-model head" in headless.reason
    words = catalog.find_model("baseline:words")
    beside, without = (bench.features(replace(one, model=words)) for one in (cell, prompt))
    assert not isinstance(beside, Skip)
    assert not isinstance(without, Skip)
    assert np.array_equal(beside[0].layers["words"], without[0].layers["words"])
    bench.close()


def test_a_dataset_whose_questions_are_not_its_items_is_told_of(cell: Cell, cache: Path) -> None:
    (record,) = run(Plan((replace(cell, dataset=replace(cell.dataset, shift=1)),)))  # type: ignore[type-var]
    assert isinstance(record, Record)
    assert "its questions are not one for each of its items" in record.outcome.message  # type: ignore[union-attr]
    assert DataError.__name__ == record.outcome.exception  # type: ignore[union-attr]


def test_how_texts_are_drawn_decides_a_score_at_the_stage_response_alone(
    cell: Cell, cache: Path, catalog: Catalog
) -> None:
    other = replace(OPTIONS, sampling=replace(SAMPLING, seed=4))
    one = identify(cell)
    assert one.facts["ideas"] == asdict(SAMPLING)
    assert identify(replace(cell, options=other)).fingerprint != one.fingerprint
    prompt = replace(cell, dataset=replace(cell.dataset, stage="prompt"))  # type: ignore[type-var]
    assert "ideas" not in identify(prompt).facts
    assert identify(replace(prompt, options=other)).fingerprint == identify(prompt).fingerprint
    ceiling = replace(cell, model=None, intervention=None)
    assert identify(replace(ceiling, options=other)).fingerprint == identify(ceiling).fingerprint


def test_on_the_board_scores_with_texts_drawn_otherwise_answer_another_question(
    cell: Cell, cache: Path
) -> None:
    from brainbench_leaderboard.store import Leaderboard

    other = replace(OPTIONS, sampling=replace(SAMPLING, seed=4))
    records = [
        record for record in run(Plan((cell, replace(cell, options=other)))) if isinstance(record, Record)
    ]
    with Leaderboard(cache / "b.db") as board:
        for record in records:
            board.add(record)
        found = board.standings()
    assert len({row["question"] for row in found}) == len(found) == 2


@pytest.mark.parametrize("stage", ["prompt", "response"])
def test_models_are_opened_with_their_heads_where_they_are_to_write(data: Ideas, stage: str) -> None:
    catalog, provider = load(discover()), Provider("test", "test", "1")
    catalog.datasets.entries["things"] = (replace(data, stage=stage), provider)
    plain = ModelOptions()
    chosen: dict[str, Any] = {
        **{name: getattr(plain, name) for name in ("dtype", "pooling", "device", "batch_size", "seed")},
        **dict.fromkeys(("metrics", "regions", "item_sets", "tasks", "adapters", "scorers"), ()),
        **{"ideas": 4, "temperature": 0.7, "top_p": 0.95, "idea_tokens": 1024, "idea_seed": 0},
        **dict.fromkeys(("baselines", "ceilings", "trust_remote_code"), False),
        "models": ("brainbench/tiny",),
        "datasets": ("things",),
        "interventions": ("none",),
        "limit": None,
        "protocol": "validation",
    }
    plan = make_plan(catalog, **chosen)
    assert {cell.options.head for cell in plan if isinstance(cell, Cell)} == {stage == "response"}


@dataclass
class Counts:
    """Its features count what it was told."""

    told: list[str] = field(default_factory=list)

    def features(self, stimuli: Sequence[Stimulus], reporter: Reporter) -> Features:
        self.told += [one.response for one in stimuli]
        rows = np.array([[len(one.response), 1e8 + len(one.id)] for one in stimuli])
        return Features({"n": rows.astype(np.float64)}, {"token": "none"})

    def facts(self) -> dict[str, Any]:
        return {}


def test_empty_texts_are_left_out_and_an_item_without_any_leaves_no_features() -> None:
    stimuli = [item("create", noun) for noun in THINGS[:3]]
    texts = {0: ("aa", "", "bbbb"), 1: ("c", "c", "cc"), 2: ("", "", "ddd")}
    ideas = [
        Idea(stimuli[at].id, draw, 1, text) for at, own in texts.items() for draw, text in enumerate(own)
    ]
    model = Counts()
    found = features_with(model, stimuli, ideas[::-1], QUIET)
    assert isinstance(found, Features)
    np.testing.assert_allclose(found.layers["n"][:, 0], [3, 4 / 3, 3])
    np.testing.assert_array_equal(found.layers["n"][:, 1], [1e8 + len(one.id) for one in stimuli])
    assert "" not in model.told
    silent = features_with(model, stimuli, ideas[:6], QUIET)
    assert isinstance(silent, Skip)
    assert silent.reason == "The model wrote nothing to 1 of the 3 items."
