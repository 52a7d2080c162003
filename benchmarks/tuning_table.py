"""What fine-tuning does, beside its controls: the runs behind docs/fine-tuning.md, one after the other.

    python -m benchmarks.tuning_table tuning.db docs/fine-tuning.json [part ...]
    python tests/docs/tuning.py

Every part is one `brainbench run` command into one database: what is there is not computed again, so that it
goes on where it stopped. Without arguments a quick look at a few problems, kept nowhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import brain_share

from brainbench.seeded_pairs import compare_over_seeds
from brainbench.task_pairs import Answers
from brainbench.task_scores import TaskScores
from brainbench_leaderboard.store import Leaderboard

TINY = "brainbench/tiny"
BRAIN, ALONE = "narf-label", "label-only"
WITHOUT_LABELS = ("narf", "narf-random-fmri", "narf-shuffled-items", "narf-random-direction")
WITH_LABELS = (
    *(BRAIN, ALONE, "narf-label-random-fmri", "narf-label-shuffled-items"),
    *("narf-label-mean-pattern", "narf-label-other-person", "narf-label-one-hot"),
)
ARMS = (*WITH_LABELS, *WITHOUT_LABELS)
TYPES = ("syllogism", "transitive")
MORE = (64, 192)  # problems beside the dataset's own, of the paper's 32 to 192
WEIGHTS = ("1", "10")  # of the brain's part of the loss, above the paper's 0.1
WEIGHED = (BRAIN, "narf-label-shuffled-items")
BY_TYPE = tuple(f"{name}@{kind}" for kind in TYPES for name in (BRAIN, ALONE))
BY_COUNT = tuple(f"{name}@extra={count}" for count in MORE for name in (BRAIN, ALONE))
SIMULATED = ("simulated-deduction-guide", "simulated-deduction-null")
REAL = ("deduction",)
OWN = "deduction_3"
TASKS = (OWN, "deduction_propositional", "deduction_items")
LONGER = ("deduction_4", "deduction_5", "deduction_6")
LIMIT = 100  # problems of each task, in all the orders that it has
FEWER = 10  # of those with many orders
SEEDS = 3
BY_NAME = ("extra",)  # not run unless it is named: its many items take as long again
# Of every training: at the paper's rate (1e-4) so small a model hardly moves in its 100 epochs.
COURSE = "@rate=1e-3@epochs=30@every=5@patience=3"
KEPT = (
    *("model", "intervention", "learnt_from", "role", "protocol", "seen", "task", "problem_limit", "outcome"),
    *("reason", "accuracy", "low", "high", "items", "problems", "constant_accuracy"),
)
KEPT_OF_ARMS = (
    *("model", "intervention", "learnt_from", "role", "protocol", "seen"),
    "task",
    "problem_limit",
)
KEPT_OF_SCORES = (
    "model",
    "intervention",
    "dataset",
    "region",
    "item_set",
    "metric",
    "protocol",
    "score",
    "ceiling",
)


def run_of(
    datasets: Iterable[str], tasks: Iterable[str], changes: Iterable[str], seeds: int, limit: int = LIMIT
) -> list[str]:
    """The arguments of one `brainbench run` that asks tasks."""
    named = (("--dataset", datasets), ("--task", tasks), ("--intervention", ("none", *changes)))
    more = [word for option, values in named for value in values for word in (option, value)]
    return [
        *("run", "--model", TINY, *more, "--trainings", str(seeds)),
        *("--limit", str(limit), "--metric", "none"),
    ]


def parts() -> dict[str, list[str]]:
    """The commands by part: planted and not, real people, alignment, transfer and more labels."""
    names = ("none", ALONE, BRAIN)
    changes = [word for name in ("none", *taught(names[1:])) for word in ("--intervention", name)]
    weighed = taught(f"{name}@weight={weight}" for weight in WEIGHTS for name in WEIGHED)
    return {
        "simulated": run_of(SIMULATED, ["deduction_3_tiny"], taught(ARMS), SEEDS),
        "real": run_of(REAL, TASKS, taught(ARMS), SEEDS),
        "premises": run_of(REAL, LONGER, taught((*names[1:], "narf-label-shuffled-items")), SEEDS, FEWER),
        "transfer": run_of(REAL, [OWN], taught(BY_TYPE), SEEDS),
        "weights": run_of(SIMULATED[:1], ["deduction_3_tiny"], [*weighed, *taught([ALONE])], SEEDS),
        "extra": run_of(REAL, [OWN], taught(BY_COUNT), 1),
        "alignment": [
            *("run", "--model", TINY, "--dataset", *SIMULATED[:1], "--metric", "predictivity/paper"),
            *(*changes, "--trainings", "1", "--no-baselines"),
        ],
    }


def taught(names: Iterable[str]) -> list[str]:
    """These arms, each by the one course."""
    return [name + COURSE for name in names]


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of one cell: of a trained one also how it was trained."""
    kept = {name: row[name] for name in KEPT}
    kept["by_type"] = (row["by_condition"] or {}).get("type", {})
    kept["tuning"] = (row["details"] or {}).get("tuning")
    return kept


