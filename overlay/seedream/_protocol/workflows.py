"""The workflows: submit, query, wait, delete. Generators, run by the drivers of _flow; no I/O, no clock, no async."""

import math
import random
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, Protocol

from attrs import field, frozen
from tensorslab_images.limits import (
    AUTH_HEADER,
    DELETE,
    QUERY,
    SUBMIT,
    Operation,
)
from tensorslab_images.rules import AUTH_HEADER_SCHEME, CODE_MEANING_FAILURE, CODE_MEANING_SUCCESS

from seedream._protocol import wire
from seedream._protocol.effects import Channel, Failure, Flow, Reply, Request, blocking, now, sleep
from seedream._protocol.exchange import exchange
from seedream._protocol.failures import raw, status_error, submission_error, told
from seedream._protocol.retry import OK, RetryPolicy, Verdict, judge, retry_after
from seedream._protocol.wire import Envelope, TaskInfo, read_envelope, read_task
from seedream._request.submission import Submission
from seedream._support.redact import sanitize, short_repr
from seedream._transport.http import Timeouts
from seedream.errors import AuthError, InvalidRequest, JournalError, Problem, SeeDreamError, TaskFailed, WaitTimeout

_POLL_FIRST: Final = 1.0  # seconds
_POLL_GROWTH: Final = 1.5
_INSTANT: Final = 0.001  # seconds: less is not worth a sleep
_POLL_LONGEST: Final = 5.0  # seconds: the vendor's own client polls every 1 to 5 s
_NOT_FOUND_FOR: Final = 120.0  # seconds: a fresh task may not be known everywhere at once
_POLLS_FOR_URLS: Final = 3  # a completed task may show its URLs a moment later


@frozen
class Service:
    """Where and how to ask: plain configuration, shared by all workflows."""

    base_url: str
    key: str = field(repr=False)
    local: bool
    timeouts: Timeouts
    retry: RetryPolicy
    wall: Callable[[], float] = field(repr=False)
    chance: Callable[[], float] = field(default=random.random, repr=False)

    def ask(
        self,
        operation: Operation,
        arguments: wire.Arguments,
        channel: Channel,
        *,
        barrier: Callable[[], None] | None = None,
        within: float | None = None,
    ) -> Flow[Reply | Failure]:
        """Send an API request, with the key, to the API host alone."""
        headers = {AUTH_HEADER: f"{AUTH_HEADER_SCHEME} {self.key}"}

        def build() -> dict[str, object]:
            return {name: value for name, value in arguments().items() if name not in ("method", "url")}

        request = Request(operation.method.upper(), self.base_url + operation.path, build, headers)
        return exchange(request, channel, barrier=barrier, within=self.timeouts.within(channel, within))


class Recorder(Protocol):
    """What the submit workflow tells a journal. Each call is durable when it returns."""

    def begin(self) -> None:
        """The request is about to leave. Raising stops it: nothing is sent."""

    def not_sent(self) -> None:
        """It did not leave after all, or was refused unprocessed, and will be tried again or given up."""

    def submitted(self, taskid: str) -> None:
        """The server accepted it."""

    def refused(self, error: SeeDreamError) -> None:
        """The server refused it, or it never left; nothing was billed."""

    def unknown(self, error: BaseException) -> None:
        """Nobody knows: no usable answer, or an interruption after it began."""


def submit(service: Service, submission: Submission, recorder: Recorder | None = None) -> Flow[str]:
    """Submit once, and again only where that is safe (table in _retry). Gives the task's id."""
    digest = submission.digest
    attempt = 0
    while True:
        attempt += 1
        outcome, began = yield from _attempt(service, submission, recorder, digest)
        envelope = _envelope(outcome)
        verdict = judge(outcome, envelope)
        if verdict is Verdict.ACCEPTED and envelope.taskid:
            if recorder is not None:
                yield from _accepted(recorder, envelope.taskid)
            return envelope.taskid
        told_to_wait = retry_after(outcome if isinstance(outcome, Reply) else None)
        pause = service.retry.again(verdict, attempt, told_to_wait, service.chance)
        if pause is not None:
            if began and recorder is not None:
                yield from blocking(recorder.not_sent)
            yield from sleep(pause)
            continue
        error = submission_error(verdict, outcome, envelope, digest=digest, at=service.wall(), key=service.key)
        if recorder is not None:
            end = recorder.unknown if error.billing == "unknown" else recorder.refused
            yield from blocking(partial(end, error))
        raise error


