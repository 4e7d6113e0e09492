"""Every refusal of the journal says what was wrong and what to do next, in these words."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from journal.support import in_state, planned, run_id
from journal.test_commit import Spy, coded, insert
from seedream.errors import JournalError, JournalFull, JournalLocked, JournalTooNew, NotSent, SubmissionUnknown
from seedream.journal import Journal, Plan, ReadOnlyJournal, lock
from seedream.journal import commit as commits
from seedream.journal.commit import Committer, failure
from seedream.journal.lock import Mark
from seedream.journal.queries import LOST, check_complete, check_soundness, check_version
from seedream.journal.schema import APPLICATION_ID, VERSION
from seedream.journal.submission_record import SubmissionRecord

ELSEWHERE = "Use another path for the journal."
CHECK = "Check the folder, its permissions and the free space."
ONE_FILE = "Give a path on a local disk."


def refused(kind: type[JournalError], call: Callable[[], object]) -> tuple[str, str]:
    """Return what the call's error says, and what it advises."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return caught.value.message, caught.value.hint


# Opening.


@pytest.mark.parametrize(
    ("name", "shown"),
    [(":memory:", "':memory:'"), ("FILE:x", "'FILE:x'"), ("", "''"), ("a\0b", r"'a\x00b'"), ("folder", "'folder'")],
)
def test_a_path_that_cannot_be_a_journal(
    name: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    said = refused(JournalError, lambda: Journal(name))
    assert said == (f"{shown} is not the path of a file", ONE_FILE)


def test_names_that_only_look_special_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("memory:", "profile:x", ":memory", "a file:b"):
        Journal(name).close()
        with ReadOnlyJournal(name) as reader:
            assert reader.accepted() == []


def test_a_second_name_and_a_link_to_itself(path: Path) -> None:
    Journal(path).close()
    os.link(path, path.with_name("second"))
    said = f"{path} has a second name (a hard link), under which another process could write it"
    assert refused(JournalError, lambda: Journal(path)) == (said, "Copy it, and open the copy.")
    loop = path.with_name("loop")
    loop.symlink_to(loop)
    said = f"{loop} is a symbolic link that leads to itself"
    assert refused(JournalError, lambda: Journal(loop)) == (said, "Remove the link.")


@pytest.mark.usefixtures("journal")
def test_another_writer(path: Path) -> None:
    wait = "Wait until it has ended, or use another journal."
    assert refused(JournalLocked, lambda: Journal(path)) == (
        f"{path} is being written by this process already",
        wait,
    )
    held = lock.lock_path(path)
    for content, who in ((b"%20d\n" % 4711, "process 4711"), (b"something else", "process ?"), (b"", "process ?")):
        held.write_bytes(content)
        assert refused(JournalLocked, lambda: Journal(path)) == (f"{path} is being written by {who}", wait)


def test_a_reader_in_the_middle_of_a_query(path: Path) -> None:
    Journal(path).close()
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM job").fetchone()

    def connect(file: Path) -> sqlite3.Connection:
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=0)

    said = refused(JournalLocked, lambda: Journal(path, connect=connect))
    assert said == (f"{path} is being read by another program", "Wait until it has ended.")
    reader.close()
    Journal(path, connect=connect).close()


def test_a_lock_file_that_is_not_a_file_of_its_own(path: Path, tmp_path: Path) -> None:
    held = lock.lock_path(path)
    (tmp_path / "theirs").write_bytes(b"theirs")
    os.link(tmp_path / "theirs", held)
    said = (f"{held} is not a file of its own", "Remove it: it may be a link.")
    assert refused(JournalError, lambda: Journal(path)) == said
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    held.unlink()
    held.mkdir()
    assert refused(JournalFull, lambda: Journal(path)) == (f"{path} cannot be written: Is a directory", CHECK)
    held.rmdir()
    os.mkfifo(held)
    assert refused(JournalError, lambda: Journal(path)) == said
    assert not path.exists()


