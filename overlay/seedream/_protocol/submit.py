"""The submit workflow: at most one submission that may be billed, each step of it recorded durably."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from seedream._protocol.effects import RunInThread, Sleep, Workflow, notify
from seedream._protocol.failures import describe, submission_error
from seedream._protocol.outcome import SubmissionOutcome, classify
from seedream._protocol.progress import Progress, ProgressCallback
from seedream._protocol.retry import retry_after
from seedream._protocol.service import Answer, ApiConfig, send
from seedream._request.encode import EncodedRequest, encode_submission
from seedream._request.submission import Submission
from seedream._support.log import log_task
from seedream.errors import JournalError, SeeDreamError, SubmissionUnknown

_log: Final = logging.getLogger("seedream.submit")


class SubmissionObserver(Protocol):
    """What a journal hears of a submission. Each call is durable when it returns."""

    def begin(self) -> None:
        """Record that the request is about to leave. Raising stops it: nothing is sent."""

    def not_sent(self) -> None:
        """Record that it did not leave, or was refused unprocessed, and will be tried again or given up."""

    def submitted(self, taskid: str) -> None:
        """Record that the server accepted it."""

    def refused(self, error: SeeDreamError) -> None:
        """Record that the server refused it, or that it never left; nothing was billed."""

    def unknown(self, error: BaseException) -> None:
        """Record that nobody knows: no usable answer, or an interruption after it began."""


def submit(
    api: ApiConfig,
    submission: Submission,
    observer: SubmissionObserver | None = None,
    progress: ProgressCallback | None = None,
) -> Workflow[str]:
    """Submit once, and again only where that is safe (see the table in outcome.py). Gives the task's id."""
    encoded = encode_submission(submission)
    attempt = timed_out = 0
    sources = sum(map(len, submission.files.values()))
    while True:
        attempt += 1
        _log.info("submitting %d pictures, %d files (try %d)", submission.images, sources, attempt)
        answer, began = yield from _attempt(api, encoded, submission, observer)
        became, taskid = classify(answer.outcome, answer.envelope), answer.envelope.taskid
        if became is SubmissionOutcome.ACCEPTED and taskid:
            if observer is not None:
                yield from _record_accepted(observer, taskid)
            log_task(_log, "accepted: task %s", taskid)
            return taskid
        timed_out += became is SubmissionOutcome.REQUEST_TIMEOUT
        tries = timed_out if became is SubmissionOutcome.REQUEST_TIMEOUT else attempt
        pause = api.retry.next_delay(became, tries, retry_after(answer.outcome), api.random)
        unrecorded = None
        if pause is not None:
            if began and observer is not None:
                unrecorded = yield from _recorded(observer.not_sent)
            if unrecorded is None:
                _log.info("%s; trying again in %.1f s", describe(answer), pause)
                yield from notify(progress, Progress("retrying", "", 0.0, became.value, pause=pause))
                yield from Sleep(pause)
                continue
        error = submission_error(became, answer, at=api.now())
        _log.info("%s: %s", type(error).__name__, error.message)
        if isinstance(error, SubmissionUnknown):  # the digest reads all source images: only where it is shown
            error.digest = yield from RunInThread(lambda: submission.digest)
        if observer is not None and unrecorded is None:
            record = observer.unknown if error.billing == "unknown" else observer.refused
            unrecorded = yield from _recorded(partial(record, error))
        if unrecorded is not None:
            error.hint = f"{error.hint} {_not_recorded(unrecorded)}".strip()
        raise error


def _recorded(record: Callable[[], None]) -> Workflow[JournalError | None]:
    """Record what became of a submission. Gives the journal's error, which never replaces the submission's own."""
    try:
        yield from RunInThread(record)
    except JournalError as error:
        return error
    return None


def _not_recorded(error: JournalError) -> str:
    return f"The journal could not record this ({error.message})."


def _record_accepted(observer: SubmissionObserver, taskid: str) -> Workflow[None]:
    try:
        yield from RunInThread(partial(observer.submitted, taskid))
    except JournalError as unrecorded:
        unrecorded.taskid = taskid  # paid for: never lost, whatever the journal says
        raise
    except BaseException as interrupted:
        interrupted.add_note(f"The submission was accepted: task {taskid}.")
        raise


def _attempt(
    api: ApiConfig, encoded: EncodedRequest, submission: Submission, observer: SubmissionObserver | None
) -> Workflow[tuple[Answer, bool]]:
    """Send the submission once. Gives the answer, and whether the request may have begun to leave."""
    began = False

    def before_send() -> None:
        nonlocal began
        if observer is not None:
            observer.begin()
        began = True

    try:
        answer = yield from send(
            api, encoded, "submit", before_send=before_send, before_send_blocks=observer is not None
        )
    except BaseException as error:
        if began:
            error.add_note(f"A submission was under way and may have been billed (request {submission.digest[:16]}).")
            if observer is not None:
                try:
                    observer.unknown(error)
                except JournalError as unrecorded:
                    error.add_note(_not_recorded(unrecorded))
        raise
    return answer, began
