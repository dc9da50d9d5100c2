# Everything a newcomer needs. `make help` lists it; nothing is wanted beforehand but make and Python 3.11 or newer.

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

# What is packed by `make demo`, and where to. `make demo INPUT=my-class.mp3 OUT=folder` takes any other recording.
INPUT  ?= examples/demo-lesson/clase.flac
OUT    ?= lecciones
# The recordings that `make bench` measures.
MEDIA  ?= ../shared/media
# More arguments for pytest or the benchmark: `make test ARGS="-k ogg -x"`.
ARGS   ?=
# How many tests run at once: as many as there are cores, four at most. `make test WORKERS=0`: one after the other.
WORKERS ?= auto

# The Python to build on: PYTHON=... if given, else the first of these that is new enough.
PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)

# On a user's machine tests of optional parts skip where the part is absent; with CI=true everything is installed.
DEV    := $(if $(filter true,$(CI)),ci,dev)

CODE   := src tests examples $(wildcard bench)

.PHONY: help demo serve test check bench tus phone fmt setup clean
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.ready-base  ## pack the example class (INPUT=recording takes another, OUT=folder puts it elsewhere)
	@$(BIN)/chasqui pack "$(INPUT)" --out "$(OUT)"

test: $(VENV)/.ready-$(DEV)  ## run the tests, with coverage (ARGS= for pytest)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(ARGS)

check: $(VENV)/.ready-$(DEV)  ## lint, formatting, types, and the direction of imports
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --check --quiet $(CODE) || { echo "Formatting differs: run make fmt"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.ready-bench  ## measure sizes, promises and speed (MEDIA=folder of recordings)
	@$(BIN)/python bench/run.py --media "$(MEDIA)" $(ARGS)

serve: $(VENV)/.ready-serve  ## the service on this machine, in ./chasqui-data (ARGS= for chasqui serve)
	@$(BIN)/chasqui serve $(ARGS)

tus: tests/web/tus/node_modules/.ready  ## what the tests of uploads from JavaScript need (Node and npm)

phone: phone/node_modules/.ready  ## check and build the module for phones, and its page as one file (needs Node and npm)
	@cd phone && node node_modules/typescript/bin/tsc --project . && node build.mjs && node page.mjs

fmt: $(VENV)/.ready-dev  ## format the code and sort the imports
	@$(BIN)/ruff check --quiet --fix-only $(CODE)
	@$(BIN)/ruff format --quiet $(CODE)

setup: $(VENV)/.ready-$(DEV)  ## install everything for working on Chasqui into .venv

clean:  ## remove .venv and caches; lessons and the store (.chasqui) stay
	@rm -rf $(VENV) build dist phone/node_modules tests/web/tus/node_modules .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# --- the virtual environment: installed again only when pyproject.toml or constraints.txt change -----------------------

$(VENV)/.ready-base: EXTRAS :=
$(VENV)/.ready-base: READY := .ready-base
$(VENV)/.ready-dev: EXTRAS := [dev]
$(VENV)/.ready-dev: READY := .ready-base .ready-dev
$(VENV)/.ready-ci: EXTRAS := [dev,train,gpu,asr,asr-light,data,neural,ray,serve,judges]
$(VENV)/.ready-ci: READY := .ready-base .ready-dev .ready-ci
$(VENV)/.ready-serve: EXTRAS := [serve]
$(VENV)/.ready-serve: READY := .ready-base .ready-serve
$(VENV)/.ready-bench: EXTRAS := [dev,bench]
$(VENV)/.ready-bench: READY := .ready-base .ready-dev .ready-bench

$(VENV)/.ready-%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Chasqui$(EXTRAS) into $(VENV) (once; a minute or two) ..."
	@$(PIP) --editable ".$(EXTRAS)"
	@cd $(VENV) && touch $(READY)

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || { lacking="$$python"; continue; }; \
	  "$$python" -m venv $(VENV) && exit 0; \
	done; \
	if [ -n "$$lacking" ]; then \
	  echo "$$lacking cannot make virtual environments. On Debian or Ubuntu: sudo apt install python3-venv" >&2; \
	else \
	  echo "Chasqui needs Python 3.11 or newer; none of these is: $(PYTHONS). Give it by name: make PYTHON=/path/to/python3.12 ..." >&2; \
	fi; \
	exit 1

# --- what builds phone/ and sends in tests: installed again only when its versions change -------------------------------------------------

phone/node_modules/.ready tests/web/tus/node_modules/.ready: %/node_modules/.ready: %/package.json
	@cd $* && npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@
