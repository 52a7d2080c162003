"""Pictures in a real browser: drawn, saved, read without eyes and without a mouse, at any width."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from brainbench_leaderboard.site.pictures import marks

HOSTILE = "\uff1devil/<script>alert(1)</script>"  # a formula to a spreadsheet, too
CHARTS = "figure.picture:has(script.specification)"
pytestmark = pytest.mark.browser


def drawn(page: Any) -> list[dict[str, Any]]:
    """Scroll to every chart, wait for it, and say how wide it and its place are, and whether it is empty."""
    made = []
    for figure in page.locator(CHARTS).all():
        figure.scroll_into_view_if_needed()
        figure.locator("canvas").wait_for()
        page.wait_for_function("figure => figure.dataset.drawn", arg=figure.element_handle())
        made.append(
            figure.evaluate(
                """figure => {
                    const canvas = figure.querySelector("canvas");
                    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                    return {
                        drawn: figure.dataset.drawn, colours: new Set(new Uint32Array(data.buffer)).size,
                        width: canvas.offsetWidth, place: canvas.closest(".chart").clientWidth,
                    };
                }"""
            )
        )
    return made


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_every_chart_is_drawn_as_wide_as_its_place_and_nothing_complains(
    site: Path, visit: Any, width: int, dark: bool
) -> None:
    page = visit(site, "pictures.html", width=width, dark=dark)
    made = drawn(page)
    assert len(made) == 6
    for one in made:
        assert one["drawn"] == "yes"
        assert one["colours"] > 20
        assert abs(one["width"] - one["place"]) < 24
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("img").evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 500)")
    source = page.locator("img").evaluate_all("all => all.map(one => one.currentSrc)")[0]
    assert source.endswith("aut.dark.png" if dark else "aut.light.png")


def test_names_that_mean_something_to_scripts_are_drawn_like_any_other(site: Path, visit: Any) -> None:
    page = visit(site, "pictures.html")
    names = page.evaluate("Object.getOwnPropertyNames(Object.prototype)")
    assert "constructor" in names
    data = [{"model": name, "panel": name, "score": at} for at, name in enumerate(names)]
    y = {"field": "model", "type": "nominal", "sort": names}
    layer = [
        {
            "mark": "point",
            "encoding": {"x": marks.number("score", "x"), "y": y, **marks.kinds("model", names)},
        }
    ]
    told = page.evaluate(
        """async specification => {
            const tooltip = { disableDefaultStyle: true };
            const options = { mode: "vega-lite", ast: true, actions: false, defaultStyle: false, tooltip };
            const made = await vegaEmbed(document.createElement("div"), specification, options);
            return await made.view.toSVG();
        }""",
        marks.chart(data, layer, panels=names[:3]),
    )
    assert [name for name in names if f">{name}{marks.UNSEEN}<" not in told] == []


def test_a_page_in_a_folder_is_sound_for_a_screen_reader(site: Path, visit: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(site, "models/m.html")
    drawn(page)
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    table = page.locator("details[open] table")
    assert table.locator("tbody tr").first.inner_text().startswith("p1")
    assert (
        table.locator("thead th[scope=col]").count() == table.locator("tbody tr").first.locator("> *").count()
    )
    assert table.locator("tbody tr th[scope=row]").count() == table.locator("tbody tr").count()
    assert Axe().run(page, options={"preload": False}).response["violations"] == []
    assert page.get_by_role("img", name="Layer profile: aut").first.is_visible()


def test_what_is_saved_is_whole(site: Path, visit: Any, tmp_path: Path) -> None:
    page = visit(site, "pictures.html")
    drawn(page)
    figure = page.locator(CHARTS).first
    saved = {}
    for kind in ("SVG", "PNG", "CSV"):
        with page.expect_download() as waiting:
            figure.get_by_role("button", name=f"Save {kind}").click()
        saved[kind] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved[kind])
    assert [path.suffix for path in saved.values()] == [".svg", ".png", ".csv"]
    vector = ElementTree.parse(saved["SVG"]).getroot()
    assert vector.tag.endswith("svg")
    assert "org/large" in "".join(vector.itertext())
    assert saved["PNG"].read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO(saved["CSV"].read_text("utf-8"), newline="")))
    assert f"'{HOSTILE}" in {row["model"] for row in rows}
    assert {row["score"] for row in rows if row["model"] == "org/large"} >= {"0.15"}
    assert {row["95 % low"] for row in rows if row["kind"] == "random weights"} == {""}


def test_colours_follow_the_page_and_words_stand_for_what_cannot_be_drawn(site: Path, visit: Any) -> None:
    page = visit(site, "models/m.html")
    drawn(page)
    figure = page.locator(CHARTS).first
    before = figure.evaluate("figure => figure.querySelector('canvas').toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "([figure, before]) => figure.querySelector('canvas')?.toDataURL() !== before",
        arg=[figure.element_handle(), before],
    )
    figure.evaluate(
        "figure => { figure.querySelector('.specification').textContent = '{\"data\": {\"values\": []}}'; }"
    )
    page.emulate_media(color_scheme="light")
    figure.get_by_text("This picture could not be drawn").wait_for()
    assert figure.locator("details table").count() == 1


def test_without_scripts_words_and_numbers_are_there(site: Path, visit: Any) -> None:
    page = visit(site, "pictures.html", java_script_enabled=False)
    assert page.get_by_text("This picture is drawn by JavaScript").first.is_visible()
    page.locator("summary").first.click()
    assert page.get_by_role("rowheader", name=HOSTILE).first.is_visible()
    assert page.get_by_role("button", name="Save CSV").count() == 0
