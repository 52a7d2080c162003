"""brainbench: how well language models match people's brains while they think, and whether that helps.

What plugin authors need is here; the rest lives in the modules named in CONTRIBUTING.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainbench.hookspecs import API_VERSION, hookimpl

__all__ = ["API_VERSION", "hookimpl"]


def __getattr__(name: str) -> Any:  # importing brainbench for --help must not import pluggy
    if name in __all__:
        from brainbench import hookspecs

        return getattr(hookspecs, name)
    raise AttributeError(f"module 'brainbench' has no attribute {name!r}")
