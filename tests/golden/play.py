"""Plays a workflow against a script, without network or clock, and writes down every step and the end.

What a person reads in a golden file is the whole behaviour: each request with its headers and limits, each pause, each
message word for word. `UPDATE_GOLDEN=1 pytest tests/golden` writes the files anew; the change is then read in review.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BytesIO
from typing import Any

from attrs import define, field, frozen
from seedream import SeeDreamError
from seedream._protocol.effects import Blocking, Close, Failure, Flow, Now, Open, Read, Sleep, Step, run
from seedream._protocol.retry import RetryPolicy
from seedream._protocol.workflows import Service
from seedream._transport.http import Timeouts
from tensorslab_images.rules import RULES

KEY = "sk-MARKER-key"
START = 1000.0  # what the clock shows at first: nothing may take it for the time that has passed


@frozen
class Scene:
    """One scripted reply: a head, its body chunk by chunk (or a Failure, or an exception), and the seconds it takes."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(factory=dict[str, str])
    seconds: float = 0.0

    @property
    def chunks(self) -> list[Any]:
        return list(self.body) if isinstance(self.body, list) else [self.body]


@frozen
class _Stream:
    status: int
    headers: Mapping[str, str]
    handle: Any


@define
class Stage:
    """Carries out steps by the script; the last reply is given again and again."""

    script: list[Any]
    lines: list[str] = field(factory=list[str])
    now: float = START

    def perform(self, step: Step) -> Any:
        match step:
            case Open():
                return self._open(step)
            case Read(stream):
                chunk = next(stream.handle, b"")
                if isinstance(chunk, tuple):
                    self.now += chunk[0]
                    chunk = chunk[1]
                if isinstance(chunk, BaseException):
                    raise chunk
                return chunk
            case Close():
                self.lines.append("  close")
            case Sleep(seconds):
                self.lines.append(f"  sleep {seconds:.4g}")
                self.now += seconds
            case Now():
                return self.now
            case Blocking(call):
                return call()
        return None

    def _open(self, step: Open) -> Any:
        request = step.request
        limits = f"within={step.within} public_only={step.public_only} channel={step.channel}"
        self.lines.append(f"  {request.method} {request.url} {limits}")
        for name, value in {**request.headers, **request.arguments()}.items():
            self.lines.append(f"    {name}: {told(value)}")
        scene = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if step.barrier is not None and not (isinstance(scene, Failure) and scene.phase == "never_sent"):
            step.barrier()
        if isinstance(scene, Failure):
            return scene
        self.now += scene.seconds
        return _Stream(scene.status, scene.headers, itertools.chain(scene.chunks))


def told(value: Any) -> str:
    """A value as a golden file shows it."""
    if isinstance(value, BytesIO):
        return f"file of {value.getvalue()!r}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(told, value)) + "]"
    return repr(value)


def service(**changes: Any) -> Service:
    """Configuration of a public service, with nothing left to chance."""
    plain: dict[str, Any] = {
        "base_url": "https://api.example.com", "key": KEY, "local": False, "timeouts": Timeouts(),
        "retry": RetryPolicy(base=1.0), "wall": lambda: 1_800_000_000.0, "chance": lambda: 0.5,
    }  # fmt: skip
    return Service(**{**plain, **changes})


def played(flow: Flow[Any], *script: Any) -> str:
    """Every step, and the result or the error."""
    stage = Stage(list(script))
    try:
        ended = f"gives {run(flow, stage)!r}"
    except BaseException as error:  # noqa: BLE001 -- whatever comes out is written down, Ctrl-C too
        ended = described(error)
    return "\n".join([*stage.lines, f"  at {stage.now - START:.4g} s: {ended}"])


def described(error: BaseException) -> str:
    """All that an error tells."""
    lines = [type(error).__name__, *(f"    | {line}" for line in str(error).splitlines())]
    if isinstance(error, SeeDreamError):
        names = ["rule", "hint", "taskid", "billing", "retryable", "reply", *sorted(set(vars(error)) - _SHOWN)]
        for name in names:
            value = getattr(error, name)
            if isinstance(value, dict) and name == "errors":
                lines += [f"    {name} {index}: {described(inner)}" for index, inner in value.items()]
            else:
                lines.append(f"    {name}={value!r}")
    lines += [f"    note: {note}" for note in getattr(error, "__notes__", ())]
    return _without_sentences("\n".join(lines))


def _without_sentences(text: str) -> str:
    """A vendor who words a rule anew changes no golden file."""
    for rule in RULES.values():
        text = text.replace(f"“{rule.sentence}”", "“(its sentence)”")
    return text


_SHOWN = {"message", "rule", "hint", "taskid", "billing", "retryable", "reply"}


def called(work: Callable[[], Any]) -> str:
    """What a call gives, or all that its error tells."""
    try:
        return f"gives {work()!r}"
    except Exception as error:  # noqa: BLE001 -- whatever comes out is written down
        return described(error)


def listed(work: Callable[..., Any], cases: Iterable[tuple[Any, ...]]) -> str:
    """A call with each set of arguments."""
    return "\n".join(
        f"{', '.join(f'{value!r:.100}' for value in case)}\n  {called(partial(work, *case))}" for case in cases
    )
