from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

import pytest
from disks import small_disk_at

from sendcap.errors import RunError, SendcapWarning
from sendcap.files import directory as staging
from sendcap.files import temporary
from sendcap.files.directory import Contents, Staging, exchange
from sendcap.saved import LEDGER, RUN, SUMMARY


def contents(directory) -> set[str]:
    """Return all files and directories, without the summaries of the checksums."""
    names = {str(path.relative_to(directory)) for path in directory.rglob("*")}
    return {name for name in names if not name.endswith("/summary.json")}


def stage(target, work=lambda folder: None, *, force=False) -> None:
    with Staging(target, RUN, force=force) as folder:
        work(folder)


def half_and_then(error):
    def work(folder) -> None:
        (folder / "half").write_text("x")
        raise error

    return work


@pytest.fixture
def saved(tmp_path):
    directory = tmp_path / "run"
    directory.mkdir()
    for name in (LEDGER, SUMMARY):
        (directory / name).write_text("old")
    return directory


def test_the_directory_appears_at_success(tmp_path) -> None:
    target = tmp_path / "runs" / "a" / "b"
    with Staging(target, RUN) as folder:
        (folder / "file").write_text("x")
        assert not target.exists()
    assert contents(tmp_path) == {"runs", "runs/a", "runs/a/b", "runs/a/b/file"}


def test_a_way_up_from_what_is_not_there_leads_to_the_directory(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    staged = Staging("absent/../run", RUN)
    with staged:
        pass
    assert staged.directory.is_dir()
    assert staged.directory == Path(os.path.realpath(tmp_path / "run"))
    assert contents(tmp_path) == {"run"}
    # One that can be opened keeps its name.
    assert Staging("run/../other", RUN).directory == Path("run/../other")
    assert Staging("absent/other", RUN).directory == Path("absent/other")


def test_others_may_read_what_the_umask_allows(tmp_path) -> None:
    with Staging(tmp_path / "run", RUN):
        pass
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "run").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, MemoryError])
def test_nothing_is_left_behind_whatever_is_raised(tmp_path, error) -> None:
    with pytest.raises(error):
        stage(tmp_path / "runs" / "run", half_and_then(error))
    assert contents(tmp_path) == set()


def test_parents_that_were_there_stay(tmp_path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(KeyboardInterrupt), Staging(tmp_path / "runs" / "run", RUN):
        raise KeyboardInterrupt
    assert contents(tmp_path) == {"runs"}


def test_an_existing_directory_is_refused_before_any_work(saved, tmp_path) -> None:
    with pytest.raises(RunError, match=r"run: already exists; .*force=True"), Staging(saved, RUN):
        pytest.fail("the work began")
    assert contents(tmp_path) == {"run", f"run/{LEDGER}"}


def test_force_replaces_a_saved_run(saved, tmp_path) -> None:
    with Staging(saved, RUN, force=True) as folder:
        (folder / "new").write_text("x")
        assert (saved / LEDGER).read_text() == "old"
    assert contents(tmp_path) == {"run", "run/new"}


def test_force_keeps_the_old_run_if_anything_fails(saved, tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt):
        stage(saved, half_and_then(KeyboardInterrupt), force=True)
    assert contents(tmp_path) == {"run", f"run/{LEDGER}"}


@pytest.fixture(params=["exchanged", "renamed twice"])
def way(request, monkeypatch) -> str:
    """How a directory is replaced: in one step, or where the system has none."""
    if request.param == "exchanged":
        if not exchange_works():
            pytest.skip("needs a Linux with renameat2")
    else:
        monkeypatch.setattr(staging, "exchange", lambda one, other: False)
    return request.param


def exchange_works() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder, "one"), Path(folder, "other")
        one.mkdir()
        other.mkdir()
        return exchange(one, other)


def test_force_keeps_the_old_run_if_the_new_one_cannot_take_its_place(
    saved, tmp_path, monkeypatch, way
) -> None:
    rename = staging.Path.rename

    def refuse(self, target):
        if self.name == "new":
            raise OSError(errno.EIO, "no")
        return rename(self, target)

    def no_exchange(one, other):
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(staging.Path, "rename", refuse)
    if way == "exchanged":
        monkeypatch.setattr(staging, "exchange", no_exchange)
    with (
        pytest.raises(RunError, match="the disk reports an error"),
        Staging(saved, RUN, force=True),
    ):
        pass
    assert contents(tmp_path) == {"run", f"run/{LEDGER}"}


def test_what_somebody_put_there_meanwhile_is_not_removed(saved, way) -> None:
    with pytest.raises(RunError, match=r"holds 'notes\.txt', which"):
        stage(saved, lambda _: (saved / "notes.txt").write_text("mine"), force=True)
    assert (saved / "notes.txt").read_text() == "mine"
    assert (saved / LEDGER).read_text() == "old"


def test_force_does_not_replace_what_is_not_a_saved_run(tmp_path) -> None:
    target = tmp_path / "photos"
    target.mkdir()
    (target / "summary.json").write_text("mine")
    with pytest.raises(RunError, match="is not a saved run"), Staging(target, RUN, force=True):
        pass
    assert (target / "summary.json").read_text() == "mine"


