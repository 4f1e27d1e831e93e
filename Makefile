# Every target sets up what it needs first; a set-up that has nothing to do takes under a second.
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help setup setup-dev run test lint types bench wheel translations lock clean

help:
	@echo "make run           set up, load the demonstration coalition, serve at 127.0.0.1"
	@echo "make test          set up with PostgreSQL and Chromium, then lint, types and every test"
	@echo "make setup lint types bench wheel translations lock clean"

setup:
	@scripts/setup

setup-dev:
	@scripts/setup --dev

run: setup
	@$(BIN)/r2pflow serve --demo

test:
	@scripts/setup --tests
	@scripts/run-tests

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: setup-dev
	$(BIN)/mypy

bench: setup-dev
	$(BIN)/python -m bench

wheel: setup-dev
	$(BIN)/python -m build --no-isolation

translations: setup
	@$(BIN)/python scripts/compile-translations

# New pins within the bounds of pyproject.toml and package.json.
lock: setup-dev
	@scripts/lock

clean:
	rm -rf .setup build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache frontend/node_modules
	rm -rf r2pflow/web/assets/vendor r2pflow/web/assets/fonts
	find translations -name '*.mo' -delete
