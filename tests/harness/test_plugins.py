"""Discovery and loading, on entry points written to a folder the way an installer writes them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brainbench.catalog import Catalog
from brainbench.errors import UsageError
from brainbench.plugins import HOOKS, discover, load

GOOD = """
from dataclasses import dataclass
from brainbench import hookimpl

@dataclass(frozen=True)
class Quiet:
    name: str = "{name}"
    version: int = 1
    def apply(self, model, dataset): ...

@hookimpl
def register_interventions(register):
    register(Quiet())
"""
Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one plugin module on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def install(distribution: str, plugin: str, code: str) -> None:
        module = f"{distribution.replace('-', '_')}_{plugin}"
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        old = (
            (info / "entry_points.txt").read_text()
            if (info / "entry_points.txt").exists()
            else "[brainbench]\n"
        )
        (info / "entry_points.txt").write_text(f"{old}{plugin} = {module}\n")

    yield install
    for name in set(sys.modules) - before:
        del sys.modules[name]


def sentence(catalog: Catalog, plugin: str) -> str:
    (problem,) = [p for p in catalog.problems if p.provider.plugin == plugin]
    assert problem.sentence.endswith(".")
    assert "\n" not in problem.sentence
    return problem.sentence


def works(catalog: Catalog) -> bool:
    """The built-in plugins are there, whatever else is broken."""
    return "none" in catalog.interventions and not [
        p for p in catalog.problems if p.provider.plugin == "none"
    ]


def test_the_built_in_plugins_load_without_a_problem() -> None:
    catalog = load(discover())
    assert catalog.problems == []
    assert {p.distribution for p in catalog.plugins} >= {"brainbench"}
    assert "deduction" in catalog.datasets
    assert "predictivity/paper" in catalog.metrics
    assert "huggingface" in catalog.sources


def test_a_third_party_plugin_is_found_with_its_provider(install: Install) -> None:
    install("brain-extras", "quiet", GOOD.format(name="quiet"))
    catalog = load(discover())
    assert catalog.interventions.get("quiet")
    assert str(catalog.interventions.entries["quiet"][1]) == "brain-extras 1.2"


def test_an_import_error_is_one_sentence_and_the_rest_works(install: Install) -> None:
    install("brain-extras", "torn", "import a_module_that_is_not_there")
    install("brain-more", "quiet", GOOD.format(name="quiet"))
    catalog = load(discover())
    assert "a_module_that_is_not_there" in sentence(catalog, "torn")
    assert "brain-extras" in sentence(catalog, "torn")
    assert works(catalog)
    assert "quiet" in catalog.interventions


def test_a_syntax_error_and_a_plugin_that_exits_harm_only_themselves(install: Install) -> None:
    install("brain-extras", "garbled", "def (")
    install("brain-extras", "leaver", "raise SystemExit(3)")
    catalog = load(discover())
    assert "SyntaxError" in sentence(catalog, "garbled")
    assert "SystemExit" in sentence(catalog, "leaver")
    assert works(catalog)


def test_a_misspelt_hook_is_an_error_that_suggests_the_right_one(install: Install) -> None:
    install(
        "brain-extras",
        "misspelt",
        GOOD.format(name="x").replace("register_interventions", "register_intervention"),
    )
    catalog = load(discover())
    assert "'register_intervention'" in sentence(catalog, "misspelt")
    assert "'register_interventions'" in sentence(catalog, "misspelt")
    assert "x" not in catalog.interventions
    assert works(catalog)


def test_a_plugin_without_hooks_or_with_wrong_arguments_is_named(install: Install) -> None:
    install("brain-extras", "hookless", "x = 1")
    wrong = "from brainbench import hookimpl\n@hookimpl\ndef register_models(add): ...\n"
    install("brain-extras", "wrongly", wrong)
    catalog = load(discover())
    assert "no hook" in sentence(catalog, "hookless")
    assert "wrong arguments" in sentence(catalog, "wrongly")
    assert works(catalog)


def test_a_wrong_interface_version_is_refused(install: Install) -> None:
    install("brain-extras", "future", "BRAINBENCH_API = 99\n" + GOOD.format(name="x"))
    assert "99" in sentence(load(discover()), "future")


def test_a_duplicate_plugin_name_names_both_distributions(install: Install) -> None:
    install("brain-a", "twin", GOOD.format(name="a"))
    install("brain-b", "twin", GOOD.format(name="b"))
    catalog = load(discover())
    assert "brain-a" in sentence(catalog, "twin")
    assert "brain-b" in sentence(catalog, "twin")
    assert "a" in catalog.interventions
    assert "b" not in catalog.interventions


def test_a_duplicate_thing_names_both_distributions_and_never_replaces_a_built_in(install: Install) -> None:
    install("brain-a", "impostor", GOOD.format(name="none"))
    catalog = load(discover())
    text = sentence(catalog, "impostor")
    assert "brain-a" in text
    assert "of brainbench" in text
    assert catalog.interventions.entries["none"][1].distribution == "brainbench"


def test_a_thing_that_does_not_fit_its_protocol_says_what_it_lacks(install: Install) -> None:
    code = "from brainbench import hookimpl\n@hookimpl\ndef register_metrics(register): register(object())\n"
    install("brain-a", "shapeless", code)
    assert "lacks name" in sentence(load(discover()), "shapeless")


@pytest.mark.parametrize("name", ["", "two words", "[red]x", "a\\nb", "<b>"])
def test_a_name_that_could_do_harm_on_a_page_is_refused(install: Install, name: str) -> None:
    install("brain-a", "odd", GOOD.format(name=name))
    assert "no plain name" in sentence(load(discover()), "odd")


def test_plugins_can_be_switched_off_and_a_wrong_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAINBENCH_DISABLE_PLUGINS", "none, nonesuch")
    catalog = load(discover())
    assert "none" not in catalog.interventions
    assert [p.plugin for p in catalog.disabled] == ["none"]
    assert "no such plugin" in sentence(catalog, "nonesuch")


def test_loading_twice_gives_two_catalogs() -> None:
    found = discover()
    assert load(found) is not load(found)
    assert list(load([]).metrics) == []


def test_an_unknown_name_suggests_a_near_one() -> None:
    catalog = load(discover())
    with pytest.raises(UsageError) as caught:
        catalog.datasets.get("deducton")
    assert "'deduction'" in caught.value.hint


def test_there_are_six_hooks() -> None:
    assert sorted(HOOKS) == [
        f"register_{kind}" for kind in ("datasets", "interventions", "metrics", "models", "scorers", "tasks")
    ]
