"""What a steering did: whom it is compared with, the numbers, and who is never ranked."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from brainbench.records import Failure, Record, Skip
from brainbench.task_pairs import Answers, compare
from brainbench.task_scores import TaskScores
from brainbench_leaderboard import task_results
from brainbench_leaderboard.steered import with_comparisons
from brainbench_leaderboard.store import Leaderboard


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    """The rows of a board with these records, by fingerprint."""

    def kept(*records: Record, **chosen: Any) -> dict[str, dict[str, Any]]:
        with Leaderboard(tmp_path / "b.db") as store:
            for record in records:
                store.add(record)
            return {row["fingerprint"]: row for row in store.task_standings(**chosen)}

    return kept


def changed(table: Any, gain: float, harm: float, seed: int = 1) -> Any:
    rng = np.random.default_rng(seed)
    drawn = rng.random(table.shape)
    return np.where(table, drawn >= harm, drawn < gain)


def test_the_numbers_are_those_of_others(kept: Any, made: Any, told: Any, answers: Any) -> None:
    """McNemar by scipy's binomial test; the interval by a bootstrap written out, at the expanded level."""
    before = answers().astype(object)
    before[::2, 1:] = None  # problems need not have equally many forms
    after = np.where(before == None, None, changed(answers(), 0.35, 0.15))  # noqa: E711
    base, steered = made("none", before), made("nari-general", after, told())
    row = kept(base, steered)[steered.fingerprint]["against_base"]
    there = before != None  # noqa: E711
    was, now = before[there].astype(int), after[there].astype(int)
    gained, harmed = int((now > was).sum()), int((now < was).sum())
    assert gained > 0 < harmed
    assert row["fingerprint"] == base.fingerprint
    assert row["accuracy"] == pytest.approx(was.mean())
    assert row["difference"] == pytest.approx(now.mean() - was.mean())
    assert (row["gain"], row["harm"]) == (gained / len(was), harmed / len(was))
    assert row["mcnemar_p"] == pytest.approx(binomtest(gained, gained + harmed).pvalue)
    sums = np.array([sum(b - a for a, b in zip(*pair, strict=True) if a is not None)
                     for pair in zip(before, after, strict=True)], dtype=float)  # fmt: skip
    sizes, n = there.sum(axis=1), len(before)
    tail = norm.cdf(np.sqrt(n / (n - 1)) * t.ppf(0.025, n - 1))
    rng, ratios = np.random.default_rng(0), []
    for _ in range(10_000):
        drawn = rng.integers(0, n, n)
        ratios.append(sums[drawn].sum() / sizes[drawn].sum())
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(ratios, [tail, 1 - tail]), abs=1e-12)
    shares = sums / sizes
    signs = np.where(rng.random((20_000, n)) < 0.5, -1, 1)
    reached = np.abs(signs @ shares) >= abs(shares.sum()) - 1e-9
    assert row["problems_p"] == pytest.approx(reached.mean(), abs=0.005)


def test_many_at_once_are_the_same_as_one_by_one(kept: Any, made: Any, told: Any, answers: Any) -> None:
    base = made("none", answers())
    many = [made("nari", changed(answers(), g / 10, 0.1, g), told(strength=g)) for g in range(5)]
    rows = kept(base, *many)
    for record in many:
        assert isinstance(base.outcome, TaskScores)
        assert isinstance(record.outcome, TaskScores)
        alone, row = compare(base.outcome, record.outcome), rows[record.fingerprint]["against_base"]
        limits = (alone.interval.low, alone.interval.high)
        assert (row["low"], row["high"]) == pytest.approx(limits, abs=1e-12)
        assert row["problems_p"] == (alone.over_problems.p if alone.over_problems else None)


def test_the_base_is_the_same_model_run_alike_and_asked_the_same(
    kept: Any, made: Any, told: Any, answers: Any
) -> None:
    steered = made("nari-general", answers(), told())
    others = [
        made("none", answers(), model="other"),
        made("none", answers(), revision="r2"),
        made("none", answers(), dtype="bfloat16"),
        made("none", answers(), seed=1),
        made("none", answers(), task="more"),
        made("none", answers(), limit=60),
        made("none", answers(), resolved=False, fingerprint="loose"),
    ]
    row = kept(steered, *others)[steered.fingerprint]
    assert (row["against_base"], row["against_control"]) == (None, None)
    assert row["rank"] is not None
    right = made("none", answers())
    assert kept(right)[steered.fingerprint]["against_base"]["fingerprint"] == right.fingerprint
    newer = made("none", answers(0.9), started="2026-02-02")
    assert kept(newer)[steered.fingerprint]["against_base"]["fingerprint"] == newer.fingerprint


