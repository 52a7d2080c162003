"""What datasette shows beside a results file: its questions, and what tables and views hold."""

from __future__ import annotations

from typing import Any

from brainbench_leaderboard.explore.questions import questions

TABLES = {
    "standings": "Every score on brain data with its ceiling: a view of `records`. Real and simulated data, "
    "other datasets, versions, regions, sets of items and metrics have other values of `question`, and are "
    "never ranked together.",
    "task_standings": "Every accuracy on a task, with what a steering or fine-tuning says of itself: a view "
    "of `task_records`.",
    "idea_standings": "How original models' ideas are, with the validity of the scorer: a view of "
    "`idea_records`.",
    "records": "One row a result on brain data: a model (or, of the kind 'ceiling', people) on one dataset, "
    "region, set of items and metric. `facts` decide the number and give the fingerprint; `provenance` is "
    "what it was made with.",
    "layer_scores": "The score of each layer of a record; `unscored` says why one has none.",
    "participant_scores": "The score of each layer and person of a record.",
    "task_records": "One row a result on a task.",
    "task_items": "Every answer of a task's record. `problem` groups the forms of one problem.",
    "idea_records": "One row for each model, dataset and scorer of ideas.",
    "ideas": "Every text that a model wrote, with its seed and score. These are a model's words.",
    "validities": "How far a scorer agrees with people, by the fingerprint of what it is.",
}
COLUMNS = {
    "score": "Mean or median over people; no share of the ceiling.",
    "rank": "By score alone, among what may be compared; empty for what is never ranked.",
    "low": "Lower end of the interval.",
    "high": "Upper end of the interval.",
    "ceiling": "How well other people's brains do.",
    "simulated": "1: nobody was scanned.",
    "resolved": "0: not all that decides the number could be pinned down, so it is not ranked.",
    "fingerprint": "Of all that decides the number. The same facts give the same fingerprint everywhere.",
    "question": "What has the same may be compared.",
    "reason": "Why there is no score.",
}
LICENCE = "Datasets have their own licences: `brainbench list datasets`."


def metadata(database: str, columns: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """What datasette is told of a results file that it knows by this name.

    columns: the names of the columns of each table that there is.
    """
    tables = {
        table: {
            "description": TABLES[table],
            "columns": {name: COLUMNS[name] for name in held if name in COLUMNS},
        }
        for table, held in columns.items()
        if table in TABLES
    }
    hidden = {table: {"hidden": True} for table in columns if table not in TABLES}
    asked = {
        one.name: {"title": one.title, "description": one.description, "sql": one.sql, "hide_sql": True}
        for one in questions()
    }
    return {
        "title": "brainbench",
        "description": f"A leaderboard's results file, for reading alone. {LICENCE}",
        "databases": {database: {"queries": asked, "tables": {**tables, **hidden}}},
    }
