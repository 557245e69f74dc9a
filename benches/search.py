#!/usr/bin/env python3
"""What search and SPARQL cost as cold processes, and what it costs to stay up to date.

usage: benches/search.py CORPUS.jsonl[.zst] FOLDER [SIZE...]        (sizes: 1000 64000 226974)

Makes a registry of each size in FOLDER, unless it is there from an earlier run (226,974 packages take twenty
minutes and 8 GB). Where the corpus names no keywords or dependencies, each package gets three keywords from its
description, and up to eight dependencies on others, drawn by lot from a fixed seed, popular ones more often. On
each registry, over loopback HTTP:

- the first refresh: bytes, requests, CPU, wall, peak memory; the dataset against the raw Turtle;
- searches, each as 40 cold processes in turn with a process that does nothing, with sqlite's FTS5 over the same
  names, keywords and descriptions, and with `rg` (where it is installed) over the same as text;
- SPARQL queries in the same way;
- refreshes after 0, 100, 1,000 and 10,000 releases (of the largest registry; others up to a tenth of their
  size): bytes, requests, CPU, wall. They stay in the registry.

Needs Python 3.10, `sqlite3` with FTS5, and `zstd` for a corpus that ends in `.zst`. Prints a line a measurement.
"""

import json
import os
import random
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import Counting, archive, build, serve, synthesize

PROCESSES = 40
PREFIXES = "PREFIX mp: <https://w3id.org/cargo-marketplace/ns#> PREFIX schema: <https://schema.org/> "
SEARCHES = {
    "one word": "json",
    "two words": "json parser",
    "prefix": "pars",
    "typo": "jsonn parser",
    "intent": "parse command line arguments",
    "miss": "zyzzogeton quux",
}


def packages(corpus, size):
    """The first packages of the corpus, with keywords and dependencies."""
    text = corpus.read_bytes() if corpus.suffix != ".zst" else subprocess.run(
        ["zstd", "-dqc", str(corpus)], check=True, capture_output=True
    ).stdout
    chosen = [json.loads(line) for line in text.splitlines()[:size]]
    lot = random.Random(size)
    ranked = sorted(chosen, key=lambda package: -(package["downloads"] or 0))
    for package in chosen:
        words = [word for word in re.findall(r"[a-z]{4,20}", (package["description"] or "").lower())]
        package["keywords"] = package["keywords"] or list(dict.fromkeys(words))[:3]
        if not package["deps"]:
            places = {int(len(ranked) * lot.random() ** 3) for _ in range(lot.randrange(9))}
            names = {ranked[place]["name"] for place in places} - {package["name"]}
            package["deps"] = [{"name": name, "req": "*"} for name in sorted(names)]
    return chosen


def prepared(corpus, folder, size, maker):
    """A registry of this size: its folder and the digest of its root."""
    place = folder / str(size)
    root = place / "root"
    if not root.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        lines = place / "corpus.jsonl"
        lines.write_text("".join(json.dumps(package) + "\n" for package in packages(corpus, size)))
        root.write_text(synthesize(maker, lines, place / "made", size))
    return place, root.read_text()


# A process begins with the peak of the one that started it: this one is small.
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def peak_mb(command, home):
    """The peak memory of a command."""
    environment = os.environ | {"CARGO_HOME": str(home)}
    command = [sys.executable, "-S", "-c", PEAK, *command]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def measured(command, home):
    """Runs a command in a home; returns wall and CPU in milliseconds."""
    environment = os.environ | {"CARGO_HOME": str(home)}
    before = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return {"wall_ms": wall * 1e3, "cpu_ms": cpu * 1e3, "code": process.returncode}


def show(size, what, **figures):
    text = "  ".join(f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in figures.items())
    print(f"{size:>7} packages  {what:<34} {text}", flush=True)


def quantile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def in_turn(commands, home):
    """Cold processes of several commands, one after the other; each one's wall and CPU times."""
    figures = {name: [] for name in commands}
    for _ in range(PROCESSES):
        for name, command in commands.items():
            figures[name].append(measured(command, home))
    return figures


def compare(size, what, commands, home):
    """Shows p50 and p95 of each command, and the ratios of ours to the others."""
    figures = in_turn(commands, home)
    ours = figures["ours"]
    for name, all_of_it in figures.items():
        wall, cpu = ([one[kind] for one in all_of_it] for kind in ("wall_ms", "cpu_ms"))
        shown = {"p50": quantile(wall, 0.5), "p95": quantile(wall, 0.95), "cpu_p50": quantile(cpu, 0.5)}
        if name != "ours":
            shown["ours/this_p50"] = quantile([one["wall_ms"] for one in ours], 0.5) / shown["p50"]
            shown["ours/this_p95"] = quantile([one["wall_ms"] for one in ours], 0.95) / shown["p95"]
        else:
            shown["peak_mb"] = peak_mb(commands["ours"], home)
            shown["code"] = ours[-1]["code"]
        show(size, f"{what}: {name}", **shown)


def full_text(place, lines):
    """The same texts in sqlite's FTS5 and as plain text, and how to search there."""
    path, text = place / "fts5.db", place / "text"
    if not path.exists():
        database = sqlite3.connect(path)
        database.execute("CREATE VIRTUAL TABLE text USING fts5(name, keywords, description)")
        rows = [(one["name"], " ".join(one["keywords"]), one["description"]) for one in lines]
        database.executemany("INSERT INTO text VALUES (?, ?, ?)", rows)
        database.execute("INSERT INTO text(text) VALUES ('optimize')")
        database.commit()
        database.close()
        text.write_text("".join("\t".join(row).replace("\n", " ") + "\n" for row in rows))
    return path, text


