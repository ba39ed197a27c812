# Everything here runs from a bare Python 3.11 or later: each target first makes .venv where it is missing or out of date.
# `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo up test test-long machine check lint bench lock jars schemas clean

FAULT ?= units
SEED ?= 1
STEPS ?= 1000000
FAST := tests/unit tests/property
DRILLS := tests/drills
BIN := .venv/bin
BENCHES := $(sort $(patsubst tests/bench/%/__main__.py,%,$(wildcard tests/bench/*/__main__.py)) $(basename $(notdir $(wildcard tests/bench/*.py))))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

help: ## list the targets
	@echo 'Headgate: incident management for machine-learning models in production, on Kafka'
	@echo
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 20
	@echo
	@echo '  FAULT=none|units|stuck|swapped|latency and SEED=n choose what breaks in `make demo`'

demo: .venv/ready ## break a model on purpose and watch Headgate find, ask, roll back and prove it (about a minute)
	@$(BIN)/headgate demo --fault $(FAULT) --seed $(SEED)

up: .venv/ready ## start everything on this machine and keep it running
	@$(BIN)/headgate up

test: .venv/ready ## run every test, on a real Kafka, except the slow ones
	$(BIN)/python -m pytest $(FAST) -m "not long" --numprocesses auto --cov --cov-report term
	HEADGATE_TEST_COMPLETE=1 $(BIN)/python -m pytest $(FAST:%=--ignore %) --ignore $(DRILLS) -m "not long" --numprocesses 2 --dist loadfile
	HEADGATE_TEST_COMPLETE=1 $(BIN)/python -m pytest $(DRILLS)

test-long: .venv/ready ## run the slow tests
	$(BIN)/python -m pytest -m long --timeout 1800

machine: .venv/ready ## ask a case STEPS=1000000 commands of all kinds and judge each decision (minutes)
	$(BIN)/python -m tests.machine $(STEPS) $(SEED)

check: lint ## lint, and the fast tests with coverage
	$(BIN)/python -m pytest $(FAST) -m "not broker and not long" --cov --cov-report term

lint: .venv/ready ## format, lint, types, import rules, schemas
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/headgate schemas check

bench: .venv-bench/ready ## measure speed and delay beside other tools, on this machine (minutes)
	@worst=0; for name in $(BENCHES); do echo "== $$name"; $(BIN)/python -m tests.bench.$$name || worst=$$?; done; exit $$worst

schemas: .venv/ready ## write .avsc files and schema ids from the record classes
	$(BIN)/headgate schemas generate --unreleased

lock: .venv/ready ## resolve requirements/*.in again, with a hash for every file
	@test -x .venv/lock/bin/uv || { $(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install --quiet uv; }
	@for name in app dev bench; do .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate requirements/$$name.in --output-file requirements/$$name.txt; done

jars: .venv/ready ## resolve Kafka again and pin its jars by SHA-256
	$(BIN)/python -c 'from streams.local.jars import write_pins; from streams.settings import DEPLOY; write_pins(DEPLOY / "kafka-jars.sha256")'

clean: ## remove .venv, caches and everything under var/
	rm -rf .venv .venv-bench var dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed is what requirements/dev.txt pins, checked against its hashes; our own two distributions are links
# into this checkout.
.venv/requirements: requirements/dev.txt
	@test -n "$(PYTHON)" || { echo 'headgate: Python 3.11 or later is needed, and none was found; name one with PYTHON=' >&2; exit 2; }
	@test -x $(BIN)/python && $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ rm -rf .venv; $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo 'headgate: $(PYTHON) cannot make a virtual environment; install its venv module (Debian: python3-venv)' >&2; \
		exit 2; }; }
	@echo 'installing the pinned requirements into .venv (a minute or two, only when they change)'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

# The other tools want other versions of what we share, so they stand apart; only `make bench` needs them.
.venv-bench/ready: .venv/ready requirements/bench.txt
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@echo 'installing what Headgate is compared with into .venv-bench'
	@.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/bench.txt
	@touch $@

.venv/ready: .venv/requirements pyproject.toml sdk/pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable sdk
	@echo 'compiling the inner loops of detection; later starts load them from disk'
	@$(BIN)/python -c 'from agents.detection.warm import warm; warm()'
	@touch $@
