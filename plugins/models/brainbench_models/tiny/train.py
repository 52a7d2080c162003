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
from dataclasses import asdict, dataclass
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
    checkpoint = folder / "checkpoint.pt"
    kept = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
    at = Place(**kept["place"]) if kept else Place()
    model, optimizer = _begin(shape, tokenizer, seed, at.attempt, device)
    if kept:
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
    reader, started = Reader(tokenizer), time.monotonic() - at.seconds
    while at.stage < len(curriculum):
        stage = curriculum[at.stage]
        rng = Random(f"{seed} {at.attempt} {at.step}")  # any step can be read again by itself
        ids, weights = reader.batch([conversation(stage, said, rng) for _ in range(stage.batch)])
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(at, curriculum)
        right = _step(model, optimizer, ids.to(device), weights.to(device))
        before, at = at, at.after_step(right, stage, time.monotonic() - started)
        if at.attempt > before.attempt:
            model, optimizer = _begin(shape, tokenizer, seed, at.attempt, device)
        if at.step % SAVE_EVERY == 0 or at.steps_in_stage == 0:
            _save(checkpoint, model, optimizer, at)
            click.echo(
                f"attempt {at.attempt + 1}, step {at.step}, stage {at.stage + 1}: "
                f"{at.right:.3f} of answers right, {at.seconds:.0f} s"
            )
    model.half().save_pretrained(folder)
    _write_facts(folder, at, seed, device)


@dataclass(frozen=True)
class Place:
    """How far the training is. right: running share of right answers, over about the last 50 steps."""

    attempt: int = 0
    step: int = 0
    stage: int = 0
    steps_in_stage: int = 0
    right: float = 0.5
    seconds: float = 0.0

    def after_step(self, right: float, stage: Stage, seconds: float) -> Place:
        """One step further; a stage ends when it is mastered, or after its last step.

        A first link that is not found within its stage may never be: all begins again with other weights.
        """
        running = 0.98 * self.right + 0.02 * right
        passed = self.steps_in_stage + 1
        last, mastered = passed == stage.steps, running >= stage.mastered
        if last and not mastered and stage.needed:
            return Place(self.attempt + 1, seconds=seconds)
        if last or mastered:
            return Place(self.attempt, self.step + 1, self.stage + 1, 0, 0.5, seconds)
        return Place(self.attempt, self.step + 1, self.stage, passed, running, seconds)


def _begin(
    shape: Shape, tokenizer: PreTrainedTokenizerFast, seed: int, attempt: int, device: str
) -> tuple[Any, Any]:
    """A model with its first weights, and its optimizer."""
    import torch

    model = build(shape, tokenizer, seed + 1000 * attempt).to(device)
    attend_in_float32(model)
    model.train()
    return model, torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, fused=True
    )


def _step(model: Any, optimizer: Any, ids: torch.Tensor, weights: torch.Tensor) -> float:
    """Learn from one batch; returns the share of the answers' words that were predicted right."""
    import torch

    targets, importance = ids[:, 1:], weights[:, 1:]
    kept = importance > 0
    with torch.autocast(ids.device.type, dtype=torch.bfloat16):
        states = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
        logits = model.lm_head(states[kept]).float()
    each = torch.nn.functional.cross_entropy(logits, targets[kept], reduction="none")
    loss = (each * importance[kept]).sum() / importance.sum()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    answers = importance[kept] == 1
    return float((logits[answers].argmax(dim=-1) == targets[kept][answers]).float().mean())


def _learning_rate(at: Place, curriculum: Sequence[Stage]) -> float:
    """Linear warm-up, then constant; half a cosine down to the floor in the last stage."""
    rate = LEARNING_RATE * min(1.0, (at.step + 1) / WARMUP)
    if at.stage + 1 < len(curriculum):
        return rate
    cosine = 0.5 * (1 + math.cos(math.pi * at.steps_in_stage / curriculum[-1].steps))
    return rate * (FLOOR + (1 - FLOOR) * cosine)


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


def _save(checkpoint: Path, model: Any, optimizer: Any, at: Place) -> None:
    """In one move: an interruption leaves the old checkpoint or the new one."""
    import torch

    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "place": asdict(at)}
    torch.save(state, checkpoint.with_suffix(".new"))
    os.replace(checkpoint.with_suffix(".new"), checkpoint)


def _write_facts(folder: Path, at: Place, seed: int, device: str) -> None:
    import torch

    facts = {
        "steps": at.step,
        "attempts": at.attempt + 1,
        "seed": seed,
        "minutes": round(at.seconds / 60, 1),
        "device": device,
        "threads": torch.get_num_threads(),
        "history": "made by this script in one go",
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
