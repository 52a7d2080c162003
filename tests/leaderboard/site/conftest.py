"""A real browser that opens pages from the disk, and forgives nothing that a visitor would not see."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def broken_links() -> Callable[[Path], list[str]]:
    """Links of a published folder that lead nowhere, one line each: see links.py; [] is the wish."""
    spec = importlib.util.spec_from_file_location("site_links", Path(__file__).with_name("links.py"))
    assert spec
    assert spec.loader
    links = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(links)
    found: Callable[[Path], list[str]] = links.broken
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it; a test that asks for it is marked `browser`."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"there is none of {', '.join(NAMES)}: install Debian's package chromium, say")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a file: visit(site, "models/a.html#scores", width=390, dark=True).

    At the test's end no page may have complained (console, exception, the page's own policy), nor have asked
    for anything outside the site's folder.
    """
    contexts, complaints = [], []

    def visit(site: Path, page: str = "index.html", *, width: int = 1280, **how: Any) -> Page:
        how |= {"color_scheme": "dark" if how.pop("dark", False) else "light"}
        context = browser.new_context(viewport={"width": width, "height": 900}, **how)
        contexts.append(context)
        opened = context.new_page()
        opened.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        home = site.resolve().as_uri() + "/"
        opened.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith((home, "data:", "blob:"))
                else complaints.append(f"asked for {asked.url}")
            ),
        )
        opened.on("requestfailed", lambda asked: complaints.append(f"failed: {asked.url}"))
        opened.goto(home + page)
        return opened

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def violations() -> Callable[[Page], list[str]]:
    """What axe-core finds on a page against accessibility, one line each; [] is the wish."""
    from axe_playwright_python.sync_playwright import Axe

    def violations(page: Page) -> list[str]:
        told = Axe().run(page, options={"preload": False})  # else it asks for style sheets, which nobody may
        found = told.response["violations"]
        return [f"{one['id']}: {one['help']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    return violations
