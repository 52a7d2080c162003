"""A steering acts at the tokens it names, wherever padding and caches put them, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from brainbench.errors import ModelError
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Gain, Steerable, Steering, Where
from brainbench.steering_exchange import write_lm_eval
from brainbench.stimuli import Stimulus
from brainbench.testing import check_intervention
from brainbench_interventions import steering as steering_plugin
from brainbench_interventions import subspace as subspace_plugin
from brainbench_models.architectures import find_blocks
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_models.opened import OpenHuggingFaceModel
from brainbench_models.positions import Prompts, positions
from brainbench_models.prefixes import Prefixes
from brainbench_models.steered import steer

WIDTH = 16
RNG = np.random.default_rng(3)
ROUNDING = 2e-5  # between batches of other shapes, relative to logits of size one
FAMILIES = ("llama", "gpt2", "gpt_neox", "opt")
WHERES: tuple[Where, ...] = ("last", "prompt", "all")


def vector(scale: float = 2.0) -> Any:
    return scale * RNG.normal(size=WIDTH)


def changes(**more: Any) -> dict[str, Any]:
    basis = np.linalg.qr(RNG.normal(size=(WIDTH, 2)))[0].T
    return {"attention.1": Addition(vector()), "layer.0": Gain(basis, 3.0, vector(0.1)), **more}


@pytest.fixture(scope="module")
def causal() -> Callable[[str], Any]:
    """A small random language model with its head."""
    made: dict[str, Any] = {}

    def make(family: str) -> Any:
        import transformers

        if family not in made:
            ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3, "vocab_size": 60}
            sizes = {
                "hidden_size": WIDTH,
                "num_hidden_layers": 3,
                "num_attention_heads": 2,
                "intermediate_size": 24,
                "max_position_embeddings": 64,
            }
            kinds: dict[str, Any] = {
                "llama": ("LlamaConfig", {**ids, **sizes, "num_key_value_heads": 1}),
                "gpt2": (
                    "GPT2Config",
                    {**ids, "n_embd": WIDTH, "n_layer": 3, "n_head": 2, "n_positions": 64},
                ),
                "gpt_neox": ("GPTNeoXConfig", {**ids, **sizes}),
                "opt": ("OPTConfig", {**ids, **sizes, "ffn_dim": 24, "word_embed_proj_dim": WIDTH}),
            }
            kind, settings = kinds[family]
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(2)
                network = transformers.AutoModelForCausalLM.from_config(
                    getattr(transformers, kind)(**settings)
                )
                for weights in network.parameters():
                    weights.data.add_(torch.randn(weights.shape) * 0.2)
            made[family] = network.eval()
        return made[family]

    return make


@contextmanager
def steered(network: Any, steering: Steering) -> Iterator[Any]:
    with torch.no_grad(), steer(network, find_blocks(network), steering, model="the model"):
        yield network


def named(*items: str) -> list[dict[str, str]]:
    return [{"": item} for item in items]


def hooks(network: Any) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def by_hand(network: Any, steering: Steering, ids: list[int], prompt: int) -> Any:
    """Logits (tokens x words) of one unpadded row, each change written out for each of its tokens."""
    at = {"last": [prompt - 1], "prompt": range(prompt), "all": range(len(ids))}[steering.where]
    handles = []
    for site, change in steering.changes.items():
        kind, number = site.split(".")
        block = find_blocks(network)[int(number)]
        module = block.attention if kind == "attention" else block.layer

        def hook(module: Any, given: Any, output: Any, change: Any = change) -> Any:
            hidden = (output[0] if isinstance(output, tuple) else output).clone()
            for token in at:
                x = hidden[0, token].double()
                if isinstance(change, Addition):
                    x = x + change.strength * torch.tensor(change.vector).double()
                else:
                    rows = torch.tensor(change.basis).double()
                    mean = 0 if change.mean is None else torch.tensor(change.mean).double()
                    x = x + (change.gain - 1) * (x - mean) @ rows.T @ rows
                hidden[0, token] = x.float()
            return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

        handles.append(module.register_forward_hook(hook))
    try:
        with torch.no_grad():
            return network(input_ids=torch.tensor([ids])).logits[0]
    finally:
        for handle in handles:
            handle.remove()


ROWS = ([5, 9, 11, 20, 8, 30, 41], [7, 6, 33], [4, 12, 50, 51, 9])
PROMPTS = (4, 2, 5)  # what follows in each row is a continuation to be scored


def right_padded(filler: int = 0) -> Any:
    longest = max(map(len, ROWS))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in ROWS])


@pytest.mark.parametrize("where", WHERES)
@pytest.mark.parametrize("family", FAMILIES)
def test_right_padded_batches_without_a_mask(family: str, where: Any, causal: Callable[[str], Any]) -> None:
    network, steering = causal(family), Steering(changes(), where)
    with steered(network, steering), positions(PROMPTS):
        logits = network(right_padded()).logits
    for row, (ids, prompt) in enumerate(zip(ROWS, PROMPTS, strict=True)):
        expected = by_hand(network, steering, ids, prompt)
        torch.testing.assert_close(logits[row, : len(ids)], expected, atol=ROUNDING, rtol=ROUNDING)


@pytest.mark.parametrize("where", ["last", "prompt"])
def test_tokens_before_those_steered_are_untouched_to_the_last_bit(
    where: Any, causal: Callable[[str], Any]
) -> None:
    network = causal("llama")
    with torch.no_grad():
        plain = network(right_padded()).logits
    with steered(network, Steering(changes(), where)), positions((4, 3, 5)):
        logits = network(right_padded()).logits
    for row, prompt in enumerate((4, 3, 5)):
        first = prompt - 1 if where == "last" else 0
        assert torch.equal(logits[row, :first], plain[row, :first])
        assert not torch.equal(logits[row, first], plain[row, first])


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("where", WHERES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_mask_tells_where_prompts_end(
    family: str, where: Any, side: str, causal: Callable[[str], Any]
) -> None:
    network, steering = causal(family), Steering(changes(), where)
    longest = max(map(len, ROWS))
    rows, masks = [], []
    for row in ROWS:
        gap, real = [3] * (longest - len(row)), [1] * len(row)
        rows.append(gap + row if side == "left" else row + gap)
        masks.append([0] * len(gap) + real if side == "left" else real + [0] * len(gap))
    mask = torch.tensor(masks)
    at = (mask.cumsum(1) - 1).clamp(min=0)
    places = {} if family == "opt" else {"position_ids": at}
    with steered(network, steering):
        logits = network(input_ids=torch.tensor(rows), attention_mask=mask, **places).logits
    for place, tokens in enumerate(ROWS):
        expected = by_hand(network, steering, tokens, len(tokens))
        found = logits[place, mask[place].bool()]
        torch.testing.assert_close(found, expected, atol=ROUNDING, rtol=ROUNDING)


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("where", WHERES)
@pytest.mark.parametrize("family", FAMILIES)
def test_generation_padded_on_the_left(
    family: str, where: Any, cache: bool, causal: Callable[[str], Any]
) -> None:
    network, steering, new = causal(family), Steering(changes(), where), 6
    longest = max(map(len, ROWS))
    padded = torch.tensor([[3] * (longest - len(row)) + row for row in ROWS])
    settings = {"max_new_tokens": new, "do_sample": False, "use_cache": cache, "eos_token_id": None}
    with steered(network, steering), positions([longest] * len(ROWS)):
        found = network.generate(input_ids=padded, attention_mask=(padded != 3).long(), **settings)
    for row, start in enumerate(ROWS):
        tokens: list[int] = list(start)
        for _ in range(new):
            tokens.append(int(by_hand(network, steering, tokens, len(start))[-1].argmax()))
        assert found[row, longest:].tolist() == tokens[len(start) :]
    if cache:  # the mask says the same
        with steered(network, steering):
            alone = network.generate(input_ids=padded, attention_mask=(padded != 3).long(), **settings)
        assert torch.equal(alone, found)


def test_steering_changes_what_is_generated(causal: Callable[[str], Any]) -> None:
    network = causal("llama")
    ids = torch.tensor([ROWS[0]])
    added = Addition(4 * np.random.default_rng(1).normal(size=WIDTH))
    told = {tuple(_generate(network, Steering({"layer.1": added}, where), ids)) for where in WHERES}
    assert len({tuple(_generate(network, Steering({}), ids)), *told}) > 2


def _generate(network: Any, steering: Steering, ids: Any) -> list[int]:
    with steered(network, steering):
        out: Any = network.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=8,
            do_sample=False,
            eos_token_id=None,
        )
    return [int(token) for token in out[0]]


def test_beams_stand_beside_each_other(causal: Callable[[str], Any]) -> None:
    network, steering = causal("llama"), Steering(changes(), "last")
    ids = torch.tensor([ROWS[0][:3], ROWS[1]])
    settings = {"max_new_tokens": 4, "num_beams": 3, "do_sample": False, "eos_token_id": None}
    with steered(network, steering):
        alone = network.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **settings)
        with positions([3, 3]):
            told = network.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **settings)
    assert torch.equal(alone, told)


@pytest.mark.parametrize("family", FAMILIES)
def test_zero_strength_is_bit_identical_to_no_steering(family: str, causal: Callable[[str], Any]) -> None:
    network = causal(family)
    with torch.no_grad():
        plain = network(right_padded()).logits
    for where in WHERES:
        with steered(network, Steering(changes(), where).scaled(0)):
            assert hooks(network) == 0
            assert torch.equal(network(right_padded()).logits, plain)


def test_hooks_come_off_also_after_an_exception(causal: Callable[[str], Any]) -> None:
    network = causal("gpt2")
    with torch.no_grad():
        plain = network(right_padded()).logits

    def fail() -> None:
        with steered(network, Steering(changes(), "all")):
            assert hooks(network) > 0
            raise KeyError("in the middle")

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()
        assert hooks(network) == 0
    with pytest.raises(ModelError), steered(network, Steering(changes(), "last")):
        network(right_padded())
    assert hooks(network) == 0
    with torch.no_grad():
        assert torch.equal(network(right_padded()).logits, plain)


@pytest.mark.parametrize(
    ("steering", "words"),
    [
        (Steering({"layer.1": Addition(np.ones(5))}), "5 wide at layer.1, but the model is 16 wide"),
        (Steering({"layer.0": Addition(np.ones(5), 0.0)}), "5 wide"),
        (Steering({"attention.1": Gain(np.eye(5)[:1], 2.0)}), "5 wide"),
        (Steering({"layer.1": Addition(np.ones(WIDTH)), "layer.3": Addition(np.ones(WIDTH))}), "0 to 2"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_hooks_nothing(
    steering: Steering, words: str, causal: Callable[[str], Any]
) -> None:
    network = causal("llama")
    with pytest.raises(ModelError, match=words) as caught, steered(network, steering):
        pass
    assert "\n" not in caught.value.message
    assert hooks(network) == 0


@pytest.mark.parametrize("where", ["last", "prompt"])
def test_without_a_mask_or_word_nothing_is_guessed(where: Any, causal: Callable[[str], Any]) -> None:
    network = causal("llama")
    with steered(network, Steering(changes(), where)):
        with pytest.raises(ModelError, match="cannot find them"):
            network(torch.tensor([ROWS[0]]))
        with pytest.raises(ModelError, match="cannot find them"), positions(()):
            network(torch.tensor([ROWS[0]]))
        with pytest.raises(ModelError, match="2 prompts were told for a batch of 3"), positions((1, 2)):
            network(right_padded())


def test_a_steering_that_differs_between_items(causal: Callable[[str], Any]) -> None:
    network = causal("llama")
    vectors = RNG.normal(size=(2, WIDTH)) * 2
    steering = Steering({"layer.1": Addition(vectors)}, items=("a", "c"))
    with steered(network, steering):
        with pytest.raises(ModelError, match="differs between items"):
            network(input_ids=right_padded(), attention_mask=torch.ones_like(right_padded()))
        with positions(PROMPTS, named("c", "b", "a")):
            logits = network(right_padded()).logits
    for row, own in ((0, vectors[1]), (1, None), (2, vectors[0])):
        alone = Steering({} if own is None else {"layer.1": Addition(own)})
        expected = by_hand(network, alone, ROWS[row], PROMPTS[row])
        torch.testing.assert_close(logits[row, : len(ROWS[row])], expected, atol=ROUNDING, rtol=ROUNDING)
    with pytest.raises(ModelError, match="1 items were named for 2 rows"), positions((1, 2), named("a")):
        pass


def test_a_steering_that_differs_between_types(causal: Callable[[str], Any]) -> None:
    network = causal("llama")
    vectors = RNG.normal(size=(2, WIDTH)) * 2
    names = [{"": "x", "type": kind} for kind in ("transitive", "syllogism", "syllogism")]
    for items, rows in ((("syllogism", "*"), (1, 0, 0)), (("syllogism", "other"), (None, 0, 0))):
        steering = Steering({"layer.1": Addition(vectors)}, items=items, key="type")
        with steered(network, steering), positions(PROMPTS, names):
            logits = network(right_padded()).logits
        for at, row in enumerate(rows):
            alone = Steering({} if row is None else {"layer.1": Addition(vectors[row])})
            expected = by_hand(network, alone, ROWS[at], PROMPTS[at])
            torch.testing.assert_close(logits[at, : len(ROWS[at])], expected, atol=ROUNDING, rtol=ROUNDING)


def test_steerings_may_be_nested(causal: Callable[[str], Any]) -> None:
    network = causal("llama")
    first, second = (Steering({"layer.1": Addition(RNG.normal(size=WIDTH))}, "all") for _ in range(2))
    both = [change.vector for s in (first, second) for change in s.changes.values()]  # type: ignore[union-attr]
    with steered(network, first), steered(network, second):
        found = network(right_padded()).logits
    with steered(network, Steering({"layer.1": Addition(both[0] + both[1])}, "all")):
        torch.testing.assert_close(found, network(right_padded()).logits, atol=1e-5, rtol=1e-5)


def test_half_precision_stays_half_precision(causal: Callable[[str], Any]) -> None:
    import copy

    network = copy.deepcopy(causal("llama")).to(torch.bfloat16)
    with steered(network, Steering(changes(), "prompt")), positions(PROMPTS):
        assert network(right_padded()).logits.dtype == torch.bfloat16


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_additions_at_every_token_equal_lm_evals(
    family: str, causal: Callable[[str], Any], tmp_path: Path, make_model: Callable[..., Path]
) -> None:
    """Oracle: the hooks of lm-eval's own `steered` model."""
    from lm_eval.models.hf_steered import SteeredModel
    from lm_eval.models.hf_steered import steer as lm_eval_steer
    from transformers import AutoTokenizer

    network = causal(family)
    stack, attention = {"llama": ("layers", "self_attn"), "gpt2": ("h", "attn")}[family]
    basis = np.linalg.qr(RNG.normal(size=(WIDTH, 1)))[0].T
    steering = Steering(
        {
            "layer.0": Addition(vector(), 0.7),
            "attention.1": Addition(vector()),
            "layer.2": Gain(basis, 0.0, 3 * basis[0]),
        },
        "all",
    )
    write_lm_eval(steering, tmp_path / "s.pt", stack=stack, attention=attention)
    tokenizer = AutoTokenizer.from_pretrained(make_model("llama"))
    theirs = SteeredModel(pretrained=network, steer_path=str(tmp_path / "s.pt"), tokenizer=tokenizer)
    with torch.no_grad(), lm_eval_steer(network, theirs.hook_to_steer):
        expected = network(right_padded()).logits
    with steered(network, steering):
        found = network(right_padded()).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    plain = replace(steering, changes={k: v for k, v in steering.changes.items() if k != "layer.2"})
    hooked = {name: hook for name, hook in theirs.hook_to_steer.items() if not name.endswith("2")}
    with torch.no_grad(), lm_eval_steer(network, hooked):
        expected = network(right_padded()).logits
    with steered(network, plain):
        assert torch.equal(network(right_padded()).logits, expected)


