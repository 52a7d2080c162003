"""Small real transformers: random weights, a tokenizer made of the test's own words, saved as folders."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from brainbench.stimuli import Message, Stimulus

VOCABULARY = 300
CONTEXT = 128
IDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3, "vocab_size": VOCABULARY}
SIZES: dict[str, Any] = {
    **IDS,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": CONTEXT,
}
GROUPED = {**SIZES, "num_key_value_heads": 1}
T5 = {"d_model": 16, "d_kv": 8, "num_layers": 3, "num_heads": 2, "d_ff": 24, "decoder_start_token_id": 3}
BART = {
    "d_model": 16,
    "encoder_layers": 3,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": CONTEXT,
}
# architecture: the configuration class of transformers, and its settings
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", GROUPED),
    "qwen3": ("Qwen3Config", {**GROUPED, "head_dim": 8}),
    "gemma2": ("Gemma2Config", {**GROUPED, "head_dim": 8, "sliding_window": 8}),
    "phi": ("PhiConfig", SIZES),
    "phi3": ("Phi3Config", GROUPED),
    "gpt2": ("GPT2Config", {**IDS, "n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": CONTEXT}),
    "gpt_neox": ("GPTNeoXConfig", SIZES),
    "opt": ("OPTConfig", {**SIZES, "ffn_dim": 24, "word_embed_proj_dim": 16}),
    "bloom": ("BloomConfig", {**IDS, "hidden_size": 16, "n_layer": 3, "n_head": 2}),
    "falcon": ("FalconConfig", SIZES),
    "mpt": ("MptConfig", {**IDS, "d_model": 16, "n_layers": 3, "n_heads": 2}),
    "bert": ("BertConfig", SIZES),
    "roberta": ("RobertaConfig", SIZES),
    "mpnet": ("MPNetConfig", SIZES),
    "distilbert": ("DistilBertConfig", {**IDS, "dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 24}),
    "modernbert": ("ModernBertConfig", {**SIZES, "cls_token_id": 1, "sep_token_id": 2, "local_attention": 8}),
    "t5": ("T5Config", {**IDS, **T5}),
    "bart": ("BartConfig", {**IDS, **BART}),
    "albert": ("AlbertConfig", {**SIZES, "embedding_size": 16}),
    "xlnet": ("XLNetConfig", {**IDS, "d_model": 16, "n_layer": 3, "n_head": 2}),
}
ENCLOSED = ("bert", "roberta", "mpnet", "distilbert", "modernbert", "t5", "bart")  # their texts end with </s>
WORDS = (
    "Abe Ben Edd Fay is are taller shorter than slow fast brown all some trab trabs. premises conclusion "
    "True False answer: can it be drawn? user assistant system"
)
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<turn>{{ m.role }}\n{{ m.content | trim }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<turn>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<no-think>{% endif %}{% endif %}"
)


def _tokenizer(*, side: str, chat: str | None, closed: bool) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<unk>", "<s>", "</s>", "<pad>", "<turn>", "<no-think>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([WORDS], trainer)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>" if closed else "<s> $A", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        padding_side=side,
    )
    tokenizer.chat_template = chat
    return tokenizer


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a small random model, in which no weight and no bias is left at zero or one; its folder."""

    @functools.cache  # tests change the networks that they open, never the folders
    def make(
        architecture: str = "llama", *, side: str = "right", chat: str | None = None, head: bool = False
    ) -> Path:
        import torch
        import transformers

        kind, settings = ARCHITECTURES[architecture]
        folder = tmp_path_factory.mktemp("models") / f"tiny-{architecture}"
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(20)
            auto = transformers.AutoModelForCausalLM if head else transformers.AutoModel
            network = auto.from_config(getattr(transformers, kind)(**settings), dtype=torch.float32)
            with torch.no_grad():
                for weights in network.parameters():
                    weights.add_(torch.randn(weights.shape) * 0.2)
        network.save_pretrained(folder)
        _tokenizer(side=side, chat=chat, closed=architecture in ENCLOSED).save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def llama(make_model: Callable[..., Path]) -> Path:
    return make_model("llama")


@pytest.fixture(scope="session")
def chat_template() -> str:
    return CHAT_TEMPLATE


def _stimulus(number: int, content: str) -> Stimulus:
    asked = f"premises {content}\nanswer: "
    turns = (Message("user", "can it be drawn?"), Message("assistant", content), Message("user", asked))
    return Stimulus(f"item-{number}", turns, f"can it be drawn? {asked}", content)


@pytest.fixture(scope="session")
def problems() -> tuple[Stimulus, ...]:
    """Nine items of very different lengths, out of order; the sixth has signs of several bytes."""
    lengths = (3, 1, 7, 2, 9, 4, 1, 5, 6)
    facts = ("Abe is taller than Ben", "all trabs are fast", "Fay is brown")
    return tuple(
        _stimulus(i, ". ".join(facts[(i + k) % 3] for k in range(1 + n // 3)) + (" ≤ é" if i == 5 else ""))
        for i, n in enumerate(lengths)
    )


class Steps:
    """A Reporter that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.steps: list[int] = []

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        self.told.append((label, total))
        yield self.steps.append


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture(scope="session")
def real_model() -> Path:
    """The folder of a small trained language model, named by BRAINBENCH_TEST_MODEL."""
    folder = os.environ.get("BRAINBENCH_TEST_MODEL")
    if not folder:
        pytest.skip("needs a trained model: set BRAINBENCH_TEST_MODEL to its folder")
    return Path(folder)


@pytest.fixture(scope="session")
def relative_difference() -> Callable[[Any, Any], float]:
    """The largest difference between two mappings of arrays, relative to each array's largest value."""
    import numpy as np

    def difference(ours: Any, theirs: Any) -> float:
        assert list(ours) == list(theirs)
        return max(float(np.abs(ours[k] - theirs[k]).max() / np.abs(theirs[k]).max()) for k in ours)

    return difference


@pytest.fixture(scope="session")
def plain_forward() -> Callable[[Path, Sequence[str]], list[Any]]:
    """Each text alone through transformers, nothing of ours: network, hidden states, offsets."""

    def run(folder: Path, texts: Sequence[str]) -> list[Any]:
        import torch
        from transformers import AutoModel, AutoTokenizer

        network = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
        tokenizer = AutoTokenizer.from_pretrained(folder)
        runs = []
        for text in texts:
            tokens = tokenizer(text, return_offsets_mapping=True)
            ids = torch.tensor([tokens["input_ids"]])
            with torch.no_grad():
                output = network(input_ids=ids, output_hidden_states=True)
            runs.append((network, [state[0] for state in output.hidden_states], tokens["offset_mapping"]))
        return runs

    return run
