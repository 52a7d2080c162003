"""What a reader must know of each task: what is asked, what counts as right, where it comes from."""

from __future__ import annotations

from brainbench.cards import MethodCard
from brainbench_tasks.task_documents import Answering

_PAPER = (
    "Xiao, Du and Lin (2026): Beyond representational alignment with brain-guided language models for robust "
    "reasoning, arXiv:2606.11893"
)
_SCANNER = (
    "Lytle, Prado and Booth (2020): Brain correlates of deductive reasoning in adults, OpenNeuro ds003076"
)
_FALSE = "False means that the conclusion does not follow, not that its opposite does."
_RIGHT = {
    "likelihood": "An item is right if of the two words True and False the right one is the likelier answer.",
    "generation": "An item is right if the first word that greedy decoding writes is the right answer.",
}


def card(about: str, answering: Answering, reference: str, *caveats: str) -> MethodCard:
    """Of a task that is answered by True or False."""
    formula = (
        f"accuracy = (items answered rightly) / (items). {_RIGHT[answering]} Its interval is for other "
        "problems: problems are resampled, each in all its forms."
    )
    return MethodCard(
        f"Does a conclusion follow? {about[:1].upper()}{about[1:]}.", formula, reference, caveats
    )


def scanner_items(about: str, answering: Answering) -> MethodCard:
    """Of the problems that people solved in the scanner."""
    return card(
        about,
        answering,
        f"{_SCANNER}; asked of models by {_PAPER}.",
        _FALSE,
        "46 of the 70 answers are True: answering always True scores 65.7 %.",
    )


def generated(about: str, answering: Answering, *, tiny: bool) -> MethodCard:
    """Of the problems that brainbench makes in the scanner's design."""
    known = ("Its words are those that brainbench/tiny was trained on, in other problems.",) if tiny else ()
    reference = f"Of brainbench; after the generated problems of {_PAPER}."
    return card(about, answering, reference, _FALSE, "Half of the answers are True.", *known)


def propositional(about: str) -> MethodCard:
    """Of modus ponens and its like."""
    reference = f"Of brainbench; such problems are asked in {_PAPER}, too."
    return card(about, "likelihood", reference, _FALSE, "Half of the answers are True.")


def authors(about: str, answering: Answering) -> MethodCard:
    """Of the paper's own problems."""
    return card(about, answering, f"{_PAPER}; its public files (MIT).", _FALSE, "The prompts are ours.")


def folio(about: str, answering: Answering) -> MethodCard:
    """Of FOLIO."""
    return card(
        about,
        answering,
        "Han et al. (2022): FOLIO, arXiv:2209.00840.",
        "Items that are Uncertain are left out: figures of other selections are for other items.",
        "The data set is gated: whoever wants it accepts its terms.",
    )
