"""What people answered, from a table, and which trial of the scanner each answer belongs to: by id.

The table has the columns id, condition, stimuli, response, and rater1, rater2, ... for as many as rated; a
column `run` tells apart what was shown twice. Order says nothing: two rows for a trial, a trial without a row
and a row without a trial are errors that name them.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brainbench.errors import DataError
from brainbench.scans.design import Event
from brainbench.scans.settings import Study
from brainbench.scans.tables import Row, is_missing, number, read_table, require_columns

_RATER = re.compile(r"rater\d+")
Key = tuple[str, str, str]  # condition, what was shown, run ("" where the table does not say)


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the table. ratings: NaN where a rater gave none."""

    response: str
    ratings: tuple[float, ...]

    @property
    def given(self) -> bool:
        """Whether anything was answered."""
        return not is_missing(self.response)

    @property
    def rating(self) -> float:
        """The mean of the raters who gave one; NaN where nobody did."""
        known = [value for value in self.ratings if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan


@dataclass(frozen=True, slots=True)
class Responses:
    """All answers, by person and key. sha256: of the table."""

    people: dict[str, dict[Key, Answer]]
    raters: tuple[str, ...]
    by_run: bool
    sha256: str = ""
    name: str = ""


@dataclass(slots=True)
class Trial:
    """A trial as it is kept. stimulus: its id; shown: what was shown, in words."""

    run: str
    position: int
    stimulus: str
    condition: str
    shown: str
    event: Event
    answer: Answer | None
    described: dict[str, str] = field(default_factory=dict)


def same_words(text: str) -> str:
    """A text without what does not distinguish it: case and blanks."""
    return " ".join(text.split()).casefold()


def person_key(text: str) -> str:
    """A person's id without "sub-", leading zeros and a spreadsheet's ".0"."""
    bare = re.sub(r"\.0+$", "", text.strip().removeprefix("sub-"))
    return (bare.lstrip("0") or "0") if bare.isdigit() else bare


def read_responses(path: Path, study: Study) -> Responses:
    """The table; raises DataError for one without these columns, or with two rows for one trial."""
    rows = read_table(path)
    named = study.stimulus if rows and all(name in rows[0] for name in study.stimulus) else ("stimuli",)
    require_columns(rows, ("id", "condition", *named, "response"), path)
    raters = tuple(name for name in rows[0] if _RATER.fullmatch(name))
    by_run = "run" in rows[0]
    people: dict[str, dict[Key, Answer]] = {}
    for at, row in enumerate(rows):
        where = f"{path.name}, row {at + 2},"
        if is_missing(row["id"]):
            raise DataError(f"{where} has no id.")
        key = (row["condition"], shown_of(row, named), person_key(row["run"]) if by_run else "")
        answers = people.setdefault(person_key(row["id"]), {})
        if same_key(key) in answers:
            raise DataError(
                f"{where} is a second one of {row['id']} for {key[0]} {key[1]!r}.",
                hint="" if by_run else "A column run tells apart what was shown in several runs.",
            )
        ratings = tuple(number(row, name, where) for name in raters)
        answers[same_key(key)] = Answer(row["response"], ratings)
    return Responses(people, raters, by_run, hashlib.sha256(path.read_bytes()).hexdigest(), path.name)


def same_key(key: Key) -> Key:
    """A key as it is compared."""
    return same_words(key[0]), same_words(key[1]), key[2]


def shown_of(row: Row, columns: Sequence[str]) -> str:
    """What a row says was shown, in words."""
    return " | ".join(" ".join(row[name].split()) for name in columns)


def stimulus_id(condition: str, shown: str, *, plain: bool) -> str:
    """The id of what was shown: in words where it is one, by a hash where it is a whole text."""
    words = re.sub(r"[^\w.]+", "-", same_words(shown)).strip("-")
    if plain and words and len(words) <= 60:
        return f"{condition}-{words}"
    return f"{condition}-{hashlib.sha256(same_words(shown).encode()).hexdigest()[:10]}"


def trials_of(
    events: Sequence[Event], positions: Sequence[int], study: Study, run: str, task: str
) -> list[Trial]:
    """The events at these positions as trials, not yet answered; raises DataError where one names nothing."""
    made = []
    for position in positions:
        event = events[position]
        lacking = [name for name in (*study.stimulus, *study.kept) if name not in event.row]
        if lacking:
            raise DataError(
                f"The events of {run} have no column {', '.join(lacking)}, which says what was shown.",
                hint="Name the column that does with --stimulus-column.",
            )
        if any(is_missing(event.row[name]) for name in study.stimulus):
            raise DataError(f"{run}: the event at {event.onset:g} s ({event.trial_type}) names no stimulus.")
        condition = dict(study.tasks).get(task, "") or event.trial_type
        shown = shown_of(event.row, study.stimulus)
        kept = {name: event.row[name] for name in (*study.stimulus, *study.kept)} if study.kept else {}
        item = stimulus_id(condition, shown, plain=len(study.stimulus) == 1)
        made.append(Trial(run, position, item, condition, shown, event, None, kept))
    return made


def answered(trials: Sequence[Trial], responses: Responses, label: str) -> tuple[list[Trial], int]:
    """The trials that have an answer, with it, and how many have none.

    Raises DataError that names trials without a row of the table, and rows without a trial.
    """
    answers = responses.people.get(person_key(label))
    if answers is None:
        raise DataError(f"sub-{label} has no row in {responses.name}.")
    left = dict(answers)
    kept, absent, dropped = [], [], 0
    for trial in trials:
        number_of_run = person_key(trial.run.rpartition("run-")[2]) if responses.by_run else ""
        key = same_key((trial.condition, trial.shown, number_of_run))
        if key not in left:
            absent.append(f"{trial.condition} {trial.shown!r} in {trial.run}")
            continue
        trial.answer = left.pop(key)
        dropped += not trial.answer.given
        if trial.answer.given:
            kept.append(trial)
    wanted = {same_words(trial.condition) for trial in trials}
    over = [f"{key[0]} {key[1]!r}" for key in left if key[0] in wanted and left[key].given]
    for names, what in ((absent, "trials without a row"), (over, "rows without a trial")):
        if names:
            raise DataError(
                f"sub-{label}: {what} in {responses.name}: {', '.join(names[:5])}"
                f"{f' and {len(names) - 5} more' if len(names) > 5 else ''}.",
                hint="They are matched by condition and stimulus, and by a column run if there is one.",
            )
    return kept, dropped
