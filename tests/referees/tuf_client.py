#!/usr/bin/env python3
"""Reads a registry's folder as python-tuf's client, which knows nothing of ours (`pip install tuf`).

usage: tuf_client.py FOLDER [URL]

Reads the folder itself, or, with a URL, what a server makes of it. Starts from `tuf/1.root.json`, refreshes, and downloads every file that must be a TUF target: records,
publishers, the policy and the catalog's index. Then asks for a package that is not there. Exits with 1 at
the first disagreement.
"""

import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlparse

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


def check(folder, url=None):
    """Downloads every target; the number of them."""
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
        paths = targets(folder)
        for path in paths:
            target = updater.get_targetinfo(path)
            if target is None:
                sys.exit(f"{path}: no role lists it")
            got = Path(updater.download_target(target)).read_bytes()
            if got != (folder / path).read_bytes():
                sys.exit(f"{path}: the plain file is not the target")
        if updater.get_targetinfo(ABSENT) is not None:
            sys.exit(f"{ABSENT}: found")
    return len(paths)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder, url = Path(sys.argv[1]).resolve(), (sys.argv[2:] or [None])[0]
    print(f"python-tuf agrees on {check(folder, url)} targets")
