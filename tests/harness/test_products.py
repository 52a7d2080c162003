"""Large matrix products by numpy and by torch are the same."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from brainbench import products
from brainbench.products import product

RNG = np.random.default_rng(0)


@pytest.fixture
def small_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "WORTH_IT", 1)


def use(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_device", lambda: device)


@pytest.mark.usefixtures("small_too")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_gives_what_numpy_gives(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    a, b = RNG.normal(size=(30, 50)).astype(dtype), RNG.normal(size=(40, 50)).astype(dtype).T
    expected = product(a, b)
    np.testing.assert_array_equal(expected, a @ b)
    use(torch.device("cpu"), monkeypatch)
    made = product(a, b)
    assert made.dtype == dtype
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-4 if dtype == np.float32 else 1e-12)


@pytest.mark.usefixtures("small_too")
def test_a_graphics_processor_gives_what_numpy_gives() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    a, b = RNG.normal(size=(300, 500)), RNG.normal(size=(500, 400))
    assert products._device() is not None
    np.testing.assert_allclose(product(a, b), a @ b, atol=1e-10)


def test_small_products_stay_and_torch_is_not_loaded_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("asked for a device")

    monkeypatch.setattr(products, "_device", never)
    np.testing.assert_array_equal(product(np.eye(2), np.eye(2)), np.eye(2))


def test_without_torch_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert products._device() is None
