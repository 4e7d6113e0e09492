"""One submission's entry: what each call records, what it costs, and what a failing disk does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from journal.support import RUN, in_state, lines, planned, run_id
from seedream.errors import (
    AuthError,
    BudgetReached,
    ConfigError,
    InsufficientCredits,
    JournalError,
    JournalFull,
    NotSent,
    RateLimited,
    Rejected,
    SeeDreamError,
    SubmissionUnknown,
)
from seedream.journal import Journal, Plan


@pytest.mark.parametrize(
    ("error", "state", "spent"),
    [
        (NotSent("dns"), "planned", 0),
        (RateLimited("429"), "planned", 0),
        (InsufficientCredits("9000"), "planned", 0),
        (AuthError("401"), "planned", 0),
        (Rejected("9999"), "rejected", 0),
        (ConfigError("redirect"), "planned", 0),
        (Rejected("9999, and a task id", billing="unknown"), "unknown", 2),
        (AuthError("401, and a task id", taskid="t-1"), "unknown", 2),
        (SubmissionUnknown("reset"), "unknown", 2),
    ],
)
def test_refusal_frees_the_cost_and_doubt_keeps_it(
    journal: Journal, error: SeeDreamError, state: str, spent: int
) -> None:
    # Rule I3: planned again only on proof; rule I9: what may have been charged stays counted.
    (job,) = planned(journal, "a", cost=2)
    entry = journal.submission_record(job.id, job.cost)
    entry.begin()
    assert journal.spent(run_id(journal)) == 2
    entry.refused(error)
    after = journal.job(job.id)
    assert (after.state, after.spent, after.error) == (state, spent, type(error).__name__)
    assert journal.spent(run_id(journal)) == spent


def test_calls_before_begin_record_nothing(journal: Journal) -> None:
    # A request that failed before the barrier never left: no trace, no cost.
    (job,) = planned(journal, "a")
    entry = journal.submission_record(job.id, job.cost)
    entry.not_sent()
    entry.refused(NotSent("dns"))
    entry.unknown(KeyboardInterrupt())
    assert journal.job(job.id) == job
    assert len(journal.events(job.id)) == 1


def test_refused_try_can_begin_again(journal: Journal) -> None:
    (job,) = planned(journal, "a")
    entry = journal.submission_record(job.id, job.cost)
    entry.begin()
    entry.not_sent()
    entry.begin()
    entry.submitted("task-1")
    after = journal.job(job.id)
    assert (after.state, after.attempt, after.spent, after.taskid) == ("submitted", 2, 1, "task-1")


def test_a_job_cannot_begin_twice(journal: Journal) -> None:
    # Fault C7: even without the file lock, the second one to claim a job is stopped before it sends.
    (job,) = planned(journal, "a")
    journal.submission_record(job.id, job.cost).begin()
    with pytest.raises(JournalError, match="no longer planned"):
        journal.submission_record(job.id, job.cost).begin()


def test_budget_stops_before_the_barrier(journal: Journal) -> None:
    # Rule I9: checked in the same transaction as planned -> submitting.
    jobs = planned(journal, "a", "b", "c", cost=2, budget=5)
    first, second, third = (journal.submission_record(job.id, job.cost) for job in jobs)
    first.begin()
    second.begin()
    with pytest.raises(BudgetReached, match="Nothing was sent"):
        third.begin()
    second.refused(InsufficientCredits("no"))
    third.begin()  # what was refused is free again
    assert journal.spent(run_id(journal)) == 4
    journal.run(RUN, budget=3)  # lowered below what is spent: nothing further
    with pytest.raises(BudgetReached):
        second.begin()


def test_known_task_id_of_another_job_is_unknown(journal: Journal) -> None:
    # Fault S21.
    first, second = planned(journal, "a", "b")
    one, two = journal.submission_record(first.id, 1), journal.submission_record(second.id, 1)
    one.begin()
    one.submitted("task-1")
    two.begin()
    with pytest.raises(SubmissionUnknown, match="task-1") as caught:
        two.submitted("task-1")
    assert caught.value.taskid == "task-1"
    after = journal.job(second.id)
    assert (after.state, after.error, after.taskid) == ("unknown", "SubmissionUnknown", None)
    assert "task id task-1, which another submission of this journal has" in (after.message or "")
    assert journal.by_taskid("task-1") == journal.job(first.id)


def test_a_failed_task_paid_again_keeps_its_first_id(journal: Journal) -> None:
    # Rule I5: an id that was paid for is never forgotten, and can never be given to another job.
    job = in_state(journal, "a", "failed", cost=2)
    journal.requeue(job)
    entry = journal.submission_record(job.id, 2)
    entry.begin()
    entry.submitted("task-2")
    assert journal.accepted() == [("task-2", job.id), ("task-a", job.id)]
    assert journal.job(job.id).spent == 4
    other = in_state(journal, "b", "unknown")
    with pytest.raises(JournalError, match="belongs to another job"):
        journal.attach_task_id(other, "task-a")


@pytest.mark.parametrize("decide", [Journal.requeue, Journal.abandon])
@pytest.mark.parametrize(
    ("first", "last", "spent"), [(True, True, 4), (True, False, 2), (False, True, 2), (False, False, 0)]
)
def test_each_word_of_the_user_is_about_the_last_attempt_only(
    journal: Journal, decide: Callable[..., None], first: bool, last: bool, spent: int
) -> None:
    # Rule I9: an earlier attempt that may have been charged stays counted.
    job = in_state(journal, "a", "unknown", cost=2)
    journal.requeue(job, charged=first)
    entry = journal.submission_record(job.id, job.cost)
    entry.begin()
    entry.unknown(SubmissionUnknown("no answer"))
    decide(journal, journal.job(job.id), charged=last)
    assert (journal.job(job.id).spent, journal.spent(run_id(journal))) == (spent, spent)


@pytest.mark.parametrize(("charged", "spent"), [(True, 2), (False, 0)])
def test_the_user_s_word_on_an_unknown_one(journal: Journal, charged: bool, spent: int) -> None:
    job = in_state(journal, "a", "unknown", cost=2)
    journal.requeue(job, charged=charged)
    after = journal.job(job.id)
    assert (after.state, after.spent, journal.spent(run_id(journal))) == ("planned", spent, spent)
    assert journal.events(job.id)[-1].actor == "user"


def test_full_disk_stops_before_sending_and_passes(path: Path) -> None:
    # Fault S4: planned stays planned; when there is room again, it goes on.
    with Journal(path) as journal:
        (job,) = planned(journal, "a")
        run = run_id(journal)
        pages = journal._read(lambda database: database.execute("PRAGMA page_count").fetchone())[0]
        journal._read(lambda database: database.execute(f"PRAGMA max_page_count={pages}").fetchall())
        with pytest.raises(JournalFull, match=r"Nothing was sent.*Make room"):
            journal.open_single_call("one more", {"prompt": "x" * 5000}, 1).begin()
        assert journal.job(job.id).state == "planned"
        journal._read(lambda database: database.execute("PRAGMA max_page_count=100000").fetchall())
        entry = journal.submission_record(job.id, 1)
        entry.begin()
        assert journal.job(job.id).state == "submitting"
        assert journal.spent(run) == 1


def test_an_id_that_cannot_be_recorded_is_on_the_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A paid id is never lost: where the disk fails, the error carries it.
    with Journal(path) as journal:
        (job,) = planned(journal, "a")
        entry = journal.submission_record(job.id, 1)
        entry.begin()

        monkeypatch.setattr(journal._committer, "do", _no_room)
        with pytest.raises(JournalFull, match=r"paid for.*Make room") as caught:
            entry.submitted("task-77")
        assert (caught.value.taskid, caught.value.billing) == ("task-77", "yes")


@pytest.mark.parametrize("error", [SubmissionUnknown("no answer", hint="Look."), KeyboardInterrupt()])
def test_an_end_that_cannot_be_recorded_is_said_on_the_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    # Rule: the error about the submission counts; the row stays submitting, which the next start makes unknown.
    with Journal(path) as journal:
        (job,) = planned(journal, "a")
        entry = journal.submission_record(job.id, 1)
        entry.begin()
        with monkeypatch.context() as patch:
            patch.setattr(journal._committer, "do", _no_room)
            entry.unknown(error)
        said = error.hint if isinstance(error, SeeDreamError) else error.__notes__[0]
        assert said.endswith("It could not be recorded (no room).")
        assert journal.job(job.id).state == "submitting"
    with Journal(path) as journal:
        assert journal.job(job.id).state == "unknown"


def _no_room(_: object) -> None:
    raise JournalFull("no room", hint="Make room.")


def test_errors_are_stored_without_signed_urls(journal: Journal, path: Path) -> None:
    # Rule I11.
    (job,) = planned(journal, "a")
    entry = journal.submission_record(job.id, 1)
    entry.begin()
    entry.unknown(SubmissionUnknown("see https://img.example/a.png?Signature=MARKER-SIGNATURE"))
    assert "https://img.example/a.png" in (journal.job(job.id).message or "")
    assert b"MARKER-SIGNATURE" not in lines(path)


@pytest.mark.parametrize(("charged", "changed"), [(True, False), (False, True)])
def test_the_request_of_a_job_that_may_be_paid_for_is_not_replaced(
    journal: Journal, charged: bool, changed: bool
) -> None:
    # Rule I6: only what was never sent, or was not charged, takes another request under its key.
    job = in_state(journal, "a", "unknown")
    journal.abandon(job, charged=charged)
    other = [Plan("a", "another digest", {"prompt": "another"}, 3, line=7)]
    if not changed:
        with pytest.raises(JournalError, match="another request") as caught:
            journal.plan(run_id(journal), other)
        assert caught.value.hint == "Give the changed job another id, or use another output folder."
        assert journal.job(job.id).digest == "digest-a"
        return
    assert journal.plan(run_id(journal), other) == 0
    after = journal.job(job.id)
    assert (after.digest, after.request, after.cost, after.line) == ("another digest", {"prompt": "another"}, 3, 7)
    assert (after.state, after.taskid, after.spent) == ("planned", None, 0)


@pytest.mark.parametrize(("given_up", "after"), [("unknown", "abandoned"), ("planned", "planned")])
def test_a_job_that_was_given_up_after_it_was_sent_stays_so_when_its_file_is_run_again(
    journal: Journal, given_up: str, after: str
) -> None:
    # --give-up says that it is not sent again, --not-charged only that its share of the budget is free.
    job = in_state(journal, "a", "unknown")
    if given_up == "planned":
        journal.requeue(job, charged=False)
    journal.abandon(journal.job(job.id), charged=False)
    assert journal.plan(run_id(journal), [Plan("a", "digest-a", {"prompt": "a"}, job.cost)]) == 0
    assert (journal.job(job.id).state, journal.job(job.id).spent) == (after, 0)


@pytest.mark.parametrize("refused", ["a request that was sent", "a job that has moved on"])
def test_a_start_that_is_refused_has_changed_nothing(journal: Journal, refused: str) -> None:
    # Settings, budget, what is dropped and what is planned are one transaction, in a run that is there or is not yet.
    sent, (stale, other) = in_state(journal, "sent", "submitted"), planned(journal, "stale", "other")[1:]
    journal.run(RUN, {"rate": 1.0}, budget=5)
    journal.abandon(stale)
    before = (journal.find_run(RUN), list(journal.jobs(run_id(journal))), journal.events(other.id))
    plans = [Plan("new", "digest-new", {"prompt": "new"}, 1), Plan("sent", "another digest", {"prompt": "b"}, 1)]
    dropped = [other] if refused == "a request that was sent" else [other, stale]
    with pytest.raises(JournalError, match="another request" if len(dropped) == 1 else "no longer planned"):
        journal.run(RUN, {"rate": 2.0}, budget=9, dropped=dropped, plans=plans)
    assert before == (journal.find_run(RUN), list(journal.jobs(run_id(journal))), journal.events(other.id))
    assert sent.state == "submitted"
    with pytest.raises(JournalError):
        journal.run("not there", dropped=[stale], plans=plans[:1])
    assert journal.find_run("not there") is None


def test_a_job_that_moved_in_its_file_takes_the_new_line(journal: Journal) -> None:
    (job,) = planned(journal, "a")
    assert journal.plan(job_run := run_id(journal), [Plan("a", "digest-a", {"prompt": "a"}, 1, line=7)]) == 0
    assert journal.by_key(job_run, "a") == evolve(job, line=7)
