"""Creativity from files of a scanner to analyses: what is planted in people is found, and nothing in others.

Ten made-up people, in fMRIPrep's form, think of uses of 23 objects and of their properties. Planted is how
`brainbench/tiny` represents an object when it is asked for a use of it, through each person's own tunings: in
the default network, at less than a third of that in the frontoparietal one, and only in creative trials whose
ideas were rated 2 or more. It is in no somatomotor voxel, in no trial rated lower and in none of the control
task. In the null tree it is nowhere, and all else, the noise too, is the same. It is one draw of this noise:
how often noise alone is taken for something is what docs/calibration.md counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from brainbench.cli import main as cli
from brainbench.nouns import ModelOptions, OpenModel
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter

Array = NDArray[np.float64]
QUIET = SilentReporter()
CATALOG = load(discover())
MODEL, LAYER = "brainbench/tiny", "layer.1"
PEOPLE = tuple(str(2001 + at) for at in range(10))
GAP, NOISE = 12.0, 2.0  # seconds between trials; noise of a volume, where a trial adds about 10
STRENGTHS = {"default": 0.4, "frontoparietal": 0.12}  # SD over objects of a voxel's beta; between trials 0.3
LIKED = ((2, 2, 2, 2), (2, 3, 2, 3), (4, 3, 2, 3))  # what four raters gave: a mean of 2 is liked, too
OTHERS = ((1, 1, 2, 1), (1, 2, 2, 2), (1, 1, 1, 1))
VARIANTS = ("", "@stage=response", "@rated=high", "@rated=low")


@dataclass(frozen=True)
class Analysed:
    """What came of a tree: rows of `run`, and tests of `analyse` by analysis, name and place."""

    rows: list[dict[str, Any]]
    tests: dict[tuple[str, str, str], dict[str, Any]]

    def row(self, variant: str, region: str, items: str = "create") -> dict[str, Any]:
        wanted = (f"creativity:mine{variant}", region, items)
        (found,) = (r for r in self.rows if (r["dataset"], r["region"], r["item_set"]) == wanted)
        return found


def representations() -> tuple[tuple[str, ...], Array]:
    """The objects, and the model's features of each (objects x units), centred, of mean squared length 1.

    Their squared distances are in the order of the features' correlation distances.
    """
    stimuli = CATALOG.find_dataset("simulated-creativity").stimuli(QUIET)
    asked = [item for item in stimuli if item.conditions["task"] == "create"]
    with CATALOG.find_model(MODEL).open(ModelOptions(), QUIET) as model:
        assert isinstance(model, OpenModel)
        made: Array = model.features(asked, QUIET).layers[LAYER].astype(np.float64)
    made -= made.mean(axis=1, keepdims=True)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made -= made.mean(axis=0)
    made /= np.sqrt((made**2).sum(axis=1).mean())
    return tuple(str(item.conditions["object"]) for item in asked), made


def patterns(
    label: str, tuned: Mapping[str, Array], liked: frozenset[str], strengths: Array
) -> dict[tuple[str, str], Array]:
    """One person's betas by trial: what all trials share, and what those that were liked have besides."""
    rng = np.random.default_rng([int(label), 1])
    shared = rng.normal(1, 1, strengths.size)
    units = len(next(iter(tuned.values())))
    weights = rng.normal(0, 1, (units, strengths.size)) * strengths
    return {
        (kind, thing): shared + (features @ weights if kind == "create" and thing in liked else 0.0)
        for kind in ("create", "object")
        for thing, features in tuned.items()
    }


def answers(liked: Mapping[str, frozenset[str]], things: tuple[str, ...]) -> pandas.DataFrame:
    """Everybody's answers with the marks of four raters, in an order of their own; one person lacks one."""
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for label, theirs in liked.items():
        for kind, thing in rng.permutation([(k, t) for k in ("create", "object") for t in things]):
            marks = rng.choice(LIKED if thing in theirs else OTHERS) if kind == "create" else [np.nan] * 4
            said = "" if (label, kind, thing) == (PEOPLE[0], "object", things[0]) else f"a {thing} as a hat"
            row = {"id": label, "condition": kind, "stimuli": thing, "response": said}
            rows.append({**row, **{f"rater{at + 1}": float(mark) for at, mark in enumerate(marks)}})
    return pandas.DataFrame(rows)


def invoked(*words: object) -> Any:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in words else None


