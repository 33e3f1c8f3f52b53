#!/bin/sh
# Refuse to start when a mounted folder cannot be written to, and print the command that mends it.
#   writable.sh IMAGE FOLDER=VOLUME…
set -eu
image=$1
shift
status=0
for pair in "$@"; do
  folder=${pair%%=*}
  volume=${pair#*=}
  if [ -w "$folder" ] || ! mountpoint -q "$folder"; then
    continue
  fi
  status=1
  user=$(id -u):$(id -g)
  echo "$folder is not writable for user $user: it belongs to $(stat -c '%u:%g, mode %a' "$folder")." >&2
  if [ -n "${COMPOSE_PROJECT_NAME:-}" ]; then
    volume=${COMPOSE_PROJECT_NAME}_$volume
    echo "  Mend it with: docker run --rm --user 0 --entrypoint chown --volume $volume:/volume $image -R $user /volume" >&2
  else
    echo "  Give it to that user: chown -R $user on what is mounted there." >&2
  fi
done
exit "$status"
