"""`brainbench steer` as people type it, on the embedded model and a simulated brain."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from brainbench.cli import main
from brainbench.steering import Addition, Steering
from brainbench.steering_exchange import write_control_vector, write_lm_eval
from brainbench.steering_files import load, save
from brainbench_leaderboard.store import Leaderboard

TINY, GUIDE = "brainbench/tiny", "simulated-deduction-guide"
FIT = ("fit", "--model", TINY, "--dataset", GUIDE, "--intervention")
WIDTH = 128


def typed(*arguments: object, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(
        main, ["steer", *map(str, arguments)], prog_name="brainbench", input=stdin, env={"COLUMNS": "120"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def said(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    if code:
        assert result.stderr.count("Error: ") == 1
        assert not result.stdout
    return result.output


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A steering and what fitting it printed."""
    folder = tmp_path_factory.mktemp("steer") / "kept"
    return folder, said(typed(*FIT, "nari-general", "--out", folder))


@pytest.fixture
def pushes(tmp_path: Path) -> Path:
    """A random steering of the embedded model's width that acts everywhere."""
    rng = np.random.default_rng(0)
    changes = {f"layer.{at}": Addition(rng.normal(size=WIDTH), 0.5) for at in (1, 2)}
    save(Steering(changes, "all"), tmp_path / "pushes")
    return tmp_path / "pushes"


def asked(path: Path, *more: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(typed("apply", path, "--model", TINY, "--json", *more)))
    return found


def test_fitting_keeps_a_steering_and_says_what_it_is_and_what_to_do_with_it(
    fitted: tuple[Path, str],
) -> None:
    folder, words = fitted
    steering = load(folder)
    assert steering.fingerprint in words
    for part in (
        "syllogism, any other",
        "attention.2",
        "responses, behaviour, labels",
        "the last token of the prompt",
        "simulated-deduction-guide v1 (SIMULATED), region reasoning: 70 items, 8 people",
        "nari-general v1",
        "brainbench/tiny, revision sha256:",
        "guided by the brain",
    ):
        assert part in words
    assert f"brainbench steer apply {folder} --model {TINY}" in words.replace("\n", " ")
    facts = steering.facts
    assert facts["role"] == "brain"
    assert facts["model"]["name"] == TINY
    assert facts["data"]["name"] == GUIDE
    assert len(facts["fitted_on"]) == 70


def test_the_same_fit_gives_the_same_steering(fitted: tuple[Path, str], tmp_path: Path) -> None:
    said(typed(*FIT, "nari-general", "--out", tmp_path / "again"))
    assert load(tmp_path / "again").fingerprint == load(fitted[0]).fingerprint


