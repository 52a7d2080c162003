"""What each intervention by directions does, and what it controls for, in a clause."""

from __future__ import annotations

# Of each source: what is added, and what it is for.
_WHAT = {
    "own": ("what drew states towards people's responses", "the method of the paper"),
    "random-fmri": ("what drew states towards noise", "a control for having no brain"),
    "random-fmri-mean": (
        "what drew states towards noise around people's mean responses",
        "a control for mean responses alone",
    ),
    "mean-pattern": (
        "what drew states towards people's mean responses to other items",
        "a control for responses to single items",
    ),
    "shuffled-items": (
        "what drew states towards responses to other items of the type",
        "a control for which response belongs to which item",
    ),
    "other-person": (
        "what drew states towards what another person's responses predict",
        "a control for whose responses they are",
    ),
    "random-direction": ("a random vector of the same length", "a control for any push of that length"),
    "language-only": (
        "states of True items less those of False ones",
        "a control for right answers without a brain",
    ),
    "label-probe": (
        "the weights of a linear probe for the right answer",
        "a control for right answers without a brain",
    ),
}
_FORM = {
    "type": "Adds {}, one direction for each type of problem",
    "joint": "Adds {}, one direction for all problems",
    "held-out": "Adds {}, to each item what was fitted without it",
    "oracle": "Told the right answers, adds to each wrong item {}, until it is right",
}


def direction(source: str, form: str) -> str:
    """The clause for a source, and a form: "type", "joint", "held-out" or "oracle"."""
    added, purpose = _WHAT[source]
    return f"{_FORM[form].format(added)}: {purpose}"


_LOSS = {
    "narf": "Trains attention towards the states that steering towards {} reached",
    "narf-label": "Trains attention on the right answers, and its states towards {}",
}
_TOWARDS = {
    "own": ("people's responses", "the method of the paper"),
    "random-fmri": ("noise", "a control for having no brain"),
    "random-fmri-mean": ("noise around people's mean responses", "a control for mean responses alone"),
    "mean-pattern": (
        "people's mean responses to other items",
        "a control for responses to single items",
    ),
    "shuffled-items": (
        "responses to other items of the type",
        "a control for which response belongs to which item",
    ),
    "other-person": (
        "what another person's responses predict",
        "a control for whose responses they are",
    ),
    "random-direction": ("a random direction", "a control for any states that give the right answer"),
    "one-hot": ("the right answer in two dimensions", "a control for right answers in the place of a brain"),
}


def tuning(arm: str, source: str) -> str:
    """The clause for an arm of fine-tuning, and whose patterns it is drawn towards."""
    if arm == "label-only":
        return "Trains attention on the right answers alone: the control for having no brain"
    towards, purpose = _TOWARDS[source]
    return f"{_LOSS[arm].format(towards)}: {purpose}"
