"""What a method's page is called: settings in the name of an intervention are no method of their own."""

from __future__ import annotations


def bare(intervention: str) -> str:
    """An intervention without its places and settings; of what was kept in a file, how it is asked for.

    "narf@language@weight=0.2" is "narf", "adapter:mine@1f2e" is "adapter:PATH".
    """
    kind, kept, _ = intervention.partition(":")
    return f"{kind}:PATH" if kept else intervention.partition("@")[0]
