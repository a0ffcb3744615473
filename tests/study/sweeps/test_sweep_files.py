from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sendcap.errors import SendcapError
from sendcap.files.checksums import checksum, recorded
from sendcap.study.sweeps import files
from sendcap.study.sweeps.files import write_files

FILES = {"results.csv": b"old", "study.toml": b"old"}


def require_sound(directory: Path) -> None:
    """No file differs from the checksum."""
    for name, expected in recorded(directory)[1].items():
        assert checksum(directory / name) == expected, name


def test_a_file_that_is_removed_has_no_checksum_any_more(tmp_path) -> None:
    write_files(tmp_path, FILES)
    assert set(recorded(tmp_path)[1]) == set(FILES)
    write_files(tmp_path, {"results.csv": None})
    assert set(recorded(tmp_path)[1]) == {"study.toml"}
    assert not (tmp_path / "results.csv").exists()


@pytest.mark.parametrize("writes", range(4))
def test_a_writing_cut_short_leaves_no_checksum_of_another_file(
    tmp_path, monkeypatch, writes
) -> None:
    write_files(tmp_path, FILES)
    put, done = files.put, []

    def limited(path, content) -> None:
        if len(done) == writes:
            raise OSError(28, "full")
        done.append(path)
        put(path, content)

    monkeypatch.setattr(files, "put", limited)
    with pytest.raises(SendcapError, match="no space is left on the disk"):
        write_files(tmp_path, dict.fromkeys(FILES, b"new"))
    require_sound(tmp_path)


def test_two_that_write_at_the_same_time_take_turns(tmp_path, monkeypatch) -> None:
    put, turns = files.put, []
    other = threading.Thread(target=write_files, args=(tmp_path, dict.fromkeys(FILES, b"other")))

    def noted(path, content) -> None:
        if not turns:
            other.start()
        turns.append(threading.current_thread() is other)
        put(path, content)

    monkeypatch.setattr(files, "put", noted)
    write_files(tmp_path, dict.fromkeys(FILES, b"one"))
    other.join()
    assert turns == sorted(turns)
    require_sound(tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == b"other"