def test_a_network_file_system(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "filesystem", lambda folder: "nfs4" if folder == path.parent else "")
    said = refused(JournalError, lambda: Journal(path))
    message = f"{path.parent} is on a network file system (nfs4), where a journal is not safe"
    assert said == (message, "Put the journal on a local disk.")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "journal.sqlite"
    said = refused(JournalFull, lambda: Journal(path))
    assert said == (f"{path} cannot be written: No such file or directory", CHECK)
    with pytest.raises(JournalFull) as caught, lock.os_errors_as_journal_full(path):
        raise TimeoutError  # an error without the system's words
    assert caught.value.message == f"{path} cannot be written: TimeoutError"


def test_a_folder_whose_file_system_cannot_be_read_names_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(lock, "filesystem", broken)
    assert refused(JournalFull, lambda: Journal(path)) == (f"{path} cannot be written: Input/output error", CHECK)


def test_a_journal_that_is_gone_and_its_records(path: Path) -> None:
    Journal(path).close()
    path.unlink()
    said = refused(JournalError, lambda: Journal(path))
    assert said == (f"the journal that was at {path} is gone", LOST)
    assert not path.exists()
    with Journal(path, records_lost=True) as journal:
        assert planned(journal, "a")
    with Journal(path) as journal:
        assert journal.by_key(run_id(journal), "a")


# Whose database it is, and whether all of it is there.


def version(application: int, number: int, *tables: str) -> Callable[[], None]:
    database = sqlite3.connect(":memory:")
    database.execute(f"PRAGMA application_id={application}")
    database.execute(f"PRAGMA user_version={number}")
    for table in tables:
        database.execute(f"CREATE TABLE {table}(x)")
    return lambda: check_version(database, Path("j"))


THEIRS = ("j is another program's database", ELSEWHERE)
OLD = "Use another path for the journal, or finish it with the version that wrote it."


@pytest.mark.parametrize(
    ("application", "number", "tables", "kind", "said"),
    [
        (0, 0, ["theirs"], JournalError, THEIRS),
        (0, VERSION, ["theirs"], JournalError, THEIRS),
        (1, VERSION, [], JournalError, THEIRS),
        (APPLICATION_ID + 1, VERSION, ["t"], JournalError, THEIRS),
        (0, 0, [], JournalError, ("j is empty", OLD)),
        (APPLICATION_ID, VERSION - 1, ["t"], JournalError, ("j has version 1; this seedream reads 2", OLD)),
        (APPLICATION_ID, 0, ["t"], JournalError, ("j has version 0; this seedream reads 2", OLD)),
        (APPLICATION_ID, VERSION + 1, ["t"], JournalTooNew,
         ("j has version 3; this seedream reads up to 2", "Update seedream.")),
    ],
)  # fmt: skip
def test_a_database_of_another_program_or_version(
    application: int, number: int, tables: list[str], kind: type[JournalError], said: tuple[str, str]
) -> None:
    assert refused(kind, version(application, number, *tables)) == said


def test_the_version_is_this_one() -> None:
    version(APPLICATION_ID, VERSION, "t")()
    assert VERSION == 2
    assert APPLICATION_ID.to_bytes(4, "big") == b"SDJ1"


@pytest.mark.parametrize(
    ("closed", "newest", "mark", "opened", "said"),
    [
        (1, 5, None, False, ""),
        (0, 5, None, True, ""),
        (0, 5, None, False, "j was copied while it was in use, or its lock file is gone: records may be missing"),
        (1, 5, Mark("other", 5), False, "j is not the journal that was here before"),
        (1, 5, Mark("this", 6), False, "j has lost its last record"),
        (0, 0, Mark("this", 2), True, "j has lost its last 2 records"),
        (0, 5, Mark("this", 5), False, ""),
        (0, 5, Mark("this", 4), False, ""),
    ],
)
def test_records_that_are_missing(closed: int, newest: int, mark: Mark | None, opened: bool, said: str) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE journal(id, closed)")
    database.execute("INSERT INTO journal VALUES('this', ?)", (closed,))
    database.execute("CREATE TABLE event(seq INTEGER PRIMARY KEY)")
    if newest:
        database.execute("INSERT INTO event VALUES(?)", (newest,))
    check: Callable[[], None] = lambda: check_complete(database, mark, Path("j"), opened=lambda: opened)  # noqa: E731
    if said:
        assert refused(JournalError, check) == (said, LOST)
    else:
        check()