@pytest.mark.parametrize("where", WHERES)
def test_lm_eval_scores_and_writes_with_the_steering_at_the_right_tokens(
    where: Where, causal: Callable[[str], Any], make_model: Callable[..., Path]
) -> None:
    """Continuations of several tokens and shared prompts, sorted, grouped and padded by lm-eval itself."""
    from lm_eval.models.huggingface import HFLM
    from transformers import AutoTokenizer

    network, steering = causal("llama"), Steering(changes(), where)
    pairs = [((str(i), str(j)), prompt, new) for i, prompt in enumerate(ROWS) for j, new in enumerate(NEW)]
    told = Prompts([(prompt, new) for _, prompt, new in pairs])

    class Asking(HFLM):  # type: ignore[misc]
        def _model_call(self, inps: Any, **more: Any) -> Any:
            with positions(*told.ends(inps)):
                return super()._model_call(inps, **more)

    tokenizer = AutoTokenizer.from_pretrained(make_model("llama"))
    asking = Asking(pretrained=network, tokenizer=tokenizer, batch_size=4)
    with steered(network, steering):
        found = asking._loglikelihood_tokens(pairs, disable_tqdm=True)
    for (_, prompt, new), (likelihood, greedy) in zip(pairs, found, strict=True):
        logits = by_hand(network, steering, prompt + new[:-1], len(prompt))[len(prompt) - 1 :]
        each = logits.log_softmax(-1)[range(len(new)), new]
        assert likelihood == pytest.approx(float(each.sum()), abs=1e-4)
        assert greedy == (logits.argmax(-1).tolist() == new)
    with pytest.raises(ModelError, match="none of the prompts"):
        told.ends(torch.tensor([[59, 58]]))


