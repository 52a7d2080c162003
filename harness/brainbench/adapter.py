"""What fine-tuning leaves: weights beside a model's own or in their place, and who learnt them on what.

An Adapter is a value: nothing here touches a model. Modules have the names that they have in the causal
language model of transformers: "model.layers.3.self_attn.q_proj".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from brainbench.arrays import FloatArray
from brainbench.errors import ShapeError
from brainbench.identity import fingerprint
from brainbench.nouns import OpenModel
from brainbench.steering import SIGHTS
from brainbench.steering_checks import digest, kept, number, require_facts

Kind = Literal["lora", "full"]
DOWN, UP = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Weights by name, in single precision.

    kind "lora" (Hu et al. 2021): for each module "<module>.lora_A.weight" (rank x inputs) and
    "<module>.lora_B.weight" (outputs x rank); the module's weights W (outputs x inputs) act as
    W + alpha / rank * B A. kind "full": "<module>.weight" and "<module>.bias", which take the place of the
    module's own. looks_at: what training has seen (steering.SIGHTS). facts: plain JSON on who learnt it on
    what. Raises ShapeError for what could not be applied or kept.
    """

    kind: Kind
    weights: Mapping[str, FloatArray]
    rank: int = 0
    alpha: float = 0.0
    looks_at: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ShapeError(f"An adapter is of kind {' or '.join(get_args(Kind))}, not {self.kind!r}.")
        if unknown := [sight for sight in self.looks_at if sight not in SIGHTS]:
            raise ShapeError(f"Training cannot have looked at {unknown[0]!r}; known: {', '.join(SIGHTS)}.")
        require_facts(self.facts)
        if not self.weights:
            raise ShapeError("An adapter without weights changes nothing.")
        made = {
            name: kept(array, (2,) if self.kind == "lora" else (1, 2), name)
            for name, array in sorted(self.weights.items())
        }
        object.__setattr__(self, "weights", made)
        object.__setattr__(self, "alpha", number(self.alpha, "The alpha of an adapter"))
        object.__setattr__(self, "looks_at", tuple(sorted(set(self.looks_at), key=SIGHTS.index)))
        if self.kind == "lora":
            self._require_pairs()

    def _require_pairs(self) -> None:
        if isinstance(self.rank, bool) or not isinstance(self.rank, int) or self.rank < 1:
            raise ShapeError(f"The rank of an adapter must be a whole number above 0, not {self.rank!r}.")
        for name in self.weights:
            if not name.endswith((DOWN, UP)):
                raise ShapeError(f"{name!r} is no weight of a LoRA adapter.")
        for module in self.modules:
            pair = [self.weights.get(f"{module}{end}") for end in (DOWN, UP)]
            if any(array is None for array in pair):
                raise ShapeError(f"The adapter has only one of the two matrices of {module}.")
            if pair[0].shape[0] != self.rank or pair[1].shape[1] != self.rank:  # type: ignore[union-attr]
                raise ShapeError(f"The matrices of {module} are not of rank {self.rank}.")

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the modules that it changes."""
        ends = (DOWN, UP) if self.kind == "lora" else (".weight", ".bias")
        found = [name.removesuffix(end) for name in self.weights for end in ends if name.endswith(end)]
        return tuple(dict.fromkeys(found))

    @property
    def idle(self) -> bool:
        """Whether it is known to change nothing: of a LoRA one matrix of each pair is zero."""
        return self.kind == "lora" and not any(
            self.weights[f"{module}{DOWN}"].any() and self.weights[f"{module}{UP}"].any()
            for module in self.modules
        )

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return sum(array.size for array in self.weights.values())

    @property
    def fitted_on(self) -> frozenset[str] | None:
        """The items that training has seen, as `facts` say; None where that is not known."""
        return frozenset(self.facts["fitted_on"]) if "fitted_on" in self.facts else None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything in it but how long it took, as 64 hexadecimal digits."""
        form = self.form()
        if isinstance(form["facts"].get("training"), dict):  # the same training is never as long again
            form["facts"]["training"].pop("seconds", None)
        return fingerprint([form, {name: digest(array) for name, array in self.weights.items()}])

    def form(self) -> dict[str, Any]:
        """Everything but the weights, as plain JSON."""
        return {
            "kind": self.kind,
            "rank": self.rank,
            "alpha": self.alpha,
            "looks_at": list(self.looks_at),
            "facts": json.loads(json.dumps(dict(self.facts))),
        }

    def told(self, **facts: Any) -> Adapter:
        """The same with more facts."""
        return replace(self, facts={**self.facts, **facts})


@runtime_checkable
class Adaptable(Protocol):
    """An open model to which an Adapter can be applied."""

    def adapted(self, adapter: Adapter, /) -> AbstractContextManager[OpenModel]:
        """The same model with the adapter in it until the context is left, then bit-identical to before.

        Raises ModelError where it does not fit, before anything is changed.
        """
        ...


@runtime_checkable
class Saves(Protocol):
    """An open model that can be written to disk with an adapter in its weights."""

    def save_with(self, adapter: Adapter, folder: Path, /) -> None:
        """Write a model folder of its own, which opens without the adapter; the open model is left as it is.

        Raises ModelError where the adapter does not fit, or the folder holds something already.
        """
        ...
