"""What went wrong while a model was found or loaded, as one sentence and a hint."""

from __future__ import annotations

from collections.abc import Iterator

from brainbench.errors import ModelError


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
    if "trust_remote_code" in text:
        return ModelError(
            f"The model {model}{at} brings its own Python code, which is not trusted.",
            hint="Read that code, then allow it with --trust-remote-code.",
        )
    if "does not recognize this architecture" in text or "Unrecognized model" in text:
        return ModelError(
            f"The architecture of model {model}{at} is not known to the installed transformers.",
            hint="Update transformers, or use --trust-remote-code if the model brings its own code.",
        )
    if "safetensors" in text and "does not appear to have a file" in text:
        return ModelError(
            f"The model {model}{at} has no safetensors weights.",
            hint="Name a revision that has them, or save the model again with save_pretrained.",
        )
    if any(
        name in text for name in ("couldn't connect", "Cannot reach", "offline mode", "LocalEntryNotFound")
    ):
        return ModelError(
            f"The hub cannot be reached, and model {model}{at} is not wholly in the local cache.",
            hint="Connect to the network once, or give a local folder.",
        )
    first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return ModelError(
        f"The model {model}{at} could not be loaded: {first}.",
        hint="Check that AutoModel and AutoTokenizer of transformers can load it.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