def test_rows_are_told_their_items() -> None:
    told = Prompts([([1, 2], [3]), ([1], [2, 0, 5])], names=named("a", "b"))
    assert told.ends(torch.tensor([[1, 2, 0], [1, 2, 9]])) == ([1, 2], named("b", "a"))
    with pytest.raises(ModelError, match="same tokens"):
        Prompts([([1, 2], [3]), ([1], [2, 4])])
    backwards = Prompts([([2, 1], [0]), ([1, 9, 0], [0])], names=named("a", "b"))
    assert backwards.to_write_on(torch.tensor([[0, 0, 1, 2], [0, 0, 9, 1]])) == ([4, 4], named("a", "b"))


NEW = ([13, 2], [7], [8, 8, 1])


@contextmanager
def opened(folder: Path) -> Iterator[OpenHuggingFaceModel]:
    model = HuggingFaceSource().find(str(folder))
    assert model is not None
    with model.open(ModelOptions(device="cpu"), SilentReporter()) as found:
        assert isinstance(found, OpenHuggingFaceModel)
        yield found


@pytest.mark.parametrize("family", ["llama", "gpt2", "bert", "gemma2", "bloom", "t5", "mpt"])
def test_features_of_a_steered_model(
    family: str, make_model: Callable[..., Path], problems: tuple[Stimulus, ...]
) -> None:
    """At the place that is steered, features differ by exactly the vector; before it by nothing."""
    added = vector()
    with opened(make_model(family)) as model:
        assert isinstance(model, Steerable)
        plain = model.features(problems, SilentReporter()).layers
        with model.steered(Steering({"attention.1": Addition(added, 0.5)})) as changed:
            assert changed is model
            assert len(model.facts()["steerings"]) == 1
            found = model.features(problems, SilentReporter()).layers
        assert "steerings" not in model.facts()
        again = model.features(problems, SilentReporter()).layers
    names = list(plain)
    for name in names:
        np.testing.assert_array_equal(again[name], plain[name])
    np.testing.assert_allclose(
        found["attention.1"] - plain["attention.1"], np.tile(added / 2, (9, 1)), atol=2e-5
    )
    for name in ("attention.0", "layer.0"):
        np.testing.assert_array_equal(found[name], plain[name])
    for name in ("layer.1", "attention.2", "layer.2"):
        assert np.abs(found[name] - plain[name]).max() > 1e-3


