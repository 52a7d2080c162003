"""Writes into the docs what code knows better: help texts and example files, and the schema of results.

`make docs` writes; `--check` says which file is out of date and fails. The demo's output holds measured
numbers and is only touched with `--demo`, which runs it. Tables of scores: `result_tables.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from click.testing import CliRunner

from brainbench.cli import main as cli
from brainbench_leaderboard.exchange.format import SCHEMA_VERSION, json_schema

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "plugins/README.md")
BLOCK = re.compile(r"(<!-- (help|file|output): (\S+) -->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)
SCHEMA = ROOT / f"docs/schema/results-{SCHEMA_VERSION}.json"
LANGUAGES = {".py": "python", ".toml": "toml"}


def rendered(text: str, demo: str | None = None) -> str:
    """The page with each block written anew; the demo's output only where it is given."""

    def write(match: re.Match[str]) -> str:
        start, kind, name, old, end = match.groups()
        if kind == "help":
            return start + help_block(name) + end
        if kind == "file":
            return start + file_block(ROOT / name) + end
        return start + (f"```\n$ make demo\n{demo}```\n" if demo else old) + end

    return BLOCK.sub(write, text)


def help_block(command: str) -> str:
    """What `brainbench <command> --help` prints, 100 columns wide; a subcommand follows a slash."""
    words = command.split("/")
    shown = CliRunner().invoke(cli, [*words, "--help"], prog_name="brainbench", terminal_width=100)
    return f"```\n$ brainbench {' '.join(words)} --help\n{shown.output.rstrip()}\n```\n"


def demo_output() -> str:
    """What the demo prints on a terminal of 100 columns, for a user called you who typed `make demo`."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "brainbench", "run"],
            env={**os.environ, "COLUMNS": "100", "BRAINBENCH_DB": f"{folder}/brainbench.db"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    lines = done.stdout.replace(folder, "/home/you/.local/share/brainbench")
    for typed in ("brainbench board)", "brainbench run --model"):
        lines = lines.replace(f" {typed}", f" .venv/bin/{typed}")
    return "".join(f"{line.rstrip()}\n" for line in lines.splitlines())


def file_block(path: Path) -> str:
    """A file of the repository, whole."""
    return f"```{LANGUAGES[path.suffix]}\n{path.read_text().rstrip()}\n```\n"


def main() -> int:
    """Write or check all pages; the exit code says whether one was out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--demo", action="store_true")
    options = parser.parse_args()
    demo = demo_output() if options.demo else None
    stale = []
    for page in PAGES:
        old = page.read_text()
        new = rendered(old, demo)
        if new != old:
            stale.append(page)
            if not options.check:
                page.write_text(new)
    schema = json.dumps(json_schema(), indent=1) + "\n"
    if not SCHEMA.exists() or SCHEMA.read_text() != schema:
        stale.append(SCHEMA)
        if not options.check:
            SCHEMA.write_text(schema)
    for page in stale:
        sys.stdout.write(
            f"{page.relative_to(ROOT)} {'is out of date: make docs' if options.check else 'written'}\n"
        )
    return int(bool(stale) and options.check)


if __name__ == "__main__":
    sys.exit(main())
