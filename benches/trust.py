#!/usr/bin/env python3
"""What trust costs as a registry grows: a client that was never here before, and one more release.

usage: benches/trust.py CORPUS.jsonl[.zst] [SIZE...]        (sizes: 1000 10000)

Builds the program and `examples/synthesize`, makes a registry of each size from the corpus, with as many bins
as `registry rebin` finds right, and measures on each, over loopback HTTP and with an empty home:

- `verify NAME@VERSION` (root, timestamp, snapshot, roles, record, document, archive): requests, bytes, CPU;
- where python-tuf is installed (`pip install tuf`), its client on the way to the same record, beside it;
- `registry import` of one more release: files and bytes written, CPU.

Prints a line a measurement, and the ratio of the largest registry to the smallest. Needs Python 3.10 alone.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from common import Counting, archive, build, cpu, median, serve, synthesize

REPEATS = 5


def files(folder):
    """What stands in a registry: each file with its time of writing and its size."""
    found = [path for path in folder.rglob("*") if path.is_file() and ".journal" not in path.parts]
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in found}


def some_package(registry):
    """A package of the registry that needs no other: its name and version."""
    for path in sorted(registry.glob("??/??/*")):
        if "." not in path.name:
            line = json.loads(path.read_text().splitlines()[0])
            if not line["deps"]:
                return line["name"], line["vers"]
    sys.exit("no package without dependencies")


def cold(program, registry, root, scratch):
    """A client that was never here before."""
    name, version = some_package(registry)
    server = serve(registry)
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    adds, spent = [], []
    for _ in range(REPEATS):
        home = tempfile.mkdtemp(dir=scratch)
        Counting.requests = Counting.sent = 0
        adds.append(cpu([program, "registry", "add", "bench", url, "--root", root], CARGO_HOME=home))
        spent.append(adds[-1] + cpu([program, "verify", f"{name}@{version}"], CARGO_HOME=home))
    result = {"requests": Counting.requests, "bytes": Counting.sent, "cpu_ms": median(spent) * 1000}
    peer = python_tuf(url, registry, name, scratch)
    server.shutdown()
    return result, peer


PEER = """
import sys, pathlib
from tuf.ngclient import Updater
url, root, path, home = sys.argv[1:]
updater = Updater(home, url + "tuf/", home, url, bootstrap=pathlib.Path(root).read_bytes())
updater.refresh()
updater.download_target(updater.get_targetinfo(path))
"""


def python_tuf(url, registry, name, scratch):
    """python-tuf on the way to the same record, if it is here."""
    if subprocess.run([sys.executable, "-c", "import tuf"], capture_output=True).returncode != 0:
        return None
    records = [path for path in registry.glob(f"??/??/{name.lower()}.json")]
    path = records[0].relative_to(registry).as_posix()
    spent = []
    for _ in range(REPEATS):
        home = tempfile.mkdtemp(dir=scratch)
        Counting.requests = Counting.sent = 0
        root = str(registry / "tuf" / "1.root.json")
        spent.append(cpu([sys.executable, "-c", PEER, url, root, path, home]))
    return {"requests": Counting.requests, "bytes": Counting.sent, "cpu_ms": median(spent) * 1000}


def publish(program, folder, scratch):
    """One more release of a new package, by a publisher who is registered."""
    registry, spent = folder / "registry", []
    for number in range(REPEATS):
        crate = Path(scratch) / f"one-more-{number}.crate"
        crate.write_bytes(archive("one-more", f"1.0.{number}"))
        before = files(registry)
        command = [program, "registry", "import", str(registry), "--as-own", "--key", "harbour", str(crate)]
        spent.append(cpu(command, CARGO_MARKETPLACE_KEYS=str(folder / "keys"), CARGO_HOME=str(scratch)))
        after = files(registry)
        written = [size for path, (time, size) in after.items() if before.get(path) != (time, size)]
    return {"files": len(written), "bytes": sum(written), "cpu_ms": median(spent) * 1000}


def show(size, what, figures):
    text = "  ".join(f"{name} {value:.1f}" if isinstance(value, float) else f"{name} {value}" for name, value in figures.items())
    print(f"{size:>7} packages  {what:<28} {text}", flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    corpus, sizes = sys.argv[1], [int(size) for size in sys.argv[2:]] or [1000, 10000]
    program, maker = build()
    measured = {}
    for size in sizes:
        scratch = tempfile.mkdtemp(prefix="marketplace-bench-")
        folder = Path(scratch) / "made"
        root = synthesize(maker, corpus, folder, size)
        for role in ["packages", "claimed"]:
            command = [program, "registry", "rebin", str(folder / "registry"), "--role", role]
            cpu(command, CARGO_MARKETPLACE_KEYS=str(folder / "keys"), CARGO_HOME=scratch)
        client, peer = cold(program, folder / "registry", root, scratch)
        show(size, "verify, from nothing", client)
        if peer:
            show(size, "python-tuf, to the record", peer)
        writer = publish(program, folder, scratch)
        show(size, "one more release", writer)
        measured[size] = {"verify": client, "publish": writer}
        shutil.rmtree(scratch)
    first, last = measured[sizes[0]], measured[sizes[-1]]
    for what, figures in last.items():
        ratios = "  ".join(f"{name} {value / max(first[what][name], 1e-9):.2f}" for name, value in figures.items())
        print(f"{what}: {sizes[-1]} packages against {sizes[0]}: {ratios}")


main()
