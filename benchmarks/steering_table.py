"""What steering does, beside its controls: the runs behind docs/steering.md, one command after the other.

    python -m benchmarks.steering_table steering.db docs/steering.json [part ...] --model FOLDER
    python tests/docs/steering.py

Every part is a few `brainbench run` commands into one database: what is there is not computed again, so that
it goes on where it stopped. FOLDER is the model stories260k, for the parts that ask it. Without arguments a
quick look at a few problems, kept nowhere. Takes about an hour and a half of one core.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from brainbench.task_pairs import compare
from brainbench.task_scores import TaskScores
from brainbench_leaderboard.store import Leaderboard

TINY, STORIES = "brainbench/tiny", "stories260k"
TYPES = ("syllogism", "transitive")
HONEST = (
    "nari-general",
    "brain-subspace",
    "brain-subspace-cca",
    "random-direction",
    "random-fmri",
    "random-fmri-mean",
    "mean-pattern",
    "shuffled-items",
    "other-person",
    "language-only",
    "label-probe",
    "shuffled-subspace",
    "random-subspace",
    "model-components",
)
BY_ITEM = (
    *("nari-heldout", "mean-pattern-heldout", "shuffled-items-heldout", "random-direction-heldout"),
    *("language-only-heldout", "label-probe-heldout", "nari", "nari-random-fmri", "nari-random-fmri-mean"),
    *("nari-mean-pattern", "nari-shuffled-items", "nari-other-person", "nari-random-direction"),
)
REGIONS = tuple(f"{name}@{place}" for name in HONEST[:2] for place in ("language", "md"))
TRANSFER = ("nari-general", "shuffled-items", "mean-pattern", "random-direction", "language-only")
BY_TYPE = tuple(f"{name}@{kind}" for kind in TYPES for name in TRANSFER)
KEPT = (
    *("model", "intervention", "learnt_from", "role", "oracle", "strength", "protocol", "seen", "unranked"),
    *("task", "problem_limit", "outcome", "reason", "accuracy", "low", "high", "items", "problems"),
    *("constant_accuracy", "against_base", "against_control", "perplexity_before", "perplexity_after"),
)


def run_of(
    model: str, datasets: Iterable[str], tasks: Iterable[str], changes: Iterable[str], limit: int
) -> list[str]:
    """The arguments of one `brainbench run`."""
    named = (("--dataset", datasets), ("--task", tasks), ("--intervention", ("none", *changes)))
    more = [word for option, values in named for value in values for word in (option, value)]
    return ["run", "--model", model, *more, "--limit", str(limit), "--metric", "none"]


def parts(stories: str) -> dict[str, list[str]]:
    """The commands by part: what is planted and what is not, real people with two models, and transfer."""
    simulated = ("simulated-deduction-guide", "simulated-deduction-null")
    tiny, real = "deduction_3_tiny", ("deduction",)
    own = ("deduction_items", "deduction_3")
    return {
        "simulated": run_of(TINY, simulated, [tiny], HONEST, 400),
        "tiny": run_of(TINY, real, own, ("all", *REGIONS), 70),
        "stories": run_of(stories, real, own[1:], (*HONEST, *REGIONS), 32),
        "stories-items": run_of(stories, real, own[:1], BY_ITEM, 70),
        "transfer": run_of(TINY, real, own[1:], BY_TYPE, 100),
        "transfer-simulated": run_of(TINY, simulated[:1], [tiny], BY_TYPE, 100),
    }


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """What docs/steering.json keeps of a row of the board."""
    kept = {name: row[name] for name in KEPT}
    fitted = row["details"].get("steering", {}).get("fitted", {}) if row["details"] else {}
    kept["repairs"] = {name: fitted[name] for name in ("targeted", "repaired") if name in fitted}
    kept["by_type"] = (row["by_condition"] or {}).get("type", {})
    kept["model"] = Path(str(row["model"])).name if row["model"] != TINY else TINY
    return kept


def bias(store: Leaderboard, fingerprint: str) -> dict[str, float]:
    """What the best constant shift of the answers would reach, for each type of problem: an upper bound.

    Chosen on the very items that it is then scored on. Accuracy by type and over all items.
    """
    items = store.task_items(fingerprint)
    found: dict[str, tuple[int, int]] = {}
    for kind in TYPES:
        own = [item for item in items if item.group.startswith(kind) and item.log_likelihoods]
        odds = sorted((i.log_likelihoods[0] - i.log_likelihoods[1], i.expected == i.choices[0]) for i in own)
        right = best = sum(label for _, label in odds)  # with the threshold below all: always True
        for _, label in odds:
            right += 1 - 2 * label
            best = max(best, right)
        found[kind] = (best, len(own))
    total = sum(count for _, count in found.values())
    shares = {kind: best / count for kind, (best, count) in found.items() if count}
    return {**shares, "all": sum(best for best, _ in found.values()) / total} if total else {}


def changes_by_type(store: Leaderboard, row: Mapping[str, Any]) -> dict[str, list[float]]:
    """For each type of problem the change of accuracy, and the ends of its interval over problems."""
    sides = [store.task_items(one["fingerprint"]) for one in (row["against_base"], row)]
    found = {}
    for kind in TYPES:
        own = [tuple(item for item in side if item.group.startswith(kind)) for side in sides]
        if all(own):
            before, after = (TaskScores(items) for items in own)
            paired = compare(before, after)
            found[kind] = [paired.difference, paired.interval.low, paired.interval.high]
    return found


def written(database: Path) -> list[dict[str, Any]]:
    """All rows of the database in the board's order, and of unsteered ones what a shift could reach."""
    with Leaderboard.reading(database) as store:
        rows = []
        for row in store.task_standings():
            kept = shown(row)
            if row["intervention"] == "none" and row["outcome"] == "scores":
                kept["best_shift"] = bias(store, row["fingerprint"])
            elif row["against_base"]:
                kept["change_by_type"] = changes_by_type(store, row)
            rows.append(kept)
    return rows


def main(arguments: list[str]) -> int:
    """Run the parts that are named, or all, and write what was found."""
    stories = STORIES
    if "--model" in arguments:
        at = arguments.index("--model")
        stories, arguments = arguments[at + 1], [*arguments[:at], *arguments[at + 2 :]]
    if not arguments:
        with tempfile.TemporaryDirectory() as folder:
            look = run_of(TINY, ["simulated-deduction-guide"], ["deduction_3_tiny"], HONEST[:2], 4)
            return asked(look, Path(folder) / "look.db")
    database, target, *names = arguments
    commands = parts(stories)
    failed = max((asked(commands[name], Path(database)) for name in names or commands), default=0)
    rows = written(Path(database))
    Path(target).write_text(json.dumps({"commands": told(commands, stories), "rows": rows}, indent=1) + "\n")
    return failed


def asked(command: list[str], database: Path) -> int:
    """Run one command; its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "brainbench", *command, "--db", str(database)], check=False
    ).returncode


def told(commands: Mapping[str, list[str]], stories: str) -> dict[str, str]:
    """The commands as a reader would type them."""
    return {
        name: "brainbench " + " ".join(STORIES if word == stories else word for word in command)
        for name, command in commands.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
