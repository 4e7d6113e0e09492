"""``seedream bulk``: many jobs, one budget, and a journal from which every run can be resumed."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from seedream import AsyncSeeDream, SeeDream
from seedream._support.redact import quote
from seedream._support.server_text import server_text
from seedream.bulk import Bulk, read_jobs
from seedream.cli.bulk_report import bulk_command, bulk_progress, count_lines, exit_for_report, print_report
from seedream.cli.exit_codes import Exit
from seedream.cli.extras import load_extra
from seedream.cli.help_text import Group
from seedream.cli.language import plural, tr
from seedream.cli.options import add_options, json_option, open_client, open_service, service_options
from seedream.cli.terminal import Terminal

_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|m|h))?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_FIRST_PROMPTS: Final = 3
# What can be decided about an unknown job, and the options that say so.
_DECISIONS: Final = {
    "The task is in the console: {command}": ("--taskid", "ID"),
    "Send it again, which may be charged: {command}": ("--again",),
    "Give it up: {command}": ("--give-up",),
}
_FOLDER: Final = click.argument("folder", type=click.Path(path_type=Path))


def _rate(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read ``2``, ``2/s``, ``30/m`` or ``500/h`` as submissions per second."""
    if value is None:
        return None
    found = _RATE.fullmatch(value.strip())
    if found is None or not float(found[1]):
        raise click.BadParameter(f"{value!r} is not a rate: give 2/s, 30/m or 500/h", ctx, param)
    return float(found[1]) / _SECONDS[found[2] or "s"]


# What a run and its resume share; what is not given stays as it was at the last start.
_settings = add_options(
    click.option("--verify", is_flag=True, help="Read all saved pictures again first; fetch what is damaged."),
    click.option("--moved", is_flag=True, help="Go on although the service has another address than before."),
    click.option(
        "--records-lost", is_flag=True, help="Go on without records that are lost: their jobs may be paid again."
    ),
    click.option(
        "--allow-unrecognized-sources",
        is_flag=True,
        default=None,
        help="Send source images in which no picture format is recognised.",
    ),
    click.option(
        "--max-failures", type=click.IntRange(0), metavar="N", help="Pause after so many failures in a row; 0: never."
    ),
    click.option(
        "--timeout", "task_timeout", type=click.FloatRange(0), metavar="SECONDS", help="How long to wait for one task."
    ),
    click.option(
        "--in-flight", type=click.IntRange(1, 1000), metavar="N", help="Tasks submitted and not yet saved, at once."
    ),
    click.option("--budget", type=click.IntRange(0), metavar="IMAGES", help="Stop before more pictures are paid."),
    click.option("--rate", callback=_rate, metavar="N/s|N/m|N/h", help="Submissions per second, minute or hour."),
    click.option("--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Submissions on the way at once."),
)
# For a run on a cluster.
_on_ray = add_options(
    click.option("--pictures", metavar="URI", help="With --ray: where pictures go, for example s3://bucket/prefix."),
    click.option("--workers", type=click.IntRange(1), metavar="N", help="With --ray: how many processes download."),
    click.option(
        "--ray",
        "address",
        is_flag=False,
        flag_value="",
        metavar="[ADDRESS]",
        help="Wait and download on a Ray cluster; without ADDRESS a local one is started for the run.",
    ),
)


@click.group(cls=Group)
def bulk() -> None:
    """Run thousands of prompts from a file; survives crashes and never pays twice.

    \b
      seedream bulk run jobs.csv -o out --budget 500 --rate 30/m
      seedream bulk status out
      seedream bulk resume out

    Every job is recorded in out/journal.sqlite before it is sent. Whatever happens, run or resume again: finished
    jobs are not repeated, and jobs that may have been paid for without an answer are listed and not sent again.
    """  # noqa: D301 -- click's mark for text that stays as it is


