"""The embedded model as it ships: its size, its card, and what it can do on problems it has not read."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from brainbench.problems import KINDS_OF_PROBLEM
from brainbench_models.shipped import FOLDER
from brainbench_models.tiny import train
from brainbench_models.tiny.card import EACH, SEED, measure, render
from brainbench_models.tiny.evaluate import accuracy, balanced_problems, best_surface_rule
from brainbench_models.tiny.introductions import introductions

CARD = json.loads((FOLDER / "accuracy.json").read_text())
TRAINING = json.loads((FOLDER / "training.json").read_text())
MEASURED_HERE = 12  # problems of each subtype


@pytest.fixture(scope="module")
def tokenizer() -> AutoTokenizer:
    return AutoTokenizer.from_pretrained(FOLDER)


def test_it_is_small_enough_to_ship() -> None:
    assert (FOLDER / "model.safetensors").stat().st_size <= 4_000_000
    model = AutoModelForCausalLM.from_pretrained(FOLDER)
    parameters = sum(weights.numel() for weights in model.parameters())
    assert parameters == CARD["parameters"]
    assert 900_000 <= parameters <= 3_000_000


def test_the_script_writes_the_tokenizer_that_ships(tmp_path: Path) -> None:
    train._tokenizer(tmp_path, introductions(), TRAINING["seed"])
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_the_card_says_what_was_measured() -> None:
    assert (FOLDER / "README.md").read_text() == render(CARD, TRAINING)
    assert CARD["each"] == EACH


def test_it_deduces_on_problems_it_has_not_read_and_leaves_room(tokenizer: AutoTokenizer) -> None:
    model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    openings = {kind: introductions()[kind][-1] for kind in KINDS_OF_PROBLEM}
    found = accuracy(model, tokenizer, openings, MEASURED_HERE, SEED + 1)
    for kind in KINDS_OF_PROBLEM:
        low, high = found[kind]["interval"]
        assert low > 0.5
        assert found[kind]["accuracy"] > CARD["surface"][kind]
        assert low - 0.05 <= CARD["introduced"][kind]["accuracy"] <= high + 0.05
    for form in ("bare", "introduced"):
        both = [CARD[form][kind]["accuracy"] for kind in KINDS_OF_PROBLEM]
        assert 0.65 <= sum(both) / len(both) <= 0.92
        assert all(CARD[form][kind]["interval"][0] > CARD["surface"][kind] for kind in KINDS_OF_PROBLEM)


def test_a_model_without_training_is_at_chance_on_the_same_problems(tokenizer: AutoTokenizer) -> None:
    from transformers import AutoConfig

    torch.manual_seed(0)
    untrained = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(FOLDER)).eval()
    found = accuracy(untrained, tokenizer, {}, 4, SEED)
    assert all(abs(found[kind]["accuracy"] - 0.5) < 0.15 for kind in KINDS_OF_PROBLEM)


def test_the_surface_rule_is_measured_on_other_problems_than_it_learns_from() -> None:
    for kind in KINDS_OF_PROBLEM:
        held_out = balanced_problems(kind, 20, held_out=True, seed=SEED)
        assert all(problem.held_out for problem in held_out)
        assert sum(problem.follows for problem in held_out) == len(held_out) / 2
        assert not any(problem.held_out for problem in balanced_problems(kind, 20, held_out=False, seed=SEED))
    assert best_surface_rule(EACH, SEED) == CARD["surface"]


def test_measuring_again_gives_the_same_figures() -> None:
    few = measure(FOLDER, each=2)
    assert few == measure(FOLDER, each=2)
    assert few["parameters"] == CARD["parameters"]
