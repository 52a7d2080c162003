"""How items are split for cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainbench.arrays import IntArray
from brainbench.records import Skip

MIN_TEST_ITEMS = 3  # over two items every correlation is 1 or -1


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Positions of the items that a model is fitted to and of those that it is then tested on."""

    train: IntArray
    test: IntArray


def stratified_folds(strata: Sequence[str], folds: int, random_state: int) -> tuple[Fold, ...] | Skip:
    """Shuffled folds with about the same share of each stratum, or the reason why there are none.

    `strata` has one label per item. Where all labels agree scikit-learn's StratifiedKFold still applies,
    with one class: the folds of the paper's within-type analyses (KFold would draw others).
    """
    from sklearn.model_selection import StratifiedKFold

    n_items = len(strata)
    if n_items < folds * MIN_TEST_ITEMS:
        return Skip(
            f"{n_items} items are too few for {folds} folds of at least {MIN_TEST_ITEMS} test items each."
        )
    classes = np.unique(np.asarray(strata), return_inverse=True)[1]
    if np.bincount(classes).max() < folds:
        return Skip(f"No stratum has the {folds} items that {folds} stratified folds need.")
    splitter = StratifiedKFold(folds, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():
        # A stratum smaller than the number of folds is spread as far as it goes: no reason to worry a user.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        split = [Fold(train, test) for train, test in splitter.split(np.zeros(n_items), classes)]
    smallest = min(len(fold.test) for fold in split)
    if smallest < MIN_TEST_ITEMS:
        return Skip(f"The smallest of {folds} folds has {smallest} test items; {MIN_TEST_ITEMS} are needed.")
    return tuple(split)
