"""`run --scorer`, `scorer validate`, `board --scorer` and `list scorers` as people type them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from brainbench.cli import main
from brainbench_leaderboard.store import Leaderboard

ROOT = Path(__file__).parents[2]
TINY, DATASET = "brainbench/tiny", "simulated-creativity"
SHORT = ("--ideas", "2", "--idea-tokens", "8", "--device", "cpu")
PLUGIN = '''
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from brainbench import hookimpl
from brainbench.ideas import Rated, Response
from brainbench.nouns import Identity
from brainbench.stimuli import Message, Stimulus

@dataclass(frozen=True)
class Length:
    """Letters of a text."""
    name: str = "length"
    version: int = 1
    helper: str = "brainbench/tiny"
    helps: str = "answers"
    scale: tuple = (0.0, 1e6)
    questions: tuple = ()
    rubbish: bool = False
    def using(self, helper):
        return replace(self, helper=helper)
    def identity(self):
        return Identity({})
    def score(self, responses, helper, reporter, kept):
        kept.mkdir(parents=True, exist_ok=True)
        with (kept / "asked").open("a") as stream:
            stream.write(f"{len(responses)}\\n")
        return [-1.0 if self.rubbish else float(len(response.text)) for response in responses]
    def held_out(self, reporter):
        """Longer is better, mostly, for bricks alone."""
        bricks = [Rated(Response("brick", "x" * n), float(n + 6 * (n % 2))) for n in range(1, 25)]
        return tuple([*bricks, *(Rated(Response("sock", "y" * n), float(n % 5)) for n in range(1, 25))])

@dataclass(frozen=True)
class Drifting(Length):
    """Nobody knows what it is tomorrow."""
    def identity(self):
        return Identity({}, resolved=False)
    def score(self, responses, helper, reporter, kept):
        assert kept is None
        return [float(len(response.text)) for response in responses]

ASKED = Stimulus("own", (Message("user", "Say a word."),), "Say a word.", "Say a word.")

@hookimpl
def register_scorers(register):
    register(Length())
    register(Length(name="lost", helper=""))
    register(Length(name="rubbish", rubbish=True))
    register(Length(name="encoder", helps="embeds", helper="example/letter-counts"))
    register(Length(name="own", questions=(ASKED,)))
    register(Drifting(name="drifting"))
'''


@pytest.fixture(scope="module", autouse=True)
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The example plugin, and one with scorers of all kinds, as an installer would put them on the path."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "tests/example_plugin/brainbench_example.py", site)
    (site / "length_scorers.py").write_text(PLUGIN)
    for name, line in (("example", "example = brainbench_example"), ("lengths", "lengths = length_scorers")):
        info = site / f"brain_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: brain-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[brainbench]\n{line}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setenv("BRAINBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
    for name in ("length_scorers", "brainbench_example"):
        sys.modules.pop(name, None)


def typed(*arguments: str, db: Path) -> Result:
    return CliRunner().invoke(main, [*arguments, "--db", str(db)])


def asked(*arguments: str, db: Path) -> Result:
    return typed("run", "--model", TINY, "--dataset", DATASET, "--metric", "none", *SHORT, *arguments, db=db)


@pytest.fixture(scope="module")
def done(plugins: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The embedded model's ideas, scored by two scorers."""
    db = tmp_path_factory.mktemp("ideas") / "b.db"
    found = asked("--scorer", "example/surprise", "--scorer", "length", db=db)
    assert found.exit_code == 0, found.output
    return db, found


