"""`board export`, `merge` and `diff` as people type them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from brainbench.cli import main


def typed(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["board", *map(str, arguments)])


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_export_merge_and_diff_say_what_they_did(database: Path, tmp_path: Path) -> None:
    files, into = tmp_path / "files", tmp_path / "new" / "b.db"
    found = typed("--db", database, "export", files)
    assert found.exit_code == 0, found.output
    assert "8 records in 8 files below" in said(found)
    assert "left out: 1 record: failed, which is no result" in said(found)
    assert "ceilings/simulated-deduction/predictivity-paper-v1-" in found.output
    assert "8 records new, 0 there already" in said(typed("merge", files, "--db", into))
    again = typed("merge", files, files, database, "--db", into)
    assert (again.exit_code, "0 records new, 8 there already" in said(again)) == (0, True)
    same = typed("diff", database, files)
    assert (same.exit_code, same.output.strip()) == (0, "8 records the same in both.")


def test_diff_says_what_is_missing_and_what_differs(database: Path, exported: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    shutil.copy(database, other)
    db = sqlite3.connect(other)
    with db:
        db.execute("DELETE FROM records WHERE model = 'baseline:type'")
        db.execute("UPDATE task_items SET answer = 'maybe' WHERE position < 2")
    db.close()
    found = typed("diff", exported, other)
    assert found.exit_code == 1
    assert "only in A: 1 record score baseline:type simulated-deduction reasoning all predictivity" in said(
        found
    )
    assert "1 record the same" not in said(found)
    told: Any = json.loads(typed("diff", other, exported, "--json").stdout)
    (missing,), (changed,) = told["only_second"], told["changed"]
    assert (missing["model"], told["only_first"], told["same"]) == ("baseline:type", [], 6)
    assert (changed["task"], changed["values"]) == ("deduction_3", 2)
    assert changed["largest"].startswith("item ")


def test_wrong_use_is_a_sentence(database: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("These are no results, but words.")
    (tmp_path / "empty").mkdir()
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE things (name)")
    other.close()
    into = tmp_path / "b.db"
    for arguments, code, sentence in (
        (("merge", tmp_path / "gone", "--db", into), 2, "does not exist"),
        (("merge", "--db", into), 2, "Missing argument"),
        (("merge", tmp_path / "notes.txt", "--db", into), 1, "is not an SQLite database"),
        (("merge", tmp_path / "other.db", "--db", into), 1, "is a database of something else"),
        (("merge", tmp_path / "empty", "--db", into), 1, "There are no results in"),
        (("export", tmp_path / "x", "--db", into), 1, "There are no results in"),
        (("export", tmp_path / "x", "--db", database, "--model", "gtp2"), 2, "No result is called 'gtp2'"),
        (("export", tmp_path / "x", "--db", database, "--dataset", "y"), 2, "No result is called 'y'"),
    ):
        found = typed(*arguments)
        assert (found.exit_code, sentence in said(found)) == (code, True), found.output
        assert not into.exists()
        assert not (tmp_path / "x").exists()


def test_what_is_refused_is_named_and_makes_the_exit_code(exported: Path, spoil: Any, tmp_path: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        document["outcome"]["score"] += 1
        for text in document["outcome"]["texts"]:
            text["score"] += 1

    path = spoil("ideas", better)
    typed("merge", exported, "--db", tmp_path / "b.db")
    found = typed("merge", path.parents[3], "--db", tmp_path / "b.db")
    assert found.exit_code == 1
    assert "0 records new, 7 there already, 0 replaced" in said(found)
    assert "refused: submitted/brainbench__tiny/" in said(found)
    assert "the database's is kept" in said(found)