def test_a_steering_is_replaced_only_by_force(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    said(typed(*FIT, "random-direction", "--out", kept))
    first = load(kept).fingerprint
    again = (*FIT, "random-direction", "--out", kept, "--where", "all")
    assert "--force" in said(typed(*again), 2)
    assert load(kept).fingerprint == first
    assert "also those after the prompt" in said(typed(*again, "--force"))
    assert load(kept).where == "all"
    (tmp_path / "file").write_text("mine")
    assert "is a file" in said(typed(*FIT, "nari", "--out", tmp_path / "file", "--force"), 2)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("out", ["file/kept", "closed/kept", "closed"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_fit(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "file").chmod(0o755)
    (tmp_path / "closed").mkdir()
    may = os.access  # asked: whoever runs the tests may be allowed everything

    def closed(at: Any, mode: int) -> bool:
        return may(at, mode) and not (Path(at).name == "closed" and mode & os.W_OK)

    monkeypatch.setattr(os, "access", closed)
    words = said(typed("fit", "--model", "no/such", *FIT[3:], "nari", "--out", tmp_path / out), 2)
    assert "nothing can be written in" in words


def test_a_plugin_whose_fit_breaks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StopIteration("a b\nc")

    monkeypatch.setattr("brainbench_interventions.fitted.gather", broken)
    words = said(typed(*FIT, "random-direction", "--out", tmp_path / "kept"), 1)
    assert "random-direction failed while it was fitted: StopIteration: a b c." in words


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((*FIT, "none"), 2, "fits no steering"),
        ((*FIT, "narri"), 2, "Did you mean 'nari'?"),
        (("fit", "--model", TINY, "--dataset", "nowhere", "--intervention", "nari"), 2, "no dataset"),
        (("fit", "--model", "a b", "--dataset", GUIDE, "--intervention", "nari"), 2, "no model"),
        (
            ("fit", "--model", "baseline:noise", "--dataset", GUIDE, "--intervention", "nari"),
            1,
            "could be steered",
        ),
        (
            ("fit", "--model", TINY, "--dataset", "simulated-creativity", "--intervention", "label-probe"),
            1,
            "label-probe cannot be fitted on simulated-creativity",
        ),
        ((*FIT, "none", "--where", "all"), 2, "no choice of the tokens"),
    ],
)
def test_what_cannot_be_fitted_is_one_sentence_and_leaves_nothing(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    assert words in said(typed(*arguments, "--out", tmp_path / "kept"), code)
    assert not (tmp_path / "kept").exists()


def test_show_as_json_holds_all_but_the_arrays(fitted: tuple[Path, str]) -> None:
    told = json.loads(said(typed("show", fitted[0], "--json")))
    steering = load(fitted[0])
    assert told["fingerprint"] == steering.fingerprint
    assert told["facts"] == steering.form()["facts"]
    assert told["oracle"] is False
    vector = steering.arrays()["attention.1/vector"].astype(float)
    assert told["places"][0]["norm"] == pytest.approx(np.linalg.norm(vector, axis=-1).mean())
    assert "oracle       no" in said(typed("show", fitted[0] / "steering.safetensors"))


def test_an_oracle_and_its_rows_are_shown_as_such(tmp_path: Path) -> None:
    rows = Addition(np.array([[3.0, 4.0], [0.0, 1.0]]), 2.0)
    save(Steering({"layer.1": rows}, "last", ("a", "b"), ("own label",)), tmp_path / "a")
    words = said(typed("show", tmp_path / "a"))
    assert "never ranked" in words
    assert "2 items, each its own way" in words
    assert "layer.1  addition      2     3         2     2" in words
    by_type = Steering({"layer.1": rows}, items=("syllogism", "*"), key="type", facts={"people": ["a", "b"]})
    save(by_type, tmp_path / "b")
    words = " ".join(said(typed("show", tmp_path / "b")).split())
    assert "each type its own way: syllogism, any other" in words


def test_facts_that_are_not_what_they_should_be_are_shown_without_harm(tmp_path: Path) -> None:
    facts = {"intervention": ["\x1b[2J"], "dataset": 3, "region": None, "model": {"revision": 7}, "role": 1}
    save(Steering({"layer.1": Addition(np.ones(2))}, facts=facts), tmp_path)
    words = said(typed("show", tmp_path))
    assert "\x1b[2J" not in words
    assert "a control" in words


def test_strength_zero_is_no_steering_to_the_last_bit(fitted: tuple[Path, str], pushes: Path) -> None:
    for path in (fitted[0], pushes):
        told = asked(path, "--task", "deduction_3_tiny", "--limit", 3, "--strength", 0, "--strength", 2)
        assert told["steering"] == load(path).fingerprint
        for item in told["items"]:
            assert item["log_odds"][0] == item["log_odds"][1]
            assert item["log_odds"][2] != item["log_odds"][0]


def test_items_of_a_task_stand_with_their_right_answers(fitted: tuple[Path, str]) -> None:
    ids = ("syllogism-2_true_affirm-001:123", "syllogism-2_false_affirm-001:123")
    told = asked(fitted[0], "--task", "deduction_3_tiny", "--item", ids[1], "--item", ids[0])
    assert [(item["id"], item["right"]) for item in told["items"]] == [(ids[1], "False"), (ids[0], "True")]
    few = asked(fitted[0], "--task", "deduction_3_tiny", "--limit", 3, "--strength", 0)["items"]
    assert len({item["id"].split(":")[0] for item in few}) == 3
    words = said(typed("apply", fitted[0], "--model", TINY, "--task", "deduction_3_tiny", "--item", ids[1]))
    assert "Right, of 1: 1, 1." in words
    assert "strength 1" in words


def test_the_log_odds_are_those_of_the_task(fitted: tuple[Path, str], tmp_path: Path) -> None:
    """What lm-eval is told in a run of the steered model, and what `apply` prints."""
    run = ("run", "--model", TINY, "--task", "deduction_3_tiny", "--limit", "6", "--db", str(tmp_path / "b"))
    kept = f"steering:{fitted[0]}"
    done = CliRunner().invoke(main, [*run, "--intervention", "none", "--intervention", kept])
    assert done.exit_code == 0, done.output
    with Leaderboard.reading(tmp_path / "b") as store:
        rows = {row["intervention"]: row["fingerprint"] for row in store.task_standings()}
        items = {name: {i.id: i for i in store.task_items(of)} for name, of in rows.items()}
    name = f"steering:nari-general@{load(fitted[0]).fingerprint[:8]}"
    assert set(items) == {"none", name}
    for told in asked(fitted[0], "--task", "deduction_3_tiny", "--limit", "6")["items"]:
        for at, intervention in enumerate(("none", name)):
            true, false = items[intervention][told["id"]].log_likelihoods
            assert told["log_odds"][at] == pytest.approx(true - false, abs=1e-3)


def test_a_prompt_comes_from_an_argument_or_from_standard_input(pushes: Path) -> None:
    text = "All cats are dogs. Answer:"
    first = asked(pushes, text, "--words", "yes", "no")
    piped = typed("apply", pushes, "-", "--model", TINY, "--json", "--words", "yes", "no", stdin=f"{text}\n")
    assert json.loads(said(piped)) == first
    swapped = asked(pushes, text, "--words", "no", "yes")
    for one, other in zip(first["items"][0]["log_odds"], swapped["items"][0]["log_odds"], strict=True):
        assert one == pytest.approx(-other, abs=1e-4)
    assert first["items"][0]["right"] is None


def test_items_without_a_row_are_left_alone_and_that_is_said(tmp_path: Path) -> None:
    rows = Addition(np.random.default_rng(1).normal(size=(1, WIDTH)))
    save(Steering({"layer.1": rows}, items=("syllogism-run1-02",)), tmp_path / "own")
    more = ("--dataset", "simulated-deduction", "--limit", 3)
    by_id = {item["id"]: item for item in asked(tmp_path / "own", *more)["items"]}
    moved = [name for name, item in by_id.items() if item["log_odds"][0] != item["log_odds"][1]]
    assert moved == ["syllogism-run1-02"] == [name for name, item in by_id.items() if item["steered"]]
    assert by_id["syllogism-run1-02"]["right"] in {"True", "False"}
    assert "no row for 2 of these 3" in said(typed("apply", tmp_path / "own", "--model", TINY, *more))
    save(Steering({"layer.1": rows}, items=("transitive",), key="type"), tmp_path / "type")
    kinds = asked(tmp_path / "type", "--task", "deduction_3_tiny", "--limit", 40)["items"]
    assert {item["id"].partition("-")[0] for item in kinds if item["steered"]} == {"transitive"}
    assert all(item["steered"] == (item["log_odds"][0] != item["log_odds"][1]) for item in kinds)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strength", "nan"), "no finite number"),
        (("--strength", "inf"), "no finite number"),
        (("--words", "True", " True"), "two different words"),
        (("x", "--task", "deduction_3"), "not two of them"),
        (("--dataset", GUIDE, "--task", "deduction_3"), "not two of them"),
        (("x", "--item", "y"), "has none"),
        (("  ",), "empty"),
        (("--task", "deduction_3_tinny"), "Did you mean"),
        (("--task", "deduction_3_tiny", "--item", "nobody"), "no item 'nobody'"),
        (("--dataset", GUIDE, "--item", "nobody"), "no item 'nobody'"),
        (("--model", "b a", "x"), "no model"),
    ],
)
def test_arguments_that_say_nothing_are_refused(arguments: tuple[str, ...], words: str, pushes: Path) -> None:
    assert words in said(typed("apply", pushes, "--model", TINY, *arguments), 2).replace("\n", " ")


