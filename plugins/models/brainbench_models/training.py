"""Make a network ready to be trained on prompts, and leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from brainbench.adapter import DOWN, UP
from brainbench.errors import ModelError
from brainbench.steering import names_of
from brainbench.stimuli import Stimulus
from brainbench.tuning import Form
from brainbench_models.adapting import hold, wrap
from brainbench_models.architectures import find_blocks
from brainbench_models.memory import Estimate, recomputed
from brainbench_models.passes import Passes
from brainbench_models.projections import linear_of, projections, shape_of, trained_layers
from brainbench_models.trainee import HuggingFaceTrainee
from brainbench_models.words import asked

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from brainbench_models.opened import OpenHuggingFaceModel


@contextmanager
def training(  # noqa: PLR0913
    model: OpenHuggingFaceModel,
    causal: PreTrainedModel,
    form: Form,
    stimuli: Sequence[Stimulus],
    words: Sequence[str],
    *,
    seed: int,
    limit: int | None,
) -> Iterator[HuggingFaceTrainee]:
    """A trainee, until the context is left; the network's other weights are frozen meanwhile.

    LoRA starts as Hu et al. (2021) and PEFT do: one matrix is drawn from the seed, the other zero, so that
    nothing is changed yet. limit: the most tokens that the network takes. Raises ModelError.
    """
    import torch

    _require(form, stimuli, model.name)
    if causal.dtype not in (torch.float32, torch.bfloat16):
        raise ModelError(
            f"{model.name} was opened in {str(causal.dtype).removeprefix('torch.')}, in which gradients "
            "underflow.",
            hint="Use --dtype float32 or bfloat16 to train.",
        )
    layers = trained_layers(len(model.blocks), every=form.every_layer)
    modules = projections(model.network, model.blocks, layers, model=model.name)
    prompts, tokens = asked(model.tokenizer, stimuli, words, limit=limit, model=model.name)
    with ExitStack() as undo:
        _freeze(causal, undo)
        parameters = _prepared(causal, modules, form, seed, undo)
        blocks = find_blocks(model.network)  # PEFT's layers may have taken the place of what is read
        if form.recompute:
            undo.enter_context(recomputed([block.layer for block in blocks[layers[0] :]]))
        for weights in parameters.values():
            weights.requires_grad_(True)
        yield HuggingFaceTrainee(
            model,
            Passes(
                causal=causal,
                base=model.network,
                blocks={f"attention.{layer}": blocks[layer] for layer in layers},
                prompts=prompts,
                names=[names_of(stimulus) for stimulus in stimuli],
                tokens=tokens,
                device=model.device,
            ),
            parameters,
            Estimate.of(
                causal,
                trained=sum(weights.numel() for weights in parameters.values()),
                layers=len(blocks) - layers[0],
                recompute=form.recompute,
                full=form.kind == "full",
            ),
            form.batch,
        )


def _require(form: Form, stimuli: Sequence[Stimulus], model: str) -> None:
    if not stimuli:
        raise ModelError(
            f"The model {model} was given no prompts to train on.", hint="Choose at least one item."
        )
    if form.batch < 0 or (form.kind == "lora" and form.rank < 1):
        raise ModelError(
            f"Training cannot have a rank of {form.rank} with {form.batch} prompts at once.",
            hint="The rank starts at 1; 0 prompts at once are as many as fit.",
        )


def _freeze(causal: nn.Module, undo: ExitStack) -> None:
    def restore() -> None:
        for weights, flag in flags:
            weights.requires_grad_(flag)

    flags = [(weights, weights.requires_grad) for weights in causal.parameters()]
    undo.callback(restore)
    for weights, _ in flags:
        weights.requires_grad_(False)


def _prepared(
    causal: nn.Module, modules: dict[str, nn.Module], form: Form, seed: int, undo: ExitStack
) -> dict[str, nn.Parameter]:
    """What will be trained, by an Adapter's names, in the network already."""
    import torch

    found: dict[str, nn.Parameter] = {}
    generator = torch.Generator().manual_seed(seed)
    for name, module in modules.items():
        if form.kind == "lora":
            pair = _start(shape_of(linear_of(module)), form.rank, generator)
            down, up = wrap(causal, module, pair, form.alpha / form.rank, undo)
            found |= {f"{name}{DOWN}": down, f"{name}{UP}": up}
            continue
        inner = linear_of(module)
        for part in [part for part, _ in inner.named_parameters(recurse=False)]:
            found[f"{name}.{part}"] = hold(inner, part, undo)
    return found


def _start(shape: tuple[int, int], rank: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """(rank x inputs) drawn evenly within 1 / sqrt(inputs), and (outputs x rank) zeros."""
    import math

    import torch

    outputs, inputs = shape
    down = torch.nn.init.kaiming_uniform_(torch.empty(rank, inputs), a=math.sqrt(5), generator=generator)
    return down, torch.zeros(outputs, rank)
