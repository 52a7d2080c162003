"""From a model and a dataset to an adapter: what is learnt from, one training, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.adapter import Adapter
from brainbench.answers import WORDS
from brainbench.checkpoints import Checkpoint
from brainbench.errors import NotApplicable
from brainbench.nouns import BrainDataset, OpenModel, Reporter, Task
from brainbench.progress import SilentReporter, say
from brainbench.records import Skip
from brainbench.steering import Steerable, Steering
from brainbench.stimuli import Stimulus
from brainbench.task_nouns import OpenLanguageModel
from brainbench.training_data import validation_of_dataset
from brainbench.tuning import Cost, Outputs, Trainable, Trainee
from brainbench_interventions.brain_likeness import likeness
from brainbench_interventions.brain_loss import ONE_HOT, pairs_of
from brainbench_interventions.lessons import Lesson, labels_and_brains, reached_states
from brainbench_interventions.material import LABEL, Material
from brainbench_interventions.ridge_map import Array
from brainbench_interventions.training import Progress, Training
from brainbench_interventions.tuning_material import extra_for, gather_for, repairs_for, stimuli_of

if TYPE_CHECKING:
    from brainbench_interventions.tuning import Tuning


def tune(
    how: Tuning, model: OpenModel, dataset: BrainDataset, reporter: Reporter, kept: Checkpoint | None
) -> Adapter:
    """What training leaves; NotApplicable where there is nothing to train, or nothing to train on."""
    if not isinstance(model, Trainable):
        raise NotApplicable("The model gives no access to its weights.")
    answers = model.language_model(reporter) if isinstance(model, OpenLanguageModel) else None
    if isinstance(answers, Skip):
        raise NotApplicable(answers.reason)
    material = gather_for(how, model, dataset, reporter)
    stimuli = (*stimuli_of(material, dataset, reporter), *extra_for(how, dataset))
    repairs = repairs_for(how, model, material, stimuli) if how.arm == "narf" else None
    start = _start(how, model, dataset, reporter, kept)
    with model.in_training(how.form, stimuli, WORDS, how.seed) as trainee:
        take_as_many(trainee, kept)
        run = Run(how, dataset, trainee, material, stimuli)
        lesson = run.lesson() if repairs is None else run.lesson_of(repairs, model)
        if start is not None:
            trainee.load(start.weights)
        return run.trained(lesson, reporter, kept)


def _start(
    how: Tuning, model: OpenModel, dataset: BrainDataset, reporter: Reporter, kept: Checkpoint | None
) -> Adapter | None:
    """What narf leaves, the same for all arms: nothing of their own losses is in it."""
    if not how.start:
        return None
    first = replace(
        how,
        name="narf",
        arm="narf",
        source="own",
        start="",
        extra=0,
        balance=False,
        region="",
        people="",
        similarity="cosine",
        intercept=False,
    )
    return tune(first, model, dataset, reporter, Checkpoint(kept.folder / "start") if kept else None)


def take_as_many(trainee: Trainee, kept: Checkpoint | None) -> None:
    """As many items at once as before it was interrupted: all that is computed anew is then the same."""
    found = kept.load() if kept is not None else None
    batch = found[1].get("batch") if found is not None else None
    if isinstance(batch, int) and batch > 0:
        trainee.load(trainee.weights(), batch)


@dataclass
class Run:
    """One training: the trainee, and what it is to learn."""

    how: Tuning
    dataset: BrainDataset
    trainee: Trainee
    material: Material
    stimuli: tuple[Stimulus, ...]

    def __post_init__(self) -> None:
        before = self.trainee.outputs(range(len(self.stimuli)))
        self.material = replace(self.material, states=self._states(before))
        self.labels = np.array([bool(stimulus.conditions[LABEL]) for stimulus in self.stimuli])
        said = before.log_likelihoods.cpu().numpy()
        # an equal likelihood is wrong, as it is for steering
        right = np.where(self.labels, said[:, 0] > said[:, 1], said[:, 1] > said[:, 0])
        self.wrong = ~right[: len(self.material.items)]

    def lesson(self) -> Lesson:
        """What an arm with labels is trained on."""
        how = self.how
        if how.arm == "label-only":
            return labels_and_brains(self.labels, (), 0.0, balance=how.balance)
        pairs = pairs_of(
            self.material,
            np.ones_like(self.wrong) if how.right else self.wrong,
            source=how.source,
            similarity=how.similarity,
            intercept=how.intercept,
            seed=how.seed,
        )
        if not pairs:
            raise NotApplicable("There is no item that the model gets wrong and somebody got right.")
        return labels_and_brains(self.labels, pairs, how.weight, balance=how.balance)

    def lesson_of(self, repairs: Steering, model: OpenModel) -> Lesson:
        """What an arm without labels is trained on: the states that these repairs reach, all at once."""
        assert isinstance(model, Steerable)  # or there would be none
        with model.steered(repairs):
            reached = self._states(self.trainee.outputs(range(len(self.material.items))))
        repaired = np.isin(self.material.items, repairs.items)
        targets = {
            site: np.where(repaired[:, None], reached[site], before)
            for site, before in self.material.states.items()
        }
        right = np.flatnonzero(~self.wrong & ~repaired)
        return reached_states(targets, np.flatnonzero(repaired), right, self.how.keep)

    def trained(self, lesson: Lesson, reporter: Reporter, kept: Checkpoint | None) -> Adapter:
        """Train, and note what came of it."""
        how, task = self.how, validation_of_dataset(self.dataset) if self.how.early_stop else None
        say(reporter, _expected(how, self.trainee.cost(lesson.rows)))
        validate, asked = self._validation(task)
        training = Training(self.trainee, lesson.rows, lesson.loss, how.course, validate, kept)
        done = training.run(how.name, reporter)
        if validate is not None and not asked:  # killed after its last epoch: for the number of items
            validate()
        facts = {
            **how.told(),
            **self.material.facts,
            "fitted_on": [stimulus.id for stimulus in self.stimuli],
            "people": [person.id for person in self.material.people],
            "training": {**self._told(done, task, asked), "items": len(lesson.rows)},
            "brain": self._brain(),
        }
        weights = self.trainee.weights()
        form = how.form
        rank, alpha = (form.rank, form.alpha) if form.kind == "lora" else (0, 0.0)
        return Adapter(form.kind, weights, rank, alpha, self._sights(), facts)

    def _states(self, outputs: Outputs) -> dict[str, Array]:
        count = len(self.material.items)
        return {s: x[:count].double().cpu().numpy() for s, x in outputs.states.items()}

    def _validation(self, task: Task | None) -> tuple[Callable[[], float] | None, list[int]]:
        """What asks the validation set, and where the number of its items will stand."""
        asked: list[int] = []
        if task is None:
            return None, asked
        from brainbench.lm_eval_adapter import ask

        def accuracy() -> float:
            assert isinstance(self.trainee.model, OpenLanguageModel)
            language = self.trainee.model.language_model(SilentReporter())
            assert not isinstance(language, Skip)  # or it could not be trained
            scores = ask(task, language)
            asked[:] = [len(scores.items)]
            return scores.accuracy

        return accuracy, asked

    def _told(self, done: Progress, task: Task | None, asked: list[int]) -> dict[str, Any]:
        """How the training went, as plain JSON."""
        validation = None
        if task is not None:
            reached = {"before": done.accuracies[0], "after": done.reached}
            validation = {"task": task.name, "items": asked[0] if asked else None, **reached}
        return {
            "epochs": done.epoch,
            "best_epoch": done.best,
            "seconds": round(done.seconds, 3),
            "trained": sum(weights.numel() for weights in self.trainee.parameters.values()),
            "batch": self.trainee.batch,
            "loss": [done.losses[0], done.losses[-1]],
            "wrong_before": int(self.wrong.sum()),
            "validation": validation,
        }

    def _brain(self) -> dict[str, list[float]]:
        """How like people's responses states were and are; empty where nobody has enough items."""
        before = likeness(self.material, self.material.states)
        now = self.trainee.outputs(range(len(self.material.items)))
        after = likeness(self.material, self._states(now))
        return {name: [before[name], after[name]] for name in before}

    def _sights(self) -> tuple[str, ...]:
        """Training with people's patterns has seen responses, and whom it took, behaviour."""
        how = self.how
        if how.arm == "label-only" and not how.start:
            return ("labels",)
        # whatever its own loss is, a start from narf has seen what that arm sees
        of_people = bool(how.start) or how.source not in {"random-fmri", "random-direction", ONE_HOT}
        known = any(person.right is not None for person in self.material.people)
        told = (
            ("responses", of_people),
            ("behaviour", known and (bool(how.start) or how.source != ONE_HOT)),
            ("labels", True),
        )
        return tuple(sight for sight, seen in told if seen)


def _expected(how: Tuning, cost: Cost) -> str:
    """What a training will take, said before it starts."""
    gigabytes = [f"{size / 2**30:.2f} GiB" for size in (cost.needed, cost.free)]
    minutes = max(0.1, cost.pass_seconds * how.epochs / 60)
    return (
        f"{how.name}, seed {how.seed}: {cost.trained:,} numbers to train, {cost.batch} items at once; about "
        f"{gigabytes[0]} of memory beside the model ({gigabytes[1]} are free), and at most {minutes:.1f} "
        f"minutes for {how.epochs} epochs, validation not counted."
    )
