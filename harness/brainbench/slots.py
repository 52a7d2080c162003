"""Places that hold one thing at a time: made when first asked for, kept until another takes its place."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from brainbench.errors import PluginError
from brainbench.nouns import OpenBaseline, OpenModel
from brainbench.protocols import require

T = TypeVar("T")
Opened = OpenModel | OpenBaseline


class PhaseError(Exception):
    """What went wrong (its `error`), and in which phase of a cell."""

    def __init__(self, phase: str, error: BaseException) -> None:
        super().__init__(phase)
        self.phase = phase
        self.error = error


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Name the phase in which an exception was raised; the innermost name stays."""
    try:
        yield
    except (PhaseError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plugin that exits, or an extension that panics, fails its cell only
        raise PhaseError(name, error) from error


@dataclass
class Slot(Generic[T]):
    """Holds one value, or the error that making it raised, for the key it was made for."""

    key: Hashable = None
    made: T | None = None
    error: PhaseError | None = None

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this key, made now if it was not; raises again what making it raised."""
        if self.key != key:
            self.clear()
            try:
                self.made = make()
            except PhaseError as error:
                self.error = error
            self.key = key
        if self.error is not None:
            raise self.error
        assert self.made is not None
        return self.made

    def clear(self) -> None:
        """Forget it."""
        self.key, self.made, self.error = None, None, None


@dataclass
class OpenedSlot(Slot[Opened]):
    """A slot whose value comes from a context, which is left before another is entered."""

    context: AbstractContextManager[Opened] | None = None
    clean: bool = True

    def enter(self, key: Hashable, name: str, make: Callable[[], AbstractContextManager[Opened]]) -> Opened:
        """The model that a context yields; `name` is the phase, "open" or "intervention"."""
        method = {"open": "open()", "intervention": "apply()"}[name]

        def opened() -> Opened:
            with phase(name):
                context = make()
                if not hasattr(context, "__enter__"):
                    raise PluginError(f"{method} gave {type(context).__name__}, not a context to enter.")
                model = context.__enter__()
                self.context = context
                if name != "open" or not isinstance(model, OpenBaseline):
                    require(model, OpenModel, f"What {method} gave")
                return model

        return self.get(key, opened)

    def clear(self) -> None:
        """Leave the context; `clean` says whether that went well."""
        context, self.context = self.context, None
        super().clear()
        self.clean = True
        if context is not None:
            try:
                context.__exit__(None, None, None)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self.clean = False
                warnings.warn(f"Leaving a model failed: {type(error).__name__}: {error}", stacklevel=2)
