# `make run` opens the program, `make test` passes the tests; both install what they need into .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install run test test-gpu check format faults bench pictures clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cifartui needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

run: $(INSTALLED)
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/cifartui; else exec $(BIN)/cifartui demo; fi

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

# What only a GPU can show; each test is skipped, with the reason, where there is none.
test-gpu: $(INSTALLED)
	$(BIN)/python -m pytest -m gpu -rs tests/gpu

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Kills at random moments, disks that fill up; takes minutes.
faults: $(INSTALLED)
	$(BIN)/python -m pytest -m faults -s

# The measurements behind the README's numbers, side by side in one run; takes minutes.
# DATASET names an imported data set: make bench DATASET=cifar10-jpeg
DATASET ?= sketches
bench: $(INSTALLED)
	$(BIN)/python -m tests.bench.training --dataset $(DATASET)
	$(BIN)/python -m tests.bench.recipes --dataset $(DATASET)
	$(BIN)/python -m tests.bench.watching --dataset $(DATASET)
	$(BIN)/python -m tests.bench.controls --dataset $(DATASET)
	$(BIN)/python -m tests.bench.journals
	$(BIN)/python -m tests.bench.runs
	$(BIN)/python -m tests.bench.preparing --dataset $(DATASET)
	$(BIN)/python -m tests.bench.paging --dataset $(DATASET)
	$(BIN)/python -m tests.bench.model_screens --dataset $(DATASET)

pictures: $(INSTALLED)
	$(BIN)/python assets/draw.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
