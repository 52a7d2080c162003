"""Bring a hub model's weights into the hub's cache, with progress; loading then finds them there."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from brainbench.nouns import Reporter

_WHOLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_MEGABYTE = 1_000_000


def fetch_weights(repo: str, commit: str, reporter: Reporter) -> None:
    """Fetch the safetensors files that loading will read, and no other copies that lie beside them.

    Says nothing of what goes wrong: loading meets the same trouble and explains it, and without a network
    it may find everything in the cache.
    """
    with suppress(Exception):
        sizes = _sizes(repo, commit)
        if missing := {name: size for name, size in sizes.items() if not _is_cached(repo, commit, name)}:
            _fetch(repo, commit, missing, reporter)


def _sizes(repo: str, commit: str) -> dict[str, int]:
    """The weight files and their sizes in bytes."""
    from huggingface_hub import HfApi, hf_hub_download

    files = HfApi().model_info(repo, revision=commit, files_metadata=True, timeout=10).siblings or []
    listed = {file.rfilename: file.size or 0 for file in files}
    if _WHOLE in listed:
        return {_WHOLE: listed[_WHOLE]}
    index = json.loads(Path(hf_hub_download(repo, _INDEX, revision=commit)).read_text())
    return {name: listed.get(name, 0) for name in sorted(set(index["weight_map"].values()))}


def _is_cached(repo: str, commit: str, name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repo, name, revision=commit), str)


def _fetch(repo: str, commit: str, sizes: dict[str, int], reporter: Reporter) -> None:
    from huggingface_hub import hf_hub_download

    total = sum(sizes.values()) // _MEGABYTE
    with reporter.task(f"Fetching {repo} (MB)", max(total, 1)) as advance:
        bar = _megabyte_bar(advance)
        for name in sizes:
            hf_hub_download(repo, name, revision=commit, tqdm_class=bar)


def _megabyte_bar(advance: Callable[[int], None]) -> type[Any]:
    """A class of hub progress bars that draw nothing and report whole megabytes."""
    from tqdm import tqdm

    left_over = 0.0

    class MegabyteBar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)  # the hub's own bars know groups
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            nonlocal left_over
            left_over += n or 0
            whole, left_over = divmod(left_over, _MEGABYTE)
            advance(int(whole))

    return MegabyteBar
