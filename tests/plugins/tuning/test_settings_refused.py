"""Settings in an arm's name: what cannot be meant is refused before anything is trained."""

from __future__ import annotations

import pytest

from brainbench.errors import UsageError
from brainbench.plugins import discover, load


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("narf-label@rate=0", "rate cannot be '0'. Give a number above 0 and at most 10."),
        ("narf-label@weight=-1", "weight cannot be '-1'. Give a number of at least 0."),
        (
            "narf-label@epochs=1.5",
            "epochs cannot be '1.5'. Give a whole number of at least 1 and at most 100000.",
        ),
        ("narf-label@people=best0", "'best0' names no people. Write best3, worst3, or ids with + between."),
        ("narf-label@people=worst", "'worst' names no people. Write best3, worst3, or ids with + between."),
        ("narf-label@types=", "types names no type of problem. Write syllogism or transitive."),
        ("narf-label@balance=maybe", "balance cannot be 'maybe'. Choose one of yes, no."),
        (
            "label-only@md",
            "label-only looks at no region, and 'md' is no type of problem. Types: syllogism, transitive.",
        ),
        ("narf-label@@", "'narf-label@@' does not name a place or a setting after each @."),
        ("narf@extra=4", "narf has no setting 'extra'. Settings: accumulate, alpha,"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(spec: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(discover()).find_intervention(spec)
    assert f"{caught.value.message} {caught.value.hint}".startswith(words)


@pytest.mark.parametrize("people", ["", "best3", "worst10", "1001", "p01+p02"])
def test_people_are_named(people: str) -> None:
    found = load(discover()).find_intervention(f"narf-label@people={people}")
    assert found.people == people  # type: ignore[attr-defined]
