"""Gradients are those of plain PEFT on single prompts, however many go at once, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainbench.adapter import Adapter
from brainbench.errors import ModelError, ShapeError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Steering
from brainbench.stimuli import Stimulus
from brainbench.tuning import Form, Loss, Outputs, Trainee
from brainbench_models import devices
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_models.memory import Estimate
from brainbench_models.opened import OpenHuggingFaceModel
from brainbench_models.projections import projections
from brainbench_models.words import asked

WORDS = ("True", "False")
QUIET = SilentReporter()
RNG = np.random.default_rng(8)
PULL = torch.tensor(RNG.normal(size=(9, 16)), dtype=torch.float32)
Make = Callable[..., Path]
# by architecture: what is trained in plain PEFT, and where attention's output is read
PLAIN = {
    "llama": (["q_proj", "k_proj", "v_proj", "o_proj"], "model.layers.{}.self_attn"),
    "gemma2": (["q_proj", "k_proj", "v_proj", "o_proj"], "model.layers.{}.self_attn"),
    "gpt2": (["c_attn", "attn.c_proj"], "transformer.h.{}.attn"),
    "gpt_neox": (["query_key_value", "attention.dense"], "gpt_neox.layers.{}.attention"),
    "phi3": (["qkv_proj", "o_proj"], "model.layers.{}.self_attn"),
    "bloom": (["query_key_value", "self_attention.dense"], "transformer.h.{}.self_attention.dense"),
}


@contextmanager
def opened(folder: Path | str, **options: Any) -> Iterator[OpenHuggingFaceModel]:
    found = HuggingFaceSource().find(str(folder))
    assert found is not None
    with found.open(ModelOptions(device="cpu", **{"head": True, **options}), QUIET) as model:
        assert isinstance(model, OpenHuggingFaceModel)
        yield model


def loss(rows: Sequence[int], outputs: Outputs) -> torch.Tensor:
    """Of the words and of all places, and another one for each prompt."""
    assert outputs.log_likelihoods.dtype == torch.float32
    total = -(outputs.log_likelihoods[:, 0] * torch.tensor([1.0 + row for row in rows])).sum()
    for depth, states in enumerate(outputs.states.values(), start=1):
        total = total + depth * ((states - PULL[list(rows)]) ** 2).sum()
    return total


def shaken(trainee: Trainee) -> dict[str, Any]:
    """Random weights, so that gradients reach both matrices of a pair."""
    rng = np.random.default_rng(5)
    weights = {
        name: (array + rng.normal(size=array.shape) * 0.2).astype(np.float32)
        for name, array in trainee.weights().items()
    }
    trainee.load(weights)
    return weights


def grads(trainee: Trainee, rows: Sequence[int], of: Loss = loss) -> tuple[float, dict[str, torch.Tensor]]:
    value = trainee.gradients(rows, of, scale=0.5)
    found = {}
    for name, weights in trainee.parameters.items():
        assert weights.grad is not None
        found[name] = weights.grad.clone()
    return value, found


def assert_close(
    ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor], tolerance: float = 1e-4
) -> None:
    assert list(ours) == list(theirs)
    for name, gradient in theirs.items():
        assert gradient.abs().max() > 0, name
        assert (ours[name] - gradient).abs().max() <= tolerance * gradient.abs().max(), name


def snapshot(model: OpenHuggingFaceModel) -> dict[str, Any]:
    assert not isinstance(model._causal, str)
    return {
        name: (weights, weights.detach().clone(), weights.requires_grad)
        for name, weights in model._causal.named_parameters()
    }


def assert_same(before: dict[str, Any], model: OpenHuggingFaceModel) -> None:
    after = snapshot(model)
    assert list(after) == list(before)
    for name, (what, values, flag) in before.items():
        assert after[name][0] is what
        assert torch.equal(after[name][1], values)
        assert after[name][2] == flag


def plainly(folder: Path, architecture: str, weights: dict[str, Any], prompts: Any, tokens: Any) -> Any:
    """The loss and gradients by plain PEFT, each prompt alone and without padding."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    targets, place = PLAIN[architecture]
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules=targets,
        layers_to_transform=[0, 1],
        fan_in_fan_out=architecture == "gpt2",
    )
    with torch.random.fork_rng(devices=[]):
        network = get_peft_model(AutoModelForCausalLM.from_pretrained(folder), config).eval()
    trained = {
        name.removeprefix("base_model.model.").replace(".default", ""): parameter
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }
    assert set(trained) == set(weights)
    for name, parameter in trained.items():
        parameter.data.copy_(torch.tensor(weights[name]))
    states: dict[str, torch.Tensor] = {}

    def listen(depth: int) -> Callable[..., None]:
        def hook(module: Any, given: Any, output: Any) -> None:
            hidden = output[0] if isinstance(output, tuple) else output
            states[f"attention.{depth}"] = hidden[:, -1]

        return hook

    modules = dict(network.base_model.model.named_modules())
    for depth in (0, 1):
        modules[place.format(depth)].register_forward_hook(listen(depth))
    total = 0.0
    for row, prompt in enumerate(prompts):
        logits = network(input_ids=torch.tensor([prompt.ids])).logits[:, -1]
        value = 0.5 * loss([row], Outputs(torch.log_softmax(logits, -1)[:, tokens], states))
        value.backward()  # type: ignore[no-untyped-call]
        total += float(value.detach())
    return total, {name: trained[name].grad for name in weights}


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # plain PEFT's own
@pytest.mark.parametrize("architecture", PLAIN)
def test_gradients_are_those_of_plain_peft_on_single_prompts(
    make_model: Make, problems: tuple[Stimulus, ...], architecture: str
) -> None:
    folder, rows = make_model(architecture, head=True), range(len(problems))
    with opened(folder) as model:
        before = snapshot(model)
        with model.in_training(Form(rank=4, alpha=8.0), problems, WORDS, 0) as trainee:
            assert trainee.sites == ("attention.0", "attention.1")
            weights = shaken(trainee)
            value, ours = grads(trainee, rows)
            trainee.load(weights, 2)
            fewer, halves = grads(trainee, [*reversed(rows)])
        assert_same(before, model)
        prompts, tokens = asked(model.tokenizer, problems, WORDS, limit=None, model="")
    expected, theirs = plainly(folder, architecture, weights, prompts, tokens)
    assert value == pytest.approx(expected, rel=1e-5)
    assert fewer == pytest.approx(expected, rel=1e-5)
    assert_close(ours, theirs)
    assert_close(halves, theirs)


