"""Features are what an independent forward pass gives, however prompts are batched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from brainbench.arrays import Features
from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions, Pooling
from brainbench.progress import SilentReporter
from brainbench.stimuli import Stimulus
from brainbench_models.huggingface import HuggingFaceModel, HuggingFaceSource
from brainbench_models.opened import OpenHuggingFaceModel

Difference = Callable[[Any, Any], float]
Plain = Callable[[Path, Sequence[str]], list[Any]]
BLOCKS = ["attention.0", "attention.1", "attention.2", "layer.0", "layer.1", "layer.2"]


def model(folder: Path) -> HuggingFaceModel:
    found = HuggingFaceSource().find(str(folder))
    assert found is not None
    return found


def features(folder: Path, stimuli: Sequence[Stimulus], **options: Any) -> Features:
    with model(folder).open(ModelOptions(device="cpu", **options), SilentReporter()) as opened:
        return opened.features(stimuli, SilentReporter())


def content_mean(states: torch.Tensor, offsets: list[list[int]], stimulus: Stimulus) -> Any:
    start = stimulus.text.rindex(stimulus.content)
    end = start + len(stimulus.content)
    inside = [i for i, (a, b) in enumerate(offsets) if a < b and b > start and a < end]
    assert 0 < len(inside) < len(offsets) - 2
    return states[inside].mean(0).numpy()


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("architecture", ["llama", "gpt2", "bert"])
def test_batched_equals_one_at_a_time(
    make_model: Callable[..., Path],
    problems: tuple[Stimulus, ...],
    relative_difference: Difference,
    architecture: str,
    side: str,
    pooling: Pooling,
) -> None:
    folder = make_model(architecture, side=side)
    with model(folder).open(
        ModelOptions(pooling=pooling, batch_size=1, device="cpu"), SilentReporter()
    ) as opened:
        alone = [opened.features([one], SilentReporter()).layers for one in problems]
    joined = {name: np.concatenate([layers[name] for layers in alone]) for name in alone[0]}
    assert list(joined) == BLOCKS
    for size in (4, None):
        batched = features(folder, problems, pooling=pooling, batch_size=size)
        assert all(array.dtype == np.float32 for array in batched.layers.values())
        assert relative_difference(batched.layers, joined) < 1e-5
    assert np.ptp(joined["layer.2"], axis=0).min() > 0.01  # items do differ


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("architecture", ["llama", "gpt2", "bert"])
def test_layers_are_the_plain_hidden_states(
    make_model: Callable[..., Path],
    problems: tuple[Stimulus, ...],
    plain_forward: Plain,
    architecture: str,
    pooling: Pooling,
) -> None:
    folder = make_model(architecture)
    ours = features(folder, problems, pooling=pooling).layers
    runs = plain_forward(folder, [one.text for one in problems])
    for item, (network, states, offsets) in enumerate(runs):
        for depth in range(3):
            mine = ours[f"layer.{depth}"][item]
            if depth == 2 and architecture != "bert":  # transformers reports it after the final norm
                if pooling == "mean":
                    continue
                norm = network.norm if architecture == "llama" else network.ln_f
                mine = norm(torch.from_numpy(mine)).detach().numpy()
            theirs = states[depth + 1]
            want = theirs[-1].numpy() if pooling == "last" else content_mean(theirs, offsets, problems[item])
            np.testing.assert_allclose(mine, want, atol=1e-4 * np.abs(want).max())


def finish_layer(architecture: str, network: Any, depth: int, before: Any, attention: Any) -> Any:
    """The rest of a layer by hand, given what came in and what attention adds."""
    if architecture == "llama":
        block, state = network.layers[depth], before + attention
        return state + block.mlp(block.post_attention_layernorm(state))
    if architecture == "gpt2":
        block, state = network.h[depth], before + attention
        return state + block.mlp(block.ln_2(state))
    block = network.encoder.layer[depth]
    state = block.attention.output.LayerNorm(before + attention)
    return block.output.LayerNorm(state + block.output.dense(block.intermediate(state)))


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "bert"])
def test_attention_is_what_is_added_before_the_rest_of_the_layer(
    make_model: Callable[..., Path],
    problems: tuple[Stimulus, ...],
    plain_forward: Plain,
    architecture: str,
) -> None:
    folder = make_model(architecture)
    ours = features(folder, problems).layers
    for item, (network, states, _) in enumerate(plain_forward(folder, [one.text for one in problems])):
        for depth in range(3):
            attention = torch.from_numpy(ours[f"attention.{depth}"][item])
            with torch.no_grad():
                built = finish_layer(architecture, network, depth, states[depth][-1], attention).numpy()
            mine = ours[f"layer.{depth}"][item]
            np.testing.assert_allclose(built, mine, atol=1e-4 * np.abs(mine).max())


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_attention_of_gpt2_by_hand(
    make_model: Callable[..., Path],
    problems: tuple[Stimulus, ...],
    plain_forward: Plain,
    pooling: Pooling,
) -> None:
    folder = make_model("gpt2")
    ours = features(folder, problems, pooling=pooling).layers
    for item, (network, states, offsets) in enumerate(plain_forward(folder, [one.text for one in problems])):
        for depth in range(3):
            block = network.h[depth]
            with torch.no_grad():
                query, key, value = block.attn.c_attn(block.ln_1(states[depth])).split(16, dim=-1)
                heads = [part.reshape(-1, 2, 8).transpose(0, 1) for part in (query, key, value)]
                scores = heads[0] @ heads[1].transpose(1, 2) / 8**0.5
                future = torch.ones(scores.shape[1:], dtype=torch.bool).triu(1)
                mixed = functional.softmax(scores.masked_fill(future, -torch.inf), -1) @ heads[2]
                attention = block.attn.c_proj(mixed.transpose(0, 1).reshape(-1, 16))
            want = attention[-1].numpy()
            if pooling == "mean":
                want = content_mean(attention, offsets, problems[item])
            mine = ours[f"attention.{depth}"][item]
            np.testing.assert_allclose(mine, want, atol=1e-4 * np.abs(want).max())


def test_progress_counts_every_item(llama: Path, problems: tuple[Stimulus, ...], steps: Any) -> None:
    with model(llama).open(ModelOptions(batch_size=2, device="cpu"), SilentReporter()) as opened:
        opened.features(problems, steps)
        assert opened.facts()["batch_size"] == 2
    assert steps.told == [("Reading 9 prompts with tiny-llama", 9)]
    assert steps.steps == [2, 2, 2, 2, 1]


def exhaust(kind: str, limit: int) -> Callable[..., None]:
    """A hook that runs out of memory, really or as CUDA says it, beyond `limit` items."""

    def hook(module: Any, arguments: Any, keywords: dict[str, Any]) -> None:
        del module, arguments
        if len(keywords["input_ids"]) > limit:
            if kind == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory.")
            torch.empty(2**58, dtype=torch.uint8)

    return hook


@pytest.mark.parametrize("kind", ["cuda", "cpu"])
def test_batches_halve_when_memory_runs_out(
    llama: Path,
    problems: tuple[Stimulus, ...],
    relative_difference: Difference,
    steps: Any,
    kind: str,
) -> None:
    plain = features(llama, problems)
    with model(llama).open(ModelOptions(device="cpu"), SilentReporter()) as opened:
        assert isinstance(opened, OpenHuggingFaceModel)
        opened.features(problems, SilentReporter())
        assert opened.facts()["batch_size"] == len(problems)
    with model(llama).open(ModelOptions(device="cpu"), SilentReporter()) as opened:
        assert isinstance(opened, OpenHuggingFaceModel)
        opened.network.register_forward_pre_hook(exhaust(kind, 2), with_kwargs=True)
        small = opened.features(problems, steps)
        assert opened.facts()["batch_size"] == 2
    assert relative_difference(small.layers, plain.layers) < 1e-5
    assert sum(steps.steps) == len(problems)
    assert max(steps.steps) == 2


@pytest.mark.parametrize(("size", "limit", "words"), [(None, 0, "A single prompt"), (4, 3, "A batch of 4")])
def test_memory_that_never_suffices_is_one_sentence(
    llama: Path, problems: tuple[Stimulus, ...], size: int | None, limit: int, words: str
) -> None:
    with model(llama).open(ModelOptions(device="cpu", batch_size=size), SilentReporter()) as opened:
        assert isinstance(opened, OpenHuggingFaceModel)
        opened.network.register_forward_pre_hook(exhaust("cpu", limit), with_kwargs=True)
        with pytest.raises(ModelError, match=words) as caught:
            opened.features(problems, SilentReporter())
        assert caught.value.hint
        assert hooks(opened.network) == 0


def hooks(network: torch.nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in network.modules())


def test_hooks_come_off_also_after_an_exception(llama: Path, problems: tuple[Stimulus, ...]) -> None:
    with model(llama).open(ModelOptions(device="cpu"), SilentReporter()) as opened:
        assert isinstance(opened, OpenHuggingFaceModel)
        opened.features(problems, SilentReporter())
        assert hooks(opened.network) == 0

        def fail(*_: Any) -> None:
            raise RuntimeError("a fault of another kind")

        fault = opened.blocks[1].layer.register_forward_pre_hook(fail)
        with pytest.raises(RuntimeError, match="another kind"):
            opened.features(problems, SilentReporter())
        assert hooks(opened.network) == 0
        fault.remove()
        opened.features(problems, SilentReporter())


def test_bfloat16_is_close_and_comes_as_float32(llama: Path, problems: tuple[Stimulus, ...]) -> None:
    full, half = features(llama, problems).layers, features(llama, problems, dtype="bfloat16").layers
    for name, array in half.items():
        assert array.dtype == np.float32
        assert 0 < np.abs(array - full[name]).max() < 0.1 * np.abs(full[name]).max()


@pytest.mark.real
def test_a_trained_model_batched_equals_one_at_a_time(
    real_model: Path, problems: tuple[Stimulus, ...], relative_difference: Difference
) -> None:
    for pooling in ("last", "mean"):
        batched = features(real_model, problems, pooling=pooling)
        alone = features(real_model, problems, pooling=pooling, batch_size=1)
        assert relative_difference(batched.layers, alone.layers) < 1e-4
