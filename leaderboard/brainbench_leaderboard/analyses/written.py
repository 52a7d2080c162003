"""Findings as files: tables as CSV, figures, and an index of everything with its provenance."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainbench.errors import StoreError
from brainbench.provenance import environment, now
from brainbench_leaderboard.analyses.results import Finding, Lacking

if TYPE_CHECKING:
    from brainbench_leaderboard.analyses.material import Material

INDEX = "analyses.json"


def write(material: Material, findings: Sequence[Finding], lacking: Sequence[Lacking], folder: Path) -> Path:
    """All files into `folder`, which is made; the index, which names them. Raises StoreError."""
    from brainbench_leaderboard.analyses.drawing import draw

    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for finding in findings:
            stem = folder / _stem(finding, findings)
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


def _stem(finding: Finding, findings: Iterable[Finding]) -> str:
    """The analysis and its dataset in letters that every file system takes; with the version of several."""
    name = re.sub(r"[^\w.=-]+", "-", f"{finding.name}-{finding.dataset}").strip("-")
    twins = [one for one in findings if (one.name, one.dataset) == (finding.name, finding.dataset)]
    return f"{name}-v{finding.dataset_version}" if len(twins) > 1 else name


def _csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows under the names of all columns that any has."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
