import numpy as np
import pytest

from brainbench.arrays import Features, Participant, Recording
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
