"""Submits jobs: at an even rate, few at a time, each at most once, and stops where going on would only cost.

The submitter is the only owner of a run's journal. A run on one machine uses it directly; on a cluster one process
holds it, and workers call ``ensure`` and ``record`` through whatever their engine offers. Both are idempotent by key,
so an engine may repeat them.
"""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import anyio
from attrs import define, evolve

from seedream._protocol.retry import RetryPolicy
from seedream._protocol.submit import submit
from seedream._request.submission import Submission
from seedream._support.server_text import show_id
from seedream._support.threads import in_thread, loop_caller
from seedream._support.timing import Clock
from seedream.bulk.downloader import Delivery
from seedream.bulk.jobs_file import REDACTED, has_files, plan_of, submission_of
from seedream.bulk.prepare import PreparedRun
from seedream.bulk.rate_control import AdaptiveConcurrency, Patience, RateLimiter, RunControl
from seedream.bulk.report import Report
from seedream.client import AsyncSeeDream
from seedream.errors import (
    AuthError,
    BudgetReached,
    ConfigError,
    InsufficientCredits,
    InvalidRequest,
    JournalError,
    JournalFull,
    NotSent,
    RateLimited,
    Rejected,
    SeeDreamError,
    SubmissionUnknown,
)
from seedream.journal import Job, State, SubmissionRecord

_ONCE: Final = RetryPolicy(attempts=1)  # the run paces itself: each answer is seen at once
_RECORD_PAUSE: Final = 1.0  # seconds between tries to record a task id on a full disk
_RECORD_TRIES: Final = 600
_REQUEST_TIMEOUT: Final = 408


class RunStopping(Exception):
    """The run stops; this submission has not begun."""


class InterruptibleSubmission:
    """A job's record that refuses to begin while the run is stopping.

    Before ``begin`` a cancellation costs nothing. From ``begin`` on the submission is shielded, so that after the first
    Ctrl-C it finishes and its task id is read.

    Args:
        record: The journal's.
        stopping: Whether the run is stopping.

    Attributes:
        scope: The submission runs in it.
    """

    def __init__(self, record: SubmissionRecord, stopping: Callable[[], bool]) -> None:
        self.scope = anyio.CancelScope()
        self._record = record
        self._stopping = stopping
        self._call_soon = loop_caller()
        self.not_sent = record.not_sent
        self.refused = record.refused
        self.submitted = record.submitted
        self.unknown = record.unknown

    def begin(self) -> None:
        """See SubmissionRecord.begin. Runs in a worker thread, to its end whatever happens in the event loop."""
        if self._stopping():
            raise RunStopping
        # The event loop shields the submission before it hears that this thread has ended: calls keep their order.
        self._call_soon(self._shield)
        self._record.begin()

    def _shield(self) -> None:
        self.scope.shield = True


