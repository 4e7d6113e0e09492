"""A folder whose journal has lost records is refused: going on would pay again for what they held (issue 16.16)."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from seedream.bulk import BulkOptions
from seedream.bulk.folder import Folder
from seedream.errors import JournalError
from seedream.journal import Journal
from support.bulk_bench import Bench


def killed(bench: Bench, prompts: int = 6) -> Path:
    """Return a folder as a kill in the middle of a run leaves it: the journal's latest records are in its log only."""
    bench.run(*(f"p{number}" for number in range(prompts)), budget=prompts - 2)
    live = bench.root / "live"
    shutil.move(bench.out, live)
    # Opened and changed again, then copied while it is open: SQLite empties the log when it is closed.
    with Journal(live / "journal.sqlite") as journal:
        run = journal.find_run("bulk")
        assert run is not None
        for job in journal.jobs(run.id, ("downloaded",)):
            journal.mark_missing(job.id)
        shutil.copytree(live, bench.out)
    assert (bench.out / "journal.sqlite-wal").stat().st_size > 1000
    return bench.out


def delete_log(out: Path) -> None:
    (out / "journal.sqlite-wal").unlink()


def empty_log(out: Path) -> None:
    (out / "journal.sqlite-wal").write_bytes(b"")


def halve_log(out: Path) -> None:
    log = out / "journal.sqlite-wal"
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])


def flip_bit(out: Path) -> None:
    log = out / "journal.sqlite-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)


def keep_main_file_only(out: Path) -> None:
    for name in ("journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite.lock"):
        (out / name).unlink()


def lose_log_and_lock(out: Path) -> None:
    delete_log(out)
    (out / "journal.sqlite.lock").unlink()


def delete_journal(out: Path) -> None:
    for path in out.glob("journal.sqlite*"):
        path.unlink()


def delete_journal_but_the_lock(out: Path) -> None:
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"):
        (out / name).unlink()


def empty_journal(out: Path) -> None:
    (out / "journal.sqlite").write_bytes(b"")
    delete_log(out)


def flip_a_state(out: Path) -> None:
    # A job is "planned" again although its events say otherwise: a transaction of which only a part is there.
    raw = sqlite3.connect(out / "journal.sqlite")
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    raw.execute("UPDATE job SET state='planned', taskid=NULL WHERE id=1")
    raw.commit()
    raw.close()


@pytest.mark.parametrize(
    "damage",
    [
        delete_log,
        empty_log,
        halve_log,
        flip_bit,
        keep_main_file_only,
        lose_log_and_lock,
        delete_journal,
        delete_journal_but_the_lock,
        empty_journal,
        flip_a_state,
    ],
    ids=lambda damage: damage.__name__,
)
def test_a_journal_that_lost_records_is_refused(bench: Bench, damage: Callable[[Path], None]) -> None:
    out = killed(bench)
    damage(out)
    paid = list(bench.paid)
    jobs = bench.root / "jobs.jsonl"
    for given in (jobs, None):
        with pytest.raises(JournalError) as caught:
            bench.bulk.run(given, options=BulkOptions(budget=50))
        assert "records-lost" in caught.value.hint
    assert bench.paid == paid
    assert (out / "pictures").is_dir()  # nothing is removed either


def test_an_older_copy_in_its_place_is_refused(bench: Bench) -> None:
    # A backup that was restored, or a folder that was synchronised backwards.
    bench.run("a", "b", "c", "d", budget=1)
    bench.bulk.backup(bench.root / "backup.sqlite")
    bench.bulk.run(options=BulkOptions(budget=3))
    paid = list(bench.paid)
    shutil.copy(bench.root / "backup.sqlite", bench.out / "journal.sqlite")
    with pytest.raises(JournalError, match=r"has lost its last \d+ records"):
        bench.bulk.run()
    (bench.out / "journal.sqlite.lock").unlink()  # also without the mark: the pictures are there
    with pytest.raises(JournalError, match="which its journal does not know"):
        bench.bulk.run()
    assert bench.paid == paid


def test_an_older_copy_is_refused_by_the_results_too(bench: Bench) -> None:
    # The lock file with its mark, and the pictures, were not copied back.
    bench.run("a", "b", "c", "d", budget=1)
    bench.bulk.backup(bench.root / "backup.sqlite")
    bench.bulk.run(options=BulkOptions(budget=3))
    paid = list(bench.paid)
    delete_journal(bench.out)
    shutil.copy(bench.root / "backup.sqlite", bench.out / "journal.sqlite")
    shutil.rmtree(bench.out / "pictures")
    (bench.out / "gallery.html").unlink()
    with pytest.raises(JournalError, match="results of task") as caught:
        bench.bulk.run(options=BulkOptions(budget=50))
    assert "records-lost" in caught.value.hint
    assert bench.paid == paid


def test_another_journal_in_its_place_is_refused(bench: Bench) -> None:
    bench.run("a", "b", budget=1)
    with Journal(bench.root / "other.sqlite"):
        pass
    shutil.copy(bench.root / "other.sqlite", bench.out / "journal.sqlite")
    with pytest.raises(JournalError, match="not the journal that was here before"):
        bench.bulk.run(bench.root / "jobs.jsonl")


def test_after_a_kill_nothing_is_refused_that_lost_nothing(bench: Bench) -> None:
    killed(bench)
    assert bench.bulk.run(options=BulkOptions(budget=50)).complete
    assert sorted(bench.paid) == [f"p{number}" for number in range(6)]


def test_a_run_that_ended_in_good_order_is_one_file(bench: Bench) -> None:
    bench.run("a", "b", budget=1)
    for name in ("journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite.lock"):
        (bench.out / name).unlink(missing_ok=True)
    assert bench.bulk.run(options=BulkOptions(budget=2)).complete
    assert bench.paid == ["a", "b"]


