"""Scorers of ideas: found by name, planned, told apart, and what they must give back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pytest

from brainbench import identity_parts, testing
from brainbench.catalog import Catalog, Provider
from brainbench.errors import PluginError, UsageError
from brainbench.idea_identity import identify_writer
from brainbench.ideas import IdeaScores, Response
from brainbench.identity import identify, unidentified
from brainbench.nouns import Identity, ModelOptions, OpenModel, Reporter
from brainbench.plan import Cell, Plan, ScorerCell
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.protocols import require_scorer_values
from brainbench.records import Record, Reused
from brainbench.runner import run
from brainbench.sampling import Sampling
from brainbench.scored_ideas import scores_of
from brainbench.scorer_identity import helper_options
from brainbench.scoring import Helps
from brainbench.stimuli import Message, Stimulus
from brainbench_interventions.none import NoIntervention

Toy = dict[str, Any]
CATALOG = load(discover())
REPORTER = SilentReporter()


@dataclass(frozen=True)
class Letters:
    """Counts letters; `factor` and `gives` are its faults."""

    name: str = "letters"
    version: int = 1
    helper: str = "letters-model"
    helps: Helps = "answers"
    scale: tuple[float, float] = (0.0, 100.0)
    questions: tuple[Stimulus, ...] = ()
    data: str = "d1"
    gives: Any = None

    def using(self, helper: str) -> Self:
        return replace(self, helper=helper)

    def identity(self) -> Identity:
        return Identity({"data": self.data})

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
    ) -> Sequence[float | None]:
        assert all(response.text for response in responses)
        if self.gives is not None:
            return self.gives  # type: ignore[no-any-return]
        return [None if "?" in response.text else float(len(response.text)) for response in responses]


def catalog(*scorers: Any) -> Catalog:
    made = Catalog()
    for scorer in scorers:
        made.scorers.entries[scorer.name] = (scorer, Provider("p", "d", "1"))
    return made


def test_a_scorer_is_found_with_its_own_helper_or_another_that_may_have_a_revision() -> None:
    found = catalog(Letters())
    assert found.find_scorer("letters").helper == "letters-model"
    assert found.find_scorer("letters@org/model@main").helper == "org/model@main"
    with pytest.raises(UsageError, match="no scorer called 'leters'") as caught:
        found.find_scorer("leters@org/model")
    assert "'letters'" in caught.value.hint
    with pytest.raises(UsageError, match="needs a model to help it") as caught:
        catalog(Letters(helper="")).find_scorer("letters")
    assert "letters@org/name" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"name": "a@b"}, "has an @ in its name"),
        ({"helps": "sings"}, "it must say"),
        ({"helper": None}, "no model's name"),
        ({"scale": (1.0, 1.0)}, "goes from 1 to 1"),
        ({"scale": (0.0, float("inf"))}, "not the lowest and highest score"),
        ({"scale": 5}, "not the lowest and highest score"),
        ({"questions": ["what?"]}, "no tuple of stimuli"),
    ],
)
def test_values_of_a_scorer_that_cannot_be_used_are_named(fault: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        require_scorer_values(replace(Letters(), **fault))


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        ([1.0], "gave 1 scores for 2 texts"),
        (7, "gave int for 2 texts"),
        ([1.0, 100.5], r"gave the score 100\.5; its scale is 0 to 100"),
        ([1.0, float("nan")], "gave the score nan"),
        ([1.0, "2"], "gave the score '2'"),
        ([1.0, True], "gave the score True"),
    ],
)
def test_rubbish_from_a_scorer_is_one_sentence(gives: Any, words: str) -> None:
    asked = [Response("a", "x"), Response("a", "y")]
    model: Any = None
    with pytest.raises(PluginError, match=words):
        scores_of(Letters(gives=gives), asked, model, REPORTER, None)


def test_empty_texts_are_unscored_and_never_given_to_the_scorer() -> None:
    asked = [Response("a", text) for text in ("", "four", " \n", "?", "sixsix")]
    model: Any = None
    assert scores_of(Letters(), asked, model, REPORTER, None) == (None, 4.0, None, None, 6.0)
    assert scores_of(Letters(gives=5), asked[:1], model, REPORTER, None) == (None,)


def test_the_kit_for_authors_notices_broken_promises(tmp_path: Path) -> None:
    model = CATALOG.find_model("brainbench/tiny")
    with model.open(ModelOptions(device="cpu", head=True), REPORTER) as opened:
        assert isinstance(opened, OpenModel)
        testing.check_scorer(Letters(), opened)
        with pytest.raises(AssertionError, match="its scale is 0 to 5"):
            testing.check_scorer(Letters(scale=(0, 5)), opened)

        class InOrder(Letters):
            def score(self, responses: Any, helper: Any, reporter: Any, kept: Any) -> list[float | None]:
                return [float(at) for at in range(len(responses))]

        with pytest.raises(AssertionError, match="order of the responses"):
            testing.check_scorer(InOrder(), opened)


QUESTION = Stimulus("dat", (Message("user", "Ten words."),), "Ten words.", "Ten words.")


def plan(datasets: list[str], *scorers: Letters, models: int = 1, change: Any = None) -> list[ScorerCell]:
    made = Plan.product(
        models=[],
        datasets=[CATALOG.find_dataset(name) for name in datasets],
        metrics=[],
        interventions=[change or NoIntervention()],
        options=ModelOptions(),
        ceilings=False,
        solvers=[CATALOG.find_model("brainbench/tiny")] * models,
        scorers=[(scorer, CATALOG.find_model("brainbench/tiny")) for scorer in scorers],
    )
    return [cell for cell in made if isinstance(cell, ScorerCell)]


BASE = "simulated-creativity"


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [
        ([BASE], [BASE]),
        (["simulated-deduction", BASE], [BASE]),
        ([f"{BASE}@stage=response", BASE], [BASE]),
        ([f"{BASE}@stage=response"], [f"{BASE}@stage=response"]),
        ([BASE, f"{BASE}@prompt=short"], [BASE, f"{BASE}@prompt=short"]),
        ([BASE, f"{BASE}@prompt=empty@stage=response"], [BASE]),
        ([f"{BASE}@rated=high"], []),
        ([f"{BASE}-null", BASE], [f"{BASE}-null", BASE]),
    ],
)
def test_each_question_is_asked_once_whatever_variants_are_chosen(
    chosen: list[str], asked: list[str]
) -> None:
    assert [cell.dataset.name for cell in plan(chosen, Letters()) if cell.dataset] == asked


def test_questions_of_a_scorer_need_no_dataset() -> None:
    (cell,) = plan([], Letters(questions=(QUESTION,)))
    assert cell.dataset is None
    assert [cell.dataset for cell in plan([BASE], Letters(questions=(QUESTION,)))] == [None]


def test_scorer_cells_stand_behind_the_scores_of_a_model(toy: Toy) -> None:
    dataset, model = CATALOG.find_dataset(BASE), toy["model"]()
    made = Plan.product(
        models=[model],
        datasets=[dataset],
        metrics=[toy["metric"]()],
        interventions=[NoIntervention()],
        options=ModelOptions(),
        ceilings=False,
        solvers=[model],
        scorers=[(Letters(), model), (Letters(name="other"), model)],
    )
    kinds = [type(cell) for cell in made]
    assert kinds == [Cell] * (len(kinds) - 2) + [ScorerCell] * 2


def test_texts_to_the_same_questions_are_scored_behind_each_other() -> None:
    cells = plan([BASE, f"{BASE}-null"], Letters(), Letters(name="other"))
    asked = [(cell.dataset.name, cell.scorer.name) for cell in cells if cell.dataset]
    assert asked == [(name, scorer) for name in (BASE, f"{BASE}-null") for scorer in ("letters", "other")]


@dataclass(frozen=True)
class Watched:
    """The embedded model under another name; says in `log` when it is opened and closed."""

    name: str
    log: list[str]

    def identity(self, options: ModelOptions) -> Identity:
        return Identity({"name": self.name})

    @contextmanager
    def open(self, options: ModelOptions, reporter: Reporter) -> Iterator[Any]:
        self.log.append(f"open {self.name}")
        with CATALOG.find_model("brainbench/tiny").open(options, reporter) as opened:
            yield opened
        self.log.append(f"close {self.name}")


def test_a_model_is_closed_before_the_helper_is_opened_and_both_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where two scorers have the same helper: never are two in memory. What is done opens nothing."""
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path))
    log: list[str] = []
    writer, other, helper = (Watched(name, log) for name in ("writer", "other", "helper"))
    made = Plan.product(
        models=[],
        datasets=[],
        metrics=[],
        interventions=[NoIntervention()],
        options=ModelOptions(device="cpu", head=True, sampling=Sampling(count=2, tokens=4)),
        solvers=[writer, other],
        scorers=[(Letters(name=name, questions=(QUESTION,)), helper) for name in ("one", "two")],
    )
    first, second, *_ = run(made)
    opened = ("writer", "helper", "other", "helper")
    assert log == [f"{did} {name}" for name in opened for did in ("open", "close")]
    assert isinstance(first, Record)
    assert isinstance(first.outcome, IdeaScores)
    assert isinstance(second, Record)
    assert first.fingerprint != second.fingerprint
    assert first.provenance["helper"]
    log.clear()
    assert [type(result) for result in run(made, is_done=lambda fingerprint: True)] == [Reused] * 4
    assert log == []


