"""What a Steering accepts, how it is kept, and how it is exchanged with other tools."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainbench.errors import BrainbenchError, DataError, ShapeError, UsageError
from brainbench.steering import Addition, Gain, Steering, names_of
from brainbench.steering_exchange import (
    read_control_vector,
    read_lm_eval,
    write_control_vector,
    write_lm_eval,
)
from brainbench.steering_files import load, save
from brainbench.stimuli import Message, Stimulus

RNG = np.random.default_rng(0)


def basis(k: int = 2, width: int = 5) -> np.ndarray[Any, Any]:
    return np.asarray(np.linalg.qr(RNG.normal(size=(width, k)))[0].T)


def example(**more: Any) -> Steering:
    changes = {
        "attention.1": Addition(RNG.normal(size=5), 0.5),
        "layer.0": Gain(basis(), 2.0, RNG.normal(size=5)),
        "layer.2": Gain(basis(1), 0.0),
    }
    kept = {"where": "prompt", "looks_at": ("labels", "responses"), "facts": {"by": "test", "n": [1, 2.5]}}
    return Steering(**{"changes": changes, **kept, **more})


def same(first: Steering, second: Steering) -> None:
    assert first.form() == second.form()
    ours, theirs = first.arrays(), second.arrays()
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name])
    assert first.fingerprint == second.fingerprint


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    steering = example()
    save(steering, tmp_path / "kept")
    same(load(tmp_path / "kept"), steering)
    rows = Steering({"layer.1": Addition(RNG.normal(size=(2, 5)))}, items=("a", "é"), looks_at=("own label",))
    save(rows, tmp_path / "kept")
    same(load(tmp_path / "kept"), rows)
    types = Steering({"layer.1": Addition(RNG.normal(size=(2, 5)))}, items=("a", "*"), key="type")
    save(types, tmp_path / "kept")
    same(load(tmp_path / "kept"), types)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        "steering.json",
        "steering.safetensors",
    ]


@given(
    st.lists(st.floats(-(2.0**90), 2.0**90, width=32), min_size=1, max_size=4),
    st.floats(-1e6, 1e6),
    st.dictionaries(st.text(), st.integers() | st.text() | st.none()),
)
def test_any_addition_survives(
    tmp_path_factory: Any, vector: list[float], strength: float, facts: Any
) -> None:
    try:
        steering = Steering({"layer.3": Addition(np.array(vector), strength)}, facts=facts)
        json.dumps(facts).encode()
    except (ShapeError, UnicodeError):
        return
    folder = tmp_path_factory.mktemp("any")
    save(steering, folder)
    same(load(folder), steering)


def test_every_part_changes_the_fingerprint() -> None:
    base = Steering({"layer.1": Addition(np.ones(3))}, facts={"a": 1})
    others = [
        Steering({"layer.1": Addition(np.ones(3), 2.0)}, facts={"a": 1}),
        Steering({"layer.1": Addition(np.array([1, 1, 1.0001]))}, facts={"a": 1}),
        Steering({"layer.2": Addition(np.ones(3))}, facts={"a": 1}),
        Steering({"layer.1": Addition(np.ones(3))}, facts={"a": 2}),
        Steering({"layer.1": Addition(np.ones(3))}, "all", facts={"a": 1}),
        Steering({"layer.1": Addition(np.ones(3))}, looks_at=("labels",), facts={"a": 1}),
        Steering({"layer.1": Addition(np.ones((1, 3)))}, items=("x",), facts={"a": 1}),
        Steering({"layer.1": Addition(np.ones((1, 3)))}, items=("x",), key="type", facts={"a": 1}),
        Steering({"layer.1": Gain(np.eye(3)[:1], 2.0)}, facts={"a": 1}),
    ]
    assert len({steering.fingerprint for steering in (base, *others)}) == 1 + len(others)
    again = Steering({"layer.1": Addition(np.ones(3, dtype=np.float32))}, facts={"a": 1})
    assert again.fingerprint == base.fingerprint


def test_rows_belong_to_items_or_to_values_of_a_condition() -> None:
    vector = Addition(np.ones((2, 3)))
    by_item = Steering({"layer.1": vector}, items=("a", "b"))
    assert [by_item.row({"": item, "type": "a"}) for item in "bac"] == [1, 0, None]
    by_type = Steering({"layer.1": vector}, items=("x", "*"), key="type")
    assert [by_type.row({"": "x", "type": kind}) for kind in "xyz"] == [0, 1, 1]
    assert by_type.row({"": "x"}) == 1
    assert Steering({"layer.1": vector}, items=("x", "y"), key="type").row({"type": "z"}) is None
    assert Steering({"layer.1": Addition(np.ones(3))}).row({"": "any"}) == 0
    with pytest.raises(ShapeError, match="nothing without items"):
        Steering({"layer.1": Addition(np.ones(3))}, key="type")
    stimulus = Stimulus("i", (Message("user", "q"),), "q", "q", {"type": "x", "label": True})
    assert names_of(stimulus) == {"": "i", "type": "x", "label": "True"}


def test_scaling_by_zero_is_idle_and_by_one_is_the_same() -> None:
    steering = example()
    assert not steering.idle
    assert steering.scaled(0).idle
    same(steering.scaled(1), steering)
    gain = steering.scaled(0.5).changes["layer.2"]
    assert isinstance(gain, Gain)
    assert gain.gain == 0.5
    assert Steering({}).idle
    assert Steering({"layer.0": Addition(np.zeros(2))}).idle


def test_who_knew_what_a_test_must_not_tell_is_an_oracle() -> None:
    assert not example().oracle
    assert example(looks_at=("own response", "labels")).oracle
    assert example(looks_at=("own response", "labels")).looks_at == ("labels", "own response")


def test_a_vector_is_a_copy_that_cannot_be_written_to() -> None:
    vector = np.ones(3)
    kept = Addition(vector)
    vector[0] = 7
    assert kept.vector[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        kept.vector[0] = 7


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Addition(np.array([1, np.nan])), "not finite"),
        (lambda: Addition(np.array([1e300])), "not finite"),
        (lambda: Addition(np.ones(2), float("inf")), "finite number"),
        (lambda: Addition(np.ones((2, 2, 2))), "shape"),
        (lambda: Addition(np.ones(0)), "shape"),
        (lambda: Addition([1.0, 2.0]), "numpy array"),  # type: ignore[arg-type]
        (lambda: Gain(np.ones((2, 3)), 1.0), "orthonormal"),
        (lambda: Gain(np.eye(3), 1.0, np.ones(2)), "width"),
        (lambda: Gain(np.ones(3), 1.0), "shape"),
        (lambda: example(where="everywhere"), "acts at"),
        (lambda: example(looks_at=("answers",)), "looked at"),
        (lambda: example(looks_at=("labels", "labels")), "twice"),
        (lambda: example(items=("a", "a")), "different"),
        (lambda: example(facts={"a": float("nan")}), "plain JSON"),
        (lambda: example(facts={"a": {1, 2}}), "plain JSON"),
        (lambda: example(facts={"fitted_on": 5}), "fitted_on is no list of words"),
        (lambda: example(facts={"fitted_on": [["a"]]}), "fitted_on is no list of words"),
        (lambda: example(facts={"people": 5}), "people is no list of words"),
        (lambda: Steering({"mlp.3": Addition(np.ones(2))}), "no place"),
        (lambda: Steering({"layer.03": Addition(np.ones(2))}), "no place"),
        (lambda: Steering({"layer.1": np.ones(2)}), "must be an Addition"),  # type: ignore[dict-item]
        (lambda: Steering({"layer.1": Addition(np.ones((2, 3)))}, items=("a",)), "2 rows for 1 items"),
        (lambda: Steering({"layer.1": Addition(np.ones((2, 3)))}), "2 rows for 0 items"),
    ],
)
def test_what_could_not_be_applied_is_refused(make: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        make()


def _edit(folder: Path, **changed: Any) -> None:
    form = json.loads((folder / "steering.json").read_text())
    (folder / "steering.json").write_text(json.dumps({**form, **changed}))


def _edit_change(folder: Path, **changed: Any) -> None:
    form = json.loads((folder / "steering.json").read_text())
    _edit(folder, changes={**form["changes"], "layer.2": {**form["changes"]["layer.2"], **changed}})


def _arrays(folder: Path, **changed: Any) -> None:
    from safetensors.numpy import load_file, save_file

    arrays = load_file(folder / "steering.safetensors")
    arrays.update(changed)
    save_file({k: v for k, v in arrays.items() if v is not None}, folder / "steering.safetensors")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: _edit(f, extra=1), "unknown key 'extra'"),
        (lambda f: _edit(f, format=2), "format 1"),
        (lambda f: _edit(f, where="nowhere"), "acts at"),
        (lambda f: _edit(f, where=3), "where must be"),
        (lambda f: _edit(f, items=[["a"]]), "ids"),
        (lambda f: _edit(f, facts={"by": "another"}), "fingerprint"),
        (lambda f: _edit(f, changes=[]), "changes must be"),
        (lambda f: _edit_change(f, code="x"), "unknown key 'code'"),
        (lambda f: _edit_change(f, kind="run"), "neither"),
        (lambda f: _edit_change(f, gain="2"), "finite number"),
        (lambda f: _edit_change(f, mean=1), "true or false"),
        (lambda f: _edit_change(f, mean=True), "lacks layer.2/mean"),
        (lambda f: (f / "steering.json").write_text('{"format": NaN}'), "NaN"),
        (lambda f: (f / "steering.json").write_text("{"), "no JSON"),
        (lambda f: (f / "steering.json").write_text("[" * 100_000), "no JSON"),
        (lambda f: (f / "steering.json").unlink(), "cannot be read"),
        (lambda f: (f / "steering.safetensors").unlink(), "cannot be read"),
        (lambda f: (f / "steering.safetensors").write_bytes(pickle.dumps({"a": 1})), "no safetensors"),
        (lambda f: _arrays(f, **{"layer.2/basis": np.ones((1, 5), dtype=np.float64)}), "F64 instead of F32"),
        (lambda f: _arrays(f, **{"layer.2/basis": np.full((1, 5), np.nan, dtype=np.float32)}), "not finite"),
        (lambda f: _arrays(f, **{"layer.2/basis": np.ones((1, 5), dtype=np.float32)}), "orthonormal"),
        (lambda f: _arrays(f, **{"layer.2/basis": None}), "lacks layer.2/basis"),
        (lambda f: _arrays(f, spare=np.ones(2, dtype=np.float32)), "spare"),
        (lambda f: _arrays(f, **{"layer.2/basis": np.eye(5, dtype=np.float32)[:1]}), "fingerprint"),
    ],
)
def test_a_spoilt_folder_is_refused_in_one_sentence(spoil: Any, words: str, tmp_path: Path) -> None:
    save(example(), tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError, match=words) as caught:
        load(tmp_path)
    assert "\n" not in caught.value.message


def test_a_pickled_file_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "vector.pt").write_bytes(pickle.dumps(1))
    with pytest.raises(DataError, match="is a file"):
        load(tmp_path / "vector.pt")


def additions(where: Any = "all") -> Steering:
    return Steering({f"layer.{i}": Addition(RNG.normal(size=6), 0.5 * i) for i in (3, 1)}, where)


def test_a_control_vector_comes_back_and_others_read_it(tmp_path: Path) -> None:
    import gguf

    steering = additions()
    write_control_vector(steering, tmp_path / "v.gguf", model_type="llama")
    back = read_control_vector(tmp_path / "v.gguf")
    assert back.where == "all"
    assert back.facts["model_type"] == "llama"
    assert list(back.changes) == ["layer.1", "layer.3"]
    reader = gguf.GGUFReader(tmp_path / "v.gguf")  # as repeng's import_gguf reads it
    directions = {tensor.name: tensor.data for tensor in reader.tensors}
    for site, change in steering.changes.items():
        assert isinstance(change, Addition)
        found = back.changes[site]
        assert isinstance(found, Addition)
        expected = np.float32(change.strength) * change.vector
        np.testing.assert_array_equal(found.vector, expected)
        np.testing.assert_array_equal(directions[site.replace("layer", "direction")], expected)
    layers = reader.get_field("controlvector.layer_count")
    assert layers is not None
    assert int(layers.parts[-1][0]) == 2


@pytest.mark.parametrize(
    "steering",
    [
        additions("last"),
        Steering({}, "all"),
        Steering({"layer.0": Addition(np.ones(2))}, "all"),
        Steering({"attention.1": Addition(np.ones(2))}, "all"),
        Steering({"layer.1": Gain(basis(), 2.0)}, "all"),
        Steering({"layer.1": Addition(np.ones(2)), "layer.2": Addition(np.ones(3))}, "all"),
        Steering({"layer.1": Addition(np.ones((1, 2)))}, "all", items=("a",)),
    ],
)
def test_a_control_vector_refuses_what_it_cannot_hold(steering: Steering, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_control_vector(steering, tmp_path / "v.gguf", model_type="llama")
    assert not (tmp_path / "v.gguf").exists()


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\x00\x00\x00" + b"\xff" * 64, b"\x80\x04K\x01."])
def test_what_is_no_control_vector_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "v.gguf").write_bytes(content)
    with pytest.raises(DataError):
        read_control_vector(tmp_path / "v.gguf")
    with pytest.raises(DataError):
        read_control_vector(tmp_path / "absent.gguf")


def test_another_gguf_file_is_no_control_vector(tmp_path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "v.gguf", "llama")
    writer.add_tensor("direction.1", np.ones(3, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(DataError, match="'llama'"):
        read_control_vector(tmp_path / "v.gguf")


def test_lm_evals_dictionary_comes_back(tmp_path: Path) -> None:
    steering = Steering(
        {
            "layer.0": Addition(RNG.normal(size=4), 2.0),
            "attention.2": Addition(RNG.normal(size=4)),
            "layer.3": Gain(basis(1, 4), 0.0),
        },
        "all",
    )
    write_lm_eval(steering, tmp_path / "s.pt", stack="layers")
    back = read_lm_eval(tmp_path / "s.pt")
    assert set(back.changes) == set(steering.changes)
    assert back.where == "all"
    for site in ("layer.0", "attention.2"):
        ours, theirs = steering.changes[site], back.changes[site]
        assert isinstance(ours, Addition)
        assert isinstance(theirs, Addition)
        np.testing.assert_array_equal(ours.vector, theirs.vector)
        assert ours.strength == theirs.strength
    clamp = back.changes["layer.3"]
    assert isinstance(clamp, Gain)
    assert clamp.gain == 0


@pytest.mark.parametrize(
    "told",
    [
        {},
        [1],
        {"norm": {"steering_vector": [1.0], "action": "add"}},
        {"layers.1": {"steering_vector": [1.0], "action": "add", "more": 1}},
        {"layers.1": {"steering_vector": [1.0], "action": "run"}},
        {"layers.1": {"steering_vector": [1.0, float("nan")], "action": "add"}},
        {"layers.1": {"steering_vector": [0.0], "action": "clamp"}},
        {"layers.1": {"steering_vector": [1.0], "action": "add", "head_index": 0}},
        {"layers.1": {"steering_vector": [1.0], "action": "add", "bias": [1.0]}},
        {"layers.1": {"action": "add"}},
        {"layers.1": 3},
        {"layers.1": {"steering_vector": [1.0], "action": "add", "steering_coefficient": "2"}},
    ],
)
def test_what_is_no_lm_eval_dictionary_is_refused(told: Any, tmp_path: Path) -> None:
    import torch

    if isinstance(told, dict):
        for entry in told.values():
            for name in ("steering_vector", "bias"):
                if isinstance(entry, dict) and name in entry:
                    entry[name] = torch.tensor(entry[name])
    torch.save(told, tmp_path / "s.pt")
    with pytest.raises(DataError):
        read_lm_eval(tmp_path / "s.pt")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("executed"),))


def test_code_in_an_lm_eval_dictionary_is_not_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.chdir(tmp_path)
    torch.save({"layers.1": Evil()}, tmp_path / "zip.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("zip.pt", "plain.pt", "absent.pt"):
        with pytest.raises(BrainbenchError) as caught:
            read_lm_eval(tmp_path / name)
        assert isinstance(caught.value, DataError)
    assert not (tmp_path / "executed").exists()


def test_lm_evals_dictionary_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    for steering in (additions("prompt"), Steering({"layer.1": Gain(basis(), 0.0)}, "all")):
        with pytest.raises(UsageError):
            write_lm_eval(steering, tmp_path / "s.pt", stack="layers")
