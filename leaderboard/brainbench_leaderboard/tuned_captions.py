"""What is said beneath the tables of fine-tuned models."""

from __future__ import annotations

from brainbench_leaderboard.values import Row


def of_tuning(tuned: list[Row]) -> list[str]:
    """What the numbers are, of these scored rows."""
    pooled = [row["over_seeds"] for row in tuned if row["over_seeds"]]
    lines = [
        "seeds: a line is one way to train, over trainings that differ in the seed alone; accuracy is their "
        "mean ± SD, and # is the rank of that mean"
    ]
    if any(arm["against_base"] for arm in pooled):
        lines.append(
            "change: mean accuracy minus that of the same model before training, on the same items [95 % "
            "interval for other problems and, of several trainings, other seeds; of two or three it is wide "
            "and rough]; gain, harm: shares of items turned right and wrong"
        )
    if any(arm["unchanged"] for arm in pooled):
        lines.append(
            "left as it was: in so many trainings no epoch was better on the validation set than the model "
            "before training, which was kept"
        )
    if any(arm["against_label_only"] or arm["against_control"] for arm in pooled):
        lines.append(
            "over label-only, over best control: the same against models trained alike, from the same seeds "
            "and with the same settings, on the right answers alone, and on the control of the highest mean "
            "accuracy on these very items, which is hard on the brain-guided one"
        )
    if any(arm["perplexity"] is not None for arm in pooled):
        lines.append("ppl: perplexity on neutral text, as a multiple of that before training")
    if any(arm["cosine"] is not None for arm in pooled):
        lines.append(
            "brain cosine: how near the states, mapped to the brain, are to people's responses, before and "
            "after; held out: by maps that were fitted on other items"
        )
    if any(arm["epochs"] is not None for arm in pooled):
        lines.append("epochs, time: passes over the training items, and how long a training took; means")
    if any(not arm["against_base"] for arm in pooled):
        lines.append(
            "change -: there is no result of the model before training; `--intervention none` makes one"
        )
    if any(
        row["role"] == "brain" and row["over_seeds"] and not row["over_seeds"]["against_control"]
        for row in tuned
    ):
        lines.append(
            "over best control -: no control of the same model, task, data, settings and seed; "
            "`--intervention label-only` makes one"
        )
    if any(row["unranked"] for row in tuned):
        lines.append(
            "never ranked: what was told the right answers of these items (oracle), was stopped where it was "
            "best on the test set, was trained on the task's own items, or does not say what it has seen"
        )
    return lines
