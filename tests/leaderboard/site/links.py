"""Links of a published site that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

PLACES = ("href", "src", "data-src", "poster")
OUTSIDE = ("http", "https", "mailto", "data")


class _Page(HTMLParser):
    """A page's addresses and anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in PLACES:
                self.links.append(value or "")
            if name == "id":
                self.anchors.append(value or "")


def broken(site: Path) -> list[str]:
    """ "page -> address (why)" of each link in a folder of pages that leads to no file or anchor in it.

    Also what leaves the folder, has a scheme that no page should have (javascript:, file:), or an id that is
    there twice. Addresses on the net are not asked for.
    """
    pages = {path.resolve(): _Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    home = site.resolve()
    return [found for path, page in pages.items() for found in _broken(home, path, page, pages)]


def _broken(home: Path, path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    here = path.relative_to(home).as_posix()
    for anchor in {one for one in page.anchors if page.anchors.count(one) > 1 or not one}:
        yield f"{here}: id {anchor!r} is there twice, or empty"
    for link in dict.fromkeys(page.links):
        address = urlsplit(link)
        if address.scheme in OUTSIDE:
            continue
        if address.scheme or address.netloc or address.path.startswith("/"):
            yield f"{here} -> {link} (leaves the site)"
            continue
        target = (path.parent / unquote(address.path)).resolve() if address.path else path
        if not target.is_relative_to(home):
            yield f"{here} -> {link} (leaves the site)"
        elif not target.is_file():
            yield f"{here} -> {link} (no such file)"
        elif address.fragment and target in pages and unquote(address.fragment) not in pages[target].anchors:
            yield f"{here} -> {link} (no such place in it)"
