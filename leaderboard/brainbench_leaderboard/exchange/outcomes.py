"""The outcome of a document as the harness's own: wrong shapes are refused there, numbers computed anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brainbench.errors import ShapeError
from brainbench.ideas import Idea, IdeaScores
from brainbench.records import Scores, Skip
from brainbench.task_scores import TaskItem, TaskScores
from brainbench_leaderboard.exchange.format import Document
from brainbench_leaderboard.exchange.plain_json import Refused

ROUNDING = 1e-9
ITEM_ROUNDING = 1e-4  # what items add is kept with six digits

Outcome = Scores | TaskScores | IdeaScores | Skip


def outcome_of(document: Document) -> Outcome:
    """The outcome, with its headline held to the values below it. Raises Refused."""
    told = document["outcome"]
    if told["type"] == "skip":
        return Skip(told["reason"])
    makes: dict[str, Callable[[Document, Mapping[str, Any]], Outcome]]
    makes = {"task": _answered, "ideas": _judged}
    try:
        return makes.get(document["kind"], _scored)(document, told)
    except ShapeError as error:
        raise Refused(error.message.rstrip("."), "outcome") from error


def _scored(document: Document, told: Mapping[str, Any]) -> Scores:
    layers, people = told["layers"], told["people"]
    names = [layer["layer"] for layer in layers]
    for at, layer in enumerate(layers):
        values, where = layer["people"], f"outcome.layers.{at}"
        if len(values) != len(people):
            raise Refused(f"it has {len(values)} values for {len(people)} people", f"{where}.people")
        slack = ROUNDING * max(1.0, *map(abs, values))
        if not min(values) - slack <= layer["score"] <= max(values) + slack:
            raise Refused("it lies outside of what people have", f"{where}.score")
        if layer["spread"] < 0:
            raise Refused("a spread is not negative", f"{where}.spread")
    if told["best_layer"] not in names:
        raise Refused("there is no such layer", "outcome.best_layer")
    found = Scores(
        tuple(names),
        tuple(people),
        np.array([layer["people"] for layer in layers], dtype=np.float64),
        np.array([layer["score"] for layer in layers], dtype=np.float64),
        np.array([layer["spread"] for layer in layers], dtype=np.float64),
        names.index(told["best_layer"]),
        told["choice"],
        told["spread_kind"],
        told.get("unscored", {}),
        told["details"],
        told.get("like_for_like"),
    )
    _same(told["score"], found.headline, "outcome.score", "the score of the best layer")
    if document["kind"] == "score" and told.get("like_for_like") is not None:
        raise Refused("only a ceiling has one", "outcome.like_for_like")
    _check_items(told, layers[found.best]["people"])
    return found


def _check_items(told: Mapping[str, Any], people: list[float]) -> None:
    """That what items add has a row for each person, whose mean is the person's score."""
    if (held := told.get("per_item")) is None:
        return
    items, rows, where = held["items"], held["scores"], "outcome.per_item"
    if len(set(items)) != len(items) or len(rows) != len(people):
        raise Refused("its items are not different, or its rows are not those of the people", where)
    for at, (row, score) in enumerate(zip(rows, people, strict=True)):
        known = [value for value in row if value is not None]
        if len(row) != len(items) or not known:
            raise Refused("it has not one value or null for each item", f"{where}.scores.{at}")
        slack = ITEM_ROUNDING * max(1.0, *map(abs, known))
        if abs(math.fsum(known) / len(known) - score) > slack:
            raise Refused("its mean is not the person's score", f"{where}.scores.{at}")


def _answered(document: Document, told: Mapping[str, Any]) -> TaskScores:
    items = [
        _item(item, told["details"].get("metric"), f"outcome.items.{at}")
        for at, item in enumerate(told["items"])
    ]
    found = TaskScores(tuple(items), told.get("by", {}), told["details"])
    if (limit := document["problem_limit"]) is not None and found.groups > limit:
        raise Refused(f"there are {found.groups} problems", "problem_limit")
    _same(told["accuracy"], found.accuracy, "outcome.accuracy", "the share of items answered rightly")
    return found


def _item(item: Mapping[str, Any], metric: object, where: str) -> TaskItem:
    """One item; of a choice that plain accuracy judges it is known what is taken and what is right."""
    choices, likelihoods = tuple(item.get("choices", ())), tuple(item.get("log_likelihoods", ()))
    if len(choices) != len(likelihoods):
        raise Refused("choices and log-likelihoods are not as many", where)
    if choices:
        best = choices[max(range(len(choices)), key=likelihoods.__getitem__)]
        if item["answer"] != best or item["expected"] not in choices:
            raise Refused("the answer is not the likeliest choice, or the right one is no choice", where)
        told_apart = metric == "acc" and len(set(choices)) == len(choices)
        if told_apart and item["correct"] != (best == item["expected"]):
            raise Refused("it does not follow from answer and expected", f"{where}.correct")
    names = ("id", "group", "correct", "answer", "expected", "prompt_hash", "greedy")
    own: dict[str, Any] = {name: item.get(name) for name in names}
    return TaskItem(**own, choices=choices, log_likelihoods=likelihoods)


def _judged(document: Document, told: Mapping[str, Any]) -> IdeaScores:
    low, high = document["scale_low"], document["scale_high"]
    if not low < high:
        raise Refused("the scale ends where it begins, or before", "scale_high")
    scale = told["details"].get("scale")
    if scale is not None and list(scale) != [low, high]:
        raise Refused("it is not that of the record", "outcome.details.scale")
    about: dict[str, str] = {}
    for at, text in enumerate(told["texts"]):
        if text["score"] is not None and not low <= text["score"] <= high:
            raise Refused("it lies outside of the scale", f"outcome.texts.{at}.score")
        if about.setdefault(text["item"], text["about"]) != text["about"]:
            raise Refused("another text of the item is about something else", f"outcome.texts.{at}.about")
    found = IdeaScores(
        tuple(Idea(text["item"], text["draw"], text["seed"], text["text"]) for text in told["texts"]),
        tuple(text["score"] for text in told["texts"]),
        about,
        told["details"],
    )
    _same(told["score"], found.score, "outcome.score", "the mean over items of the texts' scores")
    return found


def _same(said: float, computed: float, where: str, what: str) -> None:
    if abs(said - computed) > ROUNDING * max(1.0, abs(computed)):
        raise Refused(f"it is {said!r}, but {what} is {computed!r}", where)
