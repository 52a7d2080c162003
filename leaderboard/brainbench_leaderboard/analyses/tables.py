"""Findings in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from brainbench_leaderboard.analyses.results import Finding, Result
from brainbench_leaderboard.analyses.sentences import small


def shown(finding: Finding) -> Group:
    """A table of the finding's tests under its title and question, and what it cannot say."""
    title = Text(finding.title, style="bold yellow" if finding.simulated else "bold")
    notes = (Text(note, style="dim") for note in (*finding.notes, f"Cannot say: {finding.cannot}"))
    return Group(title, Text(finding.question, style="italic"), _table(finding), *notes)


def _table(finding: Finding) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    drawn.add_column("where", overflow="fold")
    drawn.add_column("test", overflow="fold")
    for name in ("n", "value", "95 % interval", "p", "corrected", "leaving one out"):
        drawn.add_column(name, justify="right", overflow="fold")
    for test in finding.tests:
        drawn.add_row(*_row(test))
    return drawn


def _row(test: Result) -> Iterator[Text]:
    yield Text(test.where)
    yield Text(f"{test.name}, {test.statistic}" + (" (primary)" if test.primary else ""))
    yield Text(f"{test.n} {test.of}")
    yield Text(f"{test.value:.3f}")
    if test.interval is None:
        yield Text("none", style="dim")
    else:
        yield Text(f"{test.interval[0]:.3f}, {test.interval[1]:.3f}").append(f"\n{test.over}", style="dim")
    yield Text("" if test.p is None else small(test.p))
    corrected = "" if test.p_grid is None else f"{small(test.p_grid)} of {test.grid}"
    if test.p_holm is not None and test.p_bonferroni is not None:
        corrected += f"\nprimary {small(test.p_bonferroni)}\nHolm {small(test.p_holm)}"
    yield Text(corrected)
    if test.left_out is None:
        yield Text("")
    else:
        left = f"{test.left_out[0]:.3f} to {test.left_out[1]:.3f}"
        yield Text(left).append(f"\n{test.leverage}", style="dim")
