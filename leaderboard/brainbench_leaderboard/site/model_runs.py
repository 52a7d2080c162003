"""Every run of a model: what was asked, what came of it, when, and its fingerprint."""

from __future__ import annotations

from dataclasses import dataclass

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard.site.model_rows import Own
from brainbench_leaderboard.values import STATES, Row


@dataclass(frozen=True, slots=True)
class Run:
    """One record, as words; `state` as in `Value`."""

    kind: str
    question: str
    how: str
    outcome: str
    state: str
    day: str
    seconds: str
    fingerprint: str
    simulated: bool


def runs(own: Own) -> tuple[Run, ...]:
    """All of them, in the order of the board."""
    return tuple(_run(kind, row) for kind, row in own.rows)


def _run(kind: str, row: Row) -> Run:
    change = "" if row["intervention"] in (None, NOTHING) else f"+ {row['intervention']}"
    seed = f"seed {row['seed']}" if row["seed"] else ""
    how = (str(row["revision"] or "")[:14], row["dtype"], seed, change)
    scored = row["outcome"] == "scores"
    value = row["accuracy" if kind == "task" else "score"]
    return Run(
        kind,
        plain(_asked(kind, row)),
        plain(", ".join(filter(None, how))),
        f"{value:.3f}" if scored else STATES[row["outcome"]],
        row["outcome"],
        plain(str(row["started"] or "").partition("T")[0]),
        "" if row["seconds"] is None else f"{float(row['seconds']):,.1f}",
        plain(row["fingerprint"]),
        bool(row.get("simulated")) and kind == "score",
    )


def _asked(kind: str, row: Row) -> str:
    if kind == "task":
        limit = f", first {row['problem_limit']} problems" if row["problem_limit"] is not None else ""
        learnt = f", learnt from {row['learnt_from']}" if row["learnt_from"] else ""
        return f"{row['task']} v{row['task_version']}{limit}{learnt}"
    if kind == "ideas":
        where = f"{row['dataset']} v{row['dataset_version']}, " if row["dataset"] else ""
        return f"{where}{row['scorer']} v{row['scorer_version']} with {row['helper']}"
    where = f"{'SIMULATED ' if row['simulated'] else ''}{row['dataset']} v{row['dataset_version']}"
    return f"{where}, {row['region']}, {row['item_set']} items, {row['metric']}/{row['protocol']}"
