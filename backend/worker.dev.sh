#!/bin/sh
# Run the worker of a development container, and start it again when it dies. watchfiles, which restarts this script
# when the code changes, does not. It stops it by SIGINT.
set -u
trap 'kill -TERM "$worker"; wait "$worker"; exit' INT TERM

while true; do
  python manage.py procrastinate worker &
  worker=$!
  wait "$worker"
  echo "dev: the worker ended with status $?; it starts again in a second" >&2
  sleep 1
done
