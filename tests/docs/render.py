"""Writes into the docs what code knows better: help texts, example files, the table of figures.

`make docs` writes; `--check` says which file is out of date and fails. The table is only touched when
`--results` names a results file that holds the runs it shows, the demo's output only with `--demo`, which
runs it: both hold measured numbers.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from brainbench.cli import main as cli
from brainbench_leaderboard.store import Leaderboard

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "plugins/README.md")
SHOWN = ("stories260k", "untrained:stories260k")
BLOCK = re.compile(r"(<!-- (help|file|table|output): (\S+) -->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)
LANGUAGES = {".py": "python", ".toml": "toml"}


def rendered(text: str, results: Path | None, demo: str | None = None) -> str:
    """The page with each block written anew; those of measured numbers only where these are given."""

    def write(match: re.Match[str]) -> str:
        start, kind, name, old, end = match.groups()
        if kind == "help":
            return start + help_block(name) + end
        if kind == "file":
            return start + file_block(ROOT / name) + end
        if kind == "output":
            return start + (f"```\n$ make demo\n{demo}```\n" if demo else old) + end
        return start + (table_block(results) if results else old) + end

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


def table_block(results: Path) -> str:
    """Scores of the models shown, with their ceilings, from a results file."""
    with Leaderboard(results) as store:
        rows = [row for row in store.standings() if row["model"] in SHOWN and row["seed"] == 0]
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["protocol"] == "paper" and row["metric"] == "predictivity" and row["intervention"] == "none":
            cells.setdefault((row["item_set"], row["region"]), {})[row["model"]] = row
    lines = [
        "| items | region | stories260k | random weights | ceiling, extrapolated mean | ceiling, median |",
        "|---|---|---|---|---|---|",
    ]
    for (items, region), models in sorted(cells.items()):
        trained, untrained = (models[name] for name in SHOWN)
        values = [f"{row['score']:.3f} ± {row['spread']:.3f}" for row in (trained, untrained)]
        values += [f"{trained['ceiling']:.3f}", f"{trained['ceiling_like_for_like']:.3f}"]
        lines.append(f"| {items} | {region} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n\n± is the median absolute deviation over people.\n"


def main() -> int:
    """Write or check all pages; the exit code says whether one was out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--demo", action="store_true")
    options = parser.parse_args()
    demo = demo_output() if options.demo else None
    stale = []
    for page in PAGES:
        old = page.read_text()
        new = rendered(old, options.results, demo)
        if new != old:
            stale.append(page)
            if not options.check:
                page.write_text(new)
    for page in stale:
        sys.stdout.write(
            f"{page.relative_to(ROOT)} {'is out of date: make docs' if options.check else 'written'}\n"
        )
    return int(bool(stale) and options.check)


if __name__ == "__main__":
    sys.exit(main())