def test_the_best_control_is_of_the_same_data_and_kind(kept: Any, made: Any, told: Any, answers: Any) -> None:
    control = {"role": "control"}

    def one(name: str, share: float, more: Any = control, **where: Any) -> Record:
        record: Record = made(name, answers(share), told(**more), **where)
        return record

    brain = one("nari-general", 0.6, {})
    fair = [one("random-direction", 0.3), one("nari@language", 0.5, region="language"), one("mean", 0.4)]
    better = [
        one("elsewhere", 0.9, learnt_from="other brains"),
        one("older data", 0.9, version=2),
        one("told", 0.9, {**control, "oracle": True}),
        one("tuned", 0.9, {**control, "protocol": "paper"}),
        one("fitted", 0.9, {**control, "seen": 4}),
        one("another brain", 0.9, {}),
        one("model", 0.9, model="other"),
        one("part", 0.9, limit=60),
        one("loose", 0.9, resolved=False, fingerprint="loose"),
    ]
    rows = kept(brain, *fair, *better)
    found = rows[brain.fingerprint]["against_control"]
    assert (found["control"], found["controls"]) == ("nari@language", 3)
    assert found["fingerprint"] == fair[1].fingerprint
    assert isinstance(brain.outcome, TaskScores)
    assert isinstance(fair[1].outcome, TaskScores)
    assert found["difference"] == pytest.approx(brain.outcome.accuracy - fair[1].outcome.accuracy)
    assert found["low"] < found["difference"] < found["high"]
    assert all(rows[record.fingerprint]["against_control"] is None for record in fair)


def test_kept_steerings_stand_beside_controls_of_the_data_that_they_name(
    kept: Any, made: Any, told: Any, answers: Any
) -> None:
    def one(name: str, share: float, **more: Any) -> Record:
        record: Record = made(f"steering:{name}", answers(share), told(**more), learnt_from=None)
        return record

    here, there = {"fitted": {"dataset": "brains"}}, {"fitted": {"dataset": "other brains"}}
    brain, same = one("nari", 0.6, **here), one("random", 0.3, role="control", **here)
    others = [one("other", 0.9, role="control", **there), one("nobody's", 0.9, role="control")]
    found = kept(brain, same, *others)[brain.fingerprint]["against_control"]
    assert (found["fingerprint"], found["controls"]) == (same.fingerprint, 1)


@pytest.mark.parametrize(
    ("kind", "control"),
    [
        ({"oracle": True}, "told"),
        ({"protocol": "paper"}, "tuned"),
        ({"oracle": True, "protocol": "paper"}, None),
        ({"seen": 4}, "fitted"),
    ],
)
def test_what_is_not_ranked_stands_beside_controls_of_its_own_kind(
    kept: Any, made: Any, told: Any, answers: Any, kind: Any, control: str | None
) -> None:
    brain = made("nari", answers(0.9), told(**kind))
    controls = [
        made("honest", answers(0.3), told(role="control")),
        made("told", answers(0.2), told(role="control", oracle=True)),
        made("tuned", answers(0.4), told(role="control", protocol="paper")),
        made("fitted", answers(0.5), told(role="control", seen=2)),
    ]
    found = kept(brain, *controls)[brain.fingerprint]["against_control"]
    assert (found and found["control"]) == control


def test_what_knows_the_answers_is_never_ranked(kept: Any, made: Any, told: Any, answers: Any) -> None:
    unfair = {
        "oracle": told(oracle=True),
        "strength chosen on the test set": told(protocol="paper"),
        "fitted on these items": told(seen=1),
        "not known what it has seen": None,
    }
    base, fair = made("none", answers(0.4)), made("nari-heldout", answers(0.5), told(protocol="fixed"))
    made_unfair = {why: made("nari", answers(0.9), says) for why, says in unfair.items()}
    rows = kept(base, fair, *made_unfair.values())
    assert (rows[fair.fingerprint]["rank"], rows[base.fingerprint]["rank"]) == (1, 1), "as it is: apart"
    assert rows[fair.fingerprint]["unranked"] == rows[base.fingerprint]["unranked"] == []
    for why, record in made_unfair.items():
        row = rows[record.fingerprint]
        assert (row["rank"], row["unranked"]) == (None, [why])
    both = made("nari", answers(0.9), told(oracle=True, seen=3))
    assert kept(both)[both.fingerprint]["unranked"] == ["oracle", "fitted on these items"]


