"""`brainbench data prepare`: single-trial betas from fMRIPrep's derivatives, as a dataset."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brainbench.cli.common import console
from brainbench.cli.data_options import estimation_options, settings_of, study_of
from brainbench.errors import UsageError
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench.scans.job import Job
    from brainbench.scans.prepare import Prepared

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
INTERRUPTED = 130


@click.command()
@click.argument("study", type=click.Choice(["creativity", "deduction"]))
@click.option("--bids", type=_FOLDER, required=True, help="The folder with fMRIPrep's derivatives.")
@click.option("--events", type=_FOLDER, help="The BIDS folder with events.tsv, if that is another.")
@click.option(
    "--responses",
    type=_FILE,
    help="TSV or CSV with the columns id, condition, stimuli, response, rater1, ...; deduction needs none.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write."
)
@click.option("--name", help="What the dataset is called; by default as the folder.")
@click.option("--space", default="MNI152NLin2009cAsym", show_default=True, help="Of the images.")
@click.option("--session", default="", help="Only this BIDS session.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="NAME=PATH[:LABEL]",
    help="A mask, or a label of an atlas (several: 3+4); repeatable, the main one first. By default, for "
    "creativity, the default mode, frontoparietal and somatomotor networks of Yeo et al. (2011).",
)
@click.option("--atlas", type=_FILE, help="File with Yeo's 7 networks; by default nilearn fetches it.")
@click.option("--participant", "only", multiple=True, metavar="ID", help="Only this person; repeatable.")
@click.option("--exclude", multiple=True, metavar="ID", help="Not this person; repeatable.")
@estimation_options
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="People at the same time."
)
@click.option("--report/--no-report", default=True, show_default=True, help="An HTML page for each person.")
@click.option("--simulated", is_flag=True, help="Nobody was scanned: scores are never ranked with real ones.")
def prepare(study: str, **chosen: Any) -> None:
    """Make a dataset of single-trial betas from fMRIPrep's derivatives.

    For each person: the runs in one space, their confounds and events, a model with a regressor for each
    trial, and the betas of the regions. What is there already from the same files and settings is not
    computed again. `brainbench run --dataset DIR` scores models against the result.

    Whoever has a file missing or damaged, another TR in sidecar and header, events outside the run, trials
    and responses that do not match by id, no answered trial, or an image elsewhere than the regions, is left
    out and named; the others are prepared.

    Exit codes: 0 all is well; 1 somebody is left out, or a file cannot be read or written; 2 an argument
    names nothing; 130 stopped by Ctrl-C.
    """
    from brainbench.cli.progress import BarReporter
    from brainbench.scans.prepare import default_name
    from brainbench.scans.prepare import prepare as prepare_all

    out = chosen["out"]
    name = chosen["name"] or default_name(out)
    if name != default_name(Path(name)):
        raise UsageError(f"A dataset cannot be called {name!r}.", hint="Use letters, digits, . _ and -.")
    job = _job(study, chosen)
    err = console(stderr=True)
    try:
        with BarReporter(err) as reporter:
            done = prepare_all(
                job, reporter, name=name, jobs=chosen["jobs"], only=chosen["only"], exclude=chosen["exclude"]
            )
    except KeyboardInterrupt:
        err.print(f"Stopped. What was finished is kept in {out}: the same command goes on from there.")
        sys.exit(INTERRUPTED)
    _say(done, out)
    sys.exit(int(bool(done.left_out)))


def _job(study: str, chosen: dict[str, Any]) -> Job:
    """What is asked of each person; raises UsageError for options that do not fit together."""
    from brainbench.scans.job import Job
    from brainbench.scans.regions import parse_region, require_regions, yeo_networks
    from brainbench.scans.responses import read_responses

    if study == "creativity" and chosen["responses"] is None:
        raise UsageError("Creativity needs --responses: what was answered, and how it was rated.")
    if chosen["atlas"] and chosen["regions"]:
        raise UsageError("--atlas and --region do not go together.", hint="Name each region by --region.")
    known = study_of(study, chosen)
    regions = [parse_region(region) for region in chosen["regions"]]
    settings = settings_of(study, chosen)
    if not regions and (study == "creativity" or chosen["atlas"]):
        regions = yeo_networks(chosen["atlas"])
    require_regions(regions)
    return Job(
        bids=chosen["bids"],
        events=chosen["events"] or chosen["bids"],
        out=chosen["out"],
        study=known,
        settings=settings,
        regions=tuple(regions),
        space=chosen["space"],
        responses=read_responses(chosen["responses"], known) if chosen["responses"] else None,
        session=chosen["session"],
        simulated=chosen["simulated"],
        report=chosen["report"],
    )


def _say(done: Prepared, out: Path) -> None:
    good = [outcome for outcome in done.outcomes if not outcome.reason]
    reused = sum(outcome.reused for outcome in good)
    dropped = sum(outcome.dropped for outcome in good)
    lines = [
        f"{len(good)} of {len(done.outcomes)} people prepared ({reused} were there): "
        f"{sum(outcome.trials for outcome in good)} trials of {done.stimuli} stimuli, "
        f"{dropped} {'trial' if dropped == 1 else 'trials'} without an answer left out.",
        *(f"left out: sub-{outcome.person}: {outcome.reason}" for outcome in done.left_out),
        f"Kept in {out}. Score models against it: brainbench run --dataset {shlex.quote(_path(out))}",
    ]
    for line in lines:
        console().print(plain(line), soft_wrap=True)


def _path(out: Path) -> str:
    """As it has to be named, so that it is never taken for a dataset's name."""
    text = str(out)
    return text if "/" in text or "\\" in text else f"./{text}"
