"""What went wrong while a model was found or loaded, as one sentence and a hint."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench.errors import ModelError, words_of


def explain(error: BaseException, model: str, revision: str = "") -> ModelError:
    """The ModelError that tells a reader what `error`, raised for `model`, means."""
    from huggingface_hub import errors as hub

    chain = tuple(_chain(error))
    at = f" at revision {revision!r}" if revision else ""

    def caused(*kinds: type[BaseException]) -> bool:
        return any(isinstance(link, kinds) for link in chain)

    if caused(hub.GatedRepoError):
        return ModelError(
            f"The model {model} is gated and this account has no access to it.",
            hint=f"Accept its terms on the model's page, then log in with `hf auth login`: {model}.",
        )
    if caused(hub.RepositoryNotFoundError, hub.HFValidationError):
        return ModelError(
            f"The hub has no model {model}, or it is private.",
            hint="Check the spelling org/name; log in with `hf auth login` if it is private.",
        )
    if caused(hub.RevisionNotFoundError):
        return ModelError(
            f"The model {model} has no revision {revision!r}.",
            hint="Name a branch, tag or commit of it, or leave @revision out.",
        )
    return _explain_text(error, chain, model, at)


def unreachable(model: str, revision: str) -> ModelError:
    """A hub model that is neither in the local cache nor within reach."""
    return ModelError(
        f"The hub cannot be reached, and model {model} at revision {revision!r} is not in the local cache.",
        hint="Connect to the network, or give a local folder or a full commit that was downloaded before.",
    )


def _explain_text(error: BaseException, chain: tuple[BaseException, ...], model: str, at: str) -> ModelError:
    """Errors that transformers tells apart by their words alone."""
    text = " ".join(str(link) for link in chain)
    for words, sentence, hint in _BY_WORDS:
        if any(all(part in text for part in word.split("|")) for word in words):
            return ModelError(sentence.format(model=f"{model}{at}"), hint=hint)
    return ModelError(
        f"The model {model}{at} could not be loaded: {type(error).__name__}: {words_of(error)[:300]}",
        hint="Check that AutoModel and AutoTokenizer of transformers can load it.",
    )


# Words that an error must hold ("a|b": both), what they mean, and what to do.
_BY_WORDS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("trust_remote_code",),
        "The model {model} brings its own Python code, which is not trusted.",
        "Read that code, then allow it with --trust-remote-code.",
    ),
    (
        ("does not recognize this architecture", "Unrecognized model"),
        "The architecture of model {model} is not known to the installed transformers.",
        "See model_type in its config.json; update transformers, or use --trust-remote-code if the model "
        "brings its own code.",
    ),
    (
        ("ignore_mismatched_sizes", "size mismatch"),
        "The weights of model {model} do not fit its config.json.",
        "The files may belong to two different models: get them again together.",
    ),
    (
        ("Error while deserializing header",),
        "The weights of model {model} are incomplete or damaged.",
        "Copy or download the safetensors files again.",
    ),
    (
        ("backend tokenizer",),
        "The model {model} comes without a tokenizer that can be read.",
        "Save the tokenizer beside the model with its save_pretrained.",
    ),
    (
        ("safetensors|does not appear to have a file",),
        "The model {model} has no safetensors weights.",
        "Name a revision that has them, or save the model again with save_pretrained.",
    ),
    (
        ("couldn't connect", "Cannot reach", "offline mode", "LocalEntryNotFound"),
        "The hub cannot be reached, and model {model} is not wholly in the local cache.",
        "Connect to the network once, or give a local folder.",
    ),
)


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
