"""Asking through lm-eval: each of its known traps, and every item back as it was asked."""

from __future__ import annotations

import hashlib
import logging
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from brainbench.errors import DataError, PluginError, UsageError
from brainbench.lm_eval_adapter import ask


def yes(context: str, answer: str) -> float:
    return -0.25 if answer.strip() == "Yes" else -3.0


def test_every_item_comes_back_with_its_answer(sums: Any, speaker: Any) -> None:
    asked: list[Any] = []
    found = ask(sums(), speaker(yes, asked=asked))
    assert [item.id for item in found.items] == [f"p{at}.{form}" for at in range(9) for form in range(2)]
    assert found.accuracy == 6 / 9
    assert found.constant == ("Yes", 6 / 9)
    assert found.chance == 0.5
    assert found.groups == 9
    assert found.greedy_accuracy == 6 / 9
    assert found.by == {"kind": {"even": 6 / 10, "odd": 6 / 8}}
    item = found.items[0]
    assert (item.answer, item.expected, item.correct) == ("Yes", "No", False)
    assert item.log_likelihoods == (-0.25, -3.0)
    assert (item.choices, item.greedy) == (("Yes", "No"), "Yes")
    assert item.prompt_hash == hashlib.sha256(asked[0][0].encode()).hexdigest()
    assert asked[0] == (" 0 is odd?", " Yes")


def test_a_chat_model_is_asked_the_conversation_without_a_space_before_the_answer(
    sums: Any, speaker: Any
) -> None:
    asked: list[Any] = []
    found = ask(sums(), speaker(yes, chat=True, asked=asked))
    assert asked[0] == ("<user> 0 is odd?<me>", "Yes")
    assert found.details["form"] == "conversation"
    asked.clear()
    ask(sums(columns=False), speaker(yes, chat=True, asked=asked))
    assert asked[0] == ("<user> 0 is odd?<me>", "Yes")  # lm-eval's own way: one turn


def test_a_limit_keeps_whole_problems(sums: Any, speaker: Any) -> None:
    found = ask(sums(), speaker(yes), limit=3)
    assert [item.id for item in found.items] == ["p0.0", "p0.1", "p1.0", "p1.1", "p2.0", "p2.1"]
    assert len(ask(sums(), speaker(yes), limit=100).items) == 18
    whole = {item.id: item for item in ask(sums(), speaker(yes)).items}
    assert all(whole[item.id] == item for item in found.items)
    with pytest.raises(UsageError, match="nothing to ask"):
        ask(sums(), speaker(yes), limit=0)


def test_items_without_columns_of_their_own_are_numbered(sums: Any, speaker: Any) -> None:
    found = ask(sums(columns=False), speaker(yes), limit=4)
    assert [(item.id, item.group) for item in found.items] == [(str(at), str(at)) for at in range(4)]


def test_what_is_generated_is_kept_and_scored_by_the_task(sums: Any, speaker: Any) -> None:
    def right(document: Any, results: Any) -> dict[str, float]:
        return {"exact_match": float(results[0] == document["answer"])}

    more = {
        "output_type": "generate_until",
        "doc_to_target": "answer",
        "doc_to_choice": None,
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 4, "do_sample": False},
        "process_results": right,
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }
    found = ask(sums(more=more), speaker(yes))
    assert found.accuracy == 6 / 9
    assert found.items[0].answer == "Yes"
    assert (found.chance, found.greedy_accuracy, found.items[0].log_likelihoods) == (None, None, ())


def test_nothing_is_printed_logged_or_drawn(
    sums: Any, speaker: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    level = logging.getLogger("lm_eval").level
    ask(sums(), speaker(yes))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    assert logging.getLogger("lm_eval").level == level
    from lm_eval.api import task

    assert task.tqdm.__module__.startswith("tqdm")


def test_random_numbers_stay_where_they_were(sums: Any, speaker: Any) -> None:
    random.seed(3)
    expected = random.random()
    random.seed(3)
    ask(sums(), speaker(yes))
    assert random.random() == expected


def test_two_models_never_share_an_answer(sums: Any, speaker: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """lm-eval's caches know the task and the prompt, but not who was asked."""
    monkeypatch.chdir(tmp_path)
    first = ask(sums(), speaker(yes))
    second = ask(sums(), speaker(lambda context, answer: -0.25 if answer.strip() == "No" else -3.0))
    assert first.accuracy == 6 / 9
    assert second.accuracy == 3 / 9
    assert [*tmp_path.iterdir()] == []
    import lm_eval

    assert not [*Path(lm_eval.__file__).parent.rglob("*.pickle")]


def test_data_that_change_under_one_name_are_asked_anew(sums: Any, speaker: Any) -> None:
    assert len(ask(sums(problems=9), speaker(yes)).items) == 18
    assert len(ask(sums(problems=4), speaker(yes)).items) == 8


def test_lm_eval_s_own_tasks_are_not_indexed(sums: Any, speaker: Any, monkeypatch: Any) -> None:
    from lm_eval.tasks import TaskManager

    made = []
    before = TaskManager.__init__

    def noted(self: Any, *arguments: Any, **named: Any) -> None:
        before(self, *arguments, **named)
        made.append(len(self.all_tasks))

    monkeypatch.setattr(TaskManager, "__init__", noted)
    ask(sums(), speaker(yes))
    assert made == [0]


def test_a_metric_that_lm_eval_does_not_know_is_an_error_and_not_a_blank(sums: Any, speaker: Any) -> None:
    more = {"metric_list": [{"metric": "rightness", "aggregation": "mean", "higher_is_better": True}]}
    with pytest.raises(PluginError):
        ask(sums(more=more), speaker(yes))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"task": "other"}, "names 'other'"),
        ({"output_type": "sing"}, "cannot load task sums"),
        ({"doc_to_target": "answers"}, "none of its choices"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(sums: Any, speaker: Any, more: Any, says: str) -> None:
    with pytest.raises(PluginError, match=says):
        ask(sums(more=more), speaker(yes))


def test_a_score_that_is_neither_right_nor_wrong_is_refused(sums: Any, speaker: Any) -> None:
    more = {"process_results": lambda document, results: {"acc": 0.5}}
    with pytest.raises(PluginError, match="not by right or wrong"):
        ask(sums(more=more), speaker(yes))


def test_no_documents_and_data_that_fail_are_told_apart(sums: Any, speaker: Any) -> None:
    def fails(**_: Any) -> Any:
        raise DataError("No such file.", hint="Look.")

    with pytest.raises(DataError, match="No such file"):
        ask(sums(more={"custom_dataset": fails}), speaker(yes))
    with pytest.raises(PluginError):
        ask(sums(problems=0), speaker(yes))


def test_a_likelihood_that_is_not_finite_is_an_error(sums: Any, speaker: Any) -> None:
    from brainbench.errors import ShapeError

    with pytest.raises(ShapeError, match="not finite"):
        ask(sums(), speaker(lambda context, answer: float("nan")))


def test_importing_the_adapter_imports_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys, brainbench.lm_eval_adapter; print({'torch', 'lm_eval', 'datasets'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
