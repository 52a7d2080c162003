import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from brainbench.errors import DataError
from brainbench.fetch import Repository, RepositoryFile, cache_folder, fetch
from brainbench.progress import SilentReporter

REPOSITORY = Repository("some-one/a.repository", "0123456789" * 4)
CONTENT = bytes(range(256)) * 40


def file(path: str = "top-10%/sub-1/data file.bin", content: bytes = CONTENT) -> RepositoryFile:
    return RepositoryFile(REPOSITORY, path, hashlib.sha256(content).hexdigest())


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def one_sentence(error: DataError) -> str:
    assert "\n" not in error.message
    assert error.message.endswith(".")
    assert error.hint
    return error.message


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


class CountingReporter:
    def __init__(self) -> None:
        self.tasks: list[tuple[str, int]] = []
        self.steps = 0

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        self.tasks.append((label, total))

        def advance(steps: int) -> None:
            self.steps += steps

        yield advance


def test_a_file_arrives_from_a_folder_mirror_under_its_own_path(cache: Path, mirror: Path) -> None:
    reporter = CountingReporter()
    assert fetch([file(), file()], reporter) == [cache.joinpath(*file().parts)] * 2
    assert everything_in(cache) == [f"some-one/a.repository/{'0123456789' * 4}/top-10%/sub-1/data file.bin"]
    assert cache.joinpath(*file().parts).read_bytes() == CONTENT
    assert reporter.tasks == [("fetching some-one/a.repository", 2)]
    assert reporter.steps == 2


def test_a_file_url_is_a_folder_mirror(cache: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = mirror.with_name("a mirror, 100%")
    mirror.rename(moved)
    monkeypatch.setenv("BRAINBENCH_MIRROR", moved.as_uri())
    assert "%20" in moved.as_uri()
    assert fetch([file()], SilentReporter())[0].read_bytes() == CONTENT


def test_what_is_in_the_cache_needs_no_mirror(
    cache: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch([file()], SilentReporter())
    monkeypatch.setenv("BRAINBENCH_MIRROR", "/there/is/no/such/folder")
    assert fetch([file()], SilentReporter())[0].read_bytes() == CONTENT


@pytest.mark.parametrize("damage", [CONTENT[:-1], b"", CONTENT[:-1] + b"x"])
def test_a_damaged_copy_is_fetched_anew_also_by_the_process_that_saw_it_whole(
    cache: Path, mirror: Path, damage: bytes
) -> None:
    (path,) = fetch([file()], SilentReporter())
    fetch([file()], SilentReporter())
    path.write_bytes(damage)
    assert fetch([file()], SilentReporter())[0].read_bytes() == CONTENT


def test_a_cached_file_can_be_read_by_those_whom_the_umask_lets(cache: Path, mirror: Path) -> None:
    before = os.umask(0o022)
    try:
        (path,) = fetch([file()], SilentReporter())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_nothing_is_printed(cache: Path, mirror: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fetch([file()], SilentReporter())
    assert capfd.readouterr() == ("", "")


def test_a_wrong_hash_names_the_file_and_both_hashes(cache: Path, mirror: Path) -> None:
    wrong = file(content=b"other")
    with pytest.raises(DataError) as caught:
        fetch([wrong], SilentReporter())
    sentence = one_sentence(caught.value)
    for part in ("data file.bin", wrong.sha256[:12], hashlib.sha256(CONTENT).hexdigest()[:12]):
        assert part in sentence
    assert everything_in(cache) == []


def test_a_mirror_that_lacks_the_file(cache: Path, mirror: Path) -> None:
    with pytest.raises(DataError, match=r"lacks other\.bin") as caught:
        fetch([file("other.bin")], SilentReporter())
    one_sentence(caught.value)
    assert "BRAINBENCH_MIRROR" in caught.value.hint


@pytest.mark.parametrize("name", ["nowhere", "a-file"])
def test_a_mirror_that_is_no_folder(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("BRAINBENCH_MIRROR", str(tmp_path / name))
    with pytest.raises(DataError, match="not an existing folder") as caught:
        fetch([file()], SilentReporter())
    assert name in one_sentence(caught.value)
    assert "BRAINBENCH_MIRROR" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.org/data",
        "htps://example.org",
        "http://",
        "http:/example.org",
        "http://example.org:port/",
        "http://[::1/",
        "https://example.org/data?branch=main",
        "https://example.org/two words",
        "file://server/share",
        "file:relative",
    ],
)
def test_a_malformed_mirror(cache: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("BRAINBENCH_MIRROR", address)
    with pytest.raises(DataError, match="no usable address") as caught:
        fetch([file()], SilentReporter())
    assert address in one_sentence(caught.value)
    assert "BRAINBENCH_MIRROR" in caught.value.hint


@pytest.mark.parametrize("blocked", ["cache", "cache/.staging", "cache/some-one"])
def test_a_cache_that_cannot_be_written(cache: Path, mirror: Path, blocked: str) -> None:
    path = cache.parent / blocked
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(DataError, match="cannot be used") as caught:
        fetch([file()], SilentReporter())
    assert str(cache) in one_sentence(caught.value)
    assert "BRAINBENCH_CACHE" in caught.value.hint
    assert everything_in(cache) == ([path.name] if blocked != "cache" else [])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache(cache: Path, mirror: Path) -> None:
    cache.mkdir(mode=0o500)
    with pytest.raises(DataError, match="Permission denied"):
        fetch([file()], SilentReporter())


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on file size")
def test_a_full_disk(cache: Path, mirror: Path) -> None:
    # A file size limit of the process makes the system refuse to write, as a full disk does.
    code = (
        "import resource, signal\n"
        "from brainbench.fetch import *\n"
        "from brainbench.progress import SilentReporter\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        f"repository = Repository({REPOSITORY.name!r}, {REPOSITORY.commit!r})\n"
        f"fetch([RepositoryFile(repository, {file().path!r}, {file().sha256!r})], SilentReporter())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"DataError: The cache folder {cache} cannot be used: File too large." in done.stderr
    assert everything_in(cache) == []


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/x", "a//b", "./a", "", "a/", "..", "a\\..\\x", "C:/x", "a\0b", "a\nb"],
)
def test_a_path_never_leaves_the_cache(path: str) -> None:
    with pytest.raises(DataError, match="cannot be a file"):
        file(path)


@pytest.mark.parametrize("name", ["../x", "a/..", "a/.", "a", "a/b/c", ".a/b", "a/b\n", "/a/b", ""])
def test_a_repository_name_never_leaves_the_cache(name: str) -> None:
    with pytest.raises(DataError, match="no repository name"):
        Repository(name, REPOSITORY.commit)


@pytest.mark.parametrize("commit", ["main", "..", "0123456", REPOSITORY.commit.replace("0", "g")])
def test_a_commit_is_pinned(commit: str) -> None:
    with pytest.raises(DataError, match="no commit"):
        Repository("a/b", commit)


def test_a_hash_must_be_one() -> None:
    with pytest.raises(DataError, match="no sha256"):
        RepositoryFile(REPOSITORY, "a", "abc")


def test_the_cache_is_the_users_unless_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BRAINBENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert cache_folder() == tmp_path / "brainbench"
    monkeypatch.setenv("BRAINBENCH_CACHE", "~/elsewhere")
    assert cache_folder() == Path.home() / "elsewhere"


def test_importing_fetch_imports_nothing_heavy() -> None:
    heavy = {"pooch", "requests", "platformdirs", "numpy"}
    code = f"import sys, brainbench.fetch; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
