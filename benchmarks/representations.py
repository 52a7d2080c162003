"""How much faster batched reading of all layers is than one text at a time, and that the numbers agree.

Run: python -m benchmarks.representations. The network is a Llama of ten million random parameters; the 500
texts have 6 to 80 words. One at a time means what most tools do: tokenise a text, run the network with
all hidden states and hooks on attention, and take the last token. Goal: twice as fast, equal to 1e-4.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.measured import Row, gemm_limit, report

from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.stimuli import Message, Stimulus
from brainbench_models.huggingface import HuggingFaceSource

TEXTS, REPEATS, VOCABULARY = 500, 3, 4096
SIZE, INNER, DEPTH = 256, 832, 10


def build(folder: Path) -> Path:
    """Save the network and a tokenizer that knows one token per word."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=SIZE,
        intermediate_size=INNER,
        num_hidden_layers=DEPTH,
        num_attention_heads=8,
        max_position_embeddings=512,
    )
    LlamaModel(config).save_pretrained(folder)
    backend = Tokenizer(models.WordLevel({f"w{i}": i for i in range(VOCABULARY)}, unk_token="w0"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(folder)
    return folder


def texts() -> tuple[Stimulus, ...]:
    """Random words, of lengths from 6 to 80 in no order."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(TEXTS):
        words = rng.integers(1, VOCABULARY, size=min(6 + int(rng.exponential(24)), 80))
        text = " ".join(f"w{word}" for word in words)
        made.append(Stimulus(f"t{i}", (Message("user", text),), text, text))
    return tuple(made)


def one_at_a_time(folder: Path, stimuli: tuple[Stimulus, ...]) -> tuple[float, dict[str, Any]]:
    """Seconds, and the features, of a plain loop over texts."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    network, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    kept: list[Any] = []
    for block in network.layers:
        block.self_attn.register_forward_hook(lambda module, arguments, output: kept.append(output[0][0, -1]))
        block.register_forward_hook(lambda module, arguments, output: kept.append(output[0, -1]))
    rows = []
    start = time.process_time()
    for stimulus in stimuli:
        kept.clear()
        with torch.no_grad():
            network(
                **tokenizer(stimulus.text, return_tensors="pt"), output_hidden_states=True, use_cache=False
            )
        rows.append(torch.stack(kept).numpy())
    seconds = time.process_time() - start
    stacked = np.stack(rows, axis=1)
    names = [f"{kind}.{depth}" for depth in range(len(network.layers)) for kind in ("attention", "layer")]
    return seconds, dict(zip(names, stacked, strict=True))


def ours(folder: Path, stimuli: tuple[Stimulus, ...]) -> tuple[float, dict[str, Any]]:
    """Seconds, and the features, of brainbench's own reading."""
    model = HuggingFaceSource().find(str(folder))
    assert model is not None
    with model.open(ModelOptions(device="cpu"), SilentReporter()) as opened:
        start = time.process_time()
        features = opened.features(stimuli, SilentReporter())
        return time.process_time() - start, dict(features.layers)


def multiply_adds(stimuli: tuple[Stimulus, ...]) -> float:
    """Weights of the blocks times tokens; attention between tokens is little and left out."""
    tokens = sum(len(stimulus.text.split()) for stimulus in stimuli)
    return tokens * DEPTH * (4 * SIZE**2 + 3 * SIZE * INNER)


def main() -> None:
    """Print both times, their ratio and the largest relative difference."""
    import torch

    torch.set_num_threads(1)
    stimuli = texts()
    with tempfile.TemporaryDirectory() as place:
        folder = build(Path(place) / "random-llama")
        plain = [one_at_a_time(folder, stimuli) for _ in range(REPEATS)]
        batched = [ours(folder, stimuli) for _ in range(REPEATS)]
    slow, theirs = min(plain, key=lambda run: run[0])
    fast, mine = min(batched, key=lambda run: run[0])
    worst = max(float(np.abs(mine[k] - theirs[k]).max() / np.abs(theirs[k]).max()) for k in mine)
    limit = gemm_limit(single=multiply_adds(stimuli))
    why = f"the network's multiply-adds alone would be {slow / limit:.1f} times as fast as one text at a time"
    name = f"representations of {TEXTS} texts of mixed length, {len(mine)} places in a 10M Llama (W5)"
    timed_part = f"all of it, best of {REPEATS}"
    report(
        "representations",
        [Row(name, fast, "one text at a time", slow, 2, timed_part, worst, 1e-4, limit / fast, why=why)],
    )


if __name__ == "__main__":
    main()
