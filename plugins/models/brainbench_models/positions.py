"""At which tokens of the current pass a steering acts.

A network sees batches of padded rows and, with a cache, only the newest tokens. Where prompts end is told
by whoever made the batch, through `positions`; failing that by the attention mask of the pass over the
prompt. Without either nothing is guessed: lm-eval scores continuations in right-padded batches without a
mask, and the last token of such a row is padding or belongs to the answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brainbench.errors import ModelError
from brainbench.steering import Names, Where

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class _Told:
    ends: tuple[int, ...]
    names: tuple[Names, ...]


_TOLD: ContextVar[_Told | None] = ContextVar("positions", default=None)


@contextmanager
def positions(ends: Sequence[int], names: Sequence[Names] = ()) -> Iterator[None]:
    """Tell the steering of any model where the prompts end in the batches run inside this context.

    ends: for each row the position after its prompt's last token, counted in the padded row, the tokens in
    the cache included. In a right-padded row that is the prompt's length (of a row that holds a prompt of p
    tokens and a continuation to be scored: p); in rows padded on the left all are the padded length.
    names: for each row what it is known by, which a steering that differs between items needs.
    Costs nothing where no model is steered.
    """
    if names and len(names) != len(ends):
        raise ModelError(f"{len(names)} items were named for {len(ends)} rows.")
    token = _TOLD.set(_Told(tuple(int(end) for end in ends), tuple(names)))
    try:
        yield
    finally:
        _TOLD.reset(token)


class Prompts:
    """Finds the prompts' ends in batches that another made of known prompts and continuations.

    lm-eval sorts, groups and pads token ids before it hands them over: which row is which can be told by
    their tokens alone. A row holds a prompt and all of its continuation but the last token, padded on the
    right with one token.
    """

    def __init__(
        self, pairs: Iterable[tuple[Sequence[int], Sequence[int]]], names: Sequence[Names] = ()
    ) -> None:
        """From token ids of (prompt, continuation), and what each pair is known by if need be."""
        self._known: dict[tuple[int, ...], tuple[int, Names]] = {}
        for number, (prompt, continuation) in enumerate(pairs):
            item: Names = names[number] if names else {}
            row = (*prompt, *continuation[:-1])
            if self._known.setdefault(row, (len(prompt), item)) != (len(prompt), item):
                raise ModelError(
                    "Two prompts with their answers are the same tokens, so that a steering cannot tell "
                    "where the prompt ends, or whose it is."
                )
        self._lengths = sorted({len(tokens) for tokens in self._known}, reverse=True)
        self._named = bool(names)

    def ends(self, rows: Tensor) -> tuple[list[int], list[Names]]:
        """What `positions` takes, for a batch of ids (rows x tokens); ModelError for an unknown row."""
        found = [self._find(tuple(row)) for row in rows.tolist()]
        names = [item for _, item in found] if self._named else []
        return [end for end, _ in found], names

    def to_write_on(self, rows: Tensor) -> tuple[list[int], list[Names]]:
        """The same for prompts padded on the left, which all end where the batch does."""
        back = [tuple(reversed(row)) for row in rows.tolist()] if self._named else []
        return [rows.shape[1]] * len(rows), [self._find(row)[1] for row in back]

    def _find(self, row: tuple[int, ...]) -> tuple[int, Names]:
        for length in self._lengths:
            if length <= len(row) and len(set(row[length:])) <= 1 and row[:length] in self._known:
                return self._known[row[:length]]
        raise ModelError(
            "A batch holds a row that is none of the prompts and answers that were to be scored.",
            hint="Prompts that are too long are cut off by lm-eval, and cannot be steered then.",
        )


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass through a network: its batch and tokens, and the tokens at which is steered.

    at: (batch x tokens) booleans, None for every token. idle: at none of them.
    """

    shape: tuple[int, int]
    at: Tensor | None
    names: tuple[Names, ...]
    idle: bool = False

    @classmethod
    def of(cls, network: nn.Module, where: Where, given: tuple[Any, ...], named: Mapping[str, Any]) -> Pass:
        """From the arguments of the network's forward; raises ModelError when no prompt's end is known."""
        import torch

        takes = inspect.signature(network.forward).parameters
        arguments = {**dict(zip(takes, given, strict=False)), **named}
        inputs = arguments.get("input_ids")
        if inputs is None:
            inputs = arguments["inputs_embeds"]
        batch, length = inputs.shape[:2]
        cache: Any = arguments.get("past_key_values")
        seen = int(cache.get_seq_length()) if hasattr(cache, "get_seq_length") else 0
        told = _TOLD.get()
        names = () if told is None else _repeated(told.names, batch)
        if where == "all":
            return cls((batch, length), None, names)
        if told is not None and told.ends:
            ends = torch.tensor(_repeated(told.ends, batch), device=inputs.device)
        elif seen:  # what follows a pass over the prompt is generated
            return cls((batch, length), None, names, idle=True)
        elif cache is not None and arguments.get("attention_mask") is None:
            # generate() leaves out a mask that masks nothing; an empty cache to fill says that it generates
            ends = torch.full((batch,), length, device=inputs.device)
        else:
            ends = _ends(arguments.get("attention_mask"), length)
        at = seen + torch.arange(length, device=inputs.device)[None]
        chosen = at == ends[:, None] - 1 if where == "last" else at < ends[:, None]
        return cls((batch, length), chosen, names, idle=not bool(chosen.any()))


def _repeated(rows: tuple[Any, ...], batch: int) -> tuple[Any, ...]:
    """A row each for the whole batch: beams and samples of one prompt stand beside each other."""
    if not rows:
        return rows
    times, rest = divmod(batch, len(rows))
    if rest or not times:
        raise ModelError(f"The ends of {len(rows)} prompts were told for a batch of {batch} rows.")
    return tuple(row for row in rows for _ in range(times))


def _ends(mask: torch.Tensor | None, length: int) -> Tensor:
    """After the last real token of each row (batch), 0 in a row without any."""
    import torch

    if not isinstance(mask, torch.Tensor) or mask.ndim != 2 or mask.shape[1] != length:
        raise ModelError(
            "The model was run without an attention mask and without word on where its prompts end, "
            "so that a steering of their tokens cannot find them.",
            hint='Run it inside brainbench_models.positions.positions, or steer at "all" tokens.',
        )
    counted = torch.arange(1, length + 1, device=mask.device)
    return (counted * (mask != 0)).amax(dim=1)
