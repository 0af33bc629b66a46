"""Download of a weight file by URL, accepted only with the sha256 that its entry pins."""

from __future__ import annotations

import hashlib
import http.client
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from castsearch.errors import CastsearchError, InputError
from castsearch.runtime.files import whole_file

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30.0
MAX_BYTES = 4 << 30


def download(url: str, sha256: str, target: Path, *, max_bytes: int = MAX_BYTES) -> Path:
    """Fetch ``url`` to ``target``; the file appears only when its bytes have the pinned sha256.

    Raises:
        InputError: the URL is not http(s), or ``sha256`` is not a full hexadecimal digest.
        CastsearchError: the server does not answer, or sends other bytes than the pinned ones, or
            the file cannot be written.
    """
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise InputError(f"{url}: only http and https addresses can be downloaded.")
    if len(sha256) != 64:
        raise InputError(f"{url}: a download needs the full sha256 of the file (64 characters).")
    digest = hashlib.sha256()
    with whole_file(target) as temporary, temporary.open("wb") as file:
        for chunk in _chunks(url, max_bytes):
            digest.update(chunk)
            file.write(chunk)
        if digest.hexdigest() != sha256.lower():
            raise CastsearchError(
                f"{url}: the downloaded file has the sha256 {digest.hexdigest()}, not the pinned "
                f"{sha256}; it was thrown away."
            )
    return target


def _chunks(url: str, max_bytes: int) -> Iterator[bytes]:
    """What the server sends, at most ``max_bytes`` of it."""
    n_bytes = 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            while chunk := answer.read(CHUNK):
                n_bytes += len(chunk)
                if n_bytes > max_bytes:
                    raise CastsearchError(f"{url}: the file is larger than {max_bytes} bytes.")
                yield chunk
    # What goes wrong while a chunk is written is raised where it is written, not here.
    except (OSError, http.client.HTTPException) as error:
        raise CastsearchError(f"{url}: the download failed: {error}.") from error
