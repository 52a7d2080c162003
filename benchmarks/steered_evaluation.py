"""What a steering costs when a model is asked a task: seconds steered over seconds not steered.

    python -m benchmarks.steered_evaluation

The same problems of deduction_3_tiny are asked, in turn, of a model as it is and steered: of brainbench/tiny,
where lm-eval and our own work show most, and of a Llama of ten million random parameters, where the passes
through the network do. Steered are the attention outputs of the middle half of the layers, as in
arXiv:2606.11893: by one vector at the last token of the prompt, by one for each type of problem, by one at
all tokens; and by a gain in a subspace of eight dimensions. Each pair of runs, one right after the other,
gives a ratio; shown are the median and the middle half. Goal: at most 1.1.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.measured import Row, report

from brainbench.lm_eval_adapter import ask
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.steering import Addition, Change, Gain, Steering, Where
from brainbench_models import shipped
from brainbench_models.huggingface import HuggingFaceSource
from brainbench_models.quiet import quiet
from brainbench_tasks.deduction_tasks import GeneratedDeduction

PAIRS, MOST, RANK, TYPES = 7, 1.1, 8, ("syllogism", "transitive")
PROBLEMS = {shipped.NAME: 24, "a 10M Llama": 4}  # each in six orders, with two answers
SIZE, INNER, DEPTH = 256, 832, 10
TASK = GeneratedDeduction(each=50, tiny=True)


def larger(folder: Path) -> Path:
    """Save a network of random weights, with the embedded model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(shipped.FOLDER)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=SIZE,
        intermediate_size=INNER,
        num_hidden_layers=DEPTH,
        num_attention_heads=8,
        max_position_embeddings=512,
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@contextmanager
def opened(name: str) -> Iterator[Any]:
    """The model of this name, ready to answer."""
    with quiet(), tempfile.TemporaryDirectory() as folder:
        source = shipped.NAME if name == shipped.NAME else str(larger(Path(folder) / "model"))
        model = HuggingFaceSource().find(source)
        assert model is not None
        with model.open(ModelOptions(device="cpu", head=True), SilentReporter()) as ready:
            yield ready


def steerings(depth: int, width: int) -> dict[str, Steering]:
    """The kinds that are timed, small enough to change answers a little."""
    rng = np.random.default_rng(0)
    sites = [f"attention.{layer}" for layer in range(depth // 4, 3 * depth // 4)]

    def of(change: Callable[[], Change], where: Where, **more: Any) -> Steering:
        return Steering({site: change() for site in sites}, where=where, **more)

    def add(*rows: int) -> Addition:
        return Addition(0.01 * rng.normal(size=(*rows, width)))

    def gain() -> Gain:
        return Gain(np.linalg.qr(rng.normal(size=(width, RANK)))[0].T, 1.1, rng.normal(size=width))

    return {
        "a vector at the last token": of(add, "last"),
        "a vector for each type at the last token": of(
            lambda: add(len(TYPES)), "last", items=TYPES, key="type"
        ),
        "a vector at all tokens": of(add, "all"),
        f"a gain in {RANK} dimensions at the prompt": of(gain, "prompt"),
    }


def seconds(language: Any, problems: int) -> float:
    """Processor seconds of asking."""
    start = time.process_time()
    ask(TASK, language, limit=problems)
    return time.process_time() - start


def compare(
    model: Any, steering: Steering, problems: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Seconds steered and not steered (pairs each), every pair in the other order than the last."""
    language = model.language_model(SilentReporter())
    found: dict[bool, list[float]] = {True: [], False: []}
    for pair in range(PAIRS):
        for steered in (True, False) if pair % 2 else (False, True):
            if steered:
                with model.steered(steering):
                    found[True].append(seconds(language, problems))
            else:
                found[False].append(seconds(language, problems))
    return np.array(found[True]), np.array(found[False])


def rows(name: str) -> Iterator[Row]:
    """One row for each kind of steering."""
    problems = PROBLEMS[name]
    with opened(name) as model:
        facts = model.facts()
        seconds(model.language_model(SilentReporter()), problems)  # makes the documents, warms up
        for kind, steering in steerings(facts["layers"], facts["width"]).items():
            ours, theirs = compare(model, steering, problems)
            low, middle, high = np.quantile(ours / theirs, (0.25, 0.5, 0.75))
            base = float(np.median(theirs))
            yield Row(
                f"{12 * problems:,} requests of {name}, {kind}: {middle:.2f} times the seconds of the "
                f"unsteered, middle half {low:.2f} to {high:.2f} (goal: at most {MOST})",
                base * float(middle),
                "the same model, not steered",
                base,
                1 / MOST,
                why="see the hooks",
            )


def main() -> None:
    """Measure both models."""
    import torch

    torch.set_num_threads(1)
    report("steered_evaluation", [row for name in PROBLEMS for row in rows(name)])


if __name__ == "__main__":
    main()
