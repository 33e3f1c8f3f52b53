#!/bin/sh
# Writes the configuration for this environment's values to the volume that the service `proxy` reads it from. If the
# proxy runs, it loads the new one at once, and finishes the requests that it has.
set -eu
# An interrupted release may have chosen a slot, whose replicas `docker compose up` replaces by those of the env file's.
[ -e "/config/only/$BACKEND_SLOT" ] || rm -rf /config/only
new=/config/new.json
caddy adapt --config /etc/caddy/Caddyfile --adapter caddyfile >"$new"
caddy validate --config "$new"
if cmp -s "$new" /config/site.json; then
  echo "the configuration is unchanged"
  exit
fi

# Loading closes connections on which no request is in progress, and a request that is just arriving would be lost. So
# the proxy first asks its clients to close theirs: the Caddyfile looks for this file.
trap 'rm -f /config/closing' EXIT
touch /config/closing
[ ! -e /config/site.json ] || sleep 3
if said=$(caddy reload --config "$new" --address unix//config/admin.sock 2>&1); then
  echo "the proxy uses the new configuration"
else
  case $said in
    *"no such file"* | *"connection refused"*) echo "the proxy does not run; it will start with this configuration" ;;
    *) echo "$said" >&2 && exit 1 ;;
  esac
fi
# after the proxy has accepted it
mv "$new" /config/site.json
