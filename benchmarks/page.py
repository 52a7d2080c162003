"""How large the published page of a large leaderboard is, how long it takes to write, and to stand.

    python -m benchmarks.page [--models 500] [--json docs/page.json]

A made-up board (`benchmarks/big_board.py`) of 500 models and 40 questions, opened from the disk in Chromium.
Goals: the first paint within 2 seconds, the page with its data below 5 MB.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.big_board import fill

from brainbench_leaderboard.site.publish import publish
from brainbench_leaderboard.store import Leaderboard

TIMES, PAINT, MEGABYTES = 5, 2.0, 5.0
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def written(folder: Path, models: int) -> dict[str, Any]:
    """Fill a results file, publish it, and say how long that took and how large it is."""
    with Leaderboard(folder / "big.db") as store:
        records = fill(store, models)
        started = time.process_time()  # of the processor: publishing waits for nothing
        page = publish(store, folder / "site")
        seconds = time.process_time() - started
    sizes = {
        path.relative_to(page.parent).as_posix(): path.stat().st_size
        for path in page.parent.rglob("*")
        if path.is_file()
    }
    assets = sum(
        size
        for name, size in sizes.items()
        if name.startswith("assets/front")
        or name in ("assets/site.css", "assets/data.js", "assets/files.js", "assets/table-core.js")
    )
    largest = max((name for name in sizes if name.endswith(".html")), key=sizes.__getitem__)
    return {
        "models": models,
        "records": records,
        "files": len(sizes),
        "publish_seconds": seconds,
        "front_megabytes": (sizes["index.html"] + sizes["data/board.js"] + assets) / 1e6,
        "data_megabytes": sizes["data/board.js"] / 1e6,
        "largest_page": largest,
        "largest_megabytes": sizes[largest] / 1e6,
        "site_megabytes": sum(sizes.values()) / 1e6,
    }


def opened(page: Path) -> dict[str, float]:
    """Seconds until something is painted, until the table stands, and until it is sorted anew: medians."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {"first_paint": [], "table": [], "sorted": []}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(TIMES):
            tab = browser.new_page()
            tab.goto(page.resolve().as_uri(), wait_until="commit")
            tab.wait_for_selector("#board-body tr")
            found["table"].append(tab.evaluate("performance.now()") / 1000)
            tab.wait_for_function(f"{_PAINTED} > 0")
            found["first_paint"].append(tab.evaluate(_PAINTED) / 1000)
            found["sorted"].append(
                tab.evaluate(
                    "(() => { const before = performance.now();"
                    " document.querySelector('[data-sort=model]').click();"
                    " document.body.getBoundingClientRect(); return performance.now() - before; })()"
                )
                / 1000
            )
            tab.close()
        browser.close()
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    """Measure, print, and keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = written(Path(folder), options.models)
        told |= {f"{name}_seconds": value for name, value in opened(Path(folder) / "site/index.html").items()}
    told = {
        name: float(f"{value:.3g}") if isinstance(value, float) else value for name, value in told.items()
    }
    for name, value in told.items():
        print(f"{name.replace('_', ' ')}: {value}")
    met = told["first_paint_seconds"] <= PAINT and told["front_megabytes"] <= MEGABYTES
    print(
        f"first paint within {PAINT:g} s and the page below {MEGABYTES:g} MB: {'met' if met else 'NOT met'}"
    )
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
