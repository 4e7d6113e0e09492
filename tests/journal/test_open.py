"""Opening: private, one writer, the right file on the right disk, and recovery before anything else."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from journal.support import in_state, planned, run_id
from seedream.errors import JournalError, JournalFull, JournalLocked, JournalTooNew
from seedream.journal import CALLS, Journal, ReadOnlyJournal, lock, queries
from seedream.journal.commit import Database
from seedream.journal.lock import filesystem
from seedream.journal.queries import LOST


def test_files_are_private(path: Path) -> None:
    # Rule I11: prompts are nobody else's business, whatever the umask says.
    old = os.umask(0)
    try:
        with Journal(path) as journal:
            planned(journal, "a")
            modes = {part.name: stat.S_IMODE(part.stat().st_mode) for part in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert set(modes) == {path.name + end for end in ("", "-wal", "-shm", ".lock")}
    assert set(modes.values()) == {0o600}


def test_second_writer_is_refused_with_the_holder_s_pid(path: Path) -> None:
    # Rule I8: one writing process; the kernel gives the lock back when it dies.
    code = (
        "import sys; from seedream.journal import Journal; j = Journal(sys.argv[1]);"
        "print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(JournalLocked, match=f"process {other.pid}"):
            Journal(path)
        other.kill()
        other.wait()
        with Journal(path) as journal:
            assert journal.find_run("bulk") is None


def test_second_client_of_this_process_is_refused(journal: Journal, path: Path) -> None:
    with pytest.raises(JournalLocked, match="this process already"):
        Journal(path)
    assert journal.find_run("bulk") is None


def test_reader_sees_a_run_in_progress(journal: Journal, path: Path) -> None:
    planned(journal, "a", "b")
    with ReadOnlyJournal(path) as reader:
        assert reader.counts(run_id(journal))["planned"] == 2
        with pytest.raises(JournalError):
            reader._read(lambda database: database.execute("DELETE FROM run"))


def test_reader_of_nothing_says_so(path: Path) -> None:
    with pytest.raises(JournalError, match="no journal"):
        ReadOnlyJournal(path)


def test_a_dead_process_s_submission_becomes_unknown(path: Path) -> None:
    # Rule I4: what was being sent when the process died is unknown, counted as spent, and never sent again by itself.
    with Journal(path) as journal:
        in_state(journal, "a", "submitting", cost=3)
    with Journal(path) as journal:
        job = journal.by_key(run_id(journal), "a")
        assert job is not None
        assert (job.state, job.billing, job.spent) == ("unknown", "unknown", 3)
        assert (job.error, job.message) == ("JournalError", "the program ended while this was being submitted.")
        assert journal.events(job.id)[-1].actor == "recovery"


def test_single_calls_that_never_left_are_given_up(path: Path) -> None:
    with Journal(path) as journal:
        entry = journal.open_single_call("digest", {"prompt": "p"}, 1)
        entry.begin()
        entry.not_sent()
        planned(journal, "a")
    with Journal(path) as journal:
        calls = journal.find_run(CALLS)
        assert calls is not None
        assert [job.state for job in journal.jobs(calls.id)] == ["abandoned"]
        assert [job.state for job in journal.jobs(run_id(journal))] == ["planned"]


def test_newer_version_is_refused_untouched(path: Path) -> None:
    with Journal(path):
        pass
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version=3")
    raw.close()
    before = path.read_bytes()
    for opener in (Journal, ReadOnlyJournal):
        with pytest.raises(JournalTooNew, match="Update seedream"):
            opener(path)
    assert path.read_bytes() == before


def test_another_program_s_database_is_refused_untouched(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE theirs(x)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="another program's"):
        Journal(path)
    assert path.read_bytes() == before


def test_garbage_is_refused_untouched(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="not a journal"):
        Journal(path)
    assert path.read_bytes() == before
    assert not isinstance(path, JournalFull)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE job SET state='submitting'",
        "DELETE FROM event WHERE job=1",
        "DELETE FROM event",
        "DELETE FROM event WHERE job=2; UPDATE event SET job=1",
        "DELETE FROM event WHERE seq=(SELECT max(seq) FROM event)",
    ],
)
def test_records_that_contradict_each_other_are_refused(path: Path, change: str) -> None:
    # Rule I8: a file of whose transactions only a part is there is not written to, nor read.
    with Journal(path) as journal:
        planned(journal, "a", "b")
    raw = sqlite3.connect(path)
    for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {trigger}")
    for statement in change.split(";"):
        raw.execute(statement)
    raw.commit()
    raw.close()
    lock.lock_path(path).unlink()  # without the mark, the records only speak for themselves
    before = path.read_bytes()
    for opener in (Journal, ReadOnlyJournal):  # a copy of it would pass for a whole journal
        with pytest.raises(JournalError) as caught:
            opener(path)
        assert caught.value.message == f"{path} is damaged: its records contradict each other"
        assert caught.value.hint == LOST
    assert path.read_bytes() == before


def test_a_reader_looks_at_one_state_of_a_journal_that_moves(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between its questions a run writes: asked of two states, a sound journal would contradict itself.
    planned(journal, "a")
    real = queries.check_soundness
    number = 0

    def check(database: Database, name: Path) -> None:
        class Between:
            def execute(self, sql: str, values: Sequence[object] = ()) -> Any:
                nonlocal number
                number += 1
                before = database.execute(sql, values).fetchall()
                planned(journal, f"b{number}")
                after = database.execute(sql, values).fetchall()
                assert before == after
                assert database.execute("SELECT count(*) FROM job").fetchone() == (1,)
                return database.execute(sql, values)

        real(Between(), name)  # type: ignore[arg-type]  # only asked

    monkeypatch.setattr(queries, "check_soundness", check)
    with ReadOnlyJournal(path) as reader:
        assert reader.counts(run_id(journal))["planned"] == 1 + number == 3, "the reader then sees what is new"


def test_a_copy_is_complete_private_and_opens_elsewhere(journal: Journal, path: Path, tmp_path: Path) -> None:
    # Rule I12: a copy made while a run writes holds all that is committed, and needs neither lock nor log.
    planned(journal, "a", "b")
    target = tmp_path / "elsewhere" / "copy.sqlite"
    target.parent.mkdir()
    with ReadOnlyJournal(path) as reader:
        reader.copy_to(target)
        with pytest.raises(JournalFull, match="File exists"):
            reader.copy_to(target)
    assert [target] == list(target.parent.iterdir()), "nothing is left of the second one either"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with Journal(target) as copy:
        assert copy.counts(run_id(copy))["planned"] == 2


_LIMITED = """
import os, resource, signal, sys
from pathlib import Path
from seedream.errors import JournalFull
from seedream.journal import ReadOnlyJournal

