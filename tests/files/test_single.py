from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sendcap.errors import SendcapError
from sendcap.files.single import put, save_text, whole_file


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def a_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def a_device(path: Path) -> Path:
    if os.geteuid():
        pytest.skip("only root makes devices")
    os.mknod(path, 0o20666, os.makedev(1, 7))  # as /dev/full
    return path


def a_socket(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
    return path


@pytest.mark.parametrize("special", [a_pipe, a_device, a_socket])
def test_only_regular_files_are_replaced(tmp_path, monkeypatch, special) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket may not be long
    path = special(Path("special"))
    before = path.stat().st_mode
    link = Path("link")
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(SendcapError, match=f"{name}: is not a regular file"):
            save_text(name, "x", force=True)
        with pytest.raises(SendcapError, match="is not a regular file"), whole_file(name):
            pytest.fail("it has begun")
    with pytest.raises(SendcapError, match="special: is not a regular file"):
        put(path, b"x")
    assert path.stat().st_mode == before
    assert names(tmp_path) == {"special", "link"}


def test_a_link_to_a_file_goes_on_pointing_to_it(tmp_path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    save_text(tmp_path / "link", "new", force=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_what_a_killed_process_left_is_cleared_away_by_the_next_one(tmp_path) -> None:
    for name in (".sendcap-0123456789ab.tmp", ".sendcap-0123456789ac.html"):
        (tmp_path / name).write_text("half")
    with whole_file(tmp_path / "one") as one:
        one.write_text("1")
        save_text(tmp_path / "two", "2")
    assert names(tmp_path) == {"one", "two"}


def test_files_are_as_the_umask_allows(tmp_path) -> None:
    save_text(tmp_path / "file", "x")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode
