"""What a model is asked: its chat template or plain text, whole, and which tokens carry the content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.stimuli import Message, Stimulus
from brainbench_models import prompts
from brainbench_models.huggingface import HuggingFaceSource


def tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def encode(tokens: Any, *stimuli: Stimulus, pooling: Any = "last", limit: int | None = None) -> Any:
    return prompts.encode(tokens, stimuli, pooling=pooling, limit=limit, model="tiny")


def test_plain_text_has_the_usual_special_tokens_once(llama: Path, problems: tuple[Stimulus, ...]) -> None:
    tokens = tokenizer(llama)
    assert prompts.form(tokens) == "plain"
    (prompt,) = encode(tokens, problems[0])
    assert tokens.decode(prompt.ids) == "<s>" + problems[0].text


def test_chat_has_its_turns_no_thinking_and_one_beginning(
    make_model: Any, chat_template: str, problems: tuple[Stimulus, ...]
) -> None:
    tokens = tokenizer(make_model("llama", chat=chat_template))
    assert prompts.form(tokens) == "chat"
    (prompt,) = encode(tokens, problems[0])
    first, second, third = problems[0].messages
    assert tokens.decode(prompt.ids) == (
        f"<s><turn>user\n{first.content}</s>\n<turn>assistant\n{second.content}</s>\n"
        f"<turn>user\n{third.content.strip()}</s>\n<turn>assistant\n<no-think>"
    )


def test_a_template_that_writes_todays_date_gets_the_same_day_every_day(
    make_model: Any, chat_template: str, problems: tuple[Stimulus, ...]
) -> None:
    dated = "{{ strftime_now('%d %b %Y') }}\n" + chat_template
    tokens = tokenizer(make_model("llama", chat=dated))
    (prompt,) = encode(tokens, problems[0])
    assert tokens.decode(prompt.ids).startswith("26 Jul 2024\n")


@pytest.mark.parametrize("chat", [False, True])
def test_content_tokens_are_the_content_and_nothing_else(
    make_model: Any, chat_template: str, problems: tuple[Stimulus, ...], chat: bool
) -> None:
    tokens = tokenizer(make_model("llama", chat=chat_template if chat else None))
    for stimulus, prompt in zip(problems, encode(tokens, *problems, pooling="mean"), strict=True):
        assert tokens.decode([prompt.ids[i] for i in prompt.content]).strip() == stimulus.content
        assert list(prompt.content) == list(range(prompt.content[0], prompt.content[-1] + 1))
        assert prompt.content[-1] < len(prompt.ids) - 2  # the last occurrence, but before what follows it


def test_content_that_the_template_says_too_is_found_in_the_turn(make_model: Any, chat_template: str) -> None:
    tokens = tokenizer(make_model("llama", chat=chat_template))
    stimulus = Stimulus("echo", (Message("user", "is assistant fast?"),), "is assistant fast?", "assistant")
    (prompt,) = encode(tokens, stimulus, pooling="mean")
    text = tokens.decode(prompt.ids[: prompt.content[0]])
    assert text.rstrip() == "<s><turn>user\nis"


def test_content_may_be_trimmed_but_not_changed(make_model: Any, chat_template: str) -> None:
    stimulus = Stimulus("blank", (Message("user", "Abe is fast \n"),), "Abe is fast \n", "is fast \n")
    tokens = tokenizer(make_model("llama", chat=chat_template))
    (prompt,) = encode(tokens, stimulus, pooling="mean")
    assert tokens.decode([prompt.ids[i] for i in prompt.content]).strip() == "is fast"
    tokens.chat_template = chat_template.replace("| trim", "| upper")
    with pytest.raises(ModelError, match="changes the text of item 'blank'"):
        encode(tokens, stimulus, pooling="mean")


def test_a_template_that_refuses_names_the_item(make_model: Any, problems: tuple[Stimulus, ...]) -> None:
    tokens = tokenizer(make_model("llama", chat="{{ raise_exception('no such role') }}"))
    with pytest.raises(ModelError, match=r"refuses the messages of item 'item-0': no such role\."):
        encode(tokens, problems[0])


def test_a_prompt_beyond_the_context_is_refused_not_cut(llama: Path) -> None:
    text = "Abe is fast " * 200
    long = Stimulus("endless", (Message("user", text),), text, text)
    found = HuggingFaceSource().find(str(llama))
    assert found is not None
    count = len(tokenizer(llama)(text)["input_ids"])
    words = f"Item 'endless' has {count} tokens, but tiny-llama takes at most 128"
    with (
        found.open(ModelOptions(device="cpu"), SilentReporter()) as opened,
        pytest.raises(ModelError, match=words) as caught,
    ):
        opened.features([long], SilentReporter())
    assert "longer context" in caught.value.hint


def test_the_longest_prompt_that_fits_is_whole(llama: Path, problems: tuple[Stimulus, ...]) -> None:
    tokens = tokenizer(llama)
    size = len(tokens(problems[0].text)["input_ids"])
    tokens.backend_tokenizer.enable_truncation(4)  # as some tokenizer.json files do
    tokens.backend_tokenizer.enable_padding(length=50)
    (prompt,) = encode(tokens, problems[0], limit=size)
    assert len(prompt.ids) == size
    with pytest.raises(ModelError, match=f"at most {size - 1}"):
        encode(tokens, problems[0], limit=size - 1)


def test_a_slow_tokenizer_can_be_read_last_but_not_averaged(
    tmp_path: Path, problems: tuple[Stimulus, ...]
) -> None:
    from transformers import ByT5Tokenizer

    slow = ByT5Tokenizer()
    (prompt,) = encode(slow, problems[0])
    assert len(prompt.ids) == len(problems[0].text) + 1
    with pytest.raises(ModelError, match="slow one"):
        encode(slow, problems[0], pooling="mean")
