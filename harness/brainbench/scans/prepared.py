"""Reading a prepared folder: what was shown, everybody's betas in a region, and what they answered.

Opening reads the description alone. Every file is checked against the hash that the description tells: a
folder whose people were prepared again, or whose files were touched, is an error and never other numbers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainbench.arrays import Behaviour, FloatArray, Participant, Recording
from brainbench.errors import DataError, UsageError
from brainbench.kept_files import KeptFolder
from brainbench.scans.job import EXTENSION
from brainbench.scans.tables import Row, number, read_table

DESCRIPTION = "dataset_description.json"
FORMAT = 1
_AGAIN = "Prepare it again: `brainbench data prepare` computes only what is not there."
_LEAST_COMMON = 0.5


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """A folder that `brainbench data prepare` wrote. told: its description."""

    path: Path
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What its maker called it."""
        return str(self.told["Name"])

    @property
    def study(self) -> str:
        """Which experiment it is of."""
        return str(self._own["study"])

    @property
    def simulated(self) -> bool:
        """Whether nobody was scanned."""
        return self.told.get("Simulated") is not False

    @property
    def regions(self) -> tuple[str, ...]:
        """The main one first."""
        return tuple(self._own["regions"])

    @property
    def conditions(self) -> tuple[str, ...]:
        """Of the stimuli."""
        return tuple(self._own["conditions"])

    @property
    def people(self) -> tuple[str, ...]:
        """All who could be prepared: "sub-2001", ..."""
        return tuple(self._own["people"])

    @property
    def _own(self) -> Mapping[str, Any]:
        own: Mapping[str, Any] = self.told["brainbench"]
        return own

    def hashes(self, region: str) -> str:
        """One sha256 over the hashes of all files that decide stimuli and a region's responses."""
        self._require(region)
        lines = [f"{self._own['stimuli']['sha256']}  stimuli"]
        for person in self.people:
            for name in (self._trials(person), self._betas(person, region)):
                lines.append(f"{self._files(person)[name]}  {name}")
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def stimuli(self) -> list[Row]:
        """What was shown: stimulus_id, condition, shown and what else describes it; raises DataError."""
        return self._table(self.path / str(self._own["stimuli"]["file"]), str(self._own["stimuli"]["sha256"]))

    def trials(self, person: str) -> list[Row]:
        """A person's trials, in the order of the betas; raises DataError."""
        name = self._trials(person)
        return self._table(self._folder(person) / name, str(self._files(person)[name]))

    def recording(self, region: str, advance: Callable[[int], None]) -> Recording:
        """Everybody's betas in a region (items x voxels), strata by condition; trials of one item averaged.

        Where all have the same voxels, those that have a signal in everybody are kept: a column is the same
        place in all. `advance` is called with 1 for each person read. Raises DataError and UsageError.
        """
        self._require(region)
        stimuli = self.stimuli()
        place = {row["stimulus_id"]: at for at, row in enumerate(stimuli)}
        read = {}
        for person in self.people:
            read[person] = self._items(person, region, place)
            advance(1)
        measured: dict[str, Any] = {
            person: np.isfinite(betas).all(axis=0) for person, (_, betas, _) in read.items()
        }
        first = next(iter(read.values()))[2]
        if all(np.array_equal(voxels, first) for _, _, voxels in read.values()):
            common = np.logical_and.reduce(list(measured.values()))
            if common.mean() < _LEAST_COMMON:
                worst = min(measured, key=lambda person: float(measured[person].mean()))
                raise DataError(
                    f"Only {common.mean():.0%} of the voxels of {region} have a signal in everybody; fewest "
                    f"in {worst}.",
                    hint="Leave that person out with --exclude.",
                )
            measured = dict.fromkeys(measured, common)
        people = tuple(
            Participant(person, np.ascontiguousarray(betas[:, measured[person]]), present)
            for person, (present, betas, _) in read.items()
        )
        strata = tuple(row["condition"] for row in stimuli) if len(self.conditions) > 1 else ()
        return Recording(region, tuple(place), people, strata)

    def behaviour(self) -> Behaviour:
        """Response times, right answers and ratings (people x items), where the tables tell them."""
        ids = [row["stimulus_id"] for row in self.stimuli()]
        tables = {person: self.trials(person) for person in self.people}
        shape = (len(tables), len(ids))
        found = {name: np.full(shape, np.nan) for name in ("response_time", "rating", "accuracy")}
        for at, table in enumerate(tables.values()):
            for name, values in found.items():
                for item, known in _by_item(table, name).items():
                    values[at, ids.index(item)] = sum(known) / len(known)
        rated, asked = (np.isfinite(found[name]).any() for name in ("rating", "accuracy"))
        return Behaviour(
            participants=tuple(tables),
            items=tuple(ids),
            correct=found["accuracy"] == 1 if asked else None,
            response_time=found["response_time"],
            rating=found["rating"] if rated else None,
        )

    def _items(
        self, person: str, region: str, place: Mapping[str, int]
    ) -> tuple[np.ndarray[Any, np.dtype[np.intp]], FloatArray, FloatArray]:
        """Positions of a person's items, their betas, and where the voxels lie."""
        name = self._betas(person, region)
        path = self._folder(person) / name
        self._verify(path, str(self._files(person)[name]))
        arrays = KeptFolder(path.parent, _AGAIN, _AGAIN).read_arrays(name)
        rows = self.trials(person)
        betas, voxels = arrays.get("betas"), arrays.get("voxels")
        if betas is None or voxels is None or betas.shape != (len(rows), len(voxels)):
            raise DataError(f"{name} has not a row for each of {len(rows)} trials.", hint=_AGAIN)
        if unknown := {row["stimulus_id"] for row in rows} - set(place):
            raise DataError(f"{person} has trials of {min(unknown)}, which is no stimulus.", hint=_AGAIN)
        positions = np.array([place[row["stimulus_id"]] for row in rows], dtype=np.intp)
        present = np.unique(positions)
        if len(present) == len(positions):
            return present, betas[np.argsort(positions)], voxels
        means = np.stack([betas[positions == at].mean(axis=0) for at in present])
        return present, means, voxels

    def _require(self, region: str) -> None:
        if region not in self.regions:
            raise UsageError(
                f"The dataset {self.name} has no region {region!r}.",
                hint=f"Choose one of {', '.join(self.regions)}.",
            )

    def _stem(self, person: str) -> str:
        return str(self._own["stem"]).replace("sub-{label}", person)

    def _trials(self, person: str) -> str:
        return f"{self._stem(person)}{EXTENSION}_trials.tsv"

    def _betas(self, person: str, region: str) -> str:
        return f"{self._stem(person)}_label-{region.replace('_', '')}{EXTENSION}_betas.safetensors"

    def _folder(self, person: str) -> Path:
        return self.path / person / "func"

    def _files(self, person: str) -> Mapping[str, Any]:
        files: Mapping[str, Any] = self._own["people"][person]["files"]
        return files

    def _table(self, path: Path, sha256: str) -> list[Row]:
        self._verify(path, sha256)
        return read_table(path)

    def _verify(self, path: Path, sha256: str) -> None:
        from brainbench.scans.files import sha256_of

        if sha256_of(path) != sha256:
            raise DataError(f"{path.name} is not the file that {DESCRIPTION} tells of.", hint=_AGAIN)


