from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from castsearch.errors import InputError
from castsearch.models import config as models


@pytest.mark.parametrize(
    "name", [m.name for m in models.BUILT_IN if m.package not in {"", "castsearch"}]
)
def test_packaged_models_are_present_with_the_pinned_bytes(name: str) -> None:
    path = models.weights(models.BY_NAME[name])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == models.BY_NAME[name].sha256


def test_a_built_in_model_is_downloaded_once_into_castsearchs_folder(
    server: str, content: bytes, digest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASTSEARCH_HOME", str(tmp_path))
    model = replace(models.BY_NAME["resnet18-imagenet"], url=f"{server}/weights", sha256=digest)
    assert models.locate(model) is None
    path = models.weights(model)
    assert path == tmp_path / "models" / "resnet18-f37072fd.pth"
    assert path.read_bytes() == content
    # The second time nothing is asked for: the address now leads nowhere.
    assert models.weights(replace(model, url=f"{server}/nothing")) == path


def test_a_model_of_the_users_comes_by_url(server: str, digest: str, tmp_path: Path) -> None:
    config = tmp_path / "castsearch.toml"
    config.write_text(
        f'[models.mine]\nkind = "face encoder"\nfile = "w/mine.onnx"\nurl = "{server}/weights"\n'
        f'sha256 = "{digest}"\nsize = [96, 96]\nmean = [127.5, 127.5, 127.5]\n'
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
        (
            "[models.a]\nkind = 'face encoder'\nfile = 'a'\nprecision = 'int4'",
            "needs precision = one of",
        ),
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


def test_a_file_is_taken_as_the_config_file_describes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.onnx").write_bytes(b"one")
    assert models.from_file(Path("mine.onnx")).size == (112, 112)
    models.add("wide", {"kind": "face encoder", "file": "mine.onnx", "size": [224, 224]})
    assert models.from_file(Path("mine.onnx")) == models.table()["wide"]
    assert models.from_file(Path("mine.onnx"), "body encoder").name == "mine"


def test_the_fingerprint_names_the_bytes_and_the_preparation(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"one")
    first = models.fingerprint(models.from_file(path))
    path.write_bytes(b"other")
    assert models.fingerprint(models.from_file(path)) != first


ENTRY = {
    "kind": "body encoder",
    "file": 'w/"my" encoder.onnx',
    "size": [256, 128],
    "mean": [123.675, 116.28, 103.53],
    "dim": 512,
}


def test_an_added_model_is_in_the_table_and_the_file_stays_as_it_was(tmp_path: Path) -> None:
    config = tmp_path / "castsearch.toml"
    before = '# mine\r\n[models.old]\r\nkind = "face encoder"\r\nfile = "old.onnx"  # as it was'
    config.write_bytes(before.encode())
    config.chmod(0o640)
    assert models.add("body.v2", ENTRY, config) == config
    assert config.read_bytes().startswith(before.encode())
    assert config.stat().st_mode & 0o777 == 0o640
    added = models.table(config)["body.v2"]
    assert added.size == (256, 128)
    assert added.dim == 512
    assert added.file == str((tmp_path / 'w/"my" encoder.onnx').resolve())
    assert models.table(config)["old"].file == str((tmp_path / "old.onnx").resolve())
    models.add("third", ENTRY, config)
    assert [name for name in models.table(config) if name not in models.BY_NAME] == [
        "old",
        "body.v2",
        "third",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["castsearch.toml"]


def test_the_config_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    config = tmp_path / "folder" / "castsearch.toml"
    models.add("body", ENTRY, config)
    assert models.table(config)["body"].kind == "body encoder"


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("", "sface", "There is a model 'sface' already"),
        ("[models.x]\nkind = 'face encoder'\nfile = 'a'", "x", "There is a model 'x' already"),
        ("", "a b", "cannot be the name of a model"),
        ("", "", "cannot be the name of a model"),
        ("models = {}", "x", "cannot be added at its end"),
        ("[models", "x", "cannot be read"),
    ],
)
def test_refused_additions_leave_the_file_alone(
    text: str, name: str, sentence: str, tmp_path: Path
) -> None:
    config = tmp_path / "castsearch.toml"
    config.write_text(text)
    with pytest.raises(InputError, match=sentence):
        models.add(name, ENTRY, config)
    assert config.read_text() == text
