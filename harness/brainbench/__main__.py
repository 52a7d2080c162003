"""`python -m brainbench`."""

from brainbench.cli import main

main(prog_name="brainbench")
