"""A bulk run from the jobs file to pictures, results and exit, with every way a job can go."""

import json
from pathlib import Path

import anyio
import pytest
from chaos.service import picture
from seedream.bulk import Bulk, BulkOptions, Snapshot, SubmitterThread
from seedream.errors import ConfigError, InvalidRequest, JournalLocked
from seedream.journal import Journal, ReadOnlyJournal
from support.bulk_bench import KEY, Bench


def test_every_job_comes_to_its_end(bench: Bench) -> None:
    # The matrix of a run: each word in a prompt makes the service misbehave in one way.
    report = bench.run(
        "good", "[[reject]]", "[[429]]", "[[cut]]", "also good", "[[fail]]", "[[short]]", "[[noid]]", "[[400]]",
        {"id": "four", "prompt": "four pictures", "batchsize": 4}, "[[expired]]", "[[odd]]", "last",
    )  # fmt: skip
    assert report.reason == "done"
    assert bench.states() == {
        "good": "downloaded",
        "[[reject]]": "rejected",
        "[[429]]": "downloaded",
        "[[cut]]": "unknown",
        "also good": "downloaded",
        "[[fail]]": "failed",
        "[[short]]": "downloaded",
        "[[noid]]": "unknown",
        "[[400]]": "rejected",
        "four": "downloaded",
        "[[expired]]": "succeeded",
        "[[odd]]": "unknown",
        "last": "downloaded",
    }
    assert len(bench.paid) == len(set(bench.paid)) == 10  # nothing twice; what was refused was not paid
    assert not report.complete


def test_pictures_are_the_service_s_and_the_results_say_so(bench: Bench) -> None:
    bench.run({"id": "a", "prompt": "一只猫", "batchsize": 3}, "b")
    first, second = bench.results()
    assert (first["id"], first["line"], first["state"], first["images"], first["billing"]) == (
        "a",
        1,
        "downloaded",
        3,
        "yes",
    )
    assert first["request"]["prompt"] == "一只猫"
    for row in (first, second):
        for index, one in enumerate(row["pictures"]):
            saved = (bench.out / one["path"]).read_bytes()
            assert saved == picture(row["taskid"], index)
            assert len(saved) == one["bytes"]
    assert len(list((bench.out / "pictures").iterdir())) == 4


def test_running_again_does_nothing_and_new_lines_only(bench: Bench) -> None:
    # A file can be run again at any time: what is done is not done again.
    bench.run("a", "b")
    bench.run("a", "b")
    assert bench.paid == ["a", "b"]
    bench.run("a", "b", "c")
    assert bench.paid == ["a", "b", "c"]


def test_same_prompt_twice_is_two_jobs_and_stays_two(bench: Bench) -> None:
    for _ in range(2):
        bench.run({"prompt": "a"}, {"prompt": "a"})
    assert bench.paid == ["a", "a"]


def test_changed_job_under_an_old_id_is_refused_before_anything(bench: Bench) -> None:
    bench.run("a")
    with pytest.raises(Exception, match="already, with another request"):
        bench.run({"id": "a", "prompt": "changed"}, "b", budget=50)
    assert bench.paid == ["a"]
    assert (bench.bulk.counts()[0].budget, bench.states()) == (None, {"a": "downloaded"})


def test_async_door_is_the_same(bench: Bench) -> None:
    jobs = bench.write("a", "b")
    report = anyio.run(bench.bulk.arun, jobs)
    assert report.complete
    assert sorted(bench.paid) == ["a", "b"]


def test_trio_runs_it_too(bench: Bench) -> None:
    pytest.importorskip("trio", reason="trio is not installed here")
    anyio.run(bench.bulk.arun, bench.write("a"), backend="trio")
    assert bench.paid == ["a"]


def test_mappings_instead_of_a_file(bench: Bench) -> None:
    report = bench.bulk.run([{"prompt": "a", "batchsize": 2}, {"prompt": "b", "batchsize": 1, "resolution": "16:9"}])
    assert (report.reason, report.spent, report.complete) == ("done", 3, True)


def test_concurrency_is_a_limit(bench: Bench) -> None:
    bench.running.service.delay = 0.02
    bench.run(*(f"job {n}" for n in range(30)), concurrency=3)
    assert bench.running.service.most_submissions == 3


