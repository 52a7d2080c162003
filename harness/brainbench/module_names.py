"""Many modules' names as few: "model.layers.1-2.self_attn.{q,k}_proj"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby


def grouped(modules: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Short names, and the modules that each stands for.

    The first number in a name is that of its layer. Layers that have the same modules share a name, and in
    it modules with the same parent.
    """
    layers: dict[tuple[str, int], list[str]] = {}
    alone: dict[str, tuple[str, ...]] = {}
    for module in modules:
        parts = module.split(".")
        at = next((i for i, part in enumerate(parts) if part.isdecimal() and part.isascii()), None)
        if at is None or len(parts[at]) > 4 or at == len(parts) - 1:
            alone[module] = (module,)
        else:
            layers.setdefault((".".join(parts[:at]), int(parts[at])), []).append(".".join(parts[at + 1 :]))
    alike: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    for (stack, layer), tails in layers.items():
        parents: dict[str, list[str]] = {}
        for tail in tails:
            parent, dot, leaf = tail.rpartition(".")
            parents.setdefault(parent + dot, []).append(leaf)
        for parent, names in parents.items():
            alike.setdefault((stack, parent, tuple(names)), []).append(layer)
    found = {}
    for (stack, parent, leaves), numbers in alike.items():
        start = f"{stack}." if stack else ""
        every = (f"{start}{number}.{parent}{leaf}" for number in numbers for leaf in leaves)
        found[f"{start}{_ranges(numbers)}.{parent}{_braces(leaves)}"] = tuple(every)
    return found | alone


def _ranges(numbers: Sequence[int]) -> str:
    """[1, 2, 3, 5] as "1-3,5"."""
    runs = []
    for _, run in groupby(enumerate(sorted(numbers)), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        runs.append(str(members[0]) if len(members) == 1 else f"{members[0]}-{members[-1]}")
    return ",".join(runs)


def _braces(leaves: Sequence[str]) -> str:
    """["q_proj", "k_proj"] as "{q,k}_proj"."""
    if len(leaves) == 1:
        return leaves[0]
    ends = {leaf.partition("_")[2] for leaf in leaves}
    end = f"_{ends.pop()}" if len(ends) == 1 and "" not in ends else ""
    return f"{{{','.join(leaf.removesuffix(end) for leaf in leaves)}}}{end}"
