"""A sandbox in a process of its own: says how to use it, serves until it is stopped, and says what was charged."""

import queue
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType

from tensorslab_images.limits import AUTH_HEADER, SUBMIT
from tensorslab_images.rules import AUTH_HEADER_SCHEME

from seedream_sandbox.sandbox import Sandbox
from seedream_sandbox.service.request_log import RequestRecord

Print = Callable[[str], object]


def usage(sandbox: Sandbox) -> tuple[str, ...]:
    """Return the lines that say how to use a started sandbox: addresses and key, a curl line, the inspector."""
    submit = f"{sandbox.base_url}{SUBMIT.path}"
    return (
        f"Sandbox of the service at {sandbox.base_url}: no cost, nothing leaves this machine. Ctrl-C stops it.",
        f"  export TENSORSLAB_BASE_URL={sandbox.base_url} TENSORSLAB_API_KEY={sandbox.api_key}",
        f"  curl {submit} -H '{AUTH_HEADER}: {AUTH_HEADER_SCHEME} {sandbox.api_key}' -F 'prompt=a lighthouse at dawn'",
        f"  look inside: {sandbox.base_url}/",
    )


def charges_summary(sandbox: Sandbox) -> str:
    """Return what was charged, in one sentence."""
    charged = sum(charge.images for charge in sandbox.charges)
    return f"Stopped. Images charged: {charged}; credits left: {sandbox.credits}."


def run_server(
    sandbox: Sandbox, say: Print = print, *, log: Print | None = None, stop: threading.Event | None = None
) -> None:
    """Serve until Ctrl-C or SIGTERM; both end it cleanly.

    Args:
        sandbox: Not started yet, or started already.
        say: Prints a line.
        log: Prints a line for each request; None: requests are not printed.
        stop: Ends it too, when it is set.

    Raises:
        OSError: The address or port cannot be bound, or ``say`` raises it.
    """
    ended = stop or threading.Event()
    records: queue.SimpleQueue[RequestRecord] = queue.SimpleQueue()
    if log is not None:
        sandbox.service.on_record = records.put
    if not sandbox.serving:
        sandbox.start()
    try:
        with _ended_by_signals(ended), suppress(KeyboardInterrupt):
            for line in usage(sandbox):  # whoever reads them may send the signal at once
                say(line)
            while not ended.is_set():
                with suppress(queue.Empty):  # a short wait: Windows delivers Ctrl-C only between two of them
                    record = records.get(timeout=0.2)
                    if log is not None:
                        log(record.line)
    finally:
        sandbox.stop()
    while log is not None and not records.empty():
        log(records.get().line)
    say(charges_summary(sandbox))


@contextmanager
def _ended_by_signals(ended: threading.Event) -> Generator[None]:
    """Set the event on Ctrl-C and SIGTERM, where signals can be received: in the main thread."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
