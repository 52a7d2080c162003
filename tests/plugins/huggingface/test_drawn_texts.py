"""Texts that their seeds decide: drawn from the right distribution, and the same in any batch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from brainbench.adapter import Adapter
from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Steering
from brainbench_models.checkpoints import FolderCheckpoint
from brainbench_models.huggingface import HuggingFaceModel
from brainbench_models.quiet import quiet
from brainbench_models.sampling import Drawing, gumbel, truncated

Make = Callable[..., Path]
QUIET = SilentReporter()
PROMPTS = (
    "Abe is taller than",
    "can it be drawn? all trabs are",
    "Fay",
    "premises Edd is slow conclusion " * 2,
)
CPU = torch.device("cpu")


@pytest.fixture
def folder(make_model: Make) -> Path:
    return make_model("llama", head=True)


@contextmanager
def opened(folder: Path, batch: int | None = None) -> Iterator[Any]:
    options = ModelOptions(device="cpu", head=True, batch_size=batch)
    with HuggingFaceModel(FolderCheckpoint(folder)).open(options, QUIET) as model, quiet():
        yield model


def wanted(prompt: str, seed: int, **other: Any) -> Any:
    told = {"do_sample": True, "temperature": 0.9, "top_p": 0.95, "max_gen_toks": 8, "until": ["\n"]}
    return SimpleNamespace(args=(prompt, {**told, **other, "seed": seed}), doc={})


def scores(rows: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 300, generator=torch.Generator().manual_seed(seed)) * 2


def test_random_numbers_are_those_of_splitmix64() -> None:
    from brainbench_models.sampling import _GOLDEN, _mixed

    states = torch.tensor([1234567]) + torch.tensor([1, 2, 3]) * _GOLDEN
    found = [number % 2**64 for number in _mixed(states).tolist()]
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]  # its published values


def test_noise_is_gumbels_and_hangs_on_seed_step_and_token_alone() -> None:
    noise = gumbel([7, 2**63 - 1], 3, 50_000, CPU)
    assert torch.equal(noise[1:], gumbel([2**63 - 1], 3, 50_000, CPU))
    assert torch.equal(noise[:, :9], gumbel([7, 2**63 - 1], 3, 9, CPU))
    assert abs(float(noise.mean()) - 0.5772) < 0.015
    assert abs(float(noise.var()) - np.pi**2 / 6) < 0.05
    others = torch.cat([noise, gumbel([7, 8], 4, 50_000, CPU), gumbel([8, 9], 3, 50_000, CPU)])
    assert float(np.abs(np.corrcoef(others.numpy()) - np.eye(6)).max()) < 0.02


@pytest.mark.parametrize("temperature", [0.3, 0.7, 5.0])
@pytest.mark.parametrize("top_p", [0.201, 0.951, 1.0])
def test_as_many_words_are_left_as_transformers_leaves(temperature: float, top_p: float) -> None:
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    asked = torch.cat([scores(20), torch.randn(4, 3000).repeat(5, 1)[:, :300], torch.zeros(1, 300)])
    expected = TemperatureLogitsWarper(temperature)(None, asked)
    if top_p < 1:
        expected = TopPLogitsWarper(top_p)(None, expected)
    found = truncated(asked, temperature, top_p)
    assert torch.equal(torch.isfinite(found[:-1]), torch.isfinite(expected[:-1]))
    torch.testing.assert_close(found.softmax(1)[:-1].float(), expected.softmax(1)[:-1])
    assert torch.isfinite(found[-1]).nonzero()[:, 0].tolist() == list(range(math.ceil(300 * top_p)))


def test_a_flat_distribution_over_many_words_is_cut_like_any_other() -> None:
    flat = torch.zeros(2, 5000)
    flat[1, 40] = 30.0
    found = truncated(flat, 1.0, 0.49999)
    assert torch.isfinite(found).sum(1).tolist() == [2500, 1]


@pytest.mark.parametrize("step", [0, 7])
def test_words_are_drawn_as_often_as_they_are_likely(step: int) -> None:
    from scipy.stats import chisquare

    draws, one = 20_000, scores()
    drawing = Drawing(range(draws), temperature=0.8, top_p=0.9, start=4)
    written = torch.zeros(draws, 4 + step, dtype=torch.long)
    found = drawing(written, one.expand(draws, -1)).argmax(1)
    likely = truncated(one, 0.8, 0.9).softmax(1)[0].numpy()
    counts = np.bincount(found.numpy(), minlength=300)
    assert counts[likely == 0].sum() == 0
    kept = likely * draws > 5
    assert 20 < kept.sum() < 290
    assert abs(counts[~kept].sum() - likely[~kept].sum() * draws) < 15
    expected = likely[kept] / likely[kept].sum() * counts[kept].sum()
    assert chisquare(counts[kept], expected).pvalue > 0.01


def test_a_models_first_words_are_as_likely_as_it_says(folder: Path) -> None:
    prompt, draws = PROMPTS[0], 1500
    with opened(folder, 500) as model:
        lm = model.language_model(QUIET).lm
        texts = lm.generate_until([wanted(prompt, seed, max_gen_toks=1, until=[]) for seed in range(draws)])
        with torch.no_grad():
            logits = lm.model(torch.tensor([lm.tok_encode(prompt)])).logits[:, -1]
        likely = truncated(logits, 0.9, 0.95).softmax(1)[0]
        told: dict[str, float] = {}
        for token in likely.nonzero()[:, 0].tolist():
            text = lm.tok_decode([token])
            told[text] = told.get(text, 0) + float(likely[token])
    counts = Counter(texts)
    assert set(counts) <= set(told)
    assert len(counts) > 20
    for text, probability in told.items():
        assert abs(counts[text] - draws * probability) < 4.5 * np.sqrt(draws * probability) + 1


def test_a_text_is_the_same_in_any_batch_and_any_company(folder: Path) -> None:
    asked = [wanted(PROMPTS[at % 4], seed=at // 8, max_gen_toks=(8, 5)[at % 8 == 6]) for at in range(24)]
    with opened(folder, 1) as model:
        alone = [model.language_model(QUIET).lm.generate_until([one])[0] for one in asked]
    order = np.random.default_rng(0).permutation(24)
    for batch in (None, 3, 8):
        with opened(folder, batch) as model:
            lm = model.language_model(QUIET).lm
            assert lm.generate_until(asked) == alone
            mixed = lm.generate_until([asked[at] for at in order])
            assert mixed == [alone[at] for at in order]
    assert alone[0] == alone[4]  # the same prompt and seed
    assert len({alone[0], alone[8], alone[16]}) == 3
    assert len(set(alone)) >= 12


def test_without_temperature_a_text_is_the_likeliest_and_settings_of_the_model_count_for_nothing(
    folder: Path,
) -> None:
    greedy = {"until": ["\n"], "max_gen_toks": 8, "do_sample": False}
    plain = [SimpleNamespace(args=(prompt, greedy)) for prompt in PROMPTS]
    cold = [wanted(prompt, 3, temperature=0.0, do_sample=False) for prompt in PROMPTS]
    with opened(folder) as model:
        lm = model.language_model(QUIET).lm
        expected, drawn = lm.generate_until(plain), lm.generate_until([wanted(p, 1) for p in PROMPTS])
        assert lm.generate_until([*plain, *cold]) == expected * 2
        assert drawn != expected
        own = lm.model.generation_config
        own.repetition_penalty, own.eos_token_id, own.top_k = 9.0, list(range(4, 300)), 1
        assert lm.generate_until([wanted(p, 1) for p in PROMPTS]) == drawn
        assert lm.generate_until(cold) == expected
        assert lm.model.generation_config is own


def test_steerings_and_adapters_change_texts_while_they_last(folder: Path) -> None:
    asked = [wanted(prompt, seed) for prompt in PROMPTS for seed in range(3)]
    with opened(folder) as model:
        before = model.language_model(QUIET).lm.generate_until(asked)
        push = Addition(np.random.default_rng(1).normal(size=16) * 20)
        with model.steered(Steering({"layer.1": push}, where="last")) as steered:
            assert steered.language_model(QUIET).lm.generate_until(asked) != before
        name, rng = "model.layers.0.mlp.down_proj", np.random.default_rng(2)
        shapes = {"lora_A": (2, 24), "lora_B": (16, 2)}
        halves = {f"{name}.{half}.weight": rng.normal(size=shape) * 3 for half, shape in shapes.items()}
        with model.adapted(Adapter("lora", halves, rank=2, alpha=7.0)) as adapted:
            assert adapted.language_model(QUIET).lm.generate_until(asked) != before
        assert model.language_model(QUIET).lm.generate_until(asked) == before


def test_a_text_ends_at_its_stop_and_its_neighbours_go_on(folder: Path) -> None:
    with opened(folder, 8) as model:
        lm = model.language_model(QUIET).lm
        asked = [wanted(PROMPTS[0], seed, max_gen_toks=40, until=[]) for seed in range(8)]
        whole = lm.generate_until(asked)
        stop = next(letter for letter in "aeirstn" if 2 < sum(letter in text for text in whole) < 8)
        for one in asked:
            one.args[1]["until"] = [stop]
        assert lm.generate_until(asked) == [text.split(stop)[0] for text in whole]


def test_a_short_context_is_written_full_and_never_beyond(make_model: Make, folder: Path) -> None:
    with opened(folder) as model:
        lm = model.language_model(QUIET).lm
        encode = lm.tok_encode
        long = "Abe is fast "
        while len(encode(long + "Abe is fast ")) <= 126:
            long += "Abe is fast "
        room = 128 - len(encode(long))
        asked = [wanted(long, 5, max_gen_toks=1024, until=[]), wanted("Fay", 5, max_gen_toks=1024, until=[])]
        short = [wanted(long, 5, max_gen_toks=room, until=[]), wanted("Fay", 5, max_gen_toks=126, until=[])]
        assert lm.generate_until(asked) == lm.generate_until(short)
        while len(encode(long)) < 128:
            long += " z"
        with pytest.raises(ModelError, match="A prompt has 128 tokens, which leaves tiny-llama no room"):
            lm.generate_until([wanted(long, 5)])
        with pytest.raises(ModelError, match="and by no top_k"):
            lm.generate_until([wanted("Fay", 5, top_k=3)])


def test_a_model_can_write_out_of_nothing(make_model: Make) -> None:
    folder = make_model("gpt2", head=True)
    with opened(folder) as model:
        lm = model.language_model(QUIET).lm
        lm.tokenizer.backend_tokenizer.post_processor = None  # like gpt2's own, it begins texts with nothing
        nothing, begun = lm.generate_until([wanted("", 5), wanted("<s>", 5)])
        assert nothing == begun
        assert nothing
        lm.tokenizer.bos_token = lm.tokenizer.eos_token = None
        with pytest.raises(ModelError, match="no token that could begin a text"):
            lm.generate_until([wanted("", 5)])


def test_a_text_ends_where_the_template_ends_a_turn(make_model: Make, chat_template: str) -> None:
    texts = {}
    for chat, prompt in ((None, PROMPTS[0]), (chat_template.replace("</s>", "<turn>"), "<s>" + PROMPTS[0])):
        with opened(make_model("llama", chat=chat, head=True)) as model:
            asked = [wanted(prompt, seed, max_gen_toks=50, until=[]) for seed in range(40)]
            texts[chat is None] = model.language_model(QUIET).lm.generate_until(asked)
    assert all(
        whole.startswith(text.rstrip("�")) for whole, text in zip(texts[True], texts[False], strict=True)
    )
    assert sum(map(len, texts[True])) - sum(map(len, texts[False])) > 2