class Submitter:
    """Submits the jobs of one run. Made and used inside one event loop.

    Args:
        client: The client.
        prepared: The run, with its open journal and its settings.
        clock: Time.

    Attributes:
        control: Says when nothing more is to be submitted.
        unrecorded: Task ids by key that are paid for and could not be written to the journal.
        waiting: Why nothing is submitted just now, or empty.
    """

    def __init__(self, client: AsyncSeeDream, prepared: PreparedRun, clock: Clock) -> None:
        options = prepared.options
        self._client = client
        self._service = evolve(client.service, retry=_ONCE)
        self._journal = prepared.journal
        self._run = prepared.run
        self._redacted_options = dict(prepared.redacted_options)
        self._clock = clock
        self.control = RunControl(options.in_flight, options.max_failures)
        self._rate_limiter = RateLimiter(clock.monotonic, options.rate)
        self._concurrency = AdaptiveConcurrency(options.concurrency)
        self._patience = Patience(clock.monotonic, options.patience)
        self._limiter = anyio.CapacityLimiter(options.concurrency)
        self._on_the_way: set[InterruptibleSubmission] = set()
        self._in_flight: dict[str, anyio.Event] = {}
        self._recording = anyio.Lock()
        self._delivered: list[_Delivered] = []  # what the next transaction records
        self.unrecorded: dict[str, str] = {}
        self.waiting = ""

    @property
    def concurrency(self) -> int:
        """Submissions that may be on the way at once just now."""
        return self._concurrency.size

    def cancel(self) -> None:
        """Break off what is on the way: it becomes unknown."""
        for submission in list(self._on_the_way):
            submission.scope.cancel()

    def report(self, folder: Path) -> Report:
        """Return where the run is, or how it ended.

        Args:
            folder: The output folder.
        """
        return Report(
            self.control.reason or "done",
            self._journal.counts(self._run.id),
            self._journal.spent(self._run.id),
            folder,
            self.control.error,
            dict(self.unrecorded),
            self._journal.planned_images(self._run.id),
        )

    async def ensure(self, key: str, request: Mapping[str, Any]) -> str:
        """Give the task id for this key: of an earlier submission, of one that is on the way, or of a new one.

        Args:
            key: The job's own id, unique in the run.
            request: Options by the names that a jobs file uses (``prompt``, ``resolution``, ...).

        Raises:
            InvalidRequest: The request breaks a rule; nothing was sent.
            JournalError: The key is known with another request, or the journal cannot be used.
            SeeDreamError: There is no task: refused, unknown, or the run has stopped.
        """
        while (pending := self._in_flight.get(key)) is not None:
            await pending.wait()
        self._in_flight[key] = anyio.Event()
        try:
            job = await in_thread(self._plan, key, request)
            if job.taskid is not None:
                return job.taskid
            if job.state != "planned":
                raise _no_task(job)
            return await self.submit(job)
        except RunStopping:
            raise self._stopped() from None
        finally:
            self._in_flight.pop(key).set()

    def _plan(self, key: str, request: Mapping[str, Any]) -> Job:
        plan, options = plan_of({**request, "id": key}, Path.cwd())
        if REDACTED in plan.request:
            self._redacted_options[key] = options
        self._journal.plan(self._run.id, [plan])
        job = self._journal.by_key(self._run.id, key)
        assert job is not None  # noqa: S101 -- it was just planned
        return job

    def _stopped(self) -> SeeDreamError:
        error = self.control.error
        if isinstance(error, SeeDreamError):
            return copy.copy(error)
        return NotSent(f"the run has stopped ({self.control.reason})", hint="Resume the run, then ask again.")

    async def submit(self, job: Job) -> str:
        """Submit one planned job; gives the task id.

        Raises:
            RunStopping: The run stops; the job is still planned.
            SeeDreamError: There is no task. The journal holds the reason.
        """
        while True:
            async with self._limiter:
                await self._clock.async_sleep(self._rate_limiter.reserve())
                number = self._concurrency.start()
                try:
                    taskid = await self._post(job)
                except (RateLimited, NotSent) as error:
                    if not self._slow_down(error, number):
                        raise
                    continue
                except SeeDreamError as error:
                    await self._ended(job, error)
                    raise
                self._got_through()
                return taskid

    async def _post(self, job: Job) -> str:
        if self.control.stopping:
            raise RunStopping
        record = InterruptibleSubmission(
            self._journal.submission_record(job.id, job.cost), lambda: self.control.stopping
        )
        # Source images are read to check them; a request without files is checked in no time.
        submission = await in_thread(self._submission, job) if has_files(job.request) else self._submission(job)
        self._on_the_way.add(record)
        try:
            with record.scope:
                try:
                    return await self._client.run(submit(self._service, submission, record))
                except JournalError as error:
                    if error.taskid is None or isinstance(error, BudgetReached):
                        raise
                    return await self._record_later(job, record, error)
        finally:
            self._on_the_way.discard(record)
        raise RunStopping  # cancelled by the user's second signal: the job is unknown

    def _submission(self, job: Job) -> Submission:
        request = self._redacted_options.get(job.key) or job.request
        if REDACTED in request:
            names = ", ".join(request[REDACTED])
            raise InvalidRequest(
                f"its {names} is signed, and signatures are not kept",
                hint="Run the jobs file again with the same output folder.",
            )
        submission = submission_of(request)
        if submission.digest != job.digest:
            raise InvalidRequest("a source image has changed since the job was planned", hint="Give it another id.")
        return submission

    async def _record_later(self, job: Job, record: InterruptibleSubmission, error: JournalError) -> str:
        """Go on trying to record a task id that is paid for, until there is room, Ctrl-C, or for ten minutes."""
        taskid = str(error.taskid)
        self.unrecorded[job.key] = taskid
        self.control.stop("disk", error)
        self.waiting = f"no room to record task {show_id(taskid)} of job {job.key}"
        for _ in range(_RECORD_TRIES):
            # A full disk may get room again; a broken one does not mend itself.
            if not isinstance(error, JournalFull) or self.control.reason in ("interrupted", "cancelled"):
                break
            await self._clock.async_sleep(_RECORD_PAUSE)
            try:
                await in_thread(record.submitted, taskid)
            except JournalError as again:
                error = again
                continue
            del self.unrecorded[job.key]
            self.waiting = ""
            return taskid
        raise error

    def _got_through(self) -> None:
        self.waiting = ""
        self.control.answered()
        self._patience.succeeded()
        self._concurrency.succeeded()
        self._limiter.total_tokens = self._concurrency.size

    def _slow_down(self, error: RateLimited | NotSent, number: int) -> bool:
        """Pause and shrink after "too many requests" or a dead network; True: try this job again."""
        if not error.retryable:
            timed_out = error.reply is not None and error.reply.status == _REQUEST_TIMEOUT
            self.control.stop("network" if timed_out else "setup", error)
            return False
        limited = isinstance(error, RateLimited)
        if limited:
            self._concurrency.refused(number)
            self._limiter.total_tokens = self._concurrency.size
        if self._patience.failed():
            self.control.stop("rate_limited" if limited else "network", error)
            return False
        retry = self._client.service.retry
        pause = retry.delay(self._patience.refusals, self._client.service.random)
        asked = error.retry_after if isinstance(error, RateLimited) else None
        # What the server asks for is a minimum: "0", or a moment that has passed, must not lead to a flood.
        self._rate_limiter.pause_for(max(pause, min(asked or 0.0, retry.retry_after_cap)))
        self.waiting = "too many requests" if limited else "no connection"
        return True

    async def _ended(self, job: Job, error: SeeDreamError) -> None:
        """Decide what a failed submission means for the run. One whose error names a task counts as unanswered."""
        match error:
            case InsufficientCredits() if error.taskid is None:
                self.control.stop("credits", error)
            case AuthError() if error.taskid is None:
                self.control.stop("key", error)
            case BudgetReached():
                self.control.stop("budget", error)
            case JournalError():
                self.control.stop("disk", error)
            case ConfigError():
                self.control.stop("setup", error)
            case InvalidRequest():
                await in_thread(self._journal.record_error, job.id, error)
            case _ if error.billing == "no" and error.taskid is None:  # because of this request: the service works
                self.control.answered()
            case _:
                self.control.unanswered(error)

    async def record(self, key: str, delivery: Delivery, *, paid_now: bool = True) -> None:
        """Record what became of a submitted job, and stop the run where deliveries fail one after another.

        Recording the same delivery again changes nothing.

        Args:
            key: The job's id.
            delivery: What ``deliver`` gave.
            paid_now: Whether the task was submitted in this start of the run. A failure of an earlier one does not
                stop it: nothing new would be paid for in vain.

        Raises:
            JournalError: It cannot be recorded; the job stays as it was, and is delivered again at the next start.
        """
        entry = _Delivered(key, delivery)
        self._delivered.append(entry)
        async with self._recording:
            if not entry.recorded:
                await in_thread(self._record_all)
        if entry.failure is not None:
            raise entry.failure
        error = delivery.error
        if error is None:
            self.control.delivered()
        elif isinstance(error, AuthError):
            self.control.stop("key", error)
        elif delivery.disk_failed:
            self.control.stop("disk", error)
        elif paid_now:
            self.control.undelivered("downloads" if delivery.state == "succeeded" else "tasks", error)

    def _record_all(self) -> None:
        """Record all deliveries that wait, those with their pictures in one transaction.

        It takes one thread for all of them. A delivery is free and can be repeated, so it may wait for the others.
        """
        entries, self._delivered = self._delivered, []
        whole: dict[int, _Delivered] = {}
        for entry in entries:
            try:
                job = self._journal.by_key(self._run.id, entry.key)
                if job is None or job.state not in ("submitted", "succeeded"):
                    pass  # recorded already, by an engine that repeats its work
                elif entry.delivery.error is None:
                    whole[job.id] = entry
                else:
                    self._record_failure(job, entry.delivery.state, entry.delivery.error)
            except Exception as error:  # noqa: BLE001 -- its caller raises it
                entry.failure = error
        try:
            if whole:
                self._journal.downloaded({job: entry.delivery.pictures for job, entry in whole.items()})
        except Exception as error:  # noqa: BLE001 -- see above
            for entry in whole.values():
                entry.failure = copy.copy(error)  # each is raised to another caller
        for entry in entries:
            entry.recorded = True

    def _record_failure(self, job: Job, state: State, error: SeeDreamError) -> None:
        if state == "failed" and job.state == "submitted":
            self._journal.failed(job.id, error)
        else:
            if state == "succeeded" and job.state == "submitted":
                self._journal.succeeded(job.id)
            self._journal.record_error(job.id, error)


@define
class _Delivered:
    """A delivery that waits to be recorded, and how that ended."""

    key: str
    delivery: Delivery
    recorded: bool = False
    failure: Exception | None = None


def _no_task(job: Job) -> SeeDreamError:
    """Return why a settled job has no task."""
    message = f"job “{job.key}” is {job.state}: {job.message or 'given up by the user'}"
    if job.state == "rejected":
        return Rejected(message, hint="Change the request and give it another id, or retry it.")
    if job.state == "abandoned":
        return NotSent(message, hint="Run its jobs file again to plan it again.", retryable=False)
    return SubmissionUnknown(message, hint="Resolve it: it may have been billed, and is not sent again.")
