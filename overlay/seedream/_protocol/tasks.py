"""The workflows about a submitted task: query, wait, delete. They cost nothing and may be repeated."""

import inspect
import logging
import math
from collections.abc import Callable
from functools import partial
from typing import Final

from tensorslab_images.rules import CODE_MEANING_FAILURE

from seedream._protocol.effects import Failure, ReadClock, Sleep, Workflow, notify
from seedream._protocol.failures import describe, is_not_found, raw_reply, status_error, vendors_words
from seedream._protocol.outcome import CLIENT_ERROR
from seedream._protocol.progress import Progress, ProgressCallback
from seedream._protocol.replies import TaskInfo, read_task, task_id
from seedream._protocol.service import Answer, ApiConfig, send
from seedream._request.encode import EncodedRequest, encode_deletion, encode_query
from seedream._support.log import log_task
from seedream._support.redact import short_repr
from seedream._support.server_text import holds_url, show_id, show_ids
from seedream.errors import AuthError, InvalidRequest, Problem, TaskFailed, WaitTimeout

_log: Final = logging.getLogger("seedream.tasks")
_POLL_FIRST: Final = 1.0  # seconds
_POLL_GROWTH: Final = 1.5
_POLL_LONGEST: Final = 5.0  # seconds: the vendor's own client polls every 1 to 5 s
_INSTANT: Final = 0.001  # seconds: less is not worth a sleep
_NOT_FOUND_FOR: Final = 120.0  # seconds: a fresh task may not be known everywhere at once
_POLLS_FOR_URLS: Final = 3  # a completed task may show its URLs a moment later


def query(api: ApiConfig, taskid: str) -> Workflow[TaskInfo]:
    """Ask for a task's state, repeated where no usable answer came."""
    check_taskid(taskid)
    usable = partial(_is_usable, taskid)
    answer = yield from _repeated(api, encode_query(taskid), usable, _query_of(taskid), taskid)
    return read_task(taskid, answer.envelope)


def _query_of(taskid: str) -> str:
    return f"the query for task {show_id(taskid)}"


def _is_usable(taskid: str, answer: Answer) -> bool:
    """Whether the request succeeded, and the answer names no other task."""
    return answer.succeeded and task_id(answer.envelope.data.get("taskid")) in (None, taskid)


def _worth_repeating(answer: Answer) -> bool:
    if isinstance(answer.outcome, Failure):
        return not answer.outcome.tls
    refused = answer.status in CLIENT_ERROR and answer.status not in (408, 425, 429)
    return not refused and answer.envelope.code != CODE_MEANING_FAILURE


def _repeated(
    api: ApiConfig, request: EncodedRequest, usable: Callable[[Answer], bool], action: str, *taskids: str
) -> Workflow[Answer]:
    """Ask until a usable answer comes: neither a query nor a deletion costs anything."""
    attempt = 0
    while True:
        attempt += 1
        answer = yield from send(api, request, "query")
        if usable(answer):
            return answer
        if attempt >= api.retry.attempts or not _worth_repeating(answer):
            raise status_error(answer, action, *taskids)
        yield from Sleep(api.retry.delay(attempt, api.random))


