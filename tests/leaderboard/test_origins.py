"""How a number was made, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainbench.nouns import ModelOptions
from brainbench.records import Record
from brainbench_leaderboard.origins import Origin, dataset_spec, origins
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.view import tables

Toy = dict[str, Any]


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., tuple[Origin, ...]]:
    """What is said of the first table with these records."""

    def told(*kept: Record) -> tuple[Origin, ...]:
        with Leaderboard(tmp_path / "b.db") as store:
            for record in kept:
                store.add(record)
            return origins(tables(store.standings())[0], store.sources())

    return told


def test_how_a_number_was_made_and_the_command_stand_together(toy: Toy, records: Any, told: Any) -> None:
    (one,) = told(*records(toy["model"]("a b")))
    assert one.command == "brainbench run --model 'a b' --dataset toy --metric first/paper"
    facts = dict(one.facts)
    assert facts["revision"] == "1"
    assert facts["device"] == "cpu"
    assert "numpy" in facts["versions"]
    assert facts["layer shown"] == "maximum"


@pytest.mark.parametrize(
    ("name", "revision", "spec"),
    [
        ("org/name", "a" * 40, f"org/name@{'a' * 40}"),
        ("org/name@v1", "b" * 40, f"org/name@{'b' * 40}"),
        ("untrained:org/name", "a" * 40, f"untrained:org/name@{'a' * 40}"),
        ("tiny-llama", "sha256:0", "path/to/tiny-llama"),
        ("untrained:tiny-llama", "sha256:0", "untrained:path/to/tiny-llama"),
        ("brainbench/tiny", "sha256:0", "brainbench/tiny"),
    ],
)
def test_the_command_names_the_exact_model(
    toy: Toy, records: Any, told: Any, name: str, revision: str, spec: str
) -> None:
    one = records(toy["model"](name))[0]
    facts = {**one.facts, "model": {**one.facts["model"], "revision": revision}}
    assert f"--model {spec} " in told(replace(one, facts=facts))[0].command


def test_the_command_leads_to_the_folder_of_a_prepared_dataset() -> None:
    assert dataset_spec("creativity:aut@stage=response") == "path/to/aut@stage=response"
    assert dataset_spec("deduction") == "deduction"


def test_the_command_gives_every_option_that_is_not_usual(toy: Toy, records: Any, told: Any) -> None:
    one = next(r for r in records(toy["model"]()) if r.cell.item_set.name == "even")
    model = {**one.facts["model"], "pooling": "mean", "trust_remote_code": True}
    cell = replace(one.cell, options=ModelOptions(seed=3))
    made = {**one.provenance, "dtype": "bfloat16"}
    other = next(r for r in records(toy["model"]("other")) if r.cell.item_set.name == "all")
    made_with = told(replace(one, cell=cell, facts={**one.facts, "model": model}, provenance=made), other)
    (command,) = [origin.command for origin in made_with if "letters" in origin.command]
    for option in ("--items even", "--pooling mean", "--dtype bfloat16", "--seed 3", "--trust-remote-code"):
        assert option in command


def test_a_name_from_outside_stays_one_word(toy: Toy, records: Any, told: Any) -> None:
    (one,) = told(*records(toy["model"]("$(rm -rf ~); '\n")))
    assert shlex.split(one.command)[3] == "$(rm -rf ~); '\\n"