def test_features_of_a_model_steered_item_by_item(llama: Path, problems: tuple[Stimulus, ...]) -> None:
    vectors = RNG.normal(size=(2, WIDTH))
    steering = Steering({"layer.1": Addition(vectors)}, items=(problems[4].id, problems[2].id))
    with opened(llama) as model:
        plain = model.features(problems, SilentReporter()).layers["layer.1"]
        with model.steered(steering):
            found = model.features(problems, SilentReporter()).layers["layer.1"]
    expected = np.zeros((len(problems), WIDTH))
    expected[[4, 2]] = vectors
    np.testing.assert_allclose(found - plain, expected, atol=1e-5)


@pytest.mark.parametrize("where", WHERES)
def test_the_open_model_chooses_words_as_transformers_does(
    where: Where, tiny_model: Path, problems: tuple[Stimulus, ...]
) -> None:
    from transformers import AutoModelForCausalLM

    with opened(tiny_model) as model:  # whose head is not tied to its input, and was not loaded
        assert not model.has_head
        with pytest.raises(ModelError, match="without its head"):
            model.log_odds(problems, ("True", "False"), SilentReporter())
        model.network.config.tie_word_embeddings = True
        network = AutoModelForCausalLM.from_config(model.network.config).eval()
        network.model.load_state_dict(model.network.state_dict())
        network.tie_weights()
        assert model.has_head
        steering = Steering({"layer.1": Addition(RNG.normal(size=WIDTH))}, where)
        with model.steered(steering):
            found = model.log_odds(problems, ("True", "False"), SilentReporter())
        for problem, (true, false) in zip(problems, found, strict=True):
            text = "".join(turn.content for turn in problem.messages)
            ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
            logits = by_hand(network, steering, ids, len(ids))[-1]
            first = [model.tokenizer(letter)["input_ids"][0] for letter in "TF"]
            assert true - false == pytest.approx(float(logits[first[0]] - logits[first[1]]), abs=1e-4)
        with pytest.raises(ModelError, match="do not differ"):
            model.log_odds(problems, ("Tea", "Tea"), SilentReporter())
        with model.steered(steering):  # T is shared, and goes with the prompt
            found = model.log_odds(problems, ("True", "Tea"), SilentReporter())
        ids = model.tokenizer("".join(turn.content for turn in problems[0].messages) + "T")["input_ids"]
        logits = by_hand(network, steering, ids, len(ids))[-1]
        first = [model.tokenizer(letter)["input_ids"][0] for letter in "re"]
        assert found[0, 0] - found[0, 1] == pytest.approx(
            float(logits[first[0]] - logits[first[1]]), abs=1e-4
        )


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "opt", "qwen3", "gemma2", "bloom", "mpt"])
def test_prompts_that_are_asked_again_answer_as_if_read_again(
    family: str, make_model: Callable[..., Path], problems: tuple[Stimulus, ...]
) -> None:
    with opened(make_model(family)) as model:
        model.network.config.tie_word_embeddings = True
        first = Steering({"layer.1": Addition(vector()), "attention.0": Addition(vector())})
        rows = Steering({"attention.1": Addition(RNG.normal(size=(2, WIDTH)))}, items=("item-4", "item-2"))
        for steering in (Steering({}), first, rows, first):
            with model.steered(steering):
                found = model.log_odds(problems, ("True", "False"), SilentReporter())
                again = model.log_odds(problems[::-1], ("True", "False"), SilentReporter())[::-1]
                kept, model._prefixes = model._prefixes, Prefixes(most=0)
                whole = model.log_odds(problems, ("True", "False"), SilentReporter())
                model._prefixes = kept
            scale = np.abs(whole).max()
            np.testing.assert_allclose(found, whole, atol=ROUNDING * scale)
            np.testing.assert_allclose(again, whole, atol=ROUNDING * scale)