def test_a_backup_is_complete_while_the_journal_is_written(bench: Bench, tmp_path: Path) -> None:
    bench.run("a", "b", budget=1)
    with Journal(bench.out / "journal.sqlite"):
        bench.bulk.backup(tmp_path / "copy.sqlite")
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o777 == 0o600
    with pytest.raises(JournalError, match="File exists"):
        bench.bulk.backup(tmp_path / "copy.sqlite")
    with Journal(tmp_path / "copy.sqlite") as copy:
        assert [taskid for taskid, _ in copy.accepted()] == [bench.results()[0]["taskid"]]


def test_the_user_can_say_that_records_are_lost(bench: Bench) -> None:
    out = killed(bench)
    delete_journal(out)
    report = bench.bulk.run(bench.root / "jobs.jsonl", options=BulkOptions(records_lost=True))
    assert report.complete
    assert len(bench.paid) == 10  # four are paid for again, as was said


def test_after_that_word_the_folder_is_in_good_order_again(bench: Bench) -> None:
    # The printed "To go on" must lead on, without --records-lost for ever. Earlier pictures are kept.
    out = killed(bench)
    before = sorted(path.name for path in (out / "pictures").iterdir())
    delete_journal(out)
    bench.bulk.run(bench.root / "jobs.jsonl", options=BulkOptions(records_lost=True, budget=2))
    assert bench.bulk.run(options=BulkOptions(budget=50)).complete
    assert sorted(path.name for path in (out / "earlier-1" / "pictures").iterdir()) == before
    assert (out / "earlier-1" / "results.jsonl").is_file()
    delete_journal(out)
    with pytest.raises(JournalError, match="no journal"):  # further losses are found as before
        bench.bulk.run(bench.root / "jobs.jsonl")


@pytest.mark.parametrize("damage", [delete_log, halve_log, flip_bit, keep_main_file_only, lose_log_and_lock])
def test_readers_refuse_it_too(bench: Bench, damage: Callable[[Path], None]) -> None:
    # A status without the paid jobs would be wrong; a backup would be a copy that nothing marks as incomplete.
    out = killed(bench)
    damage(out)
    gallery = (out / "gallery.html").read_bytes()
    for work in (bench.bulk.counts, bench.bulk.write, lambda: bench.bulk.backup(bench.root / "copy.sqlite")):
        with pytest.raises(JournalError) as caught:
            work()
        assert "records-lost" in caught.value.hint
    assert not (bench.root / "copy.sqlite").exists()
    assert (out / "gallery.html").read_bytes() == gallery


def test_a_gallery_without_a_journal_is_refused(bench: Bench) -> None:
    # The pictures were moved elsewhere, and the rest was tidied away.
    bench.run("a")
    delete_journal(bench.out)
    shutil.rmtree(bench.out / "pictures")
    (bench.out / "results.jsonl").unlink()
    with pytest.raises(JournalError, match="contains a gallery of pictures but no journal"):
        bench.bulk.run(bench.root / "jobs.jsonl")
    assert bench.paid == ["a"]


def test_results_that_are_no_file_are_not_read(bench: Bench) -> None:
    # A device would be read for ever, and a pipe waited for.
    bench.out.mkdir()
    os.mkfifo(bench.out / "results.jsonl")
    assert bench.run("a").complete


def test_a_journal_that_is_a_link_to_itself_is_an_error_of_the_tree(bench: Bench) -> None:
    bench.out.mkdir()
    (bench.out / "journal.sqlite").symlink_to("journal.sqlite")
    with pytest.raises(JournalError, match="leads to itself"):
        bench.run("a")


def test_a_damaged_file_can_be_moved_away(bench: Bench) -> None:
    out = killed(bench)
    (out / "journal.sqlite").write_bytes(b"damaged" * 1000)
    with pytest.raises(JournalError, match="is damaged") as caught:
        bench.bulk.run()
    assert "move the file away" in caught.value.hint
    (out / "journal.sqlite").rename(out / "damaged.sqlite")
    assert bench.bulk.run(bench.root / "jobs.jsonl", options=BulkOptions(records_lost=True)).complete


def test_a_journal_that_moves_during_the_run_stops_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # What would be recorded into a file that nobody finds is not paid for.
    real = Journal.downloaded
    away = bench.root / "away"

    def move(journal: Journal, pictures: Any) -> None:
        if not away.exists():
            shutil.move(bench.out, away)
        real(journal, pictures)

    monkeypatch.setattr(Journal, "downloaded", move)
    report = bench.run(*(f"p{number}" for number in range(30)), concurrency=4)
    assert report.reason == "disk"
    assert len(bench.paid) <= 8
    monkeypatch.undo()
    shutil.rmtree(bench.out, ignore_errors=True)
    shutil.move(away, bench.out)
    while bench.bulk.run().reason != "done":
        pass
    assert len(set(bench.paid)) == len(bench.paid)


def test_an_empty_file_becomes_a_journal(bench: Bench) -> None:
    # What a kill left in its first moments does not make the folder unusable.
    bench.out.mkdir()
    (bench.out / "journal.sqlite").touch(mode=0o600)
    assert bench.run("a").complete


def test_an_empty_file_is_no_journal_yet(bench: Bench) -> None:
    # A process that was killed while it made the file leaves one; there is nothing in it that could be lost.
    folder = Folder(bench.out)
    assert not folder.has_journal
    folder.root.mkdir()
    folder.journal.touch()
    assert not folder.has_journal
    bench.run("a")
    assert folder.has_journal