def wait(
    api: ApiConfig, taskid: str, *, timeout: float, images: int | None, progress: ProgressCallback | None
) -> Workflow[TaskInfo]:
    """Query until the task is completed, has failed, or the deadline (seconds) passes."""
    check_taskid(taskid)
    request = encode_query(taskid)
    started = yield from ReadClock()
    pause, without_urls, state, known_at = _POLL_FIRST, 0, "unanswered", 0.0
    while True:
        left = timeout - ((yield from ReadClock()) - started)
        answer = yield from send(api, request, "query", total_timeout=max(left, 1.0))
        info = read_task(taskid, answer.envelope) if _is_usable(taskid, answer) else None
        elapsed = (yield from ReadClock()) - started
        if info is not None:
            known_at = elapsed
            log_task(_log, "task %s is %s after %.0f s", taskid, info.state, elapsed)
            state = info.state if info.state != "unknown" else f"unknown (image_status {info.status})"
            yield from notify(progress, Progress("waiting", taskid, elapsed, info.state))
            if info.state == "failed":
                raise _task_failed(info, answer)
            if info.state == "completed":
                without_urls += 1
                state = "without all its pictures' URLs"
                if sum(map(bool, info.urls)) >= (images or 1) or without_urls > _POLLS_FOR_URLS:
                    return info
        elif is_not_found(answer):
            state = "not known to the service"
            yield from notify(progress, Progress("waiting", taskid, elapsed, "not found"))
            if elapsed - known_at >= _NOT_FOUND_FOR or timeout - elapsed < _INSTANT:
                raise status_error(answer, _query_of(taskid), taskid)
        else:
            log_task(_log, "task %s: %s", taskid, describe(answer, taskid))
            _give_up_if_final(taskid, answer, elapsed)
        if timeout - elapsed < _INSTANT:
            last = "" if info is not None else f", and the last answer was {describe(answer, taskid)}"
            raise WaitTimeout(
                f"task {show_id(taskid)} was still {state} after {elapsed:.0f} s{last}",
                hint="Ask again later with the same id: waiting costs nothing.",
                reply=raw_reply(answer),
                taskid=taskid,
            )
        yield from Sleep(min(pause * (0.75 + 0.5 * api.random()), timeout - elapsed))
        pause = min(pause * _POLL_GROWTH, _POLL_LONGEST)


def _give_up_if_final(taskid: str, answer: Answer, elapsed: float) -> None:
    refused = isinstance(answer.outcome, Failure) and answer.outcome.tls
    lasting = not _worth_repeating(answer) and elapsed >= _NOT_FOUND_FOR
    error = status_error(answer, _query_of(taskid), taskid)
    if refused or lasting or isinstance(error, AuthError):
        raise error


def _task_failed(info: TaskInfo, answer: Answer) -> TaskFailed:
    reason = vendors_words(info.error_message, answer.key, info.taskid) or "the service gives no reason"
    return TaskFailed(
        f"task {show_id(info.taskid)} failed: {reason}",
        rule="STATUS-MEANING",
        hint="The service does not say whether it was billed: see the vendor's console.",
        reply=raw_reply(answer),
        taskid=info.taskid,
    )


def delete(api: ApiConfig, taskids: tuple[str, ...]) -> Workflow[None]:
    """Delete tasks on the server, repeated where no usable answer came (deleting twice does no harm)."""
    for taskid in taskids:
        check_taskid(taskid)
    if taskids:
        action = f"deleting {show_ids(taskids)}"
        yield from _repeated(api, encode_deletion(taskids), lambda answer: answer.succeeded, action, *taskids)


def check_taskid(taskid: object) -> None:
    """Refuse what cannot be a task's id."""
    if not isinstance(taskid, str) or not taskid.strip() or not taskid.isprintable() or holds_url(taskid):
        message, hint = "a task id is printable text, not empty and no URL", "Give the id that submit returned."
        raise InvalidRequest(message, rule="TASK-ID", hint=hint)


def check_wait(timeout: object, progress: object, *, awaits: bool = True) -> None:
    """Refuse a deadline (seconds) or a callback that would fail once a task is paid for.

    A callback may be a coroutine function only where the client awaits it.
    """
    field, wrong, hint = "progress", "", "Give a function or None."
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or math.isnan(timeout):
        field, wrong, hint = "timeout", f"{short_repr(timeout)} is not a number of seconds", "Give seconds."
    elif progress is not None and not callable(progress):
        wrong = f"{short_repr(progress)} cannot be called"
    elif not awaits and inspect.iscoroutinefunction(progress):
        wrong, hint = "a coroutine function cannot be awaited here", "Give a plain function, or use AsyncSeeDream."
    if wrong:
        raise InvalidRequest(Problem(field, wrong, hint=hint))
