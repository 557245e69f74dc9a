#!/usr/bin/env bash
# The TUF conformance suite against the client in `conformance/`.
#
# usage: tuf_conformance.sh SUITE
#
# SUITE is a checkout of theupdateframework/tuf-conformance. Needs cargo, faketime and python3 with venv.
set -euo pipefail
suite=$(realpath "$1")
cd "$(dirname "$0")/../.."

folder=target/tuf-conformance
cargo build --quiet --package tuf-conformance-client
mkdir -p "$folder"
cp target/debug/tuf-conformance-client "$folder/"
cp conformance/expected-failures "$folder/tuf-conformance-client.xfails"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "$suite"
"$folder/venv/bin/python" -m pytest -q "$suite/tuf_conformance" \
    --entrypoint "$PWD/$folder/tuf-conformance-client"
