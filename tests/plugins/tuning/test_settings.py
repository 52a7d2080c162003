"""Settings in the names of arms: read, refused, and what an arm brings into a run."""

from __future__ import annotations

from typing import Any

import pytest

from brainbench.catalog import Catalog
from brainbench.cli.planning import find_interventions, with_company, with_seeds
from brainbench.errors import UsageError
from brainbench.plugins import discover, load


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(discover())


@pytest.mark.parametrize(
    ("spec", "key", "value"),
    [
        ("narf-label@extra=64", "extra", 64),
        ("narf-label@rate=3e-4", "rate", 3e-4),
        ("narf-label@people=best3", "people", "best3"),
        ("narf-label@people=1001+1004", "people", "1001+1004"),
        ("narf-label@types=syllogism", "types", ("syllogism",)),
        ("narf-label@syllogism", "types", ("syllogism",)),
        ("narf-label@md", "region", "md"),
        ("narf-label@early_stop=no", "early_stop", False),
        ("label-only@kind=full", "kind", "full"),
        ("narf-label@similarity=mse@weight=0.2", "similarity", "mse"),
        ("narf@keep=10", "keep", 10.0),
    ],
)
def test_a_setting_is_read_and_stands_in_the_name(catalog: Catalog, spec: str, key: str, value: Any) -> None:
    found = catalog.find_intervention(spec)
    assert getattr(found, key) == value
    assert found.name == spec


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("narf-label@wieght=1", "has no setting 'wieght'"),
        ("narf-label@weight=much", "weight cannot be 'much'"),
        ("narf-label@weight=nan", "weight cannot be 'nan'"),
        ("narf-label@weight=-1", "weight cannot be '-1'"),
        ("narf-label@rank=0", "rank cannot be '0'"),
        ("narf-label@rank=1.5", "rank cannot be '1.5'"),
        ("narf-label@rate=0", "rate cannot be '0'"),
        ("narf-label@rate=1e38", "rate cannot be '1e38'"),
        ("narf-label@rank=5000", "rank cannot be '5000'"),
        ("narf-label@syllogism@transitive", "says twice what types is"),
        ("narf-label@rate=1e-3@rate=1e-4", "says twice what rate is"),
        ("narf-label@early_stop=maybe", "early_stop cannot be 'maybe'"),
        ("narf-label@kind=ia3", "kind cannot be 'ia3'"),
        ("narf-label@keep=2", "has no setting 'keep'"),
        ("narf-label@name=x", "has no setting 'name'"),
        ("narf-label@people=a++b", "names no people"),
        ("narf@extra=4", "has no setting 'extra'"),
        ("label-only@weight=1", "has no setting 'weight'"),
        ("label-only@people=best3", "has no setting 'people'"),
        ("label-only@md", "label-only looks at no region"),
        ("narf-label@", "does not name a place or a setting after each @"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(catalog: Catalog, spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as found:
        catalog.find_intervention(spec)
    assert found.value.hint or "label-only looks" in said


@pytest.mark.parametrize(
    ("asked", "computed"),
    [
        (["narf-label"], ["none", "narf-label", "label-only"]),
        (["none", "label-only", "narf"], ["none", "label-only", "narf"]),
        (["label-only@extra=32"], ["none", "label-only@extra=32"]),
        (
            ["narf-label@extra=32@people=best3@syllogism"],
            ["none", "narf-label@extra=32@people=best3@syllogism", "label-only@extra=32@syllogism"],
        ),
        (["narf-label@md"], ["none", "narf-label@md"]),
        (["nari-general"], ["nari-general"]),
    ],
)
def test_arms_bring_what_they_are_judged_by(catalog: Catalog, asked: list[str], computed: list[str]) -> None:
    found = with_company(catalog, find_interventions(catalog, tuple(asked)))
    assert [change.name for change in found] == computed


def test_nothing_is_trained_three_times_where_nothing_is_trained(catalog: Catalog) -> None:
    steered = find_interventions(catalog, ("nari-general",))
    assert with_seeds(steered, 1) == steered
    with pytest.raises(UsageError, match="nothing to train 3 times"):
        with_seeds(steered, 3)
    twice = with_seeds(find_interventions(catalog, ("none", "narf")), 2)
    assert [(change.name, getattr(change, "seed", None)) for change in twice] == [
        ("none", None),
        ("narf", 0),
        ("narf", 1),
    ]


def test_all_does_not_mean_to_train(catalog: Catalog) -> None:
    names = [change.name for change in find_interventions(catalog, ("all",))]
    assert "nari-general" in names
    assert not any(name.startswith("narf") or name == "label-only" for name in names)
