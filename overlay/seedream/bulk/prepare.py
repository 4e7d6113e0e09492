"""The start of a run in its journal: settings, the jobs that are new, and whether it may go on with this service."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from seedream._support.redact import redact
from seedream.bulk.jobs_file import REDACTED, Planned, read_jobs
from seedream.bulk.options import BulkOptions
from seedream.errors import ConfigError, InvalidRequest
from seedream.journal import Journal, Run

NAME: Final = "bulk"  # of the run in its journal


@frozen
class PreparedRun:
    """What a run begins with.

    Attributes:
        run: In the journal.
        options: The settings that hold.
        redacted_options: Whole options of jobs whose URLs are signed, by key: as far as they are known.
    """

    run: Run
    options: BulkOptions
    redacted_options: Mapping[str, Mapping[str, Any]] = field(repr=False)


def prepare_run(journal: Journal, planned: Planned | None, options: BulkOptions | None, base_url: str) -> PreparedRun:
    """Open the run, made if there is none, and plan the jobs that it does not have yet.

    Args:
        journal: Open for writing.
        planned: The checked jobs; None: only those that the journal has.
        options: Settings; None: those of the last start.
        base_url: The service that it is to be run with.

    Raises:
        ConfigError: It was begun with another service.
        JournalError: A job's id is known with another request.
    """
    earlier = journal.find_run(NAME)
    stored = dict(earlier.options) if earlier is not None else {}
    if options is None:
        options = BulkOptions.restored(stored, earlier.budget if earlier is not None else None)
    service, before = redact(base_url), stored.get("service")
    if before not in (None, service) and not options.moved:
        raise ConfigError(
            f"this folder's run belongs to the service at {before}, not {service}",
            hint="Use another output folder, or say that the service has moved (moved=True, --moved).",
        )
    file = stored.get("jobs")
    if planned is not None:
        file = str(planned.path) if planned.path is not None else None
    run = journal.run(NAME, {**options.stored(), "jobs": file, "service": service}, budget=options.budget)
    if planned is None:
        return PreparedRun(run, options, _redacted_options(journal, run, file))
    journal.plan(run.id, planned.plans)
    return PreparedRun(run, options, planned.redacted_options)


def _redacted_options(journal: Journal, run: Run, file: str | None) -> Mapping[str, Mapping[str, Any]]:
    """Signed URLs are not in the journal: a resume looks them up in the jobs file, if it is still there."""
    wanted = any(REDACTED in job.request for job in journal.jobs(run.id, ("planned",)))
    try:
        return read_jobs(file).redacted_options if wanted and file is not None else {}
    except InvalidRequest:
        return {}