path, target = Path(sys.argv[1]), Path(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with ReadOnlyJournal(path) as reader:
    for limit in (0, 1000, 5000, 40_000, path.stat().st_size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            reader.copy_to(target)
        except JournalFull as error:
            found = (error.message, error.hint)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert found == (f"{target} cannot be written: disk I/O error", sys.argv[3]), found
        assert sorted(os.listdir(target.parent)) == ["copy.sqlite-journal"], os.listdir(target.parent)
        del found
    reader.copy_to(target)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")
def test_a_copy_that_has_no_room_leaves_nothing_and_can_be_made_again(path: Path, tmp_path: Path) -> None:
    with Journal(path) as journal:
        planned(journal, *(f"{number:0500}" for number in range(200)))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "copy.sqlite-journal").write_bytes(b"the user's own file, which SQLite would remove")
    hint = "Make room, check the permissions and the limit of open files, then go on."
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path), str(folder / "copy.sqlite"), hint],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "copy.sqlite-journal").read_bytes().startswith(b"the user's own")
    (folder / "copy.sqlite-journal").unlink()
    with Journal(folder / "copy.sqlite") as copy:
        assert copy.counts(run_id(copy))["planned"] == 200


@pytest.mark.parametrize("error", [KeyboardInterrupt(), sqlite3.OperationalError("no"), PermissionError(13, "denied")])
def test_a_copy_that_is_broken_off_leaves_nothing(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    planned(journal, "a")
    before = sorted(path.parent.iterdir())

    def fails(*_: object) -> None:
        raise error

    with ReadOnlyJournal(path) as reader, monkeypatch.context() as patch:
        if isinstance(error, PermissionError):
            patch.setattr(Path, "replace", fails)
        else:
            patch.setattr(queries, "closing", fails)
        with pytest.raises(type(error) if isinstance(error, KeyboardInterrupt) else JournalError):
            reader.copy_to(path.with_name("copy"))
    assert sorted(path.parent.iterdir()) == before


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_journal_that_lost_its_last_records_is_refused_however_few(path: Path, lost: int) -> None:
    with Journal(path) as journal:
        planned(journal, "a")
    earlier = path.read_bytes()
    with Journal(path) as journal:
        planned(journal, *"bcd"[:lost])
    path.write_bytes(earlier)
    for kind in (Journal, ReadOnlyJournal):
        with pytest.raises(JournalError, match="has lost its last record" if lost == 1 else f"its last {lost} records"):
            kind(path)


def test_a_copy_by_hand_of_a_journal_in_use_is_refused(journal: Journal, path: Path, tmp_path: Path) -> None:
    # Also after a refused opening, which leaves a lock file: a backup of the copy would pass for a whole journal.
    planned(journal, "a")
    target = tmp_path / "copy.sqlite"
    shutil.copy(path, target)
    for opener in (ReadOnlyJournal, Journal, ReadOnlyJournal, Journal):
        with pytest.raises(JournalError, match="copied while it was in use") as caught:
            opener(target)
        assert caught.value.hint == LOST


def test_a_journal_that_is_opened_while_a_reader_looks_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path) as journal:
        planned(journal, "a")
    lock.lock_path(path).unlink()
    real = lock.read_mark
    writers: list[Journal] = []

    def opened_meanwhile(file: Path) -> lock.Mark | None:
        found = real(file)
        if not writers:
            writers.append(Journal(path))
        return found

    monkeypatch.setattr(queries, "read_mark", opened_meanwhile)
    with ReadOnlyJournal(path) as reader:
        assert reader.find_run("bulk") is not None
    writers[0].close()


