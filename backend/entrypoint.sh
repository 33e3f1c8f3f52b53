#!/bin/sh
# Starts the service: configuration check, migration, static files, then gunicorn in this process's place.
# With arguments (the worker, a manage.py command) it checks the configuration and runs them instead.
# Each failing step stops the next and is named on stderr; nothing after it has happened.
set -eu
cd "$(dirname "$0")"

# the database shows which container a connection belongs to, and the worker's health check looks for it
PGAPPNAME=${PGAPPNAME:-todo-$(uname -n)}
export PGAPPNAME

step() {
  name=$1
  shift
  "$@" || {
    status=$?
    echo "entrypoint: $name failed (exit status $status): not started, the later steps did not run" >&2
    exit "$status"
  }
}

step 'the configuration check' python -m todo_project.config check
[ "$#" -eq 0 ] || exec "$@"
step 'the database migration' python manage.py migrate_locked
step 'collectstatic' python manage.py collectstatic --noinput
exec gunicorn --config gunicorn.conf.py --no-control-socket todo_project.wsgi:application
