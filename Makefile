# The commands for developers; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

VENV := backend/.venv
BENCH_VENV := backend/.venv-bench
PORT ?= 8000
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# SITE_URL in envs/dev.env has port 8000.
AT_PORT = $(if $(filter-out 8000,$(PORT)),SITE_URL=http://127.0.0.1:$(PORT))
# Without ENV, the containers of development.
COMPOSE = $(if $(filter-out dev,$(ENV)),deploy/host/compose "$(ENV)",docker compose)
# Before anything that runs is replaced: would the new containers accept their configuration?
CHECK = $(if $(filter-out dev,$(ENV)),$(COMPOSE) run --rm --no-deps -T $(filter --build,$(ARGS)) \
  --entrypoint python backend -m todo_project.config check)
# Without ENV, the checkout.
MANAGE = $(if $(ENV),$(COMPOSE) exec backend python manage.py,cd backend && exec .venv/bin/python manage.py)

.PHONY: help
help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: install  ## serve this checkout on http://127.0.0.1:8000 with hot reload, SQLite and demo data (PORT=9000 for another port)
	@! (exec 3<>/dev/tcp/127.0.0.1/$(PORT)) 2>/dev/null || { \
	  echo "Port $(PORT) is in use. Stop the program that uses it, or choose another port: make run PORT=9000" >&2; exit 1; }
	@cd backend && .venv/bin/python manage.py migrate_locked
	@cd backend && $(AT_PORT) .venv/bin/python manage.py demo_data --if-empty
	@cd backend && $(AT_PORT) exec .venv/bin/python devserver.py 127.0.0.1:$(PORT)

.PHONY: install
install:  ## install everything for development and tests into backend/.venv (PYTHON=python3.12 for another Python)
	@PYTHON="$(PYTHON)" deploy/development/install

# The tests start Python a hundred times, which takes longer where the environment forbids to keep bytecode.
.PHONY: test
test: export PYTHONDONTWRITEBYTECODE =
test: install  ## run the tests (ARGS="-k name" for some, DATABASE_URL=postgres://… on PostgreSQL)
	@cd backend && $(if $(DATABASE_URL),DATABASE_URL='$(DATABASE_URL)') .venv/bin/python -m pytest -n 2 $(ARGS)

.PHONY: test-postgres
test-postgres:  ## run the tests that use a database, on PostgreSQL in a container (ARGS=--cov measures what they cover)
	@.ci/with-postgres $(MAKE) test ARGS="$(addprefix --ignore=tests/,architecture benchmarks deploy test_devserver.py) $(ARGS)"

.PHONY: lint
lint: install  ## check style, types, layers, shell scripts, Dockerfiles and workflows
	@cd backend && .venv/bin/ruff format --check . ../deploy && .venv/bin/ruff check . ../deploy
	@cd backend && DJANGO_ENV=test .venv/bin/mypy && .venv/bin/mypy --config-file ../deploy/mypy.ini ../deploy
	@cd backend && .venv/bin/lint-imports
	@git grep -lzE '^#!.*sh$$' -- '*.sh' .ci deploy/supply deploy/development deploy/kubernetes | xargs -0 $(VENV)/bin/shellcheck
	@git ls-files -z '*Dockerfile' | xargs -0 -r $(VENV)/bin/hadolint
	@if command -v actionlint >/dev/null; then actionlint -shellcheck=$(VENV)/bin/shellcheck; \
	  elif command -v go >/dev/null; then go run $(ACTIONLINT) -shellcheck=$(VENV)/bin/shellcheck; \
	  else echo "Neither actionlint nor go was found: .github/workflows is left to CI."; fi

.PHONY: format
format: install  ## format the code and fix what ruff can fix
	@cd backend && .venv/bin/ruff check --fix-only --quiet . ../deploy && .venv/bin/ruff format . ../deploy

.PHONY: migrations
migrations: install  ## write the migrations of changed models (ARGS="todos --name add_colour")
	@cd backend && exec .venv/bin/python manage.py makemigrations $(ARGS)

.PHONY: shell
shell: $(if $(ENV),,install)  ## open Django's shell (ENV=prod in the containers of that environment)
	@$(MANAGE) shell $(ARGS)

.PHONY: dbshell
dbshell: $(if $(ENV),,install)  ## open the database's shell (ENV=prod in the containers of that environment)
	@$(if $(ENV),$(COMPOSE) exec db psql -U todo_user todo_db,$(MANAGE) dbshell) $(ARGS)

.PHONY: up
up:  ## start the containers of an environment (ENV=dev is the default; ARGS=--build builds the images first)
	@$(CHECK)
	@$(COMPOSE) up -d $(ARGS) || { status=$$?; \
	  echo "If a container did not become healthy, its log says why: make logs$(if $(ENV), ENV=$(ENV)) SERVICE=backend" >&2; \
	  exit $$status; }

.PHONY: down
down:  ## stop and remove the containers of an environment, but keep its data (ENV=dev is the default)
	@$(COMPOSE) down $(ARGS)

.PHONY: logs
logs:  ## follow the logs of an environment (ENV=dev is the default; SERVICE=backend for one service)
	@$(COMPOSE) logs --follow --tail 100 $(ARGS) $(SERVICE)

.PHONY: ps
ps:  ## list the containers of an environment (ENV=dev is the default)
	@$(COMPOSE) ps $(ARGS)

.PHONY: prune
prune: named  ## remove the images of old releases, but nothing that a rollback may need (ENV=prod; ARGS="--keep 3")
	@deploy/release/prune "$(ENV)" $(ARGS)

.PHONY: client
client: install  ## compile a TypeScript client from the OpenAPI document, and compare recurrence rules with rrule (needs Node.js)
	@backend/tests/typescript/check.sh

.PHONY: bench
bench: $(BENCH_VENV)/.installed  ## measure this backend beside the ceiling, the usual way and FastAPI (ARGS=--quick for a first look, ARGS="--against REV" beside a commit, ARGS=--help)
	@cd backend && exec .venv/bin/python -m benchmarks $(ARGS)

$(BENCH_VENV)/.installed: backend/requirements/bench.txt | install
	@echo "Installing $< into $(BENCH_VENV)"
	@$(VENV)/bin/python -m uv venv --quiet --clear --python $(VENV)/bin/python $(BENCH_VENV)
	@$(VENV)/bin/python -m uv pip sync --quiet --require-hashes --python $(BENCH_VENV)/bin/python $<
	@touch $@

.PHONY: figures
figures: install  ## measure image, start, memory, reload, large lists and imports, and compare with the goals (ARGS=--help)
	@cd backend && exec .venv/bin/python -m benchmarks.figures $(ARGS)

.PHONY: lock
lock: install  ## compile the hashed lock files from pyproject.toml
	@cd backend && export UV_CUSTOM_COMPILE_COMMAND="make lock" && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet pyproject.toml -o requirements/prod.txt && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet -c requirements/prod.txt pyproject.toml --group dev -o requirements/dev.txt && \
	  .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet --python-version 3.11 --group bench -o requirements/bench.txt

.PHONY: audit
audit:  ## look up known vulnerabilities of the locked packages in OSV (needs the internet)
	@deploy/supply/audit $(ARGS)

.PHONY: sbom
sbom: install  ## write sbom.json, the bill of materials of the production packages
	@deploy/supply/sbom

# On a server, where nothing is installed but Docker, these commands run in the image.
ON_SERVER := $(if $(wildcard $(VENV)),,$(shell command -v docker))
CONFIG = $(if $(ON_SERVER),deploy/host/config,cd backend && exec .venv/bin/python -m todo_project.config)

.PHONY: init named
named:
	@test -n "$(ENV)" || { echo "Name the environment: make $(MAKECMDGOALS) ENV=prod (or ENV=staging)" >&2; exit 2; }

init: named $(if $(ON_SERVER),,install)  ## write envs/ENV.env with fresh secrets (ENV=prod or staging, SITE_URL=https://…; NAME=qa for an additional one)
	@$(CONFIG) init --env "$(ENV)" $(if $(NAME),--name "$(NAME)") $(if $(SITE_URL),--site-url "$(SITE_URL)")

.PHONY: e2e
e2e: install  ## test the images and the Compose files end to end (needs a Docker Engine)
	@cd backend && .venv/bin/python -m pytest -c tests/e2e/pytest.ini -n 2 --dist loadfile --no-loadscope-reorder tests/e2e

.PHONY: check
check: lint test client  ## run everything that CI runs (needs a Docker Engine and Node.js)
	@.ci/engine
	@$(MAKE) test-postgres ARGS=--cov
	@.ci/with-postgres .ci/old-code-on-new-schema
	@$(MAKE) e2e

.PHONY: docs
docs: install  ## generate docs/configuration.md and envs/*.example
	@cd backend && .venv/bin/python -m todo_project.config docs --write

.PHONY: check-config
check-config: named $(if $(ON_SERVER),,install)  ## report every problem of envs/ENV.env (ENV=prod, staging or another NAME)
	@$(CONFIG) check --env "$(ENV)"
