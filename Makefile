# `make demo` runs the main job, `make test` passes the tests; both need nothing but Python 3.11 or newer.
# Everything is installed into .venv, with the versions of constraints.txt.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
MUSIC ?=
PYTEST_FLAGS ?=
BENCH_FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-beets lint docs bench tables clean distclean

help:
	@echo "make demo        a small library of made-up pieces through beets and genreclf (MUSIC=folder: your own)"
	@echo "make test        the tests (about 20 minutes; those of the pages need Chromium: apt install chromium)"
	@echo "make test-slow   the long tests: kills, matrices, three-hour files"
	@echo "make test-beets  the plugin's tests on beets 2.7, 2.10 and the newest"
	@echo "make lint        ruff and mypy"
	@echo "make docs        the documentation, in build/docs"
	@echo "make bench       speed and memory; writes benchmarks/results and the tables made from it"
	@echo "make tables      the tables of the documents made anew from the results files"
	@echo "make clean       remove what the above made; 'make distclean' removes .venv too"

# The stamps: .cpu is what a user installs, .dev adds torch and the tools.
.venv/.cpu: pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) was not found: name a Python 3.11 or newer, as in 'make demo PYTHON=python3.12'." >&2; exit 1; }
	@"$(PYTHON)" -c "import sys; v = sys.version_info; sys.exit(v < (3, 11) and 'Python 3.11 or newer is needed and $(PYTHON) is %d.%d: name another, as in \'make demo PYTHON=python3.12\'.' % v[:2])"
	@echo "Setting up .venv (first time only) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv
	@$(PIP) --editable ".[cpu]"
	@touch $@

# torch comes first and alone, by its pinned version, so that no later requirement picks another build of it.
.venv/.dev: .venv/.cpu
	@echo "Adding torch and the development tools to .venv (first time only) ..."
	@$(PIP) "$$(grep '^torch==' constraints.txt)"
	@$(PIP) --editable ".[cpu,report,training,dev]"
	@touch $@

demo: .venv/.cpu
	@$(BIN)/python -m demo $(if $(MUSIC),--music "$(MUSIC)")

test: .venv/.dev
	$(BIN)/python -m pytest -m "not slow" -n logical --maxprocesses=4 $(PYTEST_FLAGS)

test-slow: .venv/.dev
	$(BIN)/python -m pytest -m slow $(PYTEST_FLAGS)

test-beets: .venv/.dev
	$(BIN)/python -m tox

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m benchmarks.tables --check
	$(BIN)/genrecore-train results --check

docs: .venv/.dev
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

bench: .venv/.cpu
	$(BIN)/python -m benchmarks $(BENCH_FLAGS)
	$(BIN)/python -m benchmarks.tables

tables: .venv/.dev
	$(BIN)/python -m benchmarks.tables
	$(BIN)/genrecore-train results

clean:
	rm -rf build dist demo/out .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -print | xargs rm -rf

distclean: clean
	rm -rf .venv
