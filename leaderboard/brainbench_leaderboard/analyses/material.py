"""What there is to analyse: one record for each model and place, and the ideas of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from brainbench_leaderboard.analyses.entries import UNTRAINED, Entry, Place, base_of, entries, skipped
from brainbench_leaderboard.values import Row

if TYPE_CHECKING:
    from brainbench_leaderboard.margins import Cells
    from brainbench_leaderboard.store import Leaderboard
    from brainbench_leaderboard.stored_scores import LayerScores

DEFAULT_METRIC = "rsa/robust"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for; an empty tuple or None stands for all there is."""

    dataset: str | None = None
    metric: str = DEFAULT_METRIC
    regions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    base: str | None = None
    scorer: str | None = None


@dataclass(frozen=True)
class Material:
    """Records to analyse, of what was asked for.

    every: what was asked for, in all regions, one for each model and place. entries: of these, in the regions
    asked for. ideas: rows of models' ideas. set_aside: how many records a newer one stands for. skipped:
    where there are no scores, and why.
    """

    asked: Asked
    every: tuple[Entry, ...]
    entries: tuple[Entry, ...]
    ideas: tuple[Row, ...]
    set_aside: int
    skipped: tuple[tuple[Place, str], ...]
    cells: Callable[[str], Cells]
    layer_scores: Callable[[str], LayerScores]

    @classmethod
    def read(cls, board: Leaderboard, asked: Asked) -> Material:
        """All of a database that was asked for."""
        rows, sources = board.standings(), board.sources()
        wanted = [entry for entry in entries(rows, sources) if _is_asked(entry.place, entry.model, asked)]
        kept = one_each(wanted)
        ideas = [row for row in board.idea_standings() if row["outcome"] == "scores" and row["resolved"]]
        if asked.scorer is not None:
            ideas = [row for row in ideas if asked.scorer in (row["scorer"], scorer_name(row))]
        return cls(
            asked,
            tuple(kept),
            tuple(entry for entry in kept if not asked.regions or entry.place.region in asked.regions),
            tuple(ideas),
            len(wanted) - len(kept),
            tuple(
                (place, reason)
                for place, model, reason in skipped(rows, sources)
                if _is_asked(place, model, asked)
            ),
            board.cells,
            board.layer_scores,
        )

    @cached_property
    def datasets(self) -> list[tuple[str, int]]:
        """Bases of datasets and their versions, in the order of the board."""
        return list(dict.fromkeys((e.place.dataset, e.place.dataset_version) for e in self.entries))

    def of(self, dataset: tuple[str, int]) -> list[Entry]:
        """What there is of a dataset."""
        return [e for e in self.entries if (e.place.dataset, e.place.dataset_version) == dataset]

    def across(self, dataset: tuple[str, int]) -> dict[Place, list[Entry]]:
        """Trained models by place, in the order of the board: what may be compared across models.

        A model under two names (at a revision, and at what it is now) is one, as its newest result says.
        Untrained twins are left out unless they are asked for by name: with random weights, size means
        something else.
        """
        found: dict[Place, list[Entry]] = {}
        for entry in self.of(dataset):
            if entry.kind != UNTRAINED or entry.model in self.asked.models:
                found.setdefault(entry.place, []).append(entry)
        return {place: distinct(models) for place, models in found.items()}

    def scorers(self, dataset: str) -> list[str]:
        """Scorers, with their helpers, of which there are ideas to this dataset's questions."""
        return list(dict.fromkeys(scorer_name(row) for row in self.ideas if _asks(row, dataset, None)))

    def with_ideas(self, found: Sequence[Entry], scorer: str) -> list[tuple[Entry, Row]]:
        """Entries of one place with the ideas of the same model, revision, seed and dtype.

        All ideas answer one question, drawn and scored in the same way: that of the place's own prompt where
        there is one, and of several that of most models. Of one model's the newest.
        """
        asked: dict[str, list[Row]] = {}
        for row in self.ideas:
            if scorer_name(row) == scorer and found and _asks(row, *_named(found[0])):
                asked.setdefault(str(row["question"]), []).append(row)
        made = [_joined(found, rows) for rows in asked.values()]
        fits = [pairs for pairs in made if pairs]

        def merit(pairs: list[tuple[Entry, Row]]) -> tuple[bool, int, str]:
            newest = max(str(row["started"]) for _, row in pairs)
            return answers(pairs[0][1], found[0].place.prompt), len(pairs), newest

        return max(fits, key=merit, default=[])


def distinct(found: Sequence[Entry]) -> list[Entry]:
    """The newest of those that are one model at one revision, in their order."""
    newest: dict[tuple[str, str | None], Entry] = {}
    for entry in sorted(found, key=lambda entry: entry.started):
        newest[entry.model.partition("@")[0], entry.revision] = entry
    return [entry for entry in found if entry in newest.values()]


def one_each(found: Sequence[Entry]) -> list[Entry]:
    """One entry for each model and place: of one question (that of most models), the newest."""
    asked: dict[Place, Counter[str]] = {}
    for entry in found:
        asked.setdefault(entry.place, Counter())[entry.question] += 1
    settled = {place: _settled(questions, found) for place, questions in asked.items()}
    newest: dict[tuple[Place, str], Entry] = {}
    for entry in found:
        key = (entry.place, entry.model)
        if entry.question == settled[entry.place] and (
            key not in newest or entry.started >= newest[key].started
        ):
            newest[key] = entry
    return list(newest.values())


def _settled(questions: Counter[str], found: Sequence[Entry]) -> str:
    """Of several questions by the same names (a dataset's files changed, say) that which most were asked."""
    if len(questions) == 1:
        return next(iter(questions))
    newest = {entry.question: entry.started for entry in sorted(found, key=lambda entry: entry.started)}
    return max(questions, key=lambda question: (questions[question], newest[question]))


def scorer_name(row: Row) -> str:
    """A scorer with its helper, as `--scorer` takes it."""
    return f"{row['scorer']}@{row['helper']}" if row.get("helper") else str(row["scorer"])


def models_of(found: Iterable[Entry]) -> list[str]:
    """Names of the models, each once."""
    return list(dict.fromkeys(entry.model for entry in found))


def _is_asked(place: Place, model: str, asked: Asked) -> bool:
    models = (*asked.models, asked.base) if asked.models else ()
    return (
        place.metric_name == asked.metric
        and asked.dataset in (None, place.dataset)
        and (not models or model in models)
    )


def _named(entry: Entry) -> tuple[str, int]:
    return entry.place.dataset, entry.place.dataset_version


def _asks(row: Row, dataset: str, version: int | None) -> bool:
    """Whether ideas are to a dataset's questions, of this version if there is one; or to a scorer's own."""
    if not row.get("dataset"):
        return True
    return base_of(str(row["dataset"])) == dataset and version in (None, row.get("dataset_version"))


def _joined(found: Sequence[Entry], rows: Sequence[Row]) -> list[tuple[Entry, Row]]:
    newest = {_whose(row): row for row in sorted(rows, key=lambda row: str(row["started"]))}
    return [(entry, newest[entry.whose]) for entry in found if entry.whose in newest]


def _whose(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("model", "revision", "seed", "dtype", "intervention"))


def answers(row: Row, prompt: str) -> bool:
    """Whether ideas were had to this prompt, by the variant's name; those to a scorer's own question are."""
    if not row.get("dataset"):
        return True
    places = dict(part.split("=", 1) for part in str(row["dataset"]).split("@") if "=" in part)
    return places.get("prompt", "main") == prompt
