"""Whether what is asked for is in the database at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brainbench.catalog import suggest
from brainbench.errors import UsageError
from brainbench_leaderboard.analyses.entries import entries
from brainbench_leaderboard.analyses.material import DEFAULT_METRIC, Asked, scorer_name

if TYPE_CHECKING:
    from brainbench_leaderboard.store import Leaderboard


def require_known(board: Leaderboard, asked: Asked) -> None:
    """Raise UsageError for a name that no result has; without any results there is nothing to name."""
    found = entries(board.standings(), board.sources())
    places = [entry.place for entry in found]
    ideas = [name for row in board.idea_standings() for name in (scorer_name(row), str(row["scorer"]))]
    models = {entry.model for entry in found}
    wanted = [
        ("dataset", asked.dataset, {place.dataset for place in places}),
        ("metric", asked.metric, {DEFAULT_METRIC, *(place.metric_name for place in places)}),
        *(("region", region, {place.region for place in places}) for region in asked.regions),
        *(("model", model, models) for model in asked.models),
        ("base", asked.base, models),
        ("scorer", asked.scorer, set(ideas)),
    ]
    for option, name, known in wanted:
        if name is not None and known and name not in known:
            raise UsageError(
                f"No result is called {name!r} (option --{option}).", hint=suggest(name, sorted(known))
            )
