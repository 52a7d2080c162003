# `make demo` and `make test` need Python 3.11 or newer and nothing else: both make .venv from the pinned versions.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MODEL  ?= HuggingFaceTB/SmolLM2-135M-Instruct
ARGS   ?=
WORKERS ?= 2
RESULTS ?= results
AGAINST ?=
SITE    ?= site
BOARD   := build/board.db

.PHONY: demo run test check lint types docs bench lock clean check-results verify-results site

demo: $(VENV)/.installed ## the whole system on things that ship with it: a table, and a page to open
	$(BIN)/brainbench run $(ARGS)

run: $(VENV)/.installed ## score a model on the brain data and show the table
	$(BIN)/brainbench run --model "$(MODEL)" --dataset deduction $(ARGS)

test: $(VENV)/.installed ## all tests, in WORKERS processes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: lint types test ## what has to pass before a commit

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

docs: $(VENV)/.installed ## write help texts and examples into the docs; RESULTS=file.db writes the table, DEMO=1 runs the demo for its output
	$(BIN)/python tests/docs/render.py $(if $(DEMO),--demo)
	$(if $(RESULTS),$(BIN)/python tests/docs/result_tables.py $(RESULTS))
	$(BIN)/python tests/docs/calibration.py
	$(BIN)/python tests/docs/speed.py
	$(BIN)/python tests/docs/steering.py
	$(BIN)/python tests/docs/tuning.py
	$(BIN)/python tests/docs/originality.py

bench: $(VENV)/.installed ## speed against peers, and what scores make of nothing; SPEED=docs/speed.json keeps the figures of docs/speed.md
	for script in benchmarks/*.py; do $(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

check-results: $(VENV)/.installed ## what results have to pass to be published; RESULTS=folder, AGAINST=another folder also compares
	rm -f $(BOARD) $(BOARD)-wal $(BOARD)-shm
	$(BIN)/brainbench board merge $(RESULTS) --db $(BOARD)
	$(if $(AGAINST),$(BIN)/brainbench board diff $(AGAINST) $(RESULTS) || test $$? = 1)

verify-results: $(VENV)/.installed ## compute three of the results again, with AGAINST=folder of those that it has not
	$(BIN)/brainbench board verify $(RESULTS) --sample 3 $(if $(AGAINST),--against $(AGAINST))

site: check-results ## the page of the results, in the folder SITE
	$(BIN)/brainbench board publish $(SITE) --db $(BOARD)

lock: ## renew constraints.txt with the newest versions that fit together
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet torch==2.13.0 ".[dev]"
	(head -1 constraints.txt; .venv-lock/bin/python -m pip freeze --all | grep -v -i -E '^(brainbench|pip)\b' | sed 's/+cpu//') > constraints.new
	mv constraints.new constraints.txt && rm -rf .venv-lock

# The editable install reads the code from here: it is made again only when versions or metadata change.
$(VENV)/.installed: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "brainbench needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) .venv-lock dist
