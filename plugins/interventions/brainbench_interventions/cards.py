"""What a reader must know of each intervention, from its parts: what is added or trained, towards what."""

from __future__ import annotations

from brainbench.cards import MethodCard

_PAPER = (
    "Xiao, Du and Lin (2026): Beyond representational alignment with brain-guided language models for robust "
    "reasoning, arXiv:2606.11893"
)
_OURS = "Of brainbench, after"
_OF_PAPER = ("own", "random-fmri", "random-fmri-mean", "random-direction", "one-hot")

# The pattern y that states are drawn towards, of each source.
_PATTERN = {
    "own": "the person's responses to that item",
    "random-fmri": "Gaussian noise of mean 0 and variance 1, on which W is fitted, too",
    "random-fmri-mean": "such noise with each voxel's mean set to the real one, on which W is fitted, too",
    "mean-pattern": "the person's mean responses to the other items",
    "shuffled-items": "the person's responses to another item of the type, and W fitted on these",
    "other-person": "what another person's responses predict",
    "one-hot": "the right answer as one of two dimensions, on which W is fitted, too",
}
_CLIMB = (
    "Δ leads a state x, by ascent of cos(W x, y), from an item that the model gets wrong and the person got "
    "right to where the model gets it right. W: ridge regression of the person's responses on states, for "
    "each type of problem. y: {}."
)
_DIRECTION = {
    "random-direction": "d: drawn from a Gaussian.",
    "language-only": "d: mean state of items whose right answer is True less that of the others, within "
    "types of problem.",
    "label-probe": "d: weights of a ridge regression of the right answer (+1, −1) on states, within types of "
    "problem.",
}
_PLACE = (
    "h: the output of attention at the last token, in the middle half of the layers. h′: what stands there "
    "afterwards."
)
_ORACLE = "It is told the right answers, and stops where the model is right: an oracle, never ranked."


def direction(source: str, form: str, about: str) -> MethodCard:
    """Of steering along directions; form: "type", "joint", "held-out" or "oracle"."""
    if form == "oracle":
        how = "h′ = h + Δ, of an item that the model gets wrong; of several people's Δ the shortest. "
        made = _CLIMB.format(_PATTERN[source]) if source in _PATTERN else "Δ: along a random direction."
        return MethodCard(about, f"{how}{_PLACE} {made}", _reference(source), (_ORACLE,))
    strength = (
        "a = 1" if form == "held-out" else "a: the strength, chosen on other problems (0 is among them)"
    )
    made = _DIRECTION.get(source) or f"d: mean of all Δ. {_CLIMB.format(_PATTERN[source])}"
    fitted = {
        "type": "One d for each type of problem.",
        "joint": "One d for all problems.",
        "held-out": "Of each fold of items one d for each type of problem, from the other folds.",
    }[form]
    formula = (
        f"h′ = h + a·σ·d/|d|. {_PLACE} {strength}. σ: the spread of states there within types of problem. "
        f"{made} {fitted}"
    )
    caveats = () if source == "own" else ("A control: it shows what comes without what it leaves out.",)
    return MethodCard(about, formula, _reference(source, own=form == "held-out"), caveats)


def subspace(source: str, method: str, most: int, about: str) -> MethodCard:
    """Of what multiplies states in a subspace."""
    pairs = {
        "pls": "the largest covariance (partial least squares)",
        "cca": "the largest correlation (canonical correlation, regularised: Vinod 1976)",
    }[method]
    basis = {
        "own": f"B: orthonormal rows, the directions of {pairs} of states with all people's responses",
        "shuffled-items": "B: the same with each person's responses given to other items of the type",
        "random": "B: orthonormal, drawn from a Gaussian, of as many rows as people's responses give",
        "model-components": "B: the largest principal components of states, as people's responses give",
    }[source]
    formula = (
        f"h′ = h + a·BᵀB(h − m). {_PLACE} m: mean state. {basis}; k rows, at most {most}, by how well they "
        "carry over to items left out; states and responses centred within types of problem. a: the "
        "strength, −1 to 4, chosen on other problems."
    )
    caveats = () if source == "own" else ("A control of the same rank.",)
    return MethodCard(about, formula, "Of brainbench, no paper's.", caveats)


def tuning(arm: str, source: str, about: str) -> MethodCard:
    """Of fine-tuning."""
    labels = "− Σ over items of log P(right answer)"
    if arm == "label-only":
        formula = f"Minimised: {labels}. P: the model's probability of True or False."
    elif arm == "narf":
        reached = _CLIMB.format(_PATTERN[source]) if source in _PATTERN else "Δ: along a random direction."
        formula = (
            "Minimised: Σ over items and places of c · |h − t|² / width. h: the output of attention, in the "
            "middle half of the layers. t: of items that a steering repaired, what h is with every place's Δ "
            "added (of several people's Δ the shortest); of those right beforehand, h before training. c: 1, "
            f"and for those right beforehand a weight, 1 unless set otherwise. {reached}"
        )
    else:
        formula = (
            f"Minimised: {labels} + b · Σ over items, places of mean over people of (1 − cos(W h, y)). P: "
            "the model's probability of True or False. The second sum is over items that the model got "
            "wrong, and people who got them right. h: the output of attention, in the middle half of the "
            "layers. W: ridge regression of the person's responses on h before training, for each type of "
            f"problem. y: {_PATTERN[source]}. b: its weight."
        )
    caveats = (
        "All arms share one training loop (AdamW on low-rank adapters of attention, unless set otherwise) "
        "and one way to stop, on a validation set.",
        *(("A training on labels alone stands beside it: label-only.",) if arm == "narf-label" else ()),
    )
    own = arm == "label-only"
    return MethodCard(about, formula, f"{_PAPER}." if own else _reference(source), caveats)


def none() -> MethodCard:
    """Of the model as it is."""
    return MethodCard(
        "Changes nothing; what every other intervention is compared with.",
        "h′ = h. h: any state of the model. h′: what stands there afterwards.",
        "Of brainbench.",
    )


def _reference(source: str, *, own: bool = False) -> str:
    if source == "language-only":
        return f"Contrastive activation addition (Rimsky et al. 2024) on right answers, beside {_PAPER}."
    return f"{_PAPER}." if source in _OF_PAPER and not own else f"{_OURS} {_PAPER}."
