from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlite_utils import Database

from brainbench.errors import StoreError
from brainbench.identity import unidentified
from brainbench.nouns import ModelOptions
from brainbench.plan import Cell, Plan
from brainbench.records import Failure, Record, Scores, Skip
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.store import Leaderboard

Toy = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Leaderboard]:
    with Leaderboard(tmp_path / "new" / "folder" / "b.db") as store:
        yield store


@pytest.fixture
def records(toy: Toy) -> list[Record]:
    plan = Plan.product(
        models=[toy["model"]()],
        datasets=[toy["dataset"]()],
        metrics=[toy["metric"]()],
        interventions=[NoIntervention()],
        options=ModelOptions(),
    )
    return [result for result in run(plan) if isinstance(result, Record)]


def count(store: Leaderboard, table: str) -> int:
    return int(store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_record_is_kept_down_to_each_layer_and_person(store: Leaderboard, records: list[Record]) -> None:
    record = records[0]
    assert isinstance(record.outcome, Scores)
    store.add(record)
    assert store.has(record.fingerprint)
    rows = store.db.execute(
        "SELECT l.layer, p.participant, p.score FROM participant_scores p JOIN layer_scores l"
        " USING (record_id, position) ORDER BY l.position, p.participant"
    ).fetchall()
    assert len(rows) == 2 * 3
    kept = np.array([score for _, _, score in rows]).reshape(2, 3)
    np.testing.assert_array_equal(kept, record.outcome.per_participant)
    unscored = store.db.execute("SELECT layer, unscored FROM layer_scores WHERE score IS NULL").fetchall()
    assert unscored == [("layer.9", "none")]


def test_adding_the_same_record_again_replaces_it_whole(store: Leaderboard, records: list[Record]) -> None:
    for _ in range(3):
        store.add(records[0])
    assert count(store, "records") == 1
    assert count(store, "layer_scores") == 3
    assert count(store, "participant_scores") == 6


def test_a_failure_never_replaces_scores_and_scores_replace_a_failure(
    store: Leaderboard, records: list[Record]
) -> None:
    good = records[0]
    bad = replace(good, outcome=Failure("metric", "ValueError", "no", "try"))
    store.add(bad)
    assert not store.has(good.fingerprint)
    store.add(good)
    store.add(bad)
    assert store.has(good.fingerprint)
    assert count(store, "records") == 1


def test_a_failure_before_the_identity_was_known_goes_when_the_cell_is_scored(
    store: Leaderboard, records: list[Record]
) -> None:
    good = records[0]
    nameless = unidentified(good.cell)
    failure = Failure("identity", "ConnectionError", "no hub", "")
    store.add(
        replace(good, fingerprint=nameless.fingerprint, facts=nameless.facts, resolved=False, outcome=failure)
    )
    assert [row["outcome"] for row in store.standings()] == ["failure"]
    store.add(good)
    assert [row["outcome"] for row in store.standings()] == ["scores"]


def test_a_skip_is_done_and_an_unresolved_record_is_not(store: Leaderboard, records: list[Record]) -> None:
    skip = replace(records[0], outcome=Skip("not for this"))
    store.add(skip)
    assert store.has(skip.fingerprint)
    loose = replace(records[1], resolved=False)
    store.add(loose)
    assert not store.has(loose.fingerprint)
    ranks = {row["region"]: row["rank"] for row in store.standings()}
    assert set(ranks.values()) == {None}


def test_ranks_compare_only_what_may_be_compared(store: Leaderboard, records: list[Record]) -> None:
    one = records[0]
    assert isinstance(one.outcome, Scores)
    for shift, fingerprint in ((0.1, "better"), (-0.1, "worse")):
        scores = replace(one.outcome, per_layer=one.outcome.per_layer + shift)
        store.add(replace(one, fingerprint=fingerprint, outcome=scores))
    other_metric = {**one.facts, "metric": {**one.facts["metric"], "parameters": {"power": 2}}}
    store.add(replace(one, fingerprint="elsewhere", facts=other_metric))
    ranks = {row["fingerprint"]: (row["rank"], row["tied"]) for row in store.standings()}
    assert ranks == {"better": (1, 2), "worse": (1, 2), "elsewhere": (1, 1)}
    found = store.db.execute("SELECT fingerprint, rank FROM standings").fetchall()
    assert dict(found) == {"better": 1, "worse": 2, "elsewhere": 1}, "the view's own, by score alone"


def test_the_ceiling_of_the_same_data_and_metric_stands_beside_a_score(
    store: Leaderboard, records: list[Record]
) -> None:
    score, ceiling = records[0], records[4]
    assert isinstance(score.outcome, Scores)
    assert ceiling.cell.kind == "ceiling"
    limit = replace(score.outcome, like_for_like=0.125)
    store.add(replace(ceiling, outcome=limit))
    store.add(score)
    (row,) = store.standings()
    assert row["ceiling"] == pytest.approx(limit.headline)
    assert row["ceiling_like_for_like"] == 0.125
    store.add(replace(ceiling, outcome=limit, resolved=False))
    assert store.standings()[0]["ceiling"] is None, "nobody knows what an unresolved ceiling is of"
    stranger = {**ceiling.facts, "dataset": {"name": "toy", "data": "other"}}
    store.add(replace(ceiling, outcome=limit, facts=stranger))
    assert store.standings()[0]["ceiling"] is None


def test_nothing_of_a_record_stays_when_it_cannot_be_kept_whole(
    store: Leaderboard, records: list[Record]
) -> None:
    one = records[0]
    assert isinstance(one.outcome, Scores)
    nameless = replace(one.outcome)
    object.__setattr__(nameless, "participants", ("p0", "p0", "p2"))  # past the checks of Scores
    with pytest.raises(sqlite3.IntegrityError):
        store.add(replace(one, outcome=nameless))
    assert [count(store, table) for table in ("records", "layer_scores", "participant_scores")] == [0, 0, 0]


def test_the_schema_refuses_an_empty_success(store: Leaderboard, records: list[Record]) -> None:
    store.add(records[0])
    with pytest.raises(sqlite3.IntegrityError):
        store.db.execute("UPDATE records SET score = NULL")


def test_the_file_is_set_up_for_several_processes(store: Leaderboard) -> None:
    assert store.db.journal_mode == "wal"
    assert store.db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert store.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_record_of_an_older_schema_is_migrated_never_dropped(tmp_path: Path) -> None:
    """From a file frozen as the first schema wrote it: later changes to that migration would show here."""
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    old.executescript((Path(__file__).parent / "m001.sql").read_text())
    old.close()
    assert "standings" not in Database(path).view_names()
    with Leaderboard(path) as store:
        (row,) = store.standings()
        assert store.has(row["fingerprint"])
        assert (row["model"], row["region"], row["rank"], row["best_layer"]) == (
            "letters",
            "left",
            1,
            "layer.1",
        )
        assert row["score"] == -0.25762652976623956
        assert count(store, "participant_scores") == 6


def test_a_file_that_may_only_be_read_is_shown_and_one_of_an_older_schema_is_migrated(
    tmp_path: Path, records: list[Record]
) -> None:
    path = tmp_path / "kept" / "b.db"
    with Leaderboard(path) as store:
        store.add(records[0])
    before = path.read_bytes()
    with Leaderboard.reading(path) as store:
        assert len(store.standings()) == 1
        with pytest.raises(StoreError, match="readonly"):
            store.add(records[1])
    assert path.read_bytes() == before
    old = tmp_path / "old.db"
    connection = sqlite3.connect(old)
    connection.executescript((Path(__file__).parent / "m001.sql").read_text())
    connection.close()
    with Leaderboard.reading(old) as store:
        assert len(store.standings()) == 1


def test_a_file_that_is_no_database_of_ours_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("my notes " * 200)
    with pytest.raises(StoreError, match="not an SQLite database"):
        Leaderboard(text)
    assert text.read_text() == "my notes " * 200
    other = tmp_path / "other.db"
    db = Database(other)
    db.table("plants").insert({"name": "fern"})
    db.close()
    before = other.read_bytes()
    for opening in (Leaderboard, Leaderboard.reading):
        with pytest.raises(StoreError, match="something else"):
            opening(other)
    assert other.read_bytes() == before


def test_damaged_pages_are_one_sentence(tmp_path: Path, records: list[Record]) -> None:
    path = tmp_path / "b.db"
    with Leaderboard(path) as store:
        for record in records:
            store.add(record)
    damaged = bytearray(path.read_bytes())
    damaged[4096:-4096] = b"\xa5" * (len(damaged) - 8192)
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match="cannot be used"), Leaderboard.reading(path) as store:
        store.standings()


