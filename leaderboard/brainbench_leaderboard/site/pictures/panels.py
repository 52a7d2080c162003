"""Which scores may stand in one picture: of one question a region, beside its ceiling and dull predictors."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brainbench.text import plain
from brainbench_leaderboard.dull import best_dull
from brainbench_leaderboard.values import Row, short_name

_KEY = ("dataset", "simulated", "dataset_version", "metric", "protocol", "metric_version")
_NO_MODELS = ("baseline", "people")


@dataclass(frozen=True, slots=True)
class Panel:
    """A region: scores of models that nothing changed, best first, and what they are held to.

    ceiling: on the scores' own scale where that is known. dull: the best dull predictor's score.
    """

    region: str
    question: str
    rows: tuple[Row, ...]
    ceiling: float | None
    dull: float | None
    dull_name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The regions of one dataset as one metric scored them, over all items, the main region first."""

    dataset: str
    simulated: bool
    metric: str
    panels: tuple[Panel, ...]

    @property
    def title(self) -> str:
        """What was asked, marked where brains are simulated."""
        return plain(f"{'SIMULATED ' if self.simulated else ''}{self.dataset}, {self.metric}")

    @property
    def main(self) -> Panel:
        """The main region."""
        return self.panels[0]


def asked(rows: Iterable[Row], dataset: str) -> list[Asked]:
    """One for each metric of a dataset and kind of data, robust ones alone where there are any.

    Of several versions the newest, of several questions about a region that which most models answered.
    """
    questions = index(rows).questions
    return _asked([one for one in questions.values() if one.dataset == dataset])


def asked_of(known: Index, model: str) -> list[tuple[Asked, dict[str, Row]]]:
    """The same for the questions that one model answered, with its own newest row by region."""
    mine = known.of_model.get(model, [])
    made = []
    for dataset in dict.fromkeys(str(row["dataset"]) for row in mine):
        names = sorted({str(row["question"]) for row in mine if row["dataset"] == dataset})
        for one in _asked([known.questions[name] for name in names]):
            own: dict[str, Row] = {}
            for panel in one.panels:
                rows = [row for row in mine if row["question"] == panel.question]
                if rows:
                    own[panel.region] = max(rows, key=lambda row: str(row["started"]))
            if own:
                made.append((one, own))
    return made


class Question:
    """All rows of one question: one region of a dataset, one set of items, one metric."""

    def __init__(self, first: Row) -> None:
        self.dataset = str(first["dataset"])
        self.key = tuple(first[name] for name in _KEY)
        self.robust = first["protocol"] == "robust"
        self.items: int = first["item_set_position"]
        self.region: tuple[int, str] = first["region_position"], str(first["region"])
        self.rows: list[Row] = []

    @functools.cached_property
    def panel(self) -> Panel:
        """Of all of its rows: made once, for hundreds of pages."""
        return _panel(self.region[1], self.rows)


class Index:
    """Scores by model and by question: hundreds of pages are made from the same rows."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = rows
        self.of_model: dict[str, list[Row]] = {}
        self.questions: dict[str, Question] = {}
        for row in rows:
            name = str(row["question"])
            if name not in self.questions:
                self.questions[name] = Question(row)
            self.questions[name].rows.append(row)
            if _counts(row):
                self.of_model.setdefault(str(row["model"]), []).append(row)


_LAST: list[Index] = []  # one at most: pages are made of one leaderboard after the other


def index(rows: Iterable[Row]) -> Index:
    """The index of these very rows, made once."""
    if not _LAST or _LAST[0].rows is not rows:
        _LAST[:] = [Index(rows)]
    return _LAST[0]


def _counts(row: Row) -> bool:
    """Whether it is the score of a model, or its untrained twin, that is pinned down and unchanged."""
    return bool(
        row["outcome"] == "scores"
        and row["resolved"]
        and row["intervention"] == "none"
        and row["model_kind"] not in _NO_MODELS
    )


def _asked(questions: Sequence[Question]) -> list[Asked]:
    answered = [one for one in questions if one.panel.rows]
    chosen = [one for one in answered if one.robust] or answered
    groups: dict[tuple[object, ...], list[Question]] = {}
    for one in chosen:
        groups.setdefault(one.key, []).append(one)
    newest: dict[tuple[object, ...], list[Question]] = {}
    for key in sorted(groups, key=lambda key: (key[2], key[5])):
        newest[(key[1], *key[3:5])] = groups[key]
    made = [_one(group) for group in newest.values()]
    return sorted(made, key=lambda one: (one.simulated, -len(one.main.rows), one.metric))


def _one(group: Sequence[Question]) -> Asked:
    first = min(one.items for one in group)
    regions: dict[tuple[int, str], Question] = {}
    for one in group:
        if one.items == first:
            best = regions.setdefault(one.region, one)
            if len(one.panel.rows) > len(best.panel.rows):
                regions[one.region] = one
    row = group[0].rows[0]
    return Asked(
        str(row["dataset"]),
        bool(row["simulated"]),
        f"{row['metric']}/{row['protocol']}",
        tuple(regions[region].panel for region in sorted(regions)),
    )


def _panel(region: str, rows: Sequence[Row]) -> Panel:
    best = best_dull(rows)
    ceilings = [
        row[name] for name in ("ceiling_like_for_like", "ceiling") for row in rows if row[name] is not None
    ]
    counting = filter(_counts, rows)
    return Panel(
        plain(region),
        str(rows[0]["question"]),
        tuple(sorted(counting, key=lambda row: (-float(row["score"]), str(row["model"])))),
        float(ceilings[0]) if ceilings else None,
        float(best["score"]) if best else None,
        short_name(str(best["model"])) if best else "",
    )


def labels(rows: Sequence[Row]) -> list[str]:
    """What models are called, with what tells apart several rows of one."""
    count = Counter(str(row["model"]) for row in rows)
    made = []
    for row in rows:
        more = [str(row["revision"] or "")[:14], str(row["dtype"] or ""), f"seed {row['seed']}"]
        several = count[str(row["model"])] > 1
        made.append(plain(", ".join([str(row["model"]), *(filter(None, more) if several else ())])))
    return made
