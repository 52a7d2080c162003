"""Which scores may stand in one picture: of one question a region, beside its ceiling and dull predictors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brainbench.text import plain
from brainbench_leaderboard.values import Row, short_name

_KEY = ("dataset", "simulated", "dataset_version", "metric", "protocol", "metric_version")
_NO_MODELS = ("baseline", "people")
_DULL = ("baseline", "untrained")


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
    return _asked([row for row in rows if row["dataset"] == dataset])


def asked_of(known: Index, model: str) -> list[tuple[Asked, dict[str, Row]]]:
    """The same for the questions that one model answered, with its own newest row by region."""
    mine = known.of_model.get(model, [])
    made = []
    for dataset in dict.fromkeys(str(row["dataset"]) for row in mine):
        questions = frozenset(str(row["question"]) for row in mine if row["dataset"] == dataset)
        for one in known.asked(dataset, questions):
            own: dict[str, Row] = {}
            for panel in one.panels:
                rows = [row for row in mine if row["question"] == panel.question]
                if rows:
                    own[panel.region] = max(rows, key=lambda row: str(row["started"]))
            if own:
                made.append((one, own))
    return made


class Index:
    """Scores by model and by question: hundreds of pages are made from the same rows."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = rows
        self.of_model: dict[str, list[Row]] = {}
        self._of_question: dict[str, list[Row]] = {}
        self._made: dict[tuple[str, frozenset[str]], list[Asked]] = {}
        for row in rows:
            self._of_question.setdefault(str(row["question"]), []).append(row)
            if _counts(row):
                self.of_model.setdefault(str(row["model"]), []).append(row)

    def asked(self, dataset: str, questions: frozenset[str]) -> list[Asked]:
        """Of these questions about a dataset alone."""
        key = dataset, questions
        if key not in self._made:
            rows = [row for question in sorted(questions) for row in self._of_question[question]]
            self._made[key] = _asked([row for row in rows if row["dataset"] == dataset])
        return self._made[key]


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


def _asked(rows: list[Row]) -> list[Asked]:
    robust = [row for row in rows if row["protocol"] == "robust" and _counts(row)]
    chosen = [row for row in rows if row["protocol"] == "robust"] if robust else rows
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in chosen:
        groups.setdefault(tuple(row[name] for name in _KEY), []).append(row)
    newest: dict[tuple[object, ...], list[Row]] = {}
    for key in sorted(groups, key=lambda key: (key[2], key[5])):
        if any(_counts(row) for row in groups[key]):
            newest[(key[1], *key[3:5])] = groups[key]
    made = [_one(group) for group in newest.values()]
    return sorted(made, key=lambda one: (one.simulated, -len(one.main.rows), one.metric))


def _one(group: list[Row]) -> Asked:
    first = min(row["item_set_position"] for row in group)
    regions: dict[tuple[int, str], list[Row]] = {}
    for row in group:
        if row["item_set_position"] == first:
            regions.setdefault((row["region_position"], str(row["region"])), []).append(row)
    panels = (_panel(region, regions[at, region]) for at, region in sorted(regions))
    row = group[0]
    return Asked(
        str(row["dataset"]),
        bool(row["simulated"]),
        f"{row['metric']}/{row['protocol']}",
        tuple(panel for panel in panels if panel.rows),
    )


def _panel(region: str, rows: Sequence[Row]) -> Panel:
    most = Counter(row["question"] for row in rows if _counts(row)).most_common(1)
    here = [row for row in rows if most and row["question"] == most[0][0]]
    dull = [
        row for row in here if row["outcome"] == "scores" and row["baseline"] and row["model_kind"] in _DULL
    ]
    best = max(dull, key=lambda row: float(row["score"]), default=None)
    ceilings = [
        row[name] for name in ("ceiling_like_for_like", "ceiling") for row in here if row[name] is not None
    ]
    return Panel(
        plain(region),
        str(most[0][0]) if most else "",
        tuple(sorted(filter(_counts, here), key=lambda row: (-float(row["score"]), str(row["model"])))),
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
