"""Items read with what a model said to them: where the response stands, what is averaged, what fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Steering
from brainbench.stimuli import Message, Stimulus
from brainbench_models import prompts
from brainbench_models.huggingface import HuggingFaceSource

THINKS = (  # what some models' templates do to turns of theirs
    "{% for m in messages %}<turn>{{ m.role }}\n{% if m.role == 'assistant' %}"
    "<no-think>{{ m.content.split('True')[-1] }}{% else %}{{ m.content }}{% endif %}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<turn>assistant\n<no-think>{% endif %}"
)


def said(response: str, content: str = "trabs", turn: str = "can it be drawn? trabs") -> Stimulus:
    return Stimulus("i", (Message("user", turn),), turn, content, response=response)


def tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def encode(
    tokens: Any, stimulus: Stimulus, pooling: Any = "mean", limit: int | None = None
) -> prompts.Prompt:
    (prompt,) = prompts.encode(tokens, [stimulus], pooling=pooling, limit=limit, model="tiny")
    return prompt


def content(tokens: Any, prompt: Any) -> str:
    """Without spaces: some are tokens of their own, some belong to a word."""
    return str(tokens.decode([prompt.ids[at] for at in prompt.content])).replace(" ", "")


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_a_response_is_the_assistants_turn_up_to_its_end(
    make_model: Any, chat_template: str, pooling: str
) -> None:
    tokens = tokenizer(make_model("llama", chat=chat_template))
    prompt = encode(tokens, said("trabs are fast"), pooling)
    assert tokens.decode(prompt.ids) == (
        "<s><turn>user\ncan it be drawn? trabs</s>\n<turn>assistant\ntrabs are fast</s>"
    )
    asked = encode(tokens, said(""), "last").ids
    assert tokens.decode(prompt.ids[: prompt.end]) == tokens.decode(asked).removesuffix("<no-think>")
    if pooling == "mean":
        assert content(tokens, prompt) == "trabstrabsarefast"


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_in_plain_text_a_response_follows_and_the_end_of_text_is_last(llama: Path, pooling: str) -> None:
    tokens = tokenizer(llama)
    prompt = encode(tokens, said("trabs are fast"), pooling)
    assert tokens.decode(prompt.ids) == "<s>can it be drawn? trabs trabs are fast</s>"
    assert prompt.end == len(encode(tokens, said(""), "last").ids)
    if pooling == "mean":
        assert content(tokens, prompt) == "trabstrabsarefast"
    tokens.eos_token = None
    assert tokens.decode(encode(tokens, said("fast"), pooling).ids).endswith(" fast")


def test_a_tokenizer_that_ends_texts_itself_does_so_once(make_model: Any) -> None:
    tokens = tokenizer(make_model("bert"))
    assert tokens.decode(encode(tokens, said("fast"), "last").ids) == "<s>can it be drawn? trabs fast</s>"


@pytest.mark.parametrize("chat", [True, False])
def test_where_nothing_was_asked_the_response_is_all_content(
    make_model: Any, chat_template: str, chat: bool
) -> None:
    tokens = tokenizer(make_model("llama", chat=chat_template if chat else None))
    prompt = encode(tokens, said("Abe is fast", "", ""))
    assert content(tokens, prompt) == "Abeisfast"
    assert tokens.decode(prompt.ids).endswith("\nAbe is fast</s>" if chat else "<s>Abe is fast</s>")
    assert encode(tokens, said("Abe is fast", "", ""), "last").ids == prompt.ids


def test_a_template_that_thinks_keeps_responses_whole_or_is_an_error(make_model: Any) -> None:
    tokens = tokenizer(make_model("llama", chat=THINKS))
    prompt = encode(tokens, said("Abe is fast"))
    assert tokens.decode(prompt.ids).endswith("<turn>assistant\n<no-think>Abe is fast</s>")
    assert content(tokens, prompt) == "trabsAbeisfast"
    for pooling in ("last", "mean"):
        with pytest.raises(ModelError, match="changes the text of the response to item 'i'"):
            encode(tokens, said("Abe True is fast"), pooling)


def test_a_trimmed_response_and_one_like_the_templates_words_are_found(
    make_model: Any, chat_template: str
) -> None:
    tokens = tokenizer(make_model("llama", chat=chat_template))
    assert content(tokens, encode(tokens, said("are fast \n"))) == "trabsarefast"
    prompt = encode(tokens, said("assistant"))
    assert content(tokens, prompt).startswith("trabs")
    assert prompt.content[-1] == len(prompt.ids) - 2


@pytest.mark.parametrize("chat", [True, False])
def test_a_response_is_read_as_far_as_there_is_room(make_model: Any, chat_template: str, chat: bool) -> None:
    tokens = tokenizer(make_model("llama", chat=chat_template if chat else None))
    long = said("Abe is fast. " * 20)
    whole = encode(tokens, long)
    prompt = encode(tokens, long, limit=len(whole.ids) - 40)
    assert not whole.cut
    assert prompt.cut
    assert len(whole.ids) - 44 <= len(prompt.ids) <= len(whole.ids) - 40
    assert prompt.ids[-1] == whole.ids[-1]
    assert prompt.ids[:-2] == whole.ids[: len(prompt.ids) - 2]
    with pytest.raises(ModelError, match="at most 5"):
        encode(tokens, long, limit=5)


def test_features_say_how_many_responses_were_shortened_and_read_the_last_token(llama: Path) -> None:
    found = HuggingFaceSource().find(str(llama))
    assert found is not None
    with found.open(ModelOptions(device="cpu"), SilentReporter()) as model:
        short, long = said("Abe is fast"), said("Abe is fast. " * 60)
        features = model.features([short, long], SilentReporter())
        assert features.made["shortened"] == 1
        assert "shortened" not in model.features([short], SilentReporter()).made
        text = said("", "trabs", "can it be drawn? trabs Abe is fast</s>")
        same = model.features([text], SilentReporter())
    for name, array in same.layers.items():
        assert np.allclose(array[0], features.layers[name][0], atol=1e-5)


def test_a_steering_of_the_last_token_acts_where_the_model_began_to_write(llama: Path) -> None:
    found = HuggingFaceSource().find(str(llama))
    assert found is not None
    opened: Any = found.open(ModelOptions(device="cpu"), SilentReporter())
    push = Addition(np.random.default_rng(0).normal(size=16) * 5)
    with opened as model:
        plain = model.features([said("fast")], SilentReporter()).layers
        with model.steered(Steering({"layer.0": push}, where="last")) as steered:
            found_with = steered.features([said("fast")], SilentReporter()).layers
            before = steered.features([replace(said("fast"), response="")], SilentReporter()).layers
    # the read token is a later one: reached through attention alone, and at layer 0 not at all
    assert np.array_equal(found_with["layer.0"], plain["layer.0"])
    assert not np.allclose(found_with["layer.2"], plain["layer.2"], atol=1e-3)
    assert before["layer.0"].shape == plain["layer.0"].shape