def test_one_prompt_is_read_once_and_asked_with_many_rows(
    llama: Path, problems: tuple[Stimulus, ...]
) -> None:
    names = [f"row {at}" for at in range(2 * len(problems))]
    twice = [
        replace(problem, conditions={**problem.conditions, "row": name})
        for problem, name in zip((*problems, *problems), names, strict=True)
    ]
    vectors = RNG.normal(size=(len(names), WIDTH))
    steering = Steering({"layer.1": Addition(vectors)}, items=tuple(names), key="row")
    with opened(llama) as model:
        model.network.config.tie_word_embeddings = True
        read: list[int] = []

        def count(module: Any, arguments: Any, named: Any) -> None:
            read.append(named["input_ids"].numel())

        with model.steered(steering):
            handle = model.network.base_model.register_forward_pre_hook(count, with_kwargs=True)
            found = model.log_odds(twice, ("True", "False"), SilentReporter())
            handle.remove()
        # each prompt without its last token once, and one token for each question
        assert sum(read) == sum(map(len, model._prefixes._kept)) + len(names)
        for at, problem in enumerate(twice):
            with model.steered(Steering({"layer.1": Addition(vectors[at])})):
                alone = model.log_odds([problem], ("True", "False"), SilentReporter())
            np.testing.assert_allclose(found[at], alone[0], atol=ROUNDING * np.abs(found).max())