def open_folder(path: Path) -> PreparedFolder | None:
    """The prepared folder at a path; None where there is none, DataError where there is a broken one."""
    if not (path / DESCRIPTION).is_file():
        return None
    told = KeptFolder(path, _AGAIN, _AGAIN).read_object(DESCRIPTION)
    own = told.get("brainbench")
    if not isinstance(own, dict):
        return None
    if own.get("format") != FORMAT:
        raise DataError(
            f"{path} is not of format {FORMAT}, the only one that this version reads.", hint=_AGAIN
        )
    if not _is_whole(told, own):
        raise DataError(f"{path / DESCRIPTION} is not as `brainbench data prepare` writes it.", hint=_AGAIN)
    return PreparedFolder(path, told)


def _is_whole(told: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether everything that is read of the description is there and of its kind."""
    lists = all(_words(own.get(name)) for name in ("regions", "conditions"))
    texts = all(isinstance(value, str) for value in (told.get("Name"), own.get("study"), own.get("stem")))
    people, stimuli = own.get("people"), own.get("stimuli")
    if not (lists and texts and isinstance(people, dict) and people and isinstance(stimuli, dict)):
        return False
    if not all(isinstance(one, dict) and isinstance(one.get("files"), dict) for one in people.values()):
        return False
    folder = PreparedFolder(Path(), told)
    known = [
        name in folder._files(person)
        for person in folder.people
        for name in (folder._trials(person), *(folder._betas(person, region) for region in folder.regions))
    ]
    return all(known) and {"file", "sha256"} <= set(stimuli)


def _words(found: object) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(word, str) and word for word in found)


def _by_item(rows: Sequence[Row], name: str) -> dict[str, list[float]]:
    """The numbers of a column by stimulus, where there are any."""
    found: dict[str, list[float]] = {}
    for row in rows if rows and name in rows[0] else ():
        value = number(row, name, "The table of trials")
        if not math.isnan(value):
            found.setdefault(row["stimulus_id"], []).append(value)
    return found