@pytest.mark.parametrize("form", [Form(), Form("full", every_layer=True)])
def test_a_gradient_is_the_slope_of_the_loss(
    make_model: Make, problems: tuple[Stimulus, ...], form: Form
) -> None:
    with (
        opened(make_model("gpt2", head=True)) as model,
        model.in_training(form, problems, WORDS, 0) as trainee,
    ):
        weights = trainee.weights() if form.kind == "full" else shaken(trainee)
        _, found = grads(trainee, (1, 4))
        assert len(trainee.sites) == (3 if form.every_layer else 2)
        for name, gradient in found.items():
            at = np.unravel_index(int(gradient.abs().argmax()), gradient.shape)
            values = []
            for step in (5e-3, -5e-3):
                moved = {**weights, name: weights[name].copy()}
                moved[name][at] += step
                trainee.load(moved)
                values.append(0.5 * float(loss((1, 4), trainee.outputs((1, 4)))))
            if gradient[at].abs() > 0.05:
                assert (values[0] - values[1]) / 1e-2 == pytest.approx(float(gradient[at]), rel=0.03), name


def test_a_fresh_trainee_is_the_model_itself_and_its_seed_decides_the_rest(
    problems: tuple[Stimulus, ...],
) -> None:
    rows = (3, 0, 8, 3)
    with opened("brainbench/tiny") as model:
        odds = model.log_odds(problems, WORDS, QUIET)
        seeds: dict[int, list[dict[str, Any]]] = {}
        for seed in (0, 0, 1):
            drawn = torch.get_rng_state()
            with model.in_training(Form(), problems, WORDS, seed) as trainee:
                fresh, weights = trainee.outputs(rows), trainee.weights()
                seeds.setdefault(seed, []).append(weights)
                assert trainee.sites == ("attention.1", "attention.2")
            assert torch.equal(torch.get_rng_state(), drawn)
    likely = fresh.log_likelihoods.numpy()
    assert (likely < 0).all()
    np.testing.assert_allclose(likely[:, 0] - likely[:, 1], (odds[:, 0] - odds[:, 1])[list(rows)], atol=2e-5)
    one, again = seeds[0]
    for name, array in one.items():
        np.testing.assert_array_equal(array, again[name])
        if name.endswith("lora_B.weight"):
            assert not array.any()
        else:
            bound = 1 / np.sqrt(array.shape[1])  # as PEFT draws it
            assert 0.9 * bound < np.abs(array).max() <= bound
            assert np.abs(array - seeds[1][0][name]).max() > 0.1 * bound


