"""How many prompts go through a network together: longest first, and fewer when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from brainbench.errors import ModelError
from brainbench_models import devices

if TYPE_CHECKING:
    import torch

# Where a batch stops to be faster per token: a processor's caches fill early, an accelerator's do not.
_TOKENS = {"cpu": 768}
_TOKENS_ACCELERATOR = 16384
_MOST_ITEMS = 256

T = TypeVar("T")


@dataclass
class Batching:
    """How many prompts go through the network together; keeps what it learnt when memory ran out.

    A fixed `size` is kept to; without one, a batch holds up to `tokens` tokens, padding included.
    """

    size: int | None
    tokens: int
    largest: int = field(default=0, init=False)

    @classmethod
    def start(cls, size: int | None, device: torch.device) -> Batching:
        """The first guess for a device."""
        return cls(size, _TOKENS.get(device.type, _TOKENS_ACCELERATOR))

    def take(self, longest: int) -> int:
        """The number of prompts in a batch whose longest prompt has this many tokens."""
        return self.size or min(max(self.tokens // longest, 1), _MOST_ITEMS)

    def shrink(self, count: int, longest: int) -> bool:
        """After a batch did not fit: half as much from now on; False if there is nothing to halve."""
        if self.size is not None or count == 1:
            return False
        self.tokens = (count // 2) * longest
        return True


def in_batches(
    lengths: Sequence[int],
    forward: Callable[[Sequence[int]], T],
    *,
    batching: Batching,
    device: torch.device,
    advance: Callable[[int], None],
) -> Iterator[tuple[list[int], T]]:
    """What `forward` makes of the prompts at these places, batch by batch: places, and what was made.

    lengths: each prompt's, in tokens. Batches are halved when memory runs out; raises ModelError when not
    even one prompt, or a batch of the size asked for, fits.
    """
    order = sorted(range(len(lengths)), key=lambda item: -lengths[item])  # longest first: fail early
    done = 0
    while done < len(order):
        longest = lengths[order[done]]
        items = order[done : done + batching.take(longest)]
        made = None
        try:
            made = forward(items)
        except (RuntimeError, MemoryError) as error:
            if not devices.out_of_memory(error):
                raise
            if not batching.shrink(len(items), longest):
                raise _too_large(len(items), longest, device) from error
        if made is None:  # only here, when the exception no longer holds the batch's tensors
            devices.release()
            continue
        batching.largest = max(batching.largest, len(items))
        yield items, made
        advance(len(items))
        done += len(items)


def _too_large(count: int, longest: int, device: torch.device) -> ModelError:
    what = "A single prompt" if count == 1 else f"A batch of {count} prompts"
    return ModelError(
        f"{what} of up to {longest} tokens does not fit into the memory of {device}.",
        hint="Use a smaller model or --dtype bfloat16."
        if count == 1
        else "Use a smaller --batch-size, or leave it out to have one found.",
    )
