"""How to add yours: each command on the page exists, each address leads somewhere, in a browser, too."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import click
import pytest

from brainbench import hookspecs
from brainbench.cli import main
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan
from brainbench.plugins import discover, load
from brainbench.records import Record
from brainbench.runner import run
from brainbench_interventions.none import NoIntervention
from brainbench_leaderboard.site import add_page, places
from brainbench_leaderboard.site.board import Board, Cards
from brainbench_leaderboard.site.publish import publish
from brainbench_leaderboard.store import Leaderboard

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture
def filled(toy: dict[str, Any], tmp_path: Path) -> Path:
    """A results file with a simulated dataset, and a real one whose name is hostile."""
    path = tmp_path / "b.db"
    with Leaderboard(path) as store:
        for dataset in (toy["dataset"](), toy["dataset"](EVIL, simulated=False)):
            plan = Plan.product(
                models=[toy["model"]("a/b")],
                datasets=[dataset],
                metrics=[toy["metric"]()],
                interventions=[NoIntervention()],
                options=ModelOptions(),
            )
            for record in run(plan):
                assert isinstance(record, Record)
                store.add(record)
    return path


@pytest.fixture
def text(filled: Path) -> str:
    with Leaderboard.reading(filled) as store:
        (found,) = add_page.files(Board.of(store, Cards.of(load(discover()))))
    return str(found[1])


def blocks(text: str) -> list[str]:
    return [unescape(block) for block in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", text, re.DOTALL)]


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse a command line down to its last subcommand, as click would, without running it."""
    context = command.make_context(command.name, words, parent=parent)
    if isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        parse(found, rest, context)


def test_every_command_on_the_page_exists_with_its_options(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks(text) for line in block.splitlines() if line.startswith("brainbench ")]
    assert len(lines) > 10
    for line in lines:
        parse(main, shlex.split(line)[1:])
    with pytest.raises(click.UsageError):
        parse(main, ["board", "export", "--nonsense"])


def test_the_snippets_are_what_plugins_look_like(text: str) -> None:
    (project,) = [block for block in blocks(text) if block.startswith("# pyproject.toml")]
    assert "mine" in tomllib.loads(project)["project"]["entry-points"]["brainbench"]
    (module,) = [block for block in blocks(text) if block.startswith("# my_plugin.py")]
    compile(module, "my_plugin.py", "exec")
    hooks = {name for name in vars(hookspecs) if name.startswith("register_")}
    assert set(re.findall(r"register_\w+", text)) == hooks
    assert "plugins/README.md" in text
    assert (Path(__file__).parents[3] / "plugins" / "README.md").exists()


def test_it_counts_what_is_missing_and_names_no_dataset_without_a_card(text: str) -> None:
    assert "Scores and ideas of steered and trained models have none" in " ".join(text.split())
    assert "Here: 0." in text
    assert "<script" not in text


def test_every_link_of_the_site_leads_to_a_page_of_it(filled: Path, tmp_path: Path) -> None:
    with Leaderboard.reading(filled) as store:
        site = publish(store, tmp_path / "site", Cards.of(load(discover()))).parent
    pages = [page for page in site.rglob("*.html") if page.is_file()]
    assert len(pages) > 60
    lost = set()
    for page in pages:
        for address in re.findall(r'(?:href|src)="([^"#:]+)', page.read_text()):
            target = (page.parent / unescape(address)).resolve()
            if not target.is_file():
                lost.add(str(target.relative_to(site.resolve())))
    made = any((site / "models").glob("*.html"))
    assert {path for path in lost if made or not path.startswith("models/")} <= {places.PICTURES}


@pytest.mark.browser
def test_a_browser_takes_these_pages_on_a_phone_and_by_day(
    filled: Path, tmp_path: Path, visit: Any, violations: Callable[[Any], list[str]]
) -> None:
    with Leaderboard.reading(filled) as store:
        site = publish(store, tmp_path / "site", Cards.of(load(discover()))).parent
    evil, method = places.dataset_page(EVIL), places.method_page("intervention", "narf-label")
    page = visit(site, places.ADD, width=360, dark=True)
    for place in (places.DATASETS, places.METHODS, method, evil, places.ADD):
        page.goto((site / place).resolve().as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        if place in (method, evil, places.ADD):
            assert violations(page) == [], place
    page.goto((site / places.DATASETS).resolve().as_uri())
    page.get_by_role("link", name=EVIL).click()
    assert page.get_by_role("heading", level=1).inner_text() == f"Dataset {EVIL}"
    page.get_by_role("link", name="first/paper", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "Metric first/paper"
