"""The site as a whole: where files lie, that nothing is lost or let in, and that a browser takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainbench.errors import StoreError
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


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        output.write(tmp_path / "file", [("index.html", "x")])


@pytest.mark.browser
def test_an_empty_leaderboard_says_what_to_do(tmp_path: Path, visit: Any) -> None:
    with Leaderboard(tmp_path / "empty.db") as store:
        page = visit(publish(store, tmp_path / "site").parent)
    assert page.get_by_text("brainbench run").is_visible()
