"""What fine-tuning did: trainings pooled by arm, whom an arm is compared with, its one rank, and its line."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import t

from brainbench.cli import main
from brainbench.records import Failure, Record, Skip
from brainbench_leaderboard import task_views
from brainbench_leaderboard.site import table_pages
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.tuned_view import _shared, _without

CONTROL = {"role": "control"}
OTHERWISE = {"settings": {"epochs": 100, "rate": 3e-4, "items": "all"}}
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"
SHARES = {"narf-label": 0.75, "label-only": 0.7, "narf-label-random-fmri": 0.65, "narf-label-one-hot": 0.72}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "b.db"


@pytest.fixture
def kept(path: Path) -> Any:
    """The rows of a board with these records, by fingerprint."""

    def kept(*records: Record, **chosen: Any) -> dict[str, dict[str, Any]]:
        with Leaderboard(path) as store:
            for record in records:
                store.add(record)
            return {row["fingerprint"]: row for row in store.task_standings(**chosen)}

    return kept


@pytest.fixture
def shown(path: Path) -> Any:
    """What `brainbench board` prints of what is kept."""

    def shown(width: int = 140) -> str:
        found = CliRunner().invoke(main, ["board", "--db", str(path)], env={"COLUMNS": str(width)})
        assert found.exit_code == 0, found.output
        return found.stdout

    return shown


@pytest.fixture
def tables(answers: Any) -> dict[tuple[str, int], Any]:
    """Answers of three trainings of an arm and of three controls."""
    return {
        (name, seed): answers(share + 0.02 * seed, seed=10 * at + seed)
        for at, (name, share) in enumerate(SHARES.items())
        for seed in range(3)
    }


@pytest.fixture
def arms(trained: Any, tables: Any) -> dict[tuple[str, int], Record]:
    told: Any = {"narf-label": {}}
    return {
        (name, seed): trained(name, table, seed, told.get(name, CONTROL))
        for (name, seed), table in tables.items()
    }


def by_hand(tables: Any, before: list[Any], name: str) -> dict[str, Any]:
    """The mean change over seeds and its interval, from the sums of squares of its analysis of variance."""
    changes = np.array([(tables[name, seed].astype(float) - before[seed]).mean(axis=1) for seed in range(3)])
    seeds, problems = changes.shape
    rows, columns, mean = changes.mean(axis=1), changes.mean(axis=0), changes.mean()
    left = changes - rows[:, None] - columns[None] + mean
    squares = np.array([problems * rows.var(ddof=1), seeds * columns.var(ddof=1), (left**2).sum() / 2 / 59])
    first, second, rest = squares
    if min(first, second) > rest:
        total = first + second - rest
        df = total**2 / (first**2 / 2 + second**2 / 59 + rest**2 / 118)
    else:
        total, df = max(first, second), 2 if first > second else 59
    half = t.ppf(0.975, df) * np.sqrt(total / changes.size)
    return {
        "difference": pytest.approx(mean),
        "low": pytest.approx(mean - half),
        "high": pytest.approx(mean + half),
        "by_seed": pytest.approx(rows.tolist()),
        "sd": pytest.approx(rows.std(ddof=1)),
        "seeds": [0, 1, 2],
    }


def test_an_arm_is_compared_over_all_its_trainings(
    kept: Any, made: Any, answers: Any, arms: Any, tables: Any
) -> None:
    was = answers(0.6)
    rows = kept(made("none", was), *arms.values())
    row = rows[arms["narf-label", 1].fingerprint]
    pooled = row["over_seeds"]
    accuracies = [tables["narf-label", seed].mean() for seed in range(3)]
    assert pooled["seeds"] == [0, 1, 2]
    assert (pooled["accuracy"], pooled["sd"]) == pytest.approx(
        (np.mean(accuracies), np.std(accuracies, ddof=1))
    )
    base, alone, best = (pooled[f"against_{name}"] for name in ("base", "label_only", "control"))
    now = np.array([tables["narf-label", seed] for seed in range(3)])
    for found, before, accuracy in (
        (base, [was] * 3, was.mean()),
        (alone, [tables["label-only", seed] for seed in range(3)], 0.72),
        (best, [tables["narf-label-one-hot", seed] for seed in range(3)], 0.74),
    ):
        expected = by_hand(tables, before, "narf-label")
        assert {name: found[name] for name in expected} == expected
        assert found["accuracy"] == pytest.approx(accuracy, abs=0.003)
        assert found["gain"] == pytest.approx((now & ~np.array(before)).mean())
        assert found["harm"] == pytest.approx((~now & np.array(before)).mean())
    assert (best["control"], best["controls"]) == ("narf-label-one-hot", 3)
    assert pooled["perplexity"] == 1.25
    assert [*pooled["cosine"], *pooled["cosine_heldout"]] == pytest.approx([0.1, 0.3, 0.1, 0.125])
    assert (pooled["epochs"], pooled["train_seconds"]) == (12, 75)
    assert row["against_base"]["difference"] == pytest.approx(accuracies[1] - was.mean())
    assert row["against_control"]["accuracy"] == pytest.approx(tables["narf-label-one-hot", 1].mean())
    control = rows[arms["narf-label-random-fmri", 0].fingerprint]["over_seeds"]
    assert control["against_label_only"]["difference"] == pytest.approx(-0.05, abs=0.003)
    assert control["against_control"] is None
    assert rows[arms["label-only", 0].fingerprint]["over_seeds"]["against_label_only"] is None
    one = kept(only={arms["narf-label", 2].fingerprint})
    assert next(iter(one.values()))["over_seeds"] == pooled


def test_controls_share_seed_settings_data_kind_and_the_arms_name(
    kept: Any, made: Any, told: Any, answers: Any, trained: Any
) -> None:
    def one(name: str, share: float, seed: int = 0, more: Any = CONTROL, **where: Any) -> Record:
        record: Record = trained(name, answers(share), seed, more, **where)
        return record

    arm, plain = one("narf-label", 0.6, 0, {}), one("narf", 0.6, 0, {})
    fair = [one("narf-label-one-hot", 0.3), one("label-only", 0.4)]
    others = [
        one("narf-random-direction", 0.5),
        one("narf-label-noise", 0.9, 1),
        one("narf-label-noise", 0.9, 0, {**CONTROL, **OTHERWISE}),
        one("narf-label-noise", 0.9, 0, {**CONTROL, "seen": 70}),
        one("narf-label-noise", 0.9, 0, {**CONTROL, "protocol": "paper"}),
        one("narf-label-noise", 0.9, 0, {**CONTROL, "oracle": True}),
        one("narf-label-noise", 0.9, version=2),
        one("narf-label-noise", 0.9, model="other"),
        one("narf-label-noise", 0.9, limit=60),
        one("narflabel", 0.9),
        one("narf-label-noise@weight=0.2", 0.9),
        made("narf-label-steered", answers(0.9), told(role="control")),
    ]
    steered = made("nari", answers(0.6), told())
    heavy = one("narf-label@weight=0.2@rate=1e-4", 0.6, 0, {})
    rows = kept(arm, plain, *fair, *others, steered, heavy)
    found = rows[heavy.fingerprint]["over_seeds"]["against_control"]
    assert (found["control"], found["controls"]) == ("narf-label-noise@weight=0.2", 2)
    found = rows[arm.fingerprint]
    assert (found["against_control"]["control"], found["against_control"]["controls"]) == ("label-only", 2)
    assert found["over_seeds"]["against_control"]["controls"] == 2
    assert found["over_seeds"]["against_base"] is None
    found = rows[plain.fingerprint]["over_seeds"]
    assert (found["against_control"]["control"], found["against_control"]["controls"]) == (
        "narf-random-direction",
        2,
    )
    assert found["against_label_only"]["accuracy"] == pytest.approx(0.4)
    assert rows[steered.fingerprint]["against_control"]["control"] == "narf-label-steered"
    assert rows[steered.fingerprint]["over_seeds"] is None
    seen = one("narf-label", 0.9, 0, {"seen": 70})
    found = kept(seen)[seen.fingerprint]["against_control"]
    assert (found["control"], found["controls"]) == ("narf-label-noise", 1)


def test_only_trainings_of_the_same_seed_are_paired(
    kept: Any, shown: Any, answers: Any, trained: Any
) -> None:
    records = {
        (name, seed): trained(
            name, answers(share + 0.1 * seed, seed=seed), seed, {} if name == "narf" else CONTROL
        )
        for name, share, seeds in (("narf", 0.5, (0, 1, 2)), ("narf-a", 0.3, (1, 2)), ("narf-b", 0.6, (0,)))
        for seed in seeds
    }
    pooled = kept(*records.values())[records["narf", 0].fingerprint]["over_seeds"]
    found = pooled["against_control"]
    assert (found["control"], found["controls"], found["seeds"]) == ("narf-a", 1, [1, 2])
    assert found["by_seed"] == pytest.approx([0.2, 0.2], abs=0.01)
    assert pooled["seeds"] == [0, 1, 2]
    assert "2 of 3 seeds" in shown()
    assert "left as it was" not in shown()
    for seed in (0, 1):
        again = {"training": {"epochs": 9, "best_epoch": 0}}
        kept(trained("narf", answers(0.5), seed, again, started="2026-02-02"))
    assert "left as it was in 2 of 3" in shown()


def test_an_arm_has_one_rank_by_its_mean_however_many_its_trainings(
    kept: Any, made: Any, answers: Any, trained: Any
) -> None:
    lucky = [trained("narf", answers(share), seed, {}) for seed, share in enumerate((0.9, 0.3, 0.3))]
    steady = [trained("narf-label", answers(share), seed, {}) for seed, share in enumerate((0.6, 0.7, 0.65))]
    unfair = [trained("narf-label", answers(0.95), 0, more) for more in ({"protocol": "paper"}, {"seen": 3})]
    untold = trained("narf", answers(0.95), 0, {"oracle": None})
    base, weak = made("none", answers(0.55)), made("none", answers(0.2), model="weaker")
    rows = kept(*lucky, *steady, *unfair, untold, base, weak)
    ranks = [
        [rows[record.fingerprint]["rank"] for record in group] for group in (steady, [base], lucky, [weak])
    ]
    assert ranks == [[1, 1, 1], [1], [2, 2, 2], [2]], "models as they are have ranks of their own"
    assert [rows[one.fingerprint]["tied"] for one in (steady[0], base, *lucky)] == [1, 1, 2, 2, 2]
    reasons = [rows[record.fingerprint]["unranked"] for record in (*unfair, untold)]
    assert reasons == [
        ["stopped on the test set"],
        ["trained on these items"],
        ["not known what it has seen"],
    ]
    assert all(rows[record.fingerprint]["rank"] is None for record in (*unfair, untold))


def test_of_one_seed_the_newest_result_counts(kept: Any, shown: Any, answers: Any, trained: Any) -> None:
    old = trained("narf", answers(0.9), 0, {"fingerprint": "b" * 64}, started="2026-01-01")
    new = [trained("narf", answers(0.5), seed, {}, started="2026-02-02") for seed in (0, 1)]
    rows = kept(old, *new)
    assert rows[old.fingerprint]["unranked"] == ["there is a newer result"]
    assert [rows[record.fingerprint]["rank"] for record in (old, *new)] == [None, 1, 1]
    assert rows[new[0].fingerprint]["over_seeds"]["accuracy"] == 0.5
    assert rows[old.fingerprint]["over_seeds"] == rows[new[0].fingerprint]["over_seeds"]
    text = shown()
    assert "1 older result left out" in text
    assert rows[new[0].fingerprint]["against_control"] is None
    controls = [
        trained("narf-a", answers(share), 0, {**CONTROL, "fingerprint": str(share)}, started=started)
        for share, started in ((0.9, "2026-01-01"), (0.4, "2026-02-02"))
    ]
    found = kept(*controls)[new[0].fingerprint]["against_control"]
    assert (found["accuracy"], found["controls"]) == (0.4, 1)
    assert len(re.findall(r"^.*narf .*$", text, re.MULTILINE)) == 1
    assert "newer result" not in text


def test_the_best_mean_comes_first_also_where_nothing_has_a_rank(
    kept: Any, shown: Any, answers: Any, trained: Any
) -> None:
    """The rows come by their own accuracy: one lucky training does not lead."""
    lucky = [trained("narf", answers(share), seed, {"seen": 1}) for seed, share in enumerate((0.9, 0.3))]
    steady = [trained("narf-label", answers(0.7), seed, {"seen": 1}) for seed in (0, 1)]
    guided = trained("narf-b", answers(0.8), 0, {**CONTROL, "seen": 1})
    kept(*lucky, *steady, guided)
    assert re.findall(r"^ *(narf\S*) +0", shown(), re.MULTILINE) == ["narf-label", "narf", "narf-b"]


def test_a_narrow_terminal_gets_two_tables_each_of_what_it_holds(
    kept: Any, shown: Any, made: Any, answers: Any, arms: Any, trained: Any
) -> None:
    kept(made("none", answers(0.6)), *arms.values(), trained("narf-label-other-person", Skip("alone.")))
    first, _, second = shown(80).partition("brain epochs,")
    assert re.search("over +over best", first)
    assert "before training" in first
    assert "other-" in first
    assert first.count("label-only ") > second.count("label-only ") > 0
    second = second.partition("accuracy:")[0]
    assert "before training" not in second
    assert "other-" not in second
    assert ".100→.300" in second


def test_columns_hold_what_the_run_says(kept: Any, answers: Any, trained: Any) -> None:
    record = trained("narf-label", answers(), 7, {})
    row = kept(record)[record.fingerprint]
    names = ("role", "oracle", "protocol", "seen", "tuned", "tuning", "steering", "training_seed", "outdated")
    assert tuple(row[name] for name in names) == ("brain", 0, "validation", 0, 1, "a" * 64, None, 7, 0)
    assert row["arm_settings"] == {"epochs": 100, "rate": 1e-4, "items": "all"}
    assert (row["perplexity_before"], row["perplexity_after"], row["seed"]) == (8.0, 10.0, 0)
    odd: Any = {
        "settings": "none",
        "training": [],
        "brain": {"cosine": ["x", None]},
        "perplexity": None,
        "fitted": 3,
    }
    strange = trained("odd", answers(), 1, odd)
    row = kept(strange)[strange.fingerprint]
    pooled = row["over_seeds"]
    assert row["arm_settings"] is None
    assert {
        pooled[name] for name in ("cosine", "cosine_heldout", "epochs", "train_seconds", "perplexity")
    } == {None}
    assert pooled["sd"] is None


def test_an_older_board_is_brought_up_to_date(
    path: Path, made: Any, told: Any, answers: Any, trained: Any
) -> None:
    with Leaderboard(path) as store:
        for record in (made("none", answers(0.5)), made("nari", answers(0.9), told())):
            store.add(record)
    old = sqlite3.connect(path)
    old.executescript(
        "DROP VIEW task_standings; DELETE FROM _sqlite_migrations WHERE name = 'm006_tuning';"
        "ALTER TABLE task_records DROP COLUMN trained; ALTER TABLE task_records DROP COLUMN training_seed;"
        f"{task_views.STEERED};"
    )
    assert not old.execute("SELECT * FROM task_records WHERE fingerprint = 'trained'").fetchall()
    old.close()
    with Leaderboard(path) as store:
        store.add(trained("narf", answers(0.7), 0, {}))
        rows = {row["intervention"]: row for row in store.task_standings()}
    assert [rows[name]["rank"] for name in ("nari", "narf", "none")] == [1, 2, 1]
    assert (rows["nari"]["tuned"], rows["nari"]["strength"]) == (0, 0.5)


def test_a_person_sees_one_line_an_arm_apart_from_steerings(
    kept: Any, shown: Any, made: Any, told: Any, answers: Any, arms: Any, tables: Any, trained: Any
) -> None:
    more = [
        made("none", answers(0.6)),
        made("nari", answers(0.65), told()),
        trained("narf-label", answers(0.8), 0, OTHERWISE),
        trained("narf-label", answers(0.9), 0, {"protocol": "paper"}),
        trained("narf-label-mean-pattern", answers(0.9), 0, {**CONTROL, "seen": 70}),
        *(trained("narf-label-other-person", Skip("there is one person."), seed) for seed in (0, 1, 2)),
        trained("narf", Failure("intervention", "ModelError", "out of memory.", "Use --batch 1."), 1),
    ]
    rows = kept(*arms.values(), *more)
    text = shown()
    steered, _, tuned = text.partition("m, fine-tuned on brains\n")
    assert "narf" not in steered
    assert "nari" not in tuned
    lines = re.findall(
        r"^ *(\d*) +(before training|narf\S*|label-only) +([\d.]+|skipped|failed)", tuned, re.MULTILINE
    )

    def mean(name: str) -> str:
        return f"{np.mean([tables[name, seed].mean() for seed in range(3)]):.3f}"

    assert lines == [
        ("", "before training", "0.600"),
        ("1", "narf-label", "0.800"),
        ("1", "narf-label", mean("narf-label")),
        ("1", "narf-label-one-hot", mean("narf-label-one-hot")),
        ("1", "label-only", mean("label-only")),
        ("3", "narf-label-random-fmri", mean("narf-label-random-fmri")),
        ("", "narf-label", "0.900"),
        ("", "narf-label-mean-pattern", "0.900"),
        ("", "narf", "failed"),
        ("", "narf-label-other-person", "skipped"),
    ]
    pooled = rows[arms["narf-label", 0].fingerprint]["over_seeds"]

    def short(value: float, sign: str = "") -> str:
        return f"{value:{sign}.3f}".replace("0.", ".")

    here = tuned[tuned.index(mean("narf-label")) : tuned.index("controls")]
    words = [
        f"± {short(pooled['sd'])}",
        "3 seeds",
        "rate 0.0001",
        "best of 3",
        "narf-label-",
        "1.25",
        "1.2 min",
    ]
    words += [".100→.300", "held out", ".100→.125"]
    for name in ("base", "label_only", "control"):
        found = pooled[f"against_{name}"]
        words += [short(found["difference"], "+"), f"[{short(found['low'])},{short(found['high'])}]"]
    for word in words:
        assert word in here, word
    said = " ".join(tuned.split())
    for word in (
        "rate 0.0003",
        "stopped on the test set",
        "trained on these items",
        "seeds 0, 1, 2",
        "seed 1",
    ):
        assert word in said, word
    assert "m + narf-label-other-person on sums: skipped. there is one person." in said
    assert "m + narf on sums: failed. out of memory. Use --batch 1." in said
    assert "fine-tuning, change: mean accuracy minus that of the same model before training" in said


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal_and_intervals_stay_whole(
    kept: Any, shown: Any, made: Any, answers: Any, arms: Any, width: int
) -> None:
    rows = kept(made("none", answers(0.6)), *arms.values())
    text = shown(width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    pooled = [row["over_seeds"] for row in rows.values() if row["over_seeds"]]
    for found in (told for one in pooled for told in one.values() if isinstance(told, dict)):
        limits = f"[{found['low']:.3f},{found['high']:.3f}]".replace("0.", ".")
        assert limits in text or width < 80


def test_the_page_and_the_json_have_the_same_and_what_is_from_outside_is_text(
    path: Path, kept: Any, made: Any, answers: Any, arms: Any, trained: Any
) -> None:
    kept(made("none", answers(0.6)), *arms.values())
    printed = CliRunner().invoke(main, ["board", "--json", "--db", str(path)]).stdout
    (row,) = [
        row
        for row in json.loads(printed)
        if row["tuned"]
        and (row["tuning"], row["intervention"], row["training_seed"]) == ("a" * 64, "narf-label", 2)
    ]
    evil = {"model": EVIL, "task": EVIL, "learnt_from": EVIL, "revision": EVIL, "dtype": EVIL}
    settings = ({"settings": {EVIL: at}, "fingerprint": EVIL} for at in (1, 2))
    strange = [trained(EVIL, answers(), 0, {**CONTROL, **told}, **evil) for told in settings]
    brain = trained("narf", answers(), 0, {"settings": {EVIL: 1}}, **evil)
    named = trained(f"narf-{EVIL}", answers(), 0, {**CONTROL, "settings": {EVIL: 1}}, **evil)
    with Leaderboard(path) as store:
        for record in (*strange, brain, named, trained(EVIL, Skip(EVIL), 1, **evil)):
            store.add(record)
        text = "".join(str(page) for _, page in table_pages.files(Board.of(store)))
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    assert "m, fine-tuned on brains" in plain
    found = row["over_seeds"]["against_control"]
    for word in ("3 seeds", "best of 3", ".100→.300", f"{row['over_seeds']['accuracy']:.3f}"):
        assert word in plain, word
    assert f"[{found['low']:.3f},{found['high']:.3f}]".replace("0.", ".") in plain
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") > 8
    assert "{{ 7 * 7 }}" in text


def test_settings_that_all_share_are_said_once() -> None:
    names = {"narf@rate=1e-3@extra=4", "label-only@extra=4@rate=1e-3", "narf@rate=1e-3@extra=4@md"}
    assert _shared(names) in {("rate=1e-3", "extra=4"), ("extra=4", "rate=1e-3")}
    assert _shared({"narf@rate=1e-3"}) == ()  # nothing to tell it from: the name says it
    assert _shared({"narf@rate=1e-3", "label-only"}) == ()
    told = {"over_seeds": {"against_control": {"control": "label-only@rate=1e-3", "controls": 1}}}
    row = _without(("rate=1e-3",), {"intervention": "narf@md@rate=1e-3", **told})
    assert row["intervention"] == "narf@md"
    assert row["over_seeds"]["against_control"] == {"control": "label-only", "controls": 1}
    alone = {"intervention": "narf@rate=1e-3", "over_seeds": None}
    assert _without((), alone) == alone
