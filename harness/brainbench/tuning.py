"""Fine-tuning as protocols: models that can be trained, what is trained in them, and who trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from brainbench.adapter import Adapter, Kind
from brainbench.arrays import FloatArray
from brainbench.nouns import BrainDataset, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.steering import Role
from brainbench.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor, nn

    from brainbench.checkpoints import Checkpoint


@dataclass(frozen=True, slots=True)
class Form:
    """Which weights are trained: of attention in the middle half of the layers (L/4 up to 3L/4) or in all.

    kind "lora": a pair of matrices of this rank beside each of attention's projections; "full": attention's
    own weights. batch: items at once, 0 for as many as the model's options say, or as fit; its halves are
    tried when memory runs out.
    recompute: keep no activations of a layer but compute them again (slower, in less memory).
    """

    kind: Kind = "lora"
    rank: int = 8
    alpha: float = 16.0
    every_layer: bool = False
    batch: int = 0
    recompute: bool = False


@dataclass(frozen=True)
class Outputs:
    """What comes out of the network for some prompts, at the last token, whose output is the answer.

    log_likelihoods (prompts x words): log-probability of each word's own token, over the whole vocabulary.
    states: place ("attention.3") -> (prompts x width), of the layers that are trained. All float32.
    """

    log_likelihoods: Tensor
    states: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Cost:
    """What training is expected to take: numbers trained, bytes in all and bytes free, seconds a pass.

    needed: beside the model itself, which is in memory already. A pass is all prompts forwards and backwards.
    """

    trained: int
    needed: int
    free: int
    batch: int
    pass_seconds: float


Loss = Callable[[Sequence[int], Outputs], "Tensor"]  # of these prompts: the sum over them, a scalar


class Trainee(Protocol):
    """A network in training on fixed prompts, which are known by their positions."""

    @property
    def parameters(self) -> Mapping[str, nn.Parameter]:
        """What is trained, in float32, by an Adapter's names."""
        ...

    @property
    def sites(self) -> tuple[str, ...]:
        """The places whose states are given."""
        ...

    @property
    def model(self) -> OpenModel:
        """The model as it is now, to be asked."""
        ...

    @property
    def batch(self) -> int:
        """How many prompts it takes at once."""
        ...

    def cost(self, rows: Sequence[int], /) -> Cost:
        """What to expect of these prompts; tries the longest once, and changes nothing.

        Raises ModelError, which says what would fit, where memory does not suffice.
        """
        ...

    def outputs(self, rows: Sequence[int], /) -> Outputs:
        """Without gradients, in the rows' order."""
        ...

    def gradients(self, rows: Sequence[int], loss: Loss, /, *, scale: float = 1.0) -> float:
        """Put into each parameter's `grad` that of scale * loss over these rows, nothing else; that value.

        When memory runs out, fewer prompts at once are tried. Raises ModelError when one is too many.
        """
        ...

    def weights(self) -> dict[str, FloatArray]:
        """Copies of the parameters, float32."""
        ...

    def load(self, weights: Mapping[str, FloatArray], batch: int = 0, /) -> None:
        """Set the parameters, and how many prompts are taken at once unless 0; ShapeError."""
        ...


@runtime_checkable
class Trainable(Protocol):
    """An open model that can be trained."""

    def in_training(
        self, form: Form, stimuli: Sequence[Stimulus], words: tuple[str, ...], seed: int, /
    ) -> AbstractContextManager[Trainee]:
        """The network ready to be trained on these prompts; left bit-identical to before.

        seed: of whatever is drawn at the start. Raises ModelError for a model that has no head, or none of
        the projections that are to be trained, or prompts that do not fit.
        """
        ...


@runtime_checkable
class Tunes(Protocol):
    """What an intervention that trains a model has besides `apply`, so that the harness keeps its work.

    role: whether it learns from people's own responses to these items, or is a control for one that does.
    seed: of this training; the others of the same name differ in nothing else.
    """

    @property
    def role(self) -> Role:
        """Decides what it is compared with."""
        ...

    @property
    def seed(self) -> int:
        """Of what is drawn at random."""
        ...

    def tune(
        self, model: OpenModel, dataset: BrainDataset, reporter: Reporter, kept: Checkpoint | None, /
    ) -> Adapter | Skip:
        """What training leaves, or why there is none; the model itself is left as it was.

        kept: where to note how far it came, and to go on from. What comes out is the same, interrupted or
        not.
        """
        ...
