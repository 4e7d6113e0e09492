"""What can stop a run, each with its exit code (docs/updating.md lists them)."""

from typing import Any, Final

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


_KINDS: Final = {str: "text", list: "a list", dict: "a mapping"}


def check_form(value: Any, form: Any, place: str) -> None:
    """Check that a part of our own inputs has this form: a type, a list of one form, or a mapping; `*` is any key.

    Raises:
        BrokenInputs: It has another one.
    """
    kind: Any = form if isinstance(form, type) else type(form)
    if not isinstance(value, kind):
        raise BrokenInputs(f"{place} must be {_KINDS[kind]}.")
    if isinstance(form, list):
        for number, item in enumerate(value, 1):
            check_form(item, form[0], f"{place}, item {number}")
    elif isinstance(form, dict):
        for key, item in value.items():
            if inner := form.get(key, form.get("*")):
                check_form(item, inner, f"{place}, {key}")