def _accepted(recorder: Recorder, taskid: str) -> Flow[None]:
    try:
        yield from blocking(partial(recorder.submitted, taskid))
    except JournalError as unrecorded:
        unrecorded.taskid = taskid  # paid for: never lost, whatever the journal says
        raise
    except BaseException as interrupted:
        interrupted.add_note(f"The submission was accepted: task {taskid}.")
        raise


def _attempt(
    service: Service, submission: Submission, recorder: Recorder | None, digest: str
) -> Flow[tuple[Reply | Failure, bool]]:
    began = False

    def barrier() -> None:
        nonlocal began
        if recorder is not None:
            recorder.begin()
        began = True

    try:
        outcome = yield from service.ask(SUBMIT, wire.submit_arguments(submission), "submit", barrier=barrier)
    except BaseException as error:
        if began:
            error.add_note(f"A submission was under way and may have been billed (request {digest[:16]}).")
            if recorder is not None:
                recorder.unknown(error)
        raise
    return outcome, began


def _envelope(outcome: Reply | Failure) -> Envelope:
    reply = outcome.reply if isinstance(outcome, Failure) else outcome
    return read_envelope(reply.body) if reply else Envelope()


def _succeeded(outcome: Reply | Failure, envelope: Envelope) -> bool:
    return isinstance(outcome, Reply) and outcome.status in OK and envelope.code == CODE_MEANING_SUCCESS


@frozen
class _Answer:
    """What came of one request about tasks, and whether it is what was asked for."""

    outcome: Reply | Failure
    envelope: Envelope
    usable: bool

    @property
    def worth_repeating(self) -> bool:
        if isinstance(self.outcome, Failure):
            return not self.outcome.tls
        status = self.outcome.status
        refused = 400 <= status < 500 and status not in (408, 425, 429)  # noqa: PLR2004 -- client errors
        return not refused and self.envelope.code != CODE_MEANING_FAILURE

    def error(self, service: Service, taskid: str, what: str) -> SeeDreamError:
        return status_error(taskid, self.outcome, self.envelope, service.key, what)


def _try_query(service: Service, taskid: str, within: float | None = None) -> Flow[_Answer]:
    outcome = yield from service.ask(QUERY, wire.query_arguments(taskid), "query", within=within)
    envelope = _envelope(outcome)
    another = wire.task_id(envelope.data.get("taskid")) not in (None, taskid)
    return _Answer(outcome, envelope, _succeeded(outcome, envelope) and not another)


def _try_delete(service: Service, taskids: tuple[str, ...]) -> Flow[_Answer]:
    outcome = yield from service.ask(DELETE, wire.delete_arguments(taskids), "query")
    envelope = _envelope(outcome)
    return _Answer(outcome, envelope, _succeeded(outcome, envelope))


def _repeated(service: Service, ask: Callable[[], Flow[_Answer]], taskid: str, what: str) -> Flow[Envelope]:
    """Ask until a usable answer comes: neither a query nor a deletion costs anything."""
    attempt = 0
    while True:
        attempt += 1
        answer = yield from ask()
        if answer.usable:
            return answer.envelope
        if attempt >= service.retry.attempts or not answer.worth_repeating:
            raise answer.error(service, taskid, what)
        yield from sleep(service.retry.delay(attempt, service.chance))


def query(service: Service, taskid: str) -> Flow[TaskInfo]:
    """Ask for a task's state, repeated where no usable answer came."""
    check_taskid(taskid)
    ask = partial(_try_query, service, taskid)
    return read_task(taskid, (yield from _repeated(service, ask, taskid, _query_of(taskid))))


def _query_of(taskid: str) -> str:
    return f"the query for task {taskid}"


@frozen
class Progress:
    """Where a task is, for a progress display.

    Attributes:
        stage: ``waiting`` after each query, ``downloading`` while a picture comes in, ``saved`` after each picture.
        taskid: The task's id.
        elapsed: Seconds since the wait, or the download of this picture, began.
        state: The task's state (see TaskInfo.state).
        index: The picture's index from 0, when downloading or saved.
        total: How many pictures there are, when downloading or saved.
        received: Bytes of this picture so far.
        size: Bytes of this picture in all, if told.
    """

    stage: Literal["waiting", "downloading", "saved"]
    taskid: str
    elapsed: float
    state: str = ""
    index: int | None = None
    total: int | None = None
    received: int = 0
    size: int | None = None


