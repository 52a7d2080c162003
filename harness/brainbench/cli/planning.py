"""From the options of `run` to a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brainbench.errors import UsageError

if TYPE_CHECKING:
    from brainbench.catalog import Catalog
    from brainbench.nouns import Intervention, Metric, Task
    from brainbench.plan import Plan

ALL = "all"
NO_METRIC = "none"


def make_plan(catalog: Catalog, **chosen: Any) -> Plan:
    """The plan for the options of `run`; raises UsageError for a name that nothing answers to."""
    from brainbench.cli.idea_options import find_scorers, sampling_of
    from brainbench.nouns import ModelOptions
    from brainbench.plan import Plan
    from brainbench.tuning import Tunes

    names = ("dtype", "pooling", "device", "batch_size", "seed", "trust_remote_code")
    tasks = find_tasks(catalog, chosen["tasks"])
    datasets = [catalog.find_dataset(name) for name in dict.fromkeys(chosen["datasets"])]
    _check("region", chosen["regions"], [region for dataset in datasets for region in dataset.regions])
    _check("set of items", chosen["item_sets"], [s.name for dataset in datasets for s in dataset.item_sets])
    metrics = find_metrics(catalog, chosen["metrics"])
    models = [catalog.find_model(name) for name in dict.fromkeys(chosen["models"])]
    scorers = find_scorers(catalog, chosen["scorers"], datasets)
    solvers = list(models) if tasks or scorers else []
    if not datasets:
        models = []  # tasks and ideas alone
    elif chosen["baselines"]:
        models += catalog.baselines_of(models)
    wanted = (*chosen["interventions"], *(f"adapter:{path}" for path in chosen.get("adapters", ())))
    changes = find_interventions(catalog, wanted)
    if chosen["baselines"]:
        changes = with_company(catalog, changes)
    interventions = with_seeds(changes, chosen.get("trainings", 1))
    head = bool(tasks or scorers) or any(isinstance(change, Tunes) for change in interventions)
    head = head or any(getattr(dataset, "stage", "") == "response" for dataset in datasets)  # AsksForIdeas
    plan = Plan.product(
        models=models,
        datasets=datasets,
        metrics=metrics,
        interventions=interventions,
        options=ModelOptions(
            **{name: chosen[name] for name in names}, head=head, sampling=sampling_of(chosen)
        ),
        regions=chosen["regions"],
        item_sets=chosen["item_sets"],
        ceilings=chosen["ceilings"],
        tasks=tasks,
        solvers=solvers,
        limit=chosen["limit"],
        protocol=chosen["protocol"],
        scorers=scorers,
    )
    if not plan.cells and not metrics:
        raise UsageError(
            "There is nothing to compute: without a metric models are only asked tasks or for ideas.",
            hint="Add a --task or a --scorer.",
        )
    if not plan.cells:
        raise UsageError(
            "There is nothing to compute: no chosen dataset has both that region and that set of items, "
            "or no metric is installed."
        )
    return plan


def find_interventions(catalog: Catalog, names: tuple[str, ...]) -> list[Intervention]:
    """The interventions of these names, each once; "all" stands for those that need not be named."""
    wanted: list[str] = []
    for name in names:
        every = name == ALL and name not in catalog.interventions
        known = catalog.interventions
        wanted += [n for n in known if not getattr(known.get(n), "only_by_name", False)] if every else [name]
    return [find_intervention(catalog, name) for name in dict.fromkeys(wanted)]


def with_company(catalog: Catalog, interventions: list[Intervention]) -> list[Intervention]:
    """The same and, before them, those without which they cannot be judged, as they say by `beside`."""
    names = {change.name for change in interventions}
    wanted = dict.fromkeys(name for change in interventions for name in getattr(change, "beside", ()))
    company = [find_intervention(catalog, name) for name in wanted if name not in names]
    first = [change for change in company if change.name == "none"]  # what the others are compared with
    return [*first, *interventions, *(change for change in company if change.name != "none")]


def with_seeds(interventions: list[Intervention], trainings: int) -> list[Intervention]:
    """Each that trains so many times, with the seeds 0, 1, ...; what was trained before stays as it is."""
    from brainbench.tuning_fitting import has_seed, with_seed

    if trainings > 1 and not any(map(has_seed, interventions)):
        raise UsageError(
            f"There is nothing to train {trainings} times.", hint="Name a fine-tuning, as in narf-label."
        )

    return [
        with_seed(change, seed) if has_seed(change) else change
        for change in interventions
        for seed in range(trainings if has_seed(change) else 1)
    ]


def find_intervention(catalog: Catalog, name: str) -> Intervention:
    """The intervention of this name, or the kept one that `steering:PATH` or `adapter:PATH` names."""
    from brainbench import adapter_intervention, steering_intervention

    if name not in catalog.interventions:
        if name.startswith(steering_intervention.PREFIX):
            return steering_intervention.saved(name)
        if name.startswith(adapter_intervention.PREFIX):
            return adapter_intervention.saved(name)
    return catalog.find_intervention(name)


def find_metrics(catalog: Catalog, names: tuple[str, ...]) -> list[Metric]:
    """The metrics of these names, each once; all that are installed without a name, and no one for "none"."""
    if NO_METRIC in names and NO_METRIC not in catalog.metrics:
        if set(names) != {NO_METRIC}:
            raise UsageError("--metric none stands alone.", hint="Leave it out, or the other metrics.")
        return []
    asked = [metric for name in names for metric in catalog.find_metrics(name)]
    return [m for at, m in enumerate(asked) if m not in asked[:at]] or catalog.metrics.values()


def find_tasks(catalog: Catalog, names: tuple[str, ...]) -> list[Task]:
    """The tasks of these names, each once; "all" stands for those that need not be asked for by name."""
    wanted = list(dict.fromkeys(names))
    if ALL in wanted and ALL not in catalog.tasks:
        every = [t.name for t in catalog.tasks.values() if not getattr(t, "only_by_name", False)]
        if not every:
            raise UsageError("No task is installed.")
        wanted = list(dict.fromkeys([*every, *(name for name in wanted if name != ALL)]))
    return [catalog.tasks.get(name) for name in wanted]


def _check(kind: str, asked: tuple[str, ...], known: list[str]) -> None:
    from brainbench.catalog import suggest

    known = list(dict.fromkeys(known))
    for name in asked:
        if name not in known:
            raise UsageError(
                f"There is no {kind} called {name!r} in the chosen datasets.", hint=suggest(name, known)
            )
