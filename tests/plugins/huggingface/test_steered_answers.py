"""A steered model answers lm-eval's requests as it answers when it is asked directly."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from brainbench.catalog import Catalog
from brainbench.nouns import ModelOptions
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Addition, Steering
from brainbench_tasks.simulated import SimulatedDeduction

WORDS = ("True", "False")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(discover())


@pytest.fixture(scope="module")
def opened(catalog: Catalog) -> Iterator[Any]:
    options = ModelOptions(device="cpu", head=True)
    with catalog.find_model("brainbench/tiny").open(options, SilentReporter()) as model:
        yield model


def requests(stimuli: Any, lm: Any) -> list[Any]:
    prompts = [
        lm.apply_chat_template([{"role": turn.role, "content": turn.content} for turn in item.messages])
        for item in stimuli
    ]
    return [SimpleNamespace(args=(prompt, word)) for prompt in prompts for word in WORDS]


@pytest.mark.parametrize("where", ["last", "prompt", "all"])
def test_log_likelihoods_are_those_of_the_steered_model(opened: Any, where: Any) -> None:
    stimuli = SimulatedDeduction().stimuli(SilentReporter())[
        20:32
    ]  # of different lengths: batches are padded
    rng = np.random.default_rng(0)
    width = opened.facts()["width"]
    steering = Steering(
        {"attention.2": Addition(rng.normal(size=width).astype(np.float32), 1.5)}, where=where
    )
    language = opened.language_model(SilentReporter())
    assert not isinstance(language, Skip)
    lm = language.lm
    asked = requests(stimuli, lm)
    plain = np.array([value for value, _ in lm.loglikelihood(asked)]).reshape(-1, 2)
    with opened.steered(steering) as model:
        found = np.array([value for value, _ in lm.loglikelihood(asked)]).reshape(-1, 2)
        direct = model.log_odds(stimuli, WORDS, SilentReporter())
    np.testing.assert_allclose(found[:, 0] - found[:, 1], direct[:, 0] - direct[:, 1], atol=1e-3)
    assert np.abs(found - plain).max() > 0.01
    after = np.array([value for value, _ in lm.loglikelihood(asked)]).reshape(-1, 2)
    np.testing.assert_array_equal(after, plain)


def test_what_is_generated_is_steered_too(opened: Any) -> None:
    stimuli = SimulatedDeduction().stimuli(SilentReporter())[20:26]
    language = opened.language_model(SilentReporter())
    lm = language.lm
    prompts = [one.args[0] for one in requests(stimuli, lm)[::2]]
    told = {"until": ["\n"], "max_gen_toks": 3, "do_sample": False}
    asked = [SimpleNamespace(args=(prompt, told)) for prompt in prompts]
    width = opened.facts()["width"]
    push = np.random.default_rng(1).normal(size=width).astype(np.float32) * 30
    plain = lm.generate_until(asked)
    with opened.steered(Steering({"layer.3": Addition(push)}, where="last")) as model:
        steered = lm.generate_until(asked)
        odds = model.log_odds(stimuli, WORDS, SilentReporter())
    assert steered != plain
    assert lm.generate_until(asked) == plain
    assert odds.shape == (len(stimuli), 2)
