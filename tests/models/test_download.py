"""A file by URL appears with the pinned bytes, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from castsearch.errors import CastsearchError, InputError
from castsearch.models.download import download


def test_download_takes_only_the_pinned_bytes(
    server: str, content: bytes, digest: str, tmp_path: Path
) -> None:
    target = tmp_path / "models" / "file.onnx"
    assert download(f"{server}/weights", digest, target).read_bytes() == content
    with pytest.raises(CastsearchError, match="not the pinned"):
        download(f"{server}/weights", "0" * 64, tmp_path / "other")
    assert [p.name for p in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize(
    ("url", "digest", "sentence"),
    [
        ("file:///etc/passwd", "0" * 64, "only http and https"),
        ("http://127.0.0.1:1/x", "abc", "full sha256"),
        ("http://127.0.0.1:1/x", "0" * 64, "the download failed"),
    ],
)
def test_refused_downloads(url: str, digest: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CastsearchError, match=sentence):
        download(url, digest, tmp_path / "file")


def test_missing_page_and_too_large_file(server: str, digest: str, tmp_path: Path) -> None:
    with pytest.raises(CastsearchError, match="404"):
        download(f"{server}/nothing", "0" * 64, tmp_path / "file")
    with pytest.raises(CastsearchError, match="larger than 10 bytes"):
        download(f"{server}/weights", digest, tmp_path / "file", max_bytes=10)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_may_be_in_capitals(
    server: str, content: bytes, digest: str, tmp_path: Path
) -> None:
    assert download(f"{server}/weights", digest.upper(), tmp_path / "file").read_bytes() == content


def test_other_bytes_leave_the_file_that_is_there(server: str, tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"the one before")
    with pytest.raises(CastsearchError, match="it was thrown away"):
        download(f"{server}/weights", "0" * 64, target)
    assert target.read_bytes() == b"the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_the_user_can_mend_is_told_from_what_fails() -> None:
    with pytest.raises(InputError):
        download("ftp://127.0.0.1/x", "0" * 64, Path("file"))
    with pytest.raises(CastsearchError) as failure:
        download("http://127.0.0.1:1/x", "0" * 64, Path("file"))
    assert not isinstance(failure.value, InputError)