def test_rate_is_even(bench: Bench) -> None:
    # Two a second: no burst, not even at the start.
    bench.run(*(f"job {n}" for n in range(6)), rate=2, in_flight=1)
    started = bench.clock.now
    assert started - 1000 >= 2.5


def test_missing_picture_is_fetched_again_for_free(bench: Bench) -> None:
    # Fault D11.
    bench.run("a", "b")
    gone = bench.out / bench.results()[0]["pictures"][0]["path"]
    gone.unlink()
    report = bench.bulk.run()
    assert report.complete
    assert gone.exists()
    assert bench.paid == ["a", "b"]


@pytest.mark.parametrize("left", [0, 1, 40, -1])
def test_a_picture_that_was_cut_is_fetched_again_for_free(bench: Bench, left: int) -> None:
    # A full disk or a copy that broke off: its length shows it, also without --verify.
    bench.run("a", "b")
    path = bench.out / bench.results()[0]["pictures"][0]["path"]
    good = path.read_bytes()
    path.write_bytes(good[:left])
    report = bench.bulk.run()
    assert report.complete
    assert path.read_bytes() == good
    assert bench.paid == ["a", "b"]


def test_damaged_picture_is_found_by_verify(bench: Bench) -> None:
    bench.run("a")
    path = bench.out / bench.results()[0]["pictures"][0]["path"]
    good = path.read_bytes()
    path.write_bytes(good[:40] + bytes([good[40] ^ 1]) + good[41:])
    bench.bulk.run(options=BulkOptions(verify=True))
    assert path.read_bytes() == good
    assert path.with_name(f"{path.name}.damaged").exists()


def test_leftovers_of_a_killed_process_are_swept(bench: Bench) -> None:
    bench.run("a")
    part = bench.out / "pictures" / ".task-1.0000.part"
    part.write_bytes(b"half")
    bench.bulk.run()
    assert not part.exists()


def test_second_runner_is_refused(bench: Bench) -> None:
    bench.run("a")
    with Journal(bench.out / "journal.sqlite"), pytest.raises(JournalLocked):
        bench.run("a", "b")
    assert bench.paid == ["a"]


def test_resume_takes_the_settings_of_the_start(bench: Bench) -> None:
    bench.run("a", "b", "c", budget=2, rate=50)
    assert bench.paid == ["a", "b"]
    report = bench.bulk.run()
    assert report.reason == "budget"
    with ReadOnlyJournal(bench.out / "journal.sqlite") as reader:
        run = reader.find_run("bulk")
        assert run is not None
        assert (run.budget, run.options["rate"]) == (2, 50)


def test_watcher_sees_the_end(bench: Bench) -> None:
    seen: list[Snapshot] = []
    bench.bulk.run(bench.write("a", "[[reject]]"), watch=seen.append, options=BulkOptions(budget=9))
    assert (seen[-1].counts["downloaded"], seen[-1].counts["rejected"], seen[-1].spent, seen[-1].budget) == (1, 1, 1, 9)
    assert seen[-1].settled == 2


