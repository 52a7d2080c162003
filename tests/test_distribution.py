"""What is built for others to install holds every file that the code reads, and no rubbish."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("harness", "plugins", "leaderboard")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Names of the files in the wheel and in the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    for kind in ("wheel", "sdist"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        source = {name.partition("/")[2] for name in archive.getnames()}
    return {"wheel": set(zipfile.ZipFile(wheel).namelist()), "sdist": source}


def packaged() -> set[Path]:
    """Files of the packages, from the repository's root."""
    packages = [path.parent for folder in FOLDERS for path in (ROOT / folder).rglob("py.typed")]
    files = {file for package in packages for file in package.rglob("*") if file.is_file()}
    return {file.relative_to(ROOT) for file in files if "__pycache__" not in file.parts}


def test_every_file_of_the_packages_is_in_both(built: dict[str, set[str]]) -> None:
    files = packaged()
    assert {str(file) for file in files} <= built["sdist"]
    for file in files:
        package = next(part for part in file.parts if part.startswith("brainbench"))
        inside = "/".join(file.parts[file.parts.index(package) :])
        assert inside in built["wheel"], f"{file} is not in the wheel"


def test_the_files_that_are_read_beside_the_code_are_there(built: dict[str, set[str]]) -> None:
    for name in ("templates/site/base.html", "templates/site/table_scores.html", "assets/site.css"):
        assert f"brainbench_leaderboard/{name}" in built["wheel"]
    assert "brainbench_leaderboard/explore/queries/standings.sql" in built["wheel"]
    assert "brainbench/neutral_text.txt" in built["wheel"]
    licences = {name.rpartition("/")[2] for name in built["wheel"] if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "table-core.LICENSE.txt"}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_nothing_that_python_leaves_behind_is_there(built: dict[str, set[str]], kind: str) -> None:
    assert not [name for name in built[kind] if name.endswith(".pyc") or "__pycache__" in name]


def test_the_first_command_and_the_notes_on_the_source_go_with_it(built: dict[str, set[str]]) -> None:
    assert {"Makefile", "README.md", "constraints.txt", "pyproject.toml", "LICENSE"} <= built["sdist"]
    assert {"results/README.md", ".github/workflows/board.yml"} <= built["sdist"]
    assert "brainbench_leaderboard/explore/queries/standings.sql" in built["wheel"]
