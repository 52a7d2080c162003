"""An adapter acts in an open model as in plain PEFT, and nothing of it is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainbench.adapter import Adaptable, Adapter, Saves
from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Gain, Steering
from brainbench.stimuli import Stimulus
from brainbench.tuning import Form, Trainable
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_models.opened import OpenHuggingFaceModel

WORDS = ("True", "False")
QUIET = SilentReporter()
# attention's projections in the first two of three layers, as transformers calls them
TARGETS = {
    "llama": [f"model.layers.{i}.self_attn.{p}_proj" for i in (0, 1) for p in "qkvo"],
    "gemma2": [f"model.layers.{i}.self_attn.{p}_proj" for i in (0, 1) for p in "qkvo"],
    "gpt2": [f"transformer.h.{i}.attn.{p}" for i in (0, 1) for p in ("c_attn", "c_proj")],
    "gpt_neox": [f"gpt_neox.layers.{i}.attention.{p}" for i in (0, 1) for p in ("query_key_value", "dense")],
    "phi3": [f"model.layers.{i}.self_attn.{p}_proj" for i in (0, 1) for p in ("o", "qkv")],
    "bloom": [f"transformer.h.{i}.self_attention.{p}" for i in (0, 1) for p in ("query_key_value", "dense")],
}
Make = Callable[..., Path]


@contextmanager
def opened(folder: Path, *, head: bool = True, dtype: Any = "float32") -> Iterator[OpenHuggingFaceModel]:
    found = HuggingFaceSource().find(str(folder))
    assert found is not None
    with found.open(ModelOptions(device="cpu", head=head, dtype=dtype), QUIET) as model:
        assert isinstance(model, OpenHuggingFaceModel)
        assert isinstance(model, Adaptable)
        assert isinstance(model, Trainable)
        assert isinstance(model, Saves)
        yield model


def network(model: OpenHuggingFaceModel) -> Any:
    return model.network if isinstance(model._causal, str) else model._causal


def state(model: OpenHuggingFaceModel) -> dict[str, tuple[Any, torch.Tensor, bool]]:
    """Everything in it: which object, which values, whether it is trained."""
    root = network(model)
    hooks = {f"{name} hooks": len(part._forward_hooks) for name, part in root.named_modules()}
    assert not any(hooks.values())
    assert not any(part.training for part in root.modules())
    return {
        **{
            name: (weights, weights.clone(), weights.requires_grad)
            for name, weights in root.named_parameters()
        },
        **{name: (part, torch.zeros(1), False) for name, part in root.named_modules()},
    }


def assert_same(before: dict[str, tuple[Any, torch.Tensor, bool]], model: OpenHuggingFaceModel) -> None:
    after = state(model)
    assert list(after) == list(before)
    for name, (what, values, flag) in before.items():
        assert after[name][0] is what
        assert torch.equal(after[name][1], values)
        assert after[name][2] == flag


def logits(root: Any) -> torch.Tensor:
    ids = torch.tensor([[1, 7, 30, 99, 12], [1, 200, 45, 3, 3]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    with torch.no_grad():
        found: torch.Tensor = root(input_ids=ids, attention_mask=mask).logits
    return found[mask.bool()]


def lora(model: OpenHuggingFaceModel, targets: list[str], *, rank: int = 3, seed: int = 0) -> Adapter:
    """A random one for these modules."""
    from transformers.pytorch_utils import Conv1D

    rng = np.random.default_rng(seed)
    weights: dict[str, Any] = {}
    for name in targets:
        module = dict(network(model).named_modules())[name]
        shape = module.weight.T.shape if isinstance(module, Conv1D) else module.weight.shape
        weights[f"{name}.lora_A.weight"] = rng.normal(size=(rank, shape[1])) * 0.3
        weights[f"{name}.lora_B.weight"] = rng.normal(size=(shape[0], rank)) * 0.3
    return Adapter("lora", weights, rank=rank, alpha=7.0)


def full(model: OpenHuggingFaceModel, targets: list[str]) -> Adapter:
    """Other weights and biases for these modules."""
    rng = np.random.default_rng(1)
    own = dict(network(model).named_parameters())
    names = [f"{name}.{part}" for name in targets for part in ("weight", "bias") if f"{name}.{part}" in own]
    return Adapter("full", {name: rng.normal(size=tuple(own[name].shape)) * 0.3 for name in names})


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # plain PEFT's own
@pytest.mark.parametrize("architecture", TARGETS)
def test_an_adapter_made_by_plain_peft_acts_as_there_and_leaves_nothing(
    make_model: Make, tmp_path: Path, architecture: str
) -> None:
    from peft import LoraConfig, PeftModel, get_peft_model
    from safetensors.numpy import load_file
    from transformers import AutoModelForCausalLM

    folder = make_model(architecture, head=True)
    config = LoraConfig(
        r=3,
        lora_alpha=7,
        target_modules=TARGETS[architecture],
        init_lora_weights=False,
        fan_in_fan_out=architecture == "gpt2",
    )
    with torch.random.fork_rng(devices=[]):
        get_peft_model(AutoModelForCausalLM.from_pretrained(folder), config).save_pretrained(tmp_path)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), str(tmp_path)).eval()
    arrays = load_file(tmp_path / "adapter_model.safetensors")
    weights = {name.removeprefix("base_model.model."): array for name, array in arrays.items()}
    adapter = Adapter("lora", weights, rank=3, alpha=7.0)
    assert set(adapter.modules) == set(TARGETS[architecture])
    with opened(folder) as model:
        before, plain, seed = state(model), logits(network(model)), torch.get_rng_state()
        parameters = model.facts()["parameters"]
        with model.adapted(adapter) as inside:
            assert inside.facts()["adapters"] == [adapter.fingerprint]
            assert inside.facts()["parameters"] == parameters
            ours = logits(network(model))
        assert "adapters" not in model.facts()
        assert torch.equal(torch.get_rng_state(), seed)
        assert_same(before, model)
        assert torch.equal(logits(network(model)), plain)
    assert (ours - plain).abs().max() > 0.1
    torch.testing.assert_close(ours, logits(theirs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "bloom"])
@pytest.mark.parametrize("kind", [lora, full])
def test_a_model_saved_with_an_adapter_is_the_adapted_one(
    make_model: Make,
    problems: tuple[Stimulus, ...],
    tmp_path: Path,
    relative_difference: Callable[[Any, Any], float],
    architecture: str,
    kind: Callable[..., Adapter],
) -> None:
    chat = "{% for m in messages %}{{ m.content }}{% endfor %}"
    with opened(make_model(architecture, head=True, chat=chat)) as model:
        adapter = kind(model, TARGETS[architecture])
        before, plain = state(model), model.features(problems, QUIET).layers
        model.save_with(adapter, tmp_path / "saved")
        assert_same(before, model)
        with pytest.raises(ModelError, match="holds something already"):
            model.save_with(adapter, tmp_path)
        with model.adapted(adapter):
            ours, adapted = logits(network(model)), model.features(problems, QUIET).layers
            with pytest.raises(ModelError, match="changed at present"):
                model.save_with(adapter, tmp_path / "other")
        assert_same(before, model)
    with opened(tmp_path / "saved") as saved:
        torch.testing.assert_close(logits(network(saved)), ours, rtol=1e-4, atol=1e-4)
        # attention is read after what the adapter adds to its last projection, whatever holds that
        assert relative_difference(saved.features(problems, QUIET).layers, adapted) < 1e-4
        assert saved.tokenizer.chat_template == chat
    assert np.abs(adapted["attention.0"] - plain["attention.0"]).max() > 0.05


@pytest.mark.parametrize("architecture", ["llama", "bloom"])
def test_adapters_and_steerings_can_be_nested_in_any_order(
    make_model: Make, problems: tuple[Stimulus, ...], architecture: str
) -> None:
    targets = TARGETS[architecture]
    rng = np.random.default_rng(4)
    gain = Gain(np.linalg.qr(rng.normal(size=(16, 2)))[0].T, 3.0)
    steering = Steering({"attention.1": gain, "layer.0": Addition(rng.normal(size=16))}, where="last")
    with opened(make_model(architecture, head=True)) as model:
        before = state(model)
        first, second = lora(model, targets), lora(model, targets[:3], rank=2, seed=1)
        with model.adapted(first):
            alone, asked = logits(network(model)), model.log_odds(problems, WORDS, QUIET)
            with model.steered(steering):
                inside = model.log_odds(problems, WORDS, QUIET)
            with suppress(KeyError), model.adapted(second):
                both = logits(network(model))
                raise KeyError
            assert torch.equal(logits(network(model)), alone)
            np.testing.assert_array_equal(model.log_odds(problems, WORDS, QUIET), asked)
        with model.steered(steering):
            plain = model.log_odds(problems, WORDS, QUIET)
            with model.adapted(first):
                np.testing.assert_array_equal(model.log_odds(problems, WORDS, QUIET), inside)
            np.testing.assert_array_equal(model.log_odds(problems, WORDS, QUIET), plain)
        assert np.abs(inside - asked).max() > 0.01
        assert np.abs(inside - plain).max() > 0.01
        assert_same(before, model)
        own = dict(network(model).named_parameters())
        sums = {f"{name}.weight": own[f"{name}.weight"].detach().numpy().copy() for name in targets}
        for one in (first, second):
            for name in one.modules:
                pair = [one.weights[f"{name}.lora_{end}.weight"] for end in "BA"]
                sums[f"{name}.weight"] += 7 / one.rank * pair[0] @ pair[1]
        with model.adapted(Adapter("full", sums)):
            torch.testing.assert_close(logits(network(model)), both, rtol=1e-4, atol=1e-4)
        assert_same(before, model)


@pytest.mark.parametrize("kind", [lora, full])
def test_without_its_head_a_model_is_adapted_by_the_same_names(
    make_model: Make, problems: tuple[Stimulus, ...], kind: Callable[..., Adapter]
) -> None:
    folder = make_model("gpt2", head=True)
    with opened(folder) as model:
        adapter = kind(model, TARGETS["gpt2"])
        head = Adapter("full", {"lm_head.weight": np.ones((300, 16))})
        with model.adapted(adapter):
            whole = model.features(problems, QUIET).layers
    with opened(folder, head=False) as model:
        before = state(model)
        with model.adapted(adapter):
            bare = model.features(problems, QUIET).layers
        assert_same(before, model)
        with pytest.raises(ModelError, match=r"lm_head.*no linear map") as caught, model.adapted(head):
            pass
        assert "without which" in caught.value.hint
        for asks in (
            lambda: model.save_with(adapter, folder),
            lambda: model.in_training(Form(), problems, WORDS, 0).__enter__(),
        ):
            with pytest.raises(ModelError, match="no language-model head"):
                asks()
    for place, array in whole.items():
        np.testing.assert_array_equal(bare[place], array)


def test_in_half_precision_the_adapter_stays_in_single(make_model: Make) -> None:
    with opened(make_model("llama", head=True), dtype="bfloat16") as model:
        before = state(model)
        with model.adapted(lora(model, TARGETS["llama"])):
            added = [w for name, w in network(model).named_parameters() if "lora_" in name]
            assert len(added) == 16
            assert {weights.dtype for weights in added} == {torch.float32}
            assert logits(network(model)).dtype == torch.bfloat16
        with model.adapted(full(model, TARGETS["llama"])):
            assert {weights.dtype for weights in network(model).parameters()} == {torch.bfloat16}
        assert_same(before, model)


def test_an_adapter_that_does_not_fit_changes_nothing(make_model: Make) -> None:
    good = "model.layers.0.self_attn.q_proj"
    with opened(make_model("llama", head=True)) as model:
        fits = lora(model, [good]).weights
        wide = dict(fits) | {f"{good}.lora_B.weight": np.ones((17, 3))}
        other = dict(fits) | {name.replace(".0.", ".7."): array for name, array in fits.items()}
        norm = {"model.norm.weight": np.ones(16)}
        bias = {f"{good}.weight": np.ones((16, 16)), f"{good}.bias": np.ones(16)}
        before = state(model)
        for kind, weights, words in (
            ("lora", wide, "is 17 x 3, where tiny-llama takes 16 x 3"),
            ("lora", other, r"layers\.7\.self_attn\.q_proj, but tiny-llama has no linear map of that name"),
            ("full", norm, "no linear map"),
            ("full", bias, "takes nothing"),
        ):
            rank = 3 if kind == "lora" else 0
            with (
                pytest.raises(ModelError, match=words) as caught,
                model.adapted(Adapter(kind, weights, rank=rank, alpha=1.0)),  # type: ignore[arg-type]
            ):
                pass
            assert caught.value.hint
            assert_same(before, model)
