"""A Hugging Face model in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainbench.adapter import Adapter
from brainbench.arrays import Features, FloatArray
from brainbench.errors import ModelError
from brainbench.lm_eval_adapter import unheard
from brainbench.nouns import ModelOptions, Reporter
from brainbench.records import Skip
from brainbench.steering import Steering, names_of
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import LanguageModel
from brainbench.tuning import Form, Trainee
from brainbench_models import devices, heads, prompts
from brainbench_models.adapting import adapt
from brainbench_models.architectures import Block, context_length, find_blocks, network_facts
from brainbench_models.batching import Batching
from brainbench_models.checkpoints import Pin
from brainbench_models.extraction import made, read
from brainbench_models.prefixes import Prefixes
from brainbench_models.quiet import quiet
from brainbench_models.steered import steer
from brainbench_models.words import head_weights, log_odds

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class OpenHuggingFaceModel:
    """A network without its head, its tokenizer, its layers in order and, where asked for, the head.

    `network`, `tokenizer`, `blocks` and `device` are open to interventions; what those change must be
    undone by them.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what loading found
        self,
        name: str,
        network: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        options: ModelOptions,
        device: torch.device,
        causal: PreTrainedModel | str = heads.NOT_ASKED,
        pin: Pin | None = None,
    ) -> None:
        self.name = name
        self._pin = pin
        self.tokenizer = tokenizer
        self.device = device
        self.blocks: tuple[Block, ...] = find_blocks(network)
        self._network: PreTrainedModel | None = network
        self._causal: PreTrainedModel | str = causal
        self._steerings: list[Steering] = []
        self._adapters: list[Adapter] = []
        self._parameters = sum(weights.numel() for weights in network.parameters())
        self._prefixes = Prefixes()
        self._options = options
        self._batching = Batching.start(options.batch_size, device)
        self._context = context_length(network)
        self._trained = False  # at present

    @property
    def network(self) -> PreTrainedModel:
        """The torch module; raises ModelError once the model is closed."""
        if self._network is None:
            raise ModelError(
                f"The model {self.name} was closed.", hint="Use it inside the context that opened it."
            )
        return self._network

    def features(self, stimuli: Sequence[Stimulus], reporter: Reporter) -> Features:
        """Two arrays (stimuli x width), float32, for each of the L layers.

        "attention.i" is what attention adds to the residual stream, "layer.i" the residual stream as it
        leaves layer i, before the norm that follows the last layer. With pooling "last" both are read
        at the last input token, whose output is the answer; with "mean" averaged over the tokens that
        carry the item's content. Raises ModelError when there are no stimuli, when a prompt exceeds
        the model's context, or when memory does not suffice.
        """
        network = self.network
        pooling = self._options.pooling
        if not stimuli:
            raise ModelError(f"The model {self.name} was given no stimuli.", hint="Choose at least one item.")
        label = f"Reading {len(stimuli)} prompts with {self.name}"
        with quiet(), reporter.task(label, len(stimuli)) as advance:
            encoded = prompts.encode(
                self.tokenizer, stimuli, pooling=pooling, limit=self._context, model=self.name
            )
            layers = read(
                network,
                self.blocks,
                encoded,
                pooling=pooling,
                batching=self._batching,
                device=self.device,
                advance=advance,
                names=[names_of(stimulus) for stimulus in stimuli],
            )
        cut = sum(prompt.cut for prompt in encoded)
        told = {"shortened": cut} if cut else {}  # responses that did not fit in whole
        return Features(layers=layers, made={**made(self.tokenizer, self._options), **told})

    def embed(self, texts: Sequence[str], reporter: Reporter) -> FloatArray:
        """One vector a text (texts x width), float32, pooled as the model's maker meant.

        See `brainbench_models.sentence_files`. Raises ModelError where its files ask for something that is
        not known there, for a text that is too long and not to be cut, and when memory does not suffice.
        """
        from brainbench_models.embedding import embed, tokens_of
        from brainbench_models.sentence_files import Recipe, recipe_of

        network = self.network
        if not texts:
            raise ModelError(f"The model {self.name} was given no texts to embed.")
        with quiet(), reporter.task(f"Embedding {len(texts)} texts with {self.name}", len(texts)) as advance:
            recipe = recipe_of(self._pin, self.name) if self._pin else Recipe()
            encoded = tokens_of(self.tokenizer, texts, recipe, context=self._context, model=self.name)
            batching, device = self._batching, self.device
            return embed(network, encoded, recipe, batching=batching, device=device, advance=advance)

    def language_model(self, reporter: Reporter) -> LanguageModel | Skip:
        """The network with its head, asked by conversations where the tokenizer has a chat template."""
        self.network  # noqa: B018 - raises once the model is closed
        if isinstance(self._causal, str):
            return Skip(f"{self.name} has no language-model head to answer with. {self._causal}")
        from brainbench_models.answering import AnsweringModel

        with quiet(), unheard():
            lm = AnsweringModel(
                self._causal,
                self.tokenizer,
                name=self.name,
                limit=self._context,
                batching=Batching.start(self._options.batch_size, self.device),
                reporter=reporter,
                steerings=self._steerings,
            )
        return LanguageModel(lm, chat=prompts.form(self.tokenizer) == "chat")

    @contextmanager
    def steered(self, steering: Steering) -> Iterator[OpenHuggingFaceModel]:
        """The same model, steered until the context is left; raises ModelError where it does not fit."""
        with steer(self.network, self.blocks, steering, model=self.name):
            self._steerings.append(steering)
            try:
                yield self
            finally:
                self._steerings.pop()

    @contextmanager
    def adapted(self, adapter: Adapter) -> Iterator[OpenHuggingFaceModel]:
        """The same model with an adapter in it until the context is left, then bit-identical to before.

        Raises ModelError where it does not fit, before anything is changed.
        """
        network = self.network
        root = network if isinstance(self._causal, str) else self._causal
        with adapt(root, adapter, model=self.name), self._changed(self._prefixes.anew()):
            self._adapters.append(adapter)
            try:
                yield self
            finally:
                self._adapters.pop()

    @contextmanager
    def in_training(
        self, form: Form, stimuli: Sequence[Stimulus], words: tuple[str, ...], seed: int
    ) -> Iterator[Trainee]:
        """The network ready to be trained on these prompts, then bit-identical to before; ModelError."""
        from brainbench_models.training import training

        self.network  # noqa: B018 - raises once the model is closed
        causal = heads.required(self._causal, self.name, "be trained")
        form = replace(form, batch=form.batch or self._options.batch_size or 0)
        with (
            training(self, causal, form, stimuli, words, seed=seed, limit=self._context) as trainee,
            self._changed(Prefixes(0)),  # weights change with every step
        ):
            before, self._trained = self._trained, True
            try:
                yield trainee
            finally:
                self._trained = before

    def save_with(self, adapter: Adapter, folder: Path) -> None:
        """Write a model folder of its own, the adapter in its weights; raises ModelError."""
        from brainbench_models.merging import save_merged

        causal = heads.required(self._causal, self.name, "be saved")
        if self._adapters or self._trained:
            raise ModelError(
                f"The model {self.name} is changed at present, and cannot be saved with an adapter."
            )
        save_merged(causal, self.tokenizer, adapter, folder, model=self.name)

    @contextmanager
    def _changed(self, prefixes: Prefixes) -> Iterator[None]:
        """While other weights are in it: nothing remembered of before, and its layers found anew."""
        kept, blocks = self._prefixes, self.blocks
        self._prefixes, self.blocks = prefixes, find_blocks(self.network)
        try:
            yield
        finally:
            self._prefixes, self.blocks = kept, blocks

    @property
    def has_head(self) -> bool:
        """Whether the words that come next can be told."""
        return self._head() is not None

    def _head(self) -> Tensor | None:
        return head_weights(self.network if isinstance(self._causal, str) else self._causal)

    def log_odds(self, stimuli: Sequence[Stimulus], words: Sequence[str], reporter: Reporter) -> FloatArray:
        """(stimuli x words): log-probabilities, up to what is the same for all words; ModelError."""
        del reporter
        head = self._head()
        if head is None:
            raise ModelError(f"The model {self.name} was opened without its head and cannot choose words.")
        only_last = all(steering.idle or steering.where == "last" for steering in self._steerings)
        with quiet():
            return log_odds(
                self.network,
                head,
                self.tokenizer,
                stimuli,
                words,
                limit=self._context,
                model=self.name,
                batching=self._batching,
                device=self.device,
                prefixes=self._prefixes if only_last and not self._trained else None,
            )

    def facts(self) -> Mapping[str, Any]:
        """How the model was run. `batch_size` is the largest batch used, or None before any was.

        While it is steered, `steerings` are the fingerprints of what steers it; `adapters` of what is in it.
        """
        steerings = [steering.fingerprint for steering in self._steerings]
        adapters = [adapter.fingerprint for adapter in self._adapters]
        return {
            **({"steerings": steerings} if steerings else {}),
            **({"adapters": adapters} if adapters else {}),
            "device": str(self.device),
            "dtype": self._options.dtype,
            "batch_size": self._batching.largest or None,
            "parameters": self._parameters,
            "parameters_with_head": heads.parameters_with_head(self.network, self._parameters),
            "layers": len(self.blocks),
            "context": self._context,
            "prompt": prompts.form(self.tokenizer),
            "tokenizer": type(self.tokenizer).__name__,
            **network_facts(self.network),
        }

    def close(self) -> None:
        """Let go of the network and give its memory back."""
        self._network, self._causal = None, "It was closed."
        self._prefixes = Prefixes()
        self.blocks = ()
        devices.release()
