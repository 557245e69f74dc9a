#!/usr/bin/env bash
# Stock cargo, with no plug-in, over nginx: a mirror of everything in this project's Cargo.lock is
# imported, crates.io is replaced by it, and resolving this project anew must give the same Cargo.lock.
#
# usage: own_lock.sh PROGRAM FOLDER
#
# PROGRAM is cargo-marketplace; FOLDER is new and is left for a look. Needs cargo, nginx and python3,
# and the archives in cargo's cache, as after `cargo fetch`.
set -euo pipefail

program=$(realpath "$1")
mkdir "$2"
folder=$(realpath "$2")
project=$(realpath "$(dirname "$0")/../..")
cache=${CARGO_HOME:-$HOME/.cargo}/registry/cache

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The archives of all packages in Cargo.lock that come from a registry.
archives() {
    python3 - "$project/Cargo.lock" "$cache" <<'PYTHON'
import pathlib, sys, tomllib

lock = tomllib.loads(pathlib.Path(sys.argv[1]).read_text())
for package in lock["package"]:
    if "source" in package:
        name = f"{package['name']}-{package['version']}.crate"
        found = sorted(pathlib.Path(sys.argv[2]).glob(f"*/{name}"))
        if not found:
            sys.exit(f"{name} is not in cargo's cache")
        print(found[0])
PYTHON
}

import() {
    export CARGO_HOME=$folder/operator
    "$program" registry init "$folder/registry" --solo --no-passphrase --base-url "$url"
    "$program" registry import "$folder/registry" --as-mirror --vouch "$@"
}

serve() {
    # Without `user`, root's nginx would read as nobody, who may not enter every folder.
    cat > "$folder/nginx.conf" <<CONF
user $(id -un) $(id -gn);
daemon off;
pid $folder/nginx.pid;
events {}
http {
    access_log $folder/requests.log;
    server { listen 127.0.0.1:$port; root $folder/registry; }
}
CONF
    nginx -e "$folder/nginx.log" -c "$folder/nginx.conf" &
    server=$!
    trap 'kill "$server"' EXIT
    for _ in {1..50}; do
        if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> "$folder/connect.log"; then return; fi
        sleep 0.1
    done
    cat "$folder/nginx.log"
    return 1
}

resolve() {
    export CARGO_HOME=$folder/user
    mkdir -p "$CARGO_HOME" "$folder"/project/{src,benches,conformance/src,fuzz/src}
    cat > "$CARGO_HOME/config.toml" <<CONF
[source.crates-io]
replace-with = "mirror"
[source.mirror]
registry = "sparse+$url"
CONF
    cp "$project/Cargo.toml" "$folder/project/"
    touch "$folder"/project/{src/lib.rs,benches/signature.rs}
    echo 'fn main() {}' > "$folder/project/src/main.rs"
    local member
    for member in conformance fuzz; do
        cp "$project/$member/Cargo.toml" "$folder/project/$member/"
        cp "$folder/project/src/main.rs" "$folder/project/$member/src/"
    done
    cd "$folder/project"
    cargo generate-lockfile --quiet
    cmp Cargo.lock "$project/Cargo.lock"
    cargo fetch --locked --quiet
}

port=$(free_port)
url=http://127.0.0.1:$port/
archives > "$folder/archives"
mapfile -t files < "$folder/archives"
import "${files[@]}"
serve
resolve
echo "stock cargo resolves ${#files[@]} packages from the mirror to the same Cargo.lock"
