"""What decides the scores of a model's texts: what was asked and how, and the scorer with its helper."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from brainbench.idea_identity import fingerprint_of_question
from brainbench.ideas import OBJECT
from brainbench.identity_parts import canonical, declared, fingerprint, is_identity, provider, written_by
from brainbench.nouns import BrainDataset, Identity, Model, ModelOptions
from brainbench.plan import ScorerCell
from brainbench.scoring import Scorer

Ask = Callable[[Model, ModelOptions], Identity]


def helper_options(scorer: Scorer, run: ModelOptions) -> ModelOptions:
    """How a scorer's model is run: as it was made, whatever is chosen for the models that are scored.

    Only where it runs, how much at once and whether its code may are the run's.
    """
    return ModelOptions(
        device=run.device,
        batch_size=run.batch_size,
        trust_remote_code=run.trust_remote_code,
        head=scorer.helps == "answers",
    )


def identify_scorer(scorer: Scorer, helper: Model, options: ModelOptions, ask: Ask | None = None) -> Identity:
    """What decides the score of a text: the scorer, what it learns from, and its model.

    `options`: those of the run; see `helper_options`. By these facts' fingerprint a scorer's validity and
    what it has learnt are kept.
    """
    asked = ask or (lambda model, how: model.identity(how))
    itself = declared(scorer)
    own = is_identity(scorer.identity(), scorer.name)
    its_model = is_identity(asked(helper, helper_options(scorer, options)), helper.name)
    parameters = {name: value for name, value in itself.facts["parameters"].items() if name != "helper"}
    facts = {
        **itself.facts,
        "parameters": parameters,  # by its name a helper is not known: it may be the path of a folder
        "identity": dict(own.facts),
        "helper": {**its_model.facts, "provider": provider(helper)},
    }
    resolved = itself.resolved and own.resolved and its_model.resolved
    return Identity(json.loads(canonical(facts)), resolved)


def of_ideas(cell: ScorerCell, ask: Ask) -> tuple[dict[str, Any], list[Identity]]:
    """What is asked in a cell of ideas, whoever is asked, and by what the texts are scored."""
    scorer = identify_scorer(cell.scorer, cell.helper, cell.options, ask)
    facts: dict[str, Any] = {
        "kind": cell.kind,
        "scorer": scorer.facts,
        "ideas": asdict(cell.options.sampling),
        "asked": written_by(),
    }
    parts = [scorer]
    if cell.scorer.questions:
        facts["questions"] = fingerprint(
            [
                [fingerprint_of_question(asked), str(asked.conditions.get(OBJECT, ""))]
                for asked in cell.scorer.questions
            ]
        )
    elif cell.dataset is not None:
        source = _stimuli_of(cell.dataset)
        facts["dataset"] = source.facts
        parts.append(source)
    return facts, parts


def _stimuli_of(dataset: BrainDataset) -> Identity:
    """The dataset, by its first region: what is asked is the same in all."""
    found = is_identity(dataset.identity(dataset.regions[0]), dataset.name)
    return replace(found, facts={**found.facts, "provider": provider(dataset)})