def said(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_run_scores_the_models_own_texts_and_keeps_each(done: tuple[Path, Result]) -> None:
    with Leaderboard.reading(done[0]) as store:
        length, surprise = sorted(store.idea_standings(), key=lambda row: row["scorer"], reverse=True)
        ideas, again = store.ideas(length["fingerprint"]), store.ideas(surprise["fingerprint"])
    assert (length["items"], length["texts"], length["helper"]) == (23, 46, TINY)
    assert [score for _, _, score in ideas] == [float(len(idea.text)) for idea, _, _ in ideas]
    assert {idea.draw for idea, _, _ in ideas} == {0, 1}
    assert len({about for _, about, _ in ideas}) == 23
    assert [idea for idea, _, _ in ideas] == [idea for idea, _, _ in again]  # written once, scored twice
    assert len({idea.text for idea, _, _ in ideas}) > 10
    assert length["details"]["texts"] == 46
    assert set(length["details"]["by"]) == {about for _, about, _ in ideas}
    assert 0 < surprise["score"] < 10


def test_the_table_says_which_scorer_and_how_valid_it_is(done: tuple[Path, Result]) -> None:
    assert "2 cells: 2 computed" in done[1].stderr
    shown = " ".join(done[1].stdout.split())
    assert "simulated-creativity v1, length v1 with brainbench/tiny; texts: 2 each" in shown
    assert "not validated: brainbench scorer validate length@brainbench/tiny" in shown
    assert "no ratings" in shown  # for the example's, to which nobody can be compared


def test_what_is_there_is_not_asked_again(done: tuple[Path, Result]) -> None:
    again = asked("--scorer", "length@brainbench/tiny", db=done[0])
    assert "1 cell: 0 computed, 1 were there" in again.stderr
    assert "surprise" not in again.stdout


def test_a_validation_is_kept_and_stands_beside_the_score(done: tuple[Path, Result], tmp_path: Path) -> None:
    db = Path(shutil.copy(done[0], tmp_path / "b.db"))
    part = json.loads(typed("scorer", "validate", "length", "--limit", "30", "--json", db=db).stdout)
    assert (part["responses"], part["held_out"]) == (30, 48)
    first = typed("scorer", "validate", "length", db=db)
    assert first.exit_code == 0, first.output
    assert "mean within objects" in first.stdout
    with Leaderboard.reading(db) as store:
        row = next(row for row in store.idea_standings() if row["scorer"] == "length")
    told = json.loads(typed("scorer", "validate", "length", "--json", db=db).stdout)
    assert told["responses"] == 48
    assert row["validity"] == told["pearson"]["r"]
    assert row["validity_by_object"] == told["by_object_mean"]["r"]
    assert told["by_object"]["brick"]["r"] > 0.8
    assert told["by_object"]["sock"]["r"] < 0.3
    assert "No result is called 'nobody'" in said(typed("board", "--scorer", "nobody", db=db))
    board = typed("board", "--scorer", "length", db=db)
    assert "not validated" not in board.stdout
    assert f".{round(1000 * told['pearson']['r'])} [" in board.stdout
    assert "surprise" not in board.stdout
    (only,) = json.loads(typed("board", "--scorer", "length", "--json", db=db).stdout)
    assert only["kind"] == "ideas"


def test_a_judge_that_cannot_be_pinned_down_is_validated_each_time_and_its_validity_shown(
    tmp_path: Path,
) -> None:
    db = tmp_path / "b.db"
    for _ in range(2):
        found = typed("scorer", "validate", "drifting", "--json", db=db)
        assert found.exit_code == 0, found.output
        assert "could not be pinned down" in found.stderr
    assert asked("--scorer", "drifting", db=db).exit_code == 0
    with Leaderboard.reading(db) as store:
        (row,) = store.idea_standings()
    assert row["validity"] == pytest.approx(json.loads(found.stdout)["pearson"]["r"])
    assert not row["resolved"]


def test_a_validation_that_is_there_is_only_shown(tmp_path: Path) -> None:
    db, seen = tmp_path / "b.db", []
    for more in ((), (), ("--limit", "10"), ("--again",)):
        found = typed("scorer", "validate", "length", *more, db=db)
        assert found.exit_code == 0, found.output
        with Leaderboard.reading(db) as store:
            (row,) = store.db.query("SELECT responses, provenance FROM validities")
        assert row["responses"] == 48
        seen.append(row["provenance"])
    assert seen[0] == seen[1] == seen[2] != seen[3]


def test_a_scorer_with_questions_of_its_own_needs_no_dataset(tmp_path: Path) -> None:
    db = tmp_path / "b.db"
    found = typed("run", "--model", TINY, "--scorer", "own", *SHORT, db=db)
    assert found.exit_code == 0, found.output
    assert "the scorer's own questions" in found.stdout
    with Leaderboard.reading(db) as store:
        (row,) = store.idea_standings()
    assert (row["dataset"], row["texts"], row["items"]) == (None, 2, 1)
    assert (row["low"], row["high"]) == (row["scale_low"], row["scale_high"])  # of one question: unknown


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--scorer", "lenght"), 2, "There is no scorer called 'lenght'. Did you mean 'length'?"),
        (("--scorer", "lost"), 2, "The scorer 'lost' needs a model to help it."),
        (("--scorer", "lost@no-such-model"), 2, "There is no model called 'no-such-model'."),
        (("--scorer", "encoder"), 1, "which is to help encoder, cannot embed sentences."),
        (
            ("--scorer", "length@example/letter-counts"),
            1,
            "example/letter-counts, which is to help length, cannot",
        ),
        (("--scorer", "rubbish"), 1, "Scorer rubbish gave the score -1.0; its scale is 0 to 1e+06."),
        (("--scorer", "length", "--top-p", "0"), 2, "'--top-p'"),
        (("--scorer", "length", "--temperature", "nan"), 2, "--temperature nan is no finite number."),
    ],
)
def test_bad_input_is_one_sentence(
    done: tuple[Path, Result], tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    found = asked(*arguments, db=tmp_path / "b.db")
    assert found.exit_code == code, found.output
    assert words in said(found)
    assert "Traceback" not in found.output


def test_what_cannot_be_scored_or_validated_is_refused(tmp_path: Path) -> None:
    db = tmp_path / "b.db"
    dull = typed("run", "--model", TINY, "--dataset", "simulated-deduction", "--scorer", "length", db=db)
    assert dull.exit_code == 2
    assert "no chosen dataset asks for any. Add one that does, as in --dataset" in said(dull)
    unrated = typed("scorer", "validate", "example/surprise", db=db)
    assert unrated.exit_code == 1
    assert "no human ratings" in said(unrated)


def test_scorers_are_listed_with_what_helps_them(tmp_path: Path) -> None:
    rows: Any = json.loads(CliRunner().invoke(main, ["list", "scorers", "--json"]).stdout)["scorers"]
    by_name = {row["name"]: row["what"] for row in rows}
    assert by_name["encoder"].startswith("v1; scores 0 to 1e+06 with a model that embeds sentences")
    assert "named as lost@model" in by_name["lost"]
    assert "a model that answers, by default brainbench/tiny" in by_name["example/surprise"]
