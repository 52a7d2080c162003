"""The embedded model's training: what it reads, its tokenizer, and a run that may be interrupted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

from brainbench.problem_words import ADJECTIVES, COMPARATIVES, KINDS, NAMES
from brainbench.problems import Inclusion, LinearOrder
from brainbench_models.tiny import corpus, train
from brainbench_models.tiny.architecture import Shape
from brainbench_models.tiny.corpus import Conversation, Stage, conversation
from brainbench_models.tiny.curriculum import CURRICULUM, shortened
from brainbench_models.tiny.introductions import introductions
from brainbench_models.tiny.object_facts import OBJECTS, PROPERTIES
from brainbench_models.tiny.reading import TEXT_WEIGHT, Reader
from brainbench_models.tiny.tokenizer import train_tokenizer

SHAPE = Shape(width=32, layers=2, heads=2, inner=64)
STEPS = 3


@pytest.fixture(scope="module")
def said() -> Mapping[str, Sequence[Conversation]]:
    return introductions()


@pytest.fixture(autouse=True)
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "TOKENIZER_CONVERSATIONS", 300)
    monkeypatch.setattr(train, "SAVE_EVERY", 2)


def _read(stage: Stage, said: Mapping[str, Sequence[Conversation]], number: int) -> list[Conversation]:
    rng = Random(0)
    return [conversation(stage, said, rng) for _ in range(number)]


@pytest.mark.parametrize("stage", CURRICULUM)
def test_no_held_out_premises_are_read(
    stage: Stage, said: Mapping[str, Sequence[Conversation]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[LinearOrder | Inclusion] = []
    ask = corpus._questions

    def remember(structure: LinearOrder | Inclusion, *rest: Any) -> Any:
        asked.append(structure)
        return ask(structure, *rest)

    monkeypatch.setattr(corpus, "_questions", remember)
    _read(stage, said, 1500)
    assert len(asked) > 500
    assert not any(structure.conclusions()[0].held_out for structure in asked)


def test_a_conversation_gives_the_premises_once_and_answers_every_conclusion(
    said: Mapping[str, Sequence[Conversation]],
) -> None:
    stage = replace(CURRICULUM[-1], introduced=0.0, shares={"transitive": 0.5, "syllogism": 0.5})
    answers: list[str] = []
    for turns in _read(stage, said, 300):
        asked = stage.questions if " than " in turns[0].content else corpus.QUESTIONS_OF_INCLUSION
        assert [turn.role for turn in turns] == ["user", "assistant"] * asked
        assert turns[0].content.startswith("Premises:\n1. ")
        assert all(turn.content.startswith("Conclusion:\n") for turn in turns[2::2])
        answers += [turn.content for turn in turns[1::2]]
    assert set(answers) == {"True", "False"}
    assert 0.4 < answers.count("True") / len(answers) < 0.6


def test_the_datasets_own_instructions_and_questions_are_read(
    said: Mapping[str, Sequence[Conversation]],
) -> None:
    opened = {turns[0].content for turns in _read(CURRICULUM[-1], said, 3000)}
    for kind in ("syllogism", "transitive"):
        assert said[kind][-1][0].content in opened
    for kind in ("uses", "features"):
        before, after = said[kind][-1][0].content.split("{object}", 1)
        assert any(text.startswith(before) and text.endswith(after) for text in opened)


def test_objects_have_known_properties() -> None:
    assert all(set(properties) <= set(PROPERTIES) for properties in OBJECTS.values())


def test_words_are_single_tokens_wherever_they_stand_and_anything_can_be_read(
    said: Mapping[str, Sequence[Conversation]],
) -> None:
    texts = [turn.content for turns in _read(CURRICULUM[-1], said, 6000) for turn in turns]
    tokenizer = train_tokenizer(texts)
    for word in (*NAMES, *COMPARATIVES, *ADJECTIVES, *KINDS, *OBJECTS):
        (alone,) = tokenizer.encode(word)
        assert tokenizer.encode(f"So\n{word}, {word}").count(alone) == 2, word
    for word in KINDS:
        assert tokenizer.tokenize(f"{word}s") == [*tokenizer.tokenize(word), "##s"]
    for text in (*texts[:50], "Premises:\n1. All trops are fast.\nConclusion:\nAda is not a trop."):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    for text in ("Zürich, 漢字 and 🙂 (100%)!", "ab\tcd ##e Ġ"):
        assert "".join(tokenizer.decode(tokenizer.encode(text)).split()) == "".join(text.split())
        assert tokenizer.pad_token_id not in tokenizer.encode(text)


def test_answers_weigh_more_than_questions(said: Mapping[str, Sequence[Conversation]]) -> None:
    talks = _read(CURRICULUM[2], said, 3)
    tokenizer = train_tokenizer([turn.content for turns in talks for turn in turns])
    ids, weights = Reader(tokenizer).batch(talks)
    assert ids.shape == weights.shape
    for row, turns in enumerate(talks):
        full = weights[row] == 1
        assert tokenizer.decode(ids[row][full]).split() == [turn.content for turn in turns[1::2]]
        assert {round(weight, 6) for weight in weights[row][~full].tolist()} == {0.0, TEXT_WEIGHT}
    assert not weights[ids == tokenizer.pad_token_id].any()


def test_an_interrupted_training_ends_as_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curriculum = shortened(CURRICULUM, STEPS, 4)
    train.train(tmp_path / "whole", curriculum, SHAPE, seed=3)
    steps = iter(range(100))
    one_step = train._step

    def stopping(*given: Any) -> float:
        if next(steps) == 7:
            raise KeyboardInterrupt
        return one_step(*given)

    with monkeypatch.context() as patch:
        patch.setattr(train, "_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            train.train(tmp_path / "broken", curriculum, SHAPE, seed=3)
    train.train(tmp_path / "broken", curriculum, SHAPE, seed=3)
    whole, broken = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "broken"))
    assert whole.keys() == broken.keys()
    assert all((whole[name] == broken[name]).all() for name in whole)
    assert (tmp_path / "whole/tokenizer.json").read_bytes() == (
        tmp_path / "broken/tokenizer.json"
    ).read_bytes()


def test_a_first_link_that_is_not_found_begins_again_and_a_mastered_stage_ends_early() -> None:
    first = CURRICULUM[0]
    assert first.needed
    late = train.Place(step=first.steps - 1, steps_in_stage=first.steps - 1, right=0.6)
    assert late.after_step(0.6, first, 9.0) == train.Place(attempt=1, seconds=9.0)
    assert late.after_step(0.6, replace(first, needed=False), 9.0).stage == 1
    early = train.Place(step=5, steps_in_stage=5, right=first.mastered)
    assert early.after_step(1.0, first, 1.0) == train.Place(step=6, stage=1, seconds=1.0)


def test_the_quick_mode_writes_a_model_that_opens(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    done = CliRunner().invoke(train.main, [str(tmp_path / "made"), "--quick", "--threads", "1"])
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "made/training.json").read_text())
    assert facts["steps"] == len(CURRICULUM) * STEPS
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "made")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "made")
    assert model.config.vocab_size == len(tokenizer)
    turn = [{"role": "user", "content": "Ada is tall."}]
    text = tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
    assert text == "<|start|><|user|>Ada is tall.<|assistant|>"
    words = tokenizer.convert_ids_to_tokens(tokenizer.encode(text, add_special_tokens=False))
    assert words[:2] == ["<|start|>", "<|user|>"]
    assert words[-1] == "<|assistant|>"
