"""In which order the embedded model reads: one link, then two, then three; first short, then introduced."""

from __future__ import annotations

from dataclasses import replace

from brainbench_models.tiny.corpus import Stage

_PROBLEMS = {"transitive": 0.55, "syllogism": 0.45}
_ALL = {"transitive": 0.45, "syllogism": 0.35, "uses": 0.1, "features": 0.1}

# A model that meets three shuffled premises at once stays at chance for thousands of steps; one that has
# learnt to find a name in one premise on one line needs a few hundred more for three. In the longer form of
# the datasets even one link stays at chance for the first 700 steps.
CURRICULUM = (
    Stage(1500, 128, (1,), 0.0, 5, 0.0, {"transitive": 1.0}, short=True, mastered=0.97),
    Stage(600, 64, (1, 2), 0.2, 6, 0.0, _PROBLEMS, short=True, mastered=0.93),
    Stage(600, 32, (1, 2, 3, 3), 0.4, 8, 0.0, _PROBLEMS, mastered=0.9),
    Stage(700, 24, (2, 3, 3), 0.5, 8, 0.5, _ALL),
)


def shortened(curriculum: tuple[Stage, ...], steps: int, batch: int) -> tuple[Stage, ...]:
    """The same stages with a few small steps each, to try the machinery."""
    return tuple(replace(stage, steps=steps, batch=batch, mastered=2.0) for stage in curriculum)