def test_without_a_word_about_it_nobody_has_opened_it() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE journal AS SELECT 'this' AS id, 0 AS closed")
    database.execute("CREATE TABLE event(seq)")
    assert refused(JournalError, lambda: check_complete(database, None, Path("j")))[1] == LOST


class Answers:
    """A database that gives these rows, one for each statement."""

    def __init__(self, *rows: tuple[object, ...]) -> None:
        self._rows = list(rows)

    def execute(self, *_: object) -> "Answers":
        return self

    def fetchone(self) -> tuple[object, ...]:
        return self._rows.pop(0)


@pytest.mark.parametrize(
    ("integrity", "contradictions", "what"),
    [
        ("row 3 missing from index job_state", 0, "row 3 missing from index job_state"),
        ("wrong # of entries", 2, "wrong # of entries"),
        ("ok", 1, "its records contradict each other"),
        ("ok", 0, ""),
    ],
)
def test_a_damaged_file(integrity: str, contradictions: int, what: str) -> None:
    database: object = Answers((integrity,), (contradictions,))
    check: Callable[[], None] = lambda: check_soundness(database, Path("j"))  # type: ignore[arg-type]  # noqa: E731
    if what:
        assert refused(JournalError, check) == (f"j is damaged: {what}", LOST)
    else:
        check()


# Transactions.

DISK = "Check the disk, its quota and how it is mounted, then go on."
ROOM = "Make room, check the permissions and the limit of open files, then go on."


@pytest.mark.parametrize(
    ("codes", "kind", "message", "hint"),
    [
        (["SQLITE_IOERR_SHMOPEN", "SQLITE_IOERR_SHMSIZE", "SQLITE_FULL",
          "SQLITE_READONLY", "SQLITE_READONLY_DBMOVED", "SQLITE_PERM", "SQLITE_CANTOPEN_ISDIR"],
         JournalFull, "cannot be written: it went wrong", ROOM),
        (["SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CORRUPT_INDEX"], JournalError,
         "is not a journal, or is damaged: it went wrong", commits._DAMAGED_HINT),
        (["SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT"], JournalLocked,
         "has been in use by another program for too long", "Close it, then go on."),
        (["SQLITE_IOERR_FSYNC", "SQLITE_IOERR_WRITE"], JournalError, "cannot be used: it went wrong", DISK),
        (["SQLITE_ERROR", ""], JournalError, "cannot be used: it went wrong", ""),
    ],
)  # fmt: skip
def test_errors_of_the_database(codes: list[str], kind: type[JournalError], message: str, hint: str) -> None:
    for code in codes:
        error = failure(coded(code), Path("j"))
        assert (type(error), error.message, error.hint) == (kind, f"j {message}", hint)
    nameless = failure(sqlite3.OperationalError("it went wrong"), Path("j"))
    assert (type(nameless), nameless.message) == (JournalError, "j cannot be used: it went wrong")


def test_a_journal_that_is_closed_or_of_the_parent_or_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(tmp_path / "db")
    committer = Committer(spy, Path("j"))
    spy.fail = coded("SQLITE_IOERR")
    message = "j cannot be used: it went wrong"
    assert refused(JournalError, lambda: committer.do(insert(1))) == (message, DISK)
    again = (message, "Restart; what was recorded before is safe.")
    assert refused(JournalError, lambda: committer.do(insert(1))) == again
    with monkeypatch.context() as patch:
        patch.setattr("seedream.journal.commit.os.getpid", lambda: -1)
        for use in (committer.do, committer.read):
            said = refused(JournalError, lambda use=use: use(insert(1)))  # type: ignore[misc]  # bound at once
            assert said == ("j was opened before a fork", "Open it in the child.")
        committer.close()  # the connection is the parent's
        assert spy.real.execute("SELECT count(*) FROM t").fetchone() == (0,)
    committer.close()
    for use in (committer.do, committer.read):
        said = refused(JournalError, lambda use=use: use(insert(1)))  # type: ignore[misc]  # bound at once
        assert said == ("j is closed", "Open it again.")


