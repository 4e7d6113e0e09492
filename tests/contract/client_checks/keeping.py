"""What a client keeps, shows and shares: the journal, its reprs, several calls at once, and its end."""

import pickle
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from attrs import evolve
from contract.client_checks.relation import SIGNATURE, ClientRelation, Example, call, check_error, require, submits
from contract.client_checks.sending import operations
from contract.client_checks.under_test import KEY, TASK, ClientUnderTest
from contract.recording_server import RecordingServer, ScriptedReply, envelope
from seedream import RetryPolicy, errors
from seedream.journal import CALLS, Journal, ReadOnlyJournal
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.decode import decode
from seedream_testing.contract.samples import png
from seedream_testing.contract.violation import Sent
from support.clock import FakeClock


# --- the journal ------------------------------------------------------------------------------------------------------
def _jobs(path: Path) -> list[Any]:
    with ReadOnlyJournal(path) as journal:
        run = journal.find_run(CALLS)
        return list(journal.jobs(run.id)) if run else []


def _journal(facts: ApiFacts) -> Iterator[Example]:
    """Each submission is recorded before its first byte leaves, and what became of it as soon as that is known."""

    def run(
        subject: ClientUnderTest,
        replies: Sequence[ScriptedReply | None],
        state: str,
        taskid: str | None,
        breaks: Sequence[int | None] = (),
    ) -> None:
        signed = "https://cdn.example/1.png?X-Signature=SOURCEsignature012345"
        with tempfile.TemporaryDirectory() as name:
            path, left, seen = Path(name) / "calls.sqlite", list(replies), list[list[str]]()

            def script(sent: Sent) -> ScriptedReply | None:
                del sent
                seen.append([job.state for job in _jobs(path)])
                return left.pop(0) if left else None

            files = [b"\xff\xd8\xff" + b"x" * 3_000_000] if breaks else [png()]
            outcome = call(
                subject,
                submits(source_images=files, image_url=signed, batchsize=3),
                script,
                breaks=breaks,
                journal=path,
                retry=RetryPolicy(attempts=2),
            )
            jobs = _jobs(path)
            kept = b"".join(file.read_bytes() for file in Path(name).iterdir())
        require(
            all(states == ["submitting"] for states in seen), f"when it arrived, the journal said {seen}", "PAY-KNOWN"
        )
        found = [(job.state, job.taskid) for job in jobs]
        require(
            found == [(state, taskid)], f"the journal says {found}, not {(state, taskid)}; {outcome.shown}", "PAY-KNOWN"
        )
        require(
            KEY.encode() not in kept and b"SOURCEsignature" not in kept, "a secret is in the journal", "KEY-PRIVATE"
        )
        require(
            jobs[0].request["prompt"] == "a fish" and jobs[0].cost == 3,
            f"it recorded {jobs[0].request}, {jobs[0].cost}",
            "PAY-KNOWN",
        )
        if outcome.error is None:
            require(outcome.value.id == taskid, f"it gave {outcome.value!r}", "TASK-ID")

    good = envelope(facts.success, {"taskid": TASK})
    yield Example("accepted", partial(run, replies=[good], state="submitted", taskid=TASK))
    yield Example(
        "accepted after a 429", partial(run, replies=[ScriptedReply(429), good], state="submitted", taskid=TASK)
    )
    for name, reply in {
        "cut": None,
        "half": evolve(good, cut=-3),
        "503": ScriptedReply(503),
        "HTML": ScriptedReply(200, b"<html>"),
        "no id": envelope(facts.success),
        "another code": envelope(4711),
        "a refusal with an id": envelope(facts.failure, {"taskid": TASK}),
        "302": ScriptedReply(302),
    }.items():
        yield Example(f"unknown: {name}", partial(run, replies=[reply], state="unknown", taskid=None))
        yield Example(
            f"unknown after a 429: {name}",
            partial(run, replies=[ScriptedReply(429), reply], state="unknown", taskid=None),
        )
    yield Example(
        "unknown: reset while it was sent", partial(run, replies=[], state="unknown", taskid=None, breaks=[70_000])
    )
    for name, reply in {"9999": envelope(facts.failure), "400": ScriptedReply(400)}.items():
        yield Example(f"rejected: {name}", partial(run, replies=[reply], state="rejected", taskid=None))
    for name, reply in {
        "9000": envelope(facts.no_credits),
        "401": ScriptedReply(401),
        "404": ScriptedReply(404),
        "429": ScriptedReply(429),
        "408": ScriptedReply(408),
        "307": ScriptedReply(307),
    }.items():
        yield Example(f"planned again: {name}", partial(run, replies=[reply, reply], state="planned", taskid=None))

    def generated(subject: ClientUnderTest) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "calls.sqlite"
            failed = envelope(facts.success, {"taskid": TASK, "image_status": facts.failed, "error_message": "no"})
            outcome = call(
                subject,
                lambda client: client.generate("a fish", output_dir=name),
                lambda sent: good if sent.path == facts.submit else failed,
                journal=path,
            )
            found = [(job.state, job.taskid) for job in _jobs(path)]
        outcome.expect(errors.TaskFailed, rule="PAY-KNOWN", taskid=TASK, billing="unknown", retryable=False)
        require(found == [("submitted", TASK)], f"the journal says {found}", "PAY-KNOWN")

    yield Example("generate", generated)

    def unusable(subject: ClientUnderTest, make: Callable[[Path], Path]) -> None:
        with tempfile.TemporaryDirectory() as name:
            try:
                outcome = call(subject, submits(), good, journal=make(Path(name)))
            except errors.SeeDreamError as error:
                require(isinstance(error, errors.JournalError | errors.ConfigError), f"it gave {error!r}", "PAY-KNOWN")
                return
        require(not outcome.connections and outcome.error is not None, f"it was sent: {outcome.shown}", "PAY-KNOWN")

    def text(folder: Path) -> Path:
        (folder / "file").write_bytes(b"no journal at all" * 100)
        return folder / "file"

    def one_after_another(subject: ClientUnderTest) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "calls.sqlite"
            for _ in range(2):
                call(subject, submits(), None, journal=path).expect(
                    errors.SubmissionUnknown, rule="PAY-KNOWN", requests=1
                )
            found = [job.state for job in _jobs(path)]
        require(found == ["unknown"] * 2, f"two equal submissions are {found}", "PAY-KNOWN")

    def shared(subject: ClientUnderTest) -> None:
        with tempfile.TemporaryDirectory() as name, Journal(Path(name) / "calls.sqlite") as journal:
            for _ in range(2):
                call(subject, submits(), None, journal=journal).expect(
                    errors.SubmissionUnknown, rule="PAY-KNOWN", requests=1
                )
            run = journal.find_run(CALLS)
            found = [job.state for job in journal.jobs(run.id)] if run else []
        require(found == ["unknown"] * 2, f"an open journal says {found}", "PAY-KNOWN")

    yield Example("an open journal", shared)
    yield Example("one client after another", one_after_another)
    yield Example("a journal that is text", partial(unusable, make=text))
    yield Example("a journal below a file", partial(unusable, make=lambda folder: text(folder) / "j.sqlite"))

    def interrupted(subject: ClientUnderTest) -> None:
        with tempfile.TemporaryDirectory() as name:
            path, begun = Path(name) / "calls.sqlite", threading.Event()

            def script(sent: Sent) -> ScriptedReply:
                require(sent.path == facts.submit, sent.path, "WIRE-HTTP")
                begun.set()
                return evolve(good, cut=0, end="stall")

            def interrupt(request: httpx.Request) -> httpx.Response:
                raise KeyboardInterrupt(request.url.path)

            with RecordingServer(script) as server:
                options = {"api_key": KEY, "base_url": server.url, "clock": FakeClock(), "journal": path}
                probe = subject.factory(**options)
                try:
                    if hasattr(probe, "interrupted"):
                        probe.interrupted(submits(), begun, cancel=True)
                        notes = [""]
                    else:
                        probe.close()
                        probe = subject.factory(**{**options, "transport": httpx.MockTransport(interrupt)})
                        probe.submit("a fish")
                except KeyboardInterrupt as error:
                    notes = getattr(error, "__notes__", [])
                    require(notes, "an interruption says nothing of the submission that was under way", "PAY-KNOWN")
                finally:
                    probe.close()
            found = [job.state for job in _jobs(path)]
        require(found == ["unknown"], f"after an interruption the journal says {found}", "PAY-KNOWN")

    yield Example("interrupted while it is under way", interrupted)


