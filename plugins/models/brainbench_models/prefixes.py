"""Ask again after a changed last token, without reading the prompt again.

A steering at the last token leaves all tokens before it what they were: their keys and values are computed
once for a prompt, and every further question costs one token.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from brainbench.steering import Names
from brainbench_models.positions import positions

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel

_MOST = 2**30  # bytes of keys and values that are kept

Row = tuple[int, ...]
Kept = list[tuple[Any, Any]]  # keys and values (heads x tokens x width) of each layer


class Prefixes:
    """Keys and values of prompts without their last tokens, for one network; with no room, of none."""

    def __init__(self, most: int = _MOST) -> None:
        self._kept: dict[Row, Kept] = {}
        self._most = self._room = most
        self._usable = most > 0

    def anew(self) -> Prefixes:
        """Empty, for the same network with other weights."""
        return Prefixes(self._most)

    def last_states(
        self, base: PreTrainedModel, rows: Sequence[Row], names: Sequence[Names], device: torch.device
    ) -> Tensor | None:
        """The last layer's states (rows x width) at the last tokens of rows of one length.

        None where that cannot be had so: no cache, one of another kind, or no room for it.
        """
        import torch
        from transformers import DynamicCache

        length = len(rows[0])
        takes = inspect.signature(base.forward).parameters
        if not self._usable or length < 2 or not {"past_key_values", "use_cache"} <= set(takes):
            return None
        # one row of each prompt, however often it is asked with different changes
        missing = list({row[:-1]: at for at, row in enumerate(rows) if row[:-1] not in self._kept}.values())
        if missing and not self._read(
            base, [rows[at] for at in missing], [names[at] for at in missing], device
        ):
            return None
        cache = DynamicCache()
        kept = [self._kept[row[:-1]] for row in rows]
        for layer in range(len(kept[0])):
            keys, values = (torch.stack([found[layer][part] for found in kept]) for part in (0, 1))
            cache.update(keys, values, layer)
        last = torch.tensor([row[-1:] for row in rows], device=device)
        mask = torch.ones(len(rows), length, dtype=torch.long, device=device)
        with positions([length] * len(rows), names):
            out: Any = base(input_ids=last, attention_mask=mask, past_key_values=cache, use_cache=True)
        states: Tensor = out.last_hidden_state[:, -1]
        return states

    def _read(
        self, base: PreTrainedModel, rows: Sequence[Row], names: Sequence[Names], device: torch.device
    ) -> bool:
        """Keep what these rows need; False where the cache does not hold keys and values of all tokens."""
        import torch

        ids = torch.tensor([row[:-1] for row in rows], device=device)
        with positions([ids.shape[1] + 1] * len(rows), names):  # the prompts' ends, which lie beyond these
            out: Any = base(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=True)
        layers = getattr(getattr(out, "past_key_values", None), "layers", None) or ()
        arrays: list[tuple[Any, Any]] = [
            (getattr(layer, "keys", None), getattr(layer, "values", None)) for layer in layers
        ]
        each = [array for pair in arrays for array in pair]
        self._usable = bool(each) and all(_is_whole(array, ids.shape[1]) for array in each)
        size = sum(array.numel() * array.element_size() for array in each) if self._usable else 0
        if not self._usable or size > self._room:
            return False
        self._room -= size
        for at, row in enumerate(rows):
            self._kept[row[:-1]] = [(keys[at].clone(), values[at].clone()) for keys, values in arrays]
        return True


def _is_whole(array: Any, tokens: int) -> bool:
    """Whether it is (rows x heads x tokens x width), nothing left out as sliding windows do."""
    import torch

    return isinstance(array, torch.Tensor) and array.ndim == 4 and array.shape[2] == tokens
