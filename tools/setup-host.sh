#!/bin/sh
# Installs what the platform uses of a Linux host where it can, else says what is missing and what follows from that.
set -u
[ "$(uname -s)" = Linux ] || exit 0

missing=
command -v bwrap >/dev/null 2>&1 || missing="$missing bubblewrap"
command -v pasta >/dev/null 2>&1 || missing="$missing passt"
command -v nft >/dev/null 2>&1 || [ -x /usr/sbin/nft ] || missing="$missing nftables"
command -v ip >/dev/null 2>&1 || [ -x /usr/sbin/ip ] || missing="$missing iproute2"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root=none; fi
if [ "$as_root" != none ] && command -v apt-get >/dev/null 2>&1; then
  echo "cumulet: installing$missing (to isolate functions and give them a network)" >&2
  # Word splitting is meant: one argument per package.
  # shellcheck disable=SC2086
  $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
    { $as_root apt-get update -qq >/dev/null 2>&1; $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; } ||
    for package in $missing; do $as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1; done
fi

command -v bwrap >/dev/null 2>&1 ||
  echo "cumulet: bubblewrap is missing: functions run as plain processes, without isolation, and the tests of isolation are skipped. Get it: apt-get install bubblewrap" >&2
command -v pasta >/dev/null 2>&1 ||
  echo "cumulet: pasta is missing: functions reach the platform, but nothing outside. Get it: apt-get install passt nftables iproute2" >&2
exit 0
