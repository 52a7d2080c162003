"""Metrics give the same numbers where large products go through torch, as they do on a graphics processor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brainbench import products
from brainbench.progress import SilentReporter
from brainbench.records import Scores
from brainbench.testing import sample_features, sample_recording
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.predictivity_robust import RobustPredictivity
from brainbench_metrics.rsa import RobustRsa, Rsa

METRICS: list[Any] = [
    Predictivity(),
    RobustPredictivity(permutations=99, draws=100),
    Rsa(),
    RobustRsa(permutations=99, bootstraps=40),
]


def scores(metric: Any) -> Scores:
    made = metric.score(sample_features(), sample_recording(), SilentReporter())
    assert isinstance(made, Scores)
    return made


def same(metric: Any, device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metric's scores by numpy and by torch on the device, every product sent there."""
    expected, sent = scores(metric), [0]

    def there() -> Any:
        sent[0] += 1
        return device

    monkeypatch.setattr(products, "WORTH_IT", 1)
    monkeypatch.setattr(products, "_device", there)
    made = scores(metric)
    assert sent[0]
    np.testing.assert_allclose(made.per_participant, expected.per_participant, rtol=0, atol=1e-4)
    assert made.details.get("p") == expected.details.get("p")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: f"{metric.name}/{metric.protocol}")
def test_products_by_torch_give_the_same_scores(metric: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    same(metric, torch.device("cpu"), monkeypatch)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: f"{metric.name}/{metric.protocol}")
def test_a_graphics_processor_gives_the_same_scores(metric: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    same(metric, torch.device("cuda"), monkeypatch)
