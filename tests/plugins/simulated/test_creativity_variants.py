"""Creativity datasets at other stages, behind other prompts, and on rated trials alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from brainbench import testing
from brainbench.arrays import Behaviour, Recording
from brainbench.cli import main as cli
from brainbench.errors import BrainbenchError
from brainbench.ideas import AsksForIdeas
from brainbench.nouns import BrainDataset, Reporter
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.stimuli import Stimulus
from brainbench_tasks.creativity_prompts import TASKS, stimulus
from brainbench_tasks.simulated import SimulatedCreativity

QUIET = SilentReporter()
NAME = "simulated-creativity"
BASE = SimulatedCreativity(grid=(2, 2, 1))
CATALOG = load(discover())
ALONE = {"stage": "prompt", "prompt": "main", "rated": None, "cutoff": None, "least": None}


def at(places: str) -> BrainDataset:
    made = BASE.at(places)
    assert isinstance(made, AsksForIdeas)
    return made


def test_the_dataset_itself_asks_for_ideas_and_is_its_own_default() -> None:
    assert isinstance(BASE, AsksForIdeas)
    assert (BASE.stage, BASE.questions(QUIET)) == ("prompt", BASE.stimuli(QUIET))
    creative = [BASE.stimuli(QUIET)[item] for item in BASE.creative.indices(BASE.stimuli(QUIET))]
    assert {(s.conditions["task"], s.id.partition("-")[0]) for s in creative} == {("create", "create")}
    assert len(creative) == 23
    assert BASE.at("stage=prompt@prompt=main") is BASE
    assert CATALOG.find_dataset(f"{NAME}@stage=prompt").name == NAME
    assert "variant" not in BASE.identity("default").facts


VARIANTS = {
    "stage=response": {"stage": "response"},
    "stage=response@prompt=empty": {"stage": "response", "prompt": "empty"},
    "prompt=short": {"prompt": "short"},
    "rated=high": {"rated": "high", "cutoff": 2.0, "least": 8},
    "rated=low@cutoff=1.75": {"rated": "low", "cutoff": 1.75, "least": 8},
    "stage=response@prompt=constant@rated=high@cutoff=1.5@least=6": {
        "stage": "response",
        "prompt": "constant",
        "rated": "high",
        "cutoff": 1.5,
        "least": 6,
    },
}


@pytest.mark.parametrize(("places", "told"), VARIANTS.items())
def test_a_variant_is_a_dataset_of_its_own_whatever_the_order_of_its_places(
    places: str, told: dict[str, object]
) -> None:
    made = CATALOG.find_dataset(f"{NAME}@{places}")
    assert made.name == f"{NAME}@{places}"
    assert made.simulated
    testing.check_dataset(made)
    whole = CATALOG.find_dataset(NAME)
    facts = {**made.identity("default").facts}
    assert facts.pop("variant") == {"of": NAME, **ALONE, **told}
    facts.pop("variants_version")
    assert facts == {**whole.identity("default").facts, "name": made.name}
    for order in list(permutations(places.split("@")))[:24]:
        again = CATALOG.find_dataset(f"{NAME}@{'@'.join(order)}")
        assert (again.name, again.identity("default")) == (made.name, made.identity("default"))


def test_a_name_leaves_out_what_is_the_default_anyway() -> None:
    long = at("rated=high@least=8@cutoff=2.00@prompt=main")
    assert long.name == f"{NAME}@rated=high"
    assert long.identity("default") == at("rated=high").identity("default")


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ("prompt=empty", "prompt=empty asks the same of every object"),
        ("rated=high@prompt=constant@stage=prompt", "prompt=constant asks the same of every object"),
        ("stage=late", "no variant 'stage=late'"),
        ("mood=good", "no variant 'mood=good'"),
        ("stage=prompt@stage=response", "stage is named twice"),
        ("cutoff=2", "go with rated trials alone"),
        ("least=9@stage=response", "go with rated trials alone"),
        *(
            (f"rated=high@{bad}", f"no variant '{bad}'")
            for bad in ("cutoff=nan", "cutoff=x", "least=0", "least=2.5")
        ),
    ],
)
def test_places_that_there_are_not_are_refused_in_a_sentence(places: str, words: str) -> None:
    with pytest.raises(BrainbenchError, match=words) as caught:
        CATALOG.find_dataset(f"{NAME}@{places}")
    assert caught.value.hint
    if "no variant" in words:
        assert "stage=prompt|response, prompt=main|short|empty|constant" in caught.value.hint


@pytest.mark.parametrize("task", TASKS)
def test_the_four_prompts_name_the_object_or_nothing(task: str) -> None:
    asked = {name: stimulus(task, "umbrella", name) for name in ("main", "short", "empty", "constant")}
    for name in ("main", "short"):
        assert asked[name].content.count("an umbrella") == 1
        assert asked[name].text == f"{asked[name].content}\nAnswer:"
    assert len(asked["short"].content) < 0.5 * len(asked["main"].content)
    assert (asked["empty"].content, asked["empty"].text) == ("", "")
    assert set(asked["constant"].text) == {"#"}
    for name in ("empty", "constant"):
        assert asked[name].messages == stimulus(TASKS[0], "brick", name).messages
    tasks = {name: stimulus("object" if task == "create" else "create", "umbrella", name) for name in asked}
    assert [name for name in asked if asked[name].text != tasks[name].text] == ["main", "short"]


@pytest.mark.parametrize("prompt", ["main", "short", "empty", "constant"])
def test_ideas_are_said_to_the_prompt_or_where_it_asks_nothing_to_the_main_one(prompt: str) -> None:
    made = at(f"stage=response@prompt={prompt}")
    assert isinstance(made, AsksForIdeas)
    read, asked, base = made.stimuli(QUIET), made.questions(QUIET), BASE.stimuli(QUIET)
    assert made.stage == "response"
    assert [s.id for s in read] == [s.id for s in asked] == [s.id for s in base]
    assert [s.conditions for s in read] == [s.conditions for s in base]
    assert {s.text for s in read} == {
        stimulus(str(s.conditions["task"]), str(s.conditions["object"]), prompt).text for s in base
    }
    assert asked == (read if prompt in {"main", "short"} else base)


def trials(dataset: BrainDataset) -> dict[tuple[str, str], np.ndarray]:
    """A person's responses to an item, by both."""
    recording = dataset.recording("default", QUIET)
    return {
        (person.id, recording.items[item]): row
        for person in recording.participants
        for item, row in zip(person.present, person.responses, strict=True)
    }


