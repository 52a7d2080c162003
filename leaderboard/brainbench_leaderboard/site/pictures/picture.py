"""What a picture is: never without the numbers that it shows, nor without words for who cannot see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a page, which templates/site/picture.html shows.

    anchor: unique in its page. text: what it shows, in full sentences with the numbers that matter. columns
    and rows: the data, as the table behind a click; links: for each row the page of the site that its first
    column leads to, where there is one. chart: a Vega-Lite specification with its data, drawn in the
    browser, where the value `page` of a datum is a page of the site; else images: where image files lie in
    the site, by "light" and "dark".
    """

    anchor: str
    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    simulated: bool
    chart: Mapping[str, Any] | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str | None, ...] = ()
