"""FOLIO (Han et al. 2022, arXiv:2209.00840): expert-written problems in plain English, from its hub data set.

The True and the False ones of the released validation problems. The paper on brain-guided reasoning
(arXiv:2606.11893) used another selection, the 315 of "FOLIO-wiki-curated": its figures are for other items.
The data set is gated: whoever wants it accepts its terms.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainbench.errors import DataError
from brainbench.nouns import Identity, MethodCard
from brainbench_tasks import task_cards
from brainbench_tasks.deduction_made import GeneratedDeduction
from brainbench_tasks.deduction_prompts import ask
from brainbench_tasks.task_documents import (
    ANSWERS,
    Answering,
    Document,
    configuration,
    described,
    ending,
    identity_of,
    manner,
)

FILE = "folio_v2_validation.jsonl"


@dataclass(frozen=True)
class Folio:
    """The problems that are True or False; Uncertain ones are left out. `repository`: a data set of the hub.

    What was downloaded once is used from then on, and decides the identity; before, there is none to rely on.
    """

    repository: str = "yale-nlp/FOLIO"
    answering: Answering = "likelihood"
    version: int = 1

    only_by_name = True  # for it needs an account

    @property
    def name(self) -> str:
        """By how it is answered."""
        return f"folio{ending(self.answering)}"

    @property
    def about(self) -> str:
        """What `brainbench list` says."""
        return (
            "FOLIO's True and False problems (validation); fetched from the hub, where its terms have to be "
            f"accepted; asked only by name{manner(self.answering)}"
        )

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return task_cards.folio(self.about, self.answering)

    def documents(self) -> tuple[Document, ...]:
        """All items, grouped by story; fetches the file where it is missing. Raises DataError."""
        path = self._cached() or self._fetched()
        try:
            rows = [
                json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
            ]
            found = tuple(_document(row) for row in rows if row["label"] in ANSWERS)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{FILE} of {self.repository} is not the table that it should be: "
                f"{type(error).__name__}: {error}.",
                hint="Remove it from the hub's cache to fetch it again.",
            ) from error
        if not found:
            raise DataError(f"{FILE} of {self.repository} holds no problem that is True or False.")
        return found

    def identity(self) -> Identity:
        """Versions and, once the file is there, its hash; no network."""
        path = self._cached()
        sha = hashlib.sha256(path.read_bytes()).hexdigest() if path else "not fetched"
        commit = path.parent.name if path else "main"
        found = identity_of(self, {"data": {"repository": self.repository, "commit": commit, "sha256": sha}})
        return Identity(found.facts, resolved=path is not None)

    def validation(self) -> GeneratedDeduction:
        """Generated problems, answered alike: nothing is chosen on FOLIO itself."""
        return GeneratedDeduction(split="validation", each=10, answering=self.answering)

    def lm_eval_config(self) -> dict[str, Any]:
        """For lm-eval."""
        return configuration(self.name, self.version, (), self.answering, self.documents)

    def _cached(self) -> Path | None:
        from huggingface_hub import constants, try_to_load_from_cache

        found = try_to_load_from_cache(
            self.repository, FILE, cache_dir=constants.HF_HUB_CACHE, repo_type="dataset"
        )
        return Path(found) if isinstance(found, str) else None

    def _fetched(self) -> Path:
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

        page = f"https://huggingface.co/datasets/{self.repository}"
        try:
            return Path(
                hf_hub_download(self.repository, FILE, repo_type="dataset", cache_dir=constants.HF_HUB_CACHE)
            )
        except GatedRepoError as error:
            raise DataError(
                f"The data set {self.repository} is gated and this account has no access to it.",
                hint=f"Accept its terms on {page}, then log in with `hf auth login`.",
            ) from error
        except RepositoryNotFoundError as error:
            raise DataError(
                f"The hub has no data set {self.repository}, or it is private.", hint=f"See {page}."
            ) from error
        except Exception as error:  # the hub's errors without a network vary by version
            raise DataError(
                f"The hub cannot be reached, and {FILE} of {self.repository} is not in its cache.",
                hint=f"Connect to the network, accept the terms on {page}, and log in with `hf auth login`.",
            ) from error


def _document(row: Mapping[str, Any]) -> Document:
    given = row["premises"]
    lines = given.splitlines() if isinstance(given, str) else [str(line) for line in given]
    premises = [line.strip().rstrip(".") for line in lines if line.strip()]
    messages, text, _ = ask("folio", premises, str(row["conclusion"]).strip().rstrip("."))
    story, example = f"story-{row['story_id']}", f"example-{row['example_id']}"
    return described(f"{story}:{example}", story, messages, text, row["label"] == "True", {})
