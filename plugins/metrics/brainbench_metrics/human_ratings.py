"""People's responses in the Alternate Uses Task and how original human raters found them.

20,121 responses about 21 objects that Organisciak, Acar, Dumas and Berthiaume (2023, Thinking Skills and
Creativity 49:101356) brought together from nine studies, as their repository massivetexts/ocsai has them at
one commit (MIT licence), in their own split. A rating is the mean of several raters, from 1 (not at all) to 5
(very original). Which responses are of one person the files do not say.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any, Literal, get_args

from brainbench.errors import DataError
from brainbench.fetch import Repository, RepositoryFile, fetch
from brainbench.ideas import Rated, Response
from brainbench.nouns import Reporter

Split = Literal["train", "val", "test"]
SCALE = (1.0, 5.0)

_REPOSITORY = Repository("massivetexts/ocsai", "db5a3ee43c7e19bbcabdc0b0ac0ee8d6e51f9276")
_HASHES: dict[Split, str] = {
    "train": "7b2ed8fb8a1b3c98dbb86428c222c5806870ab73a280d6e664aee137bf05ddfd",
    "val": "a40bc78a5275ad274baeac7f410f7c1beb37e7913b138f5ef5fcfee8e15ccd9b",
    "test": "bab9bf8fc28c27113a7d4d55e8f718edbad02214d14d53d98e8c78f07b3a4068",
}
_START, _MIDDLE, _END = "AUT Prompt:", "\nResponse:", "\nScore:\n"
_WRONG_FILE_HINT = "The file is not the published one: remove it from the cache, or correct the mirror."


def file_of(split: Split) -> RepositoryFile:
    """The file of a split."""
    return RepositoryFile(
        _REPOSITORY, f"data/ocsai1/finetune-gt_main2_prepared_{split}.jsonl", _HASHES[split]
    )


def data_hash(*splits: Split) -> str:
    """One sha256 of what these splits hold."""
    return hashlib.sha256("\n".join(_HASHES[split] for split in sorted(splits)).encode()).hexdigest()


def ratings(split: Split, reporter: Reporter) -> tuple[Rated, ...]:
    """The responses of a split with their ratings, in the file's order; fetched if need be.

    Raises DataError when they cannot be had.
    """
    (path,) = fetch([file_of(split)], reporter)
    return _read(path)


def held_out(reporter: Reporter) -> tuple[Rated, ...]:
    """The test split without the responses that its other splits hold, too, about the same object.

    109 of the 3,030 are such, in any case and spacing: two people had the same idea. A scorer that learnt
    from the one would know the other by heart. Raises DataError as `ratings`.
    """
    known = {same_words(rated.response) for split in ("train", "val") for rated in ratings(split, reporter)}
    return tuple(rated for rated in ratings("test", reporter) if same_words(rated.response) not in known)


def same_words(response: Response) -> tuple[str, str]:
    """What two responses share that differ in nothing but case and spaces."""
    return " ".join(response.about.casefold().split()), " ".join(response.text.casefold().split())


@functools.lru_cache(maxsize=len(get_args(Split)))
def _read(path: Path) -> tuple[Rated, ...]:
    lines = path.read_text("utf-8").split("\n")
    return tuple(_rated(line, f"line {at} of {path.name}") for at, line in enumerate(lines, 1) if line)


def _rated(line: str, where: str) -> Rated:
    try:
        held: dict[str, Any] = json.loads(line)
        prompt, rating = str(held["prompt"]), int(held["completion"]) / 10
        about, middle, text = prompt.removeprefix(_START).removesuffix(_END).partition(_MIDDLE)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"The ratings cannot be read: {where}.", hint=_WRONG_FILE_HINT) from error
    whole = prompt.startswith(_START) and prompt.endswith(_END) and middle
    if not whole or not SCALE[0] <= rating <= SCALE[1]:
        raise DataError(f"The ratings hold something else in {where}.", hint=_WRONG_FILE_HINT)
    return Rated(Response(about, text), rating)
