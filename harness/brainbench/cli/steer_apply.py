"""`brainbench steer apply`: try a kept steering on a few prompts."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console, installed, model_options
from brainbench.errors import UsageError
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench.arrays import FloatArray
    from brainbench.catalog import Catalog
    from brainbench.nouns import Reporter
    from brainbench.steering import Steering
    from brainbench.steering_trial import Prompt

TASK = "deduction_3"


def _finite(context: click.Context, option: click.Parameter, values: tuple[float, ...]) -> tuple[float, ...]:
    del context, option
    if wrong := [value for value in values if not math.isfinite(value)]:
        raise click.BadParameter(f"{wrong[0]} is no finite number.")
    return values


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@click.option("--model", required=True, help="org/name[@revision], a folder, ...")
@click.option(
    "--strength",
    "strengths",
    type=float,
    multiple=True,
    default=[1.0],
    show_default=True,
    callback=_finite,
    help="How many times as much as was kept; 0 is none at all, below 0 the other way; repeatable.",
)
@click.option(
    "--words",
    nargs=2,
    default=("True", "False"),
    show_default=True,
    help="The two words to choose between.",
)
@click.option("--task", help=f"Ask problems of this task; by default {TASK}.")
@click.option("--dataset", help="Ask items of this dataset instead.")
@click.option("--item", "items", multiple=True, help="The item of this id; repeatable.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=8, show_default=True, help="How many, where none is named."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@model_options
def apply(
    path: Path,
    prompt: str | None,
    strengths: tuple[float, ...],
    words: tuple[str, str],
    as_json: bool,
    **chosen: Any,
) -> None:
    """Try a steering on prompts: which of two words is likelier without it and with it.

    PATH is as for `brainbench steer show`. PROMPT is a text, or - for standard input; a chat model gets it
    as the user's turn. Without one, a few problems are asked. The numbers are log-odds, log p(first word) -
    log p(second).
    """
    words = _two(words)
    from brainbench.steering_reading import read

    steering = read(path)
    catalog = installed()
    from brainbench.cli.progress import BarReporter
    from brainbench.nouns import ModelOptions
    from brainbench.steering_trial import log_odds

    names = ("dtype", "device", "batch_size", "seed", "trust_remote_code")
    options = ModelOptions(**{name: chosen[name] for name in names}, head=True)
    model = catalog.find_model(chosen["model"])
    with BarReporter(console(stderr=True)) as reporter:
        prompts = _prompts(catalog, prompt, chosen, reporter)
        with model.open(options, reporter) as opened:
            odds = log_odds(opened, steering, prompts, words, strengths, reporter)
    rows = _items(steering, prompts, odds, words)
    if as_json:
        import json

        told = {"steering": steering.fingerprint, "words": words, "strengths": strengths}
        click.echo(json.dumps({**told, "items": rows}, indent=2))
        return
    _print_table(rows, words, strengths)


def _two(words: tuple[str, str]) -> tuple[str, str]:
    first, second = (word.strip() for word in words)
    if not first or not second or first == second:
        raise UsageError("--words needs two different words.")
    return first, second


def _prompts(
    catalog: Catalog, text: str | None, chosen: dict[str, Any], reporter: Reporter
) -> Sequence[Prompt]:
    from brainbench.catalog import suggest
    from brainbench.steering_trial import Prompt, prompts_of_dataset

    task, dataset, items = chosen["task"], chosen["dataset"], chosen["items"]
    if sum(source is not None for source in (text, task, dataset)) > 1:
        raise UsageError("Give a PROMPT, a --task or a --dataset, and not two of them.")
    if text is not None:
        if items:
            raise UsageError("--item names an item of a task or dataset; a PROMPT has none.")
        text = sys.stdin.read() if text == "-" else text
        if not text.strip():
            raise UsageError("The prompt is empty.")
        return [Prompt.of_text(text.rstrip())]
    if dataset is None:
        from brainbench.task_prompts import prompts_of_task

        return prompts_of_task(catalog.tasks.get(task or TASK), items, chosen["limit"])
    known = {
        prompt.stimulus.id: prompt for prompt in prompts_of_dataset(catalog.find_dataset(dataset), reporter)
    }
    if unknown := [item for item in items if item not in known]:
        raise UsageError(
            f"Dataset {dataset} has no item {unknown[0]!r}.", hint=suggest(unknown[0], list(known))
        )
    return [known[item] for item in dict.fromkeys(items)] or list(known.values())[: chosen["limit"]]


def _likelier(odds: float, words: tuple[str, str]) -> str:
    return words[0] if odds > 0 else words[1] if odds < 0 else "neither"


def _items(
    steering: Steering, prompts: Sequence[Prompt], odds: FloatArray, words: tuple[str, str]
) -> list[dict[str, Any]]:
    """By item: the right answer, log-odds and likelier word without the steering, then at each strength.

    "steered": whether the steering has a row for it.
    """
    from brainbench.steering import names_of

    return [
        {
            "id": prompt.stimulus.id,
            "right": prompt.right,
            "steered": steering.row(names_of(prompt.stimulus)) is not None,
            "log_odds": [float(value) for value in column],
            "likelier": [_likelier(value, words) for value in column],
        }
        for prompt, column in zip(prompts, odds.T, strict=True)
    ]


def _print_table(rows: list[dict[str, Any]], words: tuple[str, str], strengths: Sequence[float]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("item", overflow="fold", style="cyan")
    table.add_column("right")
    for heading in ("no steering", *(f"strength {strength:g}" for strength in strengths)):
        table.add_column(heading, justify="right")
    for row in rows:
        cells = (f"{by:+.4f} {word}" for by, word in zip(row["log_odds"], row["likelier"], strict=True))
        table.add_row(*(Text(plain(cell)) for cell in (row["id"], row["right"] or "", *cells)))
    out = console()
    out.print(table)
    out.print()
    if judged := [row for row in rows if row["right"] in words]:
        counts = (
            sum(row["likelier"][at] == row["right"] for row in judged) for at in range(1 + len(strengths))
        )
        out.print(f"Right, of {len(judged)}: {', '.join(map(str, counts))}.")
    if left := sum(not row["steered"] for row in rows):
        out.print(f"The steering has no row for {left} of these {len(rows)} and leaves them as they are.")
    out.print(plain(f"Log-odds: log p({words[0]}) - log p({words[1]}), and which is likelier."))
