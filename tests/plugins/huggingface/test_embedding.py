"""Sentences as vectors: by transformers and by hand, on a real encoder and on small random networks."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.scoring import OpenEncoder
from brainbench_models import batching
from brainbench_models.checkpoints import FolderCheckpoint
from brainbench_models.huggingface import HuggingFaceModel

Make = Callable[..., Path]
TEXTS = ["Abe is taller than Ben", "trab", "all fast brown trabs. are slow than Edd", "Ben is"]
LONG = "brick wall " * 200
TRANSFORMER = {"path": "", "type": "sentence_transformers.models.Transformer"}
POOLING = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
NORMALIZE = {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}


def embed(folder: Path, texts: list[str], **options: Any) -> FloatArray:
    model = HuggingFaceModel(FolderCheckpoint(folder))
    with model.open(ModelOptions(device="cpu", **options), SilentReporter()) as opened:
        assert isinstance(opened, OpenEncoder)
        return opened.embed(texts, SilentReporter())


@functools.lru_cache(maxsize=1)
def loaded(folder: Path) -> tuple[Any, Any]:
    """Network and tokenizer, by transformers alone."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    network = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    return network, AutoTokenizer.from_pretrained(folder)


def states(folder: Path, text: str, **cut: Any) -> FloatArray:
    """The network's last output (tokens x width) for one text alone, by transformers."""
    import torch

    network, tokenizer = loaded(folder)
    read = tokenizer(text, return_tensors="pt", **cut)
    with torch.inference_mode():
        hidden = network(input_ids=read["input_ids"], attention_mask=read["attention_mask"])
    found: FloatArray = hidden.last_hidden_state[0].numpy()
    return found


@pytest.fixture
def made(make_model: Make, tmp_path: Path) -> Callable[..., Path]:
    """A BERT in the form of sentence-transformers: its modules, how it pools, and other settings."""

    def make(pooling: dict[str, Any], *modules: dict[str, str], **files: Any) -> Path:
        folder = tmp_path / "encoder"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(make_model("bert"), folder)
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling/config.json").write_text(json.dumps(pooling))
        (folder / "modules.json").write_text(json.dumps(modules or (TRANSFORMER, POOLING)))
        for name, held in files.items():
            (folder / f"{name}.json").write_text(json.dumps(held))
        return folder

    return make


def test_a_real_sentence_encoder_pools_cuts_and_normalises_as_its_maker_does(sentence_encoder: Path) -> None:
    texts = ["a brick", "Use it as a doorstop, or as a very small table for ants.", LONG]
    found = embed(sentence_encoder, texts)
    for text, vector in zip(texts, found, strict=True):
        mean = states(sentence_encoder, text, truncation=True, max_length=256).mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)
    assert found.dtype == np.float32
    assert len(states(sentence_encoder, LONG, truncation=True, max_length=512)) > 256  # so that 256 cut it


def test_sentence_transformers_has_the_same_vectors(sentence_encoder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [
        "a brick",
        "Use it as a doorstop, or as a very small table for ants.",
        LONG,
        "\u00e9t\u00e9 \U0001f9f1",
    ]
    theirs = SentenceTransformer(str(sentence_encoder), device="cpu").encode(texts, show_progress_bar=False)
    np.testing.assert_allclose(embed(sentence_encoder, texts), theirs, atol=1e-5)


def test_the_encoder_has_learnt_what_words_mean(sentence_encoder: Path) -> None:
    brick, stone, poem = embed(sentence_encoder, ["brick", "a building stone", "recite a poem"])
    assert brick @ stone > brick @ poem + 0.2


def test_a_text_does_not_depend_on_its_company_or_order(sentence_encoder: Path) -> None:
    texts = ["a brick", "hold open a door with it " * 9, "a", "paint a face on it"]
    whole = embed(sentence_encoder, texts)
    np.testing.assert_allclose(embed(sentence_encoder, texts[::-1])[::-1], whole, atol=1e-6)
    np.testing.assert_allclose(embed(sentence_encoder, texts, batch_size=1), whole, atol=1e-6)


def test_a_model_without_such_files_is_averaged_over_all_tokens_of_its_last_output(make_model: Make) -> None:
    for architecture in ("llama", "roberta", "t5"):
        folder = make_model(architecture)
        found = embed(folder, TEXTS)
        for text, vector in zip(TEXTS, found, strict=True):
            if architecture != "t5":
                np.testing.assert_allclose(vector, states(folder, text).mean(axis=0), atol=1e-5)
        assert np.isfinite(found).all()
        assert found.shape == (len(TEXTS), 16)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, lambda x: x[0]),
        ({"pooling_mode_max_tokens": True}, lambda x: x.max(axis=0)),
        ({"pooling_mode_lasttoken": True}, lambda x: x[-1]),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, lambda x: x.sum(axis=0) / np.sqrt(len(x))),
        ({"pooling_mode": "mean"}, lambda x: x.mean(axis=0)),
    ],
    ids=["cls", "max", "last", "root", "mean"],
)
def test_tokens_are_pooled_as_the_files_say(
    made: Callable[..., Path], pooling: dict[str, Any], expected: Callable[[Any], Any]
) -> None:
    folder = made(pooling)
    found = embed(folder, TEXTS)
    for text, vector in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(vector, expected(states(folder, text)), atol=1e-5)


