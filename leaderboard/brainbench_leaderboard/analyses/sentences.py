"""What a test says, and what it does not, in a few words."""

from __future__ import annotations

from brainbench_leaderboard.analyses.results import ALPHA, Finding, Result
from brainbench_leaderboard.idea_captions import validating

_HOLDS = {
    "models": "It holds for other models like these, if there are any, and for these people and items",
    "people": "It holds for other people and these items",
    "people and items": "The interval holds for other people and other items, the p value for these items",
}


def says(test: Result, finding: Finding) -> str:
    """The number with its interval and p values, what is shown, for whom it holds, and on what it hangs."""
    mark = "SIMULATED: " if finding.simulated else ""
    parts = [f"{mark}{test.where}, {test.name}: {numbers(test)}.", *_shown(test), f"{_HOLDS[test.over]}."]
    if test.left_out is not None and test.leverage:
        low, high = test.left_out
        parts.append(
            f"Leaving out one of the {test.of} gives {low:.3f} to {high:.3f}; most by {test.leverage}."
        )
    return " ".join([*parts, *_others(test), *_ceilings(test), *_validity(test)])


def numbers(test: Result) -> str:
    """The statistic, its interval, p as it is and corrected."""
    said = [f"{test.statistic} {test.value:.3f}"]
    if test.interval is not None:
        said.append(f"{test.level:.0%} interval [{test.interval[0]:.3f}, {test.interval[1]:.3f}]")
    said.append(f"n = {test.n} {test.of}")
    if test.p is not None:
        said.append(f"p {small(test.p)}")
    if test.p_grid is not None:
        said.append(
            f"{small(test.p_grid)} corrected for {test.grid} tests of this analysis (Benjamini-Hochberg)"
        )
    if test.p_holm is not None and test.p_bonferroni is not None:
        said.append(f"primary: {small(test.p_bonferroni)} (Bonferroni), {small(test.p_holm)} (Holm)")
    return ", ".join(said)


def small(p: float) -> str:
    """A p value in three decimals, or that it is below."""
    return f"{p:.3f}" if p >= 0.0005 else "< .001"


def _shown(test: Result) -> list[str]:
    if test.p is None:
        return []
    corrected = test.p_holm if test.p_holm is not None else test.p_grid
    significant = corrected is not None and corrected <= ALPHA
    apart = significant if test.interval is None else test.interval[0] > 0 or test.interval[1] < 0
    what = "a difference" if test.statistic == "mean difference" else "that the two go together"
    if significant and apart and _of_these_alone(test):
        return [f"The people and items that all models share may have made it: this does not show {what}."]
    if significant and apart:
        return [f"This shows {what}."]
    if significant or apart:
        return [f"Interval and corrected p value do not agree: this does not show {what}."]
    return [f"This does not show {what}, which is no evidence that there is none."]


def _of_these_alone(test: Result) -> bool:
    """Whether a result over models could be gone, or turned, with other people and items."""
    low, high = test.more.get("others_low"), test.more.get("others_high")
    return low is not None and high is not None and low <= 0 <= high


def _others(test: Result) -> list[str]:
    low, high = test.more.get("others_low"), test.more.get("others_high")
    if low is None or high is None:
        return []
    what = "mean difference" if test.statistic == "mean difference" else "slope"
    of = "other people and other items" if test.more["others"] == "people and items" else "other people"
    return [f"With {of} and these models the {what} lies in [{low:.3g}, {high:.3g}] (95%)."]


def _ceilings(test: Result) -> list[str]:
    first, second = test.more.get("first_ceiling"), test.more.get("second_ceiling")
    if first is None or second is None or first == second:
        return []
    return [f"The two do not have the same ceiling: {first:.3f} and {second:.3f}."]


def _validity(test: Result) -> list[str]:
    if "validity" not in test.more:
        return []
    if test.more["validity"] is None:
        command, bracket, folder = validating(test.more["scorer"]).partition(" (")
        which = f"`{command}` says it{bracket}{folder}"
        return [f"How far the scorer agrees with human raters is not known: {which}."]
    low, high = test.more.get("validity_low"), test.more.get("validity_high")
    span = f" [{low:.2f}, {high:.2f}]" if low is not None and high is not None else ""
    by = test.more.get("validity_by_object")
    within = f", {by:.2f} within objects" if by is not None else ""
    return [f"The scorer agrees with human raters at r = {test.more['validity']:.2f}{span}{within}."]