def test_a_journal_that_was_moved(path: Path) -> None:
    with Journal(path) as journal:
        kept = path.rename(path.with_name("kept"))
        message = f"{path} or its lock was moved, replaced or deleted while it was in use"
        hint = "Put both back and start again; what was recorded is in the file that was moved."
        assert refused(JournalError, lambda: journal.run("other")) == (message, hint)
        kept.rename(path)


# Jobs and submissions.


def test_a_job_that_cannot_move(journal: Journal) -> None:
    begun = in_state(journal, "b", "submitting")
    said = refused(JournalError, lambda: journal.abandon(begun))
    assert said == (f"job {begun.id} cannot go from submitting to abandoned: illegal transition", "")
    job = in_state(journal, "a", "downloaded")
    said = refused(JournalError, lambda: journal.succeeded(job.id))
    assert said == (f"job {job.id} is no longer submitted, so it cannot become succeeded", "")
    said = refused(JournalError, journal.submission_record(job.id, 1).begin)
    assert said == (f"job {job.id} is no longer planned, so it cannot become submitting", "Nothing was sent.")
    assert refused(JournalError, lambda: journal.job(77)) == ("the journal has no job 77", "")


def test_a_key_with_another_request(journal: Journal) -> None:
    in_state(journal, "a", "submitted")
    said = refused(JournalError, lambda: journal.plan(run_id(journal), [Plan("b", "", {}, 1), Plan("a", "", {}, 1)]))
    hint = "Give the changed job another id, or use another output folder."
    assert said == ("job “a” is in the journal already, with another request", hint)
    assert journal.by_key(run_id(journal), "b") is None, "all jobs or none"


def test_a_task_id_of_another_job(journal: Journal) -> None:
    in_state(journal, "a", "submitted")
    other = in_state(journal, "b", "unknown")
    said = refused(JournalError, lambda: journal.attach_task_id(other, "task-a"))
    assert said == ("task task-a belongs to another job already", "Check the id.")
    assert journal.job(other.id) == other
    entry = journal.submission_record(planned(journal, "c")[-1].id, 1)
    entry.begin()
    with pytest.raises(SubmissionUnknown) as caught:
        entry.submitted("task-a")
    error = caught.value
    message = "the service answered with task id task-a, which another submission of this journal has"
    assert (error.message, error.hint) == (message, "Look in the vendor's console for a task with this prompt.")
    assert (error.taskid, error.billing, error.retryable) == ("task-a", "unknown", False)


@pytest.mark.parametrize(("hint", "end"), [("Make room.", " Make room."), ("", " ")])
def test_an_id_that_cannot_be_recorded(hint: str, end: str) -> None:
    class Full:
        def do(self, _: object) -> None:
            raise JournalFull("no room", hint=hint, retryable=True)

    record = SubmissionRecord(Full(), None, None, 1)  # type: ignore[arg-type]  # neither is reached
    with pytest.raises(JournalFull) as caught:
        record.submitted("task-1")
    error = caught.value
    assert (error.taskid, error.billing, error.retryable) == ("task-1", "yes", False)
    assert error.hint == f"The service accepted it as task task-1, which is paid for: note the id.{end}"
    with pytest.raises(JournalFull) as caught:
        record.begin()
    assert caught.value.hint == f"Nothing was sent.{end}".strip()
    assert (caught.value.taskid, caught.value.billing) == (None, "no")