@pytest.mark.parametrize("cutoff", [1.75, 2.0, 2.5])
def test_each_rated_trial_is_high_or_low_and_those_at_the_cutoff_are_high(cutoff: float) -> None:
    told, whole = BASE.behaviour(QUIET), trials(BASE)
    assert told.rating is not None
    rated = {
        (person, item): told.rating[row, column]
        for row, person in enumerate(told.participants)
        for column, item in enumerate(told.items)
        if np.isfinite(told.rating[row, column])
    }
    assert cutoff in rated.values()
    sides = {side: trials(at(f"rated={side}@least=1@cutoff={cutoff}")) for side in ("high", "low")}
    assert set(sides["high"]) == {trial for trial, rating in rated.items() if rating >= cutoff}
    assert set(sides["low"]) == {trial for trial, rating in rated.items() if rating < cutoff}
    for found in sides.values():
        assert all(np.array_equal(row, whole[trial]) for trial, row in found.items())


def test_who_has_fewer_than_the_least_number_of_trials_is_left_out() -> None:
    every = at("rated=high@least=1").recording("default", QUIET)
    counts = {person.id: len(person.present) for person in every.participants}
    least = sorted(counts.values())[3]
    some = at(f"rated=high@least={least}").recording("default", QUIET)
    assert {p.id: len(p.present) for p in some.participants} == {
        p: n for p, n in counts.items() if n >= least
    }
    assert len(some.participants) < len(counts)
    usual = at("rated=low").recording("default", QUIET)
    assert min(len(person.present) for person in usual.participants) >= 8
    with pytest.raises(
        BrainbenchError, match=r"Only 0 of 8 people have 24 or more trials rated 2 or higher.* 5 to 18"
    ):
        at("rated=high@least=24").stimuli(QUIET)


def test_items_that_nobody_has_left_are_gone_from_everything() -> None:
    made = at("rated=high@cutoff=3.5@least=2")
    recording, told = made.recording("somatomotor", QUIET), made.behaviour(QUIET)
    assert told is not None
    held = {recording.items[at] for person in recording.participants for at in person.present}
    assert set(recording.items) == held
    assert len(held) < 23
    assert [s.id for s in made.stimuli(QUIET)] == list(recording.items) == list(told.items)
    assert [item_set.name for item_set in made.item_sets] == ["create"]
    assert told.response_time.shape == (8, len(held))


def test_no_rating_reaches_a_model() -> None:
    asked = {s.id: s for s in BASE.stimuli(QUIET)}
    for side in ("high", "low"):
        assert all(s == asked[s.id] for s in at(f"rated={side}").stimuli(QUIET))


@dataclass(frozen=True)
class Unrated(SimulatedCreativity):
    """The same people, whose ideas nobody read."""

    def behaviour(self, reporter: Reporter) -> Behaviour:
        return replace(super().behaviour(reporter), rating=None)


@dataclass(frozen=True)
class Odd(SimulatedCreativity):
    """Properties are rated as well, all with 5, and items have ids of their own."""

    def stimuli(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        return tuple(replace(item, id=f"odd-{item.id}") for item in super().stimuli(reporter))

    def behaviour(self, reporter: Reporter) -> Behaviour:
        told = super().behaviour(reporter)
        assert told.rating is not None
        rating = np.where([item.startswith("object-") for item in told.items], 5.0, told.rating)
        return replace(told, rating=rating, items=tuple(f"odd-{item}" for item in told.items))

    def recording(self, region: str, reporter: Reporter) -> Recording:
        made = super().recording(region, reporter)
        return replace(made, items=tuple(f"odd-{item}" for item in made.items))


def test_any_dataset_has_variants_that_keep_its_ids_and_only_ideas_count_as_rated() -> None:
    made = Odd(grid=(2, 2, 1)).at("rated=high@prompt=short")
    testing.check_dataset(made)
    recording, usual = made.recording("default", QUIET), at("rated=high").recording("default", QUIET)
    assert recording.items == tuple(f"odd-{item}" for item in usual.items)
    assert [len(p.present) for p in recording.participants] == [len(p.present) for p in usual.participants]


def test_a_dataset_without_ratings_has_no_rated_trials() -> None:
    with pytest.raises(BrainbenchError, match=f"Nobody rated the ideas of {NAME}"):
        Unrated().at("rated=low").recording("default", QUIET)


def test_rated_trials_are_scored_from_the_command_line(tmp_path: Path) -> None:
    words = ["run", "--model", "brainbench/tiny", "--dataset", f"{NAME}@rated=high", "--metric", "rsa/robust"]
    words += ["--region", "default", "--items", "create", "--no-baselines", "--json"]
    done = CliRunner().invoke(cli, [*words, "--db", str(tmp_path / "b.db")])
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert (row["dataset"], row["simulated"], row["outcome"]) == (f"{NAME}@rated=high", 1, "scores")
    assert row["participants"] == 7
    assert row["ceiling"] > 0.05
