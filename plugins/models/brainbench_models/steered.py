"""Apply a Steering to a network in memory, by forward hooks that always come off again.

Attention's output is changed after its output projection, before it is added to the residual stream; the
residual stream as it leaves the layer: the same places, by the same modules, from which features are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench.steering import SITE, Addition, Change, Names, Steering
from brainbench_models.architectures import Block
from brainbench_models.positions import Pass

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedModel

Hook = Callable[["nn.Module", Any, Any], Any]


@contextmanager
def steer(
    network: PreTrainedModel, blocks: Sequence[Block], steering: Steering, *, model: str
) -> Iterator[None]:
    """Steer every pass through the network until the context is left.

    What acts nowhere hooks nothing: zero strength is bit-identical to no steering, and so is every token at
    which is not steered, but for what reaches it from those that are. Steerings may be nested and act in
    the order in which they were entered. Raises ModelError where a place or a width does not fit, before
    anything is hooked, and in a pass in which the tokens or items cannot be told.
    """
    modules = {site: _module(blocks, site, model) for site in steering.changes}
    _require_width(network, steering, model)
    active = {site: change for site, change in steering.changes.items() if not change.idle}
    with ExitStack() as hooks:
        if active:
            current = _Current(steering)
            for root in {id(root): root for root in (network, network.base_model)}.values():
                hooks.callback(root.register_forward_pre_hook(current.enter, with_kwargs=True).remove)
            for site, change in active.items():
                apply = _applied(change, modules[site])
                hooks.callback(modules[site].register_forward_hook(current.hook(site, apply)).remove)
        yield


class _Current:
    """What is known of the pass under way."""

    def __init__(self, steering: Steering) -> None:
        self._where = steering.where
        self._steering = steering
        self._known: dict[str, int] = {}  # by the names' value of the steering's key: its row, -1 for none
        self._pass: Pass | None = None

    def enter(self, network: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self._pass = None  # whatever goes wrong here, the last pass is over
        self._pass = Pass.of(network, self._where, given, named)

    def hook(self, site: str, apply: Callable[[Tensor, Tensor | None], Tensor]) -> Hook:
        def steered(module: nn.Module, arguments: Any, output: Any) -> Any:
            now = self._pass
            hidden = output[0] if isinstance(output, (tuple, list)) else output
            if now is None or hidden.ndim != 3 or tuple(hidden.shape[:2]) != now.shape:
                raise ModelError(
                    f"What leaves {site} is not one array (prompts x tokens x width) of the batch that the "
                    f"network was given, but {tuple(hidden.shape)}.",
                    hint="This architecture needs a model plugin of its own.",
                )
            if now.idle:
                return None
            changed = self._restricted(now, hidden, apply)
            return type(output)([changed, *output[1:]]) if isinstance(output, (tuple, list)) else changed

        return steered

    def _restricted(self, now: Pass, hidden: Tensor, apply: Callable[..., Tensor]) -> Tensor:
        """The change at the pass's tokens, in the rows of the steering's items."""
        import torch

        at, rows = now.at, None
        if self._steering.items:
            rows = torch.tensor([self._row(names) for names in self._names(now)], device=hidden.device)
            known = (rows >= 0)[:, None].expand(now.shape)
            at = known if at is None else at & known
        changed = apply(hidden, rows)
        # chosen, not masked by zeros: what is not steered stays what it is, to the last bit
        return changed if at is None else torch.where(at.to(hidden.device).unsqueeze(-1), changed, hidden)

    def _row(self, names: Names) -> int:
        value = names.get(self._steering.key, "")
        if value not in self._known:
            row = self._steering.row(names)
            self._known[value] = -1 if row is None else row
        return self._known[value]

    @staticmethod
    def _names(now: Pass) -> tuple[Names, ...]:
        if not now.names:
            raise ModelError(
                "The steering differs between items, and the batch does not say which rows are which.",
                hint="Name the items in brainbench_models.positions.positions.",
            )
        return now.names


def _applied(change: Change, module: nn.Module) -> Callable[[Tensor, Tensor | None], Tensor]:
    """From hidden (batch x tokens x width), and each row's position among the items, to the changed."""
    device = next((weights.device for weights in module.parameters()), None)
    if isinstance(change, Addition):
        vector = _tensor(np.float32(change.strength) * change.vector, device)

        def add(hidden: Tensor, rows: Tensor | None) -> Tensor:
            vectors = vector.to(hidden.device, hidden.dtype)
            if rows is not None and vectors.ndim == 2:
                vectors = vectors[rows.clamp(min=0), None]
            return hidden + vectors

        return add
    gain, basis = change.gain, _tensor(change.basis, device)
    mean = None if change.mean is None else _tensor(change.mean, device)

    def stretch(hidden: Tensor, rows: Tensor | None) -> Tensor:
        wide, rows_of = hidden.float(), basis.to(hidden.device)
        centred = wide if mean is None else wide - mean.to(hidden.device)
        return (wide + (gain - 1) * (centred @ rows_of.T) @ rows_of).to(hidden.dtype)

    return stretch


def _tensor(array: FloatArray, device: torch.device | None) -> Tensor:
    import torch

    return torch.tensor(array, device=device)


def _module(blocks: Sequence[Block], site: str, model: str) -> nn.Module:
    match = SITE.fullmatch(site)
    assert match is not None  # a Steering has no other sites
    if int(match[2]) >= len(blocks):
        raise ModelError(
            f"The steering changes {site}, but the layers of {model} are 0 to {len(blocks) - 1}.",
            hint="It was fitted on another model.",
        )
    block = blocks[int(match[2])]
    return block.attention if match[1] == "attention" else block.layer


def _require_width(network: PreTrainedModel, steering: Steering, model: str) -> None:
    config: Any = network.config
    width = int(config.get_text_config().hidden_size)
    for site, change in steering.changes.items():
        if change.width != width:
            raise ModelError(
                f"The steering is {change.width} wide at {site}, but {model} is {width} wide.",
                hint="It was fitted on another model.",
            )
