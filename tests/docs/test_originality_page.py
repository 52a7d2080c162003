"""docs/originality.md shows what benchmarks/originality.py found, of the scorers as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from brainbench_metrics.semantic_distance import SemanticDistance
from brainbench_metrics.trained_judge import TrainedJudge

ROOT = Path(__file__).parents[2]
HELD = json.loads((ROOT / "docs/originality.json").read_text())


def test_the_tables_are_those_of_the_figures() -> None:
    check = [sys.executable, str(ROOT / "tests/docs/originality.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_figures_are_of_these_versions() -> None:
    assert HELD["versions"] == {
        scorer.name: scorer.version for scorer in (SemanticDistance(), TrainedJudge())
    }


def test_what_the_page_concludes_is_what_the_figures_say() -> None:
    rows = {row["name"]: row for row in HELD["rows"]}
    within = {name: row["by_object_mean"] for name, row in rows.items()}
    known, unknown = within["trained-judge"], within["trained-judge, other objects"]
    assert known["r"] > unknown["r"]  # less for objects that it has not learnt from
    assert rows["trained-judge"]["pearson"]["low"] > rows["mean of the object"]["pearson"]["high"]
    for dull in ("words", "characters", "semantic-distance"):
        assert unknown["low"] > within[dull]["high"]
    used, *others = HELD["tried"]
    assert all(used["other_objects"] > other["other_objects"] for other in others)
    assert max(other["validation"] for other in others) > used["validation"]
    assert within["mean of the object"] is None


def test_the_readmes_figures_are_those_of_the_page() -> None:
    rows = {row["name"]: row for row in HELD["rows"]}
    readme = (ROOT / "README.md").read_text()

    def both(name: str) -> tuple[str, str]:
        return f"{rows[name]['pearson']['r']:.2f}", f"{rows[name]['by_object_mean']['r']:.2f}"

    over, within = both("trained-judge")
    other = both("trained-judge, other objects")[1]
    assert f"(r = {over} over all responses, {within} within objects, {other} within objects that" in readme
    assert (
        "({} and {}; the number of words reaches {} and {})".format(
            *both("semantic-distance"), *both("words")
        )
        in readme
    )
