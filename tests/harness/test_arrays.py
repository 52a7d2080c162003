import numpy as np
import pytest

from brainbench.arrays import Behaviour, Features, Participant, Recording
from brainbench.errors import ShapeError


def person(name: str, present: list[int], voxels: int = 3) -> Participant:
    return Participant(name, np.ones((len(present), voxels)) * np.array(present)[:, None], np.array(present))


def test_selecting_items_keeps_each_persons_rows_in_step() -> None:
    recording = Recording(
        "r", ("a", "b", "c", "d"), (person("p", [0, 2, 3]), person("q", [1])), strata=("s", "t", "s", "t")
    )
    part = recording.select([2, 3])
    assert part.items == ("c", "d")
    assert part.strata == ("s", "t")
    assert [p.id for p in part.participants] == ["p"]
    assert part.participants[0].present.tolist() == [0, 1]
    assert part.participants[0].responses[:, 0].tolist() == [2, 3]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_refuse_what_is_not_finite_and_name_the_layer(bad: float) -> None:
    with pytest.raises(ShapeError, match=r"layer\.1"):
        Features({"layer.0": np.ones((2, 2)), "layer.1": np.array([[1, bad], [0, 0]])})


def test_features_refuse_layers_over_different_items() -> None:
    with pytest.raises(ShapeError, match="same items"):
        Features({"a": np.ones((2, 2)), "b": np.ones((3, 2))})


def test_a_participant_must_have_ascending_positions() -> None:
    with pytest.raises(ShapeError, match="ascend"):
        person("p", [2, 1])


def test_a_recording_refuses_positions_beyond_its_items() -> None:
    with pytest.raises(ShapeError, match="beyond"):
        Recording("r", ("a", "b"), (person("p", [0, 2]),))


TIMES = np.array([[0.5, np.nan]])
RIGHT = np.array([[True, False]])


def test_behaviour_may_lack_right_answers_and_may_have_ratings() -> None:
    plain = Behaviour(("p",), ("a", "b"), RIGHT, TIMES)
    assert plain.rating is None
    rated = Behaviour(("p",), ("a", "b"), None, TIMES, np.array([[1.25, np.nan]]))
    assert rated.correct is None


@pytest.mark.parametrize(
    ("correct", "times", "rating", "words"),
    [
        (RIGHT.T, TIMES, None, r"\(1, 2\)"),
        (RIGHT, TIMES[:, :1], None, r"\(1, 2\)"),
        (RIGHT, TIMES, np.ones((2, 2)), r"\(1, 2\)"),
        (RIGHT.astype(float), TIMES, None, "correct answers must be True or False; got float64"),
        (RIGHT, RIGHT, None, "response times must be real numbers"),
        (RIGHT, TIMES, np.array([[1, 2]]), "ratings must be real numbers"),
        (RIGHT, np.array([[np.inf, 1.0]]), None, "finite"),
        (None, TIMES, np.array([[np.inf, 1.0]]), "finite"),
    ],
)
def test_behaviour_refuses_what_is_not_of_these_people_and_items(
    correct: np.ndarray, times: np.ndarray, rating: np.ndarray | None, words: str
) -> None:
    with pytest.raises(ShapeError, match=words):
        Behaviour(("p",), ("a", "b"), correct, times, rating)
