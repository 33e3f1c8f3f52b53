#!/bin/sh
# Requests the proxy's own listener; the official image has wget (busybox), Debian's has curl.
set -eu
url=http://127.0.0.1:2020/health
if command -v wget >/dev/null; then
  exec wget -q -O /dev/null -T 4 "$url"
fi
exec curl -fsS -o /dev/null -m 4 "$url"