def test_what_does_not_fit_the_model_is_one_sentence(pushes: Path, tmp_path: Path) -> None:
    save(Steering({"layer.1": Addition(np.ones(7))}), tmp_path / "narrow")
    save(Steering({"layer.99": Addition(np.ones(WIDTH))}), tmp_path / "deep")
    assert "7 wide" in said(typed("apply", tmp_path / "narrow", "--model", TINY, "x"), 1)
    assert "layers of" in said(typed("apply", tmp_path / "deep", "--model", TINY, "x"), 1)
    endless = ("apply", pushes, "--model", TINY, "--strength", "1e300", "x")
    assert "no finite numbers" in said(typed(*endless), 1)
    assert "cannot be asked" in said(typed("apply", pushes, "--model", "baseline:noise", "x"), 1)


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _pickled(path: Path) -> Path:
    path.write_bytes(pickle.dumps({"layers.1": print}))
    return path


SPOIL: dict[str, Callable[[Path], Any]] = {
    "missing": lambda at: at / "missing",
    "text": lambda at: (at / "kept/steering.safetensors").write_text("hello") and at / "kept",
    "truncated": lambda at: (
        (at / "kept/steering.safetensors").write_bytes((at / "kept/steering.safetensors").read_bytes()[:-9])
        and at / "kept"
    ),
    "pickle for arrays": lambda at: _pickled(at / "kept/steering.safetensors"),
    "pickle .pt": lambda at: _pickled(at / "vector.pt"),
    "pickle .gguf": lambda at: _pickled(at / "vector.gguf"),
    "wrong ending": lambda at: _pickled(at / "vector.bin"),
    "empty folder": lambda at: _empty(at / "empty"),
}


