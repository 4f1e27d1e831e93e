# Every target sets up what it needs first; a set-up that has nothing to do takes under a second.
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help setup run test lint types bench wheel translations clean

help:
	@echo "make run           set up, load the demonstration coalition, serve at 127.0.0.1"
	@echo "make test          set up with PostgreSQL and Chromium, then lint, types and every test"
	@echo "make setup lint types bench wheel translations clean"

setup:
	@scripts/setup

run: setup
	@$(BIN)/r2pflow serve --demo

test:
	@scripts/setup --tests
	@scripts/run-tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m bench

wheel: setup translations
	$(BIN)/python -m build --no-isolation

translations: setup
	@scripts/compile-translations

clean:
	rm -rf .setup build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache frontend/node_modules
	rm -rf r2pflow/web/assets/vendor r2pflow/web/assets/fonts
	find translations -name '*.mo' -delete