def test_no_secret_anywhere(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    # The key and the signed result URLs are in no file and in no log line.
    caplog.set_level(0)
    bench.run("good", "[[cut]]", "[[expired]]", "[[reject]]", "[[fail]]", "[[short]]")
    written = [part.read_bytes() for part in bench.out.rglob("*") if part.is_file()] + [caplog.text.encode()]
    for marker in (KEY.encode(), b"MARKER-SIGNATURE"):
        assert not any(marker in text for text in written)


def test_signed_source_url_is_not_kept_but_is_sent(bench: Bench) -> None:
    url = "https://example.com/cat.png?X-Signature=MARKER-SOURCE"
    bench.run("first", {"id": "s", "prompt": "cat", "image_url": url}, budget=1)
    assert not any(b"MARKER-SOURCE" in part.read_bytes() for part in bench.out.rglob("*") if part.is_file())
    report = bench.bulk.run(options=BulkOptions(budget=5))  # a resume reads it from the jobs file again
    assert report.complete
    assert bench.results()[1]["request"]["image_url"] == "https://example.com/cat.png?[removed]"


def test_a_prompt_with_a_url_in_it_is_sent_whole_by_a_resume_without_the_file(bench: Bench) -> None:
    prompt = "a poster of https://h.example/a?Signature=1&x=2#f and http://u:p@h.example/?token=t"
    bench.run("first", {"id": "u", "prompt": prompt}, budget=1)
    (bench.root / "jobs.jsonl").unlink()
    assert bench.bulk.run(options=BulkOptions(budget=5)).complete
    assert bench.paid == ["first", prompt]
    assert bench.results()[1]["request"]["prompt"] == prompt


def test_signed_source_url_without_its_jobs_file_is_reported(bench: Bench) -> None:
    url = "https://example.com/cat.png?X-Signature=MARKER-SOURCE"
    bench.run("first", {"id": "s", "prompt": "cat", "image_url": url}, budget=1)
    (bench.root / "jobs.jsonl").unlink()
    bench.bulk.run(options=BulkOptions(budget=5))
    job = bench.job("s")
    assert job.state == "planned"
    assert "image_url is signed" in str(job.message)
    assert bench.paid == ["first"]


def test_changed_source_image_is_not_sent(bench: Bench) -> None:
    source = bench.root / "cat.png"
    source.write_bytes(picture("cat", 0))
    bench.run("first", {"id": "s", "prompt": "cat", "source_images": "cat.png"}, budget=1)
    source.write_bytes(picture("dog", 0))
    with pytest.raises(ConfigError, match="has changed since its jobs were planned: s"):
        bench.bulk.run(options=BulkOptions(budget=5))
    bench.bulk.run(options=BulkOptions(budget=5, as_planned=True))
    assert "has changed" in str(bench.job("s").message)
    assert bench.paid == ["first"]


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"rate": 0}, {"rate": float("inf")}, {"budget": -1}, {"downloads": 5000}]
)
def test_senseless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        BulkOptions(**wrong)  # type: ignore[arg-type]  # on purpose


def test_invalid_file_sends_nothing_and_makes_nothing(bench: Bench) -> None:
    with pytest.raises(InvalidRequest, match="line 2, resolution"):
        bench.run("a", {"prompt": "b", "resolution": "1500x1500"})
    assert bench.paid == []
    assert not bench.out.exists()


def test_results_are_made_again_from_the_journal(bench: Bench) -> None:
    bench.run("a", "[[reject]]")
    before = (bench.out / "results.jsonl").read_text()
    (bench.out / "results.jsonl").unlink()
    bench.bulk.write()
    assert (bench.out / "results.jsonl").read_text() == before
    assert [json.loads(line)["id"] for line in before.splitlines()] == ["a", "[[reject]]"]


@pytest.mark.parametrize("folder", ["\0", "a\0b", "a\ud800"])
def test_a_folder_that_cannot_be_is_refused_at_once(folder: str) -> None:
    with pytest.raises(ConfigError, match="it cannot be a path"):
        Bulk(folder)
    with pytest.raises(ConfigError, match="it cannot be a path"):
        SubmitterThread(folder)


def test_folder_that_cannot_be_made_is_reported(bench: Bench) -> None:
    (bench.root / "out").write_text("a file")
    with pytest.raises(Exception, match="cannot make"):
        bench.run("a")
    assert Path(bench.root / "out").read_text() == "a file"


def test_blocking_call_in_a_coroutine_is_reported(bench: Bench) -> None:
    async def inside() -> None:
        bench.bulk.run(bench.write("a"))

    with pytest.raises(ConfigError, match=r"Await arun\(\) there"):
        anyio.run(inside)
    assert bench.paid == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("budget", "5"),
        ("budget", float("nan")),
        ("budget", True),
        ("rate", "5"),
        ("rate", float("nan")),
        ("rate", float("inf")),
        ("budget", 10**20),  # SQLite would raise an OverflowError in the middle of a run
        ("concurrency", None),
        ("in_flight", 1.5),
        ("downloads", "4"),
        ("max_failures", 2.0),
        ("task_timeout", "900"),
        ("task_timeout", float("nan")),
        ("patience", -1),
        ("max_bytes", "10MB"),
        ("max_bytes", 0),
        ("verify", "no"),
        ("moved", 1),
    ],
)
def test_options_of_another_type_are_refused_at_the_door(name: str, value: object) -> None:
    # A budget of NaN let everything through; other types ended in a TypeError in the middle of a run.
    with pytest.raises(ConfigError, match=f"^{name} is ") as caught:
        BulkOptions(**{name: value})  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.hint.startswith("Give ")
