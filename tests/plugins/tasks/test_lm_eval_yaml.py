"""The same tasks from lm-eval's own command line: its TaskManager finds them by --include_path."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brainbench_tasks import lm_eval_tasks
from brainbench_tasks.deduction_tasks import TASKS

FOLDER = Path(lm_eval_tasks.__file__).parent
SAME = ("output_type", "doc_to_text", "doc_to_choice", "doc_to_target", "target_delimiter", "num_fewshot")


@pytest.fixture(scope="module")
def manager() -> Any:
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=str(FOLDER), include_defaults=False)


def test_every_task_has_its_file_and_the_reverse() -> None:
    files = {file.stem for file in FOLDER.glob("*.yaml") if not file.stem.startswith("_")}
    assert files == {task.name for task in TASKS}


def test_the_folder_can_be_named_by_a_command() -> None:
    command = [sys.executable, "-m", "brainbench_tasks.lm_eval_tasks"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(FOLDER)


@pytest.mark.parametrize("name", ["deduction_propositional", "deduction_5"])
def test_a_file_says_what_the_harness_runs(manager: Any, name: str) -> None:
    (ours,) = (task for task in TASKS if task.name == name)
    loaded = manager.load([name])["tasks"][name]
    config = ours.lm_eval_config()
    for field in SAME:
        assert getattr(loaded.config, field) == config[field], field
    assert list(loaded.eval_docs) == list(config["custom_dataset"]()["test"])
    assert loaded.config.metadata["version"] == ours.version


def test_a_generated_answer_is_scored_the_same_way(manager: Any) -> None:
    (ours,) = (task for task in TASKS if task.name == "deduction_3_generated")
    loaded = manager.load(["deduction_3_generated"])["tasks"]["deduction_3_generated"]
    config = ours.lm_eval_config()
    assert loaded.config.generation_kwargs == config["generation_kwargs"]
    document = loaded.eval_docs[0]
    assert loaded.process_results(document, ["True"]) == config["process_results"](document, ["True"])
