"""What the measurements share: a server that counts, processes that are measured, archives."""

import http.server
import json
import os
import resource
import subprocess
import sys
import tarfile
import threading
from io import BytesIO
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


class Counting(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and counts what it sends."""

    protocol_version = "HTTP/1.1"
    requests = 0
    sent = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        Counting.requests += 1
        super().do_GET()

    def copyfile(self, source, outputfile):
        body = source.read()
        Counting.sent += len(body)
        outputfile.write(body)


def serve(folder):
    handler = lambda *a, **k: Counting(*a, directory=str(folder), **k)  # noqa: E731
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def cpu(command, **environment):
    """Runs a command; returns its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{command} failed:\n{run.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def median(values):
    return sorted(values)[len(values) // 2]


def quoted(value):
    """A string or a list of strings in TOML."""
    return json.dumps(value, ensure_ascii=False)


def archive(name, version, description="", keywords=()):
    """A small archive."""
    manifest = (
        f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2024"\nlicense = "MIT"\n'
        f"description = {quoted(description)}\nkeywords = {quoted(list(keywords))}\n"
    )
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in [("Cargo.toml", manifest), ("src/lib.rs", "")]:
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            content = text.encode()
            info.size = len(content)
            info.mode = 0o644
            tar.addfile(info, BytesIO(content))
    return buffer.getvalue()


def build():
    """Builds the program and `synthesize` in release; returns their paths."""
    command = ["cargo", "build", "--release", "--quiet", "--bins", "--example", "synthesize"]
    subprocess.run(command, cwd=PROJECT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")) / "release"
    return str(target / "cargo-marketplace"), str(target / "examples" / "synthesize")


def synthesize(maker, corpus, folder, size):
    """Makes a registry of so many packages; returns the digest of its root."""
    made = subprocess.run([maker, str(corpus), str(folder), "--limit", str(size)], check=True, capture_output=True, text=True)
    return made.stdout.splitlines()[-1]
