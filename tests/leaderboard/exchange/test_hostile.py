"""Sources made to hang, hide, leak or be pasted into a shell."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from brainbench.errors import StoreError
from brainbench_leaderboard import store_file
from brainbench_leaderboard.exchange import plain_json, sources
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.exchange.merge import merge
from brainbench_leaderboard.exchange.private import HIDDEN, without_places


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    """The database as one file that a test may spoil."""
    path = tmp_path / "sent.db"
    db = sqlite3.connect(database)
    db.execute("VACUUM INTO ?", [str(path)])
    db.close()
    return path


def refused(source: Path, known: Known) -> str:
    into = source.parent / "b.db"
    with pytest.raises(StoreError) as error:
        merge([source], into, known)
    assert not into.exists()
    return error.value.message


def test_what_is_no_file_or_empty_is_no_database(tmp_path: Path, known: Known) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    assert refused(tmp_path / "pipe.db", known) == "pipe.db: it is no plain file."
    (tmp_path / "empty.db").touch()
    assert "There are no results in" in refused(tmp_path / "empty.db", known)
    assert refused(Path(os.devnull), known) == "null: it is no plain file."


@pytest.mark.parametrize("name", ["t", "sqlite1"])  # "_" stands for any letter in a pattern of SQL
def test_a_database_with_a_trigger_is_refused(name: str, copy: Path, known: Known) -> None:
    db = sqlite3.connect(copy)
    db.execute(f"CREATE TRIGGER {name} AFTER INSERT ON records BEGIN DELETE FROM records; END")
    db.close()
    assert refused(copy, known) == "sent.db: its database has triggers."


def test_a_huge_value_of_a_database_is_refused(
    copy: Path, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LARGEST", 1_000_000)
    db = sqlite3.connect(copy)
    with db:
        db.execute("UPDATE records SET details = ?", ['{"a": "' + "x" * 1_000_000 + '"}'])
    db.close()
    assert "too big" in refused(copy, known)


def test_a_database_that_is_being_written_is_not_read_in_halves(
    copy: Path, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.1)
    db = sqlite3.connect(copy, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    assert "sent.db cannot be used: database is locked" in refused(copy, known)
    db.execute("ROLLBACK")
    assert db.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM records")
    assert merge([copy], copy.parent / "b.db", known).added == 8  # as it was before
    db.close()


def test_a_name_to_allow_can_be_pasted_and_read(spoil: Any, folder: Path, known: Known) -> None:
    def name(document: Any) -> None:
        document["dataset"] = document["facts"]["dataset"]["name"] = called

    called = "x; rm -rf $HOME"
    spoil("score", name)
    assert refused(folder, known).endswith("--allow-dataset 'x; rm -rf $HOME'.")
    called = "q" * 1000
    spoil("score", name)
    assert len(refused(folder, known)) < 1000


def test_values_without_end_are_refused(folder: Path, known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_json, "MOST_VALUES", 100)
    assert "it holds more than 100 values" in refused(folder, known)


def test_a_score_replaced_within_the_tolerance_is_said(
    spoil: Any, folder: Path, exported: Path, known: Known
) -> None:
    def older(document: Any) -> None:
        told = document["outcome"]
        best = next(layer for layer in told["layers"] if layer["layer"] == told["best_layer"])
        for held in (told, best):
            held["score"] -= 5e-4
        best["people"], told["per_item"] = [score - 5e-4 for score in best["people"]], None
        document["provenance"]["started"] = "2001-01-01"

    into = folder.parent / "b.db"
    assert merge([exported], into, known).changed == []
    spoil("score", older)
    made = merge([folder], into, known)
    assert (made.replaced, len(made.changed)) == (1, 1)
    assert " is now " in made.changed[0]


def test_a_day_that_never_was_is_refused(spoil: Any, folder: Path, known: Known) -> None:
    spoil("ideas", lambda document: document["provenance"].update(started="2026-02-30T10:00:00"))
    assert "field provenance.started: '2026-02-30T10:00:00' is no time" in refused(folder, known)


@pytest.mark.parametrize(
    "words",
    [
        "OSError:/home/me/x",
        "-I/home/me/x",
        "cache@/home/me/x",
        "../../home/me/x",
        "No such file: '/home/you too/my models/me'",
        'open("C:\\Users\\you too\\me")',
        "HTTP://me.example/x",
    ],
)
def test_places_are_found_however_they_are_written(words: str) -> None:
    document = {"outcome": {"type": "skip", "reason": words}, "provenance": {}}
    struck = without_places(document)["outcome"]["reason"]
    assert HIDDEN in struck
    assert "me" not in struck.replace(HIDDEN, "")


@pytest.mark.parametrize("words", ["and/or", "org/name@main", "3/4/5", "it's a / b / c, isn't it", "n:m/k"])
def test_what_is_no_place_stays(words: str) -> None:
    document = {"outcome": {"type": "skip", "reason": words}, "provenance": {}}
    assert without_places(document)["outcome"]["reason"] == words
