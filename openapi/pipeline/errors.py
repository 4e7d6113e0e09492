"""What can stop a run, each with its exit code (docs/updating.md lists them)."""

DONE = 0
DECISION = 3


class PipelineError(Exception):
    """A run that stops with a message of one paragraph; nothing was replaced."""

    exit_code: int = 1


class Different(PipelineError):
    """The committed tree is not what the inputs make."""


class RefusedInput(PipelineError):
    """What was given as the new page cannot be read as one."""

    exit_code = 4


class BrokenInputs(PipelineError):
    """One of our own inputs (overlay, ledger, settings, tools) is wrong."""

    exit_code = 5


class DecisionNeeded(PipelineError):
    """A person must decide; the report says about what."""

    exit_code = DECISION


class FetchFailed(PipelineError):
    """The vendor's page could not be fetched."""

    exit_code = 6
