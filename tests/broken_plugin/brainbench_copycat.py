"""A plugin that takes the name of a built-in metric."""

from dataclasses import dataclass

from brainbench import hookimpl


@dataclass(frozen=True)
class Copycat:
    """Calls itself predictivity."""

    name: str = "predictivity"
    protocol: str = "paper"
    version: int = 1

    def score(self, features, recording, reporter):
        """Never called."""
        raise AssertionError

    def ceiling(self, recording, reporter):
        """Never called."""
        raise AssertionError


@hookimpl
def register_metrics(register):
    """Offer a name that is taken."""
    register(Copycat())
