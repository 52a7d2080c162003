"""Scorers of ideas, on a real sentence encoder and on ratings of real people."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from brainbench.arrays import FloatArray
from brainbench.errors import DataError, ModelError
from brainbench.ideas import Rated, Response
from brainbench.nouns import ModelOptions, OpenModel, Reporter
from brainbench.progress import SilentReporter
from brainbench.protocols import require, require_plain, require_plain_values
from brainbench.scorer_identity import identify_scorer
from brainbench.scoring import Scorer
from brainbench.testing import check_scorer
from brainbench.validity import validate
from brainbench_metrics import human_ratings
from brainbench_metrics.divergent_association import DivergentAssociation, words_of_list
from brainbench_metrics.judge_fit import JudgeFit, features
from brainbench_metrics.llm_judge import LlmJudge, rating_of
from brainbench_metrics.semantic_distance import SemanticDistance
from brainbench_metrics.trained_judge import TrainedJudge
from brainbench_models.checkpoints import FolderCheckpoint
from brainbench_models.huggingface import HuggingFaceModel

QUIET = SilentReporter()
SEVEN = "lava\nhope\nviolin\nplankton\nsenate\nshoelace\nalgebra"


@dataclass
class Encoder:
    """Vectors that are written down, or those of the letters; counts what it is given."""

    written: dict[str, list[float]] | None = None
    seen: int = 0

    def embed(self, texts: Sequence[str], reporter: Reporter) -> FloatArray:
        self.seen += len(texts)
        if self.written is not None:
            return np.array([self.written[text] for text in texts], dtype=np.float32)
        return np.array(
            [[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts],
            dtype=np.float32,
        )

    def features(self, stimuli: Any, reporter: Reporter) -> Any:
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        return {}


def score(scorer: Any, responses: Sequence[Response], helper: Any, kept: Path | None = None) -> list[Any]:
    return list(scorer.score(responses, cast(OpenModel, helper), QUIET, kept))


@contextmanager
def opened(folder: Path) -> Iterator[OpenModel]:
    """A real encoder; the rooms of plugins meet in tests only."""
    from brainbench.nouns import ModelOptions
    from brainbench_models.checkpoints import FolderCheckpoint
    from brainbench_models.huggingface import HuggingFaceModel

    with HuggingFaceModel(FolderCheckpoint(folder)).open(ModelOptions(device="cpu"), QUIET) as model:
        yield model


@pytest.mark.parametrize("kind", [SemanticDistance, TrainedJudge, LlmJudge, DivergentAssociation])
def test_every_scorer_keeps_the_protocol(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(human_ratings, "ratings", ratings)
    scorer = kind()
    require(scorer, Scorer, "It")
    require_plain_values(scorer)
    other = scorer.using("org/other")
    assert (other.helper, other.name) == ("org/other", scorer.name)
    assert dataclasses.replace(other, helper=scorer.helper) == scorer
    require_plain(scorer.identity().facts, "identity")
    assert score(scorer, [], Encoder()) == []
    answers = scorer.helps == "answers"
    with pytest.raises(ModelError, match="answer questions" if answers else "embed sentences"):
        score(scorer, [Response("brick", "a"), Response("", SEVEN)], object())


def test_scorers_that_embed_keep_what_they_promise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(human_ratings, "ratings", ratings)

    for scorer in (SemanticDistance(), TrainedJudge(penalties=(10.0,)), DivergentAssociation()):
        lists = [Response("brick", SEVEN), Response("brick", SEVEN.replace("lava", "tea"))]
        check_scorer(scorer, cast(OpenModel, Encoder()), lists, tmp_path / scorer.name)


def test_semantic_distance_is_one_minus_the_cosine() -> None:
    written = {
        "brick": [1.0, 0],
        "doorstop": [3.0, 3.0],
        "clay": [2.0, 0],
        "hole": [-1.0, 0],
        "zero": [0.0, 0],
    }
    texts = ["doorstop", "clay", "hole", "zero", "  "]
    helper = Encoder(written)
    found = score(SemanticDistance(), [Response("brick", text) for text in texts], helper)
    assert found[:3] == pytest.approx([1 - np.sqrt(0.5), 0, 2])
    assert found[3:] == [None, None]
    assert helper.seen == 5  # the object once
    assert score(SemanticDistance(), [Response("", "doorstop")], helper) == [None]


def test_a_far_fetched_use_lies_farther_off_than_an_ordinary_one(sentence_encoder: Path) -> None:
    uses = [
        Response("brick", text) for text in ("build a brick wall", "grind it to paint a poem on the moon")
    ]
    with opened(sentence_encoder) as helper:
        near, far = score(SemanticDistance(), uses, helper)
        words = [Response("", SEVEN), Response("", "cat\ndog\nkitten\npuppy\nlion\nwolf\nhound")]
        apart, alike = score(DivergentAssociation(), words, helper)
    assert 0 < near < far - 0.2
    assert alike + 15 < apart < 117


def test_divergent_association_is_the_mean_distance_of_the_first_seven_words() -> None:
    written = {
        word: list(np.eye(8)[at]) for at, word in enumerate(["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh"])
    }
    assert score(DivergentAssociation(), [Response("", "\n".join(written))], Encoder(written)) == [100.0]
    written["gg"] = written["aa"]  # one of the 21 pairs
    found = score(DivergentAssociation(), [Response("", ", ".join(written))], Encoder(written))
    assert found == [pytest.approx(100 * 20 / 21)]
    assert score(DivergentAssociation(), [Response("", "aa bb cc dd ee ff gg hh")], Encoder()) == [None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1. Cat\n2) dog.\n(3) **tree**\n- sea\n\u2022 sun", ["cat", "dog", "tree", "sea", "sun"]),
        ("cat, dog; cat, Cat", ["cat", "dog"]),
        (
            "Here are ten words:\nice cream\nmother-in-law\no'clock\nx\n42\ncaf\u00e9",
            ["mother-in-law", "o'clock", "caf\u00e9"],
        ),
        ("", []),
    ],
    ids=["numbered", "commas", "odd", "nothing"],
)
def test_the_words_of_a_list_are_read_as_documented(text: str, words: list[str]) -> None:
    assert words_of_list(text) == words


@pytest.mark.parametrize(
    ("answer", "rating"),
    [("4", 4), (" 5\n", 5), ("1.", 1), ("2 - nearly new", 2), ("3\n1", 3)]
    + [
        (text, None)
        for text in ("", "0", "6", "4.5", "3-4", "4/5", "45", "Rating: 4", "four", "4th", "-3", "4,5")
    ],
)
def test_only_a_whole_number_from_1_to_5_at_the_start_is_a_rating(answer: str, rating: float | None) -> None:
    assert rating_of(answer) == rating


def test_a_judge_sees_response_object_their_cosine_and_the_length() -> None:
    written = {"brick": [2.0, 0.0], "a door stop": [3.0, 4.0]}
    helper = cast(OpenModel, Encoder(written))
    (row,) = features([Response("brick", "a door stop")], helper, QUIET)
    assert row == pytest.approx([3, 4, 2, 0, 0.6, np.log(4)])


def examples(count: int, seed: int) -> tuple[FloatArray, Any]:
    """A rating that hangs on the first of thirty features, and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(3, 2, (count, 30)).astype(np.float32)
    X[:, 29] = 1.0  # never varies
    return X, 3 + 0.3 * X[:, 0].astype(np.float64) + rng.normal(0, 1, count)


