"""How the maker of a sentence encoder meant it to be used: read from the small JSON files beside its weights.

They are those of sentence-transformers: modules.json lists what a text passes through, each module's settings
lie in a folder of its own. Only settings are read: a module that is not known here is an error, and nothing
that comes with a model is executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainbench.errors import ModelError
from brainbench_models.checkpoints import Pin

MODULES, LIMITS, PROMPTS = "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"
_PACKAGE = "sentence_transformers."
# What pooling's settings call a way of pooling, and what it is called here.
_POOLINGS = {
    "cls_token": "cls",
    "cls": "cls",
    "max_tokens": "max",
    "max": "max",
    "mean_tokens": "mean",
    "mean": "mean",
    "mean_sqrt_len_tokens": "mean_sqrt",
    "lasttoken": "last",
}


_ENDLESS = 2**31  # tokens; what says so many says that nothing is cut off


@dataclass(frozen=True)
class Recipe:
    """From a text to its vector. The default is that of a model whose maker says nothing.

    pooling: over all tokens, special ones included, of the network's output after its final norm: "mean",
    "mean_sqrt" (the sum over the root of their number), "max", "cls" (the first) or "last". unit: the vector
    is made one long. limit: the tokens at which a text is cut off, as the maker does; None where it is never
    cut, "context" at what the network takes. lower: text is put in lower case; prefix: what goes before it.
    """

    pooling: str = "mean"
    unit: bool = False
    limit: int | str | None = None
    lower: bool = False
    prefix: str = ""

    def text(self, text: str) -> str:
        """The text as the tokenizer is given it."""
        text = self.prefix + text
        return text.lower() if self.lower else text


def recipe_of(pin: Pin, model: str) -> Recipe:
    """What a model's files say. Raises ModelError where they name a module or pooling that is not known here.

    Also where they cannot be read, or, without a network, may exist and were never fetched.
    """
    modules = _read(pin, MODULES, model)
    if modules is None:
        return Recipe()
    if not isinstance(modules, list) or not all(isinstance(module, Mapping) for module in modules):
        raise _odd(model, MODULES, "does not list modules")
    steps = [(_kind(str(module.get("type"))), str(module.get("path", ""))) for module in modules]
    kinds = [kind for kind, _ in steps]
    unknown = [kind for kind in kinds if kind not in ("Transformer", "Pooling", "Normalize")]
    if unknown or kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise ModelError(
            f"The model {model} embeds sentences by {' > '.join(kinds) or 'nothing'}, and brainbench only by "
            "Transformer > Pooling, with or without Normalize.",
            hint="Use a sentence encoder such as sentence-transformers/all-MiniLM-L6-v2.",
        )
    if steps[0][1]:
        raise _odd(model, MODULES, f"keeps the network in {steps[0][1]!r}, not beside it")
    limits = _settings(pin, LIMITS, model)
    longest = limits.get("max_seq_length")
    return Recipe(
        _pooling(_settings(pin, f"{steps[1][1]}/config.json", model), model),
        unit="Normalize" in kinds,
        limit=longest if type(longest) is int and 0 < longest < _ENDLESS else "context",
        lower=limits.get("do_lower_case") is True,
        prefix=_prefix(_settings(pin, PROMPTS, model), model),
    )


def _kind(named: str) -> str:
    """The last part of a class of sentence-transformers; any other class whole."""
    return named.rpartition(".")[2] if named.startswith(_PACKAGE) else named


def _pooling(settings: Mapping[str, Any], model: str) -> str:
    """Older files switch each way on or off, newer ones name it."""
    chosen = [
        key.removeprefix("pooling_mode_")
        for key, on in settings.items()
        if key.startswith("pooling_mode_") and on is True
    ] or [str(settings.get("pooling_mode") or "nothing")]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise ModelError(
            f"The model {model} pools tokens by {' and '.join(chosen)}, which is not known here.",
            hint=f"What is known: {', '.join(sorted(set(_POOLINGS.values())))}.",
        )
    if settings.get("include_prompt") is False:
        raise _odd(model, "pooling", "leaves the prompt's tokens out, which brainbench does not know")
    return _POOLINGS[chosen[0]]


def _prefix(settings: Mapping[str, Any], model: str) -> str:
    """The prompt that the maker puts before every text, if any."""
    name, prompts = settings.get("default_prompt_name"), settings.get("prompts")
    if name is None:
        return ""
    if not isinstance(prompts, Mapping) or not isinstance(prompts.get(str(name)), str):
        raise _odd(model, PROMPTS, f"has no prompt {name!r}, which it names as the default")
    return str(prompts[str(name)])


def _settings(pin: Pin, name: str, model: str) -> Mapping[str, Any]:
    found = _read(pin, name, model)
    if found is not None and not isinstance(found, Mapping):
        raise _odd(model, name, "holds no JSON object")
    return found or {}


def _read(pin: Pin, name: str, model: str) -> Any:
    """What a JSON file of the pinned revision holds; None where there is no such file."""
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise _odd(model, MODULES, f"names {name!r}, which is no file of it")
    path = Path(pin.source) / name if pin.commit is None else _fetched(pin, name, model)
    if path is None or not path.is_file():
        return None
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _odd(model, name, "cannot be read as JSON") from error


def _fetched(pin: Pin, name: str, model: str) -> Path | None:
    """The hub's file in the local cache, fetched if need be; None where the revision has none."""
    from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    from brainbench_models.failures import explain, unreachable

    known = try_to_load_from_cache(pin.source, name, revision=pin.commit)
    if known is _CACHED_NO_EXIST:  # a commit never gets another file
        return None
    try:
        return Path(hf_hub_download(pin.source, name, revision=pin.commit))
    except LocalEntryNotFoundError as error:  # it may exist: to guess would make other vectors
        raise unreachable(model, pin.commit or pin.revision) from error
    except EntryNotFoundError:
        return None
    except Exception as error:  # the hub's HTTP library, and so its errors, vary by version
        raise explain(error, model, pin.commit or "") from error


def _odd(model: str, name: str, what: str) -> ModelError:
    return ModelError(
        f"The model {model} cannot embed sentences: its {name} {what}.",
        hint="Get its files again, or use another sentence encoder.",
    )
