"""What is to be computed: cells, in an order that opens each model once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brainbench.nouns import BrainDataset, Intervention, Metric, Model, ModelOptions, is_baseline
from brainbench.stimuli import ItemSet


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
class Plan:
    """Cells in the order in which they are computed: models outermost, ceilings last."""

    cells: tuple[Cell, ...]

    def __len__(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[Cell]:
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
    ) -> Plan:
        """Every combination that exists; empty `regions` or `item_sets` stand for all of a dataset's."""
        grid = [
            (dataset, region, item_set, metric)
            for dataset in datasets
            for region in dataset.regions
            if not regions or region in regions
            for item_set in dataset.item_sets
            if not item_sets or item_set.name in item_sets
            for metric in metrics
        ]
        scores = [
            Cell(model, options, dataset, intervention, region, item_set, metric)
            for model in models
            for intervention in interventions
            for dataset, region, item_set, metric in grid
        ]
        limits = [
            Cell(None, ModelOptions(), dataset, None, region, item_set, metric)
            for dataset, region, item_set, metric in grid
            if ceilings
        ]
        return cls(tuple(scores + limits))
