"""Where a number comes from: versions, machine, time. Read from metadata, so nothing heavy is imported."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "scipy", "scikit-learn", "lm-eval", "nilearn")


def version_of(distribution: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


@cache
def environment() -> dict[str, Any]:
    """Versions of brainbench and of the libraries that decide numbers, Python, platform and git commit."""
    versions = {name: version_of(name) for name in LIBRARIES}
    return {
        "brainbench": version_of("brainbench"),
        "git_commit": git_commit(Path(__file__).parent),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": {name: version for name, version in versions.items() if version},
    }


def git_commit(folder: Path) -> str | None:
    """The commit of the checkout that holds `folder`, with "+changes" when files differ; None outside one."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        # An installed copy may lie inside somebody else's repository: only a tracked file of ours counts.
        git("ls-files", "--error-unmatch", "provenance.py")
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def now() -> str:
    """The present in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
