# Every command a person types. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

VENV := backend/.venv
PORT ?= 8000
# The first Python of 3.11 or newer; PYTHON= names another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

.PHONY: help
help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: install  ## serve on http://127.0.0.1:8000 with hot reload, on SQLite, with demo data (PORT= another)
	@cd backend && .venv/bin/python manage.py migrate_locked
	@cd backend && .venv/bin/python manage.py demo_data --if-empty
	@cd backend && exec .venv/bin/python devserver.py 127.0.0.1:$(PORT)

.PHONY: install
install: $(VENV)/.installed  ## install everything for development and tests into backend/.venv

$(VENV)/.installed: backend/requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "No Python of 3.11 or newer was found. Install one, or name it: make $@ PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(VENV)/bin/python || { echo "Creating backend/.venv with $$($(PYTHON) --version)"; \
	  $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; }
	@echo "Installing backend/requirements/dev.txt"
	@$(VENV)/bin/python -m uv --version >/dev/null 2>&1 || { grep -A400 '^uv==' $< | awk 'NR > 1 && /^[a-z]/ {exit} {print}' > $(VENV)/uv.txt; \
	  $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt; }
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/python -m uv pip sync --require-hashes $<
	@touch $@

.PHONY: test
test: install  ## run the test suite (DATABASE_URL=postgres://… runs it on PostgreSQL)
	@cd backend && $(if $(DATABASE_URL),DATABASE_URL='$(DATABASE_URL)') .venv/bin/python -m pytest -n 2

.PHONY: lint
lint: install  ## style, types, layers, shell, Dockerfiles
	@cd backend && .venv/bin/ruff format --check . && .venv/bin/ruff check .
	@cd backend && DJANGO_ENV=test .venv/bin/mypy
	@cd backend && .venv/bin/lint-imports
	@git ls-files -z '*.sh' .ci | xargs -0 $(VENV)/bin/shellcheck
	@git ls-files -z '*Dockerfile' | xargs -0 -r $(VENV)/bin/hadolint

.PHONY: bench
bench: install  ## measure this backend beside the ceiling and the usual way (ARGS=--quick for a look, ARGS=--help)
	@cd backend && exec .venv/bin/python -m benchmarks $(ARGS)

.PHONY: lock
lock: install  ## compile the hashed lock files from pyproject.toml
	@cd backend && export UV_CUSTOM_COMPILE_COMMAND="make lock" && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml -o requirements/prod.txt && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet -c requirements/prod.txt pyproject.toml --group dev -o requirements/dev.txt

.PHONY: init
init: install  ## write envs/$(ENV).env with fresh secrets (ENV=prod or staging, SITE_URL=https://…)
	@cd backend && .venv/bin/python -m todo_project.config init --env "$(ENV)" $(if $(SITE_URL),--site-url "$(SITE_URL)")

.PHONY: e2e
e2e: install  ## build the image, start the real Compose files and walk them (needs a Docker Engine)
	@cd backend && .venv/bin/python -m pytest -c tests/e2e/pytest.ini tests/e2e

.PHONY: check
check: lint test  ## all that CI runs
	@.ci/engine
	@.ci/with-postgres $(MAKE) test
	@$(MAKE) e2e

.PHONY: docs
docs: install  ## write what is generated: docs/configuration.md, envs/*.example
	@cd backend && .venv/bin/python -m todo_project.config docs --write

.PHONY: check-config
check-config: install  ## report every problem of envs/$(ENV).env (ENV=prod or staging)
	@cd backend && .venv/bin/python -m todo_project.config check --env "$(ENV)"
