"""A Hugging Face model that answers: beside lm-eval's own HFLM, and with features that never change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from brainbench.errors import ModelError
from brainbench.lm_eval_adapter import unheard
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Addition, Steering
from brainbench_models.checkpoints import FolderCheckpoint
from brainbench_models.huggingface import HuggingFaceModel
from brainbench_models.quiet import quiet

Make = Callable[..., Path]
QUIET = SilentReporter()
WITH_HEAD = ("llama", "qwen3", "gemma2", "phi", "gpt2", "gpt_neox", "opt", "bloom", "falcon", "mpt")
ENDINGS = (" True", " False", " Ben is taller", " brown all trabs. fast")


def requests(endings: tuple[str, ...] = ENDINGS) -> list[Any]:
    texts = (
        "Abe is taller than Ben",
        "can it be drawn? all",
        "Fay",
        "premises Edd is slow conclusion all " * 3,
    )
    return [SimpleNamespace(args=(text, ending)) for text in texts for ending in endings]


@contextmanager
def opened(folder: Path, *, trained: bool = True, **options: Any) -> Iterator[Any]:
    chosen = ModelOptions(**{"device": "cpu", "head": True, **options})
    with HuggingFaceModel(FolderCheckpoint(folder), trained).open(chosen, QUIET) as model:
        yield model


def hflm(folder: Path, batch: int = 1) -> Any:
    """lm-eval's own model, loaded by itself."""
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet(), unheard():
        network = AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
        return HFLM(pretrained=network, tokenizer=AutoTokenizer.from_pretrained(folder), batch_size=batch)


@pytest.mark.parametrize("architecture", WITH_HEAD)
@pytest.mark.parametrize("trained", [True, False])
def test_features_are_the_same_bits_with_a_head_and_without(
    make_model: Make, problems: Any, architecture: str, trained: bool
) -> None:
    folder = make_model(architecture, head=True)
    with opened(folder, trained=trained, head=False) as model:
        expected = model.features(problems, QUIET)
        assert isinstance(model.language_model(QUIET), Skip)
    with opened(folder, trained=trained) as model:
        language = model.language_model(QUIET)
        assert not isinstance(language, Skip), language
        before = model.features(problems, QUIET)
        language.lm.loglikelihood(requests())
        after = model.features(problems, QUIET)
    for found in (before, after):
        assert list(found.layers) == list(expected.layers)
        assert all(np.array_equal(found.layers[name], x) for name, x in expected.layers.items())


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
@pytest.mark.parametrize("trained", [True, False])
def test_the_weights_are_in_memory_once(make_model: Make, architecture: str, trained: bool) -> None:
    with opened(make_model(architecture, head=True), trained=trained) as model:
        inside = {weights.data_ptr() for weights in model.network.parameters()}
        whole = list(model.language_model(QUIET).lm.model.parameters())
        assert inside <= {weights.data_ptr() for weights in whole}
        own = [weights for weights in whole if weights.data_ptr() not in inside]
        assert len(own) == (1 if architecture == "llama" else 0)  # gpt2's head is its embedding


@pytest.mark.parametrize("architecture", WITH_HEAD)
def test_answers_are_those_of_lm_eval(make_model: Make, architecture: str) -> None:
    folder = make_model(architecture, head=True)
    expected = hflm(folder).loglikelihood(requests(), disable_tqdm=True)
    for batch in (None, 1, 3):
        with opened(folder, batch_size=batch) as model:
            found = model.language_model(QUIET).lm.loglikelihood(requests())
        assert [greedy for _, greedy in found] == [greedy for _, greedy in expected]
        assert np.allclose([x for x, _ in found], [x for x, _ in expected], atol=2e-4)
    assert len({round(x, 3) for x, _ in found}) > 8


def test_what_is_generated_is_what_lm_eval_generates(make_model: Make) -> None:
    folder = make_model("llama", head=True)
    settings = {"until": ["\n"], "max_gen_toks": 6, "do_sample": False}
    asked = [SimpleNamespace(args=(request.args[0], settings)) for request in requests()]
    expected = hflm(folder, 4).generate_until(asked, disable_tqdm=True)
    with opened(folder) as model, quiet():
        assert model.language_model(QUIET).lm.generate_until(asked) == expected
    assert any(expected)