def scorer_cell(toy: Toy, **more: Any) -> ScorerCell:
    options = more.pop("options", ModelOptions(device="cpu"))
    scorer, helper = more.pop("scorer", Letters()), more.pop("helper", toy["model"]("helper"))
    dataset = more.pop("dataset", CATALOG.find_dataset(BASE))
    change, model = more.pop("change", NoIntervention()), more.pop("model", None) or toy["model"](**more)
    return ScorerCell(model, options, change, scorer, helper, dataset)


def test_whatever_decides_a_score_is_in_its_fingerprint(toy: Toy) -> None:
    """And what does not is not: where it runs, how many at once, and by which path its helper was named."""
    first = identify(scorer_cell(toy))
    others: list[dict[str, Any]] = [
        {"options": ModelOptions(sampling=Sampling(seed=1))},
        {"options": ModelOptions(sampling=Sampling(tokens=8))},
        {"scorer": Letters(data="d2")},
        {"scorer": Letters(version=2)},
        {"scorer": Letters(scale=(0.0, 200.0))},
        {"scorer": Letters(questions=(QUESTION,))},
        {"scorer": Letters(questions=(replace(QUESTION, conditions={"object": "box"}),))},
        {"helper": toy["model"]("helper", scale=2.0)},
        {"dataset": CATALOG.find_dataset(f"{BASE}@prompt=short")},
        {"scale": 2.0},
    ]
    keys = {identify(scorer_cell(toy, **other)).fingerprint for other in others}
    assert len(keys) == len(others)
    assert first.fingerprint not in keys
    elsewhere = Letters(helper="./another/path/helper")
    again = identify(scorer_cell(toy, options=ModelOptions(device="cpu", batch_size=3), scorer=elsewhere))
    assert again == first
    assert first.resolved


