"""Categories of pairs: of which two strata (types of task) the items of a pair are.

Types differ for many dull reasons (scanner run, length, wording): that pairs of one type are closer than
others, and of which type, is most of what two RDMs over several types share. Taking each category's mean from
both sides leaves what they say of items. Pairs of items of different types stay in: their mean is what type
says of them, and beyond it they tell which items of one type are like which of the other.

Shuffles of items within types leave every pair in its category. So what is left of a shuffled RDM is the
shuffle of what is left, the null needs no more than the vectors left, and its mean is zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainbench.arrays import IntArray
from brainbench_metrics.rdm import pairs

LEAST_LEFT = 4  # pairs beyond all that is taken from them: six of four items, their mean and one control


def pair_categories(strata: Sequence[str]) -> IntArray | None:
    """Numbers 0, 1, ... for the unordered pairs of strata that occur (pairs,); None for one stratum."""
    if len(set(strata)) < 2:
        return None
    codes = np.unique(np.asarray(strata), return_inverse=True)[1].astype(np.intp)
    first, second = (codes[of] for of in pairs(len(codes)))
    both = np.minimum(first, second) * len(codes) + np.maximum(first, second)
    return np.unique(both, return_inverse=True)[1].astype(np.intp)


def count_of(categories: IntArray | None) -> int:
    """How many categories occur among those of some pairs; one where pairs have none."""
    return 1 if categories is None else len(np.unique(categories))
