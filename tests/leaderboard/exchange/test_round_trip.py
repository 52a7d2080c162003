"""Out into files and in again: the same board, whatever the order, and all of it or nothing."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brainbench.errors import StoreError
from brainbench_leaderboard.exchange import sources
from brainbench_leaderboard.exchange.export import export
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.exchange.merge import merge
from brainbench_leaderboard.store import Leaderboard

HOME = "/home/somebody"
Board = list[list[dict[str, Any]]]
TABLES = ("records", "task_records", "idea_records", "validities")
BELOW = ("layer_scores", "participant_scores", "task_items", "ideas")


def board(path: Path, *, failures: bool = True) -> Board:
    with Leaderboard.reading(path) as store:
        every = [store.standings(), store.task_standings(), store.idea_standings()]
    return [[row for row in rows if failures or row["outcome"] != "failure"] for rows in every]


def content(path: Path) -> dict[str, list[Any]]:
    """All rows, whatever their ids and whatever is said of the machine."""
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    found: dict[str, list[Any]] = {}
    key: dict[tuple[str, int], str] = {}
    for table in TABLES:
        rows = [dict(row) for row in db.execute(f"SELECT * FROM {table} ORDER BY fingerprint")]
        for row in rows:
            key[table, row.pop("id", 0)] = row["fingerprint"]
            row.pop("provenance")
        found[table] = [row for row in rows if row.get("outcome") != "failure"]
    for table, parent in zip(BELOW, ("records", *TABLES[:3]), strict=True):
        rows = [dict(row) for row in db.execute(f"SELECT * FROM {table}")]
        found[table] = sorted(repr((key[parent, row.pop("record_id")], row)) for row in rows)
    db.close()
    return found


def test_files_give_the_same_board_down_to_every_value(
    database: Path, exported: Path, known: Known, tmp_path: Path
) -> None:
    into = tmp_path / "empty.db"
    made = merge([exported], into, known)
    assert (made.there, made.replaced, made.refused) == (0, 0, [])
    assert made.added == sum(
        len(json.loads(path.read_text())["records"]) for path in exported.rglob("*.json")
    )
    assert board(into) == board(database, failures=False)
    assert [len(rows) for rows in board(into)] == [3, 1, 2]
    before, after = content(database), content(into)
    for table in (*TABLES, *BELOW):
        assert before[table] == after[table], table
    assert len(after["validities"]) == 1
    assert len(after["ideas"]) == 23


def test_the_same_results_give_the_same_bytes(
    database: Path, exported: Path, known: Known, tmp_path: Path
) -> None:
    merge([exported], tmp_path / "b.db", known)
    for source, folder in ((database, tmp_path / "one"), (tmp_path / "b.db", tmp_path / "two")):
        with Leaderboard.reading(source) as store:
            export(store, folder)
        assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.json")} == {
            path.relative_to(exported): path.read_bytes() for path in exported.rglob("*.json")
        }


def test_nothing_of_the_machine_leaves_it(database: Path, tmp_path: Path) -> None:
    place = f"{HOME}/models/mine"
    copy = tmp_path / "copy.db"
    shutil.copy(database, copy)
    db = sqlite3.connect(copy)
    with db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("UPDATE idea_records SET reason = ? WHERE outcome = 'skip'", [f"Nothing in {place}."])
        db.execute(
            "UPDATE records SET details = json_set(details, '$.note', ?), provenance = "
            "json_set(provenance, '$.libraries.mine', ?, '$.traceback', ?) WHERE kind = 'score'",
            [f"see {place}", place, place],
        )
        db.execute("UPDATE task_records SET facts = json_set(facts, '$.model.folder', ?)", [place])
        db.execute("UPDATE ideas SET text = 'walk to /home/sweet/home' WHERE position = 0")
    db.close()
    with Leaderboard.reading(copy) as store:
        made = export(store, tmp_path / "files")
    text = "".join(path.read_text() for path in made.files)
    assert HOME not in text
    assert "traceback" not in text
    assert "walk to /home/sweet/home" in text  # what a model wrote is data
    assert made.left_out[sources.FAILED] == 1
    assert [reason for reason in made.left_out if "facts: they name a place on the machine" in reason]
    assert not list((tmp_path / "files").rglob("deduction_3"))


def test_two_databases_merge_alike_in_both_orders_and_twice_is_once(
    database: Path, exported: Path, known: Known, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"  # of another machine: later, on another device, a little different
    shutil.copy(database, other)
    db = sqlite3.connect(other)
    with db:
        db.execute("UPDATE records SET started = '2020-01-01T00:00:00+00:00', device = 'cuda:0'")
        db.execute("UPDATE records SET score = score + 1e-9 WHERE kind = 'score'")
        db.execute(
            "UPDATE layer_scores SET score = score + 1e-9 WHERE record_id IN "
            "(SELECT id FROM records WHERE kind = 'score')"
        )
        db.execute("DELETE FROM task_records")
        db.execute("DELETE FROM records WHERE model = 'baseline:type'")
    db.close()
    orders = ([database, other], [other, database], [exported, other, database], [other, other])
    paths = [tmp_path / f"merged{at}.db" for at in range(len(orders))]
    for path, order in zip(paths, orders, strict=True):
        for source in order:  # one after the other, as submissions come
            merge([source], path, known)
    at_once = tmp_path / "at-once.db"
    merge(orders[1], at_once, known)
    assert content(paths[0]) == content(paths[1]) == content(paths[2]) == content(at_once)
    assert board(paths[0]) == board(paths[1]) == board(at_once)
    assert len(board(paths[3])[0]) == 2
    devices = {row["device"] for row in content(paths[0])["records"] if row["model"] == "brainbench/tiny"}
    assert devices == {"cuda:0"}  # the older one's
    before = paths[0].read_bytes()
    again = merge([exported, other], paths[0], known)
    assert (again.added, again.replaced, again.refused) == (0, 0, [])
    assert paths[0].read_bytes() == before


def shifted(document: dict[str, Any]) -> None:
    """All of a record's scores, by more than any machine does."""
    told = document["outcome"]
    told["score"] += 0.05
    for layer in told["layers"]:
        layer["score"] += 0.05
        layer["people"] = [score + 0.05 for score in layer["people"]]
    told["per_item"] = None