ProgressCallback = Callable[[Progress], None]


def wait(
    service: Service, taskid: str, *, timeout: float, images: int | None, progress: ProgressCallback | None
) -> Flow[TaskInfo]:
    """Query until the task is completed, has failed, or the deadline (seconds) passes."""
    check_taskid(taskid)
    check_wait(timeout, progress)
    started = yield from now()
    pause, without_urls, state = _POLL_FIRST, 0, "unanswered"
    while True:
        left = timeout - ((yield from now()) - started)
        answer = yield from _try_query(service, taskid, within=max(left, 1.0))
        info = read_task(taskid, answer.envelope) if answer.usable else None
        elapsed = (yield from now()) - started
        if info is not None:
            state = info.state if info.state != "unknown" else f"unknown (image_status {info.status})"
            if progress is not None:
                progress(Progress("waiting", taskid, elapsed, info.state))
            if info.state == "failed":
                raise _task_failed(info, answer.outcome, service.key)
            if info.state == "completed":
                without_urls += 1
                state = "without all its pictures' URLs"
                if sum(map(bool, info.urls)) >= (images or 1) or without_urls > _POLLS_FOR_URLS:
                    return info
        else:
            _give_up_if_final(service, taskid, answer, elapsed)
        if timeout - elapsed < _INSTANT:
            last = f", and the last answer was {told(answer.outcome, answer.envelope, service.key)}"
            raise WaitTimeout(
                f"task {taskid} was still {state} after {elapsed:.0f} s{'' if info is not None else last}",
                hint="Ask again later with the same id: waiting costs nothing.",
                reply=raw(answer.outcome, service.key),
                taskid=taskid,
            )
        yield from sleep(min(pause * (0.75 + 0.5 * service.chance()), timeout - elapsed))
        pause = min(pause * _POLL_GROWTH, _POLL_LONGEST)


def _give_up_if_final(service: Service, taskid: str, answer: _Answer, elapsed: float) -> None:
    error = answer.error(service, taskid, _query_of(taskid))
    if isinstance(error, AuthError) or (isinstance(answer.outcome, Failure) and answer.outcome.tls):
        raise error
    if not answer.worth_repeating and elapsed >= _NOT_FOUND_FOR:
        raise error


def _task_failed(info: TaskInfo, outcome: Reply | Failure, key: str) -> TaskFailed:
    reason = sanitize(info.error_message, key) or "the service gives no reason"
    return TaskFailed(
        f"task {info.taskid} failed: {reason}",
        rule="STATUS-MEANING",
        hint="Whether it was billed, the service does not tell: see the vendor's console.",
        reply=raw(outcome, key),
        taskid=info.taskid,
    )


def delete(service: Service, taskids: tuple[str, ...]) -> Flow[None]:
    """Delete tasks on the server, repeated where no usable answer came (deleting twice does no harm)."""
    for taskid in taskids:
        check_taskid(taskid)
    if taskids:
        ask = partial(_try_delete, service, taskids)
        yield from _repeated(service, ask, taskids[0], f"deleting {', '.join(taskids)}")


def check_taskid(taskid: object) -> None:
    """Refuse what cannot be a task's id.

    Raises:
        InvalidRequest: It is not printable text, or is blank.
    """
    if not isinstance(taskid, str) or not taskid.strip() or not taskid.isprintable():
        raise InvalidRequest(
            "a task id is printable text and not empty", rule="TASK-ID", hint="Give the id that submit returned."
        )


def check_wait(timeout: object, progress: object) -> None:
    """Refuse a deadline or a callback that would fail once a task is paid for.

    Raises:
        InvalidRequest: The deadline is no number of seconds, or the callback cannot be called.
    """
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or math.isnan(timeout):
        raise InvalidRequest(Problem("timeout", f"{short_repr(timeout)} is no number of seconds", hint="Give seconds."))
    if progress is not None and not callable(progress):
        raise InvalidRequest(
            Problem("progress", f"{short_repr(progress)} cannot be called", hint="Give a function or None.")
        )
