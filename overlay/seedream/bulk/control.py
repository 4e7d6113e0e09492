"""Whether a run may go on submitting: shared by everything that works on it."""

from typing import Final, Literal

from seedream.bulk.rate_control import CircuitBreaker, SlowStart
from seedream.bulk.report import Reason

Stage = Literal["tasks", "downloads"]
_UNKNOWN_SHARE: Final = 0.01  # of submissions
_FAILED_SHARE: Final = 0.25  # of deliveries: some prompts are refused by the service's filter


class RunControl:
    """Stops the submissions of a run, with a reason. What is paid is brought home all the same.

    Args:
        in_flight: The user's limit of tasks that are submitted and not yet saved.
        max_failures: So many failures in a row stop the run; 0: never.

    Attributes:
        reason: Why nothing more is submitted; None while the run goes on.
        error: The error that led to it, if there was one.
        window: How many tasks may be outstanding.
    """

    def __init__(self, in_flight: int, max_failures: int) -> None:
        self.reason: Reason | None = None
        self.error: Exception | None = None
        self.window = SlowStart(in_flight)
        self._submissions = CircuitBreaker(max_failures, _UNKNOWN_SHARE)
        self._deliveries = CircuitBreaker(max_failures, _FAILED_SHARE)

    @property
    def stopping(self) -> bool:
        """Whether nothing more is to be submitted."""
        return self.reason is not None

    def stop(self, reason: Reason, error: Exception | None = None) -> None:
        """Submit nothing more. The first reason is the one that is reported."""
        if self.reason is None:
            self.reason, self.error = reason, error

    def interrupt(self, reason: Reason) -> None:
        """The user stops the run: this goes before any other reason."""
        self.reason, self.error = reason, None

    def answered(self) -> None:
        """A submission got a usable answer."""
        self._submissions.succeeded()

    def unanswered(self, error: Exception) -> None:
        """A submission became unknown."""
        if self._submissions.failed():
            self.stop("unknowns", error)

    def delivered(self) -> None:
        """All pictures of a job are saved."""
        self.window.succeeded()
        self._deliveries.succeeded()

    def undelivered(self, stage: Stage, error: Exception) -> None:
        """A task that was paid for in this run failed, or its pictures could not be saved."""
        self.window.failed()
        if self._deliveries.failed():
            self.stop(stage, error)
