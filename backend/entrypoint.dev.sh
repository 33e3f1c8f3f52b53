#!/bin/sh
# Start a development container. The packages are in the image at /opt/venv, where the bind mount of the code cannot hide
# them; if the lock has changed since the image was built, they are synced first.
# Everything runs as the owner of the checkout, so that no file in it belongs to root.
set -eu
lock=/app/requirements/dev.txt
stamp=/opt/venv/.lock

say() { echo "dev: $*" >&2; }

if [ "$(id -u)" -eq 0 ]; then
  owner=$(stat -c %u /app)
  group=$(stat -c %g /app)
  # From now on `docker compose exec`, the health check and a restart run as the owner too, because the engine looks up
  # the image's user in this file. If Docker Desktop shows root as the owner, everything runs as root.
  sed -i "s/^developer:.*/developer:x:$owner:$group::\/tmp:\/bin\/bash/" /etc/passwd
  if [ "$owner" -ne 0 ]; then
    exec setpriv --reuid "$owner" --regid "$group" --clear-groups "$0" "$@"
  fi
fi

if [ "$(sha256sum <"$lock")" != "$(cat "$stamp" 2>/dev/null)" ]; then
  say 'requirements/dev.txt is not what this image was built from: syncing the packages'
  uv pip sync --quiet --require-hashes "$lock"
  sha256sum <"$lock" >"$stamp"
  say 'packages synced; "docker compose build" makes it permanent'
fi

PGAPPNAME=todo-$(uname -n)
export PGAPPNAME

python -m todo_project.config check
[ "$#" -eq 0 ] || exec "$@"
unwritable=$(writable.sh /app/staticfiles /app/media) || { say "not started: $unwritable"; exit 1; }
python manage.py migrate_locked
python manage.py demo_data --if-empty
exec python devserver.py 0.0.0.0:8000
