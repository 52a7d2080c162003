"""Perplexity of a model that has no tokenizer to count by."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from brainbench.perplexity import REQUEST, Passage, passages, perplexity


def test_it_is_counted_by_bytes_and_says_so(speaker: Callable[..., Any]) -> None:
    asked: list[Any] = []
    found = perplexity(speaker(lambda _, rest: -0.5 * len(rest.encode()), asked=asked))
    scored = sum(len(f" {passage.rest}".encode()) for passage in passages())
    assert found is not None
    assert (found.unit, found.tokens, found.passages) == ("byte", scored, 40)
    assert found.value == pytest.approx(math.exp(0.5))
    assert asked[0] == (passages()[0].beginning, f" {passages()[0].rest}")


def test_a_chat_model_is_asked_to_go_on(speaker: Callable[..., Any]) -> None:
    asked: list[Any] = []
    perplexity(speaker(lambda _, __: -1.0, chat=True, asked=asked), (Passage("One.", "Two."),))
    assert asked == [(f"<user>{REQUEST}One.<me>", "Two.")]


def test_a_hopeless_model_still_has_a_finite_value(speaker: Callable[..., Any]) -> None:
    found = perplexity(speaker(lambda _, __: -1e9), (Passage("One.", "Two."),))
    assert found is not None
    assert math.isfinite(found.value)
