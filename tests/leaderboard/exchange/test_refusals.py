"""What is not as it should be is refused with file, field and reason, and nothing is written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brainbench.catalog import Catalog
from brainbench.errors import StoreError
from brainbench_leaderboard.exchange import reading
from brainbench_leaderboard.exchange.known import Known
from brainbench_leaderboard.exchange.merge import merge

Document = dict[str, Any]
Change = Callable[[Document], Any]


def put(path: str, value: Any) -> Change:
    """Set what stands at a path of a record, "outcome.layers.0.score"."""

    def change(document: Document) -> None:
        *steps, last = path.split(".")
        held: Any = document
        for step in steps:
            held = held[int(step) if isinstance(held, list) else step]
        held[int(last) if isinstance(held, list) else last] = value

    return change


def both(*changes: Change) -> Change:
    return lambda document: [change(document) for change in changes]


REFUSED = {
    # form
    "unknown field": ("score", put("rank", 1), "records.0.score.rank: extra inputs are not permitted"),
    "a word for a number": (
        "score",
        put("outcome.score", "1"),
        "outcome.scores.score: input should be a valid",
    ),
    "a number for a flag": ("score", put("simulated", 1), "simulated: input should be a valid boolean"),
    "a flag for a number": (
        "score",
        put("dataset_version", True),
        "dataset_version: input should be a valid int",
    ),
    "markup for a name": ("score", put("metric", "<script>alert(1)</script>"), "metric: string should match"),
    "a line break in a name": ("score", put("model", "a\nb"), "model: string should match"),
    "no date": ("score", put("provenance.started", "yesterday"), "started: string should match"),
    "a path in the provenance": ("score", put("provenance.traceback", "x"), "traceback: extra inputs"),
    "a huge number": ("score", put("outcome.score", 1e305), "score: input should be less than"),
    "a huge seed": ("score", put("seed", 2**63), "seed: input should be less than"),
    "a long name": ("score", put("model", "m" * 2000), "model: string should have at most 1000"),
    "words for details": (
        "score",
        put("outcome.details.interval", "<b>"),
        "details.interval: input should be",
    ),
    "words for a p value": (
        "score",
        put("outcome.details.p", "<b>"),
        "details.p: input should be a valid number",
    ),
    "no layers": ("score", put("outcome.layers", []), "layers: list should have at least 1 item"),
    "an unknown kind": ("score", put("kind", "rank"), "does not match any of the expected tags"),
    "a newer format": (None, put("schema_version", 2), "schema_version: it is of format 2, newer than"),
    "another format": (None, put("schema", "mteb"), "schema: input should be 'brainbench-results'"),
    "no records": (None, put("records", []), "records: list should have at least 1 item"),
    # facts
    "another fingerprint": (
        "score",
        put("fingerprint", "0" * 64),
        "fingerprint: it is not the fingerprint of",
    ),
    "another model": (
        "score",
        put("model", "org/better"),
        "model: it is 'org/better', but facts.model.name is",
    ),
    "another revision": ("task", put("revision", "f" * 40), "revision: it is not that of the facts"),
    "another metric": ("score", put("protocol", "robust"), "but facts.metric.protocol is 'paper'"),
    "another region": ("ceiling", put("region", "language"), "region: it is 'language', but facts.region is"),
    "a baseline as a model": (
        "task",
        put("baseline", True),
        "baseline: it is True, but facts.baseline is False",
    ),
    "another change": ("task", put("intervention", "nari-general"), "but facts.intervention.name is 'none'"),
    "a change of nothing": (
        "task",
        put("outcome.details.steering", {"role": "brain"}),
        "that was not changed",
    ),
    "another precision": ("task", put("provenance.dtype", "float16"), "provenance.dtype: it is not that of"),
    "more problems": ("task", put("problem_limit", 1), "problem_limit: it is 1, but facts.limit is 2"),
    "another helper": ("ideas", put("helper", "gpt"), "helper: it is not that of the facts"),
    "a ceiling's model": ("ceiling", put("facts.model", {"name": "m"}), "facts: a ceiling has no model"),
    "no identity": (
        "task",
        put("facts.unidentified", True),
        "facts: they say that it could not be identified",
    ),
    # values
    "a better score": (
        "score",
        put("outcome.score", 0.9),
        "outcome.score: it is 0.9, but the score of the best",
    ),
    "a better layer": (
        "ceiling",
        put("outcome.layers.0.score", 9.0),
        "layers.0.score: it lies outside of what",
    ),
    "a person too few": ("score", put("outcome.layers.0.people", [0.5]), "it has 1 values for 8 people"),
    "a person twice": (
        "score",
        lambda d: d["outcome"]["people"].__setitem__(0, "sim-02"),
        "different strings",
    ),
    "no such layer": ("score", put("outcome.best_layer", "x"), "outcome.best_layer: there is no such layer"),
    "a better accuracy": (
        "task",
        put("outcome.accuracy", 1.0),
        "accuracy: it is 1.0, but the share of items",
    ),
    "an item twice": (
        "task",
        lambda d: put("outcome.items.0", d["outcome"]["items"][1])(d),
        "id occurs twice",
    ),
    "the same answer, right": (
        "task",
        lambda d: put("outcome.items.0.correct", not d["outcome"]["items"][0]["correct"])(d),
        "items.0.correct: it does not follow from answer and expected",
    ),
    "an unlikely answer": (
        "task",
        lambda d: d["outcome"]["items"][0]["log_likelihoods"].reverse(),
        "the answer is not the likeliest choice",
    ),
    "a better idea": ("ideas", put("outcome.texts.0.score", 1e5), "outcome.score: it is"),
    "beyond the scale": (
        "ideas",
        put("outcome.texts.0.score", 1e7),
        "texts.0.score: it lies outside of the scale",
    ),
    "two drawn alike": ("ideas", lambda d: put("outcome.texts.0", d["outcome"]["texts"][1])(d), "same draw"),
    "too valid": ("validity", put("outcome.responses", 10_000), "there are more than were held out"),
    "valid without end": (
        "validity",
        put("outcome.pearson.low", 0.999),
        "its interval ends before it begins",
    ),
    # what is known
    "simulated as real": ("score", put("simulated", False), "simulated: simulated-deduction is simulated"),
    "in its facts, too": (
        "score",
        both(put("simulated", False), put("facts.dataset.simulated", False)),
        "the data of 'simulated-deduction' is not what is installed here; if you trust",
    ),
    "an unknown dataset": (
        "score",
        both(put("dataset", "mine"), put("facts.dataset.name", "mine")),
        "facts.dataset: no dataset called 'mine' is installed here",
    ),
    "an unknown hash": ("score", put("facts.dataset.data", "0" * 64), "is not what is installed here"),
    "an unknown source": (
        "task",
        both(put("learnt_from", "mine"), put("facts.learnt_from", {"name": "mine"})),
        "facts.learnt_from: no dataset called 'mine' is installed here",
    ),
    "another place": ("score", put("region_position", 2), "region_position: it is not where simulated-ded"),
    "other items": ("score", put("facts.item_set.where", {"type": "x"}), "item_set.where: it is not what"),
    "an unknown task": (
        "task",
        both(put("task", "sums"), put("facts.task.name", "sums")),
        "no task called 'sums' is installed here",
    ),
    "another task": (
        "task",
        put("facts.task.words", "0" * 64),
        "'deduction_3' does not ask what is installed",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_is_refused_for_its_reason(case: str, spoil: Any, folder: Path, known: Known) -> None:
    kind, change, reason = REFUSED[case]
    into = folder.parent / "b.db"
    if kind is None:
        path = next(iter(sorted(folder.rglob("*.json"))))
        held = json.loads(path.read_text())
        change(held)
        path.write_text(json.dumps(held))
    else:
        path = spoil(kind, change, rehash=case != "another fingerprint")
    with pytest.raises(StoreError) as refused:
        merge([folder], into, known)
    assert reason in refused.value.message
    assert f"{folder.name}/{path.relative_to(folder).as_posix()}" in refused.value.message
    assert "\n" not in refused.value.message
    assert not into.exists()


def test_what_is_allowed_by_name_is_taken_but_never_as_real(
    spoil: Any, folder: Path, catalog: Catalog
) -> None:
    spoil("score", both(put("dataset", "mine"), put("facts.dataset.name", "mine")))
    spoil("task", both(put("task", "sums"), put("facts.task.name", "sums")))
    with pytest.raises(StoreError, match="sums"):
        merge([folder], folder.parent / "b.db", Known(catalog, {"mine"}))
    assert merge([folder], folder.parent / "b.db", Known(catalog, {"mine"}, {"sums"})).added
    spoil("score", put("simulated", False))
    with pytest.raises(StoreError, match="mine is simulated"):
        merge([folder], folder.parent / "c.db", Known(catalog, {"mine"}, {"sums"}))


CONTENT = {
    "no JSON": (b"{", "it is no JSON"),
    "empty": (b"", "it is no JSON"),
    "a list": (b"[]", "it is no object with a schema and records"),
    "not finite": (b'{"a": NaN}', "it holds NaN, which is no finite number"),
    "infinite": (b'{"a": -Infinity}', "it holds -Infinity"),
    "beyond all numbers": (b'{"a": 1e999}', "it holds 1e999"),
    "a number without end": (b'{"a": ' + b"9" * 10_000 + b"}", "a number of 10000 digits"),
    "twice the same name": (b'{"a": 1, "a": 2}', "it names 'a' twice in one object"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "it is nested too deeply"),
    "rather deep": (b"[" * 60 + b"]" * 60, "nested more than 40 levels deep"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "it is not UTF-8"),
    "half a character": (b'{"a": "\\ud800"}', "half a character"),
    "a NUL": (b'{"a": "\\u0000"}', "a text holds a NUL character"),
    "a NUL in a name": (b'{"\\u0000": 1}', "a text holds a NUL character"),
    "an escape": (b'{"schema_version": 1, "\\u001b[2J": 1}', "field"),
}


@pytest.mark.parametrize("case", CONTENT)
def test_content_that_is_none_is_refused(case: str, folder: Path, known: Known) -> None:
    content, reason = CONTENT[case]
    (folder / "added.json").write_bytes(content)
    with pytest.raises(StoreError) as refused:
        merge([folder], folder.parent / "b.db", known)
    assert reason in refused.value.message
    assert refused.value.message.startswith("submitted/added.json")
    assert refused.value.message.isprintable()
    assert not (folder.parent / "b.db").exists()


def test_links_and_what_is_no_file_are_refused(folder: Path, known: Known, monkeypatch: Any) -> None:
    into = folder.parent / "b.db"
    outside = folder.parent / "outside.json"
    outside.write_text("secret")
    bad = folder / "bad.json"
    cases: list[tuple[Callable[[], None], str]] = [
        (lambda: bad.symlink_to(outside), "bad.json: it is a link, which is not followed"),
        (lambda: bad.symlink_to(folder.parent, target_is_directory=True), "it is a link"),
        (lambda: os.mkfifo(bad), "bad.json: it is no plain file"),
    ]
    for make, reason in cases:
        make()
        with pytest.raises(StoreError) as refused:
            merge([folder], into, known)
        assert reason in refused.value.message
        assert "secret" not in refused.value.message
        bad.unlink()
    (folder / ".git").symlink_to(folder.parent)  # what is hidden is not looked at
    (folder / "README.md").write_text("Ours.")
    monkeypatch.setattr(reading, "LARGEST", 1000)
    with pytest.raises(StoreError, match="it is larger than"):
        merge([folder], into, known)
    monkeypatch.undo()
    assert merge([folder], into, known).added


def test_a_record_that_stands_twice_is_refused(folder: Path, known: Known) -> None:
    path = next(iter(sorted(folder.rglob("*.json"))))
    (folder / "again.json").write_bytes(path.read_bytes())
    with pytest.raises(
        StoreError, match=r"field fingerprint: the same record stands in submitted/again\.json"
    ):
        merge([folder], folder.parent / "b.db", known)


def test_a_dataset_s_name_is_never_taken_for_a_path(spoil: Any, folder: Path, catalog: Catalog) -> None:
    asked = []

    class Watching:
        name, pattern = "watching", "anything"

        def find(self, spec: str) -> None:
            asked.append(spec)

    catalog.dataset_sources.entries["watching"] = (Watching(), catalog.plugins[0])
    try:
        for name in ("../../etc", "/etc/passwd", "simulated-deduction@stage=x", "x@a=b"):
            spoil("score", both(put("dataset", name), put("facts.dataset.name", name)))
            with pytest.raises(StoreError):
                merge([folder], folder.parent / "b.db", Known(catalog))
    finally:
        del catalog.dataset_sources.entries["watching"]
    assert asked == []
