"""The model `brainbench/tiny`: it comes with brainbench, so that a first run needs no hub and no network."""

from __future__ import annotations

from brainbench import hookimpl
from brainbench.hookspecs import Register
from brainbench.nouns import Model, ModelSource
from brainbench_models.huggingface import HuggingFaceModel
from brainbench_models.shipped import ShippedCheckpoint

BRAINBENCH_API = 1


class EmbeddedModel(HuggingFaceModel):
    """A small trained Llama that comes with brainbench and needs no network."""


@hookimpl
def register_models(register: Register[Model | ModelSource]) -> None:
    """Offer it; its untrained twin is found like any other's."""
    register(EmbeddedModel(ShippedCheckpoint()))
