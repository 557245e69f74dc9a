#!/usr/bin/env python3
"""Reads a registry's folder as python-tuf's client, which knows nothing of ours (`pip install tuf`).

usage: tuf_client.py FOLDER [URL]

Reads the folder itself or, with a URL, what a server makes of it. Starts from `tuf/1.root.json`, refreshes,
and downloads every file that must be a TUF target: records, publishers, the policy and the catalog's index.
Then asks for a package that is not there. The statements of each record are verified as DSSE envelopes by
securesystemslib and must form a chain; the documents that it names must be there. Exits with 1 at the first
disagreement.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlparse

from securesystemslib.dsse import Envelope
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SSlibKey
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

ABSENT = "ab/se/absent-from-every-registry.json"


class FolderFetcher(FetcherInterface):
    """Answers with the files of a folder, as a plain web server would."""

    def _fetch(self, url):
        path = Path(unquote(urlparse(url).path))
        if not path.is_file():
            raise DownloadHTTPError(f"no {path}", 404)
        return iter([path.read_bytes()])


def is_plain(path):
    """Whether a file has its plain name, without a digest before it."""
    return len(path.name.split(".")) == 2


def targets(folder):
    """The plain paths of all files that the metadata has to list."""
    records = [
        path
        for first in folder.iterdir()
        if first.is_dir() and len(first.name) in (1, 2)
        for path in first.rglob("*.json")
    ]
    publishers = sorted((folder / "publishers").glob("*.json"))
    single = [folder / "policy.json", folder / "catalog" / "index.json"]
    found = [path for path in records + publishers if is_plain(path)] + single
    return sorted(path.relative_to(folder).as_posix() for path in found)


def key(listed):
    """A key under its id: the sha256 of its canonical JSON."""
    keyid = hashlib.sha256(encode_canonical(listed).encode()).hexdigest()
    return SSlibKey(keyid, listed["keytype"], listed["scheme"], listed["keyval"])


def verify_record(folder, path, files):
    """Verifies a record's statements and the documents that it names; the number of the statements."""
    record = json.loads(files[path])
    registry_id = hashlib.sha256((folder / "tuf" / "1.root.json").read_bytes()).hexdigest()
    signers = json.loads(files["policy.json"])["vouchers"]
    previous = None
    for sequence, wire in enumerate(record["statements"], 1):
        envelope = Envelope.from_dict(wire)
        statement = json.loads(envelope.payload)
        body = statement["body"]
        if body["kind"] == "genesis":
            owners = [json.loads(files[f"publishers/{owner}.json"]) for owner in body["owners"]]
            signers = [listed for owner in owners for listed in owner["keys"]]
        envelope.verify([key(listed) for listed in signers], 1)
        place = (statement["registry_id"], statement["package"], statement["sequence"], statement["previous"])
        if place != (registry_id, record["package"], sequence, previous):
            sys.exit(f"{path}: statement {sequence} is out of place")
        previous = hashlib.sha256(envelope.payload).hexdigest()
    plain = (folder / path).with_suffix("")
    for document, name in (("v1", plain.name), ("v2", f"{plain.name}.ttl")):
        expected = record["documents"][document]
        content = plain.with_name(f"{expected['sha256']}.{name}").read_bytes()
        if {"sha256": hashlib.sha256(content).hexdigest(), "length": len(content)} != expected:
            sys.exit(f"{path}: the {document} document is another")
    return len(record["statements"])


def check(folder, url=None):
    """Downloads every target; the number of them, and of the statements in them."""
    base = url.rstrip("/") if url else folder.as_uri()
    with tempfile.TemporaryDirectory() as home:
        metadata, downloads = Path(home, "metadata"), Path(home, "targets")
        metadata.mkdir()
        downloads.mkdir()
        updater = Updater(
            str(metadata),
            f"{base}/tuf",
            str(downloads),
            base,
            fetcher=None if url else FolderFetcher(),
            bootstrap=(folder / "tuf" / "1.root.json").read_bytes(),
        )
        updater.refresh()
        files = {}
        for path in targets(folder):
            target = updater.get_targetinfo(path)
            if target is None:
                sys.exit(f"{path}: no role lists it")
            got = Path(updater.download_target(target)).read_bytes()
            if got != (folder / path).read_bytes():
                sys.exit(f"{path}: the plain file is not the target")
            files[path] = got
        if updater.get_targetinfo(ABSENT) is not None:
            sys.exit(f"{ABSENT}: found")
    records = [path for path in files if path.split("/")[0] not in ("publishers", "catalog", "policy.json")]
    return len(files), sum(verify_record(folder, path, files) for path in records)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, url = Path(sys.argv[1]).resolve(), (sys.argv[2:] or [None])[0]
    targets_found, statements = check(folder, url)
    print(f"python-tuf agrees on {targets_found} targets, and securesystemslib on {statements} statements")
