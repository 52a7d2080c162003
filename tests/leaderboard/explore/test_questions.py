"""The questions that datasette is given run on a real results file, and say what is in it."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from brainbench.cli import board_serve
from brainbench.records import Failure, Record
from brainbench_leaderboard.explore import datasette
from brainbench_leaderboard.explore.described import COLUMNS, TABLES, metadata
from brainbench_leaderboard.explore.questions import questions
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.store_file import connect_for_reading

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `results/` of the repository holds, in a database."""
    from brainbench.plugins import discover, load
    from brainbench_leaderboard.exchange.known import Known
    from brainbench_leaderboard.exchange.merge import merge

    path = tmp_path_factory.mktemp("explore") / "a b.db"  # a name that an address has to escape
    assert not merge([ROOT / "results"], path, Known(load(discover()))).refused
    return path


@pytest.fixture
def ask(results: Path) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Asks a question by its name; what is not given is left empty, as in a form."""
    with closing(connect_for_reading(results)) as connection:
        connection.row_factory = sqlite3.Row

        def ask(name: str, **given: str) -> list[dict[str, Any]]:
            one = next(one for one in questions() if one.name == name)
            assert set(given) <= set(one.parameters)
            values = {**dict.fromkeys(one.parameters, ""), **given}
            return [dict(row) for row in connection.execute(one.sql, values)]

        yield ask


def test_standings_keep_what_is_simulated_apart(ask: Any, results: Path) -> None:
    rows = ask("standings")
    with Leaderboard.reading(results) as store:
        told = {row["fingerprint"]: row for row in store.standings() if row["outcome"] == "scores"}
    assert {row["fingerprint"] for row in rows} == set(told)
    for row in rows:
        source = told[row["fingerprint"]]
        assert (row["data"] == "SIMULATED") == bool(source["simulated"])
        assert row["score"] == round(source["score"], 4)
    order = [row["data"] for row in rows]
    assert order == sorted(order, reverse=True)  # real ones first, then the others
    one = ask("standings", dataset="deduction", region="language", metric="rsa/robust")
    assert {(row["dataset"], row["region"], row["metric"]) for row in one} == {
        ("deduction", "language", "rsa/robust")
    }
    assert len(one) < len(rows)


def test_the_best_stands_beside_the_boards_own_dull_predictor(ask: Any, results: Path) -> None:
    rows = ask("best")
    with Leaderboard.reading(results) as store:
        told = {row["fingerprint"]: row for row in store.standings()}
    assert len(rows) == len({row["question"] for row in told.values() if not row["baseline"]})
    for row in rows:
        source = told[row["fingerprint"]]
        assert row["dull_predictor"] == source["above"]
        assert row["score"] == max(
            round(other["score"], 4)
            for other in told.values()
            if other["question"] == source["question"] and not other["baseline"]
        )


def test_what_was_changed_is_no_best_model(results: Path, tmp_path: Path) -> None:
    path = tmp_path / "changed.db"
    with closing(sqlite3.connect(results)) as known, closing(sqlite3.connect(path)) as db:
        known.backup(db)
        db.execute(
            "UPDATE records SET intervention = 'nari'"
            " WHERE model = 'brainbench/tiny' AND dataset = 'deduction'"
        )
        one = next(one for one in questions() if one.name == "best")
        db.row_factory = sqlite3.Row
        found = {row["dataset"] for row in db.execute(one.sql, dict.fromkeys(one.parameters, ""))}
    assert found == {"simulated-creativity", "simulated-deduction"}


def test_layers_are_those_of_the_model_in_their_order(ask: Any, results: Path) -> None:
    assert ask("layers") == []
    rows = ask("layers", model="brainbench/tiny", dataset="deduction", region="md")
    assert {(row["model"], row["region"]) for row in rows} == {("brainbench/tiny", "md")}
    fingerprint = rows[0]["fingerprint"]
    with Leaderboard.reading(results) as store:
        expected = store.layer_scores(fingerprint).layers
    assert [row["layer"] for row in rows if row["fingerprint"] == fingerprint] == list(expected)


def test_changes_are_told_with_what_they_repaired_and_spoilt(ask: Any, results: Path) -> None:
    rows = ask("gains", task="deduction_3_tiny")
    with Leaderboard.reading(results) as store:
        told = {row["fingerprint"]: row for row in store.task_standings()}
        items = {
            one["intervention"]: {item.id: item.correct for item in store.task_items(one["fingerprint"])}
            for one in told.values()
            if one["model"] == "brainbench/tiny" and one["task"] == "deduction_3_tiny"
        }
    assert {row["intervention"] for row in rows} == set(items) - {"none"}
    for row in rows:
        before, after = items["none"], items[row["intervention"]]
        assert row["repaired"] == sum(after[name] and not before[name] for name in after)
        assert row["spoilt"] == sum(before[name] and not after[name] for name in after)
        assert row["gain"] == pytest.approx((row["repaired"] - row["spoilt"]) / len(after), abs=1e-4)
        assert row["role"] == told[row["fingerprint"]]["role"]
    assert ask("gains", task="none such") == []


def test_failures_and_ideas_are_found_wherever_they_are(
    made: Callable[..., Record], ask: Any, tmp_path: Path
) -> None:
    path = tmp_path / "b.db"
    with Leaderboard(path) as store:
        store.add(made("none", Failure("model", "OSError", "It is not there.", "Look again.")))
    failures, ideas = (next(one for one in questions() if one.name == n) for n in ("failures", "ideas"))
    with closing(connect_for_reading(path)) as connection:
        ((*_, reason, phase, exception, hint, _, _),) = connection.execute(failures.sql, {"outcome": ""})
        assert (reason, phase, exception, hint) == ("It is not there.", "model", "OSError", "Look again.")
        assert connection.execute(failures.sql, {"outcome": "skip"}).fetchall() == []
        assert connection.execute(ideas.sql, {"scorer": ""}).fetchall() == []
    skipped = ask("failures", outcome="skip")
    assert all(row["reason"] and row["outcome"] == "skip" for row in skipped)


def test_the_provenance_of_a_fingerprint_is_every_value_of_it(ask: Any) -> None:
    fingerprint = ask("best")[0]["fingerprint"]
    rows = ask("provenance", fingerprint=fingerprint[:10])
    told = {(row["part"], row["name"]): row["value"] for row in rows}
    assert {row["fingerprint"] for row in rows} == {fingerprint}
    assert told["facts", "model.name"] == "brainbench/tiny"
    assert told["provenance", "device"] == "cpu"
    assert ask("provenance") == ask("provenance", fingerprint="%") == []


def test_all_tables_and_nothing_else_are_described(results: Path) -> None:
    with closing(connect_for_reading(results)) as connection:
        query = "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p"
        columns = connection.execute(query).fetchall()
    ours = {table for table, _ in columns if not table.startswith(("sqlite_", "_sqlite"))}
    assert ours == set(TABLES)
    assert set(COLUMNS) <= {column for _, column in columns}
    assert len({one.title for one in questions()}) == len(questions()) == 7
    told = metadata("x", {"records": ("score", "reason", "id"), "other": ("score",)})["databases"]["x"]
    assert set(told["tables"]["records"]["columns"]) == {"score", "reason"}
    assert told["tables"]["other"] == {"hidden": True}


def test_datasette_answers_and_changes_nothing(results: Path, tmp_path: Path) -> None:
    from datasette.utils import tilde_encode

    before = results.read_bytes()
    with datasette.opened(results, "127.0.0.1", 0, tmp_path / "datasette") as address:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def get(path: str) -> Any:
            with direct.open(address + path, timeout=20) as answer:
                return json.load(answer)

        place = tilde_encode("a b")
        rows = get(f"{place}/layers.json?_shape=array&model=brainbench/tiny&dataset=deduction")
        assert {row["model"] for row in rows} == {"brainbench/tiny"}
        endless = "SELECT length(zeroblob(1000000000))"  # which would take that many bytes, many times
        for sql in ("DELETE FROM records", "ATTACH 'x.db' AS x", "PRAGMA journal_mode = DELETE", endless):
            with pytest.raises(urllib.error.HTTPError):
                get(f"{place}.json?{urllib.parse.urlencode({'sql': sql})}")
        with pytest.raises(urllib.error.HTTPError):
            get(f"{place}.db")
        assert get("-/settings.json")["allow_download"] is False
        assert [one["name"] for one in get("-/plugins.json")] == ["guard.py"]
        elsewhere = urllib.request.Request(address, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="421"):
            direct.open(elsewhere, timeout=20)
    with pytest.raises(OSError, match="refused"):
        direct.open(address, timeout=5)
    assert results.read_bytes() == before


def test_where_it_is_missing_or_does_not_start_the_page_is_served_without_it(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(datasette, "SETTINGS", {"no_such_setting": "1"})
    with board_serve.beside(results, "127.0.0.1", 0, tmp_path / "datasette"):
        assert "warning: datasette does not start: " in capsys.readouterr().err
    monkeypatch.setattr(datasette, "find_spec", lambda name: None)
    with board_serve.beside(results, "127.0.0.1", 0, tmp_path / "datasette"):
        assert "pip install 'brainbench[datasette]'" in capsys.readouterr().err