@pytest.fixture(scope="module")
def analysed(
    write_tree: Callable[..., Any], networks: Mapping[str, Array], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Analysed]:
    """The planted tree and the null one through the whole path."""
    things, features = representations()
    tuned, rng = dict(zip(things, features, strict=True)), np.random.default_rng(5)
    half = len(things) // 2 + 1
    liked = {label: frozenset(rng.permutation(things)[:half].tolist()) for label in PEOPLE}
    found = {}
    for name, share in (("planted", 1.0), ("null", 0.0)):
        strengths = np.sum([share * s * networks[region] for region, s in STRENGTHS.items()], axis=0)
        people = {label: patterns(label, tuned, liked[label], strengths) for label in PEOPLE}
        tree = write_tree(people, things, GAP, NOISE)
        answers(liked, things).to_csv(tree.table, index=False)
        found[name] = through(tree, tmp_path_factory.mktemp(name))
    return found


def through(tree: Any, folder: Path) -> Analysed:
    """`data prepare`, `run` and `analyse`, as anybody would."""
    mine, board = folder / "mine", folder / "board.db"
    given = ("--bids", tree.root, "--responses", tree.table, "--atlas", tree.atlas, "--out", mine)
    invoked("data", "prepare", "creativity", *given, "--no-report")
    datasets = [word for variant in VARIANTS for word in ("--dataset", f"{mine}{variant}")]
    asked = ("--items", "create", "--items", "object", "--ideas", 2, "--idea-tokens", 12)
    run = ("run", "--model", MODEL, *datasets, "--metric", "rsa/robust", "--no-baselines", *asked)
    rows = invoked(*run, "--json", "--db", board)
    made = invoked("analyse", "network", "stage", "task-control", "high-low", "--json", "--db", board)
    tests = {
        (analysis["analysis"], test["name"], test["where"]): test
        for analysis in made["analyses"]
        for test in analysis["tests"]
    }
    return Analysed(rows, tests)


PLANTED = {
    "network": ("network", "default - somatomotor", "tiny, create items, prompt alone"),
    "other network": ("network", "default - frontoparietal", "tiny, create items, prompt alone"),
    "stage": ("stage", "prompt alone - prompt and response", "tiny, default, create items"),
    "task": ("task-control", "create items - object items", "tiny, default, prompt alone"),
    "rating": ("high-low", "rated high - rated low", "tiny, default, create items"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_is_found(what: str, analysed: dict[str, Analysed]) -> None:
    test = analysed["planted"].tests[PLANTED[what]]
    assert test["value"] > 0.2
    assert test["low"] > 0
    assert test["p_grid"] < 0.05
    analysis, name, where = PLANTED[what]
    if "default," in where:  # and not where nothing is planted
        elsewhere = analysed["planted"].tests[analysis, name, where.replace("default", "somatomotor")]
        assert elsewhere["p"] > 0.05
        assert abs(elsewhere["value"]) < 0.3 * test["value"]


@pytest.mark.parametrize("what", PLANTED)
def test_where_nothing_is_planted_there_is_little_to_find(what: str, analysed: dict[str, Analysed]) -> None:
    planted, null = (analysed[name].tests[PLANTED[what]] for name in ("planted", "null"))
    assert null["p"] > 0.05
    assert null["low"] < 0 < null["high"]
    assert abs(null["value"]) < 0.3 * planted["value"]


def test_no_comparison_of_the_null_tree_survives_the_correction_for_their_number(
    analysed: dict[str, Analysed],
) -> None:
    tests = analysed["null"].tests
    assert set(tests) == set(analysed["planted"].tests)
    assert len(tests) > 20
    assert min(test["p_grid"] for test in tests.values()) > 0.05


def test_scores_stand_out_where_something_is_planted_and_nowhere_else(analysed: dict[str, Analysed]) -> None:
    planted, null = analysed["planted"], analysed["null"]
    for variant in ("", "@rated=high"):
        row = planted.row(variant, "default")
        assert (row["outcome"], row["simulated"]) == ("scores", 1)
        assert row["score"] > 0.25
        assert row["p"] < 0.001
        assert row["ceiling"] > 0.2
    for row in (
        *(planted.row(variant, "somatomotor") for variant in VARIANTS),
        planted.row("@rated=low", "default"),
        planted.row("", "default", "object"),
        *(null.row(variant, "default") for variant in VARIANTS),
    ):
        assert row["outcome"] == "scores"
        assert row["p"] > 0.05


def test_ratings_decide_which_trials_count_and_never_the_order_of_rows(analysed: dict[str, Analysed]) -> None:
    """A half of each person's trials is liked: all of them are scored, but who has too few of a half."""
    for variant in ("@rated=high", "@rated=low"):
        assert analysed["planted"].row(variant, "default")["participants"] >= 8
    assert analysed["planted"].row("", "default", "object")["participants"] == 10
