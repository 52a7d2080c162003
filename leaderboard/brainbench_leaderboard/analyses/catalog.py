"""All analyses by name: run on what there is, and for the others say what to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from shlex import join

from brainbench_leaderboard.analyses.comparisons import contrast
from brainbench_leaderboard.analyses.contrasts import HIGH_LOW, NETWORK, STAGE, TASK_CONTROL
from brainbench_leaderboard.analyses.correlations import originality, scaling
from brainbench_leaderboard.analyses.entries import Place
from brainbench_leaderboard.analyses.layers import layers
from brainbench_leaderboard.analyses.material import Material, models_of
from brainbench_leaderboard.analyses.paired import LEAST_PEOPLE
from brainbench_leaderboard.analyses.post_training import post_training
from brainbench_leaderboard.analyses.results import Finding, Lacking, adjusted
from brainbench_leaderboard.analyses.sentences import says
from brainbench_leaderboard.origins import dataset_spec, model_spec

Make = Callable[[Material, tuple[str, int]], Finding | None]
PAPER = (
    "rsa/paper takes each score at the layer that is best on the same data and leaves out people without a "
    "ceiling above zero: it finds something in noise, the more so the more layers there are."
)
SIMULATED = "simulated-creativity"
FOUR = ("MODEL-1", "MODEL-2", "MODEL-3", "MODEL-4")


@dataclass(frozen=True)
class Analysis:
    """How a name is answered, and what it needs in words, for whoever lacks it.

    of: whether results at a place are for this analysis in particular.
    """

    make: Make
    needs: str
    command: Callable[[Material], str]
    of: Callable[[Place], bool] = lambda place: True


def analyse(material: Material, names: Sequence[str]) -> tuple[list[Finding], list[Lacking]]:
    """What each of these analyses comes to, by dataset, with p values adjusted; and what there is not."""
    found: list[Finding] = []
    lacking: list[Lacking] = []
    for name in names:
        analysis = ANALYSES[name]
        made = [one for dataset in material.datasets if (one := analysis.make(material, dataset)) is not None]
        found += made
        if not made:
            why = analysis.needs + _skips(material, analysis)
            lacking.append(Lacking(name, why, analysis.command(material)))
    ideas = {dataset: len(material.scorers(dataset)) for dataset, _ in material.datasets}
    return [_worded(finding) for finding in adjusted(found, ideas)], lacking


def _worded(finding: Finding) -> Finding:
    """With a sentence for each test, and what a published protocol does to all of them."""
    notes = (*finding.notes, PAPER) if finding.metric == "rsa/paper" else finding.notes
    tests = tuple(replace(test, says=says(test, finding)) for test in finding.tests)
    return replace(finding, notes=notes, tests=tests)


def _skips(material: Material, analysis: Analysis) -> str:
    """What came of it where somebody tried: too few people, or no score and why."""
    few = [entry.people for entry in material.entries if analysis.of(entry.place)]
    reasons = [reason for place, reason in material.skipped if analysis.of(place)]
    said = []
    if few and min(few) < LEAST_PEOPLE:
        said.append(f"there are results of {min(few)} people")
    if reasons:
        often = max(reasons, key=reasons.count)
        said.append(f"{reasons.count(often)} results have no score, as in: {often.rstrip('.')}")
    return f" ({'; '.join(said)})" if said else ""


def _run(
    material: Material,
    models: Iterable[str],
    *more: str,
    places: Sequence[str] = ("",),
    creative: bool = False,
) -> str:
    """A `brainbench run` for the dataset in question; only those of creativity have variants."""
    words = ["brainbench", "run"]
    specs = {entry.model: model_spec(entry.model, entry.revision) for entry in material.entries}
    for model in models:
        words += ["--model", specs.get(model, model)]
    known = _dataset(material, creative or any(places))
    for place in places:
        words += ["--dataset", f"{dataset_spec(known)}{place}"]
    return join([*words, "--metric", material.asked.metric, *more])


def _dataset(material: Material, creative: bool) -> str:
    """The first that there are results of and that fits, else the one that everybody has."""
    asked = [material.asked.dataset] if material.asked.dataset else []
    known = [*asked, *(name for name, _ in material.datasets)]
    asking = {entry.place.dataset for entry in material.entries if entry.place.item_set == "create"}
    fits = (name for name in known if not creative or "creativity" in name or name in asking)
    return next(fits, SIMULATED)


def _one(material: Material) -> list[str]:
    return list(material.asked.models) or models_of(material.entries)[:1] or ["MODEL"]


def _four(material: Material) -> list[str]:
    known = models_of(entry for entry in material.entries if entry.kind != "untrained")
    return [*known, *FOUR[len(known) :]]


def _for_post_training(material: Material) -> str:
    base, models = material.asked.base or "BASE", list(material.asked.models) or ["VARIANT"]
    run = _run(material, dict.fromkeys((base, *models)))
    named = [word for model in models for word in ("--model", model)]
    return f"{run}, then {join(['brainbench', 'analyse', 'post-training', '--base', base, *named])}"


def _for_originality(material: Material) -> str:
    scorer = material.asked.scorer or "semantic-distance"
    places = ("@prompt=short",)
    return _run(material, _four(material), "--pooling", "mean", "--scorer", scorer, places=places)


ANALYSES: dict[str, Analysis] = {
    "scaling": Analysis(
        scaling,
        "correlating over models takes four trained ones whose parameters were counted",
        lambda material: _run(material, _four(material)),
    ),
    "originality": Analysis(
        originality,
        "correlating over models takes four trained ones with both alignment and scored ideas",
        _for_originality,
    ),
    "stage": Analysis(
        partial(contrast, of=STAGE),
        "no model was scored both on prompts alone and with its own responses, in four people or more",
        lambda material: _run(material, _one(material), places=("", "@stage=response")),
        lambda place: place.stage == "response",
    ),
    "network": Analysis(
        partial(contrast, of=NETWORK),
        "no model was scored in the first region and another, in four people or more",
        lambda material: _run(material, _one(material)),
    ),
    "task-control": Analysis(
        partial(contrast, of=TASK_CONTROL),
        "no model was scored on both create and object items, in four people or more",
        lambda material: _run(
            material, _one(material), "--items", "create", "--items", "object", creative=True
        ),
    ),
    "high-low": Analysis(
        partial(contrast, of=HIGH_LOW),
        "no model was scored on both ideas rated high and rated low, in four people or more",
        lambda material: _run(material, _one(material), places=("@rated=high", "@rated=low")),
        lambda place: place.rated is not None,
    ),
    "post-training": Analysis(
        post_training,
        "it takes a base model, named with --base, and variants of it, named with --model, scored alike",
        _for_post_training,
    ),
    "layers": Analysis(
        layers,
        "no model has layers that were scored by themselves, in four people or more",
        lambda material: _run(material, _one(material)),
    ),
}
NAMES = tuple(ANALYSES)
