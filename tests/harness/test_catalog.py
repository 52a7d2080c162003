"""Finding things by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from brainbench.catalog import Catalog, Provider
from brainbench.errors import UsageError

HERE = Provider("here", "test", "1")


@dataclass(frozen=True)
class Source:
    name: str
    answer: Any
    pattern: str = "x:<model>"

    def find(self, spec: str) -> Any:
        return self.answer if spec.startswith("x:") else None


def catalog(*sources: Source, models: tuple[Any, ...] = ()) -> Catalog:
    made = Catalog()
    made.sources.entries = {source.name: (source, HERE) for source in sources}
    made.models.entries = {model.name: (model, HERE) for model in models}
    return made


def test_a_registered_model_comes_before_any_source(toy: dict[str, Any]) -> None:
    model = toy["model"]("x:one")
    assert catalog(Source("s", toy["model"]("other")), models=(model,)).find_model("x:one") is model


def test_a_source_is_asked_for_what_is_not_registered(toy: dict[str, Any]) -> None:
    model = toy["model"]("other")
    assert catalog(Source("s", model), Source("none", None)).find_model("x:one") is model


def test_two_sources_that_know_one_name_are_both_named(toy: dict[str, Any]) -> None:
    both = catalog(Source("a", toy["model"]("1")), Source("b", toy["model"]("2")))
    with pytest.raises(UsageError, match="a and b both know it") as caught:
        both.find_model("x:one")
    assert "BRAINBENCH_DISABLE_PLUGINS" in caught.value.hint


def test_an_unknown_model_is_answered_with_near_names_and_the_sources_forms(toy: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        catalog(Source("s", None), models=(toy["model"]("letters"),)).find_model("lettres")
    assert "Did you mean 'letters'?" in caught.value.hint
    assert "x:<model> (s)" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        catalog(Source("s", None)).find_model("lettres")
    assert caught.value.hint == "Name it as x:<model> (s)."


def test_datasets_have_sources_like_models(toy: dict[str, Any]) -> None:
    found, registered = toy["dataset"](), toy["dataset"](name="x:mine")
    made = catalog(models=(toy["model"]("letters"),))
    made.datasets.entries = {"x:mine": (registered, HERE)}
    made.dataset_sources.entries = {"s": (Source("s", found), HERE)}
    assert made.find_dataset("x:mine") is registered
    assert made.find_dataset("x:other") is found
    with pytest.raises(UsageError, match="no dataset called 'mine'") as caught:
        made.find_dataset("mine")
    assert "x:<model> (s)" in caught.value.hint
    made.dataset_sources.entries["t"] = (Source("t", toy["model"]("no dataset")), HERE)
    assert made.find_dataset("x:other") is found
    assert "its dataset source 't' broke" in made.problems[0].sentence


def test_metrics_are_found_by_name_and_by_protocol(toy: dict[str, Any]) -> None:
    made = Catalog()
    paper, robust = toy["metric"](), toy["metric"](protocol="robust")
    made.metrics.entries = {"first/paper": (paper, HERE), "first/robust": (robust, HERE)}
    assert made.find_metrics("first") == [paper, robust]
    assert made.find_metrics("first/robust") == [robust]
    with pytest.raises(UsageError, match="no metric called 'second'"):
        made.find_metrics("second")
