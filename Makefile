# Every command a person types. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

VENV := backend/.venv
BENCH_VENV := backend/.venv-bench
PORT ?= 8000
# The first Python of 3.11 or newer; PYTHON= names another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

# envs/dev.env names the usual port
AT_PORT = $(if $(filter-out 8000,$(PORT)),SITE_URL=http://127.0.0.1:$(PORT))

.PHONY: help
help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: install  ## serve on http://127.0.0.1:8000 with hot reload, on SQLite, with demo data (PORT= another)
	@cd backend && .venv/bin/python manage.py migrate_locked
	@cd backend && $(AT_PORT) .venv/bin/python manage.py demo_data --if-empty
	@cd backend && $(AT_PORT) exec .venv/bin/python devserver.py 127.0.0.1:$(PORT)

.PHONY: install
install: $(VENV)/.installed  ## install everything for development and tests into backend/.venv

$(VENV)/.installed: backend/requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "No Python of 3.11 or newer was found. Install one, or name it: make $@ PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(VENV)/bin/python || { echo "Creating backend/.venv with $$($(PYTHON) --version)"; \
	  $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; }
	@echo "Installing backend/requirements/dev.txt"
	@$(VENV)/bin/python -m uv --version >/dev/null 2>&1 || { awk '/^uv==/ {ours = 1; print; next} /^[a-z]/ {ours = 0} ours' $< > $(VENV)/uv.txt; \
	  $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt; }
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(VENV)/bin/python -m uv pip sync --require-hashes $<
	@touch $@

.PHONY: test
test: install  ## run the test suite (DATABASE_URL=postgres://… runs it on PostgreSQL, COVERAGE=1 measures branches)
	@cd backend && $(if $(DATABASE_URL),DATABASE_URL='$(DATABASE_URL)') .venv/bin/python -m pytest -n 2 $(if $(COVERAGE),--cov)

.PHONY: lint
lint: install  ## style, types, layers, shell, Dockerfiles
	@cd backend && .venv/bin/ruff format --check . ../deploy && .venv/bin/ruff check . ../deploy
	@cd backend && DJANGO_ENV=test .venv/bin/mypy && .venv/bin/mypy --config-file ../deploy/mypy.ini ../deploy
	@cd backend && .venv/bin/lint-imports
	@git grep -lzE '^#!.*sh$$' -- '*.sh' .ci deploy/supply | xargs -0 $(VENV)/bin/shellcheck
	@git ls-files -z '*Dockerfile' | xargs -0 -r $(VENV)/bin/hadolint

.PHONY: client
client: install  ## compile a TypeScript client of the API from its OpenAPI document (needs Node.js)
	@backend/tests/typescript/check.sh

.PHONY: bench
bench: $(BENCH_VENV)/.installed  ## measure this backend beside the ceiling, the usual way and FastAPI (ARGS=--quick for a look, ARGS="--against REV" beside a commit, ARGS=--help)
	@cd backend && exec .venv/bin/python -m benchmarks $(ARGS)

$(BENCH_VENV)/.installed: backend/requirements/bench.txt $(VENV)/.installed
	@echo "Installing $< into $(BENCH_VENV)"
	@$(VENV)/bin/python -m uv venv --quiet --clear --python $(VENV)/bin/python $(BENCH_VENV)
	@$(VENV)/bin/python -m uv pip sync --quiet --require-hashes --python $(BENCH_VENV)/bin/python $<
	@touch $@

.PHONY: figures
figures: install  ## measure image, start, memory, reload, large lists and imports against goals (ARGS=--help)
	@cd backend && exec .venv/bin/python -m benchmarks.figures $(ARGS)

.PHONY: lock
lock: install  ## compile the hashed lock files from pyproject.toml
	@cd backend && export UV_CUSTOM_COMPILE_COMMAND="make lock" && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml -o requirements/prod.txt && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet -c requirements/prod.txt pyproject.toml --group dev -o requirements/dev.txt && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet --python-version 3.11 --group bench -o requirements/bench.txt

.PHONY: audit
audit:  ## ask OSV whether a locked package has known vulnerabilities (needs the internet)
	@deploy/supply/audit $(ARGS)

.PHONY: sbom
sbom: install  ## write sbom.json, the bill of materials of what production installs
	@deploy/supply/sbom

.PHONY: init named
named:
	@test -n "$(ENV)" || { echo "Say for which environment: make $(MAKECMDGOALS) ENV=prod (or ENV=staging)" >&2; exit 2; }

init: named install  ## write envs/$(ENV).env with fresh secrets (ENV=prod or staging, SITE_URL=https://…)
	@cd backend && .venv/bin/python -m todo_project.config init --env "$(ENV)" $(if $(SITE_URL),--site-url "$(SITE_URL)")

.PHONY: e2e
e2e: install  ## build the image, start the real Compose files and walk them (needs a Docker Engine)
	@cd backend && .venv/bin/python -m pytest -c tests/e2e/pytest.ini -n 2 --dist loadfile tests/e2e

.PHONY: check
check: lint test client  ## all that CI runs
	@.ci/engine
	@.ci/with-postgres $(MAKE) test COVERAGE=1
	@.ci/with-postgres .ci/old-code-on-new-schema
	@$(MAKE) e2e

.PHONY: docs
docs: install  ## write what is generated: docs/configuration.md, envs/*.example
	@cd backend && .venv/bin/python -m todo_project.config docs --write

.PHONY: check-config
check-config: named install  ## report every problem of envs/$(ENV).env (ENV=prod or staging)
	@cd backend && .venv/bin/python -m todo_project.config check --env "$(ENV)"
