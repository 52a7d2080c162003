"""The small model that comes with brainbench: where its files lie, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from brainbench.errors import ModelError
from brainbench_models.checkpoints import FolderCheckpoint, Pin

NAME = "brainbench/tiny"
FOLDER = Path(__file__).parent / "tiny"
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class ShippedCheckpoint(FolderCheckpoint):
    """The folder inside the installed package; nothing is ever fetched for it, and no path is shown."""

    path: Path = field(default_factory=lambda: FOLDER, repr=False)

    @property
    def title(self) -> str:
        """Its name, whatever the folder is called."""
        return NAME

    def pin(self, *, weights: bool, code: bool) -> Pin:
        """A SHA-256 over its files; it brings no code. Raises ModelError when the install is broken."""
        del code  # the Python files beside it made the weights, and change no feature
        needed = (*FILES, WEIGHTS) if weights else FILES
        if missing := [name for name in needed if not (self.path / name).is_file()]:
            raise ModelError(
                f"The model {NAME}, which comes with brainbench, lacks {', '.join(missing)}.",
                hint="This installation is incomplete: install brainbench again.",
            )
        return super().pin(weights=weights, code=False)
