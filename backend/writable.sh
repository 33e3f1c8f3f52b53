#!/bin/sh
# Fail if a folder cannot be written to, and print who cannot write where, and the command that fixes it.
#   writable.sh FOLDER…
set -eu
folders='' described=''
for folder; do
  if [ ! -w "$folder" ]; then
    folders="$folders $folder"
    described="$described, $folder ($(stat -c 'owner %u:%g, mode %a' "$folder" 2>/dev/null || echo missing))"
  fi
done
[ -n "$folders" ] || exit 0

user=$(id -u):$(id -g)
case ${DJANGO_ENV:-dev} in
  dev) options="--project-name ${COMPOSE_PROJECT_NAME:-todo}" ;;
  *) options="--env-file ${ENV_FILE:-envs/$DJANGO_ENV.env}" ;;
esac
echo "user $user cannot write to ${described#, }. To fix it: docker compose $options run --rm --no-deps --user 0 \
--cap-add CHOWN --cap-add DAC_OVERRIDE --entrypoint chown backend -R $user$folders"
exit 1
