"""Adapters on disk: what is saved is what is loaded, by us and by peft; all else is one sentence."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench import kept_files
from brainbench.adapter import Adapter
from brainbench.adapter_files import FILES, load, save
from brainbench.errors import DataError
from brainbench.module_names import grouped
from brainbench_models.shipped import FOLDER

# What peft's own code is warned of by transformers is no concern of ours.
PEFT = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
RNG = np.random.default_rng(6)
WIDTH, RANK = 128, 3
MODULES = tuple(f"model.layers.{at}.self_attn.{name}_proj" for at in (1, 2) for name in "qkvo")
LORA_FILES = ["adapter_config.json", "adapter_model.safetensors", "brainbench.json"]
FULL_FILES = ["brainbench.json", "weights.safetensors"]


def lora(alpha: float = 7.0, width: int = WIDTH, modules: tuple[str, ...] = MODULES, **more: Any) -> Adapter:
    weights = {}
    for module in modules:
        weights[f"{module}.lora_A.weight"] = RNG.normal(size=(RANK, width)) / 8
        weights[f"{module}.lora_B.weight"] = RNG.normal(size=(width, RANK)) / 8
    return Adapter("lora", weights, RANK, alpha, **more)


def full(**more: Any) -> Adapter:
    return Adapter(
        "full", {"a.0.q.weight": RNG.normal(size=(4, 3)), "a.0.q.bias": RNG.normal(size=4)}, **more
    )


def same(found: Adapter, wanted: Adapter) -> None:
    assert found.form() == wanted.form()
    assert found.weights.keys() == wanted.weights.keys()
    assert all((found.weights[name] == array).all() for name, array in wanted.weights.items())
    assert found.fingerprint == wanted.fingerprint


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def network(kind: Any = None, at: Any = FOLDER) -> Any:
    from transformers import AutoModelForCausalLM

    made = kind or AutoModelForCausalLM
    return made.from_pretrained(at, dtype="float32").eval()


def logits(model: Any) -> np.ndarray[Any, Any]:
    import torch

    with torch.inference_mode():
        found: np.ndarray[Any, Any] = model(torch.arange(5, 45)[None]).logits.numpy()
    return found


def adapted(adapter: Adapter, model: Any) -> Any:
    """The plain model with W + alpha / rank * B A in the place of W."""
    import torch

    for module in adapter.modules:
        down, up = (adapter.weights[f"{module}.lora_{end}.weight"].astype(float) for end in "AB")
        change = torch.tensor(adapter.alpha / adapter.rank * (up @ down), dtype=torch.float32)
        weight = model.get_submodule(module).weight
        weight.data += change if weight.shape == change.shape else change.T
    return model


def test_what_is_saved_is_what_is_loaded_and_one_kind_takes_the_others_place(tmp_path: Path) -> None:
    told: Any = {"looks_at": ("responses", "labels"), "facts": {"intervention": "é", "fitted_on": ["a"]}}
    kept = tmp_path / "new" / "kept"
    for adapter, files in (
        (lora(**told), LORA_FILES),
        (full(**told), FULL_FILES),
        (full(), FULL_FILES),
        (lora(0.1 + 0.2), LORA_FILES),
        (lora(-2.0), LORA_FILES),
    ):
        save(adapter, kept)
        assert names(kept) == files
        for path in (kept, *(kept / name for name in files)):
            same(load(path), adapter)


@PEFT
def test_peft_reads_what_was_saved(tmp_path: Path) -> None:
    from peft import LoraConfig, PeftModel

    adapter = lora(facts={"model": {"name": "brainbench/tiny"}})
    save(adapter, tmp_path)
    told = LoraConfig.from_pretrained(tmp_path)
    assert (told.r, told.lora_alpha, told.target_modules) == (RANK, 7, set(MODULES))
    assert (told.base_model_name_or_path, told.inference_mode) == ("brainbench/tiny", True)
    found = logits(PeftModel.from_pretrained(network(), tmp_path))
    assert np.abs(found - logits(network())).max() > 0.1
    np.testing.assert_allclose(found, logits(adapted(adapter, network())), atol=1e-4)


@PEFT
@pytest.mark.parametrize(
    ("settings", "dtype"),
    [
        ({"target_modules": ["q_proj", "o_proj"], "lora_dropout": 0.5}, "float32"),
        ({"target_modules": r".*\.[12]\..*k_proj", "use_rslora": True}, "float32"),
        ({"target_modules": ["gate_proj", "v_proj"], "layers_to_transform": [3]}, "bfloat16"),
        ({"target_modules": ["v_proj"], "init_lora_weights": "gaussian"}, "float16"),
    ],
    ids=str,
)
def test_what_peft_saved_is_read(settings: Any, dtype: str, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of layers_to_transform
        config = LoraConfig(task_type="CAUSAL_LM", r=RANK, lora_alpha=5, **settings)
        model = get_peft_model(network(), config).eval()
    draw = torch.Generator().manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            values = torch.randn(weight.shape, generator=draw) / 8
            weight.data = values.to(getattr(torch, dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of no network to look for the model's configuration
        model.save_pretrained(tmp_path)
    for weight in model.parameters():
        weight.data = weight.data.float()
    adapter = load(tmp_path)
    assert adapter.facts == {"imported": "peft"}
    assert adapter.looks_at == ()
    assert adapter.fitted_on is None
    np.testing.assert_allclose(logits(adapted(adapter, network())), logits(model), atol=1e-4)
    save(adapter, tmp_path / "again")
    same(load(tmp_path / "again"), adapter)


@PEFT
def test_transposed_layers_go_both_ways(tmp_path: Path) -> None:
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        bos_token_id=0, eos_token_id=0, n_embd=8, n_layer=2, n_head=2, vocab_size=50, n_positions=64
    )
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "model")
    lora_config = LoraConfig(
        r=2, target_modules=["c_attn"], fan_in_fan_out=True, init_lora_weights=False, task_type="CAUSAL_LM"
    )
    model = get_peft_model(network(at=tmp_path / "model"), lora_config).eval()
    model.save_pretrained(tmp_path / "theirs")
    adapter = load(tmp_path / "theirs")
    plain = network(at=tmp_path / "model")
    np.testing.assert_allclose(logits(adapted(adapter, plain)), logits(model), atol=1e-5)
    save(adapter, tmp_path / "ours")  # and no warning that it lies the other way
    again = PeftModel.from_pretrained(network(at=tmp_path / "model"), tmp_path / "ours")
    np.testing.assert_array_equal(logits(again), logits(model))


def edit(folder: Path, file: str = "adapter_config.json", /, **changed: Any) -> None:
    told = json.loads((folder / file).read_text())
    (folder / file).write_text(json.dumps({k: v for k, v in {**told, **changed}.items() if v != "gone"}))


def arrays(folder: Path, file: str = "adapter_model.safetensors", /, **changed: Any) -> None:
    from safetensors.numpy import load_file, save_file

    found = {**load_file(folder / file), **changed}
    save_file({k: v for k, v in found.items() if v is not None}, folder / file)


OWN = "brainbench.json"
FIRST = f"base_model.model.{MODULES[0]}.lora_A.weight"
REFUSED_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"use_dora": True}, "uses 'use_dora'"),
    ({"rank_pattern": {"q_proj": 2}}, "uses 'rank_pattern'"),
    ({"alpha_pattern": {"q_proj": 2}}, "uses 'alpha_pattern'"),
    ({"modules_to_save": ["lm_head"]}, "uses 'modules_to_save'"),
    ({"trainable_token_indices": [1]}, "uses 'trainable_token_indices'"),
    ({"lora_bias": True}, "uses 'lora_bias'"),
    ({"layer_replication": [[0, 2]]}, "uses 'layer_replication'"),
    ({"something_of_tomorrow": 1}, "uses 'something_of_tomorrow'"),
    ({"bias": "all"}, "has bias 'all'"),
    ({"peft_type": "IA3"}, "has peft_type 'IA3'"),
    ({"peft_type": ["LORA"]}, "has peft_type"),
    ({"peft_type": "gone"}, "lacks 'peft_type'"),
    ({"task_type": "SEQ_CLS"}, "has task_type"),
    ({"init_lora_weights": "pissa"}, "has init_lora_weights 'pissa'"),
    ({"init_lora_weights": 1}, "has init_lora_weights 1"),
    ({"use_rslora": 1}, "use_rslora must be"),
    ({"r": True}, "r must be"),
    ({"r": 0}, "r must be"),
    ({"r": "gone"}, "lacks 'r'"),
    ({"r": 4}, "not of rank 4"),
    ({"lora_alpha": "7"}, "lora_alpha must be a finite number"),
    ({"lora_alpha": 10**400}, "no adapter that could be applied"),
    ({"target_modules": ["v_proj", "k_proj"]}, "does not name"),
]


@pytest.mark.parametrize(("changed", "words"), REFUSED_SETTINGS, ids=lambda it: str(it)[:40])
def test_what_would_change_the_numbers_is_refused_by_name(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    for ours in (True, False):
        save(lora(width=4), tmp_path)
        edit(tmp_path, **changed)
        if not ours:
            (tmp_path / OWN).unlink()
        refused(tmp_path, words)


def refused(path: Path, words: str) -> None:
    with pytest.raises(DataError) as caught:
        load(path)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: edit(f, lora_alpha=8), "fingerprint"),
        (lambda f: edit(f, use_rslora=True), "fingerprint"),
        (lambda f: edit(f, OWN, facts={"by": "another"}), "fingerprint"),
        (lambda f: edit(f, OWN, looks_at=["labels"]), "fingerprint"),
        (lambda f: edit(f, OWN, looks_at=[["a"]]), "cannot have looked at"),
        (lambda f: edit(f, OWN, looks_at="labels"), "looks_at must be"),
        (lambda f: edit(f, OWN, facts={"people": 3}), "people"),
        (lambda f: edit(f, OWN, kind="code"), "kind must be"),
        (lambda f: edit(f, OWN, kind="full"), "lacks 'alpha'"),
        (lambda f: edit(f, OWN, format=True), "format 1"),
        (lambda f: edit(f, OWN, spare=1), "unknown key 'spare'"),
        (lambda f: edit(f, OWN, fingerprint="gone"), "lacks 'fingerprint'"),
        (lambda f: (f / OWN).write_text("{"), "no JSON"),
        (lambda f: (f / OWN).write_text("[" * 100_000), "no JSON"),
        (lambda f: (f / OWN).write_bytes(b"\xff\xfe"), "no JSON"),
        (lambda f: (f / OWN).write_text("[]"), "no JSON object"),
        (lambda f: (f / OWN).write_text('{"format": NaN}'), "NaN"),
        (lambda f: (f / "adapter_config.json").write_text('{"r": Infinity}'), "Infinity"),
        (lambda f: (f / "adapter_config.json").unlink(), "cannot be read"),
        (lambda f: (f / "adapter_model.safetensors").unlink(), "cannot be read"),
        (lambda f: (f / "adapter_model.safetensors").write_bytes(pickle.dumps({1: 2})), "no safetensors"),
        (lambda f: (f / "adapter_model.safetensors").write_bytes(b""), "no safetensors"),
        (lambda f: arrays(f, **{FIRST: np.ones((3, 4))}), "F64"),
        (lambda f: arrays(f, **{FIRST: np.ones((3, 4), np.int32)}), "I32"),
        (lambda f: arrays(f, **{FIRST: np.full((3, 4), np.nan, np.float32)}), "not finite"),
        (lambda f: arrays(f, **{FIRST: np.ones((2, 4), np.float32)}), "not of rank 3"),
        (lambda f: arrays(f, **{FIRST: np.ones((3, 4), np.float32)}), "fingerprint"),
        (lambda f: arrays(f, **{FIRST: None}), "only one of the two"),
        (lambda f: arrays(f, spare=np.ones((3, 4), np.float32)), "holds 'spare'"),
        (
            lambda f: arrays(f, **{"base_model.model.a.lora_embedding_A": np.ones((3, 4), np.float32)}),
            "lora_embedding_A', which is no LoRA of a linear layer",
        ),
        (
            lambda f: arrays(f, **{"base_model.model.a b.lora_A.weight": np.ones((3, 4), np.float32)}),
            "which is no LoRA",
        ),
    ],
)
def test_a_spoilt_folder_is_refused_in_one_sentence(spoil: Any, words: str, tmp_path: Path) -> None:
    save(lora(width=4, facts={"by": "me"}), tmp_path)
    spoil(tmp_path)
    refused(tmp_path, words)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: edit(f, OWN, rank=2), "fingerprint"),
        (lambda f: edit(f, OWN, rank="gone"), "lacks 'rank'"),
        (lambda f: edit(f, OWN, kind="lora"), "unknown key 'alpha'"),
        (lambda f: arrays(f, "weights.safetensors", spare=np.ones(2, np.float32)), "fingerprint"),
        (lambda f: arrays(f, "weights.safetensors", spare=np.ones(2, np.float16)), "F16 instead of F32"),
        (lambda f: (f / "weights.safetensors").unlink(), "cannot be read"),
        (lambda f: (f / OWN).unlink(), "holds no adapter"),
    ],
)
def test_spoilt_full_weights_are_refused_in_one_sentence(spoil: Any, words: str, tmp_path: Path) -> None:
    save(full(), tmp_path)
    spoil(tmp_path)
    refused(tmp_path, words)


def test_what_is_no_folder_of_an_adapter_is_said_and_nothing_pickled_is_opened(tmp_path: Path) -> None:
    refused(tmp_path, "holds no adapter")
    refused(tmp_path / "nowhere", "There is no folder")
    (tmp_path / "adapter_model.bin").write_bytes(b"not even a pickle")
    refused(tmp_path / "adapter_model.bin", "is a file")
    save(lora(width=4), tmp_path)
    (tmp_path / "adapter_model.safetensors").unlink()
    refused(tmp_path, "adapter_model.bin could execute code and is not opened")


@pytest.mark.parametrize("older", [lora(width=4), full(), None])
@pytest.mark.parametrize("newer", [lora(alpha=9.0, width=4), full()])
def test_what_is_interrupted_is_the_old_or_refused(
    older: Adapter | None, newer: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before each of its files in turn, saving leaves nothing that would be read as another thing."""
    write = kept_files.write_files
    for steps in range(3):
        folder = tmp_path / str(steps)
        if older:
            save(older, folder)

        def some(at: Path, files: Any, most: int = steps) -> None:
            write(at, dict(list(files.items())[:most]))
            raise KeyboardInterrupt

        monkeypatch.setattr("brainbench.adapter_files.write_files", some)
        with pytest.raises(KeyboardInterrupt):
            save(newer, folder)
        monkeypatch.undo()
        try:
            found = load(folder)
        except DataError:
            continue
        assert found.fingerprint in {newer.fingerprint, older and older.fingerprint}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="Nothing can be written in"):
        save(full(), tmp_path / "file" / "kept")
    (tmp_path / "kept" / FILES[0]).mkdir(parents=True)
    with pytest.raises(DataError, match="Nothing can be written in"):
        save(full(), tmp_path / "kept")
    assert not [name for name in names(tmp_path / "kept") if name.startswith(".")]


def test_modules_are_named_briefly() -> None:
    found = grouped([*MODULES, "model.layers.5.self_attn.q_proj", "lm_head", "h.0.c_attn", "h.1.c_attn"])
    assert found["model.layers.1-2.self_attn.{q,k,v,o}_proj"] == MODULES[:4] + MODULES[4:]
    assert list(found)[1:] == ["model.layers.5.self_attn.q_proj", "h.0-1.c_attn", "lm_head"]
    assert set(grouped(["a.1.b.x", "a.1.b.y", "a.1.z"])) == {"a.1.b.{x,y}", "a.1.z"}