@pytest.mark.parametrize("spoil", SPOIL)
def test_what_is_no_steering_is_refused_wherever_one_is_read(
    spoil: str, fitted: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copytree(fitted[0], tmp_path / "kept")
    path = SPOIL[spoil](tmp_path)
    sentences = {
        said(typed("show", path), 1),
        said(typed("apply", path, "--model", TINY), 1),
        said(typed("export", path, tmp_path / "x.pt"), 1),
    }
    run = ["run", "--model", TINY, "--task", "deduction_3_tiny", "--intervention", f"steering:{path}"]
    done = CliRunner().invoke(main, [*run, "--db", str(tmp_path / "b")])
    assert done.exit_code == 1
    assert sentences == {done.output}
    assert not (tmp_path / "x.pt").exists()


def test_other_tools_files_are_read_and_written(tmp_path: Path, pushes: Path) -> None:
    steering = load(pushes)
    write_control_vector(steering, tmp_path / "theirs.gguf", model_type="llama")
    write_lm_eval(steering, tmp_path / "theirs.pt", stack="layers")
    for ending in ("gguf", "pt"):
        out = tmp_path / f"ours.{ending}"
        assert str(out) in said(typed("export", pushes, out))
        theirs = json.loads(said(typed("show", tmp_path / f"theirs.{ending}", "--json")))
        assert json.loads(said(typed("show", out, "--json"))) == theirs
        assert "nothing is known of who fitted it" in said(typed("show", out))
        with_ours, with_theirs = (asked(path, "--strength", 1, "Yes:") for path in (pushes, out))
        assert with_ours["items"] == with_theirs["items"]
        assert "--force" in said(typed("export", pushes, out), 2)
        said(typed("export", pushes, out, "--force"))


def test_an_export_that_would_lose_something_is_refused(fitted: tuple[Path, str], tmp_path: Path) -> None:
    assert "--where all" in said(typed("export", fitted[0], tmp_path / "x.gguf"), 2)
    assert "names no format" in said(typed("export", fitted[0], tmp_path / "x.txt"), 2)
    assert not list(tmp_path.iterdir())
