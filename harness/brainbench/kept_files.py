"""A folder of JSON and safetensors that brainbench keeps something in: nothing in it can execute anything.

Each file appears whole or not at all. What is read is checked; whatever is wrong is a DataError of one
sentence.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.arrays import FloatArray
from brainbench.errors import DataError
from brainbench.progress import say

if TYPE_CHECKING:
    from brainbench.nouns import Reporter

_WIDE = ("F32",)
_ANY = ("F32", "F16", "BF16")


@dataclass(frozen=True, slots=True)
class KeptFolder:
    """Files of one folder. absent, spoilt: what to do where a file is not there, or not what it should be."""

    folder: Path
    absent: str
    spoilt: str

    def where(self, name: str) -> str:
        """A file, as errors call it."""
        return f"{self.folder.name}/{name}"

    def error(self, sentence: str) -> DataError:
        """That something in the folder is not what it should be."""
        return DataError(sentence, hint=self.spoilt)

    def read(self, name: str) -> bytes:
        """A file's content; DataError where it cannot be read."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise DataError(
                f"{self.where(name)} cannot be read: {error.strerror}.", hint=self.absent
            ) from error

    def read_object(self, name: str) -> dict[str, Any]:
        """A JSON object with finite numbers."""
        content = self.read(name)
        try:
            found = json.loads(content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise self.error(f"{self.where(name)} is no JSON: {error}.") from error
        if not isinstance(found, dict):
            raise self.error(f"{self.where(name)} holds no JSON object.")
        return found

    def read_form(self, name: str, version: int, kinds: Mapping[str, type]) -> dict[str, Any]:
        """A JSON object of that format's version with exactly these keys besides, of these kinds."""
        form, where = self.read_object(name), self.where(name)
        if type(form.get("format")) is not int or form["format"] != version:
            raise self.error(f"{where} is not of format {version}, the only one that this version reads.")
        self.require_keys(form, {"format", *kinds}, where)
        for key, kind in kinds.items():
            if not isinstance(form[key], kind):
                raise self.error(f"{where}: {key} must be a {kind.__name__}.")
        return form

    def require_keys(self, found: Mapping[str, Any], wanted: set[str], where: str) -> None:
        """Raise DataError for a key too many or too few."""
        if unknown := sorted(set(found) - wanted):
            raise self.error(f"{where} has the unknown key {unknown[0]!r}.")
        if lacking := sorted(wanted - set(found)):
            raise self.error(f"{where} lacks {lacking[0]!r}.")

    def read_arrays(self, name: str, *, narrow: bool = False) -> dict[str, FloatArray]:
        """The arrays of a safetensors file, float32; narrow: of float16 and bfloat16, too, which it holds."""
        from safetensors import SafetensorError, deserialize

        content, where = self.read(name), self.where(name)
        try:
            entries: Any = deserialize(content)  # type: ignore[no-untyped-call]
        except (SafetensorError, ValueError) as error:
            raise self.error(f"{where} is no safetensors file: {error}.") from error
        arrays = {}
        for label, entry in entries:
            if entry["dtype"] not in (_ANY if narrow else _WIDE):
                wanted = " or ".join(_ANY) if narrow else "F32"
                raise self.error(f"{where}: {label} holds {entry['dtype']} instead of {wanted}.")
            arrays[label] = _wide(entry["data"], entry["dtype"]).reshape(entry["shape"])
        return arrays


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, made if need be, in this order; each appears whole. Raises DataError."""
    partial = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            partial = folder / f".{name}.{os.getpid()}"
            partial.write_bytes(content)
            partial.replace(folder / name)
    except OSError as error:
        if partial is not folder:
            partial.unlink(missing_ok=True)
        raise DataError(f"Nothing can be written in {folder}: {error.strerror}.") from error


@contextmanager
def alone_at(folder: Path, reporter: Reporter, *, what: str, waiting: str) -> Iterator[None]:
    """Wait until no other process is at a folder of the cache, made if need be; `waiting` is then said.

    Raises DataError where nothing can be kept: `what`, as a sentence begins.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(reporter, waiting)
            lock.acquire()
    except OSError as error:
        sentence = f"{what} cannot be kept in {folder}: {error.strerror}."
        raise DataError(sentence, hint="Set BRAINBENCH_CACHE to a folder of yours.") from error
    try:
        yield
    finally:
        lock.release()


def as_json(form: Mapping[str, Any]) -> bytes:
    """For people to read, in ASCII; raises ValueError for numbers that are not finite."""
    return (json.dumps(form, indent=2, ensure_ascii=True, allow_nan=False) + "\n").encode()


def _wide(data: bytes, dtype: str) -> FloatArray:
    """Every value of float16 and bfloat16 is one of float32; bfloat16 is its upper half."""
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, "<f4" if dtype == "F32" else "<f2").astype(np.float32)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no finite number")
