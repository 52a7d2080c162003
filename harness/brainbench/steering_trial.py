"""Try a steering on prompts: which of a few words comes next, without it and with it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainbench.answers import Chooses
from brainbench.arrays import FloatArray
from brainbench.errors import ModelError
from brainbench.nouns import BrainDataset, OpenBaseline, OpenModel, Reporter
from brainbench.steering import Steerable, Steering
from brainbench.stimuli import Message, Stimulus


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked, and the right answer where one is known."""

    stimulus: Stimulus
    right: str | None = None

    @classmethod
    def of_text(cls, text: str) -> Prompt:
        """A text as it is, or as the user's turn for a model that is asked by conversations."""
        return cls(Stimulus("prompt", (Message("user", text),), text, text))


def prompts_of_dataset(dataset: BrainDataset, reporter: Reporter) -> list[Prompt]:
    """A dataset's stimuli, in its order."""
    found = []
    for stimulus in dataset.stimuli(reporter):
        label = stimulus.conditions.get("label")
        found.append(Prompt(stimulus, str(label) if isinstance(label, bool) else None))
    return found


def log_odds(  # noqa: PLR0913, PLR0917
    model: OpenModel | OpenBaseline,
    steering: Steering,
    prompts: Sequence[Prompt],
    words: tuple[str, str],
    strengths: Sequence[float],
    reporter: Reporter,
) -> FloatArray:
    """(1 + strengths x prompts): log p(first word) - log p(second), unsteered and at each strength.

    Raises ModelError for a model that cannot be steered or asked, where the steering does not fit it, and
    where a strength leaves no finite numbers.
    """
    if not isinstance(model, Steerable) or not isinstance(model, Chooses) or not model.has_head:
        raise ModelError("This model cannot be asked which word comes next while it is steered.")
    stimuli = [prompt.stimulus for prompt in prompts]
    rows = [_differences(model, stimuli, words, reporter)]
    for strength in strengths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # too large for single precision: said below
            with model.steered(steering.scaled(strength)) as steered:
                assert isinstance(steered, Chooses)
                rows.append(_differences(steered, stimuli, words, reporter))
        if not np.isfinite(rows[-1]).all():
            raise ModelError(
                f"At strength {strength:g} the model's answers are no finite numbers.",
                hint="Choose a smaller strength.",
            )
    return np.stack(rows)


def _differences(
    model: Chooses, stimuli: Sequence[Stimulus], words: tuple[str, str], reporter: Reporter
) -> FloatArray:
    odds = model.log_odds(stimuli, words, reporter)
    found: FloatArray = odds[:, 0] - odds[:, 1]
    return found
