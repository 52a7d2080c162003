"""Starting up must stay quick: what may be imported is listed, everything else is a mistake."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from brainbench.adapter import Adapter
from brainbench.adapter_files import save as save_adapter
from brainbench.steering import Addition, Steering
from brainbench.steering_files import save

HEAVY = (
    "torch",
    "transformers",
    "lm_eval",
    "nilearn",
    "datasets",
    "sklearn",
    "scipy",
    "huggingface_hub",
    "pooch",
)
# Third-party packages that a command may import; the standard library and brainbench's own come besides.
ALLOWED = {
    "--help": {"click"},
    "list": {"click", "numpy", "pluggy", "rich"},
    "steer": {"click", "numpy", "rich", "safetensors", "pluggy"},
    "tune": {"click", "numpy", "rich", "safetensors", "pluggy"},
    "board": {"click", "numpy", "rich", "platformdirs", "sqlite_utils", "sqlite_fts4", "pluggy"},
}
# sqlite_utils imports pandas, and with it these, wherever it finds them installed.
ALLOWED["board"] |= {"pandas", "dateutil", "six", "pytz", "pyarrow", "cython_runtime", "cloudpickle"}
CODE = """
import sys
sys.argv = ["brainbench", *{arguments!r}]
from brainbench.cli import main
main(standalone_mode=False)
print()
print("MODULES", *sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


def imported(*arguments: str) -> set[str]:
    code = CODE.format(arguments=arguments)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES ")[2].split())


def third_party(modules: set[str]) -> set[str]:
    own = {name for name in modules if name.startswith("brainbench")}
    # Compiled parts and site hooks of the interpreter have names that are nobody's package.
    return {name for name in modules - own - set(sys.stdlib_module_names) if not name.startswith("_")}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("list",),
        ("list", "datasets"),
        ("list", "--json"),
        ("board",),
        ("board", "--json"),
        ("steer", "--help"),
        ("steer", "fit", "--help"),
        ("steer", "apply", "--help"),
        ("steer", "show", "--help"),
        ("steer", "export", "--help"),
        ("steer", "show", "KEPT"),
        ("tune", "--help"),
        ("tune", "fit", "--help"),
        ("tune", "merge", "--help"),
        ("tune", "show", "TUNED"),
        ("board", "merge", "--help"),
        ("board", "publish", "--help"),
        ("board", "serve", "--help"),
        ("analyse", "--help"),
        ("data", "--help"),
        ("data", "prepare", "--help"),
    ],
    ids=" ".join,
)
def test_commands_that_compute_nothing_import_nothing_heavy(
    arguments: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brainbench_leaderboard.store import Leaderboard

    path = tmp_path_factory.mktemp("db") / "b.db"
    Leaderboard(path).close()
    monkeypatch.setenv("BRAINBENCH_DB", str(path))
    kept = tmp_path_factory.mktemp("kept")
    save(Steering({"layer.1": Addition(np.ones(2))}), kept)
    tuned = tmp_path_factory.mktemp("tuned")
    save_adapter(
        Adapter("lora", {"q.lora_A.weight": np.ones((1, 2)), "q.lora_B.weight": np.ones((2, 1))}, 1), tuned
    )
    places = {"KEPT": str(kept), "TUNED": str(tuned)}
    modules = imported(*(places.get(word, word) for word in arguments))
    assert not modules & set(HEAVY)
    allowed = ALLOWED["--help" if "--help" in arguments else arguments[0]]
    assert third_party(modules) <= allowed


def test_the_list_of_heavy_modules_can_be_met() -> None:
    code = "import torch, sys; assert 'torch' in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
