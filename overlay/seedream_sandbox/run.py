"""A sandbox in a process of its own: says how to use it, serves until it is told to stop, and says what was charged."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType

from tensorslab_images.limits import AUTH_HEADER, SUBMIT
from tensorslab_images.rules import AUTH_HEADER_SCHEME

from seedream_sandbox.sandbox import Sandbox

Say = Callable[[str], object]


def usage(sandbox: Sandbox) -> tuple[str, ...]:
    """How to use a started sandbox, in lines: addresses and key, a curl line, the inspector.

    Args:
        sandbox: Entered or started.
    """
    submit = f"{sandbox.base_url}{SUBMIT.path}"
    return (
        f"Sandbox of the service at {sandbox.base_url}: no cost, nothing leaves this machine. Ctrl-C stops it.",
        f"  export TENSORSLAB_BASE_URL={sandbox.base_url} TENSORSLAB_API_KEY={sandbox.api_key}",
        f"  curl {submit} -H '{AUTH_HEADER}: {AUTH_HEADER_SCHEME} {sandbox.api_key}' -F 'prompt=a lighthouse at dawn'",
        f"  look inside: {sandbox.base_url}/",
    )


def bill(sandbox: Sandbox) -> str:
    """What was charged, in one sentence."""
    charged = sum(charge.images for charge in sandbox.charges)
    return f"Stopped. Images charged: {charged}; credits left: {sandbox.credits}."


def run_server(sandbox: Sandbox, say: Say = print, *, stop: threading.Event | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; both end it cleanly.

    Args:
        sandbox: Not started yet, or started already.
        say: Prints a line.
        stop: Ends it too, when set.

    Raises:
        OSError: The address or port cannot be had, or ``say`` raises it.
    """
    ended = stop or threading.Event()
    if not sandbox.serving:
        sandbox.start()
    try:
        with _terminated_by(ended), suppress(KeyboardInterrupt):
            for line in usage(sandbox):  # who reads them may send the signal at once
                say(line)
            while not ended.wait(1.0):  # in pieces: Windows hears Ctrl-C only between them
                pass
    finally:
        sandbox.stop()
    say(bill(sandbox))


@contextmanager
def _terminated_by(ended: threading.Event) -> Generator[None]:
    """Set the event on SIGTERM, where signals can be heard: in the main thread."""

    def hear(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
