# Needs python3 >= 3.11 and make; everything else comes from uv.lock.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv

.PHONY: setup demo up test check lint types shape bench fmt

setup: .venv/.made

.venv/.made: pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(UV) sync --quiet --frozen --all-extras --inexact
	@touch $@
