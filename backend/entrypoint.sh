#!/bin/sh
# Starts the service: configuration check, migration, static files, then gunicorn in this process's place.
# With arguments (the worker, a manage.py command) it checks the configuration and runs them instead.
# Each failing step stops the next and is named on stderr; nothing after it has happened.
set -eu
cd "$(dirname "$0")"

# the database shows which container a connection belongs to, and the worker's health check looks for it
PGAPPNAME=${PGAPPNAME:-todo-$(uname -n)}
export PGAPPNAME

# Process 1 gets no signal that it has no handler for, and a shell that waits for a program handles none meanwhile.
# So a step runs beside it, and a stop of the container ends both.
step=
stop() {
  [ -z "$step" ] || kill -TERM "$step" 2>/dev/null || :
  [ -z "$step" ] || wait "$step" || :
  exit 143
}
trap stop TERM INT
run() {
  "$@" &
  step=$!
  wait "$step"
}

./writable.sh "todo-backend:${IMAGE_TAG:-local}" /app/media=media_volume /app/staticfiles=static_volume

# their lines become log lines, in JSON where LOG_FORMAT says so
if [ "$#" -gt 0 ]; then
  run python steps.py check
  exec "$@"
fi
run python steps.py check migrate_locked 'collectstatic --noinput'
exec gunicorn --config gunicorn.conf.py --no-control-socket todo_project.wsgi:application