def test_columns_hold_what_the_run_says_of_a_steering(kept: Any, made: Any, told: Any, answers: Any) -> None:
    record = made("nari-general", answers(), told(strength=0.25, steered=7))
    row = kept(record)[record.fingerprint]
    names = ("role", "oracle", "strength", "protocol", "seen", "steered", "steering")
    assert tuple(row[name] for name in names) == ("brain", 0, 0.25, "validation", 0, 7, "5" * 64)
    assert (row["perplexity_before"], row["perplexity_after"]) == (8.0, 10.0)
    without = made("nari-general", answers(), told(perplexity=None))
    assert kept(without)[without.fingerprint]["perplexity_after"] is None
    strange = made("odd", replace(record.outcome, details={"steering": "no dictionary"}))
    assert kept(strange)[strange.fingerprint]["unranked"] == ["not known what it has seen"]


def test_skips_and_failures_are_compared_with_nothing(kept: Any, made: Any, told: Any, answers: Any) -> None:
    brain = made("nari-general", answers(), told())
    skipped = made("nari", Skip("no two people"))
    failed = made("brain-subspace", Failure("task", "OSError", "disk", ""), started="2026-03-03")
    base = made("none", Failure("open", "OSError", "disk", ""))
    rows = kept(brain, skipped, failed, base)
    for record in (skipped, failed, brain):
        row = rows[record.fingerprint]
        assert (row["against_base"], row["against_control"], row["unranked"]) == (None, None, [])
    assert rows[skipped.fingerprint]["rank"] is None


def test_runs_on_other_items_are_not_compared(kept: Any, made: Any, told: Any, answers: Any) -> None:
    """A task without an identity of its own may have changed under its name."""
    base, steered = made("none", answers(problems=50)), made("nari", answers(), told())
    assert kept(base, steered)[steered.fingerprint]["against_base"] is None


def test_some_rows_are_compared_with_all(kept: Any, made: Any, told: Any, answers: Any) -> None:
    base, steered, control = (
        made("none", answers(0.5)),
        made("nari", answers(0.6), told()),
        made("random-direction", answers(0.4), told(role="control")),
    )
    elsewhere = made("none", answers(), task="more")
    rows = kept(base, steered, control, elsewhere, only={steered.fingerprint})
    assert set(rows) == {steered.fingerprint}
    assert rows[steered.fingerprint]["against_base"]["fingerprint"] == base.fingerprint
    assert rows[steered.fingerprint]["against_control"]["control"] == "random-direction"
    assert set(kept(task="more")) == {elsewhere.fingerprint}


def test_a_board_of_before_is_brought_up_to_date(tmp_path: Path, made: Any, answers: Any) -> None:
    """Its rows stay; what was steered then does not say what it has seen, and is no longer ranked."""
    path = tmp_path / "b.db"
    with Leaderboard(path) as store:
        store.add(made("none", answers(0.5)))
        store.add(made("nari", answers(0.9)))
    old = sqlite3.connect(path)
    old.executescript(
        "DROP VIEW idea_standings; DROP TABLE ideas; DROP TABLE idea_records; DROP TABLE validities;"
        "DROP VIEW standings; ALTER TABLE records DROP COLUMN ceiling_question;"
        "CREATE VIEW standings AS SELECT * FROM records;"
        "DROP VIEW task_standings; DELETE FROM _sqlite_migrations WHERE name > 'm005';"
        "ALTER TABLE task_records DROP COLUMN trained; ALTER TABLE task_records DROP COLUMN training_seed;"
        "CREATE VIEW task_standings AS SELECT * FROM task_records;"
    )
    old.close()
    with Leaderboard.reading(path) as store:
        rows = {row["intervention"]: row for row in store.task_standings()}
    assert (rows["none"]["rank"], rows["nari"]["rank"]) == (1, None)
    assert rows["nari"]["against_base"]["difference"] > 0


def test_the_items_of_a_run_are_read_once_however_often_it_is_compared(
    tmp_path: Path, made: Any, told: Any, answers: Any
) -> None:
    read: list[str] = []
    with Leaderboard(tmp_path / "b.db") as store:
        for task in ("sums", "more"):
            store.add(made("none", answers(0.5), task=task))
            store.add(made("random-direction", answers(0.55), told(role="control"), task=task))
            for at in range(4):
                store.add(made(f"brain {at}", answers(0.6, seed=at), told(), task=task))
        rows = list(task_results.standings(store.db))

        def answers_of(fingerprint: str) -> Answers:
            read.append(fingerprint)
            return task_results.answers(store.db, fingerprint)

        compared = with_comparisons(rows, answers_of, task_results.sources(store.db))
    assert sum(row["against_base"] is not None for row in compared) == 10
    assert sum(row["against_control"] is not None for row in compared) == 8
    assert sorted(read) == sorted(row["fingerprint"] for row in rows)
