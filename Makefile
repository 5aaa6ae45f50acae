# Every task of the project. `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
# Its launcher asks for a runtime folder that servers and containers do not have, and warns each time.
BUF := PYTHONWARNINGS=ignore $(BIN)/buf
CODE := services gateway simnet cli deploy docs/examples tests tools benchmarks
# Extra words for pytest: make test FILTER=claim, make test-unit ARGS=-x
FILTER ?=
ARGS ?=
PYTEST := $(BIN)/python -m pytest $(if $(FILTER),-k "$(FILTER)") $(ARGS)
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-header --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --constraint requirements/constraints.in

.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-unit test-integration test-e2e check fmt fmt-check lint type \
	proto proto-check proto-baseline audit bench lock clean

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv from the hashed locks (does nothing when it is up to date)
	@$(PYTHON) tools/setup.py

demo: setup ## Start everything and run a campaign to its end
	$(BIN)/outbound demo

up: setup ## Start everything and leave it running until Ctrl-C
	$(BIN)/outbound up

test: check ## Everything: check, then all tests
	$(PYTEST) -n auto --dist loadgroup

test-unit: setup ## Tests that need no server
	$(PYTEST) tests/unit

test-integration: setup ## Tests on real PostgreSQL and NATS
	$(PYTEST) tests/contract tests/integration

test-e2e: setup ## Tests of the whole system
	$(PYTEST) tests/e2e

check: fmt-check lint type proto-check audit ## Formatting, lint, types, protos and known faults of packages

fmt: setup ## Format the code
	$(BIN)/ruff check --quiet --fix-only --select I .
	$(BIN)/ruff format .

fmt-check: setup ## Fail when the code is not formatted
	$(BIN)/ruff format --check --quiet --diff .

lint: setup ## Lint the code
	$(BIN)/ruff check .

type: setup ## Check the types
	$(BIN)/mypy $(wildcard $(CODE))

proto: setup ## Generate proto/gen from the .proto files
	$(BIN)/python tools/generate_protos.py

proto-check: setup ## Fail when proto/gen is stale, badly described or breaks its callers
	$(BIN)/python tools/generate_protos.py --check
	$(BUF) lint
	$(BUF) breaking --against proto/baseline.binpb

proto-baseline: setup ## Make the present .proto files the interface later ones must not break
	$(BUF) build --exclude-source-info --output proto/baseline.binpb

audit: setup ## Look for known faults of the locked packages
	$(BIN)/python -m tools.audit

bench: setup ## Measure throughput
	$(BIN)/python -m benchmarks

lock: setup ## Renew the locks within requirements/*.in (UPGRADE=1 takes newer versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements/runtime.in --output-file requirements/runtime.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements/dev.in --output-file requirements/dev.txt

clean: ## Remove what is generated outside of git (.venv and caches)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
