"""The README shows what its first command prints: the same words, and the same numbers within rounding."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from brainbench_models import shipped

RENDER = Path(__file__).with_name("render.py")
README = Path(__file__).parents[2] / "README.md"
NUMBER = re.compile(r"-?\d+\.\d+")
ROUNDING = 0.005  # other processors add up in another order


@pytest.fixture
def render() -> ModuleType:
    spec = importlib.util.spec_from_file_location("render", RENDER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_shows_what_the_demo_prints(render: ModuleType) -> None:
    if not (shipped.FOLDER / shipped.WEIGHTS).is_file():
        pytest.skip("the weights of brainbench/tiny are not in this checkout")
    (block,) = [match for match in render.BLOCK.finditer(README.read_text()) if match[2] == "output"]
    expected = block[4].partition("$ make demo\n")[2].removesuffix("```\n")
    shown = render.demo_output()
    assert NUMBER.sub("#", shown) == NUMBER.sub("#", expected), "make docs DEMO=1"
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (shown, expected)]
    assert numbers[0] == pytest.approx(numbers[1], abs=ROUNDING), "make docs DEMO=1"
