# Needs python3 >= 3.11 and make; everything else comes from uv.lock.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: setup demo up test check lint types shape bench chaos fuzz fmt

setup: .venv/.made

.venv/.made: pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@echo "installing from uv.lock into .venv"
	@$(BIN)/uv sync --quiet --frozen --all-extras --inexact
	@touch $@

demo: setup ## the whole story on embedded parts, in a fresh folder
	@$(BIN)/fhir-anchor demo

up: setup ## everything in one go, on loopback, until Ctrl-C
	@$(BIN)/fhir-anchor up

test: setup ## the whole test suite
	@$(PYTEST)

check: setup lint types shape test ## everything that CI asks

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .

types: setup
	@$(BIN)/mypy

shape: setup
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo
	@$(PYTEST) -q tests/shape

bench: setup ## speed, each figure beside its peer in the same run
	@for part in tests/bench/*.py; do PYTHONPATH=. $(BIN)/python $$part || exit 1; done

MESSAGES ?= 5000
SENDERS ?= 8
SECONDS ?= 60
EVERY ?= 3
SIZE ?= 2
BROKER ?= redis
DISK ?=

chaos: setup ## senders at work while everything fails, every EVERY seconds; prints a census. DISK=1 fills the disk too (root)
	@$(BIN)/python -m tests.scenarios.chaos --messages $(MESSAGES) --senders $(SENDERS) --seconds $(SECONDS) --every $(EVERY) --size $(SIZE) --broker $(BROKER) $(if $(DISK),--disk)

INPUTS ?= 1000000

fuzz: setup ## mutated messages, INPUTS of them and SECONDS guided by coverage; stops at what breaks
	@nice $(BIN)/python -m tests.fuzz --inputs $(INPUTS) --processes 2
	@$(BIN)/uv sync --quiet --frozen --all-extras --group fuzz --inexact
	@nice $(BIN)/python -m tests.fuzz --coverage -max_total_time=$(SECONDS)

fmt: setup
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
