"""Signals that a shell has switched off."""

import signal

_USUAL = (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL))


def heed_signals() -> None:
    """Take Ctrl-C and the end of the terminal as usual again.

    A shell makes its background processes ignore Ctrl-C, and nohup the end of the terminal; every process that a test
    starts would inherit that.
    """
    for name, usual in _USUAL:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
