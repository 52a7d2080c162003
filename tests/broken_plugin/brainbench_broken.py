"""A plugin whose author renamed a library: it cannot be imported, and must harm nobody else."""

import a_library_that_was_renamed  # noqa: F401
