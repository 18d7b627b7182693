# The project's commands. Options pass through: make demo ARGS="--pubsub builtin"
# PYTHON=/path/to/python3.13 chooses the interpreter for the first set-up.

SHELL_SCRIPTS = $(or $(shell git grep --untracked -lIE '^#!.*sh$$' | xargs awk 'FNR == 1 && /^#!/ { print FILENAME }'),$(error no shell script found: make check needs git and a git checkout))
LOCK = .venv/bin/uv pip compile --quiet --universal --python .venv/bin/python --python-version 3.13 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(ARGS)

.PHONY: help demo serve test check format lock bench clean setup-main setup
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: setup ## run the whole pipeline on this machine and tell its story
	@.venv/bin/python -m local demo $(ARGS)

serve: setup ## run the whole pipeline on this machine until Ctrl-C
	@.venv/bin/python -m local serve $(ARGS)

test: setup ## run the tests
	@.venv/bin/python -m pytest --numprocesses auto --dist loadscope --no-loadscope-reorder $(ARGS)

check: setup-main ## check format, lint, types and shell scripts
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy functions clients metrics pipeline ops
	@.venv/bin/shellcheck $(SHELL_SCRIPTS)
	@.venv/bin/shfmt --diff $(SHELL_SCRIPTS)

format: setup-main ## format Python and shell
	@.venv/bin/ruff format .
	@.venv/bin/shfmt --write $(SHELL_SCRIPTS)

lock: setup-main ## write the lock files anew; ARGS=--upgrade takes newer versions
	@$(LOCK) requirements-dev.in --output-file requirements-dev.txt
	@for room in $(dir $(wildcard functions/*/requirements.in)); do $(LOCK) $${room}requirements.in --constraint requirements-dev.txt --output-file $${room}requirements.txt || exit; done
	@$(LOCK) local/bigquery/requirements.in --output-file local/bigquery/requirements.txt

bench: setup ## measure, and write bench/RESULTS.md
	@.venv/bin/python -m bench $(ARGS)

clean: ## remove all that these commands have made
	@rm -rf .venv .venv-bigquery .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

setup-main:
	@local/setup.sh main

setup:
	@local/setup.sh main bigquery
