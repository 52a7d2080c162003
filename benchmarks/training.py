"""Seconds of an epoch of fine-tuning, against a plain loop over PEFT's model, one item at a time.

    python -m benchmarks.training

The 70 items of `simulated-deduction` and their right answers, brainbench/tiny, LoRA of rank 8 on the four
projections of the middle half of the layers, one step of AdamW at the end. The peer is what one writes by
hand with `transformers` and `peft`, and what the paper's settings amount to: a batch of one, its gradients
added up over all items (arXiv:2606.11893, "NARF"). Both compute the same gradients, which is checked. Timed
in turn, in one process; medians.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from benchmarks.measured import Row, report

from brainbench.answers import WORDS
from brainbench.nouns import ModelOptions
from brainbench.progress import SilentReporter
from brainbench.tuning import Form
from brainbench_interventions.lessons import labels_and_brains
from brainbench_models import prompts, shipped
from brainbench_models.embedded import EmbeddedModel
from brainbench_models.quiet import quiet
from brainbench_models.shipped import ShippedCheckpoint
from brainbench_models.words import first_tokens
from brainbench_tasks.simulated import SimulatedDeduction

TIMES, CLOSE = 5, 1e-4
STIMULI = SimulatedDeduction().stimuli(SilentReporter())
LABELS = np.array([bool(stimulus.conditions["label"]) for stimulus in STIMULI])


class Peer:
    """A model of PEFT's, its optimizer, and the items one by one."""

    def __init__(self, weights: dict[str, Any]) -> None:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(shipped.FOLDER)
        model = AutoModelForCausalLM.from_pretrained(shipped.FOLDER, dtype=torch.float32)
        names = sorted({name.rsplit(".lora_", 1)[0] for name in weights})
        config = LoraConfig(r=8, lora_alpha=16, target_modules=names, task_type="CAUSAL_LM")
        self.model = get_peft_model(model, config).eval()
        self.trained = {
            name.removeprefix("base_model.model.").replace(".default", ""): parameter
            for name, parameter in self.model.named_parameters()
            if parameter.requires_grad
        }
        with torch.no_grad():
            for name, parameter in self.trained.items():
                parameter.copy_(torch.tensor(weights[name]))
        shared, tokens = first_tokens(tokenizer, WORDS, shipped.NAME)
        asked = prompts.encode(tokenizer, STIMULI, pooling="last", limit=None, model=shipped.NAME)
        self.prompts = [torch.tensor([[*found.ids, *shared]]) for found in asked]
        self.tokens = tokens
        self.optimizer = torch.optim.AdamW(self.trained.values(), lr=1e-4, weight_decay=0.0)

    def epoch(self) -> float:
        """One pass over all items and one step; the mean loss before it."""
        import torch

        self.optimizer.zero_grad()
        total = 0.0
        for prompt, label in zip(self.prompts, LABELS, strict=True):
            logits = self.model(input_ids=prompt).logits[:, -1].float()
            right = torch.tensor([self.tokens[0 if label else 1]])
            loss = torch.nn.functional.cross_entropy(logits, right) / len(LABELS)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        self.optimizer.step()
        return total


def _trainee(model: Any) -> Any:
    return model.in_training(Form(), STIMULI, WORDS, 0)


def main() -> None:
    """Time epochs of both in turn."""
    import torch

    torch.set_num_threads(1)
    lesson = labels_and_brains(LABELS, (), 0.0, balance=False)
    ours, theirs = [], []
    options = ModelOptions(device="cpu", head=True)
    opened = EmbeddedModel(ShippedCheckpoint()).open(options, SilentReporter())
    with quiet(), opened as model, _trainee(model) as trainee:
        peer = Peer(trainee.weights())
        optimizer = torch.optim.AdamW(trainee.parameters.values(), lr=1e-4, weight_decay=0.0)
        for attempt in range(TIMES + 1):
            started = time.process_time()
            lost = trainee.gradients(lesson.rows, lesson.loss, scale=1 / len(LABELS))
            optimizer.step()
            between = time.process_time()
            other = peer.epoch()
            ended = time.process_time()
            if abs(lost - other) > CLOSE * abs(other):
                raise SystemExit(f"The losses differ: {lost} and {other}.")
            if attempt:  # the first warms up
                ours.append(between - started)
                theirs.append(ended - between)
        weights = trainee.weights()
    difference = max(
        float(np.abs(weights[name] - parameter.detach().numpy()).max())
        for name, parameter in peer.trained.items()
    )
    report(
        "training",
        [
            Row(
                name=f"an epoch of label-only on {len(LABELS)} items of brainbench/tiny",
                peer="transformers and peft, one item at a time",
                ours=float(np.median(ours)),
                theirs=float(np.median(theirs)),
                goal=1,
                difference=difference,
                allowed=CLOSE,
            )
        ],
    )


if __name__ == "__main__":
    main()
