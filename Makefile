# The project's commands. Options pass through: make demo ARGS="--pubsub builtin"
# PYTHON=/path/to/python3.13 chooses the interpreter for the first set-up.

SHELL_SCRIPTS = $(or $(shell git grep --untracked -lIE '^#!.*sh$$' | xargs awk 'FNR == 1 && /^#!/ { print FILENAME }'),$(error no shell script found: make check needs git and a git checkout))
LOCK = local/uv.sh pip compile --quiet --universal --python .venv-uv/bin/python --python-version 3.13 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(ARGS)

# Compiled files save seconds at every start. They are written to folders that git ignores.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve drill test quick check format lock bench clean setup setup-demo setup-dev
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

# Ctrl-C is how these end; make would report any status but 0 as an error of its own.
demo serve drill: export STATUS_AFTER_CTRL_C = 0

demo: setup-demo ## run the whole pipeline on this machine and show what it does
	@.venv/bin/python -m local demo $(ARGS)

serve: setup-demo ## run the whole pipeline on this machine until Ctrl-C
	@.venv/bin/python -m local serve $(ARGS)

drill: setup-demo ## let everything fail while deliveries flow, and show that nothing is lost or doubled
	@.venv/bin/python -m local drill $(ARGS)

test: setup ## run all tests
	@.venv/bin/python -m pytest --numprocesses auto --dist loadscope --no-loadscope-reorder $(ARGS)

quick: setup ## run the tests that start no process or server, without random input and slow ones
	@.venv/bin/python -m pytest --numprocesses auto --dist worksteal -m "not processes and not hypothesis and not slow" $(ARGS)

check: setup-dev ## check format, lint, types, imports and shell scripts
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy functions clients metrics pipeline ops
	@.venv/bin/lint-imports --no-cache --no-logo
	@.venv/bin/shellcheck $(SHELL_SCRIPTS)
	@.venv/bin/shfmt --diff $(SHELL_SCRIPTS)

format: setup-dev ## format Python and shell
	@.venv/bin/ruff format .
	@.venv/bin/shfmt --write $(SHELL_SCRIPTS)

bench: setup-demo ## measure, and write bench/RESULTS.md
	@.venv/bin/python -m bench $(ARGS)

setup: ## install what all of these commands need
	@local/setup.sh dev bigquery uv

lock: ## update the lock files from the requirements; ARGS=--upgrade takes newer versions
	@local/setup.sh uv
	@$(LOCK) requirements-dev.in functions/*/requirements.in --output-file requirements-dev.txt
	@$(LOCK) requirements.in functions/*/requirements.in --constraint requirements-dev.txt --output-file requirements.txt
	@for file in functions/*/requirements.in; do $(LOCK) $$file --constraint requirements-dev.txt --output-file $${file%.in}.txt || exit; done
	@for file in local/*/requirements.in; do $(LOCK) $$file --output-file $${file%.in}.txt || exit; done

clean: ## remove everything that these commands have made
	@rm -rf .venv .venv-bigquery .venv-uv .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

setup-demo:
	@local/setup.sh runtime bigquery

setup-dev:
	@local/setup.sh dev
