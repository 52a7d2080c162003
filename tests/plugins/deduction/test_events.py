import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

from brainbench.errors import DataError
from brainbench_tasks.deduction import read_betas
from brainbench_tasks.deduction_items import Problem, agreed_problems, item_name, read_run

HEADER = "onset duration trial_type accuracy response_time premise1 premise2 premise3 conclusion stim_file"
CONTROL = ["0.0", "3.5", "control", "1.0", "0.6", *["n/a"] * 5]
Rows = list[list[str]]


def problem_row(number: int) -> list[str]:
    who = chr(97 + number)
    texts = [f"All {who}s are big ", "All big things are red", f"Ned is a {who}", "Ned is not red"]
    return ["1.0", "11.0", "2_false_negate", "0.0", "1.5", *texts, f"{who.upper()}_3_false_negate.wav"]


def whole_run() -> Rows:
    return [CONTROL, *(problem_row(number) for number in range(18)), CONTROL]


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Rows], Path]:
    def write(rows: Rows) -> Path:
        path = tmp_path / "sub-1_events.tsv"
        path.write_text("\n".join("\t".join(row) for row in [HEADER.split(), *rows]) + "\n")
        return path

    return write


def test_a_run_is_read_without_its_control_trials_and_blanks(save: Callable[[Rows], Path]) -> None:
    trials = read_run(save(whole_run()))
    assert len(trials) == 18
    assert trials[1].problem == Problem(
        ("All bs are big", "All big things are red", "Ned is a b"), "Ned is not red", 3, False, True
    )
    assert trials[1].problem.subtype == "3_false_negate"
    assert (trials[1].correct, trials[1].response_time) == (False, 1.5)


def test_the_subtype_is_read_from_the_stimulus_file_not_from_the_trial_type(
    save: Callable[[Rows], Path],
) -> None:
    rows = whole_run()
    rows[1][-1] = "A_2_true_affirm2.wav"
    trials = read_run(save(rows))
    assert [trial.problem.subtype for trial in trials[:2]] == ["2_true_affirm", "3_false_negate"]


def test_no_answer_is_wrong_and_has_no_time(save: Callable[[Rows], Path]) -> None:
    rows = whole_run()
    rows[1][3:5] = ["1.0", "n/a"]
    trial = read_run(save(rows))[0]
    assert not trial.correct
    assert math.isnan(trial.response_time)


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_run(path)
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith("sub-1_events.tsv")
    assert caught.value.hint
    return caught.value.message


def test_a_missing_trial_is_refused(save: Callable[[Rows], Path]) -> None:
    assert "17 problems instead of 18" in refusal(save(whole_run()[:-2]))


def test_a_trial_too_many_is_refused(save: Callable[[Rows], Path]) -> None:
    assert "19 problems" in refusal(save([*whole_run(), problem_row(18)]))


def test_a_repeated_trial_is_refused(save: Callable[[Rows], Path]) -> None:
    rows = whole_run()
    rows[2] = rows[1]
    assert "same problem twice" in refusal(save(rows))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (3, "0.5", "line 4, has an impossible accuracy"),
        (3, "n/a", "line 4, has an impossible accuracy"),
        (3, "yes", "'yes' as accuracy"),
        (4, "-1", "impossible accuracy or response_time"),
        (4, "inf", "impossible accuracy or response_time"),
        (4, "", "'' as response_time"),
        (6, "n/a", "names no known problem"),
        (8, " ", "names no known problem"),
        (9, "B_4_false_negate.wav", "names no known problem"),
        (9, "n/a", "names no known problem"),
    ],
)
def test_an_impossible_value_is_refused_with_its_line(
    save: Callable[[Rows], Path], column: int, value: str, said: str
) -> None:
    rows = whole_run()
    rows[2][column] = value
    assert said in refusal(save(rows))


def test_a_short_row_is_refused(save: Callable[[Rows], Path]) -> None:
    rows = whole_run()
    rows[2] = rows[2][:5]
    assert "names no known problem" in refusal(save(rows))


def test_a_missing_column_is_refused(save: Callable[[Rows], Path]) -> None:
    path = save(whole_run())
    path.write_text(path.read_text().replace("stim_file", "stimulus"))
    assert "no column stim_file" in refusal(path)


def test_a_file_of_another_kind_is_refused(save: Callable[[Rows], Path]) -> None:
    path = save([])
    path.write_bytes(b"\xff\xfe\x00binary")
    assert "no table" in refusal(path)


def test_participants_who_saw_other_problems_are_refused(save: Callable[[Rows], Path]) -> None:
    seen = read_run(save(whole_run())) * 4
    rows = whole_run()
    rows[1], rows[2] = rows[2], rows[1]
    other = seen[:54] + read_run(save(rows))
    assert len(agreed_problems({"sub-1": seen, "sub-2": seen})) == 72
    with pytest.raises(DataError, match="sub-3 has another problem at transitive-run2-01 than sub-1"):
        agreed_problems({"sub-1": seen, "sub-2": seen, "sub-3": other})


def test_items_are_named_by_type_run_and_place_in_it() -> None:
    assert [item_name(at) for at in (0, 17, 18, 43, 49, 71)] == [
        "syllogism-run1-01",
        "syllogism-run1-18",
        "syllogism-run2-01",
        "transitive-run1-08",
        "transitive-run1-14",
        "transitive-run2-18",
    ]


GOOD = np.ones((72, 5), dtype=np.float32)


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("all_voxels", GOOD[:70], r"shape \(70, 5\) instead of .* \(72, 5\)"),
        ("all_voxels", GOOD[:, :4], r"shape \(72, 4\)"),
        ("all_voxels", GOOD.astype(np.complex64), "complex64"),
        ("all_voxels", np.where(np.eye(72, 5), np.nan, GOOD), "not finite"),
        ("all_voxels", np.where(np.eye(72, 5), np.inf, GOOD), "not finite"),
        ("voxels", GOOD, "no variable all_voxels"),
    ],
)
def test_unfit_betas_are_refused(tmp_path: Path, name: str, array: NDArray[Any], said: str) -> None:
    path = tmp_path / "sub-1.mat"
    scipy.io.savemat(path, {name: array})
    with pytest.raises(DataError, match=said) as caught:
        read_betas(path, 5)
    assert caught.value.message.startswith("sub-1.mat")
    assert "\n" not in caught.value.message


def test_a_broken_matlab_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sub-1.mat"
    scipy.io.savemat(path, {"all_voxels": GOOD})
    for content in (path.read_bytes()[:300], b"", b"neither"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as a MATLAB file"):
            read_betas(path, 5)