@pytest.mark.parametrize(("hint", "start"), [("Look.", "Look. "), ("", "")])
def test_an_end_that_cannot_be_recorded(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, hint: str, start: str
) -> None:
    (job,) = planned(journal, "a")
    entry = journal.submission_record(job.id, 1)
    entry.begin()

    def no_room(_: object) -> None:
        raise JournalFull("no room")

    monkeypatch.setattr(journal._committer, "do", no_room)
    for end in (entry.unknown, entry.refused):
        error = NotSent("nothing left", hint=hint)
        end(error)
        assert error.hint == f"{start}It could not be recorded (no room)."
    with pytest.raises(JournalFull):
        entry.not_sent()


# Reading and copying.


def test_a_reader_of_nothing_and_of_garbage(path: Path) -> None:
    assert refused(JournalError, lambda: ReadOnlyJournal(path)) == (f"there is no journal at {path}", "")
    path.mkdir()
    assert refused(JournalError, lambda: ReadOnlyJournal(path)) == (f"there is no journal at {path}", "")
    path.rmdir()
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    said = refused(JournalError, lambda: ReadOnlyJournal(path))
    assert said == (f"{path} is not a journal, or is damaged: file is not a database", commits._DAMAGED_HINT)


def test_a_writer_of_garbage_and_of_another_program_s_database_names_the_file(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    said = refused(JournalError, lambda: Journal(path))
    assert said == (f"{path} is not a journal, or is damaged: file is not a database", commits._DAMAGED_HINT)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs(x)")
    other.close()
    for opener in (Journal, ReadOnlyJournal):
        said = refused(JournalError, lambda opener=opener: opener(path))  # type: ignore[misc]  # bound at once
        assert said == (f"{path} is another program's database", ELSEWHERE)


@pytest.mark.parametrize("step", ["unlink", "replace"])
def test_a_creation_that_fails_names_the_journal(path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    real = getattr(Path, step)

    def denied(self: Path, *given: object, **how: object) -> object:
        if step == "unlink" and self.suffix == ".new":
            return real(self, *given, **how)
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, step, denied)
        assert refused(JournalFull, lambda: Journal(path)) == (f"{path} cannot be written: Permission denied", CHECK)
    Journal(path).close()


def test_a_lock_that_cannot_be_written_names_the_journal_and_is_free_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("seedream.journal.lock.os.write", full)
        assert refused(JournalFull, lambda: Journal(path)) == (
            f"{path} cannot be written: No space left on device",
            CHECK,
        )
    Journal(path).close()


def test_a_closed_journal_names_itself(journal: Journal, path: Path) -> None:
    journal.close()
    journal.close()
    assert refused(JournalError, lambda: journal.find_run("bulk")) == (f"{path} is closed", "Open it again.")


def test_a_copy_that_cannot_be_written(journal: Journal, path: Path, tmp_path: Path) -> None:
    planned(journal, "a")
    (tmp_path / "there").write_bytes(b"theirs")
    with ReadOnlyJournal(path) as reader:
        said = refused(JournalFull, lambda: reader.copy_to(tmp_path / "there"))
        assert said == (f"{tmp_path / 'there'} cannot be written: File exists", CHECK)
        assert (tmp_path / "there").read_bytes() == b"theirs"
        said = refused(JournalFull, lambda: reader.copy_to(tmp_path / "no" / "copy"))
        assert said == (f"{tmp_path / 'no' / 'copy'} cannot be written: No such file or directory", CHECK)


@pytest.mark.usefixtures("journal")
def test_a_reader_that_fails_names_the_journal(path: Path) -> None:
    with ReadOnlyJournal(path) as reader:
        said = refused(JournalFull, lambda: reader._read(lambda database: database.execute("DELETE FROM run")))
        assert said == (f"{path} cannot be written: attempt to write a readonly database", ROOM)
        reader._database = Closed()  # type: ignore[assignment]  # fails at each statement
        said = refused(JournalError, lambda: reader.copy_to(path.with_name("copy")))
        assert said == (f"{path.with_name('copy')} cannot be used: no", "")


class Closed:
    """A database that fails."""

    def backup(self, _: object) -> None:
        raise sqlite3.OperationalError("no")

    def close(self) -> None:
        pass
