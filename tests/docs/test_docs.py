"""The docs say what the code does: every hook, command and option, and examples that run."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from brainbench import testing
from brainbench.cli import main as cli
from brainbench.plugins import HOOKS, load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TUTORIAL = (ROOT / "plugins/README.md").read_text()


def test_help_texts_and_example_files_in_the_docs_are_the_real_ones() -> None:
    check = [sys.executable, str(ROOT / "tests/docs/render.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def commands() -> list[str]:
    """Every command, and every subcommand after a slash."""
    groups = {name: command for name, command in cli.commands.items() if isinstance(command, click.Group)}
    below = [f"{name}/{sub}" for name, group in groups.items() for sub in group.commands]
    return sorted([*cli.commands, *below])


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme_with_its_help(command: str) -> None:
    words = command.replace("/", " ")
    assert f"<!-- help: {command} -->" in README
    assert f"`brainbench {words}" in README or f"\nbrainbench {words}" in README


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_every_hook_is_described_and_every_description_is_a_hook(hook: str) -> None:
    assert f"### {hook}(register)\n" in TUTORIAL
    assert set(re.findall(r"^### (register_\w+)", TUTORIAL, re.MULTILINE)) == set(HOOKS)


def test_modules_named_in_the_tutorial_as_built_in_are_entry_points() -> None:
    named = set(re.findall(r"Built in: `([\w.]+)`", TUTORIAL))
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["brainbench"]
    assert named == set(declared.values())


def test_the_tutorials_check_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests/example_plugin")
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL, re.DOTALL)
    (check,) = [block for block in blocks if "brainbench.testing" in block]
    exec(compile(check, "plugins/README.md", "exec"), {})
    sys.modules.pop("brainbench_example")


def test_every_check_that_the_tutorial_names_exists_and_the_reverse() -> None:
    named = set(re.findall(r"`(check_\w+)`", TUTORIAL))
    assert named == {name for name in vars(testing) if name.startswith("check_")}


def test_variables_in_the_docs_are_read_by_the_code_and_the_reverse() -> None:
    pattern = re.compile(r"BRAINBENCH_(?!API)[A-Z_]+[A-Z]")
    rooms = [
        *(ROOT / "harness").rglob("*.py"),
        *(ROOT / "plugins").rglob("*.py"),
        *(ROOT / "leaderboard").rglob("*.py"),
    ]
    read = {name for file in rooms for name in pattern.findall(file.read_text())}
    assert read == set(pattern.findall(README)) - {"BRAINBENCH_TEST_MODEL"}  # only tests read that one


def test_each_command_answers_for_help_and_says_so_for_nonsense() -> None:
    for command in commands():
        words = command.split("/")
        assert CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0
        assert CliRunner().invoke(cli, [*words, "--nonsense"]).exit_code == 2


def test_links_in_the_docs_lead_to_files() -> None:
    for page in (ROOT / "README.md", ROOT / "plugins/README.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_no_plugins_is_no_problem() -> None:
    catalog = load([])
    assert not catalog.problems
    assert not len(catalog.models)


def test_settings_of_fine_tunings_in_the_readme_are_the_real_ones() -> None:
    """Names, and that the value named first is what it is by itself."""
    from dataclasses import fields

    from brainbench_interventions.tuning import arms

    arm = next(arm for arm in arms() if arm.name == "narf-label")
    block = README.split("<!-- settings -->")[1].split("<!-- end settings -->")[0]
    told: dict[str, str] = {}
    for names, values in re.findall(r"^\| (`.+?`) \| (.+) \|$", block, re.MULTILINE):
        keys = re.findall(r"`(\w+)`", names)
        told |= dict(zip(keys, values.split(", "), strict=False)) if len(keys) > 1 else {keys[0]: values}
    fixed = {"name", "arm", "source", "version", "seed"}
    assert set(told) == {field.name for field in fields(arm)} - fixed
    for key, values in told.items():
        value = getattr(arm, key)
        if isinstance(value, bool):
            assert values.startswith("`yes`" if value else "`no`"), key
        elif isinstance(value, int | float):
            assert float(re.split(r"[;, ]", values)[0]) == value, key
