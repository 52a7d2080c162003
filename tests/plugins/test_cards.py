"""What built-in methods say of themselves: each does, in words and a formula, and no score hangs on it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from brainbench.cards import MethodCard
from brainbench.identity import identify
from brainbench.nouns import ModelOptions
from brainbench.plan import Plan
from brainbench.plugins import discover, load
from brainbench_interventions.tuning import Tuning
from brainbench_metrics.predictivity import Predictivity
from brainbench_metrics.rsa import RobustRsa

KINDS = ("metrics", "interventions", "scorers", "tasks")
CATALOG = load(discover())
METHODS: dict[str, Any] = {
    f"{kind}-{name}": thing
    for kind in KINDS
    for name, thing in zip(getattr(CATALOG, kind), getattr(CATALOG, kind).values(), strict=True)
    if type(thing).__module__.startswith("brainbench_")
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_says_what_it_does_and_explains_each_letter(method: Any) -> None:
    card = method.card
    assert isinstance(card, MethodCard)
    texts = (card.summary, card.formula, card.reference, *card.caveats)
    assert all(text.strip() == text and text.endswith((".", ".)")) and text.isprintable() for text in texts)
    assert "=" in card.formula or "Minimised:" in card.formula
    assert "{" not in "".join(texts)  # nothing was left to be filled in


def test_there_are_all_kinds_of_them() -> None:
    assert len(METHODS) > 70


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_card_is_no_field(method: Any) -> None:
    assert "card" not in {field.name for field in dataclasses.fields(method)}


def test_a_card_tells_of_the_method_as_it_is_set() -> None:
    assert "one of 7 shuffled folds" in Predictivity(folds=7).card.formula
    assert "euclidean distances" in RobustRsa(distance="euclidean").card.formula
    assert "One d for all problems." in METHODS["interventions-nari-general-joint"].card.formula
    assert "One d for each type of problem." in METHODS["interventions-nari-general"].card.formula
    narf = METHODS["interventions-narf"].card.formula
    assert "every place's Δ added" in narf, "states as the whole steering leaves them, not h and its own Δ"
    assert "a weight, 1 unless set otherwise" in narf
    cards = [method.card for method in METHODS.values()]
    assert len({(card.summary, card.formula) for card in cards}) == len(cards)  # no two say the same


def test_no_word_of_a_card_enters_a_fingerprint(toy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fingerprints() -> list[str]:
        metrics: list[Any] = [Predictivity(), RobustRsa()]
        plan = Plan.product(
            models=[toy["model"]()],
            datasets=[toy["dataset"]()],
            metrics=metrics,
            interventions=[Tuning(name="t", arm="narf")],
            options=ModelOptions(),
        )
        return [identify(cell).fingerprint for cell in plan]

    before = fingerprints()
    other = MethodCard("other", "words", "altogether.")
    for kind in (Predictivity, RobustRsa, Tuning):
        monkeypatch.setattr(kind, "card", property(lambda _: other))
    assert fingerprints() == before
