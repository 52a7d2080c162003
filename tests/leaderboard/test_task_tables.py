"""What a person sees of steered tasks: in a terminal of any width, as JSON, and on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from brainbench.cli import main
from brainbench.records import Failure, Record, Skip
from brainbench_leaderboard.site import table_pages
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.store import Leaderboard

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"


@pytest.fixture
def board(tmp_path: Path) -> Callable[..., str]:
    """What `brainbench board` prints of these records."""

    def board(*records: Record, width: int = 100, options: tuple[str, ...] = ()) -> str:
        with Leaderboard(tmp_path / "b.db") as store:
            for record in records:
                store.add(record)
        typed = ["board", *options, "--db", str(tmp_path / "b.db")]
        found = CliRunner().invoke(main, typed, env={"COLUMNS": str(width)})
        assert found.exit_code == 0, found.output
        return found.stdout

    return board


@pytest.fixture
def several(made: Any, told: Any, answers: Any) -> list[Record]:
    """A model as it is, and steered in every way."""
    control = {"role": "control", "perplexity": None}
    kinds: list[tuple[str, float, dict[str, Any]]] = [
        ("nari", 0.95, {"oracle": True}),
        ("other-person", 0.92, {**control, "oracle": True}),
        ("nari-general", 0.90, {"protocol": "paper", "strength": 0.3}),
        ("nari-heldout", 0.85, {"seen": 180, "steered": 34}),
        ("random-fmri-mean", 0.50, control),
        ("random-direction", 0.55, control),
        ("nari-general", 0.70, {}),
        ("brain-subspace", 0.65, {"strength": 2.0}),
    ]
    steered = [
        made(name, answers(share, seed=at), told(**more)) for at, (name, share, more) in enumerate(kinds)
    ]
    return [made("none", answers(0.6)), *steered, made("none", answers(0.99), model="stronger")]


def published(store: Leaderboard) -> str:
    """All pages of tables, one behind the other."""
    return "".join(str(page) for _, page in table_pages.files(Board.of(store)))


def order(text: str, *words: str) -> list[int]:
    return [text.index(word) for word in words]


def test_the_model_comes_first_then_brains_then_controls_and_oracles_under_a_line(
    board: Any, several: Any
) -> None:
    text = board(*several)
    models, _, steered = text.partition("m, steered, learnt from brains")
    assert "nari" not in models
    assert "stronger" in models
    places = order(
        steered,
        *("unsteered", "brain-guided", "nari-general", "brain-subspace", "controls"),
        *("not ranked", "strength 0.3,", "fitted on these", "oracles", "nari  ", "other-person  "),
    )
    assert places == sorted(places)
    rule = re.compile(r"^─+$", re.MULTILINE)
    between = steered[steered.index("random-fmri-mean  ") : steered.index("not ranked")]
    assert rule.search(between)
    assert rule.search(steered[steered.index("fitted on these") : steered.index("oracles")])
    ranks = re.findall(r"^ ?(\d) +(\S+)", steered, re.MULTILINE)
    assert ranks == [
        ("2", "nari-general"),
        ("2", "brain-subspace"),
        ("2", "random-direction"),
        ("3", "random-fmri-mean"),
    ]


def test_what_is_learnt_from_simulated_brains_says_so_and_a_chosen_strength_is_shown(
    board: Any, made: Any, told: Any, answers: Any
) -> None:
    real = made("nari-general", answers(), told(strength=1.0, fitted={"simulated": False}))
    text = board(real)
    assert "which is simulated" not in text
    assert re.search(r"strength 1\s", text)
    made_up = made("nari-general", answers(), told(strength=1.0, fitted={"simulated": True}))
    assert "learnt from brains, which is simulated" in board(made_up)


def test_a_steering_that_is_applied_as_fitted_has_no_strength(
    board: Any, made: Any, told: Any, answers: Any
) -> None:
    text = board(made("nari-heldout", answers(), told(strength=1.0, protocol="fixed")))
    assert "nari-heldout" in text
    assert "strength" not in text


def test_numbers_of_the_table_are_those_of_the_rows(board: Any, several: Any) -> None:
    rows = json.loads(board(*several, options=("--task", "sums", "--json")))
    (row,) = [row for row in rows if row["intervention"] == "brain-subspace"]
    base, control = row["against_base"], row["against_control"]
    text = board()
    steered = text[text.index("brain-subspace") : text.index("controls", text.index("brain-subspace"))]

    def short(value: float, sign: str = "") -> str:
        return f"{value:{sign}.3f}".replace("0.", ".")

    for words in (
        short(base["difference"], "+"),
        f"[{short(base['low'])},{short(base['high'])}]",
        short(base["gain"], "+"),
        short(-base["harm"], "+"),
        short(base["mcnemar_p"]),
        short(base["problems_p"]),
        short(control["difference"], "+"),
        f"[{short(control['low'])},{short(control['high'])}]",
        "random-direction",
        "best of 2",
        "1.25",
        "strength 2",
    ):
        assert words in steered, words
    assert "it is picked by its accuracy on these very items" in " ".join(text.split())


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(
    board: Any, several: Any, made: Any, answers: Any, width: int
) -> None:
    long = made("none", answers(), model="an-organisation/a-model-with-a-long-name-8B-Instruct")
    text = board(*several, long, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    kept = "".join(text.split())
    rows = json.loads(board(options=("--json",)))
    for row in rows:
        assert f"{row['accuracy']:.3f}" in kept
    if width >= 80:
        for row in rows:
            for told in filter(None, (row["against_base"], row["against_control"])):
                limits = f"[{told['low']:.3f},{told['high']:.3f}]".replace("0.", ".")
                assert limits in text


def test_what_cannot_be_compared_has_a_dash_and_the_way_to_get_it(
    board: Any, made: Any, told: Any, answers: Any
) -> None:
    text = board(made("nari-general", answers(), told()))
    said = " ".join(text.split())
    assert re.search(r"unsteered +-", text)
    assert re.search(r"nari-general +0\.\d{3}( +-){4}", text)
    assert "`--intervention none` makes one" in said
    assert "`--intervention random-direction` makes one" in said
    assert "always True" in text
    both = board(made("none", answers()), made("random-direction", answers(), told(role="control")))
    assert "makes one" not in both


def test_skipped_and_failed_steerings_have_their_reasons(board: Any, made: Any, told: Any) -> None:
    text = board(
        made("nari", Skip("it needs two people")),
        made("none", Failure("task", "OSError", "the disk is full.", "Make room.")),
    )
    assert re.search(r"nari +skipped", text)
    assert "m + nari on sums: skipped. it needs two people" in text
    assert "m on sums: failed. the disk is full. Make room." in text
    assert "0.000" not in text


@pytest.mark.parametrize("width", [30, 100])
def test_a_board_of_skipped_steerings_alone_has_their_reasons(
    width: int, board: Any, made: Any, tmp_path: Path
) -> None:
    text = board(made("nari@nowhere", Skip("there is no nowhere")), width=width)
    assert "there is no nowhere" in " ".join(text.split())
    assert "greedy" not in text
    with Leaderboard(tmp_path / "b.db") as store:
        page = published(store)
    assert "there is no nowhere" in page
    assert "models as they are" not in page


def test_what_was_kept_stands_apart_and_says_what_it_was_learnt_from(
    board: Any, made: Any, told: Any, answers: Any, tmp_path: Path
) -> None:
    facts = {"dataset": "brains", "simulated": True}
    kept = made("steering:a@1", answers(), told(fitted=facts, role="brain"), learnt_from=None)
    other = made("steering:b@2", answers(), told(fitted={"dataset": ["?"]}, role="control"), learnt_from=None)
    fresh = made("random-direction", answers(), told(role="control"))
    text = board(kept, other, fresh)
    heading = "m, steered by what was kept, learnt from brains, which is simulated"
    assert heading in text
    assert "m, steered, learnt from brains\n" in text
    with Leaderboard(tmp_path / "b.db") as store:
        shown = published(store)
    assert shown.count("SIMULATED data.") == 1
    assert shown.index(heading) < shown.index("SIMULATED data.") < shown.index("<h2>m, steered</h2>")
    assert "m, steered\n" in text
    assert "`brainbench steer fit`" in text


def test_a_steering_that_ended_early_stands_with_the_others_of_its_model(
    board: Any, made: Any, told: Any, answers: Any
) -> None:
    early = made("nari", Failure("open", "OSError", "no disk", ""), revision=None, dtype=None)
    text = board(made("none", answers()), early, made("nari-heldout", answers(0.5), told()))
    assert text.count("steered, learnt from") == 1
    assert text.index("nari-heldout") < text.index("failed")


def test_models_and_data_of_one_name_are_told_apart(board: Any, made: Any, told: Any, answers: Any) -> None:
    text = board(
        made("nari", answers(), told(), revision="r1"),
        made("nari", answers(), told(), revision="r2"),
        made("nari", answers(), told(), revision="r2", learnt_from="other brains", dtype="bfloat16"),
        made("nari", answers(0.1), told(fingerprint="7" * 64), revision="r1", version=2),
    )
    assert "m, r1, seed 0, steered, learnt from brains" in text
    assert "m, r2, seed 0, steered, learnt from brains" in text
    assert "m, r2, seed 0, bfloat16, steered, learnt from other brains" in text
    assert "steering 55555555" in text
    assert "steering 77777777" in text


def test_json_has_what_the_tables_have_and_only_one_task_where_asked(
    board: Any, several: Any, made: Any, answers: Any
) -> None:
    rows = json.loads(
        board(*several, made("none", answers(), task="more"), options=("--task", "sums", "--json"))
    )
    assert {row["task"] for row in rows} == {"sums"}
    by_reason = {tuple(row["unranked"]) for row in rows}
    assert by_reason == {(), ("oracle",), ("strength chosen on the test set",), ("fitted on these items",)}
    assert all(row["against_base"] for row in rows if row["intervention"] != "none")
    wanted = {
        "fingerprint",
        "accuracy",
        "difference",
        "low",
        "high",
        "gain",
        "harm",
        "mcnemar_p",
        "problems_p",
    }
    (row,) = [row for row in rows if row["intervention"] == "brain-subspace"]
    assert set(row["against_base"]) == wanted
    assert set(row["against_control"]) == wanted | {"control", "controls"}


def test_the_page_has_the_tables_in_the_same_order_and_what_is_from_outside_is_text(
    tmp_path: Path, several: Any, made: Any, told: Any, answers: Any
) -> None:
    with Leaderboard(tmp_path / "b.db") as store:
        for record in several:
            store.add(record)
        text = published(store)
        assert "No results yet" not in text
        plain = re.sub(r"<[^>]*>", " ", text).replace("&#39;", "'")
        places = order(
            plain[plain.index("m, steered, learnt from brains") :],
            *("unsteered", "brain-guided", "brain-subspace", "controls", "not ranked", "oracles"),
        )
        assert places == sorted(places)
        for words in ("Task sums v1", "always True", "best of 2", "strength chosen on the test set", "1.25"):
            assert words in plain
        evil = {"model": EVIL, "task": EVIL, "learnt_from": EVIL, "revision": EVIL, "dtype": EVIL}
        store.add(made("none", answers(), **evil))
        store.add(made(EVIL, answers(), told(fingerprint=EVIL, role="control"), **evil))
        store.add(made("nari", answers(), told(fingerprint=EVIL), **evil))
        store.add(made("nari", Skip(EVIL), **{**evil, "started": "2"}))
        text = published(store)
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") > 8
    assert "{{ 7 * 7 }}" in text
