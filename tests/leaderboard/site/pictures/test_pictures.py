"""What pictures hold: the store's numbers and no others, in words that are true, under names as they are."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.pictures import brain, brain_image, choice
from brainbench_leaderboard.site.pictures.panels import asked
from brainbench_leaderboard.site.pictures.picture import Picture
from brainbench_leaderboard.view import tables

HOSTILE = "\uff1devil/<script>alert(1)</script>"  # a formula to a spreadsheet, too


def picture(found: tuple[Picture, ...], start: str) -> Picture:
    """The only one of a sort."""
    (one,) = (it for it in found if it.title.startswith(start))
    return one


def table(it: Picture) -> list[dict[str, Any]]:
    return [dict(zip(it.columns, row, strict=True)) for row in it.rows]


@pytest.fixture(scope="module")
def aut(board: Board) -> tuple[Picture, ...]:
    return choice.of_dataset(board, "aut")


def test_every_sort_of_picture_is_there_and_compiles_without_complaint(board: Board) -> None:
    import vl_convert

    found = [*choice.of_dataset(board, "aut"), *choice.of_model(board, "org/small")]
    sorts = [
        "Alignment against size",
        "Alignment against steered gain",
        "Person by person",
        "Regions on a brain",
    ]
    sorts += ["Gain by control", "Person by person", "Layer profile", "Person by person", "Layer profile"]
    assert [it.title.partition(":")[0] for it in found] == [*sorts, "Gain by control"]
    for it in found:
        assert it.text
        assert it.rows
        if it.chart is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                drawn = vl_convert.vegalite_to_svg(dict(it.chart), vl_version="6.4")
            assert drawn.count("<path") > len(
                {datum["page"] for datum in it.chart["data"]["values"] if "page" in datum}
            )


def test_size_has_the_stores_numbers_and_says_who_is_highest(board: Board, aut: tuple[Picture, ...]) -> None:
    it = picture(aut, "Alignment against size")
    stored = {(row["model"], row["region"]): row for row in board.scores if row["dataset"] == "aut"}
    for row in table(it):
        own = stored[str(row["model"]), str(row["region"])]
        numbers = (row["score"], row["95 % low"], row["95 % high"], row["ceiling"])
        assert numbers == (own["score"], own["low"], own["high"], own["ceiling"])
        assert row["best dull"] == 0.03
    here = {row["model"]: row for row in table(it) if row["region"] == "default"}
    assert here["org/large"]["parameters"] == 900_000_000
    names = ("org/small", HOSTILE, "org/middle", "org/large")
    r = np.corrcoef(
        [math.log10(here[name]["parameters"]) for name in names], [here[name]["score"] for name in names]
    )
    assert (
        f"default: Pearson's r = {r[0, 1]:.2f} over n = 4 models; highest is org/large with 0.150" in it.text
    )
    assert (
        "lowest org/small with 0.050; the ceiling is 0.200; the best dull predictor, words, has 0.030"
        in it.text
    )
    assert "motor: 3 models: too few for a correlation" in it.text
    assert here["untrained:org/small"]["kind"] == "random weights"
    assert it.chart
    drawn = [datum for datum in it.chart["data"]["values"] if datum["kind"] == "trained model"]
    drawn = [datum for datum in drawn if datum["panel"] == "default"]
    upper, lower = ([datum["score"] for datum in drawn if datum["above"] is way] for way in (True, False))
    assert len(upper) == len(lower) == 2  # of names beside like marks one stands above, one below
    assert min(upper) >= max(lower)


def test_what_is_missing_is_left_out_and_never_zero(board: Board, aut: tuple[Picture, ...]) -> None:
    for it in aut:
        for datum in (it.chart or {"data": {"values": []}})["data"]["values"]:
            assert None not in datum.values()
            assert (datum.get("model"), datum.get("panel")) != (HOSTILE, "motor")
    assert HOSTILE in str(aut[0].rows)
    bare = [datum for datum in aut[0].chart["data"]["values"] if datum["kind"] == "random weights"]  # type: ignore[index]
    assert all("low" not in datum for datum in bare)


def test_people_and_layers_are_those_of_the_record(board: Board) -> None:
    found = choice.of_model(board, "org/middle")
    people = picture(tuple(it for it in found if not it.simulated), "Person by person")
    assert [(row["person"], row["score"]) for row in table(people)][:3] == [
        ("p1", pytest.approx(0.08)),
        ("p2", pytest.approx(0.1)),
        ("p3", pytest.approx(0.12)),
    ]
    assert "default: 0.100 with the 95 % interval 0.070 to 0.130; of 3 people, highest is p3" in people.text
    layers = picture(tuple(it for it in found if not it.simulated), "Layer profile")
    own = [row for row in table(layers) if row["region"] == "default"]
    assert [(row["layer"], row["number"], row["score"]) for row in own] == [
        ("layer.0", 1, pytest.approx(0.05)),
        ("layer.1", 2, pytest.approx(0.1)),
        ("layer.2", 3, pytest.approx(0.025)),
    ]
    assert (
        "default: highest is layer.1 with 0.100, lowest layer.2 with 0.025; the ceiling is 0.200"
        in layers.text
    )
    assert "counted from 1 (in the layers' own names from 0)" in layers.text


def test_gains_are_the_paired_ones_beside_every_control(board: Board, aut: tuple[Picture, ...]) -> None:
    changed = {
        (row["model"], row["intervention"]): row["against_base"] for row in board.tasks if row["against_base"]
    }
    one = picture(choice.of_model(board, "org/small"), "Gain by control")
    assert len(one.rows) == 3
    for row in table(one):
        told = changed["org/small", row["change"]]
        assert (row["gain"], row["95 % low"], row["95 % high"]) == (
            told["difference"],
            told["low"],
            told["high"],
        )
    kinds = {row["change"]: row["kind"] for row in table(one)}
    assert kinds == {"nari": "brain-guided", "random": "control", "shuffled": "control"}
    best = max(changed["org/small", name]["difference"] for name in ("random", "shuffled"))
    assert f"Control (2): highest is shuffled with {best:.3f}" in one.text
    assert len(picture(aut, "Gain by control").rows) == 9
    across = table(picture(aut, "Alignment against steered gain"))
    scores = {
        row["model"]: row["score"]
        for row in board.scores
        if row["dataset"] == "aut" and row["region"] == "default"
    }
    assert {row["model"]: (row["score"], row["gain"]) for row in across} == {
        name: (scores[name], changed[name, "nari"]["difference"])
        for name in ("org/small", "org/middle", HOSTILE)
    }


def test_simulated_and_real_never_share_a_picture(board: Board, aut: tuple[Picture, ...]) -> None:
    made_up = choice.of_dataset(board, "made-up")
    assert made_up
    assert all(it.simulated and "SIMULATED" in it.title for it in made_up)
    assert not any(it.simulated or "SIMULATED" in it.title for it in aut)
    assert not any(it.title.startswith(("Gain", "Alignment against steered")) for it in made_up)
    real = [row for row in board.scores if row["dataset"] == "aut"]
    copies = [{**row, "simulated": 1, "question": f"{row['question']} in dreams"} for row in real]
    one, other = asked([*copies, *real], "aut")  # of one name, and yet apart
    assert (one.simulated, other.simulated) == (False, True)
    assert {row["simulated"] for panel in one.panels for row in panel.rows} == {0}
    assert {row["simulated"] for panel in other.panels for row in panel.rows} == {1}


def test_brains_differ_by_region_and_are_the_same_bytes_twice(board: Board, site: Path) -> None:
    light, dark = ((site / f"pictures/aut.{kind}.png").read_bytes() for kind in ("light", "dark"))
    assert light.startswith(b"\x89PNG")
    assert len(light) > 30_000
    assert light != dark
    points = {name: brain.coordinates(place) for name, place in board.cards.places["aut"].items()}
    assert points["motor"].tolist() == [[-40.0, -20.0, 55.0]]
    assert len(points["default"]) == 34
    here, same, there = (
        brain_image.image([("a", 0.1, points[name])], "rsa", "light", top=0.3, simulated=False)
        for name in ("motor", "motor", "default")
    )
    assert here == same != there
    assert not list(site.glob("pictures/made-up*"))


def test_a_twin_that_was_steered_is_no_dull_predictor(board: Board) -> None:
    rows = [
        {**row, "intervention": "nari", "score": 0.9} if row["model_kind"] == "untrained" else row
        for row in board.scores
    ]
    (one,) = asked(rows, "aut")
    assert (one.main.dull_name, one.main.dull) == ("words", 0.03)
    sections = [section for table in tables(rows) for section in table.sections]
    assert {value.beside for section in sections for value in section.best_dull} == {"words"}


def test_a_region_without_coordinates_is_said_and_not_drawn(board: Board) -> None:
    (one,) = asked(board.scores, "aut")
    places_known = {"motor": board.cards.places["aut"]["motor"]}
    it = brain.picture(one, places_known, "brain")
    assert it is not None
    assert "default is not drawn: no published coordinates are known" in it.text
    assert "motor: 0.060, 20% of the ceiling (one point of our own)." in it.text
    bare = replace(one.main, rows=tuple(r for r in one.main.rows if r["model_kind"] == "untrained"))
    it = brain.picture(replace(one, panels=(bare, *one.panels[1:])), board.cards.places["aut"], "brain")
    assert it is not None
    assert "default is not drawn: no trained model has a score." in it.text
    assert brain.picture(one, {}, "brain") is None
    assert brain.places_of({"aut": places_known}, "aut@stage=response") == places_known


def test_data_lead_to_the_pages_of_models(aut: tuple[Picture, ...]) -> None:
    pages = {datum["model"]: datum["page"] for datum in aut[0].chart["data"]["values"]}  # type: ignore[index]
    assert pages["org/small"] == "models/org__small.html"
    assert pages[HOSTILE] == places.model_page(HOSTILE)
    assert aut[0].links == tuple(datum["page"] for datum in aut[0].chart["data"]["values"])  # type: ignore[index]
    assert json.dumps(aut[0].chart, allow_nan=False)