def test_a_lock_that_is_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    lock.lock_path(path).symlink_to(tmp_path / "victim")
    with pytest.raises(JournalError) as caught:
        Journal(path)
    assert caught.value.message == f"{lock.lock_path(path)} is a symbolic link"
    assert caught.value.hint == "Remove the link."
    assert not (tmp_path / "victim").exists()


def test_a_reader_names_the_file_that_is_not_a_journal(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    with pytest.raises(JournalError, match=f"^{re.escape(str(path))} is not a journal"):
        ReadOnlyJournal(path)


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(JournalFull, match="No such file or directory"):
        Journal(tmp_path / "nowhere" / "journal.sqlite")


MOUNTS = """21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
90 21 0:50 / /mnt/share rw,relatime shared:9 - nfs4 server:/export rw
91 21 0:51 / /mnt/share/my\\040disk rw,relatime - ext4 /dev/vdb rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/srv", "ext4"), ("/mnt/share", "nfs4"), ("/mnt/share/a/b", "nfs4"), ("/mnt/share/my disk/x", "ext4")],
)
def test_filesystem_is_the_nearest_mount_s(tmp_path: Path, folder: str, kind: str) -> None:
    (tmp_path / "mounts").write_bytes(b"22 1 0:9 / /caf\xe9 rw - tmpfs none rw\n" + MOUNTS.encode())
    assert filesystem(Path(folder), tmp_path / "mounts") == kind
    assert filesystem(Path(folder), tmp_path / "missing") == ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_network_file_system_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    # Fault C8: the write-ahead log is not safe there.
    monkeypatch.setattr(lock, "filesystem", lambda _: kind)
    with pytest.raises(JournalError, match=rf"network file system \({kind}\)"):
        Journal(path)
    assert not path.exists()


def test_failed_opening_gives_the_lock_back(path: Path) -> None:
    path.write_bytes(b"garbage, again long enough to be read as a page" * 100)
    with pytest.raises(JournalError):
        Journal(path)
    path.unlink()
    with Journal(path) as journal:
        assert planned(journal, "a")


def test_journal_of_the_parent_is_refused_in_a_fork(path: Path) -> None:
    code = """
import os, sys
from seedream.errors import JournalError
from seedream.journal import Journal
journal = Journal(sys.argv[1])
child = os.fork()
if child == 0:
    try:
        journal.run("bulk")
    except JournalError as error:
        os._exit(7 if "fork" in str(error) else 1)
    os._exit(2)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
journal.run("bulk")
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_symbolic_link_leads_to_the_one_lock(path: Path, tmp_path: Path) -> None:
    # Two names of a journal do not make two writers.
    with Journal(path) as journal:
        planned(journal, "a")
        (tmp_path / "link.sqlite").symlink_to(path)
        with pytest.raises(JournalLocked):
            Journal(tmp_path / "link.sqlite")
    with Journal(tmp_path / "link.sqlite") as journal:
        assert journal.by_key(run_id(journal), "a") is not None
    assert not (tmp_path / "link.sqlite.lock").exists()


def test_a_second_hard_link_is_refused(path: Path, tmp_path: Path) -> None:
    with Journal(path):
        pass
    os.link(path, tmp_path / "second.sqlite")
    for name in (path, tmp_path / "second.sqlite"):
        with pytest.raises(JournalError, match="hard link"):
            Journal(name)


@pytest.mark.parametrize("name", [":memory:", "file:x.sqlite", "FILE:x?mode=memory", "", "a\0b"])
def test_a_name_that_sqlite_does_not_take_for_a_file_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalError, match="not the path of a file"):
        Journal(name)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / ".", ".", "..", "/"):  # no real device: a fault here would replace it
        with pytest.raises(JournalError, match="not the path of a file"):
            Journal(path)
    assert [pipe] == list(tmp_path.iterdir())
    assert pipe.is_fifo()


