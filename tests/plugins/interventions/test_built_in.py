"""What every built-in intervention says of itself: name, role, strengths, one sentence, places."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from brainbench.catalog import Catalog
from brainbench.cli.planning import make_plan
from brainbench.errors import UsageError
from brainbench.identity import fingerprint
from brainbench.nouns import Intervention, ModelOptions
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Fits, Steering
from brainbench_interventions import steering, subspace

QUIET = SilentReporter()
ALL = (*steering.built_in(), *subspace.built_in())
BRAIN = {
    "nari",
    "nari-general",
    "nari-general-joint",
    "nari-heldout",
    "brain-subspace",
    "brain-subspace-cca",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(discover())


def test_all_are_registered(catalog: Catalog) -> None:
    assert all(catalog.interventions.get(made.name) == made for made in ALL)
    wanted = {"random-direction", "random-fmri", "random-fmri-mean", "mean-pattern", "shuffled-items"}
    wanted |= {"other-person", "language-only", "label-probe", "random-subspace", "model-components"}
    assert wanted | BRAIN | {"none"} <= set(catalog.interventions)


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.name)
def test_each_fits_and_says_what_it_is(made: Any) -> None:
    assert all(isinstance(made, protocol) for protocol in (Fits, Intervention))
    assert made.role == ("brain" if made.name in BRAIN else "control")
    assert made.about.endswith(".")
    assert 40 < len(made.about) < 200
    assert ("control" in made.about) == (made.role == "control")


def test_each_sentence_is_another_one() -> None:
    told = [made.about for made in (*ALL, *(m.at("md") for m in ALL), *(m.at("syllogism") for m in ALL))]
    assert len(set(told)) == len(told)


def test_no_direction_and_no_subspace_has_more_tries_than_others() -> None:
    """What steers nobody else's problems, or stops by itself, has nothing to choose."""
    for made in ALL:
        if isinstance(made, steering.OracleSteering) or getattr(made, "held_out", False):
            assert made.strengths == ()
        elif isinstance(made, steering.DirectionSteering):
            both = made.source in {"random-direction", "language-only", "label-probe"}
            ways = (1, -1) if both else (1,)
            assert set(made.strengths) == {way * by for way in ways for by in (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)}
        else:
            assert made.strengths == (0.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0)
    assert all(made.strengths[0] == 0 for made in ALL if made.strengths)


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.name)
def test_a_fit_is_repeatable_and_its_facts_hold_its_role(made: Any, arithmetic: Any, brains: Any) -> None:
    found, again = (made.fit(arithmetic(), brains(), QUIET) for _ in range(2))
    assert isinstance(found, Steering), found
    assert found.fingerprint == again.fingerprint
    assert found.facts["role"] == made.role
    other = made.at("right").fit(arithmetic(), brains(), QUIET)
    assert other.facts["role"] == "control"
    assert other.facts["region"] == "right"
    assert other.facts["intervention"] == f"{made.name}@right"


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.name)
def test_another_region_is_a_control_and_another_type_is_not(made: Any) -> None:
    there, kind = made.at("md"), made.at("syllogism")
    assert (there.name, there.region, there.types, there.role) == (f"{made.name}@md", "md", (), "control")
    assert (kind.name, kind.region, kind.types) == (f"{made.name}@syllogism", "", ("syllogism",))
    assert kind.role == made.role
    assert there.strengths == kind.strengths == made.strengths
    assert "md" in there.about
    assert "syllogism" in kind.about
    assert replace(there, name=made.name, region="") == made


def test_another_region_gives_another_direction(arithmetic: Any, brains: Any) -> None:
    for name in ("nari-general", "brain-subspace"):
        made: Any = next(m for m in ALL if m.name == name)
        arrays = [m.fit(arithmetic(), brains(), QUIET).arrays() for m in (made, made.at("right"))]
        assert any((arrays[0][key] != arrays[1][key]).any() for key in arrays[0])


def test_the_first_region_by_its_name_is_no_control_for_itself(arithmetic: Any, brains: Any) -> None:
    found = ALL[0].at("left").fit(arithmetic(), brains(), QUIET)
    assert isinstance(found, Skip)
    assert found.reason == "left is the first region of brains: leave @left out."


def test_an_unknown_region_is_a_skip_that_names_what_there_is(arithmetic: Any, brains: Any) -> None:
    found = ALL[0].at("nowhere").fit(arithmetic(), brains(), QUIET)
    assert isinstance(found, Skip)
    assert found.reason == "Dataset brains has no region or type of problem 'nowhere'; regions: left, right."


def test_names_with_a_place_are_found_and_have_their_own_identity(catalog: Catalog) -> None:
    found = [catalog.find_intervention(f"nari-general{at}") for at in ("", "@md", "@language", "@transitive")]
    assert [made.name for made in found][1:] == [
        f"nari-general@{p}" for p in ("md", "language", "transitive")
    ]
    assert found[0] is catalog.interventions.get("nari-general")
    assert len({fingerprint(vars(made)) for made in found}) == 4


def test_run_takes_names_with_a_place(catalog: Catalog) -> None:
    chosen: dict[str, Any] = dict.fromkeys(
        ("tasks", "scorers", "regions", "item_sets", "baselines", "ceilings"), ()
    )
    chosen |= {
        "models": ("brainbench/tiny",),
        "datasets": ("simulated-deduction",),
        "metrics": ("rsa/paper",),
    }
    asked = ("none", "random-fmri@transitive", "brain-subspace@control")
    drawn = {"ideas": 4, "temperature": 0.7, "top_p": 0.95, "idea_tokens": 1024, "idea_seed": 0}
    options = {**asdict(ModelOptions()), **drawn, "limit": None, "protocol": "validation"}
    plan = make_plan(catalog, interventions=asked, **chosen, **options)
    assert {cell.intervention.name for cell in plan if cell.intervention is not None} == set(asked)


def test_a_region_and_a_type_may_both_be_named(catalog: Catalog) -> None:
    found: Any = catalog.find_intervention("nari@md@syllogism")
    assert (found.name, found.region, found.types) == ("nari@md@syllogism", "md", ("syllogism",))


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("nari@md@", "does not name a place or a setting after each @"),
        ("nari@", "does not name a place or a setting after each @"),
        ("nari@m d", "does not name a place or a setting after each @"),
        ("none@md", "'none' is the same everywhere: it takes no @md"),
        ("nary@md", "no intervention called 'nary'"),
        ("@md", "no intervention called ''"),
        ("nary", "no intervention called 'nary'"),
    ],
)
def test_a_wrong_place_is_one_sentence(catalog: Catalog, spec: str, match: str) -> None:
    with pytest.raises(UsageError, match=match) as raised:
        catalog.find_intervention(spec)
    assert raised.value.hint or spec == "none@md"
