#!/bin/sh
# Sets up what the interop tests need beside the packages of packages.txt: curl's WebSocket client
# (Debian's curl is built without it), in a Python environment under the build directory.
# Usage: sh tests/interop/setup.sh BUILD_DIR. May be called again: it does nothing then.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 BUILD_DIR" >&2
    exit 2
fi
venv=$1/interop/venv
if "$venv/bin/python" -c 'import curl_cffi' 2>/dev/null; then
    exit 0
fi
python=/usr/bin/python3
[ -x "$python" ] || python=python3
mkdir -p "$1/interop"
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'curl_cffi>=0.15,<1'
"$venv/bin/python" -c 'import curl_cffi'
