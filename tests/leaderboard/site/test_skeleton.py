"""The site as a whole: where files lie, that nothing is lost or let in, and that a browser takes it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainbench.errors import StoreError
from brainbench.records import Record
from brainbench_leaderboard.site import data_files, output, places
from brainbench_leaderboard.site.publish import publish
from brainbench_leaderboard.store import Leaderboard


def test_slugs_stay_readable_and_never_collide() -> None:
    assert places.slug("brainbench/tiny") == "brainbench__tiny"
    names = [
        "a/b",
        "a__b",
        "A/b",
        "a/b/c",
        "a_b",
        "",
        ".",
        "..",
        "con",
        "con.txt",
        "a/",
        "/a",
        "ä",
        "a b",
        "a-b",
    ]
    names += ["x" * 200, "x" * 201, "<script>", "untrained:a/b", "a\x00b", "\ud800", "a~b", "a.", "a/con"]
    made = [places.slug(name) for name in names]
    assert len({one.lower() for one in made}) == len(names)
    assert all(len(one) < 120 and "/" not in one and not one.startswith(".") for one in made)


@given(st.lists(st.text(max_size=12), min_size=2, max_size=2, unique=True))
def test_no_two_names_share_a_slug(names: list[str]) -> None:
    first, second = map(places.slug, names)
    assert first.lower() != second.lower()


@pytest.mark.browser
def test_data_is_never_code(tmp_path: Path, visit: Any) -> None:
    value = {"__proto__": {"x": 1}, "</script><script>": "\u2028", "n": [1.5, None, True]}
    (tmp_path / "index.html").write_text(
        '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>t</title><body>'
        '<script src="data.js"></script><script src="a.js"></script>'
    )
    (tmp_path / "data.js").write_text((Path(output.__file__).parents[1] / "assets/data.js").read_text())
    (tmp_path / "a.js").write_text(data_files.script("__proto__", value))
    page = visit(tmp_path)
    assert json.loads(page.evaluate("JSON.stringify(brainbenchData['__proto__'])")) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        data_files.script("x", float("nan"))


def test_a_later_site_clears_away_the_earlier_and_nothing_else(tmp_path: Path) -> None:
    site = tmp_path / "site"
    output.write(site, [("models/a.html", "a"), ("index.html", b"1")])
    (site / "CNAME").write_text("mine")
    (tmp_path / "outside").write_text("mine")
    listed = json.loads((site / output.LIST).read_text())
    (site / output.LIST).write_text(json.dumps([*listed, "../outside", 7, "", "/etc/hostname"]))
    output.write(site, [("index.html", "2")])
    assert sorted(path.name for path in site.iterdir()) == [output.LIST, "CNAME", "index.html"]
    assert (site / "index.html").read_text() == "2"
    assert (tmp_path / "outside").exists()


@pytest.mark.parametrize("name", ["../x", "/x", "", "a/../../x", "a\\b"])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        output.write(tmp_path / "site", [(name, "x")])


def test_a_site_that_is_never_finished_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    def killed() -> Iterator[output.File]:
        yield "models/a.html", "a"
        yield "index.html", "1"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        output.write(tmp_path, killed())
    output.write(tmp_path, [("index.html", "2")])
    assert sorted(path.name for path in tmp_path.rglob("*")) == [output.LIST, "index.html"]


def test_nothing_of_somebody_else_is_overwritten_or_removed(tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside"
    for folder in (outside, site / ".git", site / "kept"):
        folder.mkdir(parents=True)
        (folder / "a.html").write_text("mine")
    (site / "linked").symlink_to(outside)
    named = ["linked/a.html", ".git/a.html", "kept", "a\0b", "x" * 5000]
    (site / output.LIST).write_text(json.dumps(named))
    output.write(site, [("index.html", "x")])  # none of these is a page of a site
    with pytest.raises(StoreError, match="is a link out of"):
        output.write(site, [("linked/a.html", "x")])
    with pytest.raises(StoreError, match="is there already"):
        output.write(site, [("kept/a.html", "x")])
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "index.html").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        output.write(tmp_path / "home", [("models/a.html", "x"), ("index.html", "x")])
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["index.html"]
    texts = {path.read_text() for path in tmp_path.rglob("a.html")}
    assert (texts, len(list(tmp_path.rglob("a.html")))) == ({"mine"}, 3)


@pytest.mark.parametrize("told", ["[" * 200_000, '["\\ud800"]', "7", "no list"])
def test_a_damaged_list_is_no_list(tmp_path: Path, told: str) -> None:
    (tmp_path / output.LIST).write_text(told)
    (tmp_path / output.BEGUN).write_text(f"{told}\n")
    assert output.write(tmp_path, [("index.html", "x")]) == 1


def test_a_list_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / output.LIST)
    (tmp_path / output.BEGUN).symlink_to("/dev/zero")
    assert output.write(tmp_path, [("index.html", "x")]) == 1


def test_two_sites_are_not_written_into_one_folder_at_once(tmp_path: Path) -> None:
    def while_writing() -> Iterator[output.File]:
        yield "index.html", "1"
        with pytest.raises(StoreError, match="Another site is being written"):
            output.write(tmp_path, [("index.html", "2")])

    output.write(tmp_path, while_writing())
    assert (tmp_path / "index.html").read_text() == "1"


def test_a_file_that_would_be_the_same_is_left_as_it_is(tmp_path: Path) -> None:
    output.write(tmp_path, [("a.js", "same"), ("b.html", "old")])
    for name in ("a.js", "b.html"):
        os.utime(tmp_path / name, (1, 1))
    output.write(tmp_path, [("a.js", b"same"), ("b.html", "new")])
    assert (tmp_path / "a.js").stat().st_mtime == 1
    assert (tmp_path / "b.html").stat().st_mtime > 1
    assert (tmp_path / "b.html").read_text() == "new"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        output.write(tmp_path / "file", [("index.html", "x")])


@pytest.mark.parametrize(
    "change", ["accuracy = 9e999", "details = 'no JSON'", "facts = '[[]]', by_condition = '7'"]
)
def test_a_file_that_somebody_spoilt_is_a_sentence_or_a_site(
    tmp_path: Path, made: Callable[..., Record], change: str
) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        store.add(made("none", [[1, 0], [1, 1]]))
        store.add(made("steered", [[1, 0], [1, 1]], told={}))
        with store.db.conn:
            store.db.conn.execute(f"UPDATE task_records SET {change}")
        with suppress(StoreError):
            publish(store, tmp_path / "site")
            return
        assert not (tmp_path / "site" / "index.html").exists()


@pytest.mark.browser
def test_an_empty_leaderboard_says_what_to_do(tmp_path: Path, visit: Any) -> None:
    with Leaderboard(tmp_path / "empty.db") as store:
        page = visit(publish(store, tmp_path / "site").parent)
    assert page.get_by_text("brainbench run").is_visible()