@pytest.mark.parametrize(
    "form",
    [Form(), Form("full"), Form(recompute=True, every_layer=True, batch=4), Form("full", recompute=True)],
)
def test_training_lowers_the_loss_changes_nothing_else_and_is_what_the_adapter_keeps(
    problems: tuple[Stimulus, ...], form: Form
) -> None:
    rows = range(len(problems))

    def true(rows: Sequence[int], outputs: Outputs) -> torch.Tensor:
        return -outputs.log_likelihoods[:, 0].sum()

    with opened("brainbench/tiny") as model:
        before, untaught = snapshot(model), model.log_odds(problems, WORDS, QUIET)
        frozen = {id(weights) for weights, _, _ in before.values()}
        with suppress(KeyError), model.in_training(form, problems, WORDS, 0) as trainee:
            assert all(not weights.requires_grad for weights, _, _ in before.values())
            assert frozen.isdisjoint(map(id, trainee.parameters.values()))
            optimizer = torch.optim.AdamW(trainee.parameters.values(), lr=1e-3, weight_decay=0.0)
            losses = []
            for _ in range(4):
                losses.append(trainee.gradients(rows, true))
                optimizer.step()
            assert losses == sorted(losses, reverse=True)
            assert losses[-1] < 0.95 * losses[0]
            assert trainee.model is model
            weights, taught = trainee.weights(), model.log_odds(problems, WORDS, QUIET)
            for own, values, _ in before.values():
                assert torch.equal(own, values)
                assert own.grad is None
            raise KeyError
        assert_same(before, model)
        np.testing.assert_array_equal(model.log_odds(problems, WORDS, QUIET), untaught)
        lora = form.kind == "lora"
        adapter = Adapter(form.kind, weights, rank=8 if lora else 0, alpha=16.0 if lora else 0.0)
        with model.adapted(adapter):
            again = model.log_odds(problems, WORDS, QUIET)
            # training goes on from an adapter that is there already
            with model.in_training(Form(every_layer=form.every_layer), problems, WORDS, 1) as trainee:
                assert {name.split(".lora")[0] for name in trainee.parameters} == set(adapter.modules)
                further = model.log_odds(problems, WORDS, QUIET)
    assert np.abs(taught - untaught).max() > 0.5
    np.testing.assert_allclose(again, taught, atol=5e-5)
    np.testing.assert_allclose(further, taught, atol=5e-5)


