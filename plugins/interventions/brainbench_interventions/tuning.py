"""Fine-tuning attention towards people's responses, and the controls that say whether these did it.

Xiao, Du & Lin (2026), "NARF" and "NARF+Label". All arms have one training loop, one starting point and one
way to stop; they differ in the loss alone. What the paper did otherwise can be switched on in an arm's name,
as in "narf-label@early_stop=no".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Self

from brainbench import hookimpl
from brainbench.adapter import Adaptable, Adapter
from brainbench.checkpoints import Checkpoint
from brainbench.errors import NotApplicable, UsageError
from brainbench.hookspecs import Register
from brainbench.nouns import BrainDataset, Intervention, MethodCard, OpenModel, Reporter
from brainbench.problems import KINDS_OF_PROBLEM
from brainbench.progress import SilentReporter
from brainbench.records import Skip
from brainbench.steering import Role
from brainbench.tuning import Form
from brainbench_interventions import cards, words
from brainbench_interventions.objective import Similarity
from brainbench_interventions.settings import alone, changed
from brainbench_interventions.targets import Source
from brainbench_interventions.training import Course

Arm = Literal["narf", "narf-label", "label-only"]
Patterns = Source | Literal["random-direction", "one-hot"]

# What arms must share to be compared: all that is no part of the loss.
SHARED = (
    *("types", "extra", "kind", "rank", "alpha", "every_layer", "rate", "epochs", "every", "patience"),
    *("accumulate", "early_stop", "balance", "start"),
)


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """One arm, with its settings, which can stand in its name as "key=value".

    source: whose patterns states are drawn towards, see targets and brain_loss. seed: of this training.
    version: raised whenever the same model, data and settings would leave other weights: kept trainings and
    results are known by it.
    region: "" is the dataset's first. types: only items of these; () all. people: "" all, "best3", "worst3"
    by their accuracy, or ids with + between. extra: so many more labelled problems, of
    `types`. weight: of the brain's
    part of the loss beside the labels'. keep: of what is right already, where there are no labels.
    similarity, intercept: of what W predicts to the pattern. right: draws what the model gets right, too.
    balance: both answers weigh alike. kind, rank, alpha, every_layer, recompute: see tuning.Form. rate,
    epochs, every, patience, accumulate: see training.Course. early_stop: off, the last epoch is kept.
    start: "narf", goes on from what that arm leaves.
    """

    name: str
    arm: Arm
    source: Patterns = "own"
    version: int = 1
    seed: int = 0
    region: str = ""
    types: tuple[str, ...] = ()
    people: str = ""
    extra: int = 0
    weight: float = 0.1
    keep: float = 1.0
    similarity: Similarity = "cosine"
    intercept: bool = False
    right: bool = False
    balance: bool = False
    kind: Literal["lora", "full"] = "lora"
    rank: int = 8
    alpha: float = 16.0
    every_layer: bool = False
    recompute: bool = False
    rate: float = 1e-4
    epochs: int = 100
    every: int = 1
    patience: int = 10
    accumulate: int = 0
    early_stop: bool = True
    start: Literal["", "narf"] = ""

    only_by_name = True  # "all" does not train: it may take hours

    @property
    def about(self) -> str:
        """One sentence on what it does, and what it controls for."""
        where = f", in the region {self.region}" if self.region else ""
        which = f", trained on {' and '.join(self.types)} items only" if self.types else ""
        return f"{words.tuning(self.arm, self.source)}{where}{which}."

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.tuning(self.arm, self.source, self.about)

    @property
    def role(self) -> Role:
        """Any region but the dataset's own first is a control, too."""
        guided = self.arm != "label-only" and self.source == "own" and not self.region
        return "brain" if guided else "control"

    @property
    def beside(self) -> tuple[str, ...]:
        """The model as it is, and beside an arm with a brain the same training on labels alone."""
        places = [place for place in self.name.split("@")[1:] if alone(place)]
        return ("none", "@".join(("label-only", *places))) if self.role == "brain" else ("none",)

    @property
    def form(self) -> Form:
        """What is trained."""
        return Form(self.kind, self.rank, self.alpha, self.every_layer, recompute=self.recompute)

    @property
    def course(self) -> Course:
        """How long and how fast."""
        return Course(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Course)})

    def at(self, place: str) -> Self:
        """The same with a setting, "key=value", on a type of problem or another region; "name@place"."""
        name = f"{self.name}@{place}"
        if _key(place) in map(_key, self.name.split("@")[1:]):
            raise UsageError(f"{name!r} says twice what {_key(place)} is.", hint="Leave one of them out.")
        if "=" in place:
            return dataclasses.replace(changed(self, place), name=name)
        if place in KINDS_OF_PROBLEM:
            return dataclasses.replace(self, name=name, types=(place,))
        if self.arm == "label-only":
            raise UsageError(
                f"label-only looks at no region, and {place!r} is no type of problem.",
                hint=f"Types: {', '.join(KINDS_OF_PROBLEM)}.",
            )
        return dataclasses.replace(self, name=name, region=place)

    def tune(
        self, model: OpenModel, dataset: BrainDataset, reporter: Reporter, kept: Checkpoint | None = None
    ) -> Adapter | Skip:
        """Train, and put the model back as it was."""
        from brainbench_interventions.tuning_run import tune

        try:
            return tune(self, model, dataset, reporter, kept)
        except NotApplicable as reason:
            return Skip(reason.message)

    @contextmanager
    def apply(self, model: OpenModel, dataset: BrainDataset) -> Iterator[OpenModel]:
        """The trained model; raises NotApplicable where there is nothing to train, or to train on."""
        adapter = self.tune(model, dataset, SilentReporter())
        if isinstance(adapter, Skip) or not isinstance(model, Adaptable):
            reason = adapter.reason if isinstance(adapter, Skip) else "it takes no adapter."
            raise NotApplicable(f"The intervention {self.name} cannot be trained: {reason}")
        with model.adapted(adapter) as tuned:
            yield tuned

    def told(self) -> dict[str, Any]:
        """Who trains, as facts: `settings` are those that arms must share to be compared."""
        parameters = dataclasses.asdict(self)
        made = {"intervention": parameters.pop("name"), "version": parameters.pop("version")}
        settings = {name: parameters[name] for name in SHARED}
        return {**made, "role": self.role, "seed": self.seed, "parameters": parameters, "settings": settings}


