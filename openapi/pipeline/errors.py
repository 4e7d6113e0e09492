"""What can stop a run, each with its exit code (docs/updating.md lists them)."""

DONE = 0
DIFFERENT = 1
USAGE = 2
DECISION = 3
REFUSED = 4
BROKEN_INPUTS = 5
NOT_FETCHED = 6


class PipelineError(Exception):
    """A run that stops with a message of one paragraph; nothing was replaced."""

    exit_code: int = DIFFERENT


class Different(PipelineError):
    """The committed tree is not what the inputs make."""

    exit_code = DIFFERENT


class RefusedInput(PipelineError):
    """What was given as the new page cannot be read as one."""

    exit_code = REFUSED


class BrokenInputs(PipelineError):
    """One of our own inputs (overlay, ledger, settings, tools) is wrong."""

    exit_code = BROKEN_INPUTS


class DecisionNeeded(PipelineError):
    """A person must decide; the report says about what."""

    exit_code = DECISION


class FetchFailed(PipelineError):
    """The vendor's page could not be fetched."""

    exit_code = NOT_FETCHED
