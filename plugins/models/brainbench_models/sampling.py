"""Draw words by each row's own random numbers, so that a text hangs on its seed and not on its batch.

At each step a token's log-probability gets Gumbel noise, and the largest sum is taken: an exact draw from the
distribution (Gumbel 1954; Maddison, Tarlow & Minka 2014). A token's noise is a function of the seed, the step
and the token alone, counted and not drawn in turn. And it is kind to rounding: where another batch moves
probabilities by a thousandth, about one draw in a thousand comes out differently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers import LogitsProcessor

if TYPE_CHECKING:
    from torch import Tensor

_GOLDEN = -7046029254386353131  # 2**64 over the golden ratio, odd: splitmix64's step, as a signed number
_FIRST, _SECOND = -4658895280553007687, -7723592293110705685  # and its two factors
_BITS = 53  # of a float64's fraction
_MANY = 1024  # tokens that mostly hold top_p


class Drawing(LogitsProcessor):  # type: ignore[misc] # transformers hides its type
    """Leaves one token of each row: drawn at this temperature from the likeliest with probability top_p.

    seeds: 63 bits for each row. start: how many tokens the padded prompts have.
    """

    def __init__(self, seeds: Sequence[int], *, temperature: float, top_p: float, start: int) -> None:
        self._seeds, self._temperature, self._top_p, self._start = seeds, temperature, top_p, start

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (rows x tokens) that are minus infinity but for the tokens drawn."""
        logits = truncated(scores, self._temperature, self._top_p)
        step = input_ids.shape[1] - self._start
        noise = gumbel(self._seeds, step, logits.shape[1], logits.device)
        drawn = (logits + noise).argmax(dim=1, keepdim=True).to(scores.device)
        return torch.full_like(scores, -math.inf).scatter_(1, drawn, 0)


def truncated(scores: Tensor, temperature: float, top_p: float) -> Tensor:
    """Logits (rows x tokens) in float64, minus infinity outside the likeliest tokens that make up top_p.

    The token at which top_p is reached is among them. Of equally likely ones the first come first.
    """
    device = torch.device("cpu") if scores.device.type == "mps" else scores.device  # which has no float64
    logits = scores.to(device).double() / temperature
    if top_p >= 1:
        return logits
    likely = logits.softmax(dim=1)
    most = likely.topk(min(_MANY, likely.shape[1])).values
    if bool((most.sum(dim=1) < top_p).any()):  # seldom: sorting a whole vocabulary is slow
        most = likely.sort(dim=1, descending=True).values
    kept = (most.cumsum(dim=1) - most < top_p).sum(dim=1, keepdim=True)
    least = most.gather(1, kept - 1)
    above, equal = likely > least, likely == least
    first = equal.cumsum(dim=1) <= kept - above.sum(dim=1, keepdim=True)
    return logits.masked_fill(~(above | (equal & first)), -math.inf)


def gumbel(seeds: Sequence[int], step: int, tokens: int, device: torch.device) -> Tensor:
    """Gumbel noise (rows x tokens), float64, by a hash of seed, step and token (splitmix64's)."""
    rows = torch.tensor([[seed] for seed in seeds], dtype=torch.long, device=device)
    steps = torch.full_like(rows, step + 1)
    keys = _mixed(_mixed(rows + _GOLDEN) + steps * _GOLDEN)
    counts = torch.arange(1, tokens + 1, dtype=torch.long, device=device)
    whole = _shifted(_mixed(keys + counts * _GOLDEN), 64 - _BITS)
    uniform = (whole.double() + 0.5) * 2.0**-_BITS  # neither 0 nor 1
    return -(-uniform.log()).log()


def _mixed(words: Tensor) -> Tensor:
    """splitmix64's finaliser, of 64-bit words."""
    words = (words ^ _shifted(words, 30)) * _FIRST
    words = (words ^ _shifted(words, 27)) * _SECOND
    return words ^ _shifted(words, 31)


def _shifted(words: Tensor, bits: int) -> Tensor:
    """To the right, with zeros on the left, as if the numbers had no sign."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)
