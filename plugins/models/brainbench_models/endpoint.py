"""Models behind an OpenAI-compatible endpoint: they answer, and show nothing of how they came to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from brainbench import hookimpl
from brainbench.errors import ModelError, UsageError
from brainbench.hookspecs import Register
from brainbench.nouns import Identity, Model, ModelOptions, ModelSource, Reporter
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import LanguageModel

BRAINBENCH_API = 1

ANSWERING = 1  # raised whenever the same requests would be sent otherwise
_START = "endpoint:"
_FORM = "endpoint:MODEL@http://host:port/v1"
_SPEC = re.compile(r"(?P<model>[A-Za-z0-9][A-Za-z0-9._:/+=-]*?)@(?P<url>https?://.+)")
_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?(?:/[A-Za-z0-9._/-]*)?")


@dataclass(frozen=True)
class EndpointModel:
    """A model that a server offers under `model`; `url` is what stands before /chat/completions."""

    model: str
    url: str

    @property
    def name(self) -> str:
        """As it was asked for; an address with a password in it is refused before."""
        return f"{_START}{self.model}@{self.url}"

    def identity(self, options: ModelOptions) -> Identity:
        """What is known of it. A server may change what answers by a name: its answers are never reused."""
        facts = {"kind": "endpoint", "name": self.model, "url": self.url, "answering": ANSWERING}
        return Identity({**facts, "seed": options.seed}, resolved=False)

    @contextmanager
    def open(self, options: ModelOptions, reporter: Reporter) -> Iterator[OpenEndpoint]:
        """Nothing is sent before something is asked. `batch_size` is how many requests are under way at once.

        The key is that in BRAINBENCH_API_KEY; failing that, for https://api.openai.com alone, that in
        OPENAI_API_KEY.
        """
        opened = OpenEndpoint(self, options)
        try:
            yield opened
        finally:
            opened.close()


class OpenEndpoint:
    """An endpoint in use."""

    def __init__(self, model: EndpointModel, options: ModelOptions) -> None:
        self._model, self._options = model, options
        self._clients: list[Any] = []

    def features(self, stimuli: Sequence[Stimulus], reporter: Reporter) -> NoReturn:
        """Raises ModelError: a server shows none."""
        raise ModelError(
            f"{self._model.name} answers, but shows no features to compare with brains.",
            hint="Use it as a judge of ideas, or open the same model as org/name on this machine.",
        )

    def language_model(self, reporter: Reporter) -> LanguageModel:
        """The server, asked by conversations."""
        from brainbench_models.endpoint_client import Client
        from brainbench_models.endpoint_lm import EndpointLM

        workers = self._options.batch_size or 4
        client = Client(self._model.url, self._model.name, connections=workers)
        self._clients.append(client)
        return LanguageModel(
            EndpointLM(client, self._model.model, self._options.seed, workers, reporter), chat=True
        )

    def facts(self) -> Mapping[str, Any]:
        """Where it is; what runs there is not known."""
        return {"device": "endpoint", "url": self._model.url, "model": self._model.model}

    def close(self) -> None:
        """Let go of connections."""
        for client in self._clients:
            client.close()
        self._clients.clear()


@dataclass(frozen=True)
class EndpointSource:
    """Finds models behind OpenAI-compatible endpoints."""

    name: str = "endpoint"
    pattern: str = f"{_FORM} (answers only)"

    def find(self, spec: str) -> EndpointModel | None:
        """The model that `spec` names, without touching the network.

        Raises UsageError for an address of another form, one with a name or password in it say.
        """
        if not spec.startswith(_START):
            return None
        match = _SPEC.fullmatch(spec.removeprefix(_START))
        if match is None:
            raise UsageError("An endpoint has to be named by model and address.", hint=f"Write {_FORM}.")
        if "@" in urlsplit(match["url"]).netloc or _URL.fullmatch(match["url"]) is None:
            raise UsageError(  # without the address, which may hold a password
                f"The address of endpoint model {match['model']} is not a plain http or https address.",
                hint=f"Write {_FORM}, and put the key into BRAINBENCH_API_KEY.",
            )
        return EndpointModel(match["model"], match["url"].rstrip("/"))


@hookimpl
def register_models(register: Register[Model | ModelSource]) -> None:
    """Offer the source."""
    register(EndpointSource())
