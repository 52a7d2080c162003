"""Train the embedded model from nothing: `python -m brainbench_models.tiny.train FOLDER`.

Interrupted, the same command goes on from the last checkpoint. One seed gives one tokenizer; weights differ
in the last digits between machines, their quality does not.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import click

from brainbench_models.tiny.architecture import Shape, attend_in_float32, build
from brainbench_models.tiny.corpus import Stage, conversation
from brainbench_models.tiny.curriculum import CURRICULUM, shortened
from brainbench_models.tiny.introductions import introductions
from brainbench_models.tiny.reading import Reader
from brainbench_models.tiny.tokenizer import train_tokenizer

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

TOKENIZER_CONVERSATIONS = 20_000
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
WARMUP = 100
FLOOR = 0.05  # of the learning rate, at the end
SAVE_EVERY = 100


def train(
    folder: Path, curriculum: Sequence[Stage], shape: Shape, seed: int, threads: int | None = None
) -> None:
    """Read the curriculum, from a checkpoint if `folder` has one; leaves tokenizer and weights there."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    said = introductions()
    tokenizer = _tokenizer(folder, said, seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = build(shape, tokenizer, seed).to(device)
    attend_in_float32(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, fused=True
    )
    plan = [stage for stage in curriculum for _ in range(stage.steps)]
    checkpoint = folder / "checkpoint.pt"
    done, seconds = _resume(checkpoint, model, optimizer)
    reader, started = Reader(tokenizer), time.monotonic() - seconds
    model.train()
    losses: list[float] = []
    for step in range(done, len(plan)):
        stage = plan[step]
        rng = Random(f"{seed} {step}")  # any step can be read again by itself
        ids, weights = reader.batch([conversation(stage, said, rng) for _ in range(stage.batch)], rng)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, len(plan))
        losses.append(_step(model, optimizer, ids.to(device), weights.to(device)))
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == len(plan):
            passed = time.monotonic() - started
            _save(checkpoint, model, optimizer, step + 1, passed)
            click.echo(f"step {step + 1}/{len(plan)}  loss {sum(losses) / len(losses):.3f}  {passed:.0f} s")
            losses = []
    model.half().save_pretrained(folder)
    _write_facts(folder, len(plan), seed, time.monotonic() - started, device)


def _step(model: Any, optimizer: Any, ids: torch.Tensor, weights: torch.Tensor) -> float:
    import torch

    targets, importance = ids[:, 1:], weights[:, 1:]
    with torch.autocast(ids.device.type, dtype=torch.bfloat16):
        states = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        kept = importance > 0
        logits = model.lm_head(states[kept])  # the head costs as much as a layer: only where it counts
    each = torch.nn.functional.cross_entropy(logits.float(), targets[kept], reduction="none")
    loss = (each * importance[kept]).sum() / importance.sum()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to the floor."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return LEARNING_RATE * min(1.0, (step + 1) / WARMUP) * (FLOOR + (1 - FLOOR) * cosine)


def _tokenizer(folder: Path, said: Any, seed: int) -> PreTrainedTokenizerFast:
    """Trained on the last stage's conversations and all instructions; the same from the same seed."""
    tokenizer = train_tokenizer(_texts(said, seed))
    tokenizer.save_pretrained(folder)
    return tokenizer


def _texts(said: Any, seed: int) -> Iterator[str]:
    rng = Random(f"{seed} tokenizer")
    for _ in range(TOKENIZER_CONVERSATIONS):
        for turn in conversation(CURRICULUM[-1], said, rng):
            yield turn.content


def _resume(checkpoint: Path, model: Any, optimizer: Any) -> tuple[int, float]:
    """Steps done and seconds passed; zeros without a checkpoint."""
    import torch

    if not checkpoint.exists():
        return 0, 0.0
    kept = torch.load(checkpoint, weights_only=True)
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
    return kept["step"], kept["seconds"]


def _save(checkpoint: Path, model: Any, optimizer: Any, step: int, seconds: float) -> None:
    """In one move: an interruption leaves the old checkpoint or the new one."""
    import torch

    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "seconds": seconds,
    }
    torch.save(state, checkpoint.with_suffix(".new"))
    os.replace(checkpoint.with_suffix(".new"), checkpoint)


def _write_facts(folder: Path, steps: int, seed: int, seconds: float, device: str) -> None:
    import torch

    facts = {
        "steps": steps,
        "seed": seed,
        "minutes": round(seconds / 60, 1),
        "device": device,
        "threads": torch.get_num_threads(),
    }
    (folder / "training.json").write_text(json.dumps(facts, indent=2) + "\n")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", type=int, help="Processor threads; by default all.")
@click.option("--quick", is_flag=True, help="A few steps of each stage, to try the machinery.")
def main(folder: Path, seed: int, threads: int | None, quick: bool) -> None:
    """Write the tokenizer and the weights of the embedded model to FOLDER."""
    train(folder, shortened(CURRICULUM, 3, 4) if quick else CURRICULUM, Shape(), seed, threads)


if __name__ == "__main__":
    main()
