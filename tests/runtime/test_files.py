from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from castsearch.errors import CastsearchError, InputError
from castsearch.runtime.files import file_sha256, make_folder, sweep, whole_file, whole_text_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, content: bytes = b"new", **options: bool) -> None:
    with whole_file(path, **options) as temporary:
        temporary.write_bytes(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_until_the_end_there_is_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with whole_file(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".a.txt.")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, InputError])
def test_what_fails_half_way_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(error), whole_file(path) as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write(tmp_path / "b" / "c" / "a")
    assert (tmp_path / "b" / "c" / "a").read_bytes() == b"new"


def test_two_threads_write_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    both = threading.Barrier(2)
    failures: list[BaseException] = []

    def work(content: bytes) -> None:
        try:
            with whole_file(path) as temporary:
                both.wait(10)
                temporary.write_bytes(content)
                both.wait(10)
                assert temporary.read_bytes() == content
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(c * 100,)) for c in (b"x", b"y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert path.read_bytes() in (b"x" * 100, b"y" * 100)
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["x" * 255, "\N{LATIN SMALL LETTER E WITH ACUTE}" * 127])
def test_the_longest_names_that_a_file_can_have(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert names(tmp_path) == [name]


def test_a_file_that_is_replaced_hands_on_its_permissions(tmp_path: Path, umask: None) -> None:
    path = tmp_path / "a"
    write(path)
    assert mode(path) == 0o644
    path.chmod(0o640)
    write(path, b"again")
    assert (path.read_bytes(), mode(path)) == (b"again", 0o640)


def test_private_files_are_private_from_the_start(tmp_path: Path, umask: None) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(b"old")
    with whole_file(path, private=True) as temporary:
        assert mode(temporary) == 0o600
        temporary.write_bytes(b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    with whole_text_file(tmp_path / "text", private=True) as file:
        file.write("x")
    assert mode(tmp_path / "text") == 0o600


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "file").write_bytes(b"old")
    link, dangling = tmp_path / "link", tmp_path / "dangling"
    link.symlink_to("far/file")
    dangling.symlink_to("far/none")
    write(link)
    write(dangling, b"made")
    assert link.is_symlink()
    assert dangling.is_symlink()
    assert (tmp_path / "far" / "file").read_bytes() == b"new"
    assert (tmp_path / "far" / "none").read_bytes() == b"made"
    assert names(tmp_path / "far") == ["file", "none"]


@pytest.mark.parametrize("form", ["plain", "link"])
def test_a_device_is_written_to_and_stays(tmp_path: Path, form: str) -> None:
    path = Path(os.devnull)
    if form == "link":
        path = tmp_path / "null"
        path.symlink_to(os.devnull)
    write(path)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    assert path.is_symlink() == (form == "link")


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    content: list[bytes] = []
    reader = threading.Thread(target=lambda: content.append(path.read_bytes()))
    reader.start()
    # A writer that jumps about in the file, as zip and Parquet do, which a pipe does not let it.
    with whole_file(path) as temporary, temporary.open("wb") as file:
        file.write(b"??? world")
        file.seek(0)
        file.write(b"the")
    reader.join(10)
    assert content == [b"the world"]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


def test_standard_output_as_a_file(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from castsearch.runtime.files import whole_text_file\n"
        "with whole_text_file(Path('/dev/stdout')) as file: file.write('all of it')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "all of it"


KILLED = """
import os, signal, sys
from pathlib import Path
from castsearch.runtime.files import whole_file
with whole_file(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -9


def test_what_a_killed_process_left_is_swept_with_the_next_write(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "a.b"
    path.write_bytes(b"old")
    killed_while_writing(path)
    killed_while_writing(other)
    assert len(names(tmp_path)) == 3
    assert path.read_bytes() == b"old"
    write(path)
    assert "a" in names(tmp_path)
    assert [name for name in names(tmp_path) if name.startswith(".a.b.")]
    assert len(names(tmp_path)) == 2
    sweep(tmp_path)
    assert names(tmp_path) == ["a"]
    sweep(tmp_path / "none")


def test_what_others_write_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    strangers = [".a.part", ".a.elsewhere-999999999-0.part", ".a.999999999.part", ".a.txt"]
    for name in strangers:
        (tmp_path / name).write_bytes(b"theirs")
    with whole_file(path) as first:
        first.write_bytes(b"first")
        write(path, b"second")
        assert first.read_bytes() == b"first"
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == sorted(["a", *strangers])


def test_many_small_files_are_neither_synced_nor_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    killed_while_writing(tmp_path / "thumb")
    write(tmp_path / "thumb", many=True)
    assert synced == []
    assert len(names(tmp_path)) == 2
    write(tmp_path / "thumb")
    assert len(synced) == 1
    assert names(tmp_path) == ["thumb"]


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError) as caught:
        write(tmp_path / "a")
    assert str(caught.value) == f"{tmp_path}/a cannot be written (Is a directory); give a file."
    assert names(tmp_path) == ["a"]


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(InputError, match=r"a/b/c cannot be written .*; choose another folder: a"):
        write(tmp_path / "a" / "b" / "c")
    with pytest.raises(InputError, match=r"a cannot be made \(File exists\); choose another"):
        make_folder(tmp_path / "a")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written \(File name too long\); choose a sh"):
        write(tmp_path / ("x" * 256))


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(InputError, match="mend the links"):
        write(tmp_path / "a")
    assert (tmp_path / "a").is_symlink()


FULL_DISK = """
import resource, sys
from pathlib import Path
from castsearch.errors import CastsearchError
from castsearch.runtime.files import whole_file
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    with whole_file(Path(sys.argv[1])) as temporary:
        temporary.write_bytes(b"x" * 100_000)
except CastsearchError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == (
        f"{path} cannot be written (File too large); raise the limit on the size of files or "
        "choose another folder.\n"
    )
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_full_device() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(CastsearchError, match=r"No space left on device\); make room") as caught:
        write(full)
    assert caught.value.exit_code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="get the permission or choose another folder"):
        write(tmp_path / "a")
    with pytest.raises(InputError, match="cannot be written to"):
        make_folder(tmp_path)
    tmp_path.chmod(0o700)


def test_make_folder(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a" / "b").is_dir()


def test_text_keeps_its_line_ends_and_loses_what_is_no_text(tmp_path: Path) -> None:
    with whole_text_file(tmp_path / "a") as file:
        file.write("one\r\ntwo\n\udce9\N{SNOWMAN}")
    assert (tmp_path / "a").read_bytes() == b"one\r\ntwo\n?\xe2\x98\x83"


def test_the_digest_of_a_file_is_made_again_when_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    # FIPS 180-4 has this digest as its example.
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path.write_bytes(b"")
    assert file_sha256(path) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
