"""In every architecture, attention is read after its output projection and before anything is added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.stimuli import Stimulus
from brainbench_models.architectures import context_length
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_models.opened import OpenHuggingFaceModel

READABLE = (
    *("llama", "qwen3", "gemma2", "phi", "gpt2", "gpt_neox", "opt", "bloom", "falcon", "mpt"),
    *("bert", "roberta", "mpnet", "distilbert", "modernbert", "t5", "bart"),
)
# the last projection inside attention, by the names in use
PROJECTIONS = ("o_proj", "out_proj", "c_proj", "dense", "output.dense", "attn.o", "out_lin", "Wo", "o")


def projection(layer: torch.nn.Module) -> torch.nn.Module:
    """The output projection of a layer's self-attention, found independently of the code under test."""
    inside: list[tuple[str, torch.nn.Module]] = [
        (name, module) for name, module in layer.named_modules() if not list(module.children())
    ]
    found = [
        module
        for name, module in inside
        if ("att" in name.lower()) and any(name.endswith(f".{end}") for end in PROJECTIONS)
    ]
    assert len(found) == 1, [name for name, _ in inside]
    return found[0]


@pytest.mark.parametrize("architecture", READABLE)
def test_attention_vanishes_with_its_output_projection(
    make_model: Callable[..., Path], problems: tuple[Stimulus, ...], architecture: str
) -> None:
    found = HuggingFaceSource().find(str(make_model(architecture)))
    assert found is not None
    with found.open(ModelOptions(device="cpu"), SilentReporter()) as opened:
        assert isinstance(opened, OpenHuggingFaceModel)
        before = opened.features(problems, SilentReporter()).layers
        facts = opened.facts()
        with torch.no_grad():
            for weights in projection(opened.blocks[1].layer).parameters():
                weights.zero_()
        after = opened.features(problems, SilentReporter()).layers
    assert (facts["layers"], facts["width"]) == (3, 16)
    assert list(before) == [f"{kind}.{i}" for kind in ("attention", "layer") for i in range(3)]
    assert all(array.shape == (len(problems), 16) for array in before.values())
    # neither the residual nor a norm's bias is in it
    assert np.abs(before["attention.1"]).min(axis=1).max() > 0
    assert np.abs(after["attention.1"]).max() == 0
    for untouched in ("attention.0", "layer.0"):
        np.testing.assert_array_equal(after[untouched], before[untouched])
    assert np.abs(after["layer.1"] - before["layer.1"]).max() > 1e-3


@pytest.mark.parametrize("architecture", READABLE)
def test_padding_changes_nothing(
    make_model: Callable[..., Path],
    problems: tuple[Stimulus, ...],
    relative_difference: Callable[[Any, Any], float],
    architecture: str,
) -> None:
    found = HuggingFaceSource().find(str(make_model(architecture, side="left")))
    assert found is not None
    with found.open(ModelOptions(pooling="mean", device="cpu"), SilentReporter()) as opened:
        batched = opened.features(problems, SilentReporter()).layers
        assert opened.facts()["batch_size"] == len(problems)
    with found.open(ModelOptions(pooling="mean", device="cpu", batch_size=1), SilentReporter()) as opened:
        alone = opened.features(problems, SilentReporter()).layers
    assert relative_difference(batched, alone) < 1e-4


@pytest.mark.parametrize(("architecture", "names"), [("albert", "AlbertModel"), ("xlnet", "rel_attn")])
def test_an_attention_that_cannot_be_told_apart_is_refused(
    make_model: Callable[..., Path], architecture: str, names: str
) -> None:
    found = HuggingFaceSource().find(str(make_model(architecture)))
    assert found is not None
    with (
        pytest.raises(ModelError, match=names) as caught,
        found.open(ModelOptions(device="cpu"), SilentReporter()),
    ):
        pass
    assert caught.value.hint


@pytest.mark.parametrize(
    ("architecture", "limit"),
    [("llama", 128), ("gpt2", 128), ("bloom", None), ("roberta", 124), ("t5", None)],
)
def test_context_is_what_the_positions_allow(
    make_model: Callable[..., Path], architecture: str, limit: int | None
) -> None:
    """RoBERTa's positions start behind those of padding: here id 3, so four of 128 are lost."""
    from transformers import AutoModel

    network = AutoModel.from_pretrained(make_model(architecture)).eval()
    network = network.get_encoder() if architecture == "t5" else network
    assert context_length(network) == limit
    if architecture == "roberta":
        assert limit is not None
        network(input_ids=torch.full((1, limit), 7))
        with pytest.raises((IndexError, RuntimeError)):
            network(input_ids=torch.full((1, limit + 1), 7))


@pytest.mark.parametrize("architecture", ["llama", "gemma2", "gpt2", "gpt_neox", "bert"])
@pytest.mark.parametrize("head", [True, False])
def test_parameters_of_the_head_are_counted_whether_it_is_opened_or_not(
    make_model: Callable[..., Path], architecture: str, head: bool
) -> None:
    """As many as the whole language model has: a head tied to the embedding adds none."""
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

    folder = make_model(architecture)
    config = AutoConfig.from_pretrained(folder)
    alone = architecture == "bert"  # fills gaps, and is no causal language model
    with torch.device("meta"):
        whole = (AutoModel if alone else AutoModelForCausalLM).from_config(config)
    model = HuggingFaceSource().find(str(folder))
    assert model is not None
    with model.open(ModelOptions(head=head), SilentReporter()) as opened:
        assert isinstance(opened, OpenHuggingFaceModel)
        facts = opened.facts()
    assert facts["parameters_with_head"] == sum(weights.numel() for weights in whole.parameters())
    untied = architecture in ("llama", "gpt_neox")
    assert (facts["parameters_with_head"] > facts["parameters"]) == untied
