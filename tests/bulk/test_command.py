"""``seedream bulk`` from the command line: exit codes, what is printed, and what a script reads."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from seedream.bulk import Bulk, Report
from seedream.cli.app import app
from seedream.cli.bulk_report import exit_for_report
from seedream.errors import JournalFull
from seedream.journal import STATES, State, SubmissionRecord
from support.bulk_bench import KEY, Bench


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(list(words))
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return int(str(ended.value.code)), out, err


@pytest.fixture(autouse=True)
def environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORSLAB_API_KEY", KEY)
    monkeypatch.setenv("TENSORSLAB_BASE_URL", bench.running.service.base)
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.chdir(bench.root)


def test_run_to_the_end(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a", "b")
    code, out, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    assert code == 0
    assert out.strip() == "out/gallery.html"
    assert "saved" in err
    assert sorted(bench.paid) == ["a", "b"]


@pytest.mark.parametrize(
    ("prompts", "options", "code", "reason"),
    [
        (["a", "[[reject]]"], [], 1, "done"),
        (["a", "[[fail]]"], [], 1, "done"),
        (["a", "[[cut]]", "b"], [], 6, "done"),
        (["[[expired]]"], [], 8, "done"),
        (["[[credits]]"], [], 5, "credits"),
        (["a", "b", "c"], ["--budget", "2"], 11, "budget"),
        (["[[401]]"], [], 4, "key"),
        (["a [[cut]]", "b [[cut]]", "c [[cut]]", "d"], ["--concurrency", "1"], 75, "unknowns"),
    ],
)
def test_every_end_has_its_code(
    bench: Bench, capsys: pytest.CaptureFixture[str], prompts: list[str], options: list[str], code: int, reason: str
) -> None:
    bench.write(*prompts)
    ended, out, _ = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--json", *options)
    document = json.loads(out)
    assert (ended, document["reason"], document["exit_code"]) == (code, reason, code)
    assert sum(document["counts"].values()) == len(prompts)


def test_stuck_task_has_its_code(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("[[stuck]]")
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--timeout", "0.1")[0] == 7


def test_invalid_lines_are_all_shown_and_nothing_is_sent(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a", {"prompt": "b", "resolution": "1500x1500"}, {"prompt": ""})
    code, _, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    assert code == 3
    assert "line 2, resolution" in err
    assert "RES-PIXELS" in err
    assert "line 3, prompt" in err
    assert bench.paid == []
    assert not bench.out.exists()


def test_dry_run_needs_no_key(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENSORSLAB_API_KEY")
    bench.write({"prompt": "a", "batchsize": 4}, "b")
    code, out, _ = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--dry-run")
    assert (code, out) == (0, "2 jobs, 5 pictures. Nothing was sent.\n")
    code, _, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    assert code == 4
    assert "TENSORSLAB_API_KEY" in err


def test_pause_status_and_resume(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a", "b", "c")
    code, _, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--budget", "1", "--rate", "600/m")
    assert code == 11
    assert "seedream bulk resume out" in err
    code, out, _ = call(capsys, "bulk", "status", "out", "--json")
    status = json.loads(out)
    assert (code, status["spent"], status["budget"], status["counts"]["planned"]) == (0, 1, 1, 2)
    code, out, _ = call(capsys, "bulk", "status", "out")
    assert out.splitlines()[-1].split() == ["1", "of", "1", "pictures", "that", "may", "be", "charged"]
    assert call(capsys, "bulk", "resume", "out")[0] == 11  # the budget is still the old one
    assert call(capsys, "bulk", "resume", "out", "--budget", "3")[0] == 0
    assert sorted(bench.paid) == ["a", "b", "c"]


def test_resolve_lists_and_decides(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("[[cut]] 1", "ok", "[[cut]] 2")
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--concurrency", "1")[0] == 6
    code, out, err = call(capsys, "bulk", "resolve", "out")
    assert code == 0
    assert len(out.strip().splitlines()) == 2
    for decision in ("--taskid ID", "--again", "--give-up"):  # issue 16.4: the list leads on
        assert f"seedream bulk resolve out '[[cut]] 1' {decision}\n" in err
    assert call(capsys, "bulk", "resolve", "out", "[[cut]] 1", "--give-up")[0] == 0
    assert call(capsys, "bulk", "resolve", "out", "[[cut]] 2", "--again")[0] == 0
    assert call(capsys, "bulk", "resolve", "out", "ok", "--again")[0] == 10
    for wrong in (["[[cut]] 1"], ["--again"], ["[[cut]] 1", "--again", "--give-up"]):
        assert call(capsys, "bulk", "resolve", "out", *wrong)[0] == 2
    assert call(capsys, "bulk", "resume", "out")[0] == 6
    assert bench.paid.count("[[cut]] 2") == 2


def test_found_task_is_looked_up_before_it_is_believed(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    # A wrong id cannot be taken back, so the service is asked for it first.
    bench.write("[[cut]]", "other")
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--concurrency", "1")[0] == 6
    ids = {charge["prompt"]: charge["taskid"] for charge in bench.running.charges}
    assert call(capsys, "bulk", "resolve", "out", "[[cut]]", "--taskid", "typo")[0] == 12
    code, _, err = call(capsys, "bulk", "resolve", "out", "[[cut]]", "--taskid", ids["other"])
    assert (code, "another prompt" in err) == (2, True)
    assert bench.states()["[[cut]]"] == "unknown"
    assert call(capsys, "bulk", "resolve", "out", "[[cut]]", "--taskid", ids["[[cut]]"])[0] == 0
    assert call(capsys, "bulk", "resume", "out")[0] == 0
    assert sorted(bench.paid) == ["[[cut]]", "other"]


def test_retry(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("[[reject]]", "[[fail]]")
    call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    assert call(capsys, "bulk", "retry", "out")[0] == 2
    assert call(capsys, "bulk", "retry", "out", "--rejected")[1].startswith("1 job planned again")
    assert call(capsys, "bulk", "retry", "out", "--failed", "--json")[1] == '{\n  "planned": 1\n}\n'


def test_gallery_and_folders_without_a_run(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a")
    for command in ("status", "resume", "gallery", "resolve"):
        assert call(capsys, "bulk", command, "nowhere")[0] == 10
    call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    (bench.out / "gallery.html").unlink()
    assert call(capsys, "bulk", "gallery", "out")[1].strip() == "out/gallery.html"
    assert (bench.out / "gallery.html").exists()


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "5/y", "nan"])
def test_senseless_rate(capsys: pytest.CaptureFixture[str], rate: str) -> None:
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--rate", rate)[0] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_in_the_real_program(bench: Bench, number: signal.Signals) -> None:
    # The program as it is installed, interrupted: no traceback, nothing unknown, and how to go on.
    bench.running.service.delay = 0.02
    bench.write(*(f"job {n}" for n in range(300)))
    command = [sys.executable, "-m", "seedream.cli", "bulk", "run", "jobs.jsonl", "-o", "out"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=bench.root, env={**os.environ}) as process:
        while len(bench.paid) < 5:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "seedream bulk resume out" in err
    counts: dict[Any, int] = bench.bulk.counts()[1]
    assert counts["unknown"] == counts["submitting"] == 0
    assert counts["submitted"] + counts["succeeded"] + counts["downloaded"] == len(bench.paid)
    assert Path(bench.out / "results.jsonl").exists()


# What the summary prints leads on.


@pytest.mark.parametrize(
    ("prompts", "options", "code", "ends"),
    [
        (["a", "b", "c"], ["--budget", "1"], 11, {"downloaded": 3}),
        (["a", "[[fail]]", "[[reject]]"], [], 1, {"downloaded": 1, "failed": 1, "rejected": 1}),
        (["a [[cut]]", "b [[cut]]", "c [[cut]]", "d"], ["--concurrency", "1"], 75, {"unknown": 3, "downloaded": 1}),
    ],
)
def test_each_printed_command_copied_leads_on(
    bench: Bench, capsys: pytest.CaptureFixture[str], prompts: list[str], options: list[str], code: int, ends: Any
) -> None:
    # The commands that a run prints must work as they are, and leave the jobs in the expected states.
    bench.write(*prompts)
    ended, out, _ = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--json", *options)
    assert ended == code
    commands = json.loads(out)["next"]
    assert commands
    for command in [*commands, "seedream bulk resume out"]:
        assert call(capsys, *shlex.split(command)[1:])[0] in (0, 1, 6)
    counts = bench.bulk.counts()[1]
    assert {state: number for state, number in counts.items() if number} == ends


def test_a_task_id_that_cannot_be_recorded_is_printed_at_once_and_at_the_end(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The id is printed whatever else fails; here the results and the gallery fail too.
    def full(*_: object) -> None:
        raise JournalFull("no room", taskid="t-1", billing="yes")

    bench.out.mkdir()
    (bench.out / "results.jsonl").mkdir()
    (bench.out / "gallery.html").mkdir()
    monkeypatch.setattr(SubmissionRecord, "submitted", full)
    monkeypatch.setattr("seedream.bulk.submitter._RECORD_TRIES", 1)
    bench.write("a")
    code, _, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    assert code == 10
    (taskid,) = bench.running.service.tasks
    at_once, at_the_end = "no room to record that job a became task", "Write this down: job a became task"
    assert err.index(f"{at_once} {taskid}") < err.index(f"{at_the_end} {taskid}")
    assert err.count("could not be written") == 2
    assert f"seedream bulk resolve out a --taskid {taskid}" in err
    monkeypatch.undo()
    monkeypatch.setenv("TENSORSLAB_API_KEY", KEY)
    monkeypatch.setenv("TENSORSLAB_BASE_URL", bench.running.service.base)
    monkeypatch.chdir(bench.root)
    assert call(capsys, "bulk", "resolve", "out", "--taskid", taskid, "--", "a")[0] == 0
    assert call(capsys, "bulk", "resume", "out")[0] == 0
    assert bench.paid == ["a"]


# The jobs file changes while the run is paused (issue 16.26).


def test_the_file_is_what_is_meant(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a", "b", {"id": "c", "prompt": "wrogn"}, "d")
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--budget", "1", "--concurrency", "1")[0] == 11
    bench.write("a", {"id": "c", "prompt": "right"}, "d", "e")
    code, _, err = call(capsys, "bulk", "resume", "out", "--budget", "9")
    assert (code, "has changed since its jobs were planned: b, c" in err) == (4, True)
    assert bench.paid == ["a"]
    code, _, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--budget", "9")
    assert code == 0
    assert "no longer contains them: b." in err
    assert "Changed as jobs.jsonl says: c." in err
    assert sorted(bench.paid) == ["a", "d", "e", "right"]
    assert bench.states()["b"] == "abandoned"


def test_a_line_that_comes_back_is_planned_again(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a", "b")
    call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--budget", "1", "--concurrency", "1")
    bench.write("a")
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")[0] == 0
    bench.write("a", "b")
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--budget", "2")[0] == 0
    assert sorted(bench.paid) == ["a", "b"]


def test_resume_goes_on_as_planned_when_asked(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a", "b")
    call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--budget", "1", "--concurrency", "1")
    bench.write("a", "other")
    assert call(capsys, "bulk", "resume", "out", "--budget", "9", "--as-planned")[0] == 0
    assert sorted(bench.paid) == ["a", "b"]


def test_a_job_that_was_sent_keeps_its_request(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a")
    call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    bench.write({"id": "a", "prompt": "b"})
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")[0] == 10
    assert bench.paid == ["a"]


def test_drop(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a", "b", "c", "d")
    call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", "--budget", "1", "--concurrency", "1")
    assert call(capsys, "bulk", "drop", "out")[0] == 2
    assert call(capsys, "bulk", "drop", "out", "a")[0] == 10  # it was sent
    assert call(capsys, "bulk", "drop", "out", "b")[1] == "1 job dropped.\n"
    assert call(capsys, "bulk", "drop", "out", "--all", "--json")[1] == '{\n  "dropped": 2\n}\n'
    assert call(capsys, "bulk", "resume", "out", "--budget", "9")[0] == 0
    assert bench.paid == ["a"]


def test_backup(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write("a")
    call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    assert call(capsys, "bulk", "backup", "out", "copy.sqlite")[0] == 0
    assert call(capsys, "bulk", "backup", "out", "copy.sqlite")[0] == 10
    assert (bench.root / "copy.sqlite").stat().st_size > 0


def test_dry_run_shows_what_was_read(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    (bench.root / "gbk.csv").write_bytes("prompt,batchsize\r\n一只猫,1\r\n".encode("gbk"))
    assert call(capsys, "bulk", "run", "gbk.csv", "-o", "out", "--dry-run")[0] == 3
    code, _, err = call(capsys, "bulk", "run", "gbk.csv", "-o", "out", "--dry-run", "--encoding", "gb18030")
    assert (code, "一只猫" in err) == (0, True)


def test_private_files(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    # Results and gallery hold the same prompts as the journal.
    bench.write("a")
    old = os.umask(0)
    try:
        call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    finally:
        os.umask(old)
    for name in ("journal.sqlite", "results.jsonl", "gallery.html"):
        assert (bench.out / name).stat().st_mode & 0o777 == 0o600


def test_planted_links_are_not_followed(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    # Issues 17.8, 17.13.
    victim = bench.root / "victim"
    victim.write_text("precious")
    bench.out.mkdir()
    bench.write("a")
    (bench.out / "journal.sqlite.lock").symlink_to(victim)
    code, _, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")
    assert (code, "is a symbolic link" in err) == (10, True)
    (bench.out / "journal.sqlite.lock").unlink()
    os.link(victim, bench.out / "journal.sqlite.lock")
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")[0] == 10
    (bench.out / "journal.sqlite.lock").unlink()
    for name in ("results.jsonl", "gallery.html", f".results.jsonl.{os.getpid()}.new"):
        (bench.out / name).symlink_to(victim)
    assert call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out")[0] == 0
    assert victim.read_text() == "precious"
    assert not (bench.out / "results.jsonl").is_symlink()


def test_printed_commands_can_be_copied_where_names_have_spaces(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    # Paths with spaces are quoted in the commands that a run prints.
    bench.write("[[cut]]", "b")
    jobs = bench.root / "my jobs.jsonl"
    (bench.root / "jobs.jsonl").rename(jobs)
    assert call(capsys, "bulk", "run", str(jobs), "-o", "my out", "--concurrency", "1", "--budget", "1")[0] in (6, 11)
    assert "seedream bulk resolve 'my out' '[[cut]]' --again" in call(capsys, "bulk", "resolve", "my out")[2]
    assert "seedream bulk resume 'my out'\n" in call(capsys, "bulk", "resolve", "my out", "[[cut]]", "--again")[2]
    jobs.write_text(jobs.read_text().replace('"b"', '"c"'))
    code, _, err = call(capsys, "bulk", "resume", "my out")
    assert (code, f"seedream bulk run '{jobs}' -o 'my out'" in err.replace("\n", " ")) == (4, True)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--concurrency", ["0", "1001", "1.5"]),
        ("--budget", ["-1", "x"]),
        ("--in-flight", ["0", "1001"]),
        ("--timeout", ["-0.1", "x"]),
        ("--max-failures", ["-1", "2.5"]),
        ("--rate", ["5/fortnight", "x", "0", "0/s", "-1", "1/"]),
    ],
)
def test_a_setting_out_of_its_range_is_a_usage_error_before_anything(
    bench: Bench, capsys: pytest.CaptureFixture[str], option: str, values: list[str]
) -> None:
    bench.write("a")
    for value in values:
        code, out, err = call(capsys, "bulk", "run", "jobs.jsonl", "-o", "out", option, value)
        assert (code, out) == (2, "")
        assert option in err
    assert not bench.out.exists()
    assert bench.paid == []


@pytest.mark.parametrize(
    ("text", "rate"), [("2", 2.0), (" 2/s ", 2.0), ("30/m", 0.5), ("1800/h", 0.5), ("0.25/s", 0.25)]
)
def test_a_rate_is_read_per_second_minute_or_hour(bench: Bench, text: str, rate: float) -> None:
    bench.write("a")
    with pytest.raises(SystemExit) as ended:
        app.main(["bulk", "run", "jobs.jsonl", "-o", "out", "--rate", text])
    assert ended.value.code == 0
    assert Bulk("out").options().rate == rate


@pytest.mark.parametrize("resumed", [False, True])
def test_a_budget_of_nothing_pays_nothing(bench: Bench, capsys: pytest.CaptureFixture[str], resumed: bool) -> None:
    # An option with the value 0 is not one that was left out.
    bench.write("a", "b", "c")
    words = ["bulk", "run", "jobs.jsonl", "-o", "out"]
    paid = []
    if resumed:
        assert call(capsys, *words, "--budget", "1", "--concurrency", "1")[0] == 11
        words, paid = ["bulk", "resume", "out"], ["a"]
    assert call(capsys, *words, "--budget", "0")[0] == 11
    assert bench.paid == paid


def test_no_number_of_failures_stops_a_run_with_0(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write(*(f"{number} [[cut]]" for number in range(8)))
    words = ["bulk", "run", "jobs.jsonl", "-o", "out", "--concurrency", "1", "--max-failures", "0"]
    assert call(capsys, *words)[0] == 6
    assert len(bench.paid) == 8


# What a script must know first: what may be billed, then what it can wait for, then what it can fetch, then failures.
WEIGHT: list[tuple[State, int]] = [
    ("unknown", 6), ("submitted", 7), ("succeeded", 8), ("rejected", 1), ("failed", 1), ("planned", 1),
    ("abandoned", 0), ("downloaded", 0),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WEIGHT)))
def test_of_what_a_run_leaves_the_weightiest_decides_its_code(number: int) -> None:
    for others in (WEIGHT[number : number + 1], WEIGHT[number:]):
        counts = dict.fromkeys(STATES, 0) | {state: 1 for state, _ in others}
        assert exit_for_report(Report("done", counts, 0, Path())).code == WEIGHT[number][1], counts
