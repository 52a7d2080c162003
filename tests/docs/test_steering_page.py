"""docs/steering.md shows what its script wrote, whole and with the commands that make it again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.steering_table import STORIES, parts, told

ROOT = Path(__file__).parents[2]
HELD = json.loads((ROOT / "docs/steering.json").read_text())
PAGE = (ROOT / "docs/steering.md").read_text()


def test_the_tables_are_those_of_the_figures() -> None:
    check = [sys.executable, str(ROOT / "tests/docs/steering.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_run_of_the_script_is_on_the_page() -> None:
    assert HELD["commands"] == told(parts(STORIES), STORIES)
    tables = set(re.findall(r"<!-- table: (.+?) -->", PAGE))
    asked = {
        f"{row['model']} | {row['learnt_from']} | {row['task']}" for row in HELD["rows"] if row["learnt_from"]
    }
    assert {table.removesuffix(" | transfer").removesuffix(" | repairs") for table in tables} == asked
    for row in HELD["rows"]:
        if row["learnt_from"]:
            assert f"`{row['intervention'].partition('@')[0]}" in PAGE


def test_no_path_of_a_machine_is_in_the_figures() -> None:
    assert "/" not in json.dumps(HELD).replace("brainbench/tiny", "")
