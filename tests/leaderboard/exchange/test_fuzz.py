"""Whatever is sent: a sentence or a merge, never a crash, and nothing written or read elsewhere."""

from __future__ import annotations

import copy
import json
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainbench.catalog import Catalog
from brainbench.errors import StoreError
from brainbench.identity import fingerprint
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.exchange.merge import merge
from brainbench_leaderboard.exchange.places import place_of, safe
from brainbench_leaderboard.site import dataset_pages, front, method_pages, model_pages, table_pages
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.store import Leaderboard

SHOWN = (table_pages, dataset_pages, method_pages, model_pages, front)  # pictures draw the same numbers
STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, -(2**70), 10**39, 1e308, -0.0, 1.5, "", "../../x", "a\0b", "\x1b[2J"),
    *("<script>alert(1)</script>", "NaN", "1", "\ud800", "x" * 5000, [], {}, [[]], {"a": {"b": []}}, [None]),
    *("/etc/passwd", "CON", "simulated-deduction@stage=response", "'; DROP TABLE records; --", "é\u202e"),
)
FEW = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a value, of long lists the first two."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, held in value.items():
            found += places(held, (*path, key))
    if isinstance(value, list):
        for at, held in enumerate(value[:2]):
            found += places(held, (*path, at))
    return found


@pytest.fixture(scope="session")
def files(exported: Path) -> list[dict[str, Any]]:
    """One file of each kind."""
    by_kind = {}
    for path in sorted(exported.rglob("*.json")):
        held = json.loads(path.read_text())
        by_kind[held["records"][0]["kind"], held["records"][0]["outcome"].get("type")] = held
    return list(by_kind.values())


@pytest.fixture(scope="session")
def packed(database: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database as one file."""
    path = tmp_path_factory.mktemp("packed") / "b.db"
    db = sqlite3.connect(database)
    db.execute("VACUUM INTO ?", [str(path)])
    db.close()
    return path.read_bytes()


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """A folder beside which nothing may appear."""
    (tmp_path / "in").mkdir()
    return tmp_path


def submitted(sandbox: Path, content: bytes, catalog: Catalog) -> str:
    """Merge one file; what was said, if it was refused. Shows what was taken as a page."""
    (sandbox / "in" / "file.json").write_bytes(content)
    into = sandbox / "db" / "b.db"
    try:
        merge([sandbox / "in"], into, Known(catalog))
    except StoreError as error:
        said = error.message
        if into.exists() or not said.isprintable() or len(said) > 1000:
            pytest.fail(f"refused as {said!r}")
        return said
    finally:
        assert {path.name for path in sandbox.iterdir()} <= {"in", "db"}
        assert [path.name for path in (sandbox / "in").iterdir()] == ["file.json"]
    with Leaderboard.reading(into) as store:
        board = Board.of(store)
        pages = [str(text) for part in SHOWN for path, text in part.files(board) if path.endswith(".html")]
    assert pages
    assert "<script>alert" not in "".join(pages)
    shutil.rmtree(into.parent)
    return ""


@FEW
@given(data=st.data())
def test_a_value_replaced_dropped_or_doubled(
    data: st.DataObject, files: list[dict[str, Any]], sandbox: Path, catalog: Catalog
) -> None:
    held = json.loads(json.dumps(data.draw(st.sampled_from(files))))
    for _ in range(data.draw(st.integers(1, 2))):
        *steps, last = data.draw(st.sampled_from(places(held)))
        inner: Any = held
        try:
            for step in steps:
                inner = inner[step]
            if data.draw(st.sampled_from(("replace", "replace", "drop"))) == "drop":
                del inner[last]
            else:
                inner[last] = copy.deepcopy(data.draw(st.sampled_from(STRANGE)))
        except (KeyError, IndexError, TypeError):  # the first change took it away
            continue
    with suppress(LookupError, TypeError, ValueError, RecursionError):  # facts or records may be anything
        document = held["records"][0]
        document["fingerprint"] = fingerprint(document["facts"])  # or nothing behind it would be reached
    submitted(sandbox, json.dumps(held).encode("utf-8", "surrogatepass"), catalog)


@FEW
@given(data=st.data())
def test_bytes_cut_flipped_or_put_in(
    data: st.DataObject, files: list[dict[str, Any]], sandbox: Path, catalog: Catalog
) -> None:
    content = bytearray(json.dumps(data.draw(st.sampled_from(files))).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(("cut", "flip", "insert", "encode"))):
        case "cut":
            del content[at:]
        case "flip":
            content[at] ^= data.draw(st.integers(1, 255))
        case "insert":
            content[at:at] = data.draw(
                st.sampled_from((b"\0", b"NaN", b"[" * 2000, b'"a":1,', b"9" * 400, b"1e999"))
            )
        case _:
            content = bytearray(bytes(content).decode().encode("utf-16"))
    said = submitted(sandbox, bytes(content), catalog)
    if len(content) == at:
        assert said


@settings(parent=FEW, max_examples=30)
@given(data=st.data())
def test_a_database_with_other_bytes(
    data: st.DataObject, packed: bytes, sandbox: Path, catalog: Catalog
) -> None:
    content = bytearray(packed)
    for _ in range(data.draw(st.integers(1, 4))):  # half of them where tables are described
        most = data.draw(st.sampled_from((8192, len(content))))
        content[data.draw(st.integers(0, most - 1))] = data.draw(st.integers(0, 255))
    source, into = sandbox / "in" / "sent.db", sandbox / "db" / "b.db"
    source.write_bytes(content)
    try:
        merge([source], into, Known(catalog))
    except StoreError:
        assert not into.exists()
    assert source.read_bytes() == content
    shutil.rmtree(into.parent, ignore_errors=True)


def test_a_damaged_description_of_tables_is_a_sentence(
    packed: bytes, sandbox: Path, catalog: Catalog
) -> None:
    source, whole = sandbox / "in" / "sent.db", b"fingerprint TEXT NOT NULL UNIQUE"
    assert whole in packed
    for damaged in (b"fingerprint TEXT NOT N\xecLL UNIQUE", b"fingerprint TEXT NOT NULL UNIQU\x00"):
        source.write_bytes(packed.replace(whole, damaged, 1))
        with pytest.raises(StoreError, match=r"is damaged|malformed"):
            merge([source], sandbox / "db" / "b.db", Known(catalog))


NAMES = st.one_of(
    st.text(max_size=120), st.sampled_from(("..", ".", "", "con", "NUL.txt", "a/../..", "C:\\x", "-rf"))
)


@settings(max_examples=100, deadline=None)
@given(names=st.lists(NAMES, min_size=4, max_size=4))
def test_places_are_inside_the_folder_and_nobody_else_s(names: list[str]) -> None:
    for name in names:
        made = safe(name)
        assert made == Path(made).name != ".."
        assert made.isascii()
        assert not set(made) & set('<>:"/\\|?* \0')
        assert len(made) <= 81
    model, revision, dataset, change = names
    base = {
        "kind": "score",
        "metric": "rsa",
        "protocol": "paper",
        "metric_version": 1,
        "facts": {"model": {}},
    }
    one = place_of({**base, "model": model, "revision": revision, "dataset": dataset, "intervention": change})
    other = place_of(
        {**base, "model": f"{model} ", "revision": revision, "dataset": dataset, "intervention": change}
    )
    assert one[-1].lower() != other[-1].lower()
