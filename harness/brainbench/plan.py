"""What is to be computed: cells, in an order that opens each model once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from brainbench.idea_plan import asking
from brainbench.nouns import BrainDataset, Intervention, Metric, Model, ModelOptions, Task, is_baseline
from brainbench.scoring import Scorer
from brainbench.stimuli import ItemSet

Protocol = Literal["validation", "paper"]


@dataclass(frozen=True)
class Cell:
    """One thing to compute: a score of a model, or, without a model and intervention, a region's ceiling."""

    model: Model | None
    options: ModelOptions
    dataset: BrainDataset
    intervention: Intervention | None
    region: str
    item_set: ItemSet
    metric: Metric

    @property
    def kind(self) -> str:
        """Either "score" or "ceiling"."""
        return "ceiling" if self.model is None else "score"

    @property
    def baseline(self) -> bool:
        """Whether it scores a baseline."""
        return self.model is not None and is_baseline(self.model)

    @property
    def metric_name(self) -> str:
        """The metric's full name, with its protocol."""
        return f"{self.metric.name}/{self.metric.protocol}"

    def __str__(self) -> str:
        who = self.model.name if self.model else "ceiling"
        return f"{who} on {self.dataset.name}, {self.region}, {self.item_set.name} items, {self.metric_name}"


@dataclass(frozen=True)
class TaskCell:
    """One task to be asked of a model, whole or only its first `limit` problems.

    `dataset`: what the intervention is learnt from; "none" and what was learnt before need none. `protocol`:
    on what the strength of a steering is chosen, the task's validation set or, as in the paper, the task
    itself.
    """

    model: Model
    options: ModelOptions
    intervention: Intervention
    task: Task
    limit: int | None = None
    dataset: BrainDataset | None = None
    protocol: Protocol = "validation"

    @property
    def kind(self) -> str:
        """Always "task"."""
        return "task"

    @property
    def baseline(self) -> bool:
        """Whether it asks a baseline."""
        return is_baseline(self.model)

    def __str__(self) -> str:
        first = "" if self.limit is None else f", first {self.limit} problems"
        change = "" if self.intervention.name == NOTHING else f" + {self.intervention.name}"
        return f"{self.model.name}{change} on {self.task.name}{first}"


@dataclass(frozen=True)
class ScorerCell:
    """One scorer's scores of a model's texts.

    `dataset` asks the questions and is what the intervention is learnt from; None where the scorer has
    questions of its own and the intervention is learnt from nothing. `helper`: the scorer's model.
    """

    model: Model
    options: ModelOptions
    intervention: Intervention
    scorer: Scorer
    helper: Model
    dataset: BrainDataset | None = None

    @property
    def kind(self) -> str:
        """Always "ideas"."""
        return "ideas"

    @property
    def baseline(self) -> bool:
        """Whether it asks a baseline."""
        return is_baseline(self.model)

    @property
    def scorer_name(self) -> str:
        """With its helper."""
        return f"{self.scorer.name}@{self.helper.name}"

    def __str__(self) -> str:
        change = "" if self.intervention.name == NOTHING else f" + {self.intervention.name}"
        where = "" if self.dataset is None else f" on {self.dataset.name}"
        return f"{self.model.name}{change}{where}, {self.scorer_name}"


AnyCell = Cell | TaskCell | ScorerCell
NOTHING = "none"  # the intervention that changes nothing


@dataclass(frozen=True)
class Plan:
    """Cells in the order in which they are computed: models outermost, ceilings last."""

    cells: tuple[AnyCell, ...]

    def __len__(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[AnyCell]:
        return iter(self.cells)

    @classmethod
    def product(  # noqa: PLR0913 - the axes of the grid
        cls,
        *,
        models: Sequence[Model],
        datasets: Sequence[BrainDataset],
        metrics: Sequence[Metric],
        interventions: Sequence[Intervention],
        options: ModelOptions,
        regions: Sequence[str] = (),
        item_sets: Sequence[str] = (),
        ceilings: bool = True,
        tasks: Sequence[Task] = (),
        solvers: Sequence[Model] = (),
        limit: int | None = None,
        protocol: Protocol = "validation",
        scorers: Sequence[tuple[Scorer, Model]] = (),
    ) -> Plan:
        """Every combination that exists; empty `regions` or `item_sets` stand for all of a dataset's.

        `tasks` are asked of `solvers`, each up to `limit` problems, right after such a model is scored.
        `protocol` as in TaskCell. `scorers`, each with its model, score the texts of `solvers` right after
        that: those may have been written for a score already.
        """
        grid = [
            (dataset, region, item_set, metric)
            for dataset in datasets
            for region in dataset.regions
            if not regions or region in regions
            for item_set in dataset.item_sets
            if not item_sets or item_set.name in item_sets
            for metric in metrics
        ]
        cells: list[AnyCell] = []
        # By identity: two models may be equal or share a name, and need not be hashable.
        scored, asked = [id(model) for model in models], [id(model) for model in solvers]
        for model in (*models, *(model for model in solvers if id(model) not in scored)):
            for intervention in interventions:
                # to train a model that only shows what untaught ones reach would tell nothing
                if id(model) in scored and not (is_baseline(model) and hasattr(intervention, "tune")):
                    cells += [
                        Cell(model, options, dataset, intervention, region, item_set, metric)
                        for dataset, region, item_set, metric in grid
                    ]
                if id(model) in asked:
                    cells += [
                        TaskCell(model, options, intervention, task, limit, learnt_from, protocol)
                        for learnt_from in _sources(intervention, datasets)
                        for task in tasks
                    ]
                    cells += [
                        ScorerCell(model, options, intervention, scorer, helper, dataset)
                        for scorer, helper, dataset in _texts(scorers, intervention, datasets)
                    ]
        limits = [
            Cell(None, ModelOptions(), dataset, None, region, item_set, metric)
            for dataset, region, item_set, metric in grid
            if ceilings
        ]
        return cls((*cells, *limits))


def _sources(intervention: Intervention, datasets: Sequence[BrainDataset]) -> Sequence[BrainDataset | None]:
    """What an intervention may be learnt from before tasks are asked; what is learnt from nothing, once."""
    return datasets if needs_dataset(intervention) and datasets else (None,)


def _texts(
    scorers: Sequence[tuple[Scorer, Model]], intervention: Intervention, datasets: Sequence[BrainDataset]
) -> list[tuple[Scorer, Model, BrainDataset | None]]:
    """Which scorer scores whose questions, texts to the same ones behind each other: these are written once.

    For a scorer with questions of its own the dataset is what a change is learnt from.
    """
    found = [
        (scorer, helper, dataset)
        for scorer, helper in scorers
        for dataset in (_sources(intervention, datasets) if scorer.questions else asking(datasets))
    ]
    order = list(dict.fromkeys((id(dataset), bool(scorer.questions)) for scorer, _, dataset in found))
    return sorted(found, key=lambda one: order.index((id(one[2]), bool(one[0].questions))))


def needs_dataset(intervention: Intervention) -> bool:
    """Whether it is learnt from brain data: "none" is not, nor what says so by `needs_dataset`."""
    return intervention.name != NOTHING and getattr(intervention, "needs_dataset", True) is not False
