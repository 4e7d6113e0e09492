# The tasks of the project. `make` without a target lists them. All are idempotent; each sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY  := $(VENV)/.ready
PIPELINE := PYTHONPATH=openapi $(BIN)/python -m pipeline

.DEFAULT_GOAL := help
.PHONY: help setup demo test check generate verify-generated lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(READY) ## create .venv from the hash-pinned lock (every other target does this by itself)

# uv installs the lock in a second or two; where it cannot (an index that only pip knows), pip does.
$(READY): requirements/bootstrap.lock requirements/dev.lock pyproject.toml
	@echo "==> setting up $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seedream needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.lock \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: $(READY) ## run all tests (two processes; nothing leaves this machine)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q $(ARGS)

check: $(READY) verify-generated ## formatting, lint, types, generated code and locks in step, project rules
	@mkdir -p build
	@echo "==> ruff"      && $(BIN)/ruff format --check -q . && $(BIN)/ruff check -q .
	@echo "==> mypy"      && $(BIN)/mypy --no-error-summary
	@echo "==> pyright"   && PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --warnings > build/pyright.txt || { cat build/pyright.txt; exit 1; }
	@echo "==> imports"   && $(BIN)/lint-imports --no-cache > build/imports.txt || { cat build/imports.txt; exit 1; }
	@echo "==> installed" && $(BIN)/uv pip check -q --python $(BIN)/python
	@echo "==> project rules"     && $(BIN)/python -m pytest -q tests/test_project_rules.py
	@echo "check: all good"

lock: ## renew requirements/*.lock from pyproject.toml (hashes, no addresses)
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install -q --require-hashes -r requirements/bootstrap.lock; }
	@cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header bootstrap.in -o bootstrap.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --group dev --extra cli --extra sandbox --extra testing pyproject.toml -o requirements/dev.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra cli --extra testing --extra ray pyproject.toml requirements/ray.in -o requirements/ray.lock

generate: $(READY) ## regenerate generated/ and the READMEs' rule tables; SPEC=PATH or https://... takes a new page first, ACCEPT=1 accepts what it asks about
	@SPEC="$${SPEC-}" && $(PIPELINE) generate $${SPEC:+--spec "$$SPEC"} $(if $(filter 1 yes true,$(ACCEPT)),--accept)

.PHONY: update page-watch page-propose
update: $(READY) ## fetch the vendor's page (address: openapi/SOURCE.toml) and take it; ACCEPT=1 accepts what it asks about
	@$(PIPELINE) update $(if $(filter 1 yes true,$(ACCEPT)),--accept)

page-watch: $(READY) ## what the scheduled workflow runs: fetch and take the page, with decisions to be reviewed
	@$(PIPELINE) watch

page-propose: $(READY) ## then open a pull request with the report, or an issue (needs git and gh)
	@$(PIPELINE) propose

verify-generated: $(READY) ## regenerate in memory and compare every file (part of check)
	@$(PIPELINE) verify

.PHONY: bench
bench: $(READY) ## measure the client and its peers in one interleaved run of about twelve minutes; writes docs/performance.md (QUICK=1: prints near rows only)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick,--write docs/performance.md) $(ARGS)
	@$(BIN)/python benchmarks/sandbox.py

# Ray is large: an environment of its own, made when a target first needs it.
RAY   := build/ray
RAY_READY := $(RAY)/.ready
$(RAY_READY): $(READY) requirements/ray.lock
	@echo "==> setting up $(RAY)"
	@$(PYTHON) -m venv $(RAY)
	@$(BIN)/uv pip install -q --python $(RAY)/bin/python --require-hashes -r requirements/ray.lock \
	  || $(RAY)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/ray.lock
	@$(RAY)/bin/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "seedream.pth").write_text("\n".join(map(str, map(pathlib.Path.absolute, (pathlib.Path("generated"), pathlib.Path("overlay"))))))'
	@touch $@

.PHONY: scale scale-short
scale-short: $(RAY_READY) ## the Ray backend on a local cluster, short form: two minutes
	@$(RAY)/bin/python -m pytest -q tests/scale $(ARGS)

scale: $(RAY_READY) ## the Ray backend, long form: workers, submitters and drivers killed, money counted, throughput measured
	@PYTHONPATH=tests $(RAY)/bin/python -m scale $(ARGS)

demo: $(READY) ## make eight pictures in a local sandbox, and a contact sheet, in demo-output/ (no key, no cost)
	@$(BIN)/seedream demo --output demo-output --program $(BIN)/seedream

.PHONY: docs newcomer
docs: $(READY) ## build the documents and the reference of the API into build/docs/ (strict about broken links)
	@$(BIN)/python docs/site/build.py

newcomer: $(READY) ## a newcomer's day: the wheel in an empty environment, every block of every document, notebook, terminals
	@NEWCOMER=1 $(BIN)/python -m pytest -q tests/newcomer $(ARGS)

.PHONY: chaos
chaos: $(READY) ## cut the power 1,000 times, Ctrl-C 50 times and kill -9 500 times; nothing may be lost or paid twice
	@PYTHONPATH=tests $(BIN)/python -m chaos

.PHONY: contract contract-live mutants mutants-core
contract: $(READY) ## the contract suite: client, generated client, sandbox and judge against the page
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q tests/contract $(ARGS)

contract-live: $(READY) ## the server checks against a real service (TENSORSLAB_API_KEY; SEEDREAM_LIVE_BUDGET=n pictures may be paid for)
	@$(BIN)/python -m seedream contract --budget $${SEEDREAM_LIVE_BUDGET:-0} $(ARGS)

mutants: $(READY) ## plant wrong specs, servers and clients; each must be found (tables: docs/mutants.md)
	@PYTHONPATH=tests:openapi $(BIN)/python -m mutants --report docs/mutants.md > /dev/null

mutants-core: $(READY) ## mutmut on the hand-written core, for SECONDS=1500 at most, or SAMPLE=n mutants of each package (table: docs/mutants.md)
	@PYTHONPATH=tests $(BIN)/python -m mutants.core --report docs/mutants.md $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SAMPLE),--sample $(SAMPLE))
