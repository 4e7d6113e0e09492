"""Runs workflows without a network: replies come from a list, time passes only as the list says."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field
from seedream import RetryPolicy, Timeouts
from seedream._protocol.drivers import run_sync
from seedream._protocol.effects import (
    Close,
    Effect,
    Failure,
    Notify,
    Read,
    ReadClock,
    RunInThread,
    SendRequest,
    Sleep,
    Workflow,
)
from seedream._protocol.service import ApiConfig

from support.clients import KEY

BASE = "https://api.example"


@define(eq=False)
class Head:
    """The head of a reply, and what the reads after it give: bytes, a Failure, an exception, or seconds that pass."""

    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    body: Iterable[Any] = ()
    aborted: int = 0

    def abort(self) -> None:
        self.aborted += 1


@define
class ScriptedIO:
    """Carries out effects. Each request gets the next answer, and the last one for ever.

    Attributes:
        now: The clock's seconds.
        sent: The requests, in order.
        slept: The pauses, in order.
        closed: The replies that were closed, in order.
    """

    answers: list[Any]
    now: float = 1000.0
    sent: list[SendRequest] = field(factory=list)
    slept: list[float] = field(factory=list)
    closed: list[Head] = field(factory=list)
    _left: dict[int, list[Any]] = field(factory=dict)

    def perform(self, effect: Effect) -> Any:
        match effect:
            case SendRequest():
                return self._send(effect)
            case Read(stream):
                return self._read(stream)
            case Close(stream):
                assert isinstance(stream, Head)
                self.closed.append(stream)
            case Sleep(seconds):
                self.slept.append(seconds)
                self.now += seconds
            case ReadClock():
                return self.now
            case RunInThread(call):
                return call()
            case Notify(callback, event):
                callback(event)
            case _:
                raise AssertionError(f"{effect} is not for this IO")
        return None

    def _send(self, effect: SendRequest) -> Any:
        self.sent.append(effect)
        if effect.before_send is not None:
            effect.before_send()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Head):
            self._left[id(answer)] = list(answer.body)
        return answer

    def _read(self, stream: Any) -> Any:
        left = self._left[id(stream)]
        while left:
            item = left.pop(0)
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, int | float):
                self.now += item
                continue
            return item
        return b""


def scripted(*answers: Any) -> ScriptedIO:
    """Return an IO that gives these answers, the last one for ever."""
    return ScriptedIO(list(answers))


def service(*, local: bool = False, draw: Callable[[], float] = lambda: 1.0, **retry: Any) -> ApiConfig:
    """Return the configuration of a service that is asked only in memory. Pauses are the longest, by default."""
    return ApiConfig(BASE, KEY, local, Timeouts(), RetryPolicy(**retry), lambda: 5.0, draw)


def run(workflow: Workflow[Any], io: ScriptedIO) -> Any:
    return run_sync(workflow, io)


def broken(kind: str = "ReadError", text: str = "reset", **given: Any) -> Failure:
    """Return the failure of a reply that broke off."""
    return Failure("sent_full", kind, text, **given)
