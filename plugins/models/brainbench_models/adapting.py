"""Put an Adapter into a network in memory, and take it out so that nothing is left of it.

Modules are found by the names that they have in the causal language model; `network` is the one inside it,
without the head, so that features, steerings and answers all see what is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from brainbench.adapter import DOWN, UP, Adapter
from brainbench.errors import ModelError
from brainbench_models.projections import is_linear, is_transposed, linear_of, shape_of
from brainbench_models.quiet import quiet

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedModel

_NAMES = count()  # no two adapters in one module are called the same


@contextmanager
def adapt(root: PreTrainedModel, adapter: Adapter, *, model: str) -> Iterator[None]:
    """The network with the adapter in it until the context is left; root may be with or without its head.

    Raises ModelError where a module or a shape does not fit, before anything is changed.
    """
    import torch

    modules = find(root, adapter, model)
    weights = {name: torch.tensor(array) for name, array in adapter.weights.items()}
    scale = adapter.alpha / adapter.rank if adapter.kind == "lora" else 1.0
    with ExitStack() as undo:
        for name, module in modules.items():
            if adapter.kind == "lora":
                pair = weights[f"{name}{DOWN}"], weights[f"{name}{UP}"]
                wrap(root, module, pair, scale, undo)
            else:
                parts = {part: f"{name}.{part}" for part in ("weight", "bias")}
                new = {part: weights[whole] for part, whole in parts.items() if whole in weights}
                _replace(linear_of(module), new, undo)
        yield


def find(root: PreTrainedModel, adapter: Adapter, model: str) -> dict[str, nn.Module]:
    """The modules that an adapter changes, by its names for them; ModelError where they do not fit."""
    named = dict(root.named_modules())
    inner = "" if root.base_model is not root else f"{root.base_model_prefix}."
    found: dict[str, nn.Module] = {}
    for name in adapter.modules:
        module = named.get(name.removeprefix(inner)) if name.startswith(inner) else None
        if module is None or not is_linear(linear_of(module)):
            raise ModelError(
                f"The adapter changes {name}, but {model} has no linear map of that name.",
                hint="It was fitted on another model."
                if name.startswith(inner)
                else "It changes the head, without which the model was opened.",
            )
        _require_shapes(name, linear_of(module), adapter, model)
        found[name] = module
    return found


def wrap(
    root: nn.Module, module: nn.Module, pair: Sequence[Tensor], scale: float, undo: ExitStack
) -> tuple[nn.Parameter, nn.Parameter]:
    """PEFT's LoRA around a linear map, the two matrices in float32; `undo` takes it away again.

    A module that has an adapter already gets one more, which acts in sum.
    """
    from peft.tuners.lora import LoraLayer
    from torch import nn

    name = f"adapter{next(_NAMES)}"
    asked = {weights: weights.requires_grad for weights in module.parameters()}
    if isinstance(module, LoraLayer):
        layer: Any = module
        inside = list(layer.active_adapters)
        _peft(module, name, pair)
        undo.callback(_forget, layer, name, inside, asked)
        layer.set_adapter([*inside, name])
    else:
        layer = _peft(module, name, pair)
        parent, child = _place(root, module)
        undo.callback(parent._modules.__setitem__, child, module)
        undo.callback(_move_hooks, layer, module)
        _move_hooks(module, layer)
        parent._modules[child] = layer
    layer.eval()
    layer.scaling[name] = scale
    inner: Any = linear_of(layer)
    for part, values in zip((layer.lora_A, layer.lora_B), pair, strict=True):
        part[name].weight = nn.Parameter(values.to(inner.weight.device, copy=True), requires_grad=False)
    _restore_flags(asked)
    return layer.lora_A[name].weight, layer.lora_B[name].weight


def _peft(module: nn.Module, name: str, pair: Sequence[Tensor]) -> nn.Module:
    """The module inside PEFT's layer, by its public door: a network of this one module."""
    import torch
    from peft import LoraConfig, inject_adapter_in_model
    from torch import nn

    holder = nn.ModuleDict({"target": module})
    rank, turned = len(pair[0]), is_transposed(module)
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=["target"], fan_in_fan_out=turned)
    with quiet(), torch.random.fork_rng(devices=[]):  # what it draws is overwritten
        inject_adapter_in_model(config, holder, adapter_name=name)
    return holder["target"]


def _forget(layer: Any, name: str, inside: list[str], asked: Mapping[nn.Parameter, bool]) -> None:
    with quiet():
        layer.delete_adapter(name)
        layer.set_adapter(inside)
    _restore_flags(asked)


def _restore_flags(asked: Mapping[nn.Parameter, bool]) -> None:
    for weights, flag in asked.items():
        weights.requires_grad_(flag)


def _move_hooks(one: nn.Module, other: nn.Module) -> None:
    """Forward hooks go along, the very mapping, so that their handles still take them off.

    Where attention is read or steered at a projection itself, that is after what the adapter adds.
    """
    for kind in ("_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called"):
        ours, theirs = getattr(one, kind), getattr(other, kind)
        setattr(one, kind, theirs)
        setattr(other, kind, ours)


def _place(root: nn.Module, module: nn.Module) -> tuple[nn.Module, str]:
    return next(
        (parent, child)
        for parent in root.modules()
        for child, part in parent.named_children()
        if part is module
    )


def _replace(module: nn.Module, values: Mapping[str, Tensor], undo: ExitStack) -> None:
    """Other weights in a module, in its own number type."""
    from torch import nn

    own = dict(module._parameters)
    undo.callback(_put_back, module, own)
    for part, new in values.items():
        old = own[part]
        assert old is not None  # shapes were checked
        module._parameters[part] = nn.Parameter(new.to(old.device, old.dtype), requires_grad=False)


def _put_back(module: nn.Module, own: Mapping[str, nn.Parameter | None]) -> None:
    """A module's own parameters, in their order."""
    module._parameters.clear()
    module._parameters.update(own)


def hold(module: nn.Module, part: str, undo: ExitStack) -> nn.Parameter:
    """A float32 copy of a module's weights, which acts in their place in the module's own number type."""
    from torch import nn

    own = dict(module._parameters)
    old = own[part]
    assert old is not None
    master = nn.Parameter(old.detach().float().clone(), requires_grad=False)
    dtype: torch.dtype = old.dtype

    def cast(*_: Any) -> None:
        setattr(module, part, master.to(dtype))

    undo.callback(_put_back, module, own)
    del module._parameters[part]
    undo.callback(delattr, module, part)
    cast()
    undo.callback(module.register_forward_pre_hook(cast).remove)
    return master


def _require_shapes(name: str, module: nn.Module, adapter: Adapter, model: str) -> None:
    outputs, inputs = shape_of(module)
    expected: dict[str, tuple[int, ...]] = {DOWN: (adapter.rank, inputs), UP: (outputs, adapter.rank)}
    if adapter.kind == "full":
        expected = {
            f".{part}": tuple(weights.shape) for part, weights in module.named_parameters(recurse=False)
        }
    for end in (DOWN, UP) if adapter.kind == "lora" else (".weight", ".bias"):
        array = adapter.weights.get(f"{name}{end}")
        if array is not None and array.shape != expected.get(end):
            fits = " x ".join(map(str, expected.get(end, ()))) or "nothing"
            has = " x ".join(map(str, array.shape))
            raise ModelError(
                f"The adapter's {name}{end} is {has}, where {model} takes {fits}.",
                hint="It was fitted on another model.",
            )
