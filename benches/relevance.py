"""How well search finds what is meant, beside sqlite's FTS5, in one run.

    python3 benches/relevance.py CORPUS.jsonl[.zst]

The corpus is real packages, one a line (`name`, `description`, `keywords`, `downloads`); the queries with
their right answers are `tests/fixtures/relevance.jsonl`; those marked `held` were held back while the
constants of `src/ranking/` were chosen. Prints the mean reciprocal rank of the first right answer among
ten (MRR@10), for each kind of query: ours, and FTS5 with either tokenizer, all words, ranked by bm25
times log(1 + downloads). `zstd` must be on the path for a corpus that ends in `.zst`.
"""

import json
import math
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
QUERIES = PROJECT / "tests" / "fixtures" / "relevance.jsonl"
KINDS = ["exact", "words", "typo", "intent"]


def lines(path):
    """The packages of the corpus."""
    if path.suffix != ".zst":
        return [json.loads(line) for line in path.open(encoding="utf-8")]
    unpacked = subprocess.run(["zstd", "-dqc", str(path)], check=True, capture_output=True)
    return [json.loads(line) for line in unpacked.stdout.decode().splitlines()]


def sqlite(packages, queries, tokenizer):
    """The first ten names for each query, by FTS5."""
    database = sqlite3.connect(":memory:")
    database.create_function("ln1p", 1, math.log1p, deterministic=True)
    database.execute("CREATE TABLE package (id INTEGER PRIMARY KEY, name TEXT, downloads INTEGER)")
    database.execute(f"CREATE VIRTUAL TABLE text USING fts5(name, keywords, description, tokenize = '{tokenizer}')")
    for number, package in enumerate(packages):
        text = (number, package["name"], " ".join(package["keywords"]), package["description"])
        database.execute("INSERT INTO package VALUES (?, ?, ?)", (number, package["name"], package["downloads"] or 0))
        database.execute("INSERT INTO text (rowid, name, keywords, description) VALUES (?, ?, ?, ?)", text)
    select = (
        "SELECT package.name FROM text JOIN package ON package.id = text.rowid WHERE text MATCH ?"
        " ORDER BY bm25(text) * ln1p(package.downloads), package.name LIMIT 10"
    )
    for query in queries:
        words = re.findall(r"[^\W_]+", query["query"])
        match = " AND ".join(f'"{word}"' for word in words)
        yield [name for (name,) in database.execute(select, (match,))]


def ours(corpus):
    """The first ten names for each query, by `src/ranking`."""
    build = ["cargo", "run", "--release", "--quiet", "--no-default-features", "--features", "marketplace-v1"]
    command = [*build, "--example", "relevance", "--", str(corpus), str(QUERIES)]
    printed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in printed.stdout.splitlines()]


def reciprocal_rank(names, answers):
    return next((1 / place for place, name in enumerate(names, 1) if name in answers), 0)


def means(found, queries):
    """The MRR of each kind and over all: of the queries that were looked at, of those held back, of both."""
    ranks = [reciprocal_rank(names, query["answers"]) for names, query in zip(found, queries, strict=True)]
    parts = [lambda query: not query.get("held"), lambda query: query.get("held"), lambda query: True]
    table = {}
    for kind in [*KINDS, "all"]:
        for part, belongs in enumerate(parts):
            asked = zip(ranks, queries, strict=True)
            chosen = [rank for rank, query in asked if kind in ("all", query["kind"]) and belongs(query)]
            table[kind, part] = sum(chosen) / len(chosen)
    return table


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    corpus = Path(sys.argv[1]).resolve()
    queries = [json.loads(line) for line in QUERIES.open(encoding="utf-8")]
    packages = lines(corpus)
    columns = {
        "ours": means(ours(corpus), queries),
        "FTS5 unicode61": means(sqlite(packages, queries, "unicode61"), queries),
        "FTS5 porter": means(sqlite(packages, queries, "porter unicode61"), queries),
    }
    print(f"MRR@10, {len(queries)} queries, {len(packages)} packages")
    for part, name in enumerate(["looked at", "held back", "together"]):
        print(f"\n{name:<12}" + "".join(f"{column:>16}" for column in columns))
        for kind in [*KINDS, "all"]:
            print(f"{kind:<12}" + "".join(f"{table[kind, part]:>16.3f}" for table in columns.values()))


main()