def test_the_judge_is_ridge_regression_with_the_penalty_best_on_the_other_split() -> None:
    train, other = examples(60, 0), examples(500, 1)
    penalties = (0.01, 30.0, 1e5)
    fit = JudgeFit.learn(train, other, penalties)
    X, y = train[0].astype(np.float64), train[1]
    center, scale = X.mean(0), np.where(X.std(0) > 0, X.std(0), 1)
    Z = (X - center) / scale
    errors = {}
    for penalty in penalties:
        weights = np.linalg.solve(Z.T @ Z + penalty * np.eye(30), Z.T @ (y - y.mean()))
        predicted = (other[0] - center) / scale @ weights + y.mean()
        errors[penalty] = np.mean((predicted - other[1]) ** 2)
        if penalty == fit.penalty:
            np.testing.assert_allclose(fit.predict(other[0]), predicted, atol=1e-4)
    assert fit.penalty == min(errors, key=errors.__getitem__) == 30.0
    assert fit.error == pytest.approx(errors[30.0], rel=1e-4)


def ratings(split: str, reporter: Reporter) -> tuple[Rated, ...]:
    """People who like the letter z."""
    rng = np.random.default_rng(len(split))
    texts = ["".join(rng.choice(list("abz "), 12)) for _ in range(150)]
    return tuple(Rated(Response("brick", f"q{text}"), 1 + 4 * text.count("z") / 12) for text in texts)


