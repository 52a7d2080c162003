"""Intervals of a mean change for other problems and other trainings at once.

Every training (a seed) is asked every problem, and both are samples: another seed would have given another
model, other problems another mean. A problem may come in several forms; then it counts by how many.

Few seeds say little about other seeds. In simulations with 40 problems (normal, sizes 1 to 6) intervals at
95 % of three seeds held the truth in 91 to 97 percent, of five in 95 to 97; of two in 87 to 96, the fewer the
more seeds differ.
"""

from __future__ import annotations

from brainbench.errors import ShapeError
from brainbench.statistics.checks import Values, numbers, require_level_and_draws, require_variation
from brainbench.statistics.intervals import Interval
from brainbench.statistics.two_factor import mean_squares, two_way_error


def crossed_interval(table: Values, sizes: Values, *, level: float = 0.95) -> Interval:
    """Student's interval of the mean of `table` (seeds x problems), problems weighted by `sizes` (problems,).

    The variance of the mean is (M_problems + M_seeds - M_rest) / (seeds problems) with mean squares M of the
    two-way layout, and at least the larger of the one-factor variances; degrees of freedom are
    Satterthwaite's. Of unequal sizes each value's distance from the mean is weighted by its problem's size,
    relative to the mean size (the linearised variance of a ratio: Cochran 1977, Sampling Techniques, 6.3);
    of equal sizes this is `two_way_interval`. Raises ShapeError for fewer than two seeds or problems, sizes
    that are not above 0 or not one a problem, and a table that does not vary.
    """
    from scipy.special import stdtrit

    require_level_and_draws(level, 2**53)
    changes = numbers(table, "Changes (seeds x problems)", 2)
    weights = numbers(sizes, "Sizes of problems", 1)
    if len(weights) != changes.shape[1] or weights.min() <= 0:
        raise ShapeError(f"{changes.shape[1]} problems need as many sizes, all above 0.")
    require_variation(changes, "The changes")
    weights = weights / weights.mean()
    mean = float((changes * weights).mean())
    error, df = two_way_error(mean_squares((changes - mean) * weights) / changes.size, changes.shape)
    half = error * float(stdtrit(df, (1 + level) / 2))
    return Interval(mean, mean - half, mean + half, level, error, "seeds and problems crossed")
