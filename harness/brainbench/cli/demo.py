"""What `brainbench run` does when nobody says what: the choice, and what is said of it afterwards."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainbench.text import plain

if TYPE_CHECKING:
    from rich.console import Console

    from brainbench.nouns import BrainDataset

TRAINED = "brainbench/tiny"
TWIN = f"untrained:{TRAINED}"
DATASETS = ("simulated-deduction", "simulated-creativity")
REAL_DATASET = "deduction"
ROBUST = "robust"
REAL_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"

Row = Mapping[str, Any]


def choose(
    models: Sequence[str], datasets: Sequence[str], asked: bool
) -> tuple[Sequence[str], Sequence[str]]:
    """The models and datasets asked for; where nothing is asked for, those that `run --help` promises.

    asked: whether models are to be asked something, for which no dataset need be named.
    """
    unnamed = () if asked else (REAL_DATASET,) if models else DATASETS
    return models or (TRAINED, TWIN), datasets or unnamed


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph of the closing; what is `whole` (a path, a command) is never broken into lines."""

    heading: str
    words: str
    whole: bool = False


def main_rows(rows: Sequence[Row]) -> list[Row]:
    """What the demo shows: of a metric with a robust protocol that one alone; the board has them all."""
    robust = {(row["dataset"], row["metric"]) for row in rows if row["protocol"] == ROBUST}
    return [row for row in rows if row["protocol"] == ROBUST or (row["dataset"], row["metric"]) not in robust]


def closing(
    datasets: Sequence[BrainDataset], rows: Sequence[Row], store: Path, page: Path, *, anew: bool
) -> list[Note]:
    """What a newcomer wants to know after the demo; `anew` is False when all was there before."""
    names = " and ".join(dataset.name for dataset in datasets)
    said = (
        f"{TRAINED}, a small language model that comes with brainbench, and its untrained twin (the same "
        f"network with random weights), every layer against {names}. These are SIMULATED: nobody was "
        "scanned, and what is in them to be found is known."
    )
    before = "" if anew else " Nothing was computed anew: all results were there from an earlier run."
    by_name = sorted(datasets, key=lambda dataset: dataset.name)  # as the tables are
    meanings = [words for dataset in by_name if (words := meaning(dataset, rows))]
    return [
        Note("What was run", said + before),
        Note("What it says", meanings[0] if meanings else "Nothing: no scores of both models to compare."),
        *(Note("", words) for words in meanings[1:]),
        Note("Results", f"{store} (again: {program()} board)", whole=True),
        Note("Page", page.absolute().as_uri(), whole=True),
        Note("Next", f"{program()} run --model {REAL_MODEL}", whole=True),
        Note("", "scores a real model on the fMRI of ten people; fetches the model, and 13 MB of data."),
    ]


def show(notes: Sequence[Note], console: Console) -> None:
    """Print the closing, headings to the left."""
    from rich.table import Table
    from rich.text import Text

    console.print()
    for note in notes:
        heading = Text(f"{note.heading:<14}", style="bold")
        if note.whole:
            console.print(heading.append(plain(note.words), style="not bold"), soft_wrap=True)
        else:
            grid = Table.grid()
            grid.add_row(heading, Text(plain(note.words)))
            console.print(grid)


def meaning(dataset: BrainDataset, rows: Sequence[Row]) -> str:
    """One sentence, read from the scores: both models where a signal is planted, and where none is.

    Empty where a score is missing. What is planted is the dataset's `truth`; of one without, all that is
    known is that its first region is the main one.
    """
    shares = _planted(dataset)
    (region, items), planted = max(shares.items(), key=lambda found: found[1])
    pair = _pair(rows, dataset.name, region, items)
    if pair is None:
        return ""
    trained, twin = pair
    where = f" ({items} items), where a signal is planted," if planted else f" ({items} items)"
    sentence = (
        f"{dataset.name}: in region {region}{where} the trained model scores {trained['score']:.3f}"
        f"{_limit(trained)} in {trained['metric']}/{trained['protocol']}{_compared(trained)}; "
        f"its untrained twin scores {twin['score']:.3f}"
    )
    empty = next(
        (name for (name, of), share in shares.items() if of == items and planted and not share), None
    )
    pair = _pair(rows, dataset.name, empty, items) if empty else None
    if pair is None:
        return f"{sentence}."
    chance = " and ".join(f"{row['score']:.3f}" for row in pair)
    why = "by chance" if trained["protocol"] == ROBUST else "by chance and the choice of a layer"
    return f"{sentence}; in {empty}, where none is, they reach {chance}, {why}."


def _planted(dataset: BrainDataset) -> dict[tuple[str, str], float]:
    """By region and set of items, the share of the responses that a model could explain."""
    truth = getattr(dataset, "truth", None)
    pairs = [(region, items.name) for items in dataset.item_sets for region in dataset.regions]
    return {pair: float(truth(*pair).share) if truth else 0.0 for pair in pairs}


def _pair(rows: Sequence[Row], dataset: str, region: str, items: str) -> tuple[Row, Row] | None:
    """The rows of both models for one question, under the first metric that has both, robust if it can be."""
    by_metric: dict[str, dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: row["protocol"] != ROBUST):
        here = (row["dataset"], row["region"], row["item_set"]) == (dataset, region, items)
        if here and row["outcome"] == "scores":
            by_metric.setdefault(f"{row['metric']}/{row['protocol']}", {})[row["model"]] = row
    both = [found for found in by_metric.values() if TRAINED in found and TWIN in found]
    return (both[0][TRAINED], both[0][TWIN]) if both else None


def _compared(trained: Row) -> str:
    """How a score stands to the best dull predictor, by the paired interval; empty where there is none."""
    by, low, high = (trained.get(name) for name in ("above_by", "above_low", "above_high"))
    if by is None or low is None:
        return ""
    how = "not" if by <= 0 else "clearly" if low > 0 else "not clearly"
    name = str(trained["above"]).removeprefix("baseline:")
    return f", {how} above the best dull predictor, {name} ({by:+.3f} [{low:.3f}, {high:.3f}])"


def _limit(row: Row) -> str:
    ceiling = row["ceiling"] if row["ceiling_like_for_like"] is None else row["ceiling_like_for_like"]
    return "" if ceiling is None else f" (ceiling {ceiling:.3f})"


def program() -> str:
    """What to type for brainbench here: after `make demo` it is not on the path."""
    typed = Path(sys.argv[0])
    return str(typed) if typed.name == "brainbench" and shutil.which("brainbench") is None else "brainbench"