@pytest.mark.parametrize("batch", [1, 3, 16])
@pytest.mark.parametrize("where", ["last", "prompt", "all"])
def test_each_item_gets_its_own_row(make_model: Make, where: Any, batch: int) -> None:
    folder, rng = make_model("llama", head=True), np.random.default_rng(1)
    settings = {"until": ["\n"], "max_gen_toks": 4, "do_sample": False}
    written = [SimpleNamespace(args=(request.args[0], settings)) for request in requests()[:: len(ENDINGS)]]
    asked = requests()
    for at, request in enumerate((*asked, *written)):
        kind = ("x", "y", "z", "x")[at // len(ENDINGS) if at < len(asked) else at - len(asked)]
        request.doc = {"number": f"p{at % 4}", "type": kind}
    vectors = {kind: Addition(rng.normal(size=8) * 3) for kind in ("x", "y")}
    with opened(folder, batch_size=batch) as model, quiet():
        width = model.network.config.hidden_size
        vectors = {kind: Addition(rng.normal(size=width) * 3) for kind in ("x", "y")}
        rows = Addition(np.stack([vector.vector for vector in vectors.values()]))
        alone: dict[str, Any] = {}
        for kind, change in (*vectors.items(), ("z", None)):
            one = Steering({} if change is None else {"layer.0": change}, where)
            with model.steered(one) as steered:
                lm = steered.language_model(QUIET).lm
                alone[kind] = (lm.loglikelihood(asked), lm.generate_until(written))
        with model.steered(Steering({"layer.0": rows}, where, ("x", "y"), key="type")) as steered:
            lm = steered.language_model(QUIET).lm
            found, text = lm.loglikelihood(asked), lm.generate_until(written)
    for at, request in enumerate(asked):
        assert found[at][0] == pytest.approx(alone[request.doc["type"]][0][at][0], abs=1e-4)
    assert text == [alone[request.doc["type"]][1][at] for at, request in enumerate(written)]
    assert len({round(alone[kind][0][0][0], 3) for kind in "xyz"}) == 3


def test_greedy_is_what_would_be_generated(make_model: Make) -> None:
    folder = make_model("llama", head=True)
    settings = {"until": ["<s>"], "max_gen_toks": 1, "do_sample": False}
    with opened(folder) as model, quiet():
        lm = model.language_model(QUIET).lm
        for request in requests((" True",)):
            context = request.args[0]
            (said,) = lm.generate_until([SimpleNamespace(args=(context, settings))])
            if not said.isascii() or not said.strip():
                continue
            assert lm.loglikelihood([SimpleNamespace(args=(context, said))])[0][1]


@pytest.mark.parametrize(
    ("architecture", "says"),
    [
        ("bert", "fills gaps"),
        ("roberta", "fills gaps"),
        ("t5", "encoder and a decoder"),
        ("bart", "encoder and a decoder"),
    ],
)
def test_a_model_that_answers_nothing_says_why_and_keeps_its_features(
    make_model: Make, problems: Any, architecture: str, says: str
) -> None:
    folder = make_model(architecture)
    with opened(folder, head=False) as model:
        expected = model.features(problems, QUIET)
    with opened(folder) as model:
        found = model.language_model(QUIET)
        assert isinstance(found, Skip)
        assert says in found.reason
        same = model.features(problems, QUIET)
    assert all(np.array_equal(same.layers[name], x) for name, x in expected.layers.items())


def test_a_checkpoint_without_its_head_gives_features_and_no_answers(make_model: Make, problems: Any) -> None:
    folder = make_model("llama")
    with opened(folder, head=False) as model:
        expected = model.features(problems, QUIET)
    with opened(folder) as model:
        found = model.language_model(QUIET)
        assert isinstance(found, Skip)
        assert "lack the head (lm_head.weight)" in found.reason
        same = model.features(problems, QUIET)
    assert all(np.array_equal(same.layers[name], x) for name, x in expected.layers.items())


def test_a_token_across_the_join_is_an_error_and_not_a_certainty(make_model: Make) -> None:
    folder = make_model("llama", head=True)
    theirs = hflm(folder)
    whole = ("Abe is taller", "Abe is shorter than Ben", "all trabs", "Fay is brown")
    spanning = [
        (text[:at], text[at:])
        for text in whole
        for at in range(5, len(text))
        if not text[at - 1].isspace() and not theirs._encode_pair(text[:at], text[at:])[1]
    ]
    context, ending = spanning[0]
    asked = [SimpleNamespace(args=(context, end)) for end in (ending, "x")]
    wrong = theirs.loglikelihood(asked, disable_tqdm=True)
    with opened(folder) as model, pytest.raises(ModelError, match="spans the end of a prompt"):
        model.language_model(QUIET).lm.loglikelihood(asked)
    assert wrong[0] == (0.0, True)  # what lm-eval makes of it: the certain winner


def test_a_prompt_that_is_too_long_is_never_cut_off(make_model: Make) -> None:
    long = "Abe is taller than Ben. " * 40
    settings = {"until": ["\n"], "max_gen_toks": 4, "do_sample": False}
    with opened(make_model("llama", head=True)) as model:
        lm = model.language_model(QUIET).lm
        with pytest.raises(ModelError, match="takes at most"):
            lm.loglikelihood([SimpleNamespace(args=(long, " True"))])
        with pytest.raises(ModelError, match="takes at most"):
            lm.generate_until([SimpleNamespace(args=(long, settings))])


def test_special_tokens_come_once_in_either_form(make_model: Make, chat_template: str) -> None:
    with opened(make_model("llama", head=True)) as model:
        lm = model.language_model(QUIET).lm
        assert lm.tok_encode("Abe is").count(1) == 1
        assert lm.tok_batch_encode(["Abe is"])[0][0].tolist().count(1) == 1
    with opened(make_model("llama", head=True, chat=chat_template)) as model:
        language = model.language_model(QUIET)
        text = language.lm.apply_chat_template([{"role": "user", "content": "Abe is slow"}])
        assert text == "<s><turn>user\nAbe is slow</s>\n<turn>assistant\n<no-think>"
        assert language.chat
        assert language.lm.tok_encode(text).count(1) == 1
        assert language.lm.tok_batch_encode([text, "<s>"])[0][0].tolist().count(1) == 1


def test_a_conversation_is_what_features_are_read_from(
    make_model: Make, chat_template: str, problems: Any
) -> None:
    from brainbench_models.prompts import encode

    with opened(make_model("llama", head=True, chat=chat_template)) as model:
        lm = model.language_model(QUIET).lm
        ours = encode(model.tokenizer, problems, pooling="last", limit=None, model="m")
        for prompt, stimulus in zip(ours, problems, strict=True):
            turns = [{"role": turn.role, "content": turn.content} for turn in stimulus.messages]
            assert tuple(lm.tok_encode(lm.apply_chat_template(turns))) == prompt.ids


def test_the_tokenizer_that_features_use_is_left_alone(make_model: Make) -> None:
    with opened(make_model("llama", head=True)) as model:
        model.tokenizer.pad_token = None
        model.language_model(QUIET)
        assert model.tokenizer.pad_token is None


def test_when_memory_runs_out_the_batch_is_halved(make_model: Make, monkeypatch: Any, steps: Any) -> None:
    with opened(make_model("llama", head=True)) as model:
        expected = model.language_model(QUIET).lm.loglikelihood(requests())
        language = model.language_model(steps)
        call, seen = type(language.lm)._model_call, []

        def small(self: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            seen.append(len(inputs))
            if len(inputs) > 2:
                raise RuntimeError("not enough memory: you tried to allocate")
            return call(self, inputs, *more, **named)

        monkeypatch.setattr(type(language.lm), "_model_call", small)
        found = language.lm.loglikelihood(requests())
    assert np.allclose([x for x, _ in found], [x for x, _ in expected], atol=1e-4)
    assert max(seen) > 2
    assert sum(steps.steps) == len(requests())


def test_a_batch_size_asked_for_is_kept_to(make_model: Make, monkeypatch: Any) -> None:
    with opened(make_model("llama", head=True), batch_size=3) as model:
        lm = model.language_model(QUIET).lm
        call, seen = type(lm)._model_call, []

        def noted(self: Any, inputs: Any, *more: Any, **named: Any) -> Any:
            seen.append(len(inputs))
            return call(self, inputs, *more, **named)

        monkeypatch.setattr(type(lm), "_model_call", noted)
        lm.loglikelihood(requests((" True", " False", " slow")))
    assert max(seen) == 3


def test_nothing_is_drawn_or_said(make_model: Make, capfd: pytest.CaptureFixture[str]) -> None:
    settings = {"until": ["\n"], "max_gen_toks": 2, "do_sample": False}
    with opened(make_model("llama", head=True)) as model:
        lm = model.language_model(QUIET).lm
        capfd.readouterr()
        lm.loglikelihood(requests())
        lm.generate_until([SimpleNamespace(args=("Abe is", settings))])
    assert capfd.readouterr() == ("", "")


def test_a_closed_model_answers_nothing(make_model: Make) -> None:
    with opened(make_model("llama", head=True)) as model:
        pass
    with pytest.raises(ModelError, match="was closed"):
        model.language_model(QUIET)
