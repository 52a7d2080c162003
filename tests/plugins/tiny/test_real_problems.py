"""No problem of the scanner, and none of the paper's own sets, can be among what the embedded model reads."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from brainbench.problem_words import ADJECTIVES, COMPARATIVES, KINDS, NAMES

MIRROR = os.environ.get("BRAINBENCH_MIRROR", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not MIRROR, reason="BRAINBENCH_MIRROR does not name a mirror of the public files"),
]
KNOWN = {*NAMES, *COMPARATIVES, *KINDS, *(f"{kind}s" for kind in KINDS), *ADJECTIVES}
FORM = {"All", "are", "things", "is", "not", "a", "than"}


def _scanner() -> Iterator[tuple[str, ...]]:
    for path in Path(MIRROR).glob("OpenNeuroDatasets/ds003076/*/sub-1001/func/*_events.tsv"):
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                if row["trial_type"] != "control":
                    yield tuple(row[f"premise{at}"].strip() for at in (1, 2, 3))


def _papers_sets() -> Iterator[tuple[str, ...]]:
    for path in Path(MIRROR).glob("pkuxmq/Brain-guided_LLM/*/data/deductive_reasoning_data_*.json"):
        if "propositional" in path.name:
            continue
        for problems in json.loads(path.read_text()).values():
            for problem in problems:
                yield tuple(text.rstrip(".") for key, text in problem.items() if key.startswith("premise"))


@pytest.mark.parametrize(("read", "fewest"), [(_scanner, 72), (_papers_sets, 2000)])
def test_each_has_a_word_that_the_training_text_lacks(read: object, fewest: int) -> None:
    assert callable(read)
    found = list(read())
    assert len(found) >= fewest
    for premises in found:
        words = {word for premise in premises for word in premise.split()} - FORM
        assert words - KNOWN, premises
