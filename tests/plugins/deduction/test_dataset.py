import hashlib
import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from brainbench.errors import UsageError
from brainbench.nouns import BrainDataset, DatasetSource
from brainbench_tasks.deduction import Deduction
from brainbench_tasks.deduction_files import PARTICIPANTS, all_events, betas_of, data_hash
from brainbench_tasks.deduction_items import Problem
from brainbench_tasks.deduction_prompts import PROMPT_VERSION, stimulus
from brainbench_tasks.prepared import PreparedFolders


def test_the_table_of_files_is_complete() -> None:
    events, betas = all_events(), [file for region in Deduction().regions for file in betas_of(region)]
    assert len({file.path for file in events}) == 40
    assert len({file.path for file in betas}) == 30
    assert len({file.sha256 for file in (*events, *betas)}) == 70
    for person in PARTICIPANTS:
        assert sum(person in file.path for file in events) == 4
        assert sum(person in file.path for file in betas) == 3


def test_the_identity_is_pinned_and_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAINBENCH_MIRROR", "/no/such/mirror")
    monkeypatch.setenv("BRAINBENCH_CACHE", os.devnull)
    identities = {region: Deduction().identity(region) for region in Deduction().regions}
    assert {region: str(found.facts["data"])[:12] for region, found in identities.items()} == {
        "deductive_reasoning": "b2bb46c7256c",
        "language": "f77794dcb227",
        "md": "0de5724d0b6c",
    }
    assert identities["md"].resolved
    assert {k: v for k, v in identities["md"].facts.items() if k != "data"} == {
        "name": "deduction",
        "version": 1,
        "prompt_version": PROMPT_VERSION,
        "simulated": False,
        "region": "md",
    }


def test_the_data_hash_depends_on_every_file_and_not_on_their_order() -> None:
    files = all_events()
    assert data_hash(files) == data_hash(files[::-1])
    assert (
        len({data_hash(files[:at] + files[at + 1 :]) for at in range(len(files))} | {data_hash(files)}) == 41
    )


def test_an_unknown_region_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="'motor'") as caught:
        Deduction().identity("motor")
    assert "deductive_reasoning, language, md" in caught.value.hint


SYLLOGISM = Problem(("All as are big", "All big things are red", "Ned is an a"), "Ned is red", 3, True, False)
TRANSITIVE = Problem(
    ("A is older than B", "B is older than C", "C is older than D"), "D is not older than A", 3, True, True
)


def test_a_prompt_holds_the_problem_and_the_instructions_of_its_type() -> None:
    item = stimulus("syllogism-run2-07", "syllogism", 2, SYLLOGISM)
    block = (
        "Premises:\n1. All as are big.\n2. All big things are red.\n3. Ned is an a.\nConclusion:\nNed is red."
    )
    assert item.content == item.messages[2].content == block
    assert item.text.endswith(f"\n\n{block}\nAnswer:")
    assert [message.role for message in item.messages] == ["user", "assistant", "user"]
    assert item.conditions == {
        "type": "syllogism",
        "run": 2,
        "premises_needed": 3,
        "label": True,
        "negated": False,
        "subtype": "3_true_affirm",
    }
    other = stimulus("transitive-run1-01", "transitive", 1, TRANSITIVE)
    assert other.messages[0] != item.messages[0]
    for words in ("'True'", "'False' otherwise", "premise as a fact"):
        assert words in item.messages[0].content
        assert words in other.messages[0].content
        assert words in other.text


def test_a_change_of_wording_needs_a_new_prompt_version() -> None:
    items = [
        stimulus("syllogism-run2-07", "syllogism", 2, SYLLOGISM),
        stimulus("transitive-run1-01", "transitive", 1, TRANSITIVE),
    ]
    rendered = repr([(item.text, item.messages, item.content) for item in items])
    pinned = {1: "1bd6b865c0e6d1f1"}  # on failure: raise PROMPT_VERSION and add its hash here
    assert hashlib.sha256(rendered.encode()).hexdigest()[:16] == pinned[PROMPT_VERSION]


def test_the_plugin_offers_one_dataset_that_fits_the_protocol() -> None:
    (entry,) = entry_points(group="brainbench", name="deduction")
    offered: list[BrainDataset | DatasetSource] = []
    entry.load().register_datasets(offered.append)
    assert offered == [Deduction(), PreparedFolders()]
    dataset: BrainDataset = Deduction()
    assert isinstance(dataset, BrainDataset)
    assert [(found.name, dict(found.where)) for found in dataset.item_sets] == [
        ("all", {}),
        ("syllogism", {"type": "syllogism"}),
        ("transitive", {"type": "transitive"}),
    ]
    assert (dataset.simulated, dataset.regions[0]) == (False, "deductive_reasoning")


def test_the_card_names_licences_papers_and_commits() -> None:
    card = Deduction().card
    for words in ("MIT", "CC0"):
        assert words in card.licence
    for words in (
        "10.1038/s42256-026-01278-w",
        "2606.11893",
        "10.18112/openneuro.ds003076.v1.0.1",
        "499-507",
    ):
        assert words in card.citation
    assert all(len(source.rsplit("/", 1)[1]) == 40 for source in card.sources)
    assert len(card.caveats) >= 5


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "lm_eval", "nilearn", "sklearn", "scipy", "pooch", "requests", "pandas"}
    code = f"import sys, brainbench_tasks.deduction; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
