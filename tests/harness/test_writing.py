"""Ideas: the same whenever they are asked for, kept as data, and only what was said to the question."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brainbench.errors import DataError, PluginError
from brainbench.idea_files import KeptIdeas
from brainbench.ideas import Idea
from brainbench.progress import SilentReporter
from brainbench.sampling import Sampling
from brainbench.stimuli import Message, Stimulus
from brainbench.task_nouns import LanguageModel
from brainbench.writing import CHUNK, seed_of, write

QUIET = SilentReporter()
TWO = Sampling(count=2, tokens=9, seed=4)


def question(name: str) -> Stimulus:
    return Stimulus(name, (Message("user", f"Uses of {name}?"),), f"Uses of {name}:", name, {"object": name})


QUESTIONS = tuple(question(f"thing-{at}") for at in range(CHUNK + 3))


def speaker(
    asked: list[Any], *, chat: bool = False, say: Callable[[Any], str] | None = None
) -> LanguageModel:
    """Says what it was asked and by which seed."""
    from lm_eval.api.model import LM

    class Speaker(LM):  # type: ignore[misc] # lm-eval is untyped
        def loglikelihood(self, requests: Any) -> Any:
            raise NotImplementedError

        loglikelihood_rolling = loglikelihood

        def generate_until(self, requests: Any) -> list[str]:
            asked.extend(requests)
            return [say(one) if say else f" {one.args[0]} {one.args[1]['seed']}\n" for one in requests]

        def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
            return "".join(f"<{turn['role']}>{turn['content']}" for turn in chat_history) + "<me>"

    return LanguageModel(Speaker(), chat)


def test_half_a_character_that_no_file_takes_becomes_a_mark() -> None:
    (idea,) = write(speaker([], say=lambda _: "a \ud800 hat"), QUESTIONS[:1], Sampling(count=1), QUIET, None)
    assert idea.text == "a \ufffd hat"


def test_each_question_is_asked_so_many_times_each_time_by_another_seed() -> None:
    for chat, prompt in ((False, "Uses of {}:"), (True, "<user>Uses of {}?<me>")):
        asked: list[Any] = []
        ideas = write(speaker(asked, chat=chat), QUESTIONS[:3], TWO, QUIET, None)
        assert [(idea.item, idea.draw) for idea in ideas] == [
            (item.id, at) for item in QUESTIONS[:3] for at in (0, 1)
        ]
        assert [idea.text for idea in ideas] == [f"{prompt.format(i.item)} {i.seed}" for i in ideas]
        assert [idea.seed for idea in ideas] == [one.args[1]["seed"] for one in asked]
        assert len({idea.seed for idea in ideas}) == 6
        assert all(0 <= idea.seed < 2**63 for idea in ideas)
        told = {**asked[0].args[1], "seed": 0}
        assert told == {
            "do_sample": True,
            "temperature": 0.7,
            "top_p": 0.95,
            "max_gen_toks": 9,
            "until": [] if chat else ["\n"],
            "seed": 0,
        }
        assert asked[0].doc["object"] == "thing-0"
    assert seed_of(TWO, "a", 0) != seed_of(replace(TWO, seed=5), "a", 0)
    assert seed_of(TWO, "a", 0) == seed_of(replace(TWO, count=9, temperature=0.1), "a", 0)
    assert seed_of(Sampling(), "box", 0) == 8365930816801388307


def test_a_list_goes_on_to_the_next_empty_line() -> None:
    asked: list[Any] = []
    ten = replace(question("ten"), text="Uses of ten:\n")
    write(speaker(asked), [question("one"), ten], Sampling(count=1), QUIET, None)
    write(speaker(asked, chat=True), [ten], Sampling(count=1), QUIET, None)
    assert [one.args[1]["until"] for one in asked] == [["\n"], ["\n\n"], []]


def test_what_is_kept_is_not_written_again_and_the_rest_is(tmp_path: Path) -> None:
    asked: list[Any] = []
    model = speaker(asked)
    first = write(model, QUESTIONS[2:4], TWO, QUIET, tmp_path / "a")
    assert len(asked) == 4
    whole = write(model, QUESTIONS[:5], TWO, QUIET, tmp_path / "a")
    assert len(asked) == 10
    assert whole[4:8] == first
    assert write(model, QUESTIONS[:5], TWO, QUIET, tmp_path / "a") == whole
    assert len(asked) == 10
    reworded = replace(QUESTIONS[0], text=QUESTIONS[0].text + "!")
    write(model, [reworded], TWO, QUIET, tmp_path / "a")
    assert len(asked) == 12
    kept = json.loads((tmp_path / "a/ideas.json").read_text())
    assert kept["format"] == 1
    assert len(kept["ideas"]) == 6


def test_a_kill_loses_at_most_the_chunk_in_flight(tmp_path: Path) -> None:
    asked: list[Any] = []

    def killed(one: Any) -> str:
        if one.doc["object"] == QUESTIONS[-1].id:
            raise KeyboardInterrupt
        return "x"

    with pytest.raises(KeyboardInterrupt):
        write(speaker(asked, say=killed), QUESTIONS, TWO, QUIET, tmp_path)
    asked.clear()
    ideas = write(speaker(asked), QUESTIONS, TWO, QUIET, tmp_path)
    assert [one.doc["object"] for one in asked[::2]] == [item.id for item in QUESTIONS[CHUNK:]]
    assert [idea.item for idea in ideas[::2]] == [item.id for item in QUESTIONS]
    assert not [file for file in tmp_path.iterdir() if file.name not in {"ideas.json", ".lock"}]


@pytest.mark.parametrize("spoil", ["[", '{"format": 2, "ideas": {}}', "draw", "seed", "text", "item", "more"])
def test_what_is_damaged_is_written_again(tmp_path: Path, spoil: str) -> None:
    asked: list[Any] = []
    ideas = write(speaker(asked), QUESTIONS[:2], TWO, QUIET, tmp_path)
    file = tmp_path / "ideas.json"
    if len(spoil) > 4 or spoil == "[":
        file.write_text(spoil)
        again = 4
    else:
        form = json.loads(file.read_text())
        form["ideas"][list(form["ideas"])[1]][0][spoil] = 17
        file.write_text(json.dumps(form))
        again = 2
    asked.clear()
    assert write(speaker(asked), QUESTIONS[:2], TWO, QUIET, tmp_path) == ideas
    assert len(asked) == again
    asked.clear()
    write(speaker(asked), QUESTIONS[:2], TWO, QUIET, tmp_path)
    assert not asked


@pytest.mark.parametrize(
    ("begun", "said", "left"),
    [
        ("", " a hat \n", "a hat"),
        ("", "<think>hm</think>\n\na hat", "a hat"),
        ("", "<think>hm</think> no</think> a hat", "a hat"),
        ("", "<think>hm, a hat", ""),
        ("<think>\n", "hm, a hat", ""),
        ("<think>\n", "hm</think> a hat", "a hat"),
        ("<think>\n\n</think>\n", "a hat", "a hat"),
    ],
)
def test_thoughts_are_no_part_of_an_idea(begun: str, said: str, left: str) -> None:
    model = speaker([], chat=True, say=lambda one: said)
    written = model.lm.apply_chat_template
    model.lm.apply_chat_template = lambda turns: written(turns) + begun
    assert {idea.text for idea in write(model, QUESTIONS[:1], TWO, QUIET, None)} == {left}


def test_a_model_that_loses_texts_and_a_folder_that_cannot_be_written_are_told_of(tmp_path: Path) -> None:
    model = speaker([])
    model.lm.generate_until = lambda requests: ["one"]
    with pytest.raises(PluginError, match="1 texts to 2 requests"):
        write(model, QUESTIONS[:1], TWO, QUIET, None)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Ideas cannot be kept in") as caught:
        write(speaker([]), QUESTIONS[:1], TWO, QUIET, tmp_path / "file" / "below")
    assert "BRAINBENCH_CACHE" in caught.value.hint


def test_what_another_process_is_writing_is_waited_for_and_not_written_again(tmp_path: Path) -> None:
    from filelock import FileLock

    theirs = write(speaker([]), QUESTIONS[:2], TWO, QUIET, None)
    lock, told = FileLock(tmp_path / ".lock", is_singleton=False), []

    class Waiting(SilentReporter):
        def say(self, sentence: str) -> None:
            told.append(sentence)
            KeptIdeas(tmp_path).add(QUESTIONS[:2], theirs)
            lock.release()

    lock.acquire()
    asked: list[Any] = []
    assert write(speaker(asked), QUESTIONS[:2], TWO, Waiting(), tmp_path) == theirs
    assert told == ["Another process has the same model write: waiting until it has finished."]
    assert not asked


def test_ideas_come_back_from_the_file_as_they_were(tmp_path: Path) -> None:
    store, (one, two) = KeptIdeas(tmp_path), QUESTIONS[:2]
    ideas = (Idea(one.id, 0, 2**63 - 1, "é \ud800\n"), Idea(two.id, 0, 1, ""))
    store.add([one, two], ideas)
    assert store.read([two, one]) == {one.id: ideas[:1], two.id: ideas[1:]}
    assert store.read([replace(one, messages=(Message("user", f"{one.id}!"),))]) == {}
