from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from castsearch import models
from castsearch.errors import CastsearchError, InputError
from castsearch.weights import download

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/weights" else 404)
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "name", [n for n, m in models.BY_NAME.items() if m.package != "castsearch"]
)
def test_built_in_models_are_present_with_the_pinned_bytes(name: str) -> None:
    path = models.weights(models.BY_NAME[name])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == models.BY_NAME[name].sha256


def test_download_takes_only_the_pinned_bytes(server: str, tmp_path: Path) -> None:
    target = tmp_path / "models" / "file.onnx"
    assert download(f"{server}/weights", DIGEST, target).read_bytes() == CONTENT
    with pytest.raises(CastsearchError, match="not the pinned"):
        download(f"{server}/weights", "0" * 64, tmp_path / "other")
    assert [p.name for p in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize(
    ("url", "digest", "sentence"),
    [
        ("file:///etc/passwd", DIGEST, "only http and https"),
        ("http://127.0.0.1:1/x", "abc", "full sha256"),
        ("http://127.0.0.1:1/x", DIGEST, "the download failed"),
    ],
)
def test_refused_downloads(url: str, digest: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(CastsearchError, match=sentence):
        download(url, digest, tmp_path / "file")


def test_missing_page_and_too_large_file(server: str, tmp_path: Path) -> None:
    with pytest.raises(CastsearchError, match="404"):
        download(f"{server}/nothing", DIGEST, tmp_path / "file")
    with pytest.raises(CastsearchError, match="larger than 10 bytes"):
        download(f"{server}/weights", DIGEST, tmp_path / "file", max_bytes=10)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_the_users_comes_by_url(server: str, tmp_path: Path) -> None:
    config = tmp_path / "castsearch.toml"
    config.write_text(
        f'[models.mine]\nkind = "face encoder"\nfile = "w/mine.onnx"\nurl = "{server}/weights"\n'
        f'sha256 = "{DIGEST}"\nsize = [96, 96]\nmean = [127.5, 127.5, 127.5]\n'
    )
    mine = models.table(config)["mine"]
    assert mine.size == (96, 96)
    assert models.locate(mine) is None
    assert models.weights(mine) == (tmp_path / "w" / "mine.onnx").resolve()
    (tmp_path / "w" / "mine.onnx").write_bytes(b"changed")
    with pytest.raises(InputError, match="another sha256"):
        models.weights(mine)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[models", "cannot be read"),
        ("models = 1", "must hold tables"),
        ("[models.x]\nkind = 'face encoder'", "needs file"),
        ("[models.x]\nfile = 'a.onnx'", "needs kind"),
        ("[models.x]\nkind = 'face encoder'\nfile = 'a'\nurl = 'http://a'", "no sha256"),
        ("[models.x]\nkind = 'face encoder'\nfile = 'a'\ncolour = 'rgb'", "unknown key 'colour'"),
        ("[models.sface]\nkind = 'face encoder'\nfile = 'a'", "name of a built-in model"),
        ("[models]\nx = 1", "is not a table"),
    ],
)
def test_wrong_config_files(text: str, sentence: str, tmp_path: Path) -> None:
    config = tmp_path / "castsearch.toml"
    config.write_text(text)
    with pytest.raises(InputError, match=sentence):
        models.table(config)


def test_a_config_file_that_was_named_must_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(models.CONFIG_VARIABLE, str(tmp_path / "none.toml"))
    with pytest.raises(InputError, match="no such config file"):
        models.table()


def test_the_fingerprint_names_the_bytes_and_the_preparation(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"one")
    first = models.fingerprint(models.from_file(path))
    path.write_bytes(b"other")
    assert models.fingerprint(models.from_file(path)) != first
