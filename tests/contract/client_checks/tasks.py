"""Checks of queries, waiting and deletion."""

import json

from contract.client_checks.form import check_key
from contract.client_checks.under_test import KEY, TASK, ClientUnderTest, check, fake_backend, in_turn, picture
from contract.recording_server import RecordingServer, ScriptedReply, envelope
from seedream import errors
from seedream_testing.contract.violation import Sent, Violation


def _json(sent: Sent, path: str, meant: object, rule: str) -> None:
    if (sent.method, sent.path) != ("POST", path):
        raise Violation(f"it sent {sent.method} {sent.path}, not POST {path}", rule="WIRE-HTTP", sent=sent)
    if not sent.header("content-type") or not sent.header("content-type")[0].startswith("application/json"):
        raise Violation(f"Content-Type is {sent.header('content-type')}", rule="WIRE-HTTP", sent=sent)
    if json.loads(sent.body) != meant:
        raise Violation(f"{sent.body!r} arrived, but {meant!r} was meant", rule=rule, sent=sent)


@check("STATUS-MEANING")
def a_query_reads_what_is_told(subject: ClientUnderTest) -> None:
    """The query names the task; every value of the reply is read as it is; unknown numbers are not the end."""
    facts = subject.facts
    states = {facts.queued: "queued", facts.processing: "processing", facts.completed: "completed",
              facts.failed: "failed", 5: "unknown", 0: "unknown", 77: "unknown"}  # fmt: skip
    for status, state in states.items():
        fields = {"url": ["https://img.example/1.png?sig=x"], "width": 2560, "height": 1440, "prompt": "鱼",
                "error_message": "why", "category": "seedreamv45"}  # fmt: skip
        with RecordingServer(subject.state(status, **fields)) as server, subject.client(server.url) as client:
            info = client.query(TASK)
        _json(server.sent[0], facts.query, {"taskid": TASK}, "TASK-ID")
        check_key(subject, server.sent[0])
        found = (info.taskid, info.status, info.state, list(info.urls), info.width, info.height, info.prompt,
                 info.error_message)  # fmt: skip
        meant = (TASK, status, state, fields["url"], 2560, 1440, "鱼", "why")
        if found != meant:
            raise Violation(f"image_status {status} was read as {found}, not {meant}", rule="STATUS-MEANING")
        if info.finished != (state in ("completed", "failed")):
            raise Violation(f"image_status {status} counts as finished={info.finished}", rule="STATUS-MEANING")


@check("STATUS-MEANING")
def a_query_is_repeated_where_no_usable_answer_came(subject: ClientUnderTest) -> None:
    """A query costs nothing: after a lost connection, a 5xx or a garbled answer it is asked again."""
    for first in (None, ScriptedReply(429), ScriptedReply(500), ScriptedReply(503), ScriptedReply(200, b"<html>")):
        answers = [first, subject.state(None, url=["https://i.example/1"])]
        with RecordingServer(in_turn(*answers)) as server, subject.client(server.url) as client:
            try:
                info = client.query(TASK)
            except errors.SeeDreamError as error:
                raise Violation(f"one unusable answer ended it: {error!r}", rule="STATUS-MEANING") from None
            if info.state != "completed" or len(server.sent) != 2:
                raise Violation(f"it gave {info.state} after {len(server.sent)} queries", rule="STATUS-MEANING")


@check("TASK-ID")
def ids_travel_as_they_came(subject: ClientUnderTest) -> None:
    """An id is any text: its case, blanks inside, signs and length arrive in queries and deletions as they came."""
    for taskid in ("AbCd_XyZ-0", "a b", "0012", "%41+b", "任务-1", "'\"\\", "x" * 200):
        told = envelope(subject.facts.success, {"taskid": taskid, "image_status": subject.facts.queued})
        with RecordingServer(told) as server, subject.client(server.url) as client:
            client.query(taskid)
        _json(server.sent[0], subject.facts.query, {"taskid": taskid}, "TASK-ID")
        done = envelope(subject.facts.success, {"status": "Success"})
        with RecordingServer(done) as server, subject.client(server.url) as client:
            client.delete(taskid, taskid)
        _json(server.sent[0], subject.facts.delete, {"taskids": [taskid, taskid]}, "TASK-ID")


@check("STATUS-MEANING")
def waiting_ends_when_the_task_does(subject: ClientUnderTest) -> None:
    """Queued, processing and unknown numbers are waited through; failed raises with the vendor's reason."""
    facts = subject.facts
    numbers = [facts.queued, facts.processing, 5, facts.processing]
    with RecordingServer(
        lambda _: subject.state(numbers.pop(0) if numbers else facts.completed, url=["https://i.example/1"])
    ) as server:
        with subject.client(server.url) as client:
            info = client.task(TASK).wait(timeout=600)
        if info.state != "completed" or len(server.sent) != 5:
            raise Violation(f"it ended as {info.state} after {len(server.sent)} queries", rule="STATUS-MEANING")
    failed = subject.state(facts.failed, error_message="the prompt is not allowed")
    with RecordingServer(failed) as server, subject.client(server.url) as client:
        try:
            result = client.task(TASK).wait(timeout=600)
        except errors.TaskFailed as error:
            if "the prompt is not allowed" not in str(error) or error.taskid != TASK:
                raise Violation(f"the vendor's reason is lost: {error}", rule="STATUS-MEANING") from None
        else:
            raise Violation(f"a failed task gave {result!r}", rule="STATUS-MEANING")