def test_a_newer_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        store.db.table("_sqlite_migrations").insert(
            {"migration_set": "brainbench", "name": "m999", "applied_at": "x"}
        )
        store.db.conn.commit()
    with pytest.raises(StoreError) as caught:
        Leaderboard(tmp_path / "b.db")
    assert "newer" in caught.value.message
    assert "m999" in caught.value.message


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        Leaderboard(tmp_path / "file" / "b.db")


def _write(path: Path, worker: int, records: list[Record]) -> None:
    with Leaderboard(path) as store:
        for number in range(25):
            for record in records:
                store.add(replace(record, fingerprint=f"{worker}-{number}-{record.fingerprint}"))


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path, records: list[Record]) -> None:
    path = tmp_path / "shared.db"
    context = get_context("fork")
    scored = [replace(r, cell=replace(r.cell), provenance={}) for r in records[:2]]
    workers = [context.Process(target=_write, args=(path, worker, scored)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    with Leaderboard(path) as store:
        assert count(store, "records") == 4 * 25 * 2
        assert count(store, "participant_scores") == 4 * 25 * 2 * 6


def _start(path: Path, together: Any) -> None:
    together.wait()
    Leaderboard(path).close()


def test_first_starts_at_once_on_a_file_that_is_not_there_all_succeed(tmp_path: Path) -> None:
    context = get_context("fork")
    for attempt in range(5):
        together = context.Barrier(4)
        path = tmp_path / f"{attempt}.db"
        starts = [context.Process(target=_start, args=(path, together)) for _ in range(4)]
        for process in starts:
            process.start()
        for process in starts:
            process.join()
        assert [process.exitcode for process in starts] == [0] * 4


def test_columns_hold_what_the_record_says(store: Leaderboard, records: list[Record]) -> None:
    one = records[0]
    assert isinstance(one.outcome, Scores)
    scores = replace(one.outcome, best=0, per_layer=np.array([0.5, 0.25]), spread=np.array([0.1, 0.2]))
    store.add(replace(one, outcome=scores))
    (row,) = store.db.query("SELECT * FROM records")
    assert (row["score"], row["spread"], row["best_layer"]) == (0.5, 0.1, "layer.0")
    assert (row["seed"], row["dtype"], row["device"], row["revision"]) == (0, "float64", "cpu", "1")
    assert (row["region_position"], row["item_set_position"], row["simulated"]) == (0, 0, 1)
    layers = store.db.execute("SELECT score, spread FROM layer_scores WHERE score NOT NULL ORDER BY position")
    assert layers.fetchall() == [(0.5, 0.1), (0.25, 0.2)]


def test_the_documented_query_answers_what_it_says(store: Leaderboard, records: list[Record]) -> None:
    readme = Path(__file__).parents[2] / "README.md"
    query = readme.read_text().split("```sql\n", 1)[1].split("```", 1)[0]
    one = records[0]
    assert isinstance(one.outcome, Scores)
    assert isinstance(one.cell, Cell)
    for record in records[:4]:
        store.add(record)
    here = f"r.dataset = 'toy' AND r.region = '{one.cell.region}' AND r.item_set = 'all'"
    asked = query.replace(
        "r.dataset = 'deduction' AND r.region = 'language' AND r.item_set = 'syllogism'", here
    )
    metric = f"r.metric = '{one.cell.metric.name}' AND r.protocol = '{one.cell.metric.protocol}'"
    asked = asked.replace("r.metric = 'predictivity' AND r.protocol = 'robust'", metric)
    assert here in asked
    assert metric in asked
    answer = list(store.db.query(asked))
    best = one.outcome.per_participant[one.outcome.best]
    assert [row["score"] for row in answer] == sorted(best.tolist(), reverse=True)
    assert {row["layer"] for row in answer} == {one.outcome.layers[one.outcome.best]}
