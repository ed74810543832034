# One command each: what people and CI run.
PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
FAST := -m "not slow and not ollama"
PYTEST := $(BIN)/python -m pytest
# Two workers: CI machines have two cores, and a third only waits. A file is one worker's, so what
# its tests share is made once.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check static golden lock clean

help:  ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## a real model breaks, is diagnosed and mended (ARGS=...)
	$(BIN)/agentops demo $(ARGS)

test: static  ## static checks and the fast tests
	$(PYTEST) -n $(WORKERS) --dist loadfile $(FAST)

test-all: static  ## static checks and every test that needs no Ollama
	$(PYTEST) -n $(WORKERS) -m "not ollama"

check: test  ## what to run before each commit

static: $(VENV)/.installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/readme_graph.py --check

golden: $(VENV)/.installed-dev  ## write the golden files anew; look at the diff
	$(PYTEST) --rewrite-golden

lock:  ## write constraints.txt anew from the newest versions allowed
	@rm -rf build/lock
	@$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip --disable-pip-version-check install -q '.[dev]'
	@echo '# Exact versions that the tests ran with; `make lock` writes this file anew.' > build/constraints.txt
	@build/lock/bin/python -m pip freeze --exclude agentops-graph >> build/constraints.txt
	@mv build/constraints.txt constraints.txt
	@rm -rf build/lock

clean:  ## remove what make and the tools wrote; your data in .agentops stays
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made again only when the dependencies change, so a second run needs no network.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV), once; this takes a minute or two"
	$(PIP) install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into $(VENV), once; this takes a minute or two"
	$(PIP) install -q -c constraints.txt -e '.[dev]'
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) was not found; install Python 3.11 or newer, or name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old; Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
