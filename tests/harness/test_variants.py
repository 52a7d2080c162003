"""Datasets by names that end in places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from brainbench.catalog import Catalog, Provider
from brainbench.errors import PluginError, UsageError

HERE = Provider("here", "test", "1")


def catalog(*datasets: Any) -> Catalog:
    made = Catalog()
    made.datasets.entries = {dataset.name: (dataset, HERE) for dataset in datasets}
    return made


@pytest.fixture
def varied(toy: dict[str, Any]) -> Any:
    """A dataset whose variants are named as they were asked for."""
    kind = toy["dataset"]

    @dataclass(frozen=True)
    class Varied(kind):  # type: ignore[misc,valid-type]
        def at(self, places: str) -> Any:
            return "nothing" if places == "what=no-dataset" else kind(name=f"{self.name}|{places}")

    return Varied()


def test_a_dataset_is_given_all_places_behind_its_name_at_once(varied: Any) -> None:
    made = catalog(varied)
    assert made.find_dataset("toy") is varied
    assert made.find_dataset("toy@b=2@a=1@c=").name == "toy|b=2@a=1@c="


def test_the_longest_known_name_is_taken_and_what_follows_it_are_places(varied: Any) -> None:
    longer = replace(varied, name="toy@a=1")
    made = catalog(varied, longer)
    assert made.find_dataset("toy@a=1") is longer
    assert made.find_dataset("toy@a=1@b=2").name == "toy@a=1|b=2"
    assert made.find_dataset("toy@b=2@a=1").name == "toy|b=2@a=1"


@pytest.mark.parametrize("spec", ["tyo@a=1@b=2", "toy@a", "toy@=1", "toy@a=1/b", "toy@", "@a=1", "toy@a@b=1"])
def test_what_is_no_place_is_an_unknown_name(spec: str, varied: Any) -> None:
    with pytest.raises(UsageError, match="There is no dataset called") as caught:
        catalog(varied).find_dataset(spec)
    assert "toy" in caught.value.hint


def test_a_dataset_without_variants_says_so_and_a_variant_must_be_a_dataset(
    varied: Any, toy: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="'toy' has no variants: it takes no @stage=response"):
        catalog(toy["dataset"]()).find_dataset("toy@stage=response")
    with pytest.raises(PluginError, match=r"What 'toy' gave for @what=no-dataset is str, which lacks"):
        catalog(varied).find_dataset("toy@what=no-dataset")
