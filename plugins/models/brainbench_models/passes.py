"""One pass of prompts through a network with its head: the words' log-probabilities, attention's outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brainbench.errors import ModelError
from brainbench.steering import Names
from brainbench.tuning import Outputs
from brainbench_models.architectures import Block
from brainbench_models.extraction import Batch, filler_of
from brainbench_models.positions import positions
from brainbench_models.prompts import Prompt

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedModel


@dataclass(frozen=True, eq=False)
class Passes:
    """A causal model and prompts to give it; blocks: by place ("attention.3"), those that are read."""

    causal: PreTrainedModel
    base: PreTrainedModel
    blocks: Mapping[str, Block]
    prompts: Sequence[Prompt]
    names: Sequence[Names]
    tokens: Sequence[int]
    device: torch.device

    @property
    def sites(self) -> tuple[str, ...]:
        """The places whose states are given."""
        return tuple(self.blocks)

    @property
    def lengths(self) -> list[int]:
        """Each prompt's, in tokens."""
        return [len(prompt.ids) for prompt in self.prompts]

    def forward(self, rows: Sequence[int]) -> Outputs:
        """What comes out for these prompts, as one batch; raises ModelError for what cannot be read."""
        import torch

        chosen = [self.prompts[row] for row in rows]
        batch = Batch.pad(chosen, "last", filler_of(self.causal), self.device)
        told = positions([len(prompt.ids) for prompt in chosen], [self.names[row] for row in rows])
        whole: dict[str, Tensor] = {}
        takes = inspect.signature(self.causal.forward).parameters
        more = {"use_cache": False} if "use_cache" in takes else {}
        with told, self._listening(batch, whole), self._only_last(batch):
            logits = self.causal(input_ids=batch.ids, attention_mask=batch.mask, **more).logits
        if missing := [site for site in self.blocks if site not in whole]:
            raise ModelError(f"The network ran without passing through {missing[0]}.")
        likely = torch.log_softmax(logits[:, 0].float(), dim=-1)
        states = {site: batch.pool(whole[site]) for site in self.blocks}
        return Outputs(likely[:, list(self.tokens)], states)

    @contextmanager
    def _only_last(self, batch: Batch) -> Iterator[None]:
        """Give the head the last token's state alone: (prompts x 1 x width), with all that it does to it."""
        import torch

        def pick(module: nn.Module, given: Any, output: Any) -> Any:
            hidden = output.last_hidden_state
            rows = torch.arange(len(hidden), device=hidden.device)
            output["last_hidden_state"] = hidden[rows, batch.last].unsqueeze(1)
            return output

        handle = self.base.register_forward_hook(pick)
        try:
            yield
        finally:
            handle.remove()

    @contextmanager
    def _listening(self, batch: Batch, whole: dict[str, Tensor]) -> Iterator[None]:
        """Keep each place's output (prompts x tokens x width).

        Nothing is computed in here: a layer that is computed again on the way back would lack it.
        """

        def listener(site: str) -> Callable[[nn.Module, Any, Any], None]:
            def hook(module: nn.Module, given: Any, output: Any) -> None:
                hidden = output[0] if isinstance(output, (tuple, list)) else output
                if hidden.ndim != 3 or hidden.shape[:2] != batch.ids.shape:
                    raise ModelError(
                        f"The module {type(module).__name__} of {site} does not give one array "
                        f"(prompts x tokens x width) per pass, but {tuple(hidden.shape)}.",
                        hint="This architecture needs a model plugin of its own.",
                    )
                whole[site] = hidden

            return hook

        handles = [
            block.attention.register_forward_hook(listener(site)) for site, block in self.blocks.items()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