@check("PAY-KNOWN")
def a_deadline_is_not_a_failure(subject: ClientUnderTest) -> None:
    """A task that is still running at the deadline is reported as such, with its id."""
    for answer in (subject.state(subject.facts.processing), ScriptedReply(500), ScriptedReply(200, b"<html>")):
        with RecordingServer(answer) as server, subject.client(server.url) as client:
            try:
                result = client.task(TASK).wait(timeout=30)
            except errors.WaitTimeout as error:
                if error.taskid != TASK:
                    raise Violation("the task id is not on the error", rule="PAY-KNOWN") from None
            else:
                raise Violation(f"at the deadline it gave {result!r}", rule="STATUS-MEANING")


@check("TASK-OWN")
def another_tasks_answer_is_not_taken(subject: ClientUnderTest) -> None:
    """A reply about another task is not accepted."""
    other = envelope(subject.facts.success, {"taskid": "another", "image_status": subject.facts.completed})
    with RecordingServer(other) as server, subject.client(server.url) as client:
        try:
            info = client.query(TASK)
        except errors.StatusError:
            return
        raise Violation(f"it was reported as this one's: {info!r}", rule="TASK-OWN", sent=server.sent[0])


@check("ERROR-TREE")
def odd_answers_stay_in_the_tree(subject: ClientUnderTest) -> None:
    """Any answer to a query or deletion becomes a value or an error of the tree."""
    facts = subject.facts
    odd = [ScriptedReply(200, body, {"content-type": "application/json"}) for body in (
        b"", b"null", b"[]", b"1", b'"x"', b"{", b'{"code":null}', b'{"code":{}}', b"\xff\xfe", b"[" * 100_000,
        json.dumps({"code": facts.success}).encode(),
        json.dumps({"code": facts.success, "data": 5}).encode(),
        json.dumps({"code": facts.success, "data": {"image_status": "3", "url": 7, "width": "x"}}).encode(),
        json.dumps({"code": 10**400}).encode(),
    )]  # fmt: skip
    odd += [ScriptedReply(status) for status in (204, 304, 400, 404, 418, 500, 520, 599)]
    for answer in odd:
        with RecordingServer(answer) as server, subject.client(server.url) as client:
            for call in (client.query, client.delete):
                try:
                    call(TASK)
                except errors.SeeDreamError:
                    continue
                except Exception as error:
                    what = f"{answer.status} {answer.body[:60]!r} gave {type(error).__name__}: {error!s:.200}"
                    raise Violation(what, rule="ERROR-TREE", sent=server.sent[-1]) from error


@check("TASK-ID")
def a_deletion_names_its_tasks(subject: ClientUnderTest) -> None:
    """The ids arrive as they were given; a refusal is an error."""
    done = envelope(subject.facts.success, {"status": "Success"})
    with RecordingServer(done) as server, subject.client(server.url) as client:
        client.delete(TASK, "t-2")
    _json(server.sent[0], subject.facts.delete, {"taskids": [TASK, "t-2"]}, "TASK-ID")
    check_key(subject, server.sent[0])
    with RecordingServer(envelope(subject.facts.failure)) as server, subject.client(server.url) as client:
        try:
            client.delete(TASK)
        except errors.SeeDreamError:
            return
        raise Violation("a refused deletion went by in silence", rule="CODE-MEANING", sent=server.sent[0])


@check("TASK-ID")
def generating_asks_for_the_task_that_was_made(subject: ClientUnderTest) -> None:
    """Submit, query, download: one submission, and the id of its reply in every query."""
    with fake_backend(subject, picture(), lambda host: [f"{host}/1.png"]) as backend:
        backend.client.generate("a fish", batchsize=1, output_dir=backend.directory)
        submissions = [sent for sent in backend.api.sent if sent.path == subject.facts.submit]
        queries = [sent for sent in backend.api.sent if sent.path != subject.facts.submit]
    if len(submissions) != 1:
        raise Violation(f"{len(submissions)} submissions were sent", rule="PAY-ONCE")
    for sent in queries:
        _json(sent, subject.facts.query, {"taskid": TASK}, "TASK-ID")
    for sent in backend.api.sent:
        check_key(subject, sent, KEY)


@check("KEY-PRIVATE")
def no_query_or_deletion_is_redirected(subject: ClientUnderTest) -> None:
    """A redirect of a query, a wait or a deletion is not followed: the key would go where a reply says."""
    for status in (301, 302, 303, 307, 308):
        with RecordingServer(subject.state(None, url=["https://i.example/1"])) as other:
            moved = ScriptedReply(status, b"", {"location": f"{other.url}{subject.facts.query}"})
            with RecordingServer(moved) as server, subject.client(server.url) as client:
                for call in (client.query, client.delete, lambda taskid: client.task(taskid).wait(timeout=5)):
                    try:
                        result = call(TASK)
                    except errors.SeeDreamError:
                        continue
                    raise Violation(f"HTTP {status} gave {result!r}", rule="KEY-PRIVATE", sent=server.sent[-1])
            if other.sent:
                raise Violation(f"HTTP {status} was followed with the key", rule="KEY-PRIVATE", sent=other.sent[0])