def test_activations_computed_again_give_the_same_gradients_steered_and_without_dropout(
    make_model: Make, problems: tuple[Stimulus, ...]
) -> None:
    rows = range(len(problems))
    steering = Steering({"attention.1": Addition(RNG.normal(size=16) * 3)}, where="last")
    with opened(make_model("gpt2", head=True)) as model:  # which has dropouts
        assert any(getattr(part, "p", 0) for part in model.network.modules())
        found = {}
        for recompute in (False, True):
            with model.in_training(Form(recompute=recompute), problems, WORDS, 0) as trainee:
                shaken(trainee)
                plain = grads(trainee, rows)[1]
                assert_close(grads(trainee, rows)[1], plain, 0)
                with model.steered(steering):
                    found[recompute] = plain, grads(trainee, rows)[1]
        assert_close(found[True][0], found[False][0], 1e-6)
        assert_close(found[True][1], found[False][1], 1e-6)
        name = next(iter(found[True][0]))
        assert (found[True][0][name] - found[True][1][name]).abs().max() > 1e-3
        assert not any("forward" in part.__dict__ for part in model.network.modules())


@pytest.mark.parametrize("recompute", [False, True])
def test_when_memory_runs_out_fewer_prompts_at_once_give_the_same(
    make_model: Make, problems: tuple[Stimulus, ...], recompute: bool
) -> None:
    rows = range(len(problems))
    with opened(make_model("llama", head=True)) as model:
        most, sizes = 100, []

        def full(module: Any, given: Any) -> None:
            sizes.append(len(given[0]))
            if len(given[0]) > most:
                raise torch.OutOfMemoryError("out of memory")

        with model.in_training(Form(batch=9, recompute=recompute), problems, WORDS, 0) as trainee:
            shaken(trainee)
            value, whole = grads(trainee, rows)
            handle = model.blocks[2].layer.register_forward_pre_hook(full)
            try:
                most = 3
                fewer, halves = grads(trainee, rows)
                assert trainee.batch == 2
                assert sizes[:2] == [9, 4]
                assert trainee.outputs(rows).log_likelihoods.shape == (9, 2)
                most = 0
                with pytest.raises(ModelError, match=r"one prompt of .* tokens .* does not fit") as caught:
                    trainee.gradients(rows, loss)
                assert all(weights.grad is None for weights in trainee.parameters.values())
                assert ("recompute" in caught.value.hint) is not recompute
                assert "bfloat16" in caught.value.hint
            finally:
                handle.remove()

            def wrong(rows: Sequence[int], outputs: Outputs) -> torch.Tensor:
                raise RuntimeError("shapes do not match")

            with pytest.raises(RuntimeError, match="shapes"):  # not everything is a lack of memory
                trainee.gradients(rows, wrong)
    assert fewer == pytest.approx(value, rel=1e-6)
    assert_close(halves, whole)


