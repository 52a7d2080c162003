"""The published schema is the models', and says the same of files as they do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from brainbench_leaderboard.exchange.format import SCHEMA_VERSION, json_schema

ROOT = Path(__file__).parents[3]


def test_the_schema_in_the_docs_is_that_of_the_models() -> None:
    held = json.loads((ROOT / f"docs/schema/results-{SCHEMA_VERSION}.json").read_text())
    assert held == json_schema(), "python tests/docs/render.py"


def test_an_exported_file_has_what_the_schema_asks_for_and_nothing_else(exported: Path) -> None:
    schema = json_schema()
    kinds = set()
    for path in exported.rglob("*.json"):
        held = json.loads(path.read_text())
        assert set(held) == set(schema["properties"]) == set(schema["required"])
        for record in held["records"]:
            kinds.add(record["kind"])
            name = schema["properties"]["records"]["items"]["discriminator"]["mapping"][record["kind"]]
            wanted = schema["$defs"][name.rpartition("/")[2]]
            assert set(record) == set(wanted["properties"]) == set(wanted["required"])
            assert not wanted["additionalProperties"]
    assert kinds == {"score", "ceiling", "task", "ideas", "validity"}


def test_every_text_list_and_number_has_a_bound() -> None:
    def walk(node: Any, path: str) -> None:
        if isinstance(node, list):
            for held in node:
                walk(held, path)
        if not isinstance(node, dict):
            return
        match node.get("type"):
            case "string" if "const" not in node:
                assert "maxLength" in node or "{64}" in node.get("pattern", ""), path
            case "array":
                assert "maxItems" in node, path
            case "integer" if "const" not in node:
                assert "maximum" in node, path
            case "number":
                assert "maximum" in node, path
        for key, held in node.items():
            walk(held, f"{path}.{key}")

    walk(json_schema(), "")


def test_patterns_mean_the_same_to_every_reader_of_the_schema() -> None:
    for pattern in re.findall(r'"pattern": "(.*?)"', json.dumps(json_schema())):
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        re.compile(json.loads(f'"{pattern}"'))