def test_what_contradicts_is_refused_by_name_and_the_rest_is_taken(
    exported: Path, folder: Path, spoil: Callable[..., Path], known: Known, tmp_path: Path
) -> None:
    spoil("score", shifted)
    kept = tmp_path / "kept.db"
    merge([exported], kept, known)
    before = content(kept)
    made = merge([folder], kept, known)
    (sentence,) = made.refused
    assert "contradicts the database: score is" in sentence
    assert "submitted/" in sentence
    assert content(kept) == before
    for order in ([exported, folder], [folder, exported]):
        new = tmp_path / f"{order[0].name}.db"
        made = merge(order, new, known)
        (sentence,) = made.refused
        assert "neither is taken" in sentence
        assert made.added == len(list(exported.rglob("*.json"))) - 1
    assert content(tmp_path / "results.db") == content(tmp_path / "submitted.db")


def test_scores_are_kept_rather_than_a_skip(
    exported: Path, folder: Path, spoil: Callable[..., Path], known: Known, tmp_path: Path
) -> None:
    spoil("score", lambda document: document.update(outcome={"type": "skip", "reason": "No time."}))
    for order in ([exported, folder], [folder, exported]):
        path = tmp_path / f"{order[0].name}.db"
        for source in order:
            assert not merge([source], path, known).refused
    assert content(tmp_path / "results.db") == content(tmp_path / "submitted.db")
    assert all(row["outcome"] == "scores" for row in content(path)["records"])


KILLED = """
import os, signal, sys
from pathlib import Path
from brainbench.plugins import discover, load
from brainbench_leaderboard.exchange import merge, writing
from brainbench_leaderboard.exchange.known import Known
insert, count = writing.insert, [0]
def dying(db, document):
    insert(db, document)
    count[0] += 1
    if count[0] == 3:
        db.execute("PRAGMA cache_spill = 1")
        os.kill(os.getpid(), signal.SIGKILL)
writing.insert = dying
merge.merge([Path(sys.argv[1])], Path(sys.argv[2]), Known(load(discover())))
"""


def test_a_merge_that_is_killed_leaves_the_database_as_it_was(
    exported: Path, known: Known, tmp_path: Path
) -> None:
    path = tmp_path / "b.db"
    ceilings = shutil.copytree(exported / "ceilings", tmp_path / "first")
    merge([Path(ceilings)], path, known)
    before = content(path)
    command = [sys.executable, "-c", KILLED, str(exported), str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert content(path) == before
    assert merge([exported], path, known).added == len(list(exported.rglob("*.json"))) - 1


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(database: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ceilings").symlink_to(tmp_path)
    with Leaderboard.reading(database) as store:
        with pytest.raises(StoreError, match="cannot be written: Not a directory"):
            export(store, tmp_path / "file" / "below")
        with pytest.raises(StoreError, match="leads out of the folder by a link"):
            export(store, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out"]


def test_only_some_are_exported_with_what_belongs_to_them(database: Path, tmp_path: Path) -> None:
    with Leaderboard.reading(database) as store:
        made = export(store, tmp_path / "a", ["baseline:type"])
        assert {path.relative_to(tmp_path / "a").parts[0] for path in made.files} == {
            "baseline-type",
            "ceilings",
        }
        made = export(store, tmp_path / "b", [], ["simulated-creativity"])
    kinds = [json.loads(path.read_text())["records"][0]["kind"] for path in made.files]
    assert sorted(kinds) == ["ideas", "ideas", "validity"]


def test_an_outdated_database_is_read_and_not_written(known: Known, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    db = sqlite3.connect(old)
    db.executescript((Path(__file__).parents[1] / "m001.sql").read_text())
    db.close()
    before = old.read_bytes()
    found = sources.read(old)
    assert found.records == [] or found.records
    assert old.read_bytes() == before
    db = sqlite3.connect(old)
    db.execute("CREATE TRIGGER acts AFTER INSERT ON records BEGIN DELETE FROM records; END")
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="triggers"):
        merge([old], tmp_path / "new.db", known)
    assert not (tmp_path / "new.db").exists()