def test_what_training_takes_is_told_before_it_starts(
    make_model: Make, problems: tuple[Stimulus, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = {}
    with opened(make_model("llama", head=True)) as model:
        for recompute in (False, True):
            with model.in_training(Form(recompute=recompute), problems, WORDS, 0) as trainee:
                before = trainee.weights()
                cost = trainee.cost(range(9))
                assert cost.trained == sum(array.size for array in before.values())
                assert cost.batch == trainee.batch == 9
                assert 0 < cost.needed < cost.free
                assert 0 < cost.pass_seconds < 60
                assert all(weights.grad is None for weights in trainee.parameters.values())
                for name, array in trainee.weights().items():
                    np.testing.assert_array_equal(array, before[name])
                needed[recompute] = cost.needed
                few_bytes = int(cost.needed * 0.8)
                monkeypatch.setattr(devices, "free_memory", lambda _, free=few_bytes: free)
                few = trainee.cost(range(9)).batch
                assert 1 <= few < 9
                monkeypatch.setattr(devices, "free_memory", lambda _: 1 << 14)
                with pytest.raises(
                    ModelError, match=r"takes about .* MiB .*\(0.016 MiB, of which 80% are used\)"
                ):
                    trainee.cost(range(9))
                monkeypatch.undo()
    assert needed[True] < 0.8 * needed[False]


def test_a_batch_size_that_was_asked_for_holds_in_training_too(
    make_model: Make, problems: tuple[Stimulus, ...]
) -> None:
    with opened(make_model("llama", head=True), batch_size=2) as model:
        for form, size in ((Form(), 2), (Form(batch=4), 4)):
            with model.in_training(form, problems, WORDS, 0) as trainee:
                assert trainee.cost(range(9)).batch == size


def test_an_estimate_counts_what_is_kept() -> None:
    one = Estimate(
        trained=1000, layers=3, width=8, inner=32, heads=2, vocabulary=50, bytes_each=2, keeps_weights=False,
        recompute=False,
    )  # fmt: skip
    layer = (8 * 8 + 4 * 32) * 2 + 7 * 8 * 4
    assert one.needed(2, 10) == 20 * 1000 + 3 * 20 * layer + 2 * 50 * 16
    assert one.most(10, 10**9, 7) == 7
    fits = one.most(10, 10**5, 100)
    assert one.needed(fits, 10) <= 80_000 < one.needed(fits + 1, 10)
    assert one.most(10, 20_000, 7) == 0


def test_half_precision_is_trained_in_single(make_model: Make, problems: tuple[Stimulus, ...]) -> None:
    folder, rows, found = make_model("llama", head=True), range(9), {}
    for dtype in ("float32", "bfloat16"):
        with opened(folder, dtype=dtype) as model:
            before = snapshot(model)
            for kind in ("lora", "full"):
                with model.in_training(Form(kind), problems, WORDS, 0) as trainee:
                    assert {weights.dtype for weights in trainee.parameters.values()} == {torch.float32}
                    found[kind, dtype] = grads(trainee, rows)[1]
                    if kind == "full":  # steps too small for the network's own numbers are not lost
                        name, array = next(iter(trainee.weights().items()))
                        trainee.load({**trainee.weights(), name: array * np.float32(1 + 1e-5)})
                        assert np.abs(trainee.weights()[name] - array).max() > 0
            assert_same(before, model)
    for kind in ("lora", "full"):
        one, two = (
            torch.cat([gradient.flatten() for gradient in found[kind, dtype].values()])
            for dtype in ("float32", "bfloat16")
        )
        assert torch.nn.functional.cosine_similarity(one, two, dim=0) > 0.99


def test_what_cannot_be_trained_is_told_in_one_sentence(
    make_model: Make, problems: tuple[Stimulus, ...]
) -> None:
    folder = make_model("llama", head=True)
    for options, form, given, words in (
        ({"dtype": "float16"}, Form(), problems, "float16, in which gradients underflow"),
        ({"head": False}, Form(), problems, "no language-model head and cannot be trained"),
        ({}, Form(), (), "no prompts"),
        ({}, Form(rank=0), problems, "rank of 0"),
    ):
        with (
            opened(folder, **options) as model,
            pytest.raises(ModelError, match=words) as caught,
            model.in_training(form, given, WORDS, 0),
        ):
            pass
        assert caught.value.hint
    with opened(folder) as model:
        with model.in_training(Form(), problems, WORDS, 0) as trainee:
            weights = trainee.weights()
            name = next(iter(weights))
            for wrong in (
                {},
                {**weights, name: weights[name][:1]},
                {**weights, name: weights[name] * np.nan},
            ):
                with pytest.raises(ShapeError, match="lora"):
                    trainee.load(wrong)
        for block in model.blocks:
            block.layer.self_attn = torch.nn.ModuleDict({"gate": torch.nn.Identity()})
        with pytest.raises(
            ModelError, match=r"no projections .* self_attn\.gate \(Identity\), mlp\.gate_proj"
        ):
            projections(model.network, model.blocks, (0, 1), model="it")