@bulk.command("run")
@click.argument("jobs", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The output folder."
)
@click.option("--encoding", metavar="NAME", help="Of the jobs file: utf-8 (the default), gb18030, utf-16 ...")
@click.option("--dry-run", is_flag=True, help="Check the file and print what it costs; send nothing. Needs no key.")
@click.option("--sandbox", is_flag=True, help="Use a local stand-in of the service, started for this run.")
@_settings
@_on_ray
@service_options
@json_option
@click.pass_obj
def run_command(
    terminal: Terminal, /, *, jobs: Path, folder: Path, encoding: str | None, dry_run: bool, sandbox: bool, **given: Any
) -> Exit | None:
    """Run the JOBS of a .jsonl or .csv file; run it again to go on.

    Columns: prompt, and if wanted id, batchsize, resolution, source_images, image_url, category.

    The whole file is checked first, and every problem shown with its line. Pictures, results.jsonl and gallery.html
    go to the output folder.
    """
    if dry_run:
        any_source = bool(given["allow_unrecognized_sources"])
        planned = read_jobs(jobs, encoding=encoding, allow_unrecognized_sources=any_source)
        prompts = [str(plan.request["prompt"]) for plan in planned.plans[:_FIRST_PROMPTS]]
        jobs_text, pictures = plural(len(planned.plans), "job"), plural(planned.images, "picture")
        for prompt in prompts:
            terminal.print_note(quote(prompt))
        terminal.print_result(tr("{jobs}, {pictures}. Nothing was sent.", jobs=jobs_text, pictures=pictures))
        terminal.print_json({"jobs": len(planned.plans), "images": planned.images, "first_prompts": prompts})
        return None
    if sandbox and (given["base_url"] or given["api_key_file"]):
        raise click.UsageError("--sandbox cannot be combined with --base-url or --api-key-file")
    return _work(terminal, folder, jobs, encoding=encoding, sandbox=sandbox, **given)


@bulk.command()
@_FOLDER
@click.option("--as-planned", is_flag=True, help="Go on although the jobs file has changed since.")
@_settings
@_on_ray
@service_options
@json_option
@click.pass_obj
def resume(terminal: Terminal, /, *, folder: Path, **given: Any) -> Exit:
    """Go on with the run in FOLDER, with its settings or new ones."""
    return _work(terminal, folder, None, **given)


def _work(
    terminal: Terminal,
    folder: Path,
    jobs: Path | None,
    *,
    base_url: str | None,
    api_key_file: Path | None,
    address: str | None,
    workers: int | None,
    pictures: str | None,
    encoding: str | None = None,
    sandbox: bool = False,
    **settings: Any,
) -> Exit:
    with open_service(terminal, base_url, api_key_file, sandbox=sandbox) as (key, url):
        run = _bulk(folder, partial(AsyncSeeDream, key, base_url=url), address, workers, pictures)
        options = run.options(**{name: value for name, value in settings.items() if value is not None})
        progress, show = bulk_progress(terminal)
        with progress:
            report = run.run(jobs, encoding=encoding, options=options, watch=show, signals=True)
        print_report(terminal, report, sandbox=sandbox)
    return exit_for_report(report)


def _bulk(
    folder: Path, connect: Callable[[], AsyncSeeDream], address: str | None, workers: int | None, pictures: str | None
) -> Bulk:
    """Return the run, on a cluster where an address is given; an empty one starts a local cluster."""
    if address is None:
        if workers or pictures:
            raise click.UsageError("--workers and --pictures need --ray")
        return Bulk(folder, connect=connect)
    if Path(address).is_file():
        raise click.UsageError(f"--ray takes an address, and {address} is a file: give --ray last")
    for module in ("ray", "pyarrow"):
        load_extra(module, "ray")
    run: Bulk = load_extra("seedream.ray", "ray").RayBulk(
        folder, connect=connect, address=address or None, workers=workers, pictures=pictures
    )
    return run


@bulk.command()
@_FOLDER
@json_option
@click.pass_obj
def status(terminal: Terminal, /, *, folder: Path) -> None:
    """Show how far the run in FOLDER has come; also while it is running."""
    run = Bulk(folder)
    found, counts = run.counts()
    unknown = [job.key for job in run.jobs("unknown")]
    terminal.print_json({"counts": counts, "spent": found.spent, "budget": found.budget, "unknown": unknown})
    for line in count_lines(counts, found.spent, found.budget):
        terminal.print_result(line)
    if counts["unknown"]:
        terminal.print_note(tr("To decide about the unknown jobs: {command}", command=bulk_command("resolve", folder)))


@bulk.command()
@_FOLDER
@click.argument("jobs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All jobs that are still to be sent.")
@json_option
@click.pass_obj
def drop(terminal: Terminal, /, *, folder: Path, jobs: tuple[str, ...], everything: bool) -> None:
    """Give up JOBS of FOLDER that are still to be sent, or all of them. Nothing is charged for them."""
    if bool(jobs) == everything:
        raise click.UsageError("name the jobs to drop, or give --all")
    number = Bulk(folder).drop(*jobs)
    terminal.print_json({"dropped": number})
    terminal.print_result(tr("{jobs} dropped.", jobs=plural(number, "job")))


