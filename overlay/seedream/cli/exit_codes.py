"""The exit codes of the command line, in one table: the help text shows it, and a test compares the READMEs with it."""

from typing import Final

from attrs import frozen

from seedream import errors


@frozen
class Exit:
    """One exit code and what it tells a script."""

    code: int
    meaning: str


OK: Final = Exit(0, "done")
FAILED: Final = Exit(1, "failed: the service refused the request, the task failed, or something checked is not legal")
USAGE: Final = Exit(2, "the command line is not understood, or an extra is not installed")
INVALID: Final = Exit(3, "the request breaks a rule; nothing was sent")
CONFIG: Final = Exit(4, "the key, the base URL or a directory is unusable, or the key was refused")
CREDITS: Final = Exit(5, "not enough credits")
UNKNOWN: Final = Exit(6, "sent, but no usable answer: it may have been billed, and is not sent again")
UNFINISHED: Final = Exit(7, "the task is not finished, or cannot be asked for now; it is not lost")
DOWNLOAD: Final = Exit(8, "pictures are missing; the task is not lost")
NOT_SENT: Final = Exit(9, "not sent, or too many requests: nothing was billed, try again later")
JOURNAL: Final = Exit(10, "the journal or the output folder cannot be used; nothing more was sent")
BUDGET: Final = Exit(11, "the budget of a bulk run is reached")
NOT_FOUND: Final = Exit(12, "the service knows no such task")
BUG: Final = Exit(70, "an unexpected error: a bug in seedream")
SYSTEM: Final = Exit(71, "this machine ran out of memory, open files, threads or disk space")
PAUSED: Final = Exit(75, "a bulk run is paused; run the same command again to go on")
INTERRUPTED: Final = Exit(130, "interrupted with Ctrl-C")
CLOSED: Final = Exit(141, "the reader of the output closed it")

TABLE: Final = (
    OK, FAILED, USAGE, INVALID, CONFIG, CREDITS, UNKNOWN, UNFINISHED, DOWNLOAD, NOT_SENT, JOURNAL, BUDGET, NOT_FOUND,
    BUG, SYSTEM, PAUSED, INTERRUPTED, CLOSED,
)  # fmt: skip

# The first class that matches decides, so a subclass precedes its base.
_BY_ERROR: Final[tuple[tuple[type[errors.SeeDreamError], Exit], ...]] = (
    (errors.InvalidRequest, INVALID),
    (errors.ConfigError, CONFIG),
    (errors.AuthError, CONFIG),
    (errors.InsufficientCredits, CREDITS),
    (errors.SubmissionUnknown, UNKNOWN),
    (errors.WaitTimeout, UNFINISHED),
    (errors.TaskNotFound, NOT_FOUND),
    (errors.StatusError, UNFINISHED),
    (errors.DownloadError, DOWNLOAD),
    (errors.NotSent, NOT_SENT),
    (errors.RateLimited, NOT_SENT),
    (errors.BudgetReached, BUDGET),
    (errors.JournalError, JOURNAL),
    (errors.SeeDreamError, FAILED),
)


def exit_for(error: errors.SeeDreamError) -> Exit:
    """Return the exit code of an error of the library."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))
