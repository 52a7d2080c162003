"""A small real database, made by the runner with the embedded model; and what tests do with its files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from brainbench.catalog import Catalog
from brainbench.ideas import Rated, Response
from brainbench.identity import fingerprint
from brainbench.nouns import Identity, ModelOptions
from brainbench.plan import Plan
from brainbench.plugins import discover, load
from brainbench.progress import SilentReporter
from brainbench.provenance import environment, now
from brainbench.records import Failure, Record
from brainbench.runner import run
from brainbench.sampling import Sampling
from brainbench.scorer_identity import identify_scorer
from brainbench.stimuli import Stimulus
from brainbench.validity import validate
from brainbench_leaderboard.exchange.export import export
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.store import Leaderboard

Document = dict[str, Any]
HOME = "/home/somebody/secret/model"


@dataclass(frozen=True)
class Length:
    """Scores a text by its letters; in another name none can be scored."""

    name: str = "length"
    version: int = 1
    helper: str = "brainbench/tiny"
    helps: Literal["embeds", "answers"] = "answers"
    scale: tuple[float, float] = (0.0, 1e6)
    questions: tuple[Stimulus, ...] = ()

    def using(self, helper: str) -> Length:
        return replace(self, helper=helper)

    def identity(self) -> Identity:
        return Identity({})

    def score(self, responses: Sequence[Response], *_: Any) -> list[float | None]:
        return [None if self.name == "silent" else float(len(one.text)) for one in responses]

    def held_out(self, reporter: Any) -> tuple[Rated, ...]:
        return tuple(Rated(Response("brick", "x" * n), n + 6.0 * (n % 2)) for n in range(1, 25))


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """All that is installed."""
    return load(discover())


@pytest.fixture
def known(catalog: Catalog) -> Known:
    """What is installed, and nothing else."""
    return Known(catalog)


@pytest.fixture(scope="session")
def database(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores with a ceiling and baselines, a task, scored texts, a skip, a failure, a validity."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BRAINBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return _made(catalog, tmp_path_factory.mktemp("exchange") / "made.db")


def _made(catalog: Catalog, path: Path) -> Path:
    tiny, options = catalog.find_model("brainbench/tiny"), ModelOptions(device="cpu", head=True)
    dull = [catalog.find_model(f"baseline:{name}") for name in ("type", "characters")]
    shared: dict[str, Any] = {
        "interventions": [catalog.find_intervention("none")],
        "options": replace(options, sampling=Sampling(count=1, tokens=3)),
    }
    brain = Plan.product(
        models=[tiny, *dull],
        datasets=[catalog.find_dataset("simulated-deduction")],
        metrics=catalog.find_metrics("predictivity/paper"),
        regions=["reasoning"],
        item_sets=["all"],
        tasks=[catalog.tasks.get("deduction_3")],
        solvers=[tiny],
        limit=2,
        **shared,
    )
    ideas = Plan.product(
        models=[],
        datasets=[catalog.find_dataset("simulated-creativity")],
        metrics=[],
        solvers=[tiny],
        scorers=[(Length(), tiny), (Length(name="silent"), tiny)],
        **shared,
    )
    with Leaderboard(path) as store:
        for result in run(Plan((*brain, *ideas)), plugins=catalog.provider_versions()):
            assert isinstance(result, Record)
            store.add(result)
            last = result
        failed = Failure("model", "OSError", f"{HOME} is not there.")
        traced = {**last.provenance, "traceback": f'File "{HOME}/x.py"'}
        store.add(replace(last, fingerprint="f" * 64, outcome=failed, provenance=traced))
        scorer = identify_scorer(Length(), tiny, options)
        found = validate(Length(), tiny, SilentReporter(), None)  # type: ignore[arg-type] # it asks nobody
        store.add_validity(found, tiny.name, scorer.facts, {**environment(), "started": now()})
    return path


@pytest.fixture(scope="session")
def exported(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database's files; not to be written to."""
    folder = tmp_path_factory.mktemp("files") / "results"
    with Leaderboard.reading(database) as store:
        export(store, folder)
    return folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of the files that a test may spoil."""
    return Path(shutil.copytree(exported, tmp_path / "submitted"))


@pytest.fixture
def spoil(folder: Path) -> Callable[..., Path]:
    """Change a record of a kind in its file, by default with the fingerprint of its changed facts."""

    def spoil(kind: str, change: Callable[[Document], Any], *, rehash: bool = True) -> Path:
        for path in sorted(folder.rglob("*.json")):
            held = json.loads(path.read_text())
            document = held["records"][0]
            if document["kind"] == kind and document["outcome"].get("type") != "skip":
                before = fingerprint(document["facts"])
                change(document)
                if rehash and fingerprint(document["facts"]) != before:
                    document["fingerprint"] = fingerprint(document["facts"])
                path.write_text(json.dumps(held))
                return path
        raise AssertionError(f"There is no record of the kind {kind}.")

    return spoil