def test_a_real_models_options_decide_a_score_as_far_as_they_decide_its_texts(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How features are pooled does where a change is learnt from features, and else does not."""
    tiny = CATALOG.find_model("brainbench/tiny")

    def key(change: Any = None, **options: Any) -> str:
        more = {"change": change} if change else {}
        return identify(
            scorer_cell(toy, model=tiny, helper=tiny, options=ModelOptions(**options), **more)
        ).fingerprint

    learnt = CATALOG.interventions.get("nari-general")
    decide: list[dict[str, Any]] = [
        {},
        {"dtype": "bfloat16"},
        {"trust_remote_code": True},
        {"sampling": Sampling(count=5)},
        {"change": learnt},
        {"change": learnt, "pooling": "mean"},
    ]
    assert len({key(**one) for one in decide}) == len(decide)
    assert {key(pooling="mean"), key(device="cuda:3"), key(batch_size=2), key(head=True)} == {key()}

    def writer(change: Any, pooling: Any) -> Identity:
        return identify_writer(tiny, ModelOptions(pooling=pooling), change, CATALOG.find_dataset(BASE))

    assert writer(learnt, "last") != writer(learnt, "mean")
    assert writer(NoIntervention(), "last") == writer(NoIntervention(), "mean")
    before = key()
    monkeypatch.setattr(identity_parts, "WRITING", identity_parts.WRITING + 1)
    assert key() != before


def test_a_helper_runs_where_and_in_batches_as_the_run_says_and_else_as_it_was_made() -> None:
    run_by = ModelOptions(
        "float16", "mean", "cuda:1", 3, 7, trust_remote_code=True, sampling=Sampling(seed=1)
    )
    told = helper_options(Letters(), run_by)
    assert told == ModelOptions(device="cuda:1", batch_size=3, trust_remote_code=True, head=True)


def test_a_helper_that_cannot_be_pinned_down_leaves_the_scores_unresolved(toy: Toy) -> None:
    found = identify(scorer_cell(toy, helper=toy["model"]("helper", resolved=False)))
    assert not found.resolved


def test_a_cell_without_identity_is_known_by_its_names(toy: Toy) -> None:
    first = unidentified(scorer_cell(toy))
    assert first == unidentified(scorer_cell(toy))
    assert first != unidentified(scorer_cell(toy, options=ModelOptions(sampling=Sampling(seed=1))))
    assert first != unidentified(scorer_cell(toy, scorer=Letters(name="others")))
    tasks_and_scores_as_before = first.facts["model"]["options"]
    assert not {"head", "sampling"} & set(tasks_and_scores_as_before)
