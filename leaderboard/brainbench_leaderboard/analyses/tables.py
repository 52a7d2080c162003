"""Findings in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from brainbench.text import plain
from brainbench_leaderboard.analyses.results import Finding, Result
from brainbench_leaderboard.analyses.sentences import small


def shown(finding: Finding) -> Group:
    """A table of the finding's tests under its title and question, and what it cannot say."""
    title = Text(finding.title, style="bold yellow" if finding.simulated else "bold")
    common = _common(finding)
    notes = (Text(plain(note), style="dim") for note in (*finding.notes, f"Cannot say: {finding.cannot}"))
    return Group(
        title, Text(finding.question, style="italic"), *common.lines(), _table(finding, common), *notes
    )


@dataclass(frozen=True, slots=True)
class _Common:
    """What all tests of a table share, which is said once above it; "" where they differ."""

    name: str
    statistic: str
    of: str
    over: str
    grid: str

    def lines(self) -> Iterator[Text]:
        value = ", ".join(filter(None, (self.name, self.statistic)))
        told = (
            value and f"value: {plain(value)}",
            self.over and f"95 % interval: for other {self.over}",
            self.grid and f"corrected: for {self.grid} tests",
        )
        if any(told):
            yield Text("; ".join(filter(None, told)), style="dim")


def _common(finding: Finding) -> _Common:
    return _Common(
        _same(test.name for test in finding.tests),
        _same(test.statistic for test in finding.tests),
        _same(test.of for test in finding.tests),
        _same(test.over for test in finding.tests),
        _same(str(test.grid or "") for test in finding.tests),
    )


def _table(finding: Finding, common: _Common) -> Table:
    tested = any(test.p is not None for test in finding.tests)
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    drawn.add_column("where" if common.name else "where: test", overflow="fold")
    middle = ("p", "corrected") if tested else ()
    for name in (common.of or "n", "value", "95 % interval", *middle, "one left out"):
        drawn.add_column(name, justify="right", overflow="fold")
    for test in finding.tests:
        drawn.add_row(*_row(test, common, tested))
    return drawn


def _same(values: Iterable[str]) -> str:
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _row(test: Result, common: _Common, tested: bool) -> Iterator[Text]:
    statistic = "" if common.statistic else test.statistic
    what = ", ".join(filter(None, ("" if common.name else test.name, statistic)))
    yield Text(plain(": ".join(filter(None, (test.where, what)))) + (" (primary)" if test.primary else ""))
    yield Text(f"{test.n}" if common.of else f"{test.n} {test.of}")
    yield Text(f"{test.value:.3f}")
    if test.interval is None:
        yield Text("none", style="dim")
    else:
        limits = Text(f"{test.interval[0]:.3f}, {test.interval[1]:.3f}")
        yield limits if common.over else limits.append(f"\n{test.over}", style="dim")
    if tested:
        yield Text("" if test.p is None else small(test.p))
        yield Text(_corrected(test, common))
    if test.left_out is None:
        yield Text("")
    else:
        left = f"{test.left_out[0]:.3f}, {test.left_out[1]:.3f}"
        yield Text(left).append(f"\n{plain(test.leverage)}" if test.leverage else "", style="dim")


def _corrected(test: Result, common: _Common) -> str:
    if test.p_grid is None:
        return ""
    said = small(test.p_grid) if common.grid else f"{small(test.p_grid)} of {test.grid}"
    if test.p_holm is not None and test.p_bonferroni is not None:
        said += f"\nprimary {small(test.p_bonferroni)}\nHolm {small(test.p_holm)}"
    return said