def arms_of(store: Leaderboard, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each arm on each task, over all its trainings: see brainbench_leaderboard.tuned.over_seeds.

    Its `change_by_type` is the change from the untrained model for each type of problem.
    """
    arms: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["over_seeds"] and not row["outdated"]:
            arms.setdefault((row["question"], row["arm"]), []).append(row)
    return [
        {
            **{name: own[0][name] for name in KEPT_OF_ARMS},
            **own[0]["over_seeds"],
            "change_by_type": changes_by_type(store, own),
        }
        for own in arms.values()
    ]


def changes_by_type(store: Leaderboard, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """For each type of problem the change of accuracy, and the ends of its interval over items and seeds."""
    sides = [(row["against_base"]["fingerprint"], row["fingerprint"]) for row in rows if row["against_base"]]
    items = {name: store.task_items(name) for pair in sides for name in pair}
    found = {}
    for kind in TYPES:
        own = {name: tuple(i for i in of if i.group.startswith(kind)) for name, of in items.items()}
        if own and all(own.values()):
            answers = {name: Answers.of(TaskScores(of)) for name, of in own.items()}
            said = compare_over_seeds([(answers[before], answers[after]) for before, after in sides])
            ends = {"low": said.interval.low, "high": said.interval.high}
            found[kind] = {"difference": said.difference, **ends}
    return found


def aligned(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is kept of predictivity, before and after, of each region and set of items."""
    own = [
        row
        for row in rows
        if row["outcome"] == "scores" and row["intervention"] in {"none", *taught((BRAIN, ALONE))}
    ]
    return [
        {name: row[name] for name in KEPT_OF_SCORES}
        for row in own
        if row["metric"] == "predictivity" and row["model"] == TINY
    ]


def written(database: Path) -> dict[str, list[dict[str, Any]]]:
    """All cells in the board's order, the arms pooled over their trainings, and the alignment."""
    with Leaderboard.reading(database) as store:
        rows = store.task_standings()
        return {
            "rows": [shown(row) for row in rows],
            "arms": arms_of(store, rows),
            "alignment": aligned(store.standings()),
        }


def main(arguments: Sequence[str]) -> int:
    """Run the parts that are named, or all, and write what was found."""
    if not arguments:
        with tempfile.TemporaryDirectory() as folder:
            look = run_of(
                SIMULATED[:1], ["deduction_3_tiny"], [f"{BRAIN}@epochs=1", f"{ALONE}@epochs=1"], 1, 4
            )
            return asked(look, Path(folder) / "look.db")
    database, target, *names = arguments
    commands = parts()
    names = names or [name for name in commands if name not in BY_NAME]
    failed = max((asked(commands[name], Path(database)) for name in names), default=0)
    told = {
        name: "brainbench " + " ".join(command)
        for name, command in commands.items()
        if name not in BY_NAME or name in names
    }
    found = json.loads(json.dumps(written(Path(database))).replace(COURSE, ""))  # it is in every name
    Path(target).write_text(json.dumps({"commands": told, **found}, indent=1) + "\n")
    brain_share.main([target])
    return failed


def asked(command: list[str], database: Path) -> int:
    """Run one command; its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "brainbench", *command, "--db", str(database)], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
