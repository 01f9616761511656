#!/bin/sh
# Installs what the tests use beside npm packages: the AWS and SAM command line tools in a virtual environment of the project.
# Where one cannot be had, says so; the tests that need it are skipped and give the reason.
set -u
cd "$(dirname "$0")/.."
if ! command -v python3 >/dev/null 2>&1; then
  echo "cumulet: python3 is missing: the tests through boto3, AWS CLI v1 and SAM CLI, and those of Python functions, are skipped. Install it: apt-get install python3 python3-venv" >&2
elif [ ! -x .venv/bin/sam ] || [ ! -x .venv/bin/aws ] || ! cmp -s tools/requirements-test.txt .venv/requirements-test.txt; then
  echo "cumulet: installing the AWS and SAM command line tools into .venv" >&2
  { [ -x .venv/bin/pip ] || python3 -m venv .venv; } &&
    .venv/bin/pip install -q --disable-pip-version-check -r tools/requirements-test.txt &&
    cp tools/requirements-test.txt .venv/requirements-test.txt ||
    echo "cumulet: the virtual environment .venv could not be made: tests that need boto3, AWS CLI or SAM CLI are skipped" >&2
fi
# Debian's packages, where this user may install them: all that are missing at once.
missing=
want() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
want /usr/bin/aws awscli
want skopeo skopeo
for tool in cmake g++ make autoconf automake; do want "$tool" "$tool"; done
want libtoolize libtool
want ruby ruby
want chromium-headless-shell chromium-headless-shell
if [ -n "$missing" ] && command -v apt-get >/dev/null 2>&1; then
  as_root=
  [ "$(id -u)" = 0 ] || as_root="sudo -n"
  if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
    echo "cumulet: installing$missing (clients, Ruby, a browser, and what builds the official runtime interface client for Node.js)" >&2
    install() { $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; }
    install || { $as_root apt-get update -qq >/dev/null 2>&1; install; }
  fi
fi
# What only the tests of several nodes run is unpacked, not installed: nginx would begin to serve.
if command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 && [ ! -x .cache/debian/usr/sbin/nginx ]; then
  echo "cumulet: unpacking nginx and libfaketime into .cache (for the tests of several nodes)" >&2
  mkdir -p .cache/debian/packages &&
    (cd .cache/debian/packages && apt-get download nginx libfaketime >/dev/null 2>&1 &&
      for package in *.deb; do dpkg -x "$package" ..; done) ||
    echo "cumulet: nginx and libfaketime could not be had: the tests of several nodes behind a load balancer are skipped" >&2
fi
# PostgreSQL's programs only: Debian's package would make a database of its own and leave it running.
if [ -z "$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] && command -v apt-get >/dev/null 2>&1; then
  as_root=
  [ "$(id -u)" = 0 ] || as_root="sudo -n"
  if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
    echo "cumulet: installing postgresql (each test starts one of its own)" >&2
    apt_install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; }
    { apt_install postgresql-common || { $as_root apt-get update -qq >/dev/null 2>&1; apt_install postgresql-common; }; } &&
      $as_root sed -i 's/^#* *create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf &&
      apt_install postgresql
  fi
fi
[ -n "$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || echo "cumulet: PostgreSQL is missing (apt-get install postgresql): the tests of the store on it are skipped" >&2
echo "cumulet: building functions on the official runtime interface clients (minutes, the first time)" >&2
bin/node24 test/runtimes/build.ts
command -v skopeo >/dev/null 2>&1 || echo "cumulet: skopeo is missing (apt-get install skopeo): its test is skipped" >&2
command -v chromium-headless-shell >/dev/null 2>&1 || echo "cumulet: Chromium is missing (apt-get install chromium-headless-shell): the browser's test is skipped" >&2
[ -x /usr/bin/aws ] || echo "cumulet: AWS CLI v2 is missing (apt-get install awscli): its tests are skipped" >&2
exit 0
