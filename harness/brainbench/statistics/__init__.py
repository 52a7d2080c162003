"""Statistics that every part of brainbench shares; nothing here knows of models or brains.

intervals     bootstraps over one kind of unit: percentile, expanded percentile, BCa
two_factor    intervals for other people and other items at once, also for pairs of objects (RSA)
correlations  how well two measures agree over all units and within strata of them
crossed       a mean change for other problems and other trainings at once
few_units     correlations over few units (models): Pearson, Spearman, partial, each unit left out in turn
ratios        bootstraps of many means over grouped items at once
permutation   p values from null draws, and the maximum over layers, streaming
sign_flip     tests over people, exact when they are few; several tests at once
paired        two models on the same people and items; right and wrong before and after (McNemar)
families      Bonferroni, Holm and Benjamini-Hochberg over a declared family
power         minimum detectable effect of a design
ranking       ranks in which models that cannot be told apart share one, with every pair
tie_ranks     such ranks of hundreds of models
streams       draws that depend on a seed and on nothing else

Whatever is random takes a seed and gives the same bits on any number of threads; a statistic that the caller
gives is the caller's to keep so. Values must be finite: what is missing is left out before, by the caller.
Calibration: `python benchmarks/statistics_calibration.py`.
"""

from brainbench.statistics.correlations import Correlations, StratumCorrelation, correlations
from brainbench.statistics.crossed import crossed_interval
from brainbench.statistics.families import Family
from brainbench.statistics.few_units import Correlation, partial_correlation, pearson, spearman
from brainbench.statistics.intervals import (
    Interval,
    Statistic,
    bca_interval,
    expanded_interval,
    percentile_interval,
    student_interval,
)
from brainbench.statistics.paired import McNemar, PairedComparison, compare_models, mcnemar
from brainbench.statistics.permutation import LayerTests, MaxStatistic, max_statistic, permutation_p
from brainbench.statistics.power import (
    Design,
    VarianceComponents,
    detection_power,
    minimum_detectable_effect,
    simulated_power,
    variance_components,
)
from brainbench.statistics.ranking import Pair, Ranking, rank_models
from brainbench.statistics.ratios import ratio_intervals
from brainbench.statistics.resampled_means import mean_of, mean_of_pairs, pairs_of
from brainbench.statistics.sign_flip import SignFlip, SignFlipFamily, sign_flip, sign_flip_family
from brainbench.statistics.streams import BLOCK, Block, blocks
from brainbench.statistics.tie_ranks import TieRanks, smallest_p, tie_ranks
from brainbench.statistics.two_factor import (
    corrected_two_factor_interval,
    two_factor_interval,
    two_way_interval,
)

__all__ = [
    "BLOCK",
    "Block",
    "Correlation",
    "Correlations",
    "Design",
    "Family",
    "Interval",
    "LayerTests",
    "MaxStatistic",
    "McNemar",
    "Pair",
    "PairedComparison",
    "Ranking",
    "SignFlip",
    "SignFlipFamily",
    "Statistic",
    "StratumCorrelation",
    "TieRanks",
    "VarianceComponents",
    "bca_interval",
    "blocks",
    "compare_models",
    "corrected_two_factor_interval",
    "correlations",
    "crossed_interval",
    "detection_power",
    "expanded_interval",
    "max_statistic",
    "mcnemar",
    "mean_of",
    "mean_of_pairs",
    "minimum_detectable_effect",
    "pairs_of",
    "partial_correlation",
    "pearson",
    "percentile_interval",
    "permutation_p",
    "rank_models",
    "ratio_intervals",
    "sign_flip",
    "sign_flip_family",
    "simulated_power",
    "smallest_p",
    "spearman",
    "student_interval",
    "tie_ranks",
    "two_factor_interval",
    "two_way_interval",
    "variance_components",
]