@bulk.command()
@_FOLDER
@click.argument("target", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def backup(terminal: Terminal, /, *, folder: Path, target: Path) -> None:
    """Copy the journal of FOLDER to the new file TARGET; also while it is running.

    The copy is one file. It is as old as it is: what is sent afterwards is not in it.
    """
    Bulk(folder).backup(target)
    terminal.print_json({"backup": str(target)})
    terminal.print_result(str(target))


@bulk.command()
@_FOLDER
@click.option("--failed", is_flag=True, help="Jobs whose task failed: they may be paid again.")
@click.option("--rejected", is_flag=True, help="Jobs that the service refused.")
@json_option
@click.pass_obj
def retry(terminal: Terminal, /, *, folder: Path, failed: bool, rejected: bool) -> None:
    """Plan failed or rejected jobs of FOLDER again; then resume."""
    if not failed and not rejected:
        raise click.UsageError("give --failed, --rejected or both")
    states = [name for name, wanted in (("failed", failed), ("rejected", rejected)) if wanted]
    number = Bulk(folder).retry(states)  # type: ignore[arg-type]  # two of the states
    terminal.print_json({"planned": number})
    terminal.print_result(tr("{jobs} planned again.", jobs=plural(number, "job")))
    if number:
        terminal.print_note(tr("Next: {command}", command=bulk_command("resume", folder)))


@bulk.command()
@_FOLDER
@click.argument("job", required=False)
@click.option("--taskid", help="The task that you found for it in the vendor's console.")
@click.option("--again", is_flag=True, help="Send it again: it may be paid twice.")
@click.option("--give-up", is_flag=True, help="Neither wait for it nor send it again.")
@click.option("--not-charged", is_flag=True, help="You know that it was not charged: free its share of the budget.")
@service_options
@json_option
@click.pass_obj
def resolve(
    terminal: Terminal,
    /,
    *,
    folder: Path,
    job: str | None,
    taskid: str | None,
    again: bool,
    give_up: bool,
    not_charged: bool,
    base_url: str | None,
    api_key_file: Path | None,
) -> None:
    """List the unknown jobs of FOLDER, or decide about one.

    An unknown job was sent, and no usable answer came: only the vendor's console shows whether it was charged.
    """
    run = Bulk(folder)
    if job is None:
        if taskid or again or give_up or not_charged:
            raise click.UsageError("name the job to decide about")
        unknown = run.jobs("unknown")
        terminal.print_json({"unknown": [{"id": one.key, "line": one.line, "message": one.message} for one in unknown]})
        for one in unknown:
            terminal.print_result(
                tr(
                    "{key}  (line {line}, {pictures}): {message}",
                    key=one.key,
                    line=one.line,
                    pictures=plural(one.cost, "picture"),
                    message=one.message,
                )
            )
        if not unknown:
            terminal.print_result(tr("No job is unknown."))
        else:
            for sentence, words in _DECISIONS.items():
                command = bulk_command("resolve", folder, *words, job=unknown[0].key)
                terminal.print_note(tr(sentence, command=command))
        return
    if sum(map(bool, (taskid, again, give_up))) != 1:
        raise click.UsageError("give one of --taskid, --again and --give-up")
    if taskid:
        with open_client(terminal, base_url, api_key_file) as client:
            _check_task(client, run, job, taskid)
    run.resolve(job, taskid=taskid, again=again, charged=not not_charged)
    terminal.print_json({"id": job, "resolved": True})
    terminal.print_result(tr("Decided."))
    terminal.print_note(tr("Next: {command}", command=bulk_command("resume", folder)))


def _check_task(client: SeeDream, run: Bulk, job: str, taskid: str) -> None:
    """Refuse a task that the service does not know, or that was made from another prompt."""
    made_from = client.query(taskid).prompt
    prompts = [str(one.request.get("prompt")) for one in run.jobs("unknown") if one.key == job]
    if made_from and prompts and made_from != prompts[0]:
        raise click.UsageError(
            f"task {taskid} was made from another prompt: {quote(server_text(made_from, client.service.key))}"
        )


@bulk.command()
@_FOLDER
@json_option
@click.pass_obj
def gallery(terminal: Terminal, /, *, folder: Path) -> None:
    """Write results.jsonl and gallery.html of FOLDER again."""
    run = Bulk(folder)
    run.write()
    terminal.print_json({"results": str(run.folder.results), "gallery": str(run.folder.gallery)})
    terminal.print_result(str(run.folder.gallery))