def test_built_in_interventions_keep_what_interventions_promise(llama: Path, toy: dict[str, Any]) -> None:
    """On a real network whose answers cannot be asked, and noise for brains."""
    offered: list[Any] = []
    steering_plugin.register_interventions(offered.append)
    subspace_plugin.register_interventions(offered.append)
    with opened(llama) as model:
        found = {made: made.fit(model, toy["dataset"](), SilentReporter()) for made in offered}
        fitted = [made for made, steering in found.items() if isinstance(steering, Steering)]
        for made in fitted:
            check_intervention(made, model, toy["dataset"]())
    assert {"nari-general", "nari-heldout", "random-direction", "mean-pattern"} <= {m.name for m in fitted}
    assert "nari" not in {m.name for m in fitted}


@pytest.mark.real
@pytest.mark.parametrize("where", WHERES)
def test_a_trained_model_right_padded_and_generating(where: Any, real_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(real_model).eval()
    width = network.config.hidden_size
    made = np.random.default_rng(0).normal(size=(2, width))
    steering = Steering({"attention.2": Addition(made[0]), "layer.3": Addition(made[1])}, where)
    with steered(network, steering), positions(PROMPTS):
        logits = network(right_padded()).logits
    for row, (ids, prompt) in enumerate(zip(ROWS, PROMPTS, strict=True)):
        expected = by_hand(network, steering, ids, prompt)
        torch.testing.assert_close(logits[row, : len(ids)], expected, atol=1e-3, rtol=1e-4)
    longest = max(map(len, ROWS))
    padded: Any = torch.tensor([[0] * (longest - len(row)) + row for row in ROWS])
    with steered(network, steering):
        found = network.generate(
            input_ids=padded,
            attention_mask=(padded != 0).long(),
            max_new_tokens=5,
            do_sample=False,
            eos_token_id=None,
        )
    for row, start in enumerate(ROWS):
        tokens = list(start)
        for _ in range(5):
            tokens.append(int(by_hand(network, steering, tokens, len(start))[-1].argmax()))
        assert found[row, longest:].tolist() == tokens[len(start) :]
