"""What a steering is: which changes, to which places of a model, at which tokens, and who fitted it on what.

A Steering is a value: nothing here touches a model. Places have the names that features have:
"attention.i" is what attention adds to the residual stream in layer i, "layer.i" the residual stream as it
leaves layer i.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ShapeError
from brainbench.identity import fingerprint
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.steering_checks import digest, kept, number, require_facts
from brainbench.stimuli import Stimulus

Where = Literal["last", "prompt", "all"]
Role = Literal["brain", "control"]
WHERES: tuple[str, ...] = ("last", "prompt", "all")
# What a fit may have looked at. The last two concern the very items that are then steered: whoever used
# them knew what a test must not tell.
SIGHTS: tuple[str, ...] = ("responses", "behaviour", "labels", "own response", "own label")
ANY_OTHER = "*"  # the row for values of the key that have none of their own
SITE = re.compile(r"(attention|layer)\.(0|[1-9][0-9]{0,3})")
ORTHONORMAL = 1e-4  # how far a basis in single precision may be from orthonormal


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """Adds `strength` times a vector: x + strength * v.

    vector is (width), or (items x width) in a steering that differs between items. It is kept in single
    precision, so that what is saved is what was used. Raises ShapeError.
    """

    vector: FloatArray
    strength: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "vector", kept(self.vector, (1, 2), "The vector of an addition"))
        object.__setattr__(self, "strength", number(self.strength, "The strength of an addition"))

    @property
    def width(self) -> int:
        """Of the place that it changes."""
        return int(self.vector.shape[-1])

    @property
    def idle(self) -> bool:
        """Whether it changes nothing at all."""
        return self.strength == 0 or not self.vector.any()

    def scaled(self, strength: float) -> Addition:
        """The same with `strength` times its strength."""
        return replace(self, strength=self.strength * strength)


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """Amplifies or damps a subspace: x + (gain - 1) B'B (x - mean).

    basis B (k x width) has orthonormal rows; gain 1 changes nothing, 0 removes what lies in the subspace.
    mean (width) is the point that stays where it is, the origin if None. Raises ShapeError.
    """

    basis: FloatArray
    gain: float
    mean: FloatArray | None = None

    def __post_init__(self) -> None:
        basis = kept(self.basis, (2,), "The basis of a gain")
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "gain", number(self.gain, "The gain of a subspace"))
        wide = basis.astype(np.float64)
        if np.abs(wide @ wide.T - np.eye(len(wide))).max() > ORTHONORMAL:
            raise ShapeError("The basis of a gain must have orthonormal rows.")
        if self.mean is not None:
            mean = kept(self.mean, (1,), "The mean of a gain")
            if mean.shape != basis.shape[1:]:
                raise ShapeError(f"The mean of a gain has width {len(mean)}, its basis {basis.shape[1]}.")
            object.__setattr__(self, "mean", mean)

    @property
    def width(self) -> int:
        """Of the place that it changes."""
        return int(self.basis.shape[1])

    @property
    def idle(self) -> bool:
        """Whether it changes nothing at all."""
        return self.gain == 1

    def scaled(self, strength: float) -> Gain:
        """The same with `strength` times as much change: a gain of 1 + strength * (gain - 1)."""
        return replace(self, gain=1 + strength * (self.gain - 1))


Change = Addition | Gain
Names = Mapping[str, str]  # of one stimulus or document: its id under "", its conditions under their names


def names_of(stimulus: Stimulus) -> Names:
    """By what the rows of a steering can be told for a stimulus."""
    return {**{name: str(value) for name, value in stimulus.conditions.items()}, "": stimulus.id}


@dataclass(frozen=True, slots=True, eq=False)
class Steering:
    """Changes by place, the tokens at which they act, and where they come from.

    where: "last" acts at the last token of the prompt, the one whose output is the answer; "prompt" at
    every token of the prompt; "all" also at those that are generated or scored after it.
    items: empty, or what the rows of (items x width) vectors belong to: ids of stimuli, where key is "";
    otherwise values of the stimuli's condition (the task's column) of that name, and "*" for any other. What
    belongs to no row is left as it is.
    looks_at: what the fit has seen (SIGHTS). facts: plain JSON on who fitted it on what.
    Raises ShapeError for what could not be applied or kept.
    """

    changes: Mapping[str, Change]
    where: Where = "last"
    items: tuple[str, ...] = ()
    looks_at: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    def __post_init__(self) -> None:
        if self.where not in WHERES:
            raise ShapeError(f"A steering acts at one of {', '.join(WHERES)}, not at {self.where!r}.")
        if unknown := [sight for sight in self.looks_at if sight not in SIGHTS]:
            raise ShapeError(f"A steering cannot have looked at {unknown[0]!r}; known: {', '.join(SIGHTS)}.")
        if not all(isinstance(i, str) and i for i in self.items) or len(set(self.items)) != len(self.items):
            raise ShapeError("The items of a steering must be different ids.")
        if not isinstance(self.key, str) or (self.key and not self.items):
            raise ShapeError("The key of a steering must be a word, and says nothing without items.")
        if len(set(self.looks_at)) != len(self.looks_at):
            raise ShapeError("A steering names twice what its fit has seen.")
        require_facts(self.facts)
        for site, change in self.changes.items():
            self._check_change(site, change)
        object.__setattr__(self, "looks_at", tuple(sorted(self.looks_at, key=SIGHTS.index)))
        object.__setattr__(self, "items", tuple(self.items))
        object.__setattr__(self, "changes", dict(self.changes))

    def _check_change(self, site: str, change: Change) -> None:
        if not isinstance(site, str) or SITE.fullmatch(site) is None:
            raise ShapeError(f"{site!r} is no place of a model; places are called attention.3 or layer.3.")
        if not isinstance(change, Addition | Gain):
            raise ShapeError(f"The change at {site} must be an Addition or a Gain.")
        if isinstance(change, Addition):
            rows = (len(self.items),) if self.items else ()
            if change.vector.shape[:-1] not in {(), rows}:
                raise ShapeError(
                    f"The addition at {site} has {len(change.vector)} rows for {len(self.items)} items."
                )

    @property
    def idle(self) -> bool:
        """Whether it changes nothing at all: such a steering is bit-identical to none."""
        return all(change.idle for change in self.changes.values())

    def row(self, names: Names) -> int | None:
        """Which row of the vectors steers what has these names; 0 where there is one for all."""
        if not self.items:
            return 0
        value = names.get(self.key, "")
        if self.key and value not in self.items:
            value = ANY_OTHER
        return self.items.index(value) if value in self.items else None

    @property
    def oracle(self) -> bool:
        """Whether the fit has seen what a test must not tell: never to be ranked beside an honest one."""
        return any(sight.startswith("own ") for sight in self.looks_at)

    @property
    def held_out(self) -> bool:
        """Whether each item's row was fitted without that item, as `facts` say."""
        return bool(self.items) and not self.key and self.facts.get("held_out") is True

    @property
    def fitted_on(self) -> frozenset[str] | None:
        """The items that the fit has seen, as `facts` say; None where that is not known.

        What has looked at nothing has seen none, unless it was imported: nobody knows where that comes from.
        """
        if "fitted_on" in self.facts:
            return frozenset(self.facts["fitted_on"])
        return None if self.looks_at or "imported" in self.facts else frozenset()

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything in it, as 64 hexadecimal digits."""
        arrays = {name: digest(array) for name, array in self.arrays().items()}
        return fingerprint([self.form(), arrays])

    def scaled(self, strength: float) -> Steering:
        """The same with `strength` times as much change everywhere; 0 changes nothing."""
        number(strength, "A strength")
        return replace(self, changes={site: change.scaled(strength) for site, change in self.changes.items()})

    def form(self) -> dict[str, Any]:
        """Everything but the arrays, as plain JSON."""
        changes: dict[str, dict[str, Any]] = {}
        for site, change in self.changes.items():
            if isinstance(change, Addition):
                changes[site] = {"kind": "addition", "strength": change.strength}
            else:
                changes[site] = {"kind": "gain", "gain": change.gain, "mean": change.mean is not None}
        return {
            "where": self.where,
            "key": self.key,
            "items": list(self.items),
            "looks_at": list(self.looks_at),
            "facts": json.loads(json.dumps(dict(self.facts))),
            "changes": changes,
        }

    def arrays(self) -> dict[str, FloatArray]:
        """The arrays by name: "layer.3/vector", "layer.3/basis", "layer.3/mean"."""
        named: dict[str, FloatArray] = {}
        for site, change in self.changes.items():
            if isinstance(change, Addition):
                named[f"{site}/vector"] = change.vector
            else:
                named[f"{site}/basis"] = change.basis
                if change.mean is not None:
                    named[f"{site}/mean"] = change.mean
        return named


@runtime_checkable
class Steerable(Protocol):
    """An open model to which a Steering can be applied."""

    def steered(self, steering: Steering, /) -> AbstractContextManager[OpenModel]:
        """The same model, steered until the context is left; raises ModelError where it does not fit."""
        ...


@runtime_checkable
class Fits(Protocol):
    """What an intervention that fits a Steering has besides `apply`, so that its strength can be chosen.

    strengths: what to multiply the fitted steering by, of which the best on a task's validation set is
    taken; empty where it is applied as it was fitted. role: whether it learns from people's own responses to
    these items, or is a control for one that does.
    """

    @property
    def strengths(self) -> tuple[float, ...]:
        """To choose from, each once."""
        ...

    @property
    def role(self) -> Role:
        """Decides what it is compared with."""
        ...

    def fit(self, model: OpenModel, dataset: BrainDataset, reporter: Reporter, /) -> Steering | Skip:
        """The steering at strength 1, or why there is none."""
        ...
