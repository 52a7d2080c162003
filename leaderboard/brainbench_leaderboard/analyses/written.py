"""Findings as files: tables as CSV, figures, and an index of everything with its provenance."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainbench.errors import StoreError
from brainbench.provenance import environment, now
from brainbench_leaderboard.analyses.results import Finding, Lacking

if TYPE_CHECKING:
    from brainbench_leaderboard.analyses.material import Material

INDEX = "analyses.json"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how one starts in a spreadsheet


def write(material: Material, findings: Sequence[Finding], lacking: Sequence[Lacking], folder: Path) -> Path:
    """All files into `folder`, which is made; the index, which names them. Raises StoreError."""
    from brainbench_leaderboard.analyses.drawing import draw

    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for finding, name in zip(findings, _stems(findings), strict=True):
            stem = folder / name
            made = [_csv(stem.with_name(f"{stem.name}.csv"), finding.table)]
            made.append(_csv(stem.with_name(f"{stem.name}-tests.csv"), [t.columns() for t in finding.tests]))
            files.append([path.name for path in (*made, *draw(finding, stem))])
        index = folder / INDEX
        told = as_json(material, findings, lacking, files)
        index.write_text(json.dumps(told, indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written: {error.strerror}.", hint="Name another folder with --out."
        ) from error
    return index


def as_json(
    material: Material,
    findings: Sequence[Finding],
    lacking: Sequence[Lacking],
    files: Sequence[Sequence[str]] = (),
) -> dict[str, Any]:
    """Everything as plain JSON: findings with tables, tests and the fingerprints of their records."""
    asked = material.asked
    return {
        "asked": {name: getattr(asked, name) for name in asked.__slots__},
        "made": {"at": now(), **environment()},
        "set_aside": material.set_aside,
        "analyses": [
            {
                "analysis": finding.name,
                "title": finding.title,
                "question": finding.question,
                "cannot_say": finding.cannot,
                "dataset": finding.dataset,
                "dataset_version": finding.dataset_version,
                "simulated": finding.simulated,
                "metric": finding.metric,
                "notes": list(finding.notes),
                "tests": [test.columns() for test in finding.tests],
                "table": [dict(row) for row in finding.table],
                "records": finding.fingerprints,
                **({"files": list(files[at])} if files else {}),
            }
            for at, finding in enumerate(findings)
        ],
        "lacking": [{"analysis": one.name, "why": one.why, "run": one.command} for one in lacking],
    }


def _stems(findings: Sequence[Finding]) -> list[str]:
    """Analysis and dataset in letters for any file system; with version and number where two meet."""
    plain = [re.sub(r"[^\w.=-]+", "-", f"{one.name}-{one.dataset}").strip("-") for one in findings]
    often = Counter(map(str.casefold, plain))
    made: list[str] = []
    for one, name in zip(findings, plain, strict=True):
        whole = f"{name}-v{one.dataset_version}" if often[name.casefold()] > 1 else name
        taken = {other.casefold() for other in made}
        numbered = (f"{whole}-{at}" for at in range(2, len(made) + 3))
        made.append(next(free for free in (whole, *numbered) if free.casefold() not in taken))
    return made


def _csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows under the names of all columns that any has.

    A text that a spreadsheet would take for a formula begins with an apostrophe, which keeps it a text.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return path


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
