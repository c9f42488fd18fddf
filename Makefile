# The two that most people need are `make demo` and `make test`; `make` alone lists them all.
# Everything that set-up makes lies in .tools; a second call finds it there and does nothing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-families lint format lock bench clean distclean

PYTHON_HERE := .tools/bin/python
DEMO := results/demo

# Libraries that keep settings and caches in the home folder keep them here: nothing is written outside the
# checkout, and no keras.json of yours changes what is computed.
export KERAS_HOME := $(CURDIR)/.tools/home/keras
export MPLCONFIGDIR := $(CURDIR)/.tools/home/matplotlib
export NUMBA_CACHE_DIR := $(CURDIR)/.tools/numba

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## what the pipeline needs: the Python environment and the Nextflow engine
	@tools/setup_engine.sh
	@tools/setup_python.sh runtime

setup-dev: ## that, and what the tests need: the test tools and a browser
	@tools/setup_engine.sh
	@tools/setup_python.sh dev
	@tools/setup_browser.sh

demo: setup ## run the pipeline on the built-in demo cohort (ARGS='-resume' and the like are passed on)
	@start=$$SECONDS; \
	.tools/bin/nextflow run . -profile test --outdir $(DEMO) $(ARGS); \
	echo; echo "The demo took $$((SECONDS - start)) s. Its report: $(CURDIR)/$(DEMO)/report/omicsfusion_report.html"

# Two processes, each with whole files: what a file has trained or run once serves all its tests. Whole runs
# of the pipeline come first (the order of the folders), so that neither process ends with a long one.
test: setup-dev lint ## lint, types and all tests (PYTEST='tests/unit -k split' runs some)
	@$(PYTHON_HERE) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 25 $(PYTEST)

test-families: setup-dev ## every family of networks on every task, what `make test` leaves out (10 to 20 minutes)
	@$(PYTHON_HERE) -m pytest --numprocesses 2 --dist loadfile -m families tests/unit

lint: setup-dev ## ruff (rules and format) and mypy
	@$(PYTHON_HERE) -m ruff check .
	@$(PYTHON_HERE) -m ruff format --check .
	@$(PYTHON_HERE) -m mypy

format: setup-dev ## let ruff order the imports and lay out the code
	@$(PYTHON_HERE) -m ruff check --fix .
	@$(PYTHON_HERE) -m ruff format .

lock: setup-dev ## make the locks and conda/environment.yml anew from pyproject.toml (UPGRADE=--upgrade: newest versions)
	@tools/lock.sh $(UPGRADE)

bench: setup ## list the benchmarks; each is one command, named at its head
	@find benchmarks -type f \( -name '*.py' -o -name '*.sh' \) ! -name parts.py | sort

# Runs of your own, and what -resume goes on from (work, .nextflow), are not for make to remove.
clean: ## remove the demo's results and the tools' caches
	rm -rf $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find bin tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove .tools as well
	rm -rf .tools
