"""Each command of ``seedream bulk`` by itself: what it asks of the library, what it prints, and what scripts read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import click
import pytest
from rich.progress import BarColumn
from seedream.bulk import BulkOptions, Report, Snapshot
from seedream.cli import bulk as commands
from seedream.cli import bulk_report, exit_codes
from seedream.cli.bulk_report import (
    bulk_progress,
    count_lines,
    exit_for_report,
    next_commands,
    print_report,
    report_document,
)
from seedream.cli.terminal import Terminal
from seedream.errors import InsufficientCredits
from seedream.journal import STATES, Job, Run
from support.clients import KEY
from support.secret_forms import FORMS

EMPTY = dict.fromkeys(STATES, 0)


def counted(**given: int) -> Any:
    return EMPTY | given


def job(key: str, **more: Any) -> Job:
    given: dict[str, Any] = {
        "line": 3,
        "cost": 2,
        "state": "unknown",
        "taskid": None,
        "message": "lost.",
        "request": {"prompt": key},
    }
    given |= more
    return Job(1, key, "d", given["line"], given["request"], given["cost"], given["state"], 1, given["taskid"], 2, "E",
               given["message"], 0.0)  # fmt: skip


class FakeBulk:
    """A bulk run that keeps what it is asked."""

    calls: list[Any]
    report: Report
    unknown: tuple[Job, ...]

    def __init__(self, folder: Path, *, connect: Any = None, **more: Any) -> None:
        from seedream.bulk import Bulk  # noqa: PLC0415 -- the real one is replaced where it is looked up

        self.folder = Bulk(folder).folder
        self.calls.append(("made", folder, connect, more))

    def options(self, **changed: Any) -> BulkOptions:
        self.calls.append(("options", changed))
        return BulkOptions(**changed)

    def run(self, jobs: Any, **given: Any) -> Report:
        self.calls.append(("run", jobs, given))
        return self.report

    def counts(self) -> Any:
        return Run(1, "bulk", {}, 9, 7), counted(downloaded=1200, unknown=len(self.unknown))

    def jobs(self, *states: str) -> list[Job]:
        assert states == ("unknown",)
        return list(self.unknown)

    def drop(self, *keys: str) -> int:
        self.calls.append(("drop", keys))
        return len(keys) or 2

    def backup(self, target: Path) -> None:
        self.calls.append(("backup", target))

    def retry(self, states: Any) -> int:
        self.calls.append(("retry", states))
        return len(states) - 1

    def resolve(self, key: str, **given: Any) -> None:
        self.calls.append(("resolve", key, given))

    def write(self) -> None:
        self.calls.append(("write",))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeBulk]:
    FakeBulk.calls = []
    FakeBulk.unknown = ()
    FakeBulk.report = Report("done", counted(downloaded=1), 1, Path("out"))
    monkeypatch.setattr(commands, "Bulk", FakeBulk)
    return FakeBulk


# run and resume.

PLAIN = {"allow_unrecognized_sources": None, "records_lost": False, "moved": False, "verify": False}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ([], {}),
        (["--concurrency", "3"], {"concurrency": 3}),
        (["--rate", "30/m"], {"rate": 0.5}),
        (["--budget", "0"], {"budget": 0}),
        (["--in-flight", "5"], {"in_flight": 5}),
        (["--timeout", "0"], {"task_timeout": 0.0}),
        (["--max-failures", "0"], {"max_failures": 0}),
        (["--allow-unrecognized-sources"], {"allow_unrecognized_sources": True}),
        (["--records-lost"], {"records_lost": True}),
        (["--moved"], {"moved": True}),
        (["--verify"], {"verify": True}),
    ],
)
@pytest.mark.parametrize("command", ["run", "resume"])
def test_only_the_settings_that_are_given_change_those_of_the_last_start(
    cli: Any, fake: type[FakeBulk], command: str, words: list[str], changed: dict[str, Any]
) -> None:
    given = ["bulk", "run", "jobs.csv", "-o", "out"] if command == "run" else ["bulk", "resume", "out"]
    ran = cli(*given, *words, TENSORSLAB_BASE_URL="https://api.example")
    assert (ran.code, ran.out) == (0, "out/gallery.html\n")
    (made, folder, connect, more), (_, options), (_, jobs, run) = fake.calls
    flags = {"records_lost": False, "moved": False, "verify": False}
    if command == "resume":
        flags["as_planned"] = False
    assert options == flags | changed
    assert (made, folder, more) == ("made", Path("out"), {})
    assert (connect.args, connect.keywords) == ((KEY,), {"base_url": "https://api.example"})
    assert jobs == (Path("jobs.csv") if command == "run" else None)
    assert callable(run.pop("watch"))
    assert run == {"encoding": None, "options": BulkOptions(**options), "signals": True}


@pytest.mark.parametrize("words", [["run", "j.csv", "-o", "out"], ["resume", "out"]])
def test_the_key_of_a_file_is_used(cli: Any, fake: type[FakeBulk], words: list[str]) -> None:
    Path("key").write_text("sk-of-the-file")
    assert cli("bulk", *words, "--api-key-file", "key", "--base-url", "https://x.example").code == 0
    connect = fake.calls[0][2]
    assert (connect.args, connect.keywords) == (("sk-of-the-file",), {"base_url": "https://x.example"})


def test_what_only_one_of_the_two_has(cli: Any, fake: type[FakeBulk]) -> None:
    assert cli("bulk", "resume", "out", "--as-planned").code == 0
    assert fake.calls[1][1]["as_planned"] is True
    assert cli("bulk", "run", "j.csv", "-o", "out", "--encoding", "gbk").code == 0
    assert fake.calls[-1][2]["encoding"] == "gbk"
    assert cli("bulk", "run", "j.csv").code == 2, "an output folder is needed"
    assert cli("bulk", "run", "j.csv", "-o", "out", "--as-planned").code == 2
    assert cli("bulk", "resume", "out", "--encoding", "gbk").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers", "2"], "--workers and --pictures need --ray"),
        (["--pictures", "s3://b"], "--workers and --pictures need --ray"),
        (["--ray", "file"], "--ray takes an address, and file is a file: give --ray last"),
        (["--sandbox", "--base-url", "https://x"], "--sandbox cannot be combined with --base-url or --api-key-file"),
        (["--sandbox", "--api-key-file", "k"], "--sandbox cannot be combined with --base-url or --api-key-file"),
    ],
)
def test_options_that_do_not_go_together(cli: Any, fake: type[FakeBulk], words: list[str], said: str) -> None:
    Path("file").touch()
    ran = cli("bulk", "run", "j.csv", "-o", "out", *words)
    assert (ran.code, f"Error: {said}" in ran.err) == (2, True)
    assert not [call for call in fake.calls if call[0] == "run"]


def test_a_run_on_a_cluster_gets_its_address_workers_and_pictures(
    cli: Any, fake: type[FakeBulk], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def load(module: str, extra: str) -> Any:
        asked.append((module, extra))
        return SimpleNamespace(RayBulk=fake)

    monkeypatch.setattr(commands, "load_extra", load)
    words = ["--ray", "ray://head:1", "--workers", "2", "--pictures", "s3://b"]
    assert cli("bulk", "run", "j.csv", "-o", "out", *words).code == 0
    assert asked == [("ray", "ray"), ("pyarrow", "ray"), ("seedream.ray", "ray")]
    assert fake.calls[0][3] == {"address": "ray://head:1", "workers": 2, "pictures": "s3://b"}
    assert fake.calls[0][2].args == (KEY,)
    assert set(fake.calls[1][1]) == {"records_lost", "moved", "verify"}
    fake.calls.clear()
    assert cli("bulk", "resume", "out", "--ray").code == 0
    assert fake.calls[0][3] == {"address": None, "workers": None, "pictures": None}


def test_a_run_in_the_sandbox_pays_nothing_and_has_another_seed_each_time(
    cli: Any, fake: type[FakeBulk], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    @contextmanager
    def sandbox(seed: int) -> Iterator[Any]:
        seeds.append(seed)
        yield SimpleNamespace(base_url="http://127.0.0.1:1", api_key="play")

    known = {("seedream_sandbox", "sandbox"): SimpleNamespace(Sandbox=sandbox)}
    monkeypatch.setattr("seedream.cli.options.load_extra", lambda *asked: known[asked])
    fake.report = Report("interrupted", counted(planned=1), 0, Path("out"))
    for _ in range(2):
        ran = cli("bulk", "run", "j.csv", "-o", "out", "--sandbox", "--budget", "3", TENSORSLAB_API_KEY=None)
    assert ran.code == 130
    assert "Sandbox at http://127.0.0.1:1: nothing leaves this machine, nothing is paid.\n" in ran.err
    assert "The sandbox and its tasks are gone." in ran.err
    assert "seedream bulk resume" not in ran.err
    (_, _, connect, _), (_, options), (_, jobs, _) = fake.calls[:3]
    assert (connect.args, connect.keywords) == (("play",), {"base_url": "http://127.0.0.1:1"})
    assert (options, jobs) == ({"records_lost": False, "moved": False, "verify": False, "budget": 3}, Path("j.csv"))
    assert seeds[0] != seeds[1]
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_dry_run_shows_the_first_prompts_and_the_cost(cli: Any, fake: type[FakeBulk]) -> None:
    Path("j.jsonl").write_text("".join(f'{{"prompt": "p{n}", "batchsize": 2}}\n' for n in range(5)))
    ran = cli("bulk", "run", "j.jsonl", "-o", "out", "--dry-run", TENSORSLAB_API_KEY=None)
    assert (ran.code, ran.out, ran.err) == (0, "5 jobs, 10 pictures. Nothing was sent.\n", "“p0”\n“p1”\n“p2”\n")
    document = cli("bulk", "run", "j.jsonl", "-o", "out", "--dry-run", "--json").document
    assert document == {"jobs": 5, "images": 10, "first_prompts": ["p0", "p1", "p2"]}
    Path("a.bin").write_bytes(b"no picture")
    Path("s.jsonl").write_text('{"prompt": "p", "source_images": "a.bin"}')
    assert cli("bulk", "run", "s.jsonl", "-o", "out", "--dry-run").code == 3
    assert cli("bulk", "run", "s.jsonl", "-o", "out", "--dry-run", "--allow-unrecognized-sources").code == 0
    assert fake.calls == []


@pytest.mark.parametrize(
    ("text", "rate"),
    [("2", 2.0), ("2/s", 2.0), ("30/m", 0.5), ("7200/h", 2.0), (" 1.5 ", 1.5), ("0.5/s", 0.5), (None, None)],
)
def test_a_rate_is_read_as_submissions_per_second(text: str | None, rate: float | None) -> None:
    assert commands._rate(None, None, text) == rate  # type: ignore[arg-type]  # only for messages


@pytest.mark.parametrize("text", ["0", "0.0/m", "-1", "1/d", "x", "", "1/", "1.", "2 /s"])
def test_a_text_that_is_not_a_rate(text: str) -> None:
    context, param = click.Context(click.Command("x")), click.Option(["--rate"])
    with pytest.raises(click.BadParameter) as caught:
        commands._rate(context, param, text)
    assert caught.value.message == f"{text!r} is not a rate: give 2/s, 30/m or 500/h"
    assert (caught.value.ctx, caught.value.param) == (context, param)


# The other commands.


def test_status(cli: Any, fake: type[FakeBulk]) -> None:
    ran = cli("bulk", "status", "out")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "1,200  saved\n    7  of 9 pictures that may be charged\n"
    fake.unknown = (job("a"), job("b"))
    ran = cli("bulk", "status", "out")
    assert ran.out.splitlines()[1] == "    2  sent without a usable answer"
    assert ran.err == "To decide about the unknown jobs: seedream bulk resolve out\n"
    # Rule: a command that is shown can be copied, whatever the folder is called.
    assert cli("bulk", "status", "my out").err.endswith(": seedream bulk resolve 'my out'\n")
    assert cli("bulk", "status", "out", "--json").document == {
        "counts": counted(downloaded=1200, unknown=2), "spent": 7, "budget": 9, "unknown": ["a", "b"],
    }  # fmt: skip
    assert fake.calls[0][:2] == ("made", Path("out"))


def test_drop(cli: Any, fake: type[FakeBulk]) -> None:
    for words in ([], ["a", "--all"]):
        ran = cli("bulk", "drop", "out", *words)
        assert (ran.code, "Error: name the jobs to drop, or give --all" in ran.err) == (2, True)
    assert fake.calls == []
    assert cli("bulk", "drop", "out", "a").out == "1 job dropped.\n"
    assert cli("bulk", "drop", "out", "--all").out == "2 jobs dropped.\n"
    assert cli("bulk", "drop", "out", "a", "b", "c", "--json").document == {"dropped": 3}
    assert [call[1] for call in fake.calls if call[0] == "drop"] == [("a",), (), ("a", "b", "c")]


def test_backup_and_gallery(cli: Any, fake: type[FakeBulk]) -> None:
    assert cli("bulk", "backup", "out", "copy").out == "copy\n"
    assert cli("bulk", "backup", "out", "copy", "--json").document == {"backup": "copy"}
    assert fake.calls[1] == ("backup", Path("copy"))
    assert cli("bulk", "gallery", "out").out == "out/gallery.html\n"
    assert cli("bulk", "gallery", "out", "--json").document == {
        "results": "out/results.jsonl", "gallery": "out/gallery.html",
    }  # fmt: skip
    assert [call for call in fake.calls if call[0] == "write"] == [("write",)] * 2


@pytest.mark.parametrize(
    ("words", "states"),
    [(["--failed"], ["failed"]), (["--rejected"], ["rejected"]), (["--rejected", "--failed"], ["failed", "rejected"])],
)
def test_retry(cli: Any, fake: type[FakeBulk], words: list[str], states: list[str]) -> None:
    ran = cli("bulk", "retry", "my out", *words)
    assert fake.calls[1] == ("retry", states)
    number = len(states) - 1
    assert ran.out == ("1 job planned again.\n" if number else "0 jobs planned again.\n")
    assert ran.err == ("Next: seedream bulk resume 'my out'\n" if number else "")
    assert cli("bulk", "retry", "my out", *words, "--json").document == {"planned": number}


def test_retry_needs_a_state(cli: Any, fake: type[FakeBulk]) -> None:
    ran = cli("bulk", "retry", "out")
    assert (ran.code, "Error: give --failed, --rejected or both" in ran.err) == (2, True)
    assert fake.calls == []


def test_unknown_jobs_are_listed_with_the_ways_to_decide(cli: Any, fake: type[FakeBulk]) -> None:
    assert cli("bulk", "resolve", "out").out == "No job is unknown.\n"
    assert cli("bulk", "resolve", "out").err == ""
    fake.unknown = (job("a b"), job("c", line=4, cost=1, message="cut."))
    ran = cli("bulk", "resolve", "my out")
    assert ran.out == "a b  (line 3, 2 pictures): lost.\nc  (line 4, 1 picture): cut.\n"
    for folder in ("my out", "{0} {x}"):
        start = f"seedream bulk resolve '{folder}'"
        assert cli("bulk", "resolve", folder).err.splitlines() == [
            f"The task is in the console: {start} 'a b' --taskid ID",
            f"Send it again, which may be charged: {start} 'a b' --again",
            f"Give it up: {start} 'a b' --give-up",
        ]
    assert cli("bulk", "resolve", "my out", "--json").document == {
        "unknown": [{"id": "a b", "line": 3, "message": "lost."}, {"id": "c", "line": 4, "message": "cut."}]
    }


@pytest.mark.parametrize("words", [["--taskid", "t"], ["--again"], ["--give-up"], ["--not-charged"]])
def test_a_decision_needs_a_job(cli: Any, fake: type[FakeBulk], words: list[str]) -> None:
    ran = cli("bulk", "resolve", "out", *words)
    assert (ran.code, "Error: name the job to decide about" in ran.err) == (2, True)
    assert not [call for call in fake.calls if call[0] == "resolve"]


@pytest.mark.parametrize(
    "words",
    [[], ["--not-charged"], ["--again", "--give-up"], ["--taskid", "t", "--again"], ["--taskid", "t", "--give-up"],
     ["--taskid", "t", "--again", "--give-up"]],
)  # fmt: skip
def test_a_job_gets_one_decision(cli: Any, fake: type[FakeBulk], words: list[str]) -> None:
    ran = cli("bulk", "resolve", "out", "a", *words)
    assert (ran.code, "Error: give one of --taskid, --again and --give-up" in ran.err) == (2, True)
    assert not [call for call in fake.calls if call[0] == "resolve"]


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["--again"], {"taskid": None, "again": True, "charged": True}),
        (["--give-up"], {"taskid": None, "again": False, "charged": True}),
        (["--again", "--not-charged"], {"taskid": None, "again": True, "charged": False}),
        (["--give-up", "--not-charged"], {"taskid": None, "again": False, "charged": False}),
    ],
)
def test_a_decision_is_handed_on(cli: Any, fake: type[FakeBulk], words: list[str], given: dict[str, Any]) -> None:
    ran = cli("bulk", "resolve", "my out", "a", *words, TENSORSLAB_API_KEY=None)
    assert (ran.code, ran.out, ran.err) == (0, "Decided.\n", "Next: seedream bulk resume 'my out'\n")
    assert fake.calls[-1] == ("resolve", "a", given)
    assert cli("bulk", "resolve", "my out", "a", *words, "--json").document == {"id": "a", "resolved": True}


class Console:
    """A client of the service that knows one task, made from this prompt."""

    service = SimpleNamespace(key=KEY)

    def __init__(self, prompt: str, opened: list[Any]) -> None:
        self.prompt, self.opened = prompt, opened

    def __call__(self, terminal: Any, base_url: Any, api_key_file: Any) -> Self:
        assert isinstance(terminal, Terminal)
        self.opened.append((base_url, api_key_file))
        return self

    def query(self, taskid: str) -> Any:
        return SimpleNamespace(taskid=taskid, prompt=self.prompt)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.append("closed")


@pytest.mark.parametrize("made_from", ["fish", "a fish ", "a", "A fish", "a fish\n", "a  fish"])
@pytest.mark.parametrize("words", [[], ["--base-url", "https://x"], ["--api-key-file", "k"]])
def test_a_found_task_of_a_prompt_that_is_only_alike_is_refused(
    cli: Any, fake: type[FakeBulk], monkeypatch: pytest.MonkeyPatch, made_from: str, words: list[str]
) -> None:
    fake.unknown, opened = (job("a", request={"prompt": "a fish"}),), list[Any]()
    monkeypatch.setattr(commands, "open_client", Console(made_from, opened))
    assert cli("bulk", "resolve", "out", "a", "--taskid", "t-9", *words).code == 2
    assert opened == [("https://x" if "--base-url" in words else None, Path("k") if "k" in words else None), "closed"]
    assert not [call for call in fake.calls if call[0] == "resolve"]


@pytest.mark.parametrize("form", FORMS)
def test_of_another_prompt_nothing_of_the_key_is_shown(
    cli: Any, fake: type[FakeBulk], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    fake.unknown = (job("a"),)
    monkeypatch.setattr(commands, "open_client", Console(f"a fish {FORMS[form]}", []))
    ran = cli("bulk", "resolve", "out", "a", "--taskid", "t-9")
    assert (ran.code, "[removed]" in ran.err, FORMS[form] in ran.err) == (2, True, False)


@pytest.mark.parametrize("fails", [False, True])
def test_the_progress_of_a_run_ends_before_its_report_whatever_happens(
    cli: Any, fake: type[FakeBulk], monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    @contextmanager
    def shown() -> Iterator[None]:
        fake.calls.append("shown")
        try:
            yield
        finally:
            fake.calls.append("ended")

    def run(_: FakeBulk, *given: Any, **more: Any) -> Report:
        del given, more
        fake.calls.append("run")
        if fails:
            raise InsufficientCredits("no more")
        return fake.report

    monkeypatch.setattr(commands, "bulk_progress", lambda _: (shown(), print))
    monkeypatch.setattr(commands, "print_report", lambda *_, **__: fake.calls.append("report"))
    monkeypatch.setattr(fake, "run", run)
    assert cli("bulk", "resume", "out", TENSORSLAB_BASE_URL="https://api.example").code == (5 if fails else 0)
    assert fake.calls[2:] == ["shown", "run", "ended", *([] if fails else ["report"])]


@pytest.mark.parametrize(
    ("made_from", "known", "accepted"),
    [("a", True, True), ("b", True, False), ("", True, True), (None, True, True), ("b", False, True)],
)
def test_a_found_task_is_that_of_the_job_s_prompt(
    cli: Any, fake: type[FakeBulk], monkeypatch: pytest.MonkeyPatch, made_from: str | None, known: bool, accepted: bool
) -> None:
    fake.unknown = (job("a"), job("b")) if known else (job("b"),)
    opened: list[Any] = []

    class Client:
        service = SimpleNamespace(key=KEY)

        def query(self, taskid: str) -> Any:
            assert taskid == "t-9"
            return SimpleNamespace(prompt=made_from)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            opened.append("closed")

    def open_client(terminal: Any, base_url: Any, api_key_file: Any) -> Client:
        assert isinstance(terminal, Terminal)
        opened.append((base_url, api_key_file))
        return Client()

    monkeypatch.setattr(commands, "open_client", open_client)
    words = ["--taskid", "t-9", "--base-url", "https://x", "--api-key-file", "k"]
    ran = cli("bulk", "resolve", "out", "a", *words)
    assert opened == [("https://x", Path("k")), "closed"]
    if accepted:
        assert ran.code == 0
        assert fake.calls[-1] == ("resolve", "a", {"taskid": "t-9", "again": False, "charged": True})
    else:
        assert (ran.code, "Error: task t-9 was made from another prompt: “b”" in ran.err) == (2, True)
        assert not [call for call in fake.calls if call[0] == "resolve"]


# The report.

# Typed by hand: scripts rely on these.
CODES = {
    "done": 0, "credits": 5, "budget": 11, "key": 4, "setup": 4, "disk": 10, "machine": 71, "network": 75,
    "rate_limited": 75, "unknowns": 75, "tasks": 75, "downloads": 75, "interrupted": 130, "cancelled": 130,
}  # fmt: skip


@pytest.mark.parametrize(("reason", "code"), CODES.items())
def test_each_end_of_a_run_has_its_code(reason: Any, code: int) -> None:
    report = Report(reason, counted(downloaded=1), 1, Path())
    assert exit_for_report(report).code == code
    if reason != "done":
        assert exit_for_report(Report(reason, counted(unknown=1, failed=1), 1, Path())).code == code
        assert bulk_report._EXITS[reason] in exit_codes.TABLE


def test_what_is_left_of_a_run_that_is_done_decides_by_how_much_it_needs_its_user() -> None:
    codes = {
        "unknown": 6,
        "submitted": 7,
        "succeeded": 8,
        "rejected": 1,
        "failed": 1,
        "planned": 1,
    }  # by hand, in order
    for number, (state, code) in enumerate(codes.items()):
        rest = dict.fromkeys(list(codes)[number:], 1)
        for counts in (rest, {state: 1, "downloaded": 5, "abandoned": 1}):
            assert exit_for_report(Report("done", counted(**counts), 1, Path())).code == code, state
    for settled in ("downloaded", "abandoned"):
        assert exit_for_report(Report("done", counted(**{settled: 1}), 1, Path())).code == 0


def test_each_state_that_has_jobs_has_a_line() -> None:
    counts = dict(zip(STATES, (1, 2, 3, 4, 5, 1006, 7, 8, 9), strict=True))
    assert count_lines(counts, 12) == [
        "1,006  saved",
        "    4  made, pictures not all saved",
        "    3  accepted by the service, not finished",
        "    2  being sent",
        "    1  still to be sent",
        "    5  failed on the service",
        "    8  refused by the service, not charged",
        "    7  sent without a usable answer",
        "    9  given up",
        "   12  pictures that may have been charged",
    ]
    assert count_lines(EMPTY, 0) == ["0  pictures that may have been charged"]
    assert count_lines(EMPTY, 1200, 3400) == ["1,200  of 3,400 pictures that may be charged"]
    assert count_lines(EMPTY, 0, 0) == ["0  of 0 pictures that may be charged"]


TO_DECIDE = ("To decide about the unknown jobs: {command}", "seedream bulk resolve 'my out'")
AGAIN = "To send failed or refused jobs again, which may be charged: {command}"


@pytest.mark.parametrize(
    ("reason", "counts", "more", "expected"),
    [
        ("done", counted(downloaded=2), {}, []),
        ("done", counted(unknown=1), {}, [TO_DECIDE]),
        ("done", counted(failed=1), {}, [(AGAIN, "seedream bulk retry 'my out' --failed")]),
        ("done", counted(rejected=1), {}, [(AGAIN, "seedream bulk retry 'my out' --rejected")]),
        ("done", counted(rejected=1, failed=2), {}, [(AGAIN, "seedream bulk retry 'my out' --failed --rejected")]),
        ("credits", counted(planned=1), {"planned_images": 5},
         [("To go on: {command}", "seedream bulk resume 'my out'")]),
        ("budget", counted(planned=1), {"planned_images": 5},
         [("To go on: {command}", "seedream bulk resume 'my out' --budget 12")]),
        ("disk", counted(submitting=1, unknown=1, failed=1), {"unrecorded": {"a b": "t 1", "c": "t-2"}}, [
            ("To record the task id once there is room: {command}",
             "seedream bulk resolve 'my out' 'a b' --taskid 't 1'"),
            ("To record the task id once there is room: {command}", "seedream bulk resolve 'my out' c --taskid t-2"),
            TO_DECIDE,
            (AGAIN, "seedream bulk retry 'my out' --failed"),
            ("To go on: {command}", "seedream bulk resume 'my out'"),
        ]),
    ],
)  # fmt: skip
def test_what_to_do_next(reason: Any, counts: Any, more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert next_commands(Report(reason, counts, 7, Path("my out"), **more)) == expected


def test_the_document_of_a_report() -> None:
    error = InsufficientCredits("none")
    report = Report(
        "credits", counted(planned=2, downloaded=1), 3, Path("out"), error, {"a": "t"}, 2, ("w.",), ("c.",)
    )  # fmt: skip
    document = report_document(report)
    assert document.pop("error")["type"] == "InsufficientCredits"
    assert document == {
        "reason": "credits", "message": "The account has not enough credits.",
        "counts": counted(planned=2, downloaded=1), "spent": 3, "left": 2, "unrecorded": {"a": "t"},
        "warnings": ["w."], "changes": ["c."],
        "next": ["seedream bulk resolve out a --taskid t", "seedream bulk resume out"],
        "results": "out/results.jsonl", "gallery": "out/gallery.html", "exit_code": 5,
    }  # fmt: skip
    assert report_document(Report("disk", EMPTY, 0, Path("o"), ValueError("x")))["error"] is None
    assert report_document(Report("done", EMPTY, 0, Path("o")))["error"] is None


def printed(capsys: pytest.CaptureFixture[str], report: Report, **more: Any) -> tuple[str, list[str]]:
    terminal = Terminal(as_json=more.pop("as_json", False))
    print_report(terminal, report, **more)
    out, err = capsys.readouterr()
    return out, err.splitlines()


def test_a_printed_report_says_what_happened_what_was_lost_and_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    error = InsufficientCredits("the account is empty", hint="Top up.")
    report = Report(
        "credits", counted(planned=2, downloaded=1), 3, Path("out"), error, {"a": "t"}, 2, ("w.",), ("c.",)
    )  # fmt: skip
    out, err = printed(capsys, report)
    assert out == "out/gallery.html\n"
    assert err == [
        "Error: the account is empty.",
        "  do     Top up.",
        "The account has not enough credits.",
        "  1  saved",
        "  2  still to be sent",
        "  3  pictures that may have been charged",
        "Write this down: job a became task t, which could not be recorded.",
        "c.",
        "w.",
        "Top up, then resume: the rest of the queue is kept.",
        "To record the task id once there is room: seedream bulk resolve out a --taskid t",
        "To go on: seedream bulk resume out",
    ]
    _, err = printed(capsys, report, sandbox=True)
    assert err[-1] == (
        "The sandbox and its tasks are gone. "
        "For a run that can be resumed, start a sandbox of its own: seedream sandbox"
    )
    assert "Top up, then resume: the rest of the queue is kept." not in err
    out, err = printed(capsys, report, as_json=True)
    assert (out[0], "Error: the account is empty." in err) == ("{", False)


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_report_of_a_run_that_is_complete(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sandbox: bool
) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    out, err = printed(capsys, Report("done", counted(downloaded=1), 3, Path("out")), sandbox=sandbox)
    assert out == "out/gallery.html\n"
    assert err == ["All jobs have been worked on.", "  1  saved", "  3  pictures that may have been charged"]
    _, err = printed(capsys, Report("budget", counted(planned=1), 3, Path("out"), InsufficientCredits("x"), {}, 4))
    assert err[0] == "The budget is reached.", "that the budget ended it is no error"
    assert err[-1] == "To go on: seedream bulk resume out --budget 7"


# Progress.


def snapshot(elapsed: float = 0.0, **more: Any) -> Snapshot:
    given: dict[str, Any] = {"spent": 1200, "budget": None, "settled": 4, "window": 2} | more
    counts = counted(planned=6, downloaded=2, failed=1, unknown=1, abandoned=1200)
    return Snapshot(counts, given.pop("spent"), given.pop("budget"), elapsed, given.pop("settled"), given.pop("window"),
                    **given)  # fmt: skip


BAR, COUNT, TIME = "BarColumn", "MofNCompleteColumn", "TimeElapsedColumn"


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (59, [COUNT, "spent", "note"]),
        (60, [BAR, COUNT, "spent", "left", "note"]),
        (99, [BAR, COUNT, "spent", "left", "note"]),
        (100, [BAR, COUNT, "rate", "spent", "left", TIME, "note"]),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns(monkeypatch: pytest.MonkeyPatch, width: int, columns: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    progress, _ = bulk_progress(Terminal())
    shown = [getattr(column, "text_format", type(column).__name__) for column in progress.columns]
    assert [str(one).removeprefix("{task.fields[").removesuffix("]}") for one in shown] == columns
    widths = [column.bar_width for column in progress.columns if isinstance(column, BarColumn)]
    assert widths == ([min(30, width // 4)] if width >= 60 else [])


def test_each_snapshot_is_in_the_line_of_the_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.setenv("COLUMNS", "100")
    progress, show = bulk_progress(Terminal(as_json=True))
    (task,) = progress.tasks
    assert (task.total, task.fields) == (
        None, {"rate": "", "spent": "", "left": "", "note": "checking the jobs"},
    )  # fmt: skip
    show(snapshot(8.0, budget=3000, waiting="no connection", settled=8))
    assert (task.total, task.completed) == (1210, 1204)
    assert task.fields == {
        "rate": "60/min", "spent": "1,200 of 3,000 pictures", "left": "0:00:06 left",
        "note": "2 failed or unknown, waiting: no connection",
    }  # fmt: skip
    show(Snapshot(counted(planned=1), 1, None, 0.0, 0, 1))
    assert task.fields == {"rate": "0/min", "spent": "1 picture", "left": "", "note": ""}


def test_where_nobody_watches_a_line_comes_each_half_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    _, show = bulk_progress(Terminal())
    for elapsed in (0.0, 29.9, 30.0, 31.0, 59.9, 60.0):
        show(snapshot(elapsed))
    assert capsys.readouterr().err.splitlines() == ["1,204/1,210, 1,200 pictures, 2 failed or unknown"] * 2
    _, show = bulk_progress(Terminal(as_json=True))
    show(snapshot(60.0))
    assert capsys.readouterr().err == ""


def test_a_task_id_that_cannot_be_recorded_is_printed_at_once_and_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    _, show = bulk_progress(Terminal(as_json=True))
    for lost in ({"a": "t-1"}, {"a": "t-1"}, {"a": "t-1", "b": "t-2"}, {}):
        show(snapshot(unrecorded=lost))
    assert capsys.readouterr().err.splitlines() == [
        f"There is no room to record that job {key} became task {taskid}, which is paid for."
        for key, taskid in (("a", "t-1"), ("b", "t-2"))
    ]