def searches(program, size, place, lines, home):
    path, text = full_text(place, lines)
    for what, words in SEARCHES.items():
        match = " AND ".join(f'"{word}"' for word in words.split()) + ("*" if what == "prefix" else "")
        select = f"SELECT name, description FROM text WHERE text MATCH '{match}' ORDER BY rank LIMIT 20"
        commands = {
            "ours": [program, "search", *words.split()],
            "a process that does nothing": ["/bin/true"],
            "FTS5": ["sqlite3", "-readonly", str(path), select],
        }
        if shutil.which("rg"):
            commands["rg"] = ["rg", "--ignore-case", "--max-count=20", words.replace(" ", ".*"), str(text)]
        compare(size, f"search, {what}", commands, home)


def queries(lines):
    """SPARQL on packages that have something to find."""
    needed = {}
    for package in lines:
        for one in package["deps"]:
            needed[one["name"]] = needed.get(one["name"], 0) + 1
    by_need = sorted(needed, key=lambda name: (needed[name], name))
    some = by_need[len(by_need) * 9 // 10]
    start = next(package["name"] for package in lines if len(package["deps"]) >= 5)
    hop = "mp:latest/mp:dependsOn"
    return {
        "3 hops": f'SELECT DISTINCT ?n {{ ?s schema:name "{start}" ; {hop}/{hop}/{hop}/schema:name ?n }} LIMIT 100',
        "reverse dependencies": f'SELECT ?n {{ ?t schema:name "{some}" . ?r mp:dependsOn ?t . ?p mp:latest ?r ; schema:name ?n }}',
        "keyword": 'SELECT ?n ?d { ?p schema:keywords "json" ; schema:name ?n ; schema:description ?d } LIMIT 100',
        "text and graph": 'SELECT ?n ?l { ?p mp:matches "json parser" ; schema:name ?n ; mp:latest/mp:licenseExpression ?l } '
        'ORDER BY DESC(mp:score(?p, "json parser")) LIMIT 20',
        "scan of everything": 'SELECT ?k (COUNT(*) AS ?c) { ?p schema:keywords ?k ; schema:description ?d '
        'FILTER(CONTAINS(?d, "a")) } GROUP BY ?k ORDER BY DESC(?c) LIMIT 10',
    }


def asked(program, size, lines, home):
    for what, query in queries(lines).items():
        commands = {
            "ours": [program, "sparql", PREFIXES + query],
            "a process that does nothing": ["/bin/true"],
        }
        compare(size, f"sparql, {what}", commands, home)


def refresh(program, size, what, home):
    Counting.requests = Counting.sent = 0
    figures = measured([program, "refresh"], home)
    show(size, what, bytes=Counting.sent, requests=Counting.requests, **figures)


def publish(program, place, lines, count, number):
    """So many releases of packages that are there."""
    with tempfile.TemporaryDirectory() as folder:
        crates = []
        for package in lines[:: max(len(lines) // count, 1)][:count]:
            crate = Path(folder) / f"{package['name']}.crate"
            version = f"9{number}.0.0"
            crate.write_bytes(archive(package["name"], version, package["description"], package["keywords"]))
            crates.append(str(crate))
        registry, environment = place / "made" / "registry", {"CARGO_MARKETPLACE_KEYS": str(place / "made" / "keys")}
        command = [program, "registry", "import", str(registry), "--as-own", "--key", "harbour", *crates]
        subprocess.run(command, check=True, env=os.environ | environment, capture_output=True)


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(program, place, root, size, changes):
    lines = [json.loads(line) for line in (place / "corpus.jsonl").read_text().splitlines()]
    registry = place / "made" / "registry"
    server = serve(registry)
    home = Path(tempfile.mkdtemp(prefix="marketplace-bench-"))
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    environment = os.environ | {"CARGO_HOME": str(home)}
    subprocess.run([program, "registry", "add", "bench", url, "--root", root], check=True, env=environment, capture_output=True)
    again = Path(tempfile.mkdtemp(prefix="marketplace-bench-"))
    shutil.copytree(home, again, dirs_exist_ok=True)
    refresh(program, size, "first refresh", home)
    show(size, "first refresh, peak memory", peak_mb=peak_mb([program, "refresh"], again))
    shutil.rmtree(again)
    packs = json.loads((registry / "catalog/index.json").read_text())["v2"]
    raw = max(pack["uncompressed"] for pack in packs if pack["from"] == 0)
    dataset = sum(size_of(path) for path in home.rglob("dataset") if path.is_dir())
    show(size, "dataset", mb=dataset / 1e6, raw_turtle_mb=raw / 1e6, ratio=dataset / raw)
    searches(program, size, place, lines, home)
    asked(program, size, lines, home)
    refresh(program, size, "refresh after 0", home)
    for number, count in enumerate(changes, int(time.time())):
        publish(program, place, lines, count, number)
        refresh(program, size, f"refresh after {count}", home)
    server.shutdown()
    shutil.rmtree(home)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    corpus, folder = Path(sys.argv[1]), Path(sys.argv[2])
    sizes = [int(size) for size in sys.argv[3:]] or [1000, 64000, 226974]
    program, maker = build()
    for size in sizes:
        place, root = prepared(corpus, folder, size, maker)
        changes = [count for count in (100, 1000, 10000) if count * 10 <= size]
        measure(program, place, root, size, changes)


main()
