"""Download of a weight file by URL, accepted only with the sha256 that its entry pins."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from castsearch.errors import CastsearchError, InputError

CHUNK = 1 << 20
TIMEOUT_SECONDS = 30.0
MAX_BYTES = 4 << 30


def download(url: str, sha256: str, target: Path, *, max_bytes: int = MAX_BYTES) -> Path:
    """Fetch ``url`` to ``target``; the file appears only when its bytes have the pinned sha256.

    Raises:
        InputError: the URL is not http(s), or ``sha256`` is not a full hexadecimal digest.
        CastsearchError: the server does not answer, or sends other bytes than the pinned ones.
    """
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise InputError(f"{url}: only http and https addresses can be downloaded.")
    if len(sha256) != 64:
        raise InputError(f"{url}: a download needs the full sha256 of the file (64 characters).")
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer,
        ):
            n_bytes = 0
            while chunk := answer.read(CHUNK):
                n_bytes += len(chunk)
                if n_bytes > max_bytes:
                    raise CastsearchError(f"{url}: the file is larger than {max_bytes} bytes.")
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256.lower():
            raise CastsearchError(
                f"{url}: the downloaded file has the sha256 {digest.hexdigest()}, not the pinned "
                f"{sha256}; it was thrown away."
            )
        temporary.replace(target)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise CastsearchError(f"{url}: the download failed: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target
