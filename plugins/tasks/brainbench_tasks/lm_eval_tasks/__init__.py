"""YAML files by which lm-eval's own command line finds the tasks; `python -m` of this prints the folder."""