def test_a_judge_learns_once_keeps_it_and_holds_to_the_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(human_ratings, "ratings", ratings)
    asked = [Response("brick", text) for text in ("aaaa", "azaz", "z" * 60, " ")]
    judge, helper = TrainedJudge(penalties=(1.0, 10.0)), Encoder()
    first = score(judge, asked, helper, tmp_path / "kept")
    assert helper.seen > 200
    assert first[0] < first[1] < first[2] == 5.0
    assert first[3] is None
    again = Encoder()
    assert score(judge, asked, again, tmp_path / "kept") == first
    assert again.seen == 4  # the object and three texts: nothing was learnt
    assert score(judge, asked, Encoder(), None)[:2] == pytest.approx(first[:2], abs=1e-5)
    other = dataclasses.replace(judge, penalties=(1e6,))  # another judge does not take it for its own
    assert score(other, asked, Encoder(), tmp_path / "kept")[0] > first[0]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "judge.safetensors").write_bytes(b"x" * 99), "no safetensors file"),
        (lambda f: (f / "judge.safetensors").unlink(), "cannot be read"),
        (lambda f: (f / "judge.json").write_text("{"), "no JSON"),
        (lambda f: (f / "judge.json").write_text(json.dumps({"format": 2})), "format 1"),
    ],
    ids=["weights", "gone", "json", "format"],
)
def test_a_spoilt_fit_is_a_sentence(tmp_path: Path, spoil: Any, words: str) -> None:
    fit = JudgeFit.learn(examples(60, 0), examples(60, 1), (1.0,))
    fit.write(tmp_path, "hash", (1.0,))
    read = JudgeFit.read(tmp_path, "hash", (1.0,))
    assert read
    np.testing.assert_array_equal(read.predict(examples(5, 2)[0]), fit.predict(examples(5, 2)[0]))
    assert JudgeFit.read(tmp_path, "other", (1.0,)) is None
    spoil(tmp_path)
    with pytest.raises(DataError, match=words):
        JudgeFit.read(tmp_path, "hash", (1.0,))


@pytest.fixture
def real_ratings(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("BRAINBENCH_MIRROR", str(mirror))
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path))
    return human_ratings


@pytest.mark.real
def test_the_published_ratings_have_their_splits_and_nothing_held_out_was_learnt(real_ratings: Any) -> None:
    splits = {split: real_ratings.ratings(split, QUIET) for split in ("train", "val", "test")}
    assert [len(rated) for rated in splits.values()] == [16_081, 1_010, 3_030]
    first = splits["train"][0]
    assert first == Rated(Response("box", "Paper weight"), 1.7)
    whole = [rated.rating for split in splits.values() for rated in split]
    assert (min(whole), max(whole)) == (1.0, 5.0)
    held = real_ratings.held_out(QUIET)
    assert len(held) == 2_921
    learnt = {
        (r.response.about, " ".join(r.response.text.lower().split()))
        for s in ("train", "val")
        for r in splits[s]
    }
    assert not learnt & {(r.response.about, " ".join(r.response.text.lower().split())) for r in held}
    assert len({rated.response.about for rated in held}) == 21


@pytest.mark.real
def test_semantic_distance_hardly_agrees_with_people(real_ratings: Any, sentence_encoder: Path) -> None:
    """On a tenth of what docs/originality.md has."""
    with opened(sentence_encoder) as helper:
        found = validate(SemanticDistance(), helper, QUIET, None, limit=300)
    assert found.responses == 300
    assert found.unscored == 0
    assert -0.05 < found.pearson.estimate < 0.3


def test_a_damaged_ratings_file_is_a_sentence(tmp_path: Path) -> None:
    whole = {"prompt": "AUT Prompt:box\nResponse:a seat\nScore:\n", "completion": "23"}
    for line in (
        "{",
        json.dumps({**whole, "completion": "99"}),
        json.dumps({**whole, "prompt": "box"}),
        "[]",
    ):
        file = tmp_path / f"{abs(hash(line))}.jsonl"
        file.write_text(f"{json.dumps(whole)}\n{line}\n")
        with pytest.raises(DataError, match="line 2"):
            human_ratings._read(file)


def test_a_helper_that_moves_is_the_same_and_tells_nobody_where(tiny_model: Path, tmp_path: Path) -> None:
    def facts(folder: Path) -> Any:
        helper = HuggingFaceModel(FolderCheckpoint(folder))
        return identify_scorer(SemanticDistance(str(folder)), helper, ModelOptions()).facts

    one, two = (shutil.copytree(tiny_model, tmp_path / place / "encoder") for place in "ab")
    assert facts(one) == facts(two)
    assert str(tmp_path) not in str(facts(one))
    (two / "config.json").write_text((two / "config.json").read_text() + "\n")
    assert facts(one) != facts(two)
