"""Prints the folder to give to lm-eval as --include_path."""

import sys
from pathlib import Path

sys.stdout.write(f"{Path(__file__).parent}\n")
