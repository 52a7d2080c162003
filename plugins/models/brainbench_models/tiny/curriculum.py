"""In which order the embedded model reads: one link, then two, then three; first short, then introduced."""

from __future__ import annotations

from dataclasses import replace

from brainbench_models.tiny.corpus import Stage

_ALL = {"transitive": 0.1, "syllogism": 0.5, "uses": 0.2, "features": 0.2}

# A model that meets three shuffled premises at once stays at chance for thousands of steps; one that has
# learnt to find a name in one premise on one line needs a few hundred more for three. In the longer form of
# the datasets even one link stays at chance for the first 700 steps. Linear orders come easily then, and
# inclusions slowly: hence their shares.
CURRICULUM = (
    Stage(700, 128, (1,), (2,), 0.0, 5, 0.0, {"transitive": 1.0}, short=True, mastered=0.97, needed=True),
    Stage(
        600, 96, (1, 2), (2,), 0.2, 5, 0.0, {"transitive": 0.3, "syllogism": 0.7}, short=True, mastered=0.93
    ),
    Stage(800, 64, (1, 2), (2, 3, 3), 0.4, 6, 0.0, {"transitive": 0.2, "syllogism": 0.8}, mastered=0.88),
    Stage(350, 48, (2, 2, 3), (3,), 0.5, 4, 0.5, _ALL),
)


def shortened(curriculum: tuple[Stage, ...], steps: int, batch: int) -> tuple[Stage, ...]:
    """The same stages with a few small steps each, to try the machinery."""
    return tuple(replace(stage, steps=steps, batch=batch, mastered=2.0, needed=False) for stage in curriculum)
