"""A quiet terminal while transformers works: progress belongs to the reporter, errors to exceptions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Silence progress bars, advice and warnings of transformers and its hub; restored on leaving."""
    from huggingface_hub import utils as hub
    from transformers.utils import logging

    level, hub_level = logging.get_verbosity(), hub.logging.get_verbosity()
    bars, hub_bars = logging.is_progress_bar_enabled(), not hub.are_progress_bars_disabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            logging.set_verbosity(logging.CRITICAL)
            hub.logging.set_verbosity(logging.CRITICAL)
            logging.disable_progress_bar()
            hub.disable_progress_bars()
            yield
        finally:
            logging.set_verbosity(level)
            hub.logging.set_verbosity(hub_level)
            if bars:
                logging.enable_progress_bar()
            if hub_bars:
                hub.enable_progress_bars()
            else:  # transformers' switch also turns the hub's bars on
                hub.disable_progress_bars()
