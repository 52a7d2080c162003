"""docs/speed.md shows what the benchmarks wrote, and every benchmark that compares speed is in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_is_that_of_the_figures() -> None:
    check = [sys.executable, str(ROOT / "tests/docs/speed.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_script_that_reports_speed_is_in_the_figures_and_the_reverse() -> None:
    held = {name.split()[0] for name in json.loads((ROOT / "docs/speed.json").read_text())}
    scripts = {file.stem for file in (ROOT / "benchmarks").glob("*.py") if "import Row" in file.read_text()}
    assert held == {name for name in scripts if name != "measured"}


def test_a_goal_that_is_missed_has_a_reason() -> None:
    page = (ROOT / "docs/speed.md").read_text()
    missed = page.count("| **no** |")
    assert len(re.findall(r"^- .*, against .*: .{20,}\.$", page, re.MULTILINE)) == missed
    assert "no reason known" not in page
