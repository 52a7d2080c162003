"""The deduction dataset on the real public files, against known answers."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from brainbench.errors import DataError
from brainbench.fetch import fetch
from brainbench.progress import SilentReporter
from brainbench_tasks.deduction import Deduction
from brainbench_tasks.deduction_files import PARTICIPANTS, all_events, betas_of, events_of
from brainbench_tasks.deduction_items import DROPPED, KEPT, agreed_problems, item_name, read_run
from brainbench_tasks.deduction_prompts import PROMPT_VERSION

MIRROR = os.environ.get("BRAINBENCH_MIRROR", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not MIRROR, reason="BRAINBENCH_MIRROR does not name a mirror of the public files"),
]
QUIET = SilentReporter()

# Share of the 70 problems answered rightly: all, syllogisms, transitive inferences.
HUMAN = {
    "sub-1001": (0.886, 0.861, 0.912),
    "sub-1004": (0.857, 0.861, 0.853),
    "sub-1008": (0.800, 0.889, 0.706),
    "sub-1014": (0.814, 0.889, 0.735),
    "sub-1017": (0.857, 0.917, 0.794),
    "sub-1019": (0.914, 0.861, 0.971),
    "sub-1022": (0.800, 0.833, 0.765),
    "sub-1027": (0.929, 0.917, 0.941),
    "sub-1030": (0.957, 1.000, 0.912),
    "sub-1034": (0.829, 0.861, 0.794),
}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty cache for this module, so that what is fetched can be told."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("BRAINBENCH_CACHE", str(folder))
        yield folder


def test_only_what_is_asked_for_is_fetched(cache: Path) -> None:
    Deduction().recording("deductive_reasoning", QUIET)
    got = {path.name for path in cache.rglob("*") if path.is_file()}
    assert got == {f"{person}.mat" for person in PARTICIPANTS}
    Deduction().stimuli(QUIET)
    got = {str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file()}
    assert got == {"/".join(file.parts) for file in (*all_events(), *betas_of("deductive_reasoning"))}


def test_the_participants_were_as_right_as_is_known() -> None:
    behaviour = Deduction().behaviour(QUIET)
    stimuli = Deduction().stimuli(QUIET)
    assert behaviour.items == tuple(stimulus.id for stimulus in stimuli)
    assert behaviour.correct is not None
    shares = np.array(
        [behaviour.correct[:, found.indices(stimuli)].mean(axis=1) for found in Deduction().item_sets]
    )
    assert behaviour.participants == tuple(HUMAN)
    assert np.array_equal(shares.T.round(3), np.array(list(HUMAN.values())))
    assert shares.mean(axis=1).round(4).tolist() == [0.8643, 0.8889, 0.8382]
    assert behaviour.correct.any(axis=0).all()
    assert behaviour.correct.all(axis=0).sum() == 41


def test_response_times_run_from_the_conclusion_and_lack_where_nobody_answered() -> None:
    behaviour = Deduction().behaviour(QUIET)
    silent = np.isnan(behaviour.response_time)
    assert 0 < silent.sum() < 20
    assert behaviour.correct is not None
    assert not behaviour.correct[silent].any()
    assert np.nanmin(behaviour.response_time) > 0.3
    assert np.nanmax(behaviour.response_time) < 6.0
    # Read off the file: sub-1001 answered the first syllogism in 0.729 s.
    assert behaviour.response_time[0, 0] == pytest.approx(0.729)


@pytest.mark.parametrize(
    ("region", "voxels"), [("deductive_reasoning", 313), ("language", 1359), ("md", 3082)]
)
def test_the_rows_of_a_recording_are_the_files_rows_without_43_and_49(region: str, voxels: int) -> None:
    recording = Deduction().recording(region, QUIET)
    stimuli = Deduction().stimuli(QUIET)
    assert recording.items == tuple(stimulus.id for stimulus in stimuli)
    assert recording.strata == tuple(stimulus.conditions["type"] for stimulus in stimuli)
    assert recording.strata == ("syllogism",) * 36 + ("transitive",) * 34
    assert recording.groups == ()
    assert [person.id for person in recording.participants] == list(PARTICIPANTS)
    for person, path in zip(recording.participants, fetch(betas_of(region), QUIET), strict=True):
        raw = scipy.io.loadmat(path)["all_voxels"]
        assert raw.shape == (72, voxels)
        assert person.responses.dtype == np.float32
        assert np.array_equal(person.responses[:43], raw[:43])
        assert np.array_equal(person.responses[43:48], raw[44:49])
        assert np.array_equal(person.responses[48:], raw[50:])
        assert person.present.tolist() == list(range(70))


def test_items_keep_their_names_when_two_are_left_out() -> None:
    stimuli = Deduction().stimuli(QUIET)
    assert [stimulus.id for stimulus in stimuli[41:50]] == [
        f"transitive-run1-{number:02d}" for number in (6, 7, 9, 10, 11, 12, 13, 15, 16)
    ]
    assert len(KEPT) == len({stimulus.id for stimulus in stimuli}) == 70
    assert [item_name(at) for at in DROPPED] == ["transitive-run1-08", "transitive-run1-14"]
    assert stimuli[0].content.splitlines()[1:] == [
        "1. All trabs are fast.",
        "2. All fast things are brown.",
        "3. Abe is a trab.",
        "Conclusion:",
        "Abe is fast.",
    ]


def test_the_prompts_of_all_problems_are_pinned() -> None:
    rendered = repr([(s.id, s.text, s.messages, dict(s.conditions)) for s in Deduction().stimuli(QUIET)])
    pinned = {1: "24557c59f9f621ab"}  # on failure: raise PROMPT_VERSION and add its hash here
    assert hashlib.sha256(rendered.encode()).hexdigest()[:16] == pinned[PROMPT_VERSION]


def test_prompts_are_short() -> None:
    for stimulus in Deduction().stimuli(QUIET):
        assert len(stimulus.text) < 450
        assert sum(len(message.content) for message in stimulus.messages) < 650


def test_a_tampered_events_file_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "mirror"
    for file, path in zip(all_events(), fetch(all_events(), QUIET), strict=True):
        target = copy.joinpath(*file.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    victim = copy.joinpath(*events_of("sub-1014")[2].parts)
    victim.write_text(victim.read_text().replace("Lex is shorter", "Lex is taller"))
    monkeypatch.setenv("BRAINBENCH_MIRROR", str(copy))
    monkeypatch.setenv("BRAINBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DataError, match=r"sub-1014_task-Transitive_run-01_events\.tsv .* with sha256"):
        Deduction().stimuli(QUIET)


def test_two_trials_in_another_order_are_noticed_by_comparing_participants() -> None:
    seen = {
        person: [trial for path in fetch(events_of(person), QUIET) for trial in read_run(path)]
        for person in PARTICIPANTS
    }
    assert len(agreed_problems(seen)) == 72
    seen["sub-1022"][40], seen["sub-1022"][41] = seen["sub-1022"][41], seen["sub-1022"][40]
    with pytest.raises(DataError, match="sub-1022 has another problem at transitive-run1-05 than sub-1001"):
        agreed_problems(seen)