def test_force_does_not_remove_what_somebody_else_put_there(saved, tmp_path) -> None:
    (saved / "notes.txt").write_text("mine")
    with (
        pytest.raises(RunError, match=r"holds 'notes\.txt', which"),
        Staging(saved, RUN, force=True),
    ):
        pass
    assert (saved / "notes.txt").read_text() == "mine"


def test_each_kind_of_directory_is_replaced_by_its_own_kind_only(saved, tmp_path) -> None:
    study = Contents("a saved study", frozenset({"a.csv"}), frozenset({"a.csv", "b.png"}))
    with pytest.raises(RunError, match="run: is not a saved study, so it is not replaced"):
        Staging(saved, study, force=True).__enter__()
    other = tmp_path / "study"
    other.mkdir()
    (other / "a.csv").write_text("old")
    with pytest.raises(RunError, match="study: is not a saved run"):
        Staging(other, RUN, force=True).__enter__()
    with Staging(other, study, force=True) as folder:
        (folder / "a.csv").write_text("new")
    assert (other / "a.csv").read_text() == "new"


def test_force_fills_an_empty_directory(tmp_path) -> None:
    target = tmp_path / "run"
    target.mkdir()
    with Staging(target, RUN, force=True) as folder:
        (folder / "new").write_text("x")
    assert contents(tmp_path) == {"run", "run/new"}


@pytest.mark.parametrize("force", [True, False])
def test_a_file_is_never_replaced(tmp_path, force) -> None:
    target = tmp_path / "run"
    target.write_text("mine")
    with pytest.raises(RunError, match="is a file"), Staging(target, RUN, force=force):
        pass
    assert target.read_text() == "mine"


def test_a_link_goes_on_pointing_to_the_directory(saved, tmp_path) -> None:
    link = tmp_path / "latest"
    link.symlink_to(saved)
    with Staging(link, RUN, force=True) as folder:
        (folder / "new").write_text("x")
    assert link.is_symlink()
    assert contents(saved) - {SUMMARY} == {"new"}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space is left on the disk"),
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EDQUOT, "the disk quota is used up"),
    ],
)
def test_a_failed_write_is_told_in_plain_words(tmp_path, number, words) -> None:
    target = tmp_path / "run"
    # pyarrow raises without a file name and with a long text of its own.
    error = OSError(number, "Error writing bytes to file. Detail: [errno 28] ...")
    with pytest.raises(RunError) as caught:
        stage(target, half_and_then(error))
    assert str(caught.value) == f"{target}: cannot be written: {words}"
    assert contents(tmp_path) == set()


def test_a_part_of_the_path_that_is_a_file_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="a part of the path is not a directory"):
        stage(tmp_path / "file" / "run")


