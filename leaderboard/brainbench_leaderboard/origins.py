"""Where the numbers of a line come from, in words, and the command that makes them again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from brainbench.sampling import Sampling
from brainbench.text import plain
from brainbench_leaderboard.values import Row
from brainbench_leaderboard.view import Entry, Table

Sources = Mapping[str, Mapping[str, Any]]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PREPARED = re.compile(r"(?:creativity|deduction):(?=.)")  # what `data prepare` puts before a folder's name
_UNTRAINED = "untrained:"
_SAMPLING = {
    "count": "--ideas",
    "temperature": "--temperature",
    "top_p": "--top-p",
    "tokens": "--idea-tokens",
    "seed": "--idea-seed",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """A model in a table: what its numbers were made with (label, words), and how to make them again."""

    model: str
    facts: tuple[tuple[str, str], ...]
    command: str


def origins(table: Table, sources: Sources) -> tuple[Origin, ...]:
    """One for each model of a table and way of running it, whatever the sets of items."""
    found: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    for section in table.sections:
        for entry in section.lines:
            found.setdefault((entry.model, entry.marks), []).append(entry)
    made = []
    for (model, marks), entries in found.items():
        rows = [row for entry in entries for row in entry.rows]
        items = (
            []
            if len(entries) == len(table.sections)
            else [str(entry.rows[0]["item_set"]) for entry in entries]
        )
        made.append(
            Origin(", ".join((model, *marks)), _facts(rows, sources), command(rows[0], items, sources))
        )
    return tuple(made)


def command(row: Row, item_sets: Iterable[str], sources: Sources) -> str:
    """The `brainbench run` that computes a row; of a model or dataset in a folder it cannot know the path."""
    source = sources.get(row["fingerprint"], {})
    metric = f"{row['metric']}/{row['protocol']}"
    words = [
        "brainbench",
        "run",
        "--model",
        model_spec(str(row["model"]), row["revision"]),
        "--dataset",
        dataset_spec(str(row["dataset"])),
    ]
    words += ["--metric", metric]
    for item_set in dict.fromkeys(item_sets):
        words += ["--items", item_set]
    if row["intervention"] not in (None, "none"):
        words += ["--intervention", row["intervention"]]
    if row["pooling"] not in (None, "last"):
        words += ["--pooling", row["pooling"]]
    if row["dtype"] in ("bfloat16", "float16"):
        words += ["--dtype", row["dtype"]]
    if row["seed"]:
        words += ["--seed", str(row["seed"])]
    words += sampling_options(json.loads(row["sampling"] or "{}"))
    model = source.get("facts", {}).get("model") or {}
    if model.get("trust_remote_code"):
        words.append("--trust-remote-code")
    return plain(shlex.join(str(word) for word in words))


def dataset_spec(name: str) -> str:
    """What to give to --dataset: a prepared one is found by its folder, wherever that is, not by its name."""
    match = _PREPARED.match(name)
    return f"path/to/{name[match.end() :]}" if match else name


def sampling_options(sampling: Row) -> list[str]:
    """Options of `run` that draw texts in this way, as far as it is not the usual one."""
    usual = asdict(Sampling())
    named = {name: sampling.get(name, value) for name, value in usual.items()}
    return [
        word
        for name, value in named.items()
        if value != usual[name]
        for word in (_SAMPLING[name], f"{value:g}" if isinstance(value, float) else str(value))
    ]


def model_spec(name: str, revision: str | None) -> str:
    """What to give to --model."""
    revision = revision or ""
    kind = _UNTRAINED if name.startswith(_UNTRAINED) else ""
    bare = name.removeprefix(_UNTRAINED)
    if revision.startswith("sha256:") and "/" not in bare:
        bare = f"path/to/{bare}"
    elif _COMMIT.fullmatch(revision):
        bare = f"{bare.partition('@')[0]}@{revision}"
    return kind + bare


def _facts(rows: list[Row], sources: Sources) -> tuple[tuple[str, str], ...]:
    """What is known of how rows were made; where they differ, every value."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        made = sources.get(row["fingerprint"], {}).get("provenance", {})
        libraries = made.get("libraries") or {}
        told = {
            "revision": row["revision"],
            "weights and activations": row["dtype"],
            "read at": (made.get("features") or {}).get("token"),
            "intervention": row["intervention"],
            "seed": row["seed"],
            "layer shown": row["choice"],
            "device": made.get("device"),
            "brainbench": " at commit ".join(filter(None, (made.get("brainbench"), made.get("git_commit")))),
            "versions": ", ".join(f"{name} {version}" for name, version in libraries.items()),
            "Python": made.get("python"),
            "computed": str(row["started"] or "").partition("T")[0],
        }
        for label, value in told.items():
            if value not in (None, ""):
                found.setdefault(label, {})[plain(value)] = None
    return tuple((label, "; ".join(values)) for label, values in found.items())
