"""Measure the embedded model and write its card: `python -m brainbench_models.tiny.card FOLDER`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from brainbench.problems import KINDS_OF_PROBLEM, Kind
from brainbench_models.tiny.corpus import Conversation
from brainbench_models.tiny.evaluate import SUBTYPES, accuracy, best_surface_rule
from brainbench_models.tiny.introductions import introductions

EACH = 50
SEED = 1
TEMPLATE = Path(__file__).with_name("card.template.md")
FORMS = {"bare": "the problem alone", "introduced": "after the instructions of `simulated-deduction`"}


def measure(folder: Path, each: int = EACH) -> dict[str, Any]:
    """Accuracies of the weights in `folder`, bare and introduced, the surface rule's, the model's size."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    said = introductions()
    openings: dict[str, Mapping[Kind, Conversation]] = {
        "bare": {},
        "introduced": {kind: said[kind][-1] for kind in KINDS_OF_PROBLEM},
    }
    return {
        "each": each,
        "surface": best_surface_rule(each, SEED),
        **{form: accuracy(model, tokenizer, openings[form], each, SEED) for form in FORMS},
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "layers": model.config.num_hidden_layers,
        "width": model.config.hidden_size,
        "words": len(tokenizer),
        "megabytes": (folder / "model.safetensors").stat().st_size / 1e6,
    }


def render(found: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    from brainbench_models.tiny.object_facts import OBJECTS

    kinds = list(found["surface"])
    rows = ["| | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for form, meaning in FORMS.items():
        cells = [_with_interval(found[form][kind]) for kind in kinds]
        rows.append(f"| {meaning} | " + " | ".join(cells) + " |")
    rows.append(
        "| best surface rule | " + " | ".join(f"{found['surface'][kind]:.3f}" for kind in kinds) + " |"
    )
    shown = "introduced"
    lines = ["| subtype | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for subtype in SUBTYPES:
        cells = [f"{found[shown][kind]['by_subtype'][subtype]:.2f}" for kind in kinds]
        lines.append(f"| {subtype} | " + " | ".join(cells) + " |")
    return TEMPLATE.read_text(encoding="utf-8").format(
        **{**found, **training},
        problems=8 * found["each"],
        objects=len(OBJECTS),
        table="\n".join(rows),
        subtypes="\n".join(lines),
        form=FORMS[shown],
        machine={"cpu": f"{training['threads']} processor core(s)", "cuda": "a GPU"}[training["device"]],
    )


def _with_interval(found: Mapping[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['accuracy']:.3f} [{low:.3f}, {high:.3f}]"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(folder: Path) -> None:
    """Measure the model in FOLDER and write its README.md and accuracy.json."""
    found = measure(folder)
    training = json.loads((folder / "training.json").read_text())
    (folder / "accuracy.json").write_text(json.dumps(found, indent=2) + "\n")
    (folder / "README.md").write_text(render(found, training))
    click.echo((folder / "README.md").read_text())


if __name__ == "__main__":
    main()
