# `make run` and `make test` need Python 3.11 or newer and nothing else: both make .venv from the pinned versions.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MODEL  ?= HuggingFaceTB/SmolLM2-135M-Instruct
ARGS   ?=

.PHONY: run test check lint types bench wheel-test lock clean

run: $(VENV)/.installed ## score a model on the brain data and show the table
	$(BIN)/brainbench run --model "$(MODEL)" --dataset deduction $(ARGS)

test: $(VENV)/.installed ## all tests
	$(BIN)/python -m pytest $(ARGS)

check: lint types test ## what has to pass before a commit

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

# The editable install reads the code from here: it is made again only when versions or metadata change.
$(VENV)/.installed: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "brainbench needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) dist
