"""The results in the repository: what `make site` and the workflow do with them, and what they may do."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from brainbench.cli import main

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
BOARD: Any = yaml.safe_load((ROOT / ".github/workflows/board.yml").read_text())
LARGEST = 3_000_000  # bytes; a repository is cloned by everybody


def recipe(*words: str) -> list[list[str]]:
    """The commands of a target, with what they are called in the Makefile's environment left off."""
    make = shutil.which("make")
    assert make
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    call = [make, "-n", "-o", ".venv/.installed", *words]  # as by itself, also where make runs the tests
    listed = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True, env=outer)
    lines = [line.partition("||")[0] for line in listed.stdout.splitlines()]
    return [shlex.split(line.removeprefix(".venv/bin/")) for line in lines]


def steps(job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = BOARD["jobs"][job]["steps"]
    return found


def test_make_site_publishes_what_is_here(tmp_path: Path) -> None:
    database = tmp_path / "board.db"
    commands = recipe("site", f"SITE={tmp_path / 'site'}", f"BOARD={database}")
    assert [words[0] for words in commands] == ["rm", "brainbench", "brainbench"]
    said = ""
    for _, *words in commands[1:]:
        done = CliRunner().invoke(main, [str(ROOT / word) if word == "results" else word for word in words])
        assert done.exit_code == 0, done.output
        said += done.output
    assert re.search(r"^\d{3} records new, 0 there already, .* 0 refused", said, re.MULTILINE)
    pages = "".join(page.read_text() for page in (tmp_path / "site").rglob("*.html"))
    assert "brainbench/tiny" in pages.replace("<wbr>", "")
    assert "SIMULATED" in pages


def test_check_results_compares_with_the_board_as_it_is() -> None:
    words = ("RESULTS=build/submitted/results", "AGAINST=results")
    _, merge, diff = recipe("check-results", *words)
    assert merge[:4] == ["brainbench", "board", "merge", "build/submitted/results"]
    assert diff == ["brainbench", "board", "diff", "results", "build/submitted/results"]
    (verify,) = recipe("verify-results", *words)
    assert verify[-2:] == ["--against", "results"]


def test_results_hold_nothing_of_a_machine_and_are_small() -> None:
    files = sorted((ROOT / "results").rglob("*.json"))
    text = "".join(path.read_text() for path in files)
    assert not re.search(r'[" ](?:/|[A-Z]:\\\\|file:|~/)\w', text)
    assert not re.search(r"hostname|traceback", text, re.IGNORECASE)
    assert len(text) < LARGEST
    commits = set(re.findall(r'"git_commit":"?([^",]*)', text))
    assert all(re.fullmatch(r"[0-9a-f]{40}|null", commit) for commit in commits)  # of no changed code


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_workflows(path: Path) -> None:
    from check_jsonschema import main as check

    done = CliRunner().invoke(check, ["--builtin-schema", "vendor.github-workflows", str(path)])
    assert done.exit_code == 0, done.output
    text = path.read_text()
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", used) for used in re.findall(r"uses: (\S+)", text))
    targets = set(re.findall(r"^([\w-]+):", MAKEFILE, re.MULTILINE)) | {".venv/.installed"}
    for words in re.findall(r"\bmake ((?:--silent )?[\w./-]+)", text):
        assert words.removeprefix("--silent ") in targets


def test_a_submission_is_never_run_and_can_do_nothing() -> None:
    triggers = BOARD[True]  # what YAML makes of the word "on"
    assert set(triggers) == {"pull_request", "push", "workflow_dispatch"}
    assert BOARD["permissions"] == {"contents": "read"}
    allowed = {name: job.get("permissions") for name, job in BOARD["jobs"].items()}
    assert allowed == {"check": None, "build": None, "publish": {"pages": "write", "id-token": "write"}}
    for job in BOARD["jobs"]:
        for step in steps(job):
            assert "${{" not in step.get("run", "")  # what strangers chose would become a script
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
    assert "secrets" not in str(BOARD)
    base, submitted = (step["with"] for step in steps("check") if "checkout" in step.get("uses", ""))
    assert base["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "path" not in base  # its code is what runs
    assert (submitted["path"], submitted["sparse-checkout"]) == ("build/submitted", "/results/")
    for name in ("build", "publish"):
        assert (
            "pull_request" in str(BOARD["jobs"][name]["if"]) or "refs/heads/main" in BOARD["jobs"][name]["if"]
        )


def test_scripts_of_the_workflow_are_sh() -> None:
    for step in steps("check"):
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_nothing_that_is_said_of_a_submission_is_a_command_to_the_runner(tmp_path: Path) -> None:
    said = [step["run"] for step in steps("check") if "said.txt" in step.get("run", "")]
    assert len(said) == 2
    assert "make --silent site " in said[0]  # what breaks the page is not found after it is merged
    (tmp_path / "build").mkdir()
    for script in said:
        (tmp_path / "build/said.txt").write_text("::error::x\n a ##[add-mask]passed\n# head\n</details>\n")
        summary = tmp_path / "summary"
        shown = subprocess.run(
            ["bash", "-ec", re.sub(r"(?m)^make .*$", "true", script)],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "GITHUB_STEP_SUMMARY": str(summary)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert shown.count("\n") == 4
        assert "##[" not in shown
        assert all(line.startswith("| ") for line in shown.splitlines())
        told = summary.read_text().split("\n\n")[-1].splitlines()
        assert len(told) == 4
        assert all(line.startswith("    ") for line in told)
        summary.unlink()


def test_commands_that_the_folders_readme_names_exist() -> None:
    text = (ROOT / "results/README.md").read_text()
    commands = re.findall(r"(?:^|`)brainbench ([^`#\n]+)", text, re.MULTILINE)
    assert len(commands) >= 8
    for words in map(shlex.split, commands):
        command: click.Command = main
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts}
        assert command is not main
        assert {word for word in words if word.startswith("--")} <= options, words
    for target in re.findall(r"^(?:.*`)?make ([\w-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
