"""Submits planned jobs: at an even rate, few at a time, each at most once, and stops where going on would only cost."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.to_thread
from attrs import evolve

from seedream._protocol.retry import RetryPolicy
from seedream._protocol.submit import submit
from seedream._support.timing import Clock
from seedream.bulk.interruptible import InterruptibleSubmission, RunStopping
from seedream.bulk.jobs_file import REDACTED, submission_of
from seedream.bulk.options import BulkOptions
from seedream.bulk.rate_control import AdaptiveConcurrency, CircuitBreaker, RateLimiter
from seedream.bulk.report import Reason
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
    SeeDreamError,
    SubmissionUnknown,
)
from seedream.journal import Job, Journal

_ONCE = RetryPolicy(attempts=1)  # the run paces itself: each answer is seen at once
_RECORD_PAUSE = 1.0  # seconds between tries to record a task id on a full disk
_RECORD_TRIES = 600


class Submitter:
    """See the module.

    Args:
        client: The client.
        journal: Open for writing.
        options: The run's.
        redacted_options: Whole options of jobs whose URLs are signed, by key.
        stop: Called with the reason, and the error if there is one, when nothing more is to be submitted.
        stopping: Whether that has happened.
    """

    def __init__(
        self,
        *,
        client: AsyncSeeDream,
        journal: Journal,
        options: BulkOptions,
        redacted_options: Mapping[str, Mapping[str, Any]],
        clock: Clock,
        stop: Callable[[Reason, Exception | None], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._client = client
        self._service = evolve(client.service, retry=_ONCE)
        self._journal = journal
        self._redacted_options = redacted_options
        self._clock = clock
        self._stop = stop
        self._stopping = stopping
        self._rate_limiter = RateLimiter(clock.monotonic, options.rate)
        self._window = AdaptiveConcurrency(options.concurrency)
        self._breaker = CircuitBreaker(clock.monotonic, options.patience)
        self._limiter = anyio.CapacityLimiter(options.concurrency)
        self._on_the_way: set[InterruptibleSubmission] = set()
        self.unrecorded: dict[str, str] = {}
        self.waiting = ""

    @property
    def window(self) -> int:
        """Submissions that may be on the way at once just now."""
        return self._window.size

    def cancel(self) -> None:
        """Break off what is on the way: it becomes unknown."""
        for submission_slot in list(self._on_the_way):
            submission_slot.scope.cancel()

    async def submit(self, job: Job) -> str | None:
        """Submit one planned job; gives the task id, or None if there is none: the journal says why."""
        while not self._stopping():
            async with self._limiter:
                await self._clock.async_sleep(self._rate_limiter.reserve())
                if self._stopping():
                    return None
                number = self._window.start()
                try:
                    taskid = await self._post(job)
                except (RateLimited, NotSent) as error:
                    if self._slow_down(error, number):
                        continue
                    return None
                except SeeDreamError as error:
                    await self._ended(job, error)
                    return None
                if taskid is not None:
                    self._got_through()
                return taskid
        return None

    async def _post(self, job: Job) -> str | None:
        submission_slot = InterruptibleSubmission(self._journal.submission_record(job.id, job.cost), self._stopping)
        submission = await anyio.to_thread.run_sync(self._submission, job)
        self._on_the_way.add(submission_slot)
        try:
            with submission_slot.scope:
                try:
                    return await self._client.run(submit(self._service, submission, submission_slot))
                except JournalError as error:
                    if error.taskid is None or isinstance(error, BudgetReached):
                        raise
                    return await self._record(job, submission_slot, error)
        except RunStopping:
            return None
        finally:
            self._on_the_way.discard(submission_slot)
        return None  # cancelled on the user's second word: the entry is unknown

    def _submission(self, job: Job) -> Any:
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

    async def _record(self, job: Job, submission_slot: InterruptibleSubmission, error: JournalError) -> str | None:
        """A task id that is paid for and could not be written: try for long, and tell it in any case."""
        taskid = str(error.taskid)
        self.unrecorded[job.key] = taskid
        self._stop("disk", error)
        for _ in range(_RECORD_TRIES):
            if not isinstance(error, JournalFull):  # a full disk may get room again; a broken one does not mend itself
                break
            await self._clock.async_sleep(_RECORD_PAUSE)
            try:
                await anyio.to_thread.run_sync(submission_slot.submitted, taskid)
            except JournalError as again:
                error = again
                continue
            del self.unrecorded[job.key]
            return taskid
        return None

    def _got_through(self) -> None:
        self.waiting = ""
        self._breaker.succeeded()
        self._window.succeeded()
        self._limiter.total_tokens = self._window.size

    def _slow_down(self, error: RateLimited | NotSent, number: int) -> bool:
        """Pause and shrink after a refusal for haste or a dead network; True: try this job again."""
        if not error.retryable:
            self._stop("setup", error)
            return False
        limited = isinstance(error, RateLimited)
        if limited:
            self._window.refused(number)
            self._limiter.total_tokens = self._window.size
        if self._breaker.stuck():
            self._stop("rate_limited" if limited else "network", error)
            return False
        retry = self._client.service.retry
        asked = error.retry_after if isinstance(error, RateLimited) else None
        pause = retry.delay(self._breaker.pauses, self._client.service.random)
        self._rate_limiter.pause_for(min(asked, retry.retry_after_cap) if asked is not None else pause)
        self.waiting = "too many requests" if limited else "no connection"
        return True

    async def _ended(self, job: Job, error: SeeDreamError) -> None:
        """A submission that ended without a task id, and what it means for the run."""
        match error:
            case InsufficientCredits():
                self._stop("credits", error)
            case AuthError():
                self._stop("key", error)
            case BudgetReached():
                self._stop("budget", error)
            case JournalError():
                self._stop("disk", error)
            case ConfigError():
                self._stop("setup", error)
            case InvalidRequest():
                await anyio.to_thread.run_sync(self._journal.record_error, job.id, error)
            case SubmissionUnknown():
                if self._breaker.unknown():
                    self._stop("unknowns", error)
            case _:  # refused for its own sake: the service works
                self._breaker.succeeded()
