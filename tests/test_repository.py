"""Promises that the repository makes about itself."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {
    "brainbench": ROOT / "harness/brainbench",
    "brainbench_models": ROOT / "plugins/models/brainbench_models",
    "brainbench_metrics": ROOT / "plugins/metrics/brainbench_metrics",
    "brainbench_tasks": ROOT / "plugins/tasks/brainbench_tasks",
    "brainbench_interventions": ROOT / "plugins/interventions/brainbench_interventions",
    "brainbench_leaderboard": ROOT / "leaderboard/brainbench_leaderboard",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def imports(file: Path) -> set[str]:
    """Top-level packages that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room: str) -> None:
    for file in ROOMS[room].rglob("*.py"):
        own = {name for name in imports(file) if name in ROOMS} - {room, "brainbench"}
        if file.is_relative_to(ROOMS["brainbench"] / "cli"):
            own -= {"brainbench_leaderboard"}  # the composition root
        assert not own, f"{file.relative_to(ROOT)} imports {', '.join(own)}"


@pytest.mark.parametrize("room", ROOMS)
def test_files_are_small(room: str) -> None:
    for file in ROOMS[room].rglob("*.py"):
        lines = len(file.read_text().splitlines())
        assert lines <= 300, f"{file.relative_to(ROOT)} has {lines} lines"


@pytest.mark.parametrize("room", ROOMS)
def test_the_package_is_typed_and_in_the_wheel(room: str) -> None:
    assert (ROOMS[room] / "py.typed").exists()
    assert (
        str(ROOMS[room].relative_to(ROOT))
        in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    )


def test_every_module_with_a_hook_is_an_entry_point_and_the_reverse() -> None:
    declared = set(PROJECT["project"]["entry-points"]["brainbench"].values())
    found = set()
    for room, folder in ROOMS.items():
        for file in folder.glob("*.py"):
            if room != "brainbench" and "@hookimpl" in file.read_text():
                found.add(f"{room}.{file.stem}")
    assert declared == found


@pytest.mark.parametrize("folder", ["harness", "plugins", "plugins/models", "leaderboard", "tests"])
def test_the_folders_that_hold_packages_are_none_themselves(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_every_direct_dependency_is_pinned_and_explained() -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    project = PROJECT["project"]
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = requirement.partition(">")[0].partition("[")[0].strip()
        assert name.lower().replace("_", "-") in pinned, f"{name} is not in constraints.txt"
        assert f"- `{name}`: " in contributing, f"CONTRIBUTING.md does not say why {name} is needed"


def test_no_file_of_the_public_data_is_committed() -> None:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False)
    files = listed.stdout.split("\n") if listed.returncode == 0 else [str(p) for p in ROOT.rglob("*.mat")]
    assert not [name for name in files if name.endswith((".mat", ".nii", ".nii.gz", "_events.tsv"))]
