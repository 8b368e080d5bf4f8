# Everything from nothing but Python >= 3.11 and make. `make help` lists the targets.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Hundreds of consoles are started by the tests; none has to compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo check lint types contracts unit unit-one unit-other thorough test bench snapshots lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "opsconsole needs Python 3.11 or later; run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python pyproject.toml requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP)  ## create .venv with everything the other targets need

demo: setup  ## a complete live platform on this machine, and the console on it
	$(BIN)/opsconsole demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

# In two halves, each a process that collects only its own: workers of pytest-xdist would each collect, and rewrite, all.
# Without the plugins that only pictures of screens need.
UNIT  := $(BIN)/python -m pytest -q -p no:textual-snapshot -p no:syrupy -p no:anyio
ONE   := $(addprefix tests/unit/,runbooks store ui)
OTHER := $(filter-out $(ONE),$(wildcard tests/unit/[a-z]*))
unit: unit-one unit-other
unit-one unit-other: setup
unit-one:
	$(UNIT) $(ONE)
unit-other:
	$(UNIT) $(OTHER)

# Beside each other. What one of them says is shown in one piece, where make can do that.
TOGETHER := --jobs=5 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
check: setup  ## lint, strict types, import contracts, unit tests
	@$(MAKE) --no-print-directory $(TOGETHER) types unit-one unit-other lint contracts

# What the properties of the unit tests say, of five times as many examples as `unit` looks at.
thorough: setup
	$(UNIT) -n auto --maxprocesses=4 --dist worksteal -m hypothesis --hypothesis-profile=thorough \
	  $$(grep -rl '^from hypothesis' --include='test_*.py' tests/unit)

test: check thorough  ## everything, on real servers
	$(BIN)/python -m tests.airflow_servers
	$(BIN)/python -m pytest tests/integration tests/screens tests/terminal -q -raR -n 3 --dist loadfile --no-loadscope-reorder \
	  --reruns 1

PEERS := .venv-peers/.installed
$(PEERS): bench/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/peers.txt
	@touch $(PEERS)

bench: setup $(PEERS)  ## measure speed, bytes and memory through a terminal, and assert the bars
	$(BIN)/python -m bench

snapshots: setup  ## rewrite the screen snapshots (look at the report before committing)
	$(BIN)/python -m pytest tests/screens -q --snapshot-update

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
lock: setup  ## refresh the pinned, hashed requirements
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) --extra demo --extra redis --extra fleet --extra advice --extra promql --group dev pyproject.toml -o requirements-dev.txt
	for version in 2 3; do $(COMPILE) --no-annotate tests/airflow$$version.in -o tests/airflow$$version.txt || exit 1; done
	$(COMPILE) --no-annotate src/opsconsole/demo/real/requirements.in -o src/opsconsole/demo/real/requirements.txt

clean:  ## remove what the targets above made in this folder
	rm -rf $(VENV) .venv-peers build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
