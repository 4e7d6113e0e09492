"""A single submission with a journal: recorded before it leaves, and after (invariants I1, I3, I5 of RELIABILITY)."""

from pathlib import Path

import httpx
import pytest
from seedream import SeeDream, SeeDreamError, errors
from seedream.journal import Journal
from support.clients import Both
from support.scripted_server import Connection, ScriptedServer, refusing_url, reply

OK = b'{"code": 1000, "msg": "ok", "data": {"taskid": "t1"}}'


def states(path: Path) -> list[str]:
    with Journal(path) as journal:
        run = journal.find_run("calls")
        return [job.state for job in journal.jobs(run.id)] if run else []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (reply(200, OK), "submitted"),
        (reply(200, b'{"code": 9999, "msg": "no"}'), "rejected"),
        (reply(200, b'{"code": 9000, "msg": "no"}'), "abandoned"),  # planned; given up when the journal is reopened
        (reply(500), "unknown"),
        (reply(200, b"<html>"), "unknown"),
        (Connection.read_request, "unknown"),
        (reply(401), "abandoned"),
    ],
)
def test_each_end_is_recorded(both: Both, tmp_path: Path, answer: object, state: str) -> None:
    path = tmp_path / "journal.db"
    with ScriptedServer(answer) as server:  # type: ignore[arg-type]  # read_request is an action too
        try:
            both.call(lambda client: client.submit("a fish"), base_url=server.url, journal=path)
        except SeeDreamError as error:
            assert "submitted" != state
            assert ("unknown" == state) == (error.billing == "unknown")  # noqa: PT017 -- one of two good ends
    assert [state] == states(path)


def test_the_intent_is_durable_before_the_first_byte_arrives(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    seen: list[str] = []

    def look(connection: Connection) -> None:
        import sqlite3  # noqa: PLC0415 -- another connection, as another process would have

        connection.read_request()
        reader = sqlite3.connect(path)
        seen.extend(state for (state,) in reader.execute("SELECT state FROM job"))
        reader.close()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(OK) + OK)

    with ScriptedServer(look) as server:
        both.call(lambda client: client.submit("a fish"), base_url=server.url, journal=path)
    assert ["submitting"] == seen
    assert ["submitted"] == states(path)


def test_what_never_left_is_not_in_the_journal(both: Both, tmp_path: Path) -> None:
    with refusing_url() as url, pytest.raises(errors.NotSent):
        both.call(lambda client: client.submit("a fish"), base_url=url, journal=tmp_path / "journal.db")
    assert [] == states(tmp_path / "journal.db")


def test_a_journal_that_cannot_record_stops_the_submission(both: Both) -> None:
    class Full:
        def begin(self) -> None:
            raise errors.JournalFull("no room")

    with ScriptedServer(reply(200, OK)) as server:

        def work(client: object) -> object:
            from seedream._request.submission import check_submit  # noqa: PLC0415 -- white box

            return client.run(client.submission_workflow(check_submit("a fish", {}), Full()))  # type: ignore[attr-defined]  # either client

        with pytest.raises(errors.JournalFull):
            both.call(work, base_url=server.url)
    assert [] == server.requests


def test_a_second_client_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with SeeDream("k", journal=path, transport=transport), pytest.raises(errors.JournalLocked):
        SeeDream("k", journal=path, transport=transport)
    SeeDream("k", journal=path, transport=transport).close()
