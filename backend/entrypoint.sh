#!/bin/sh
# Start the service: check the configuration, migrate, collect static files, then become gunicorn.
# With arguments (the worker, a manage.py command): check the configuration, then become that command.
# A step that fails is named, and nothing after it runs.
set -eu
cd "$(dirname "$0")"

# The name of this container's connections in pg_stat_activity; healthcheck.py looks for the worker's.
PGAPPNAME=${PGAPPNAME:-todo-$(uname -n)}
export PGAPPNAME

# LOG_FORMAT is json by default in staging and production, as todo_project/config says.
json=
case ${LOG_FORMAT:-${DJANGO_ENV:-}} in json | staging | prod) json=--json ;; esac

fail() {
  text="entrypoint: $1"
  if [ -n "$json" ]; then
    printf '{"timestamp": "%s", "level": "error", "logger": "entrypoint", "event": "%s"}\n' "$(date -u +%FT%TZ)" "$text"
  else
    echo "$text"
  fi >&2
  exit "${2:-1}"
}

# Process 1 ignores a signal that it does not handle, so this is in place from the first step to the last.
running=
stop() {
  [ -z "$running" ] || { kill -TERM "$running" 2>/dev/null || :; wait "$running" || :; }
  exit 143
}
trap stop TERM INT

# A shell handles no signal while it waits for a command in the foreground, so a step runs in the background.
step() {
  name=$1
  shift
  "$@" &
  running=$!
  wait "$running" || { status=$?; fail "$name failed (exit status $status): not started, the later steps did not run" "$status"; }
  running=
}

step 'the configuration check' python -m todo_project.config check $json
[ "$#" -eq 0 ] || exec "$@"
unwritable=$(./writable.sh "$PWD/staticfiles" "$PWD/media") || fail "not started: $unwritable"
step 'the database migration' python manage.py migrate_locked
step 'collecting the static files' python manage.py collectstatic --noinput
exec gunicorn --config gunicorn.conf.py todo_project.wsgi:application
