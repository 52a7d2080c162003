"""Language models of the Hugging Face hub or in a local folder, and their untrained twins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainbench import hookimpl
from brainbench.errors import ModelError, UsageError
from brainbench.hookspecs import Register
from brainbench.nouns import Identity, Model, ModelOptions, ModelSource, OpenModel, Reporter
from brainbench_models import shipped
from brainbench_models.checkpoints import Checkpoint, FolderCheckpoint, HubCheckpoint

BRAINBENCH_API = 1

EXTRACTION = 1  # raised whenever the same files and options give other numbers, or train otherwise

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_HUB = re.compile(rf"(?P<repo>{_PART}/{_PART})(?:@(?P<revision>{_PART}(?:/{_PART})*))?")
_PATH_STARTS = ("./", "../", "/", "~")
_UNTRAINED = "untrained:"


@dataclass(frozen=True)
class HuggingFaceModel:
    """A transformer's representation of prompts; with `trained` False, of the same one untaught.

    The untrained twin has the architecture and tokenizer of the checkpoint and random weights, drawn
    from the options' seed by the architecture's own initialisation (untrained controls as in Xiao,
    Du & Lin 2026).
    """

    checkpoint: Checkpoint
    trained: bool = True

    @property
    def name(self) -> str:
        """The hub's name with the revision asked for, if any, or the folder's own name without its path."""
        name = self._title
        if isinstance(self.checkpoint, HubCheckpoint) and self.checkpoint.revision != "main":
            name += f"@{self.checkpoint.revision}"
        return name

    @property
    def baseline(self) -> bool:
        """An untrained twin shows what the architecture and its inputs reach by themselves."""
        return not self.trained

    @property
    def untrained(self) -> HuggingFaceModel | None:
        """The untrained twin of a trained model."""
        return HuggingFaceModel(self.checkpoint, trained=False) if self.trained else None

    def identity(self, options: ModelOptions) -> Identity:
        """Everything that decides the features, and neither path nor device nor batch size.

        Raises ModelError when the hub knows no such model or revision, or the folder is none.
        """
        pin = self.checkpoint.pin(weights=self.trained, code=options.trust_remote_code)
        facts: dict[str, Any] = {
            "kind": "huggingface" if self.trained else "untrained",
            "name": self._title,
            "revision": pin.revision,
            "dtype": options.dtype,
            "pooling": options.pooling,
            "extraction": EXTRACTION,
        }
        if options.trust_remote_code:
            facts["trust_remote_code"] = True
        if not self.trained:
            facts |= {"weights": "random", "seed": options.seed}
        return Identity(facts=facts, resolved=pin.resolved)

    @contextmanager
    def open(self, options: ModelOptions, reporter: Reporter) -> Iterator[OpenModel]:
        """Load the network and its tokenizer at the revision that `identity` names.

        Raises ModelError, with a hint, when the device cannot be used, the hub cannot be reached or
        gives no access, the folder is no model folder, there are no safetensors weights, memory does
        not suffice, or the architecture is not one that can be read.
        """
        from brainbench_models import devices
        from brainbench_models.loading import load
        from brainbench_models.opened import OpenHuggingFaceModel

        if options.batch_size is not None and options.batch_size < 1:
            raise ModelError(
                f"The batch size {options.batch_size} is less than one prompt.",
                hint="Leave --batch-size out to have one found.",
            )
        device = devices.choose(options.device)
        pin = self.checkpoint.pin(weights=self.trained, code=options.trust_remote_code)
        loaded = load(pin, options, device, reporter, random_weights=not self.trained)
        opened = OpenHuggingFaceModel(
            self.name, loaded.network, loaded.tokenizer, options, device, loaded.causal, pin
        )
        del loaded  # the opened model alone holds the network, so that closing frees it
        try:
            yield opened
        finally:
            opened.close()

    @property
    def _title(self) -> str:
        return self.checkpoint.title if self.trained else f"{_UNTRAINED}{self.checkpoint.title}"


@dataclass(frozen=True)
class HuggingFaceSource:
    """Finds models on the hub and in local folders."""

    name: str = "huggingface"
    pattern: str = "org/name[@revision] (openai-community/gpt2, say) or a local folder"

    def find(self, spec: str) -> HuggingFaceModel | None:
        """The model that `spec` names, without touching the network.

        A path that is a folder, and anything that starts like a path, is a folder: as in transformers a
        folder hides a hub model of the same name. A hub name has exactly two parts. One word alone, such
        as "gpt2", is none: it is more likely a registered model misspelt (write openai-community/gpt2).
        """
        if not spec:
            return None
        if spec == shipped.NAME:
            return HuggingFaceModel(shipped.ShippedCheckpoint())
        if spec in (".", "..") or spec.startswith(_PATH_STARTS) or Path(spec).is_dir():
            return HuggingFaceModel(FolderCheckpoint(Path(spec)))
        match = _HUB.fullmatch(spec)
        if match is None:
            return None
        if match["repo"] == shipped.NAME:
            raise UsageError(
                f"The model {shipped.NAME} comes with brainbench and has no revisions.",
                hint=f"Leave '@{match['revision']}' out.",
            )
        return HuggingFaceModel(HubCheckpoint(match["repo"], match["revision"] or "main"))


@dataclass(frozen=True)
class UntrainedSource:
    """Finds the untrained twin of any model that HuggingFaceSource finds."""

    name: str = "untrained"
    pattern: str = "untrained:<model>"

    def find(self, spec: str) -> HuggingFaceModel | None:
        """The twin of the model named after "untrained:"; None for any other name."""
        if not spec.startswith(_UNTRAINED):
            return None
        model = HuggingFaceSource().find(spec.removeprefix(_UNTRAINED))
        return None if model is None else HuggingFaceModel(model.checkpoint, trained=False)


@hookimpl
def register_models(register: Register[Model | ModelSource]) -> None:
    """Offer both sources."""
    register(HuggingFaceSource())
    register(UntrainedSource())
