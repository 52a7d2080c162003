"""Several processes at one cache, and processes that end in the middle of a fetch."""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from brainbench.fetch import Repository, RepositoryFile, fetch
from brainbench.progress import SilentReporter

REPOSITORY = Repository("some-one/data", "0123456789" * 4)
CONTENT = bytes(range(256)) * 40


def file(path: str = "a.bin") -> RepositoryFile:
    return RepositoryFile(REPOSITORY, path, hashlib.sha256(CONTENT).hexdigest())


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    target = tmp_path / "mirror" / Path(*file().parts)
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    monkeypatch.setenv("BRAINBENCH_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def _fetch_all(names: list[str]) -> bool:
    paths = fetch([file(name) for name in names], SilentReporter())
    return all(path.read_bytes() == CONTENT for path in paths)


def test_processes_that_fetch_at_once_all_succeed(cache: Path, mirror: Path) -> None:
    names = [f"many/{number}.bin" for number in range(12)]
    source = mirror.joinpath(*file().parts)
    for name in names:
        target = mirror.joinpath(*file(name).parts)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    with multiprocessing.get_context("fork").Pool(6) as pool:
        assert all(pool.map(_fetch_all, [names] * 6, chunksize=1))
    assert len(everything_in(cache)) == len(names)


FETCH_FROM_A_PIPE = """
from brainbench.fetch import *
from brainbench.progress import SilentReporter
print("ready", flush=True)
fetch([RepositoryFile(Repository({name!r}, {commit!r}), {path!r}, {sha!r})], SilentReporter())
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_fetch_leaves_nothing(cache: Path, mirror: Path, how: signal.Signals) -> None:
    # The mirror's file is a pipe that never ends: the process is surely stopped in mid-transfer.
    slow = file("slow.bin")
    pipe = mirror.joinpath(*slow.parts)
    os.mkfifo(pipe)
    code = FETCH_FROM_A_PIPE.format(
        name=REPOSITORY.name, commit=REPOSITORY.commit, path=slow.path, sha=slow.sha256
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    with process, open(pipe, "wb", buffering=0) as writer:  # opening waits for the reader
        writer.write(CONTENT)
        deadline = time.monotonic() + 10
        while not any(name.endswith(".part") for name in everything_in(cache)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        fetch([file()], SilentReporter())  # another process's work in progress is not swept
        assert any(name.endswith(".part") for name in everything_in(cache))
        process.send_signal(how)
        process.wait(timeout=10)
    ours = ["/".join(file().parts)]
    if how == signal.SIGINT:
        assert everything_in(cache) == ours
    else:
        assert len(everything_in(cache)) > 1
        fetch([file()], SilentReporter())
        assert everything_in(cache) == ours
