"""Everybody: one person after the other or in several processes, then the tables of the whole folder.

What cannot be read or does not fit for one person leaves that person out, with the reason; what concerns
everybody (a table that is no table, an atlas that is not there) stops the run before any work.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brainbench.errors import DataError, UsageError
from brainbench.kept_files import KeptFolder, as_json, write_files
from brainbench.nouns import Reporter
from brainbench.progress import relabel, say
from brainbench.provenance import version_of
from brainbench.scans.files import is_simulated, participants, sha256_of
from brainbench.scans.job import EXTENSION, Job, Outcome, folder_of, stem
from brainbench.scans.own_folder import PEOPLE, PEOPLE_COLUMNS, alone_in, require_own
from brainbench.scans.person import prepare_person
from brainbench.scans.prepared import DESCRIPTION
from brainbench.scans.regions import require_regions
from brainbench.scans.responses import person_key, same_words
from brainbench.scans.tables import Row, as_tsv, is_missing, read_table

STIMULI = "stimuli.tsv"
FORMAT = 1
_BIDS_VERSION = "1.9.0"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of a run."""

    outcomes: tuple[Outcome, ...]
    stimuli: int

    @property
    def left_out(self) -> list[Outcome]:
        """Those who could not be prepared."""
        return [outcome for outcome in self.outcomes if outcome.reason]


