"""Checks of queries, waiting and deletion."""

import json

from seedream import errors

from seedream_testing.contract.client.form import check_key
from seedream_testing.contract.client.under_test import KEY, TASK, Bench, check, picture, studio
from seedream_testing.contract.recording_server import Answer, Witness, envelope
from seedream_testing.contract.violation import Sent, Violation


def _json(sent: Sent, path: str, meant: object, rule: str) -> None:
    if (sent.method, sent.path) != ("POST", path):
        raise Violation(f"it sent {sent.method} {sent.path}, not POST {path}", rule="WIRE-HTTP", sent=sent)
    if not sent.header("content-type") or not sent.header("content-type")[0].startswith("application/json"):
        raise Violation(f"Content-Type is {sent.header('content-type')}", rule="WIRE-HTTP", sent=sent)
    if json.loads(sent.body) != meant:
        raise Violation(f"{sent.body!r} arrived, but {meant!r} was meant", rule=rule, sent=sent)


@check("STATUS-MEANING")
def a_query_reads_what_is_told(bench: Bench) -> None:
    """The query names the task; every value of the reply is read as it is; unknown numbers are not the end."""
    page = bench.page
    states = {page.queued: "queued", page.processing: "processing", page.completed: "completed", page.failed: "failed",
              5: "unknown", 0: "unknown", 77: "unknown"}  # fmt: skip
    for status, state in states.items():
        told = {"url": ["https://img.example/1.png?sig=x"], "width": 2560, "height": 1440, "prompt": "鱼",
                "error_message": "why", "category": "seedreamv45"}  # fmt: skip
        with Witness(bench.state(status, **told)) as witness, bench.client(witness.url) as client:
            info = client.query(TASK)
        _json(witness.sent[0], page.query, {"taskid": TASK}, "TASK-ID")
        check_key(bench, witness.sent[0])
        found = (info.taskid, info.status, info.state, list(info.urls), info.width, info.height, info.prompt,
                 info.error_message)  # fmt: skip
        meant = (TASK, status, state, told["url"], 2560, 1440, "鱼", "why")
        if found != meant:
            raise Violation(f"image_status {status} was read as {found}, not {meant}", rule="STATUS-MEANING")
        if info.finished != (state in ("completed", "failed")):
            raise Violation(f"image_status {status} counts as finished={info.finished}", rule="STATUS-MEANING")


@check("STATUS-MEANING")
def waiting_ends_when_the_task_does(bench: Bench) -> None:
    """Queued, processing and unknown numbers are waited through; failed raises with the vendor's reason."""
    page = bench.page
    numbers = [page.queued, page.processing, 5, page.processing]
    with Witness(
        lambda _: bench.state(numbers.pop(0) if numbers else page.completed, url=["https://i.example/1"])
    ) as witness:
        with bench.client(witness.url) as client:
            info = client.task(TASK).wait(timeout=600)
        if info.state != "completed" or len(witness.sent) != 5:  # noqa: PLR2004 -- four that run, one that is done
            raise Violation(f"it ended as {info.state} after {len(witness.sent)} queries", rule="STATUS-MEANING")
    failed = bench.state(page.failed, error_message="the prompt is not allowed")
    with Witness(failed) as witness, bench.client(witness.url) as client:
        try:
            result = client.task(TASK).wait(timeout=600)
        except errors.TaskFailed as error:
            if "the prompt is not allowed" not in str(error) or error.taskid != TASK:
                raise Violation(f"the vendor's reason is lost: {error}", rule="STATUS-MEANING") from None
        else:
            raise Violation(f"a failed task gave {result!r}", rule="STATUS-MEANING")


@check("PAY-KNOWN")
def a_deadline_is_not_a_failure(bench: Bench) -> None:
    """A task that runs on at the deadline is told as such, with its id."""
    for answer in (bench.state(bench.page.processing), Answer(500), Answer(200, b"<html>")):
        with Witness(answer) as witness, bench.client(witness.url) as client:
            try:
                result = client.task(TASK).wait(timeout=30)
            except errors.WaitTimeout as error:
                if error.taskid != TASK:
                    raise Violation("the task id is not on the error", rule="PAY-KNOWN") from None
            else:
                raise Violation(f"at the deadline it gave {result!r}", rule="STATUS-MEANING")


@check("TASK-OWN")
def another_tasks_answer_is_not_taken(bench: Bench) -> None:
    """A reply about another task is no answer."""
    other = envelope(bench.page.success, {"taskid": "another", "image_status": bench.page.completed})
    with Witness(other) as witness, bench.client(witness.url) as client:
        try:
            info = client.query(TASK)
        except errors.StatusError:
            return
        raise Violation(f"it was told as this one's: {info!r}", rule="TASK-OWN", sent=witness.sent[0])


@check("ERROR-TREE")
def odd_answers_stay_in_the_tree(bench: Bench) -> None:
    """Any answer to a query or deletion becomes a value or an error of the tree."""
    page = bench.page
    odd = [Answer(200, body, {"content-type": "application/json"}) for body in (
        b"", b"null", b"[]", b"1", b'"x"', b"{", b'{"code":null}', b'{"code":{}}', b"\xff\xfe", b"[" * 100_000,
        json.dumps({"code": page.success}).encode(),
        json.dumps({"code": page.success, "data": 5}).encode(),
        json.dumps({"code": page.success, "data": {"image_status": "3", "url": 7, "width": "x"}}).encode(),
        json.dumps({"code": 10**400}).encode(),
    )]  # fmt: skip
    odd += [Answer(status) for status in (204, 304, 400, 404, 418, 500, 520, 599)]
    for answer in odd:
        with Witness(answer) as witness, bench.client(witness.url) as client:
            for call in (client.query, client.delete):
                try:
                    call(TASK)
                except errors.SeeDreamError:
                    continue
                except Exception as error:
                    told = f"{answer.status} {answer.body[:60]!r} gave {type(error).__name__}: {error!s:.200}"
                    raise Violation(told, rule="ERROR-TREE", sent=witness.sent[-1]) from error


@check("TASK-ID")
def a_deletion_names_its_tasks(bench: Bench) -> None:
    """The ids arrive as they were given; a refusal is an error."""
    done = envelope(bench.page.success, {"status": "Success"})
    with Witness(done) as witness, bench.client(witness.url) as client:
        client.delete(TASK, "t-2")
    _json(witness.sent[0], bench.page.delete, {"taskids": [TASK, "t-2"]}, "TASK-ID")
    check_key(bench, witness.sent[0])
    with Witness(envelope(bench.page.failure)) as witness, bench.client(witness.url) as client:
        try:
            client.delete(TASK)
        except errors.SeeDreamError:
            return
        raise Violation("a refused deletion went by in silence", rule="CODE-MEANING", sent=witness.sent[0])


@check("TASK-ID")
def generating_asks_for_the_task_that_was_made(bench: Bench) -> None:
    """Submit, query, download: one submission, and the id of its reply in every query."""
    with studio(bench, picture(), lambda host: [f"{host}/1.png"]) as scene:
        scene.client.generate("a fish", batchsize=1, output_dir=scene.directory)
        submissions = [sent for sent in scene.api.sent if sent.path == bench.page.submit]
        queries = [sent for sent in scene.api.sent if sent.path != bench.page.submit]
    if len(submissions) != 1:
        raise Violation(f"{len(submissions)} submissions were sent", rule="PAY-ONCE")
    for sent in queries:
        _json(sent, bench.page.query, {"taskid": TASK}, "TASK-ID")
    for sent in scene.api.sent:
        check_key(bench, sent, KEY)
