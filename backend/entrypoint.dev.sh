#!/bin/sh
# Starts a development container. The packages live in the image at /opt/venv, where the bind mount of the
# code cannot hide them; when the lock has changed since the image was built, they are synced first.
# Everything else runs as the owner of the checkout, so that no file of root's is left in it.
set -eu
lock=/app/requirements/dev.txt
stamp=/opt/venv/.lock

say() { echo "dev: $*" >&2; }

# as root when the checkout is root's, or where Docker Desktop shows it so
as_owner() {
  exec setpriv --reuid "$owner" --regid "$group" --clear-groups env HOME=/tmp "$@"
}

if [ "$(sha256sum <"$lock")" != "$(cat "$stamp" 2>/dev/null)" ]; then
  say 'requirements/dev.txt is not what this image was built from: syncing the packages'
  uv pip sync --quiet --require-hashes "$lock"
  sha256sum <"$lock" >"$stamp"
  say 'packages synced; "docker compose build" makes it permanent'
fi

owner=$(stat -c %u /app)
group=$(stat -c %g /app)
chown "$owner:$group" /app/staticfiles /app/media

PGAPPNAME=todo-$(uname -n)
export PGAPPNAME

(as_owner python -m todo_project.config check)
[ "$#" -eq 0 ] || as_owner "$@"
(as_owner python manage.py migrate_locked)
(as_owner python manage.py demo_data --if-empty)
as_owner python devserver.py 0.0.0.0:8000