def test_length_case_prompt_and_unit_length_are_the_makers(made: Callable[..., Path]) -> None:
    mean = {"pooling_mode_mean_tokens": True}
    limits = {"max_seq_length": 6, "do_lower_case": True}
    prompts = {"prompts": {"query": "Is "}, "default_prompt_name": "query"}
    folder = made(
        mean,
        TRANSFORMER,
        POOLING,
        NORMALIZE,
        sentence_bert_config=limits,
        config_sentence_transformers=prompts,
    )
    expected = states(folder, "is ben taller than abe", truncation=True, max_length=6).mean(axis=0)
    np.testing.assert_allclose(
        embed(folder, ["Ben taller than Abe"])[0], expected / np.linalg.norm(expected), atol=1e-5
    )


def test_what_decides_a_vector_decides_the_folders_hash(made: Callable[..., Path]) -> None:
    revisions = set()
    for pooling in ("cls", "mean", "max"):
        folder = made({"pooling_mode": pooling})
        revisions.add(FolderCheckpoint(folder).pin(weights=True, code=False).revision)
    deep = made({"pooling_mode": "cls"}, TRANSFORMER, {**POOLING, "path": "a/b"})
    for pooling in ("cls", "mean"):
        (deep / "a" / "b").mkdir(parents=True, exist_ok=True)
        (deep / "a" / "b" / "config.json").write_text(json.dumps({"pooling_mode": pooling}))
        revisions.add(FolderCheckpoint(deep).pin(weights=True, code=False).revision)
    assert len(revisions) == 5


@pytest.mark.parametrize(
    ("pooling", "modules", "words"),
    [
        ({"pooling_mode": "mean"}, (TRANSFORMER, POOLING, {"type": "evil.Code"}), "evil.Code"),
        ({"pooling_mode": "mean"}, (POOLING,), "Pooling"),
        ({"pooling_mode_weightedmean_tokens": True}, (), "weightedmean_tokens"),
        ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, (), "and"),
        ({}, (), "nothing"),
        ({"pooling_mode": ["mean"]}, (), "not known here"),
        ({"pooling_mode": "mean", "include_prompt": False}, (), "prompt's tokens"),
        ({"pooling_mode": "mean"}, ({**TRANSFORMER, "path": "0_T"}, POOLING), "0_T"),
        ({"pooling_mode": "mean"}, (TRANSFORMER, {**POOLING, "path": "../x"}), "no file of it"),
    ],
    ids=["foreign", "no network", "weighted", "two", "none", "list", "prompt", "elsewhere", "outside"],
)
def test_what_is_not_known_is_a_sentence_and_never_a_guess(
    made: Callable[..., Path], pooling: dict[str, Any], modules: tuple[dict[str, str], ...], words: str
) -> None:
    folder = made(pooling, *modules)
    with pytest.raises(ModelError, match=words) as found:
        embed(folder, TEXTS)
    assert found.value.message.endswith(".")


def test_odd_values_in_a_makers_files_are_sentences_or_mean_no_limit(made: Callable[..., Path]) -> None:
    named: dict[str, Any] = {"prompts": {"query": "Is "}, "default_prompt_name": ["query"]}
    folder = made({"pooling_mode": "mean"}, config_sentence_transformers=named)
    with pytest.raises(ModelError, match="has no prompt"):
        embed(folder, TEXTS)
    endless = made({"pooling_mode": "mean"}, sentence_bert_config={"max_seq_length": 10**30})
    assert np.isfinite(embed(endless, TEXTS)).all()


def test_a_text_too_long_for_a_model_that_says_nothing_of_cutting_is_refused(make_model: Make) -> None:
    with pytest.raises(ModelError, match="takes at most 128"):
        embed(make_model("llama"), ["Abe " * 200])
    with pytest.raises(ModelError, match="no texts"):
        embed(make_model("llama"), [])


def test_batches_are_halved_when_memory_runs_out(make_model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_model("llama")
    whole = embed(folder, TEXTS)
    sizes: list[int] = []
    real = batching.in_batches

    def scarce(lengths: Any, forward: Any, **named: Any) -> Any:
        def narrow(items: Any) -> Any:
            sizes.append(len(items))
            if len(items) > 1:
                raise MemoryError("out of memory")
            return forward(items)

        return real(lengths, narrow, **named)

    monkeypatch.setattr("brainbench_models.embedding.in_batches", scarce)
    np.testing.assert_allclose(embed(folder, TEXTS), whole, atol=1e-6)
    assert sizes[0] == 4
    assert sizes.count(1) == len(TEXTS)
