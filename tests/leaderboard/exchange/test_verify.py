"""Records computed again: what holds agrees, what was made up does not, and what cannot be is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from brainbench.cli import main


def typed(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["board", "verify", *map(str, arguments), "--device", "cpu"])


def better(document: dict[str, Any]) -> None:
    """A made-up score that holds together in itself."""
    told = document["outcome"]
    told["score"] += 0.01
    for layer in told["layers"]:
        layer["score"] += 0.01
        layer["people"] = [score + 0.01 for score in layer["people"]]
    told["per_item"] = None


@pytest.fixture
def only(folder: Path) -> Any:
    """Leave the files of these folders alone."""

    def only(*names: str) -> None:
        for path in folder.rglob("*.json"):
            if not set(names) & set(path.parts):
                path.unlink()

    return only


def test_what_was_computed_agrees_and_what_cannot_be_is_said(database: Path) -> None:
    found = typed(database)
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert sum(line.startswith("agrees: ") for line in lines) == 5
    for what in (
        "score brainbench/tiny simulated-deduction",
        "ceiling simulated-ded",
        "task brainbench/tiny",
    ):
        assert any(line.startswith(f"agrees: {what}") and "apart by 0 at most" in line for line in lines), (
            what
        )
    assert any("ideas" in line and "There is no scorer called 'length'" in line for line in lines)
    assert any("validity" in line and "`brainbench scorer validate`" in line for line in lines)
    assert lines[-1] == "8 records: 5 agree within 0.001, 0 differ, 3 not computed."


def test_what_was_made_up_differs(spoil: Any, only: Any, folder: Path) -> None:
    only("ceilings", "baseline-type")
    spoil("ceiling", better)
    found = typed(folder)
    assert found.exit_code == 1
    assert "differs: ceiling simulated-deduction" in found.output
    assert "first score: 0." in found.output
    assert found.output.splitlines()[-1] == "2 records: 1 agree within 0.001, 1 differ, 0 not computed."
    assert typed(folder, "--tolerance", "0.02").exit_code == 0
    drawn = [typed(folder, "--sample", "1", "--seed", str(seed)).output for seed in (0, 0, 2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) == 2


def test_what_is_something_else_here_is_not_computed(spoil: Any, only: Any, folder: Path) -> None:
    only("baseline-type", "brainbench__tiny")
    spoil("task", lambda document: document["facts"]["asked"].update(lm_eval="0.0.1"))
    spoil("score", lambda document: document["facts"]["metric"]["parameters"].update(folds=2))
    found = typed(folder)
    assert "here it is something else: asked.lm_eval" in found.output
    assert "here it is something else: metric.parameters" in found.output


def test_a_model_s_name_is_never_taken_for_a_path(
    spoil: Any, only: Any, folder: Path, tmp_path: Path
) -> None:
    only("baseline-type")
    for name in ("../model", "/etc", "a/../../b", f"{tmp_path}", "untrained:./x", "endpoint:m@http://x/v1"):

        def change(document: dict[str, Any], name: str = name) -> None:
            document["model"] = document["facts"]["model"]["name"] = name

        spoil("score", change)
        found = typed(folder)
        assert "lies is not known: name it with --model PATH" in found.output, found.output


def test_only_what_another_source_has_not_is_computed(
    database: Path, exported: Path, spoil: Any, only: Any, folder: Path
) -> None:
    same = typed(database, "--against", exported)
    assert (same.exit_code, same.output.strip()) == (
        0,
        "0 records: 0 agree within 0.001, 0 differ, 0 not computed.",
    )
    only("ceilings", "baseline-type")
    spoil("ceiling", lambda document: document["outcome"].update(spread_kind="SD"))  # no value of it
    spoil("score", better)
    found = typed(folder, "--against", exported)
    assert found.exit_code == 1
    assert [line.partition(":")[0] for line in found.output.splitlines()] == ["differs", "1 record"]
    assert "score baseline:type" in found.output
    assert typed(folder, "--against", folder.parent / "none").exit_code == 2
