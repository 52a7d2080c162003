"""Where a model's files lie, and what pins them: a commit of a hub, or a hash of a folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from brainbench.errors import ModelError

_COMMIT = re.compile(r"[0-9a-f]{40}")

# What transformers may read for a base model and its tokenizer. Too many files only cost a recomputation,
# too few would let two different models pass for one.
_SETTINGS = frozenset({".json", ".jinja", ".model", ".txt", ".tiktoken", ".vocab", ".bpe"})
_IRRELEVANT = frozenset(
    {
        "generation_config.json",
        "trainer_state.json",
        "all_results.json",
        "train_results.json",
        "eval_results.json",
        "requirements.txt",
        "license.txt",
        "notice.txt",
        "readme.txt",
    }
)
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")

_commits: dict[tuple[str, str], str] = {}  # a branch that moves meanwhile must not change the model half-way
_digests: dict[tuple[str, int, int], str] = {}  # by path, size and time of change: hash 100 GB once


@dataclass(frozen=True)
class Pin:
    """A checkpoint, exactly: what to load and what its revision is called.

    `commit` is None for a folder. `resolved` is False where a hub's revision could not be found out.
    """

    source: str
    revision: str
    commit: str | None = None
    resolved: bool = True


@dataclass(frozen=True)
class HubCheckpoint:
    """A repository of the Hugging Face hub at a branch, tag or commit."""

    repo: str
    revision: str = "main"

    @property
    def title(self) -> str:
        """What the checkpoint is called, without its revision."""
        return self.repo

    def pin(self, *, weights: bool, code: bool) -> Pin:
        """The commit that the revision names now; a commit covers weights and code alike.

        Asks the hub, or without a network the local cache. Raises ModelError when the hub knows no
        such repository or revision.
        """
        del weights, code
        commit = self._commit()
        if commit is None:
            return Pin(source=self.repo, revision=self.revision, resolved=False)
        return Pin(source=self.repo, revision=commit, commit=commit)

    def _commit(self) -> str | None:
        if _COMMIT.fullmatch(self.revision):
            return self.revision
        key = (self.repo, self.revision)
        if key not in _commits:
            commit = self._ask_hub() or self._ask_cache()
            if commit is None:
                return None
            _commits[key] = commit
        return _commits[key]

    def _ask_hub(self) -> str | None:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import (
            HFValidationError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        from brainbench_models.failures import explain

        try:
            sha = HfApi().model_info(self.repo, revision=self.revision, timeout=10).sha
        except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
            raise explain(error, self.repo, self.revision) from error
        except Exception:  # offline, or the hub is ill: its HTTP library, and so its errors, vary by version
            return None
        if not sha:
            return None
        # Files fetched by commit leave no note of the branch, without which the cache is useless offline.
        with suppress(OSError):
            ref = self._cache() / "refs" / self.revision
            ref.parent.mkdir(parents=True, exist_ok=True)
            ref.write_text(str(sha))
        return str(sha)

    def _ask_cache(self) -> str | None:
        try:
            commit = (self._cache() / "refs" / self.revision).read_text().strip()
        except OSError:
            return None
        known = _COMMIT.fullmatch(commit) and (self._cache() / "snapshots" / commit).is_dir()
        return commit if known else None

    def _cache(self) -> Path:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        folder: str = repo_folder_name(repo_id=self.repo, repo_type="model")
        return Path(constants.HF_HUB_CACHE) / folder


@dataclass(frozen=True)
class FolderCheckpoint:
    """A model saved in a folder on this machine."""

    path: Path

    @property
    def title(self) -> str:
        """The folder's own name, so that a result does not depend on where the folder lies."""
        return os.fsencode(self.path.expanduser().resolve().name).decode("utf-8", "backslashreplace")

    def pin(self, *, weights: bool, code: bool) -> Pin:
        """A SHA-256 over the names and bytes of all files that can change features.

        Those are the weights (*.safetensors, unless `weights` is False), the configuration and the
        tokenizer's files at the folder's top, and with `code` its Python files. Left out are notes,
        the results and state of training, settings for generating text, and pickles, which are never
        read. Raises ModelError when the folder is missing or holds no such model.
        """
        folder = self.path.expanduser()
        self._check(folder, weights=weights)
        whole = hashlib.sha256()
        for file in _files(folder, weights=weights, code=code):
            name = file.relative_to(folder).as_posix()
            whole.update(f"{name}\0{_digest(file)}\n".encode())
        return Pin(source=str(folder), revision=f"sha256:{whole.hexdigest()}")

    def _check(self, folder: Path, *, weights: bool) -> None:
        if folder.is_file():
            raise ModelError(
                f"The model {str(self.path)!r} is a file.", hint="Give the folder that holds config.json."
            )
        if not folder.is_dir():
            raise ModelError(
                f"The model folder {str(self.path)!r} does not exist.",
                hint="Give a folder made by save_pretrained, or a hub name such as org/name.",
            )
        if not (folder / "config.json").is_file():
            raise ModelError(
                f"The folder {str(self.path)!r} is not a model folder: it holds no config.json.",
                hint="Give the folder in which save_pretrained left config.json, weights and tokenizer.",
            )
        if not weights or any(folder.glob("*.safetensors")) or _shards(folder):
            return
        pickled = any(True for pattern in _PICKLES for _ in folder.glob(pattern))
        kind = "its weights only as pickles, which can run code" if pickled else "no *.safetensors weights"
        raise ModelError(
            f"The model folder {str(self.path)!r} holds {kind}.",
            hint="Save it again with save_pretrained, which writes safetensors.",
        )


Checkpoint = HubCheckpoint | FolderCheckpoint


def _files(folder: Path, *, weights: bool, code: bool) -> list[Path]:
    found = {
        file
        for file in folder.iterdir()
        if file.suffix in _SETTINGS and file.name.lower() not in _IRRELEVANT and file.is_file()
    }
    found.update(folder.glob("additional_chat_templates/*.jinja"))
    if (folder / "modules.json").is_file():  # a sentence encoder: its modules keep their settings below it
        found.update(folder.rglob("config.json"))
    if weights:
        found.update(folder.glob("*.safetensors"))
        found.update(_shards(folder))
    else:
        found = {file for file in found if not file.name.endswith(".safetensors.index.json")}
    if code:
        found.update(folder.rglob("*.py"))
    return sorted(found)


def _shards(folder: Path) -> set[Path]:
    """The weight files that an index names, which may lie in subfolders."""
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text())
        return {folder / name for name in index["weight_map"].values() if (folder / name).is_file()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()  # loading says what is wrong with it


def _digest(file: Path) -> str:
    state = file.stat()
    key = (str(file.resolve()), state.st_size, state.st_mtime_ns)
    if key not in _digests:
        with file.open("rb") as stream:
            _digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _digests[key]