# --- at once ----------------------------------------------------------------------------------------------------------
def at_once(client: Any, calls: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """Make these calls at the same time; gives results and errors of the tree, in order."""
    if hasattr(client, "at_once"):
        return list(client.at_once(calls))
    results: list[Any] = [None] * len(calls)

    def one(number: int) -> None:
        try:
            results[number] = calls[number](client)
        except Exception as error:  # noqa: BLE001 -- judged below
            results[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def _together(facts: ApiFacts) -> Iterator[Example]:
    """Calls at the same time do not touch each other: each has its own request, and gets its own reply."""
    count = 12

    def script(sent: Sent) -> ScriptedReply | None:
        if sent.path == facts.submit:
            prompt = next(part.content.decode() for part in decode(sent) if part.name == "prompt")
            number = int(prompt.rpartition(" ")[2])
            return None if number % 4 == 3 else envelope(facts.success, {"taskid": f"t-{number}"})
        taskid = sent.body.decode().partition('"taskid":"')[2].partition('"')[0]
        return envelope(
            facts.success,
            {
                "taskid": taskid,
                "image_status": facts.completed,
                "prompt": taskid,
                "url": [f"{sent.url.rpartition('/v1')[0]}/{taskid}"],
            },
        )

    def submissions(subject: ClientUnderTest) -> None:
        outcome = call(
            subject,
            lambda client: at_once(
                client, [lambda c, n=n: c.submit(f"fish {n}", batchsize=n + 1) for n in range(count)]
            ),
            script,
        )
        results = outcome.expect(None, rule="PAY-ONCE", requests=count)
        for number, result in enumerate(results):
            if number % 4 == 3:
                require(type(result) is errors.SubmissionUnknown, f"submission {number} gave {result!r}", "PAY-ONCE")
            else:
                require(
                    (getattr(result, "id", None), getattr(result, "images", None)) == (f"t-{number}", number + 1),
                    f"submission {number} gave {result!r}",
                    "TASK-OWN",
                )

    yield Example(f"{count} submissions", submissions)

    def queries(subject: ClientUnderTest) -> None:
        outcome = call(
            subject,
            lambda client: at_once(
                client,
                [lambda c, n=n: c.query(f"t-{n}") if n % 2 else c.task(f"t-{n}").wait(timeout=5) for n in range(count)],
            ),
            script,
        )
        results = outcome.expect(None, rule="TASK-OWN", requests=count)
        found = [(getattr(one, "taskid", one), getattr(one, "prompt", "")) for one in results]
        require(
            found == [(f"t-{number}", f"t-{number}") for number in range(count)], f"queries gave {found}", "TASK-OWN"
        )

    yield Example(f"{count} queries", queries)

    def downloads(subject: ClientUnderTest) -> None:
        def serve(sent: Sent) -> ScriptedReply | None:
            if sent.method == "GET":
                return ScriptedReply(
                    200, png(8, 8, shade=int(sent.path.rpartition("-")[2])), {"content-type": "image/png"}
                )
            return script(sent)

        with tempfile.TemporaryDirectory() as folder:
            outcome = call(
                subject,
                lambda client: at_once(client, [lambda c, n=n: c.task(f"t-{n}").save(folder) for n in range(count)]),
                serve,
            )
            results = outcome.expect(None, rule="TASK-OWN")
            for number, result in enumerate(results):
                require(not isinstance(result, Exception), f"download {number} gave {result!r}", "SERVER-PICTURES")
                require(
                    [path.name for path in result] == [f"t-{number}-1.png"]
                    and result[0].read_bytes() == png(8, 8, shade=number),
                    f"download {number} gave {result}",
                    "TASK-OWN",
                )

    yield Example(f"{count} downloads", downloads)


# --- the end ----------------------------------------------------------------------------------------------------------
def _ends(facts: ApiFacts) -> Iterator[Example]:
    """After its end a client sends nothing; an end in the middle of a call loses nothing and hangs nobody."""

    def after(subject: ClientUnderTest, work: Callable[[Any], Any], reply: ScriptedReply) -> None:
        def use(client: Any) -> Any:
            if hasattr(client, "closed"):
                return client.closed(work)
            client.close()
            client.close()
            return work(client)

        outcome = call(subject, use, reply)
        require(not outcome.connections, f"a closed client sent {outcome.shown}", "ERROR-TREE")
        outcome.expect(errors.ConfigError, rule="ERROR-TREE", billing="no", retryable=False)

    for name, (_, work, reply) in operations(facts).items():
        yield Example(f"{name} after the end", partial(after, work=work, reply=reply))

    def during(subject: ClientUnderTest, work: Callable[[Any], Any]) -> None:
        begun, go = threading.Event(), threading.Event()

        def script(sent: Sent) -> ScriptedReply:
            del sent
            begun.set()
            go.wait(0.3)
            return evolve(subject.accepted(), body=subject.accepted().body)

        def close(client: Any) -> None:
            begun.wait(5)
            client.close()
            go.set()

        def use(client: Any) -> Any:
            if hasattr(client, "interrupted"):
                return client.interrupted(work, begun, cancel=False)
            closer = threading.Thread(target=close, args=(client,))
            closer.start()
            try:
                return work(client)
            finally:
                closer.join(10)

        outcome = call(subject, use, script, retry=RetryPolicy(attempts=1))
        result = outcome.error or outcome.value
        if isinstance(result, errors.SeeDreamError):
            check_error(result)
            require(
                isinstance(result, errors.SubmissionUnknown) and result.billing == "unknown",
                f"it gave {result!r}",
                "PAY-KNOWN",
            )
        else:
            require(getattr(result, "id", None) == TASK, f"it gave {result!r}", "PAY-KNOWN")
        require(len(outcome.sent) == 1, f"{len(outcome.sent)} submissions were sent", "PAY-ONCE")

    yield Example("closed in the middle of a submission", partial(during, work=submits()))

    def context(subject: ClientUnderTest) -> None:
        client = subject.factory(api_key=KEY, base_url="http://127.0.0.1:9", clock=FakeClock())
        if hasattr(client, "__enter__"):
            with client as entered:
                require(entered is client, "it gives another client", "ERROR-TREE")
            outcome = call(subject, lambda _: client.query(TASK))
            outcome.expect(errors.ConfigError, rule="ERROR-TREE")
        client.close()

    yield Example("as a context manager", context)


def _shown(facts: ApiFacts) -> Iterator[Example]:
    """Nothing that a client holds or gives shows the key, and no client can be pickled."""

    def reprs(subject: ClientUnderTest) -> None:
        def work(client: Any) -> Any:
            real = getattr(client, "made", client)
            given = [
                client,
                real,
                str(real),
                *vars(real).values(),
                *(getattr(real, name) for name in dir(type(real)) if not name.startswith("_")),
            ]
            shown = " ".join(map(repr, [*given, client.submit("a fish"), client.query(TASK), client.task(TASK)]))
            require(
                not any(secret in shown for secret in (KEY, SIGNATURE, "secret-tenant", "MARKER-password")),
                "a repr shows a secret",
                "KEY-PRIVATE",
            )
            try:
                pickle.dumps(real)
            except TypeError as error:
                require(KEY not in str(error), "refusing to be pickled shows the key", "KEY-PRIVATE")
            else:
                require(holds=False, what="a client can be pickled, with its key", rule="KEY-PRIVATE")

        data = {
            "taskid": TASK,
            "image_status": facts.completed,
            "url": [f"https://i.example/1?X-Signature={SIGNATURE}"],
        }
        outcome = call(subject, work, envelope(facts.success, data), headers={"X-Tenant": "secret-tenant"})
        outcome.expect(None, rule="KEY-PRIVATE")
        outcome = call(subject, work, envelope(facts.success, data))
        outcome.expect(None, rule="KEY-PRIVATE")

    yield Example("reprs", reprs)

    def values(subject: ClientUnderTest) -> None:
        def work(client: Any) -> None:
            first, second, other = client.task(TASK), client.task(TASK, images=2), client.task("t-2")
            require(TASK in repr(first), f"a handle is shown as {first!r}", "TASK-ID")
            if not hasattr(client, "made"):
                require(
                    first == second and first != other and hash(first) == hash(second),
                    "handles of one task are not equal",
                    "TASK-ID",
                )

        call(subject, work).expect(None, rule="TASK-ID", requests=0)

    yield Example("handles", values)

    def paid(subject: ClientUnderTest) -> None:
        """Whatever goes wrong after a submission, the error of generate names the task and says that it is paid for."""
        answers: dict[str, tuple[ScriptedReply | None, type[errors.SeeDreamError], str]] = {
            "failed": (envelope(facts.success, {"taskid": TASK, "image_status": facts.failed}), errors.TaskFailed, "unknown"),
            "running": (envelope(facts.success, {"taskid": TASK, "image_status": facts.processing}), errors.WaitTimeout, "yes"),
            "401": (ScriptedReply(401), errors.AuthError, "yes"), "cut": (None, errors.WaitTimeout, "yes"), "not found": (envelope(facts.failure), errors.TaskNotFound, "unknown"),
            "unsafe": (envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": ["ftp://x.example/1"]}), errors.UnsafeUrl, "yes"),
            "no URL": (envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": []}), errors.DownloadError, "yes"),
        }  # fmt: skip
        for name, (reply, kind, billing) in answers.items():
            for memory in (False, True):
                with tempfile.TemporaryDirectory() as folder:
                    outcome = call(
                        subject,
                        lambda client, f=None if memory else folder: client.generate(
                            "a fish", output_dir=f, timeout=30
                        ),
                        lambda sent, r=reply: subject.accepted() if sent.path == facts.submit else r,
                    )
                error = outcome.expect(kind, rule="PAY-KNOWN", taskid=TASK, billing=billing, retryable=False)
                require(TASK in error.hint and "paid" in error.hint, f"{name}: the hint is {error.hint!r}", "PAY-KNOWN")
                made = [sent for sent in outcome.sent if sent.path == facts.submit]
                require(len(made) == 1, f"{name}: {len(made)} submissions were sent", "PAY-ONCE")
                kinds = list(map(type, error.errors.values())) if isinstance(error, errors.DownloadError) else []
                require(all(issubclass(one, errors.SeeDreamError) for one in kinds), f"{name}: {kinds}", "ERROR-TREE")

    yield Example("errors after a submission", paid)

    def before(subject: ClientUnderTest) -> None:
        for reply, kind, billing in (
            (envelope(facts.no_credits), errors.InsufficientCredits, "no"),
            (None, errors.SubmissionUnknown, "unknown"),
            (ScriptedReply(401), errors.AuthError, "no"),
            (ScriptedReply(503), errors.SubmissionUnknown, "unknown"),
        ):
            with tempfile.TemporaryDirectory() as folder:
                outcome = call(subject, lambda client, f=folder: client.generate("a fish", output_dir=f), reply)
            outcome.expect(kind, rule="PAY-ONCE", requests=1, billing=billing, taskid=None, retryable=False)

    yield Example("errors of the submission itself", before)


RELATIONS: Final = (
    ClientRelation(
        "journal.record",
        "PAY-KNOWN",
        "Each submission is recorded before its first byte leaves, and what became of it when that is known; no secret is recorded.",
        _journal,
    ),
    ClientRelation("calls.together", "TASK-OWN", "Calls at the same time do not touch each other.", _together),
    ClientRelation(
        "client.end",
        "PAY-KNOWN",
        "A closed client sends nothing; closing one in the middle of a call loses nothing.",
        _ends,
    ),
    ClientRelation(
        "client.shown",
        "KEY-PRIVATE",
        "No repr shows a secret, no client can be pickled, and whatever goes wrong after a submission, the error names the task.",
        _shown,
    ),
)
