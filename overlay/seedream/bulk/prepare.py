"""The start of a run in its journal: settings, what the jobs file adds and changes, and whether it may go on."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import field, frozen

from seedream._support.redact import redact
from seedream._support.server_text import first_few
from seedream._support.shell import shell_command
from seedream.bulk.folder import Folder
from seedream.bulk.jobs_file import Planned, read_jobs
from seedream.bulk.options import BulkOptions
from seedream.errors import ConfigError, InvalidRequest, JournalError, JournalFull
from seedream.journal import Job, Journal, ReadOnlyJournal, Run

NAME: Final = "bulk"  # of the run in its journal


@frozen
class PreparedRun:
    """What a run begins with.

    Attributes:
        journal: Open for writing.
        run: In the journal.
        options: The settings.
        redacted_options: Whole options of jobs whose URLs are signed, by key: as far as they are known.
        changes: What the jobs file changed in the queue, in sentences.
    """

    journal: Journal
    run: Run
    options: BulkOptions
    redacted_options: Mapping[str, Mapping[str, Any]] = field(repr=False)
    changes: tuple[str, ...] = ()


def open_journal(
    folder: Folder, *, clock: Callable[[], float] = time.time, make: bool = True, records_lost: bool = False
) -> Journal:
    """Open the journal of an output folder for writing.

    Args:
        folder: The folder.
        clock: Seconds since the epoch.
        make: Make folder and journal where they are missing.
        records_lost: Open it although records are missing: the jobs that they held may be paid for again.

    Raises:
        JournalError: The folder has no journal and ``make`` is False, or its journal lost records or cannot be used.
    """
    found = folder.has_journal
    if not found and not records_lost:
        folder.check_known(None)
    if not make and not found:
        raise JournalError(f"there is no bulk run in {folder.root}", hint="Start one with a jobs file.")
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalFull(f"cannot make {folder.root}: {error.strerror or error}", hint="Check the path.") from None
    journal = Journal(folder.journal, clock=clock, records_lost=records_lost)
    try:
        if not records_lost:
            folder.check_known(journal)
    except BaseException:
        journal.close()
        raise
    return journal


def start_run(
    folder: Folder,
    planned: Planned | None,
    options: BulkOptions,
    base_url: str,
    *,
    clock: Callable[[], float] = time.time,
    make: bool = True,
) -> PreparedRun:
    """Open the journal of an output folder and prepare its run: see `open_journal` and `prepare_run`.

    Pictures and results that a journal without its latest records does not know are put aside once it is accepted.

    Raises:
        ConfigError, JournalError: The start is refused, and has changed nothing.
    """
    if options.records_lost and folder.has_journal:
        # Opened for writing, a journal counts as complete from then on: whether this start is refused shows on a copy.
        with TemporaryDirectory() as scratch:
            trial = Path(scratch) / folder.journal.name
            with ReadOnlyJournal(folder.journal, records_lost=True) as reader:
                reader.copy_to(trial)
            with Journal(trial) as copy:
                prepare_run(copy, planned, options, base_url, folder=folder.root)
    journal = open_journal(folder, clock=clock, make=make, records_lost=options.records_lost)
    try:
        prepared = prepare_run(journal, planned, options, base_url)
        if options.records_lost:
            folder.set_aside(journal)
    except BaseException:
        journal.close()
        raise
    return prepared


def prepare_run(
    journal: Journal, planned: Planned | None, options: BulkOptions, base_url: str, *, folder: Path | None = None
) -> PreparedRun:
    """Open the run, made if there is none, and take over the jobs.

    With jobs: those that the run does not have are planned. Where they come from the same file as before, that file is
    what is meant: planned jobs that it no longer holds are dropped, and those that it changed take the new request.
    Without jobs: the file of the last start must still say what is planned, unless ``options.as_planned``. What is
    refused changes nothing.

    Args:
        journal: Open for writing.
        planned: The checked jobs; None: only those that the journal has.
        options: Settings.
        base_url: The service that it is to be run with.
        folder: The output folder, for messages; by default the journal's.

    Raises:
        ConfigError: It was begun with another service, or its jobs file has changed.
        JournalError: A job's id is known with another request, which was sent.
    """
    earlier = journal.find_run(NAME)
    stored = dict(earlier.options) if earlier is not None else {}
    service, before = redact(base_url), stored.get("service")
    charged = earlier is not None and earlier.spent > 0  # task ids and unknown jobs belong to the service
    if before not in (None, service) and charged and not options.moved:
        raise ConfigError(
            f"this folder's run belongs to the service at {before}, not {service}",
            hint="Use another output folder, or say that the service has moved (moved=True, --moved).",
        )
    queue = list(journal.jobs(earlier.id, ("planned",))) if earlier is not None else []
    file, encoding = stored.get("jobs"), stored.get("encoding")
    if planned is None:
        redacted = _check_unchanged(queue, file, encoding, options, folder or journal.path.parent)
        gone, changes = list[Job](), tuple[str, ...]()
    else:
        same_file = planned.path is not None and str(planned.path) == file
        redacted, (gone, changes) = planned.redacted_options, _reconcile(queue, planned) if same_file else ([], ())
        file, encoding = str(planned.path) if planned.path is not None else None, planned.encoding
    settings = {**options.stored(), "jobs": file, "encoding": encoding, "service": service}
    plans = planned.plans if planned is not None else ()
    run = journal.run(NAME, settings, budget=options.budget, dropped=gone, plans=plans)
    return PreparedRun(journal, run, options, redacted, changes)


def _reconcile(queue: Sequence[Job], planned: Planned) -> tuple[list[Job], tuple[str, ...]]:
    """Return the planned jobs that the file no longer holds, and sentences about them and those that it changed."""
    digests = {plan.key: plan.digest for plan in planned.plans}
    gone = [job for job in queue if job.key not in digests and job.line is not None]
    changed = [job for job in queue if digests.get(job.key, job.digest) != job.digest]
    name = planned.path.name if planned.path is not None else "the jobs file"
    sentences = []
    if gone:
        sentences.append(f"Dropped, because {name} no longer contains them: {_ids(gone)}.")
    if changed:
        sentences.append(f"Changed as {name} says: {_ids(changed)}.")
    return gone, tuple(sentences)


def _check_unchanged(
    queue: Sequence[Job], file: str | None, encoding: str | None, options: BulkOptions, folder: Path
) -> Mapping[str, Mapping[str, Any]]:
    """Refuse a resume whose jobs file says something else than what is planned; gives the jobs with signed URLs.

    A file that is no longer there is not needed: what is planned is in the journal.
    """
    if not queue or file is None or not Path(file).exists():
        return {}
    hint = (
        f"To take the file as it is now: {shell_command('seedream bulk run', [file], ['-o', str(folder)])}. "
        "To go on with what is planned: resume with --as-planned (as_planned=True)."
    )
    try:
        planned = read_jobs(file, encoding=encoding, allow_unrecognized_sources=options.allow_unrecognized_sources)
    except InvalidRequest as error:
        if options.as_planned:
            return {}
        raise ConfigError(f"{file} has changed since its jobs were planned: {error.message}", hint=hint) from None
    digests = {plan.key: plan.digest for plan in planned.plans}
    other = [job for job in queue if job.line is not None and digests.get(job.key) != job.digest]
    if other and not options.as_planned:
        raise ConfigError(f"{file} has changed since its jobs were planned: {_ids(other)}", hint=hint)
    return planned.redacted_options


def _ids(jobs: Sequence[Job]) -> str:
    return first_few([job.key for job in jobs])
