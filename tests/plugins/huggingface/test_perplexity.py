"""Perplexity on neutral text is transformers' own cross-entropy, and a steering acts on it as on a task."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.perplexity import REQUEST, TEXT_VERSION, Passage, passages, perplexity
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Gain, Steering
from brainbench_models.checkpoints import FolderCheckpoint
from brainbench_models.huggingface import HuggingFaceModel

Make = Callable[..., Path]
QUIET = SilentReporter()
SHORT = (
    Passage("Abe is fast.", "Ben is taller than Edd. Fay is slow."),
    Passage("all trabs are brown.", "Ben is fast."),
    Passage("Edd is shorter than some.", "can it be drawn? Fay is fast."),
)


@contextmanager
def opened(folder: Path, **options: Any) -> Iterator[Any]:
    chosen = ModelOptions(**{"device": "cpu", "head": True, **options})
    with HuggingFaceModel(FolderCheckpoint(folder), True).open(chosen, QUIET) as model:
        yield model


@pytest.fixture(scope="module")
def tiny() -> Iterator[Any]:
    options = ModelOptions(device="cpu", head=True)
    with load(discover()).find_model("brainbench/tiny").open(options, QUIET) as model:
        yield model


def by_hand(
    network: Any, tokenizer: Any, text: Sequence[Passage], *, layer: int = 0, push: Any = None
) -> tuple[float, int]:
    """Cross-entropy passage by passage, without lm-eval; `push` is added where each prompt ends."""
    import torch

    losses, counted = 0.0, 0
    for passage in text:
        if tokenizer.chat_template:
            turns = [{"role": "user", "content": REQUEST + passage.beginning}]
            prompt = tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            start = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            whole = tokenizer(prompt + passage.rest, add_special_tokens=False)["input_ids"]
        else:
            start = tokenizer(passage.beginning)["input_ids"]
            whole = tokenizer(f"{passage.beginning} {passage.rest}")["input_ids"]

        def add(_: Any, __: Any, output: Any, at: int = len(start) - 1) -> Any:
            hidden = output[0] if isinstance(output, tuple) else output
            hidden[:, at] += push

        hook = None if push is None else network.base_model.layers[layer].register_forward_hook(add)
        with torch.no_grad():
            logits = network(torch.tensor([whole])).logits[0].float()
        if hook is not None:
            hook.remove()
        places = slice(len(start) - 1, len(whole) - 1)
        target = torch.tensor(whole[len(start) :])
        losses += float(torch.nn.functional.cross_entropy(logits[places], target, reduction="sum"))
        counted += len(target)
    return math.exp(losses / counted), counted


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "qwen3"])
@pytest.mark.parametrize("chat", [False, True])
def test_it_is_the_cross_entropy_of_what_follows_the_first_sentence(
    make_model: Make, chat_template: str, architecture: str, chat: bool
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make_model(architecture, head=True, chat=chat_template if chat else None)
    network = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    value, tokens = by_hand(network, AutoTokenizer.from_pretrained(folder), SHORT)
    for batch in (None, 1, 2):
        with opened(folder, batch_size=batch) as model:
            language = model.language_model(QUIET)
            assert language.chat is chat
            found = perplexity(language, SHORT)
        assert found is not None
        assert found.value == pytest.approx(value, rel=1e-5)
        assert (found.tokens, found.passages, found.skipped, found.unit) == (tokens, 3, 0, "token")
    assert 2 < value < 1e9


def test_the_embedded_model_reads_all_of_the_neutral_text(tiny: Any) -> None:
    found = perplexity(tiny.language_model(QUIET))
    assert found is not None
    value, tokens = by_hand(tiny.language_model(QUIET).lm.model, tiny.tokenizer, passages())
    assert found.value == pytest.approx(value, rel=1e-4)
    assert (found.tokens, found.passages, found.skipped) == (tokens, 40, 0)


@pytest.mark.parametrize("where", ["last", "prompt", "all"])
def test_zero_strength_costs_nothing_and_more_does_and_it_ends(make_model: Make, where: Any) -> None:
    push = np.random.default_rng(3).normal(size=16).astype(np.float32)
    with opened(make_model("llama", head=True)) as model:
        language = model.language_model(QUIET)
        before: Any = perplexity(language, SHORT)
        values: list[Any] = []
        for strength in (0.0, 2.0):
            with model.steered(Steering({"layer.1": Addition(push, strength)}, where=where)):
                values.append(perplexity(language, SHORT))
        assert values[0] == before
        assert values[1].value != pytest.approx(before.value, rel=1e-3)
        assert perplexity(language, SHORT) == before


@pytest.mark.parametrize("chat", [False, True])
def test_a_steering_acts_where_the_prompt_ends(make_model: Make, chat_template: str, chat: bool) -> None:
    import torch

    folder = make_model("llama", head=True, chat=chat_template if chat else None)
    push = np.random.default_rng(4).normal(size=16).astype(np.float32) * 3
    with opened(folder) as model:
        language = model.language_model(QUIET)
        before: Any = perplexity(language, SHORT)
        with model.steered(Steering({"layer.1": Addition(push)}, where="last")):
            found: Any = perplexity(language, SHORT)
        value, _ = by_hand(language.lm.model, model.tokenizer, SHORT, layer=1, push=torch.tensor(push))
    assert found.value == pytest.approx(value, rel=1e-5)
    assert found.value != pytest.approx(before.value, rel=1e-3)


def test_a_steering_by_type_acts_by_its_row_for_any_other_or_the_type_that_is_named(make_model: Make) -> None:
    rows = np.random.default_rng(5).normal(size=(3, 16)).astype(np.float32) * 2
    one, other, any_other = (Steering({"layer.0": Addition(row)}) for row in rows)
    by_type = Steering({"layer.0": Addition(rows)}, items=("a", "b", "*"), key="type")
    without = Steering({"layer.0": Addition(rows[:2])}, items=("a", "b"), key="type")
    by_item = Steering({"layer.0": Addition(rows[:2])}, items=("item-1", "item-2"))
    with opened(make_model("llama", head=True)) as model:
        language = model.language_model(QUIET)

        def of(steering: Steering | None, **columns: str) -> Any:
            with model.steered(steering or Steering({})):
                return perplexity(language, SHORT, columns)

        plain = of(None)
        assert of(by_type) == of(any_other) != plain
        assert of(by_type, type="a") == of(one) != of(other)
        assert of(by_type, type="b") == of(other)
        assert of(without) == of(by_item) == plain
        assert of(without, type="b") == of(other)


def test_a_passage_that_does_not_fit_is_skipped_and_counted(make_model: Make) -> None:
    long = Passage("Abe is fast.", "Ben is taller than Edd. " * 30)
    with opened(make_model("llama", head=True)) as model:
        language = model.language_model(QUIET)
        alone, both = perplexity(language, SHORT), perplexity(language, (long, *SHORT))
        assert alone is not None
        assert both is not None
        assert (both.value, both.tokens, both.passages) == (alone.value, alone.tokens, 3)
        assert (alone.skipped, both.skipped) == (0, 1)
        assert perplexity(language, (long,)) is None


def test_a_passage_that_just_fits_is_scored(make_model: Make) -> None:
    with opened(make_model("llama", head=True)) as model:
        language = model.language_model(QUIET)
        prompt = len(language.lm.tok_encode("Abe is fast."))
        longest = 128 + 1 - prompt  # the last token is only predicted
        rest = "z" * (longest - 1)  # each a token, as is the space before them
        fits, too_long = Passage("Abe is fast.", rest), Passage("Abe is fast.", f"{rest}z")
        found = perplexity(language, (fits, too_long))
        assert found is not None
        assert (found.tokens, found.skipped) == (longest, 1)


def test_likelihoods_that_are_no_numbers_are_one_sentence(make_model: Make) -> None:
    basis = np.eye(1, 16, dtype=np.float32)
    with opened(make_model("llama", head=True)) as model:
        language = model.language_model(QUIET)
        with (
            model.steered(Steering({"layer.0": Gain(basis, 1e39)}, where="all")),
            pytest.raises(ModelError, match="not a finite number"),
        ):
            perplexity(language, SHORT)


@pytest.mark.real
def test_a_model_of_stories_expects_neutral_text(real_model: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    network = AutoModelForCausalLM.from_pretrained(real_model, dtype="float32").eval()
    value, tokens = by_hand(network, AutoTokenizer.from_pretrained(real_model), passages())
    with opened(real_model) as model:
        found = perplexity(model.language_model(QUIET))
    assert found is not None
    assert found.value == pytest.approx(value, rel=1e-4)
    assert (found.tokens, found.skipped) == (tokens, 0)
    assert found.value < 30


def test_the_text_is_forty_short_passages_known_by_their_hash() -> None:
    text = resources.files("brainbench").joinpath("neutral_text.txt").read_bytes()
    assert hashlib.sha256(text).hexdigest().startswith(TEXT_VERSION)
    assert len(TEXT_VERSION) == 16
    assert len(passages()) == len({passage.beginning for passage in passages()}) == 40
    for passage in passages():
        assert passage.beginning.count(".") == 1
        assert 1 <= passage.rest.count(".") <= 2
        assert passage.rest == passage.rest.strip()
        assert text.decode().isascii()
