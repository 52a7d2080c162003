"""The regression inside trained-judge: its features, how it is learnt, and the files that it is kept in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brainbench.kept_files import KeptFolder, as_json, write_files
from brainbench_metrics.idea_vectors import cosines, vectors_of

if TYPE_CHECKING:
    from brainbench.arrays import FloatArray
    from brainbench.ideas import Rated, Response
    from brainbench.nouns import OpenModel, Reporter

FORMAT = 1
_FORM, _WEIGHTS = "judge.json", "judge.safetensors"
_Reals = NDArray[np.float64]


def features(responses: Sequence[Response], helper: OpenModel, reporter: Reporter) -> FloatArray:
    """What the regression sees (responses x (2 width + 2)), float32.

    The response's vector, the object's, their cosine, and the logarithm of 1 + the response's words. Products
    of the vectors agree better with people about the objects that were learnt from, and worse about others.
    """
    texts = [text for response in responses for text in (response.about, response.text)]
    vectors = vectors_of(texts, helper, reporter)
    about, said = vectors[::2], vectors[1::2]
    words = np.array([len(response.text.split()) for response in responses])
    near = np.nan_to_num(cosines(about, said))
    parts = [said, about, near[:, None], np.log1p(words)[:, None]]
    return np.hstack(parts).astype(np.float32)


def examples(rated: Sequence[Rated], helper: OpenModel, reporter: Reporter) -> tuple[FloatArray, _Reals]:
    """Features and ratings to learn from."""
    X = features([one.response for one in rated], helper, reporter)
    return X, np.array([one.rating for one in rated])


@dataclass(frozen=True, eq=False)
class JudgeFit:
    """A linear rule on features made standard: center, scale and weights (features,), intercept (1,).

    penalty: the one that was chosen; error: the mean squared error on the validation split under it.
    """

    center: FloatArray
    scale: FloatArray
    weights: FloatArray
    intercept: float
    penalty: float
    error: float

    @classmethod
    def learn(
        cls,
        train: tuple[FloatArray, _Reals],
        validation: tuple[FloatArray, _Reals],
        penalties: Sequence[float],
    ) -> JudgeFit:
        """Fitted on the training split under the penalty with the least squared error on the other."""
        from sklearn.linear_model import Ridge

        X, ratings = train[0].astype(np.float64), train[1]
        center, scale = X.mean(axis=0), X.std(axis=0)
        scale[scale < 1e-8] = 1.0  # a feature that does not vary
        X = (X - center) / scale
        best: JudgeFit | None = None
        for penalty in penalties:
            fitted = Ridge(alpha=penalty, solver="cholesky").fit(X, ratings)
            fit = cls(
                center.astype(np.float32),
                scale.astype(np.float32),
                np.asarray(fitted.coef_, dtype=np.float32),
                float(fitted.intercept_),
                penalty,
                0.0,
            )
            error = float(np.mean((fit.predict(validation[0]) - validation[1]) ** 2))
            if best is None or error < best.error:
                best = cls(fit.center, fit.scale, fit.weights, fit.intercept, penalty, error)
        assert best, "penalties are never empty"
        return best

    def predict(self, X: FloatArray) -> _Reals:
        """Ratings (responses,), not yet held to their scale."""
        ready = (X.astype(np.float64) - self.center) / self.scale
        found: _Reals = ready @ self.weights.astype(np.float64) + self.intercept
        return found

    @classmethod
    def read(cls, folder: Path, ratings: str, penalties: Sequence[float]) -> JudgeFit | None:
        """The fit kept in a folder; None where there is none, or one learnt from something else.

        Raises DataError where it is spoilt.
        """
        if not (folder / _FORM).is_file():
            return None
        kept = KeptFolder(
            folder, f"Remove {folder}: it is learnt anew.", f"Remove {folder}: it is learnt anew."
        )
        kinds = {"ratings": str, "penalties": list, "penalty": float, "error": float, "intercept": float}
        form = kept.read_form(_FORM, FORMAT, kinds)
        if (form["ratings"], form["penalties"]) != (ratings, list(penalties)):
            return None
        arrays = kept.read_arrays(_WEIGHTS)
        kept.require_keys(arrays, {"center", "scale", "weights"}, kept.where(_WEIGHTS))
        one = arrays["weights"]
        fit = all(array.shape == one.shape and np.isfinite(array).all() for array in arrays.values())
        if not fit or one.ndim != 1 or not (arrays["scale"] > 0).all():
            raise kept.error(f"{kept.where(_WEIGHTS)} holds weights that do not belong together.")
        return cls(arrays["center"], arrays["scale"], one, form["intercept"], form["penalty"], form["error"])

    def write(self, folder: Path, ratings: str, penalties: Sequence[float]) -> None:
        """Keep it: the weights first, so that a form never stands beside other weights than its own."""
        from safetensors.numpy import save

        arrays = {"center": self.center, "scale": self.scale, "weights": self.weights}
        form = {
            "format": FORMAT,
            "ratings": ratings,
            "penalties": list(penalties),
            "penalty": self.penalty,
            "error": self.error,
            "intercept": self.intercept,
        }
        write_files(folder, {_WEIGHTS: save(arrays), _FORM: as_json(form)})