def _key(place: str) -> str:
    """The setting that stands behind an @."""
    return place.partition("=")[0] if "=" in place else "types" if place in KINDS_OF_PROBLEM else "region"


def arms() -> tuple[Tuning, ...]:
    """Every one, by name."""
    narf = Tuning(name="narf", arm="narf")
    both = Tuning(name="narf-label", arm="narf-label")
    towards: tuple[Patterns, ...] = (
        *("random-fmri", "random-fmri-mean", "mean-pattern", "shuffled-items", "other-person"),
    )
    of_narf: tuple[Patterns, ...] = (*towards, "random-direction")
    # Without the intercept the two dimensions of a right answer are predicted as p and -p, whose cosine with
    # either answer is the same for all p: such a control, the paper's, has no gradient at all.
    one_hot = dataclasses.replace(both, name="narf-label-one-hot", source="one-hot", intercept=True)
    return (
        narf,
        *(dataclasses.replace(narf, name=f"narf-{source}", source=source) for source in of_narf),
        both,
        Tuning(name="label-only", arm="label-only"),
        *(dataclasses.replace(both, name=f"narf-label-{source}", source=source) for source in towards),
        one_hot,
    )


@hookimpl
def register_interventions(register: Register[Intervention]) -> None:
    """Offer all of them."""
    for arm in arms():
        register(arm)
