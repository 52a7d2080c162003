"""Scores of ideas in the database, in tables and on the page, never without how far the scorer is valid."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from brainbench.errors import ShapeError
from brainbench.ideas import Idea, IdeaScores, Rated, Response
from brainbench.identity import fingerprint, unidentified
from brainbench.nouns import ModelOptions
from brainbench.plan import ScorerCell
from brainbench.records import Failure, Outcome, Record, Skip
from brainbench.sampling import Sampling
from brainbench.stimuli import Stimulus
from brainbench.validity import Validity, agreement
from brainbench_leaderboard import idea_tables, idea_view
from brainbench_leaderboard.site import table_pages
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.store import Leaderboard

OBJECTS = ("brick", "sock", "rope", "hat", "<b>box</b>")
SCORER = {"name": "far", "version": 2, "helper": {"name": "encoder", "revision": "e1"}}


@dataclass(frozen=True)
class Named:
    """Stands where a cell wants a thing of which only names are read."""

    name: str
    version: int = 1
    simulated: bool = True
    scale: tuple[float, float] = (0.0, 2.0)
    questions: tuple[Stimulus, ...] = ()


def scores(first: float = 0.5, details: Any = None) -> IdeaScores:
    """Two texts about each object, the scores further apart from object to object; one of them unscored."""
    ideas = tuple(
        Idea(f"i{at}", draw, 7, f"idea {draw} <i>of</i> {about}")
        for at, about in enumerate(OBJECTS)
        for draw in range(2)
    )
    given: list[float | None] = [first + at / 20 for at in range(len(ideas))]
    given[3] = None
    told = {"scale": [0.0, 2.0], "rated": True, **(details or {})}
    return IdeaScores(ideas, tuple(given), {f"i{at}": about for at, about in enumerate(OBJECTS)}, told)


def record(outcome: Outcome, *, model: str = "m", change: str = "none", **more: Any) -> Record:
    anything: Any = Named
    drawn = {"count": 2, "temperature": 0.7, "top_p": 0.95, "tokens": 8, "seed": 0}
    facts: dict[str, Any] = {"dataset": {"name": "uses"}, "ideas": drawn, "scorer": SCORER}
    asked = {**facts, "model": {"name": model, "revision": "r"}, **more.pop("facts", {})}
    options = ModelOptions(sampling=Sampling(count=2, tokens=8))
    cell = ScorerCell(
        anything(model),
        options,
        anything(change),
        anything("far", version=2),
        anything("encoder"),
        anything("uses"),
    )
    provenance = {"dtype": "float32", "started": more.pop("started", "2026-01-01"), "seconds": 1.0}
    key = fingerprint([asked, change, provenance["started"]])
    return Record(cell, key, asked, more.pop("resolved", True), outcome, provenance)


def validity(responses: int = 60) -> Validity:
    """Of a scorer that agrees with people in part."""
    rng = np.random.default_rng(3)
    ratings = rng.normal(size=responses)
    given = [float(rating) for rating in ratings + rng.normal(size=responses)]
    chosen = [Rated(Response(OBJECTS[at % 3], "said"), float(one)) for at, one in enumerate(ratings)]
    return agreement("far", 2, chosen, given, held_out=60)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Leaderboard]:
    with Leaderboard(tmp_path / "b.db") as store:
        yield store


@pytest.fixture
def shown() -> Callable[[Leaderboard, int], str]:
    """What the terminal shows of a board, so wide."""

    def shown(store: Leaderboard, width: int) -> str:
        out, rows = Console(width=width, file=io.StringIO()), store.idea_standings()
        parts = (*idea_tables.tables(rows), *idea_tables.legend(rows), *idea_tables.reasons(rows))
        for part in parts:
            out.print(part)
        assert isinstance(out.file, io.StringIO)
        return out.file.getvalue()

    return shown


def test_every_text_is_kept_with_its_score_and_seed(store: Leaderboard) -> None:
    made = record(scores())
    store.add(made)
    store.add(made)
    assert store.has(made.fingerprint)
    assert isinstance(made.outcome, IdeaScores)
    found = store.ideas(made.fingerprint)
    assert [idea for idea, _, _ in found] == list(made.outcome.ideas)
    assert [score for _, _, score in found] == list(made.outcome.scores)
    assert [about for _, about, _ in found][::2] == list(OBJECTS)
    assert store.db.execute("SELECT count(*) FROM ideas").fetchone()[0] == 10
    (row,) = store.idea_standings()
    assert (row["kind"], row["texts"], row["unscored"], row["items"]) == ("ideas", 10, 1, 5)
    assert (row["dataset"], row["scorer"], row["helper"], row["scorer_version"]) == (
        "uses",
        "far",
        "encoder",
        2,
    )
    by_item = [0.525, 0.6, 0.725, 0.825, 0.925]  # the second from its one scored text
    assert row["score"] == pytest.approx(np.mean(by_item))
    assert row["low"] < row["score"] < row["high"]
    assert (row["scale_low"], row["scale_high"], row["interval_level"]) == (0, 2, 0.95)
    assert row["details"] == made.outcome.details
    assert row["sampling"]["tokens"] == 8


def test_a_failure_never_replaces_scores_and_one_without_identity_goes(store: Leaderboard) -> None:
    good = record(scores())
    early = unidentified(good.cell)
    store.add(replace(good, fingerprint=early.fingerprint, facts=early.facts, resolved=False, outcome=FAILED))
    assert [row["outcome"] for row in store.idea_standings()] == ["failure"]
    store.add(good)
    store.add(replace(good, outcome=FAILED))
    assert [row["outcome"] for row in store.idea_standings()] == ["scores"]
    store.add(record(Skip("It writes nothing."), model="n"))
    assert [row["reason"] for row in store.idea_standings()] == [None, "It writes nothing."]


FAILED = Failure("scorer", "ModelError", "The model cannot embed sentences.", "Name another.")


def test_nothing_of_a_record_stays_when_a_text_cannot_be_kept(store: Leaderboard) -> None:
    bad = scores()
    twice = (*bad.ideas[:-1], bad.ideas[0])
    object.__setattr__(bad, "ideas", twice)  # which IdeaScores itself would refuse
    with pytest.raises(Exception, match="UNIQUE"):
        store.add(record(bad))
    assert store.idea_standings() == []


def test_models_are_ranked_as_they_are_and_changed_ones_never(store: Leaderboard) -> None:
    store.add(record(scores(0.1), model="low"))
    store.add(record(scores(0.9), model="high"))
    store.add(record(scores(1.2), model="high", change="nari"))
    store.add(record(scores(1.5), model="unsure", resolved=False))
    store.add(record(scores(1.4), model="other", facts={"dataset": {"name": "uses", "data": "other"}}))
    rows = store.idea_standings()
    assert {(row["model"], row["intervention"]): (row["rank"], row["tied"]) for row in rows} == {
        ("high", "none"): (1, 2),  # five objects tell no two apart
        ("low", "none"): (1, 2),
        ("high", "nari"): (None, None),
        ("unsure", "none"): (None, None),
        ("other", "none"): (1, 1),  # was asked something else
    }


def test_validity_belongs_to_a_scorer_with_its_very_helper(store: Leaderboard) -> None:
    store.add(record(scores()))
    other = {**SCORER, "helper": {"name": "encoder", "revision": "e2"}}
    assert store.add_validity(validity(), "encoder", other, {})
    assert store.idea_standings()[0]["validity"] is None
    whole = validity()
    assert store.add_validity(whole, "encoder", SCORER, {"seconds": 1})
    (row,) = store.idea_standings()
    assert row["validity"] == whole.pearson.estimate
    assert (row["validity_low"], row["validity_high"]) == (whole.pearson.low, whole.pearson.high)
    assert whole.by_object is not None
    assert row["validity_by_object"] == whole.by_object.estimate
    assert row["validity_responses"] == 60


def test_a_validity_of_fewer_responses_never_replaces_one_of_more(store: Leaderboard) -> None:
    assert store.add_validity(validity(30), "encoder", SCORER, {})
    assert store.add_validity(validity(60), "encoder", SCORER, {})
    assert not store.add_validity(validity(40), "encoder", SCORER, {})
    found = store.validity(fingerprint(SCORER))
    assert found is not None
    assert (found["responses"], found["details"]["held_out"]) == (60, 60)
    assert store.validity("0" * 64) is None


def test_a_score_stands_beside_the_validity_of_its_scorer(
    store: Leaderboard, shown: Callable[[Leaderboard, int], str]
) -> None:
    store.add(record(scores()))
    store.add(record(scores(1.0), model="changed", change="nari"))
    store.add(record(FAILED, model="mute"))
    text = shown(store, 100)
    assert "Originality of ideas: uses v1, far v2 with encoder; texts: 2 each, temperature 0.7" in text
    assert "not validated: brainbench scorer validate far@encoder" in " ".join(text.split())
    assert text.count("not validated") == 3
    assert "changed + nari" in text
    assert "mute on uses, far: failed. The model cannot embed sentences. Name another." in text
    store.add_validity(validity(40), "encoder", SCORER, {})
    assert "of 40 responses" in shown(store, 100)
    store.add_validity(whole := validity(), "encoder", SCORER, {})
    text = shown(store, 100)
    assert "not validated" not in text
    assert "of 60 responses" not in text
    assert f".{round(whole.pearson.estimate * 1000)} [" in text
    assert "of simulated datasets only the brains are made up" in " ".join(text.split())


def test_a_scorer_of_what_nobody_rated_says_so(
    store: Leaderboard, shown: Callable[[Leaderboard, int], str]
) -> None:
    store.add(record(scores(details={"rated": False})))
    text = shown(store, 100)
    assert "no ratings" in text
    assert "not validated" not in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(
    store: Leaderboard, shown: Callable[[Leaderboard, int], str], width: int
) -> None:
    store.add(record(scores(), model="some-organisation/a-model-with-a-long-name-7B-Instruct"))
    store.add_validity(validity(), "encoder", SCORER, {})
    assert max(map(len, shown(store, width).splitlines())) <= width


def test_pages_have_the_texts_by_object_and_as_text_alone(store: Leaderboard) -> None:
    store.add(record(scores(), model="<script>m</script>"))
    (table, page), (place, texts), _ = [
        (path, str(page)) for path, page in table_pages.files(Board.of(store))
    ]
    assert "Originality of ideas: uses v1" in page
    assert f'<a href="../{place}">&lt;script&gt;m&lt;/<wbr>script&gt;: 10 texts</a>' in page
    assert "not validated" in page
    assert "&lt;script&gt;m&lt;/script&gt;: 10 texts about 5 objects" in texts
    assert "idea 1 &lt;i&gt;of&lt;/i&gt; sock <small>unscored</small>" in texts
    assert "<dt>&lt;b&gt;box&lt;/b&gt;</dt>" in texts
    assert f'<a href="../{table}">' in texts
    assert "<script" not in page + texts


def test_a_long_text_is_cut_on_the_page_and_whole_in_the_database(store: Leaderboard) -> None:
    made = scores()
    long = IdeaScores((Idea("i0", 0, 0, "word " * 1000),), (1.0,), {"i0": "brick"}, made.details)
    store.add(record(long))
    _, (_, page), _ = table_pages.files(Board.of(store))
    assert "(3999 more characters)" in str(page)
    (text,) = [idea.text for idea, _, _ in store.ideas(store.idea_standings()[0]["fingerprint"])]
    assert len(text) == 5000


def test_intervals_are_over_objects_and_within_the_scale() -> None:
    def of(*by_object: float) -> IdeaScores:
        ideas = tuple(Idea(f"i{at}", draw, 0, "x") for at in range(len(by_object)) for draw in range(3))
        given = tuple(by_object[at // 3] for at in range(len(ideas)))
        return IdeaScores(ideas, given, {}, {"scale": [1.0, 5.0]})

    one, alike, few, many = of(2.0), of(*[3.0] * 8), of(1.1, 1.2), of(1.0, 2.0, 3.0, 4.0, 5.0, 1.5)
    assert (one.interval.low, one.interval.high) == (1, 5)  # one object says nothing of others
    assert (alike.interval.low, alike.interval.high) == (3, 3)
    assert few.interval.low == 1.0  # Student's would go below the scale
    assert few.interval.high > 1.2
    assert many.interval.low < 2.75 < many.interval.high
    assert many.interval.method == "expanded percentile"
    more = IdeaScores(many.ideas * 1, many.scores, {}, many.details)
    assert more.interval == many.interval


def test_scores_that_do_not_fit_the_texts_are_refused() -> None:
    with pytest.raises(ShapeError, match="1 scores for 2 texts"):
        IdeaScores((Idea("a", 0, 0, "x"), Idea("a", 1, 0, "x")), (1.0,))
    with pytest.raises(ShapeError, match="no text could be scored"):
        IdeaScores((Idea("a", 0, 0, "x"),), (None,))
    json.dumps(scores().details)


def test_a_changed_model_stands_beside_itself_object_by_object(store: Leaderboard) -> None:
    base = scores(0.5)
    steps = (0.1, 0.3, 0.2, 0.05, 0.15)  # by object; the mean is .16
    more = [None if v is None else v + steps[at // 2] for at, v in enumerate(base.scores)]
    store.add(record(replace(base, scores=tuple(reversed(more)), ideas=base.ideas[::-1]), change="narf"))
    store.add(record(base))
    store.add(record(scores(0.1), model="other"))
    rows = {(row["model"], row["intervention"]): row for row in store.idea_standings()}
    told = rows["m", "narf"]["against_base"]
    assert told["difference"] == pytest.approx(0.16)
    assert told["fingerprint"] == rows["m", "none"]["fingerprint"]
    assert told["objects"] == 5
    assert told["p"] == 2 / 2**5
    assert 0.05 < told["low"] < 0.16 < told["high"] < 0.3
    assert rows["m", "none"]["against_base"] is None
    assert rows["other", "none"]["against_base"] is None
    (table,) = idea_view.tables([rows[key] for key in sorted(rows)])
    changed = next(line for line in table.sheet.lines if "narf" in line.name)
    assert ("above unchanged", "[95 %]", "p") in table.sheet.columns
    assert changed.cells[2].lines[0] == "+.160"
