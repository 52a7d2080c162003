"""Scores of models that are read with their own ideas: how these were drawn is part of what was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from brainbench.nouns import ModelOptions
from brainbench.plan import Plan
from brainbench.records import Record
from brainbench.runner import run
from brainbench.sampling import Sampling
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard import view
from brainbench_leaderboard.origins import command
from brainbench_leaderboard.store import Leaderboard

FEW = Sampling(count=2, temperature=1.0, tokens=8, seed=3)


@pytest.fixture
def records(toy: dict[str, Any]) -> Callable[[Sampling], list[Record]]:
    """What a run keeps of a toy model that would have been read with ideas drawn in this way."""

    def made(sampling: Sampling) -> list[Record]:
        plan = Plan.product(
            models=[toy["model"]()],
            datasets=[toy["dataset"]()],
            metrics=[toy["metric"]()],
            interventions=[NoIntervention()],
            options=ModelOptions(),
        )
        found = [result for result in run(plan) if isinstance(result, Record)]
        return [
            replace(one, fingerprint=f"{one.fingerprint}{sampling.seed}", facts={**one.facts, "ideas": told})
            if one.cell.kind == "score"
            else one
            for one in found
            for told in [asdict(sampling)]
        ]

    return made


def test_each_way_to_draw_has_a_table_of_its_own_with_the_same_ceiling(
    tmp_path: Path, records: Callable[[Sampling], list[Record]]
) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        for sampling in (Sampling(), FEW):
            for record in records(sampling):
                store.add(record)
        rows = store.standings()
    assert {row["ceiling_outcome"] for row in rows} == {"skip"}  # the toy's ceiling, not that none was run
    assert {row["rank"] for row in rows} == {1}
    titles = [table.title for table in view.tables(rows)]
    assert len(titles) == 2
    assert sum("texts: 2 each, temperature 1, top-p 0.95, at most 8 tokens, seed 3" in t for t in titles) == 1
    commands = sorted({command(row, ["all"], {}) for row in rows}, key=len)
    assert "--idea" not in commands[0]
    assert commands[1].endswith("--ideas 2 --temperature 1 --idea-tokens 8 --idea-seed 3")
