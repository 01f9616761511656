#!/bin/sh
# Installs what the platform uses of the host where it can, else says what is missing and what follows from that.
set -u
[ "$(uname -s)" = Linux ] || exit 0
command -v bwrap >/dev/null 2>&1 && exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
  echo "cumulet: installing bubblewrap (isolates functions)" >&2
  $as_root apt-get install -y -qq bubblewrap >/dev/null 2>&1 || { $as_root apt-get update -qq >/dev/null 2>&1; $as_root apt-get install -y -qq bubblewrap >/dev/null 2>&1; }
fi
command -v bwrap >/dev/null 2>&1 || echo "cumulet: bubblewrap is missing: functions run as plain processes, without isolation. Install it: apt-get install bubblewrap" >&2
exit 0
