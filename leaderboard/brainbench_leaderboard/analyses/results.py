"""What an analysis comes to, as plain values: a table, tests with adjusted p values, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from brainbench.statistics import Family, Interval
from brainbench.text import plain

if TYPE_CHECKING:
    from brainbench_leaderboard.analyses.figures import Figure

ALPHA = 0.05
SIZE, IDEAS, IDEAS_TOO = "first region x size", "first region x ideas", "second region x ideas"
Span = tuple[float, float]


def span(interval: Interval | None) -> Span | None:
    """The limits of an interval, where there is one."""
    return None if interval is None else (interval.low, interval.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One statistic with what it rests on.

    of: what the n units are ("models" or "people"). interval: None where there is none, and `no_interval`
    says why; it holds for other units of `over`. p: two-sided, None where nothing is tested. left_out: the
    range of the statistic when each unit is left out in turn, and leverage the unit that matters most.
    p_grid: Benjamini-Hochberg over all tests of the analysis on this dataset. primary: its name among the
    tests declared beforehand, "" for others; p_bonferroni and p_holm are over those.
    """

    name: str
    where: str
    statistic: str
    value: float
    n: int
    of: str
    over: str
    interval: Span | None = None
    no_interval: str = ""
    level: float = 0.95
    method: str = ""
    p: float | None = None
    p_method: str = ""
    left_out: Span | None = None
    leverage: str = ""
    p_grid: float | None = None
    grid: int = 0
    primary: str = ""
    p_bonferroni: float | None = None
    p_holm: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""

    def columns(self) -> dict[str, Any]:
        """As columns of a table, spans in two."""
        made = {name: value for name, value in asdict(self).items() if name != "more"}
        for name, pair in (("interval", ("low", "high")), ("left_out", ("left_out_low", "left_out_high"))):
            span = made.pop(name)
            made |= dict(zip(pair, span or (None, None), strict=True))
        return {**made, **self.more}


@dataclass(frozen=True, slots=True)
class Finding:
    """What an analysis of one dataset comes to.

    table: rows of plain values, one an observation. tests: with what each says. cannot: what none of them
    can say. notes: what a reader must know of the material. figure: what is to be drawn, None for nothing.
    """

    name: str
    question: str
    cannot: str
    dataset: str
    dataset_version: int
    simulated: bool
    metric: str
    table: Sequence[Mapping[str, Any]]
    tests: tuple[Result, ...]
    notes: tuple[str, ...] = ()
    figure: Figure | None = None

    @property
    def title(self) -> str:
        """What it is of, with the mark of what nobody was scanned for."""
        mark = "SIMULATED " if self.simulated else ""
        return f"{self.name}: {mark}{plain(self.dataset)} v{self.dataset_version}, {self.metric}"

    @property
    def fingerprints(self) -> list[str]:
        """Of the records that it was made from, each once."""
        names = ("fingerprint", "other_fingerprint", "ideas_fingerprint")
        found = (row[name] for row in self.table for name in names if row.get(name))
        return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Lacking:
    """An analysis for which there is no material: what is missing, and what to run to get it."""

    name: str
    why: str
    command: str

    @property
    def sentence(self) -> str:
        """Both in one sentence."""
        return f"{self.name}: {self.why}: {self.command}"


def adjusted(findings: Iterable[Finding], ideas: Mapping[str, int]) -> list[Finding]:
    """The same with p values adjusted: over each finding's grid, and over the primary tests of a dataset.

    ideas: how many scorers of ideas there are for a dataset: each has two primary tests, whether these were
    run or not, as the family is what was declared.
    """
    gridded = [replace(finding, tests=_over_grid(finding.tests)) for finding in findings]
    return [replace(one, tests=_over_primary(one, gridded, ideas.get(one.dataset, 0))) for one in gridded]


def _over_grid(tests: tuple[Result, ...]) -> tuple[Result, ...]:
    names = [f"{at}" for at, test in enumerate(tests) if test.p is not None]
    if not names:
        return tests
    family = Family("grid", tuple(names), {name: tests[int(name)].p or 0.0 for name in names})
    p = family.adjusted("benjamini-hochberg")
    return tuple(
        replace(test, p_grid=p[f"{at}"], grid=len(names)) if f"{at}" in p else test
        for at, test in enumerate(tests)
    )


def _over_primary(finding: Finding, findings: Sequence[Finding], scorers: int) -> tuple[Result, ...]:
    together = (finding.dataset, finding.dataset_version, finding.metric)
    found = {
        test.primary: test.p
        for one in findings
        if (one.dataset, one.dataset_version, one.metric) == together
        for test in one.tests
        if test.primary and test.p is not None
    }
    if not found:
        return finding.tests
    declared = dict.fromkeys([SIZE, *found])
    unseen = 1 + 2 * max(1, scorers) - len(declared)
    names = (*declared, *(f"not run {at}" for at in range(unseen)))
    family = Family("primary", names, found)
    bonferroni, holm = family.adjusted("bonferroni"), family.adjusted("holm")
    return tuple(
        replace(test, p_bonferroni=bonferroni[test.primary], p_holm=holm[test.primary])
        if test.primary in found
        else test
        for test in finding.tests
    )
