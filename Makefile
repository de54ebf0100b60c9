# One task runner for everybody; `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOMS := common geography sdc claimants reports releases

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast test-long check format bench lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/core.done: pyproject.toml locks/core.txt locks/build.txt package-lock.json hatch_build.py $(wildcard reports/frontend/*)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "smallarea needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/core.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/test.done: $(VENV)/core.done locks/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/test.txt
	$(BIN)/npm ci --silent --ignore-scripts --no-audit --no-fund
	sh tests/needs.sh
	touch $@

install: $(VENV)/core.done ## build .venv with the smallarea command

demo: install ## publish a made-up city into smallarea-demo
	$(BIN)/smallarea demo

test: $(VENV)/test.done ## the whole test suite
	$(BIN)/python -m pytest -n 2

test-fast: $(VENV)/test.done ## the tests that take seconds
	$(BIN)/python -m pytest -n 2 -m "not slow and not long"

test-long: $(VENV)/test.done ## the attack against enumeration on many thousand releases
	$(BIN)/python -m pytest -n 2 -m long

check: $(VENV)/test.done ## format, lint, types and the walls between rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/test.done ## put the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/test.done ## measure speed and memory as ratios; writes bench/RESULTS.md
	$(BIN)/python bench/run.py

lock: ## write the lock files anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links pyproject.toml -o locks/core.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --extra test -c locks/core.txt pyproject.toml -o locks/test.txt

clean: ## remove what can be made again
	rm -rf $(VENV) node_modules reports/assets build dist smallarea-demo smallarea-demo-review
