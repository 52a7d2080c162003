"""What stands beside a score of a model that was changed: on what it was fitted, and what it costs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from brainbench.perplexity import Perplexity, cost
from brainbench.task_exposure import told_of_fit


@pytest.mark.parametrize("said", [{}, {"simulated": False}, {"simulated": True}])
@pytest.mark.parametrize("made_up", [True, False])
def test_whether_data_is_made_up_is_the_datasets_to_say(said: dict[str, Any], made_up: bool) -> None:
    dataset: Any = SimpleNamespace(simulated=made_up)
    assert told_of_fit(said, dataset)["simulated"] is made_up


def test_facts_are_told_in_few_words() -> None:
    facts = {"dataset": "d", "region": "r", "fitted_on": ["a", "b"], "people": ["p"], "repaired": {"p": 1}}
    told = {"dataset": "d", "region": "r", "items": 2, "people": 1, "repaired": {"p": 1}}
    assert told_of_fit({**facts, "parameters": {"rate": 1}}, None) == told


def test_a_cost_has_a_before_and_an_after() -> None:
    before, after = (Perplexity(value, 500, 9) for value in (8.0, 10.0))
    assert cost(before, after) == {"before": 8.0, "after": 10.0, "tokens": 500, "unit": "token"}
    assert cost(None, after) is None
    assert cost(before, None) is None
