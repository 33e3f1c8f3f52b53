#!/usr/bin/env bash
# Generate TypeScript types from the OpenAPI document and compile a client that calls every operation with them. Then
# compare the days of recurrence rules with those of a second implementation, which is in JavaScript.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "Node.js with npm was not found, so the TypeScript client and the recurrence rules were not checked. Install Node.js 20 or newer." >&2
  [ "${CI:-}" = true ] && exit 1
  exit 0
fi

mkdir -p generated
env DJANGO_ENV=test ../../.venv/bin/python ../../manage.py spectacular --format openapi-json --file generated/openapi.json
npm ci --silent
npx --no-install openapi-typescript generated/openapi.json --output generated/api.d.ts
npx --no-install tsc
echo "The TypeScript client compiles."
(cd ../.. && .venv/bin/python -m tests.typescript.series) >generated/series.json
node rules.mjs generated/series.json