def test_a_name_that_is_too_long_is_told(tmp_path) -> None:
    with (
        pytest.raises(RunError, match="the name is too long"),
        Staging(tmp_path / ("x" * 300), RUN),
    ):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission_is_told(tmp_path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with (
        pytest.raises(RunError, match="permission denied"),
        Staging(tmp_path / "locked" / "run", RUN),
    ):
        pass


def test_a_closed_pipe_is_not_blamed_on_the_directory(tmp_path) -> None:
    with pytest.raises(BrokenPipeError), Staging(tmp_path / "run", RUN):
        raise BrokenPipeError
    assert contents(tmp_path) == set()


def test_a_directory_that_appears_meanwhile_is_not_overwritten(tmp_path) -> None:
    target = tmp_path / "run"

    def meanwhile(folder) -> None:
        (folder / "new").write_text("x")
        target.mkdir()
        (target / "other").write_text("theirs")

    with pytest.raises(RunError, match="another program has made it"):
        stage(target, meanwhile)
    assert contents(tmp_path) == {"run", "run/other"}


def test_a_name_that_is_taken_meanwhile_gets_a_number(tmp_path) -> None:
    target = tmp_path / "run"
    staging_it = Staging(target, RUN, numbered=True)
    with staging_it as folder:
        (folder / "new").write_text("x")
        target.mkdir()
        (tmp_path / "run-2").symlink_to("nowhere")
    assert staging_it.directory == tmp_path / "run-3"
    assert contents(tmp_path) == {"run", "run-2", "run-3", "run-3/new"}


def test_abandoning_leaves_nothing_behind(tmp_path) -> None:
    staged = Staging(tmp_path / "runs" / "run", RUN)
    staged.abandon()
    (staged.__enter__() / "half").write_text("x")
    staged.abandon()
    assert contents(tmp_path) == set()


class Killed(BaseException):
    """The process is no more: nothing of what comes after is done."""


def killed_amid_the_replacing(saved, monkeypatch, steps: int) -> Staging:
    """Replace a saved run in a process that is killed after some steps, and return the rest."""
    staged = Staging(saved, RUN, force=True)
    (staged.__enter__() / "a").write_text("new")
    done = []

    def counted(step):
        def take(*arguments):
            if len(done) == steps:
                raise Killed
            done.append(step)
            return step(*arguments)

        return take

    with monkeypatch.context() as patch:
        patch.setattr(staging.Path, "rename", counted(staging.Path.rename))
        patch.setattr(staging, "exchange", counted(staging.exchange))
        patch.setattr(staging.Staging, "abandon", lambda self: None)
        with contextlib.suppress(Killed):
            staged.__exit__(None, None, None)
    return staged


OLD, NEW = {"run", f"run/{LEDGER}"}, {"run", "run/a"}


@pytest.mark.parametrize("steps", range(4))
def test_abandoning_amid_the_replacing_leaves_one_whole_run(
    saved, tmp_path, monkeypatch, way, steps
) -> None:
    found = killed_amid_the_replacing(saved, monkeypatch, steps)
    found.abandon()
    replaced = steps >= (1 if way == "exchanged" else 3)
    assert contents(tmp_path) == (NEW if replaced else OLD)


@pytest.mark.parametrize("steps", range(4))
def test_the_next_run_finds_what_a_killed_one_was_replacing(
    saved, tmp_path, monkeypatch, way, steps
) -> None:
    killed_amid_the_replacing(saved, monkeypatch, steps)._temporary._unlock()
    if way == "exchanged":
        assert saved.is_dir(), "there is always one of them"
    with pytest.raises(RunError, match="already exists"):
        stage(saved)
    replaced = steps >= (1 if way == "exchanged" else 3)
    assert contents(tmp_path) == (NEW if replaced else OLD)


def test_what_is_put_back_replaces_nothing(saved, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(staging, "exchange", lambda one, other: False)
    # The exchange, which is none here, and the first of two renames.
    killed_amid_the_replacing(saved, monkeypatch, 2)._temporary._unlock()
    assert not saved.exists()
    saved.mkdir()
    (saved / "theirs").write_text("x")
    stage(tmp_path / "other")
    assert contents(tmp_path) == {"run", "run/theirs", "other"}


def test_what_a_killed_run_left_is_cleared_away_and_nothing_else(tmp_path) -> None:
    (tmp_path / ".sendcap-0123456789ab").mkdir()
    (tmp_path / ".sendcap-0123456789ab" / "half").write_text("x")
    (tmp_path / ".sendcap-0123456789ac.html").write_text("half")
    foreign = {".sendcap-ffffffffffff", ".sendcap-eeeeeeeeeeee", ".sendcap-notes.txt", ".tmp"}
    for name in foreign:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".sendcap-eeeeeeeeeeee").unlink()
    (tmp_path / ".sendcap-eeeeeeeeeeee").symlink_to(tmp_path)
    stage(tmp_path / "run")
    assert contents(tmp_path) == {"run", *foreign}


def test_what_an_older_version_was_replacing_is_mentioned_and_kept(tmp_path) -> None:
    (tmp_path / ".sendcap-0123456789ab-old").mkdir()
    with pytest.warns(SendcapWarning, match="is what an older sendcap was replacing when it was"):
        stage(tmp_path / "run")
    assert contents(tmp_path) == {"run", ".sendcap-0123456789ab-old"}


def test_a_run_that_is_under_way_is_not_cleared_away(tmp_path) -> None:
    with Staging(tmp_path / "a", RUN) as folder:
        (folder / "file").write_text("x")
        stage(tmp_path / "b")
        assert (folder / "file").exists()
    assert contents(tmp_path) == {"a", "a/file", "b"}


def test_a_new_directory_that_is_mistaken_for_a_stale_one_is_made_again(
    tmp_path, monkeypatch
) -> None:
    # Another run finds it between its making and its locking.
    flock, removed = temporary.fcntl.flock, []

    def late(descriptor, how) -> None:
        if not removed:
            removed.extend(tmp_path.glob(".sendcap-*"))
            removed[0].rmdir()
        flock(descriptor, how)

    monkeypatch.setattr(temporary.fcntl, "flock", late)
    with Staging(tmp_path / "run", RUN) as folder:
        assert folder.parent != removed[0]
        (folder / "file").write_text("x")
    assert contents(tmp_path) == {"run", "run/file"}


def test_two_that_replace_the_same_run_leave_that_of_the_last(saved, tmp_path, way) -> None:
    with Staging(saved, RUN, force=True) as one:
        (one / LEDGER).write_text("one")
        with Staging(saved, RUN, force=True) as other:
            (other / LEDGER).write_text("other")
        assert (saved / LEDGER).read_text() == "other"
    assert (saved / LEDGER).read_text() == "one"
    assert contents(tmp_path) == OLD


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    with small_disk_at(tmp_path / "disk", "64k") as place:
        yield place


def test_a_full_disk_leaves_nothing_behind(small_disk) -> None:
    with pytest.raises(RunError, match="no space is left on the disk"):
        stage(small_disk / "run", lambda folder: (folder / "big").write_bytes(b"x" * 1_000_000))
    assert contents(small_disk) == set()