def test_the_lock_file_keeps_no_other_process_s_text(path: Path) -> None:
    path.with_name("journal.sqlite.lock").write_text("99999\n")  # of an earlier version
    with Journal(path) as journal:
        planned(journal, "a")
    assert path.with_name("journal.sqlite.lock").read_bytes().split()[0] == str(os.getpid()).encode()


_KILLED = """
import os, sqlite3, sys
from pathlib import Path
from seedream.journal import Journal

class Dying(sqlite3.Connection):
    left = 0
    def execute(self, sql, values=()):
        if Dying.left == 0:
            os._exit(9)
        Dying.left -= 1
        found = super().execute(sql, values)
        if Dying.left == 0 and sys.argv[2] == "after":
            os._exit(9)
        return found

def connect(path):
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Dying)

status = 9
count = 0
while status == 9:
    if (child := os.fork()) == 0:
        Dying.left = count
        folder = Path(sys.argv[1], str(count))
        folder.mkdir()
        Journal(folder / "journal.sqlite", connect=connect)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count += 1
print(count, status)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_statement_of_the_creation_leaves_a_usable_path(when: str, tmp_path: Path) -> None:
    # The file appears at its path only with its tables, and with its mark.
    run = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), when], capture_output=True, text=True, check=True
    )
    count, status = map(int, run.stdout.split())
    assert status == 0
    assert count > 30, "the creation and the first opening take more than thirty statements"
    for number in range(count - 1):
        target = tmp_path / str(number) / "journal.sqlite"
        with Journal(target) as journal:
            assert planned(journal, "a")
        assert not list(target.parent.glob(".*.new*"))


def test_a_journal_is_refused_when_its_file_or_lock_is_replaced(path: Path) -> None:
    # What is recorded into a file that nobody finds would be paid for again.
    for name in (path.name, f"{path.name}.lock"):
        with Journal(path) as journal:
            target = path.with_name(name)
            kept = target.rename(path.with_name("kept"))
            with pytest.raises(JournalError, match="moved, replaced or deleted"):
                journal.run("other")
            shutil.copy(kept, target)
            with pytest.raises(JournalError, match="moved, replaced or deleted"):
                journal.run("other")
            target.unlink()
            kept.rename(target)
            journal.run("other")