def prepare(  # noqa: PLR0913 - what a run is asked for
    job: Job,
    reporter: Reporter,
    *,
    name: str,
    jobs: int = 1,
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Prepared:
    """Prepare everybody, or `only` these and none of `exclude`, and describe the folder as dataset `name`.

    Raises UsageError or DataError for what concerns everybody, and where nobody is left.
    """
    require_regions(job.regions)
    if job.out.resolve() == job.bids.resolve():
        raise UsageError("--out is the folder of the derivatives itself.", hint="Name another --out.")
    require_own(job.out, job.study.name)
    labels = _chosen(participants(job.bids), only, exclude)
    job = replace(job, simulated=job.simulated or is_simulated(job.bids))
    with alone_in(job.out):
        return _prepare(job, labels, reporter, name=name, jobs=jobs)


def _prepare(job: Job, labels: Sequence[str], reporter: Reporter, *, name: str, jobs: int) -> Prepared:
    outcomes: list[Outcome] = []
    with reporter.task("Participants", len(labels)) as advance:
        for outcome in _outcomes(job, labels, jobs):
            outcomes.append(outcome)
            relabel(advance, f"Participants (last: sub-{outcome.person})")
            for note in outcome.notes:
                say(reporter, note)
            if outcome.reason:
                say(reporter, f"sub-{outcome.person} is left out: {outcome.reason}")
            advance(1)
    outcomes.sort(key=lambda outcome: labels.index(outcome.person))
    good = [outcome for outcome in outcomes if not outcome.reason]
    if not good:
        first = f" sub-{outcomes[0].person}: {outcomes[0].reason}" if outcomes else ""
        raise DataError(f"Nobody of {len(outcomes)} could be prepared.{first}")
    return Prepared(tuple(outcomes), _describe(job, name, good, outcomes))


def _chosen(there: list[str], only: Sequence[str], exclude: Sequence[str]) -> list[str]:
    by_key = {person_key(label): label for label in there}
    if len(by_key) != len(there):
        raise DataError("Two people's labels differ only in leading zeros.")
    for name in (*only, *exclude):
        if person_key(name) not in by_key:
            raise UsageError(f"There is no participant {name!r}.", hint=f"There are {', '.join(there[:12])}.")
    wanted = {person_key(name) for name in only} or set(by_key)
    wanted -= {person_key(name) for name in exclude}
    return [label for label in there if person_key(label) in wanted]


def _outcomes(job: Job, labels: Sequence[str], jobs: int) -> Iterator[Outcome]:
    """As they come; in processes of their own where several work at once."""
    if jobs <= 1 or len(labels) <= 1:
        for label in labels:
            yield prepare_person(job, label)
        return
    # Started anew, not forked: threads of BLAS do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(labels)), mp_context=context, initializer=_stop_at_once)
    try:
        waiting = {pool.submit(_alone, job, label): label for label in labels}
        for done in as_completed(waiting):
            error = done.exception()
            if isinstance(error, BrokenProcessPool):
                time.sleep(0.2)  # after Ctrl-C, which ends the processes, too, it is our turn to stop
                raise DataError("A process was killed, perhaps for want of memory.", hint="Use fewer --jobs.")
            yield done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stop_at_once() -> None:
    """Leave at Ctrl-C without a word: what was written is whole, and the parent says that it stopped."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed tells nobody: without it nothing would ever end this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _alone(job: Job, label: str) -> Outcome:
    """One person in a process of its own, with one thread."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1):
        return prepare_person(job, label)


def _describe(job: Job, name: str, good: Sequence[Outcome], outcomes: Sequence[Outcome]) -> int:
    """Write the tables of the folder, its description last; gives the number of stimuli."""
    tables, people = [], {}
    for outcome in good:
        folder, start = folder_of(job.out, outcome.person), stem(job, outcome.person)
        tables.append(read_table(folder / f"{start}{EXTENSION}_trials.tsv"))
        sidecar = folder / f"{start}{EXTENSION}_betas.json"
        told = KeptFolder(folder, "", "").read_object(sidecar.name)
        people[f"sub-{outcome.person}"] = {
            "sidecar": sidecar.relative_to(job.out).as_posix(),
            "sha256": sha256_of(sidecar),
            "files": told["files"],
        }
    stimuli = _stimuli(tables, ("stimulus_id", "condition", "shown", *job.study.stimulus, *job.study.kept))
    rows = [
        {
            "participant_id": f"sub-{o.person}",
            "trials": o.trials,
            "without_answer": o.dropped,
            "left_out": o.reason or None,
        }
        for o in outcomes
    ]
    texts = as_tsv(stimuli, list(stimuli[0]))
    description: dict[str, Any] = {
        "Name": name,
        "BIDSVersion": _BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "brainbench", "Version": version_of("brainbench")}],
        "Simulated": job.simulated,
        "brainbench": {
            "format": FORMAT,
            "study": job.study.name,
            "regions": [region.name for region in job.regions],
            "conditions": sorted({row["condition"] for row in stimuli}),
            "space": job.space,
            "stem": stem(job, "{label}"),
            "stimuli": {"file": STIMULI, "count": len(stimuli), "sha256": hashlib.sha256(texts).hexdigest()},
            "people": people,
        },
    }
    write_files(
        job.out,
        {
            STIMULI: texts,
            PEOPLE: as_tsv(rows, PEOPLE_COLUMNS),
            DESCRIPTION: as_json(description),
        },
    )
    return len(stimuli)


def _stimuli(tables: Sequence[Sequence[Row]], names: Sequence[str]) -> list[Row]:
    """What was shown to anybody, by condition and words; raises DataError where one id is two things."""
    found: dict[str, Row] = {}
    for table in tables:
        for row in table:
            one = {name: row[name] for name in names if name in row}
            first = found.setdefault(row["stimulus_id"], one)
            if {k: same_words(v) for k, v in first.items()} != {k: same_words(v) for k, v in one.items()}:
                raise DataError(
                    f"{row['stimulus_id']} is described in two ways: {first['shown']!r} and {one['shown']!r}."
                )
    if any(is_missing(row["shown"]) for row in found.values()):
        raise DataError("A stimulus has no words.")
    return sorted(found.values(), key=lambda row: (row["condition"], row["shown"]))


def default_name(out: Path) -> str:
    """A folder's name, of letters, digits, . _ and - alone."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in out.resolve().name)
    return plain.strip("-._") or "data"
