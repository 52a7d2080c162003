"""How a model is run, and what decides what it computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brainbench.sampling import Sampling

Dtype = Literal["float32", "bfloat16", "float16"]
Pooling = Literal["last", "mean"]


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides a thing's numbers, as plain JSON facts.

    `resolved` is False when something could not be pinned down (a hub revision without a network, say):
    then the cell is run, but its result is never taken for another run's.
    """

    facts: Mapping[str, Any]
    resolved: bool = True


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is to be run. Each model decides which of these belong to its identity.

    pooling: "last" reads the last input token, "mean" averages over the item's content tokens.
    device "auto" takes an accelerator when there is one; batch_size None lets the model choose.
    `seed` fixes whatever is random (the weights of an untrained model, say). `head`: tasks will be asked,
    for which a language model needs its head; no feature may depend on it. `sampling`: how its texts are
    drawn where it is to write any; no model's identity has it, as the harness adds it where it matters.
    """

    dtype: Dtype = "float32"
    pooling: Pooling = "last"
    device: str = "auto"
    batch_size: int | None = None
    seed: int = 0
    trust_remote_code: bool = False
    head: bool = False
    sampling: Sampling = field(default_factory=Sampling)
