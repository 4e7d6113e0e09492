"""Checks of what a server refuses. They cost nothing, so they come first against a real one."""

import json

from seedream_testing.contract.api_facts import text
from seedream_testing.contract.encode import encode
from seedream_testing.contract.server.under_test import ServerUnderTest, check
from seedream_testing.contract.violation import Violation


def _unchanged(server: ServerUnderTest, before: list[int], what: str) -> None:
    if server.charged() != before:
        raise Violation(f"{what} was charged: {server.charged()[len(before) :]}", rule="SERVER-CHARGE")


@check("AUTH-KEY")
def refuses_without_a_key(server: ServerUnderTest) -> None:
    """Without the header, or with an empty one, every operation is refused."""
    before = server.charged()
    for headers in ({}, {server.facts.auth_header: ""}, {server.facts.auth_header: server.facts.auth_scheme}):
        told = f"a request with headers {headers}"
        server.check_refused(server.submit([text("prompt", "a fish")], headers), told, "AUTH-KEY")
        server.check_refused(server.ask(server.facts.query, {"taskid": "t"}, headers), told, "AUTH-KEY")
        server.check_refused(server.ask(server.facts.delete, {"taskids": ["t"]}, headers), told, "AUTH-KEY")
    _unchanged(server, before, "a request without a key")


@check("AUTH-KEY")
def refuses_a_key_that_it_does_not_know(server: ServerUnderTest) -> None:
    """A key that is not the account's is refused (skipped where every key is welcome)."""
    if server.bad_key is not None:
        headers = {server.facts.auth_header: f"{server.facts.auth_scheme} {server.bad_key}"}
        server.check_refused(server.submit([text("prompt", "a fish")], headers), "a wrong key", "AUTH-KEY")


@check("RES-PIXELS")
def refuses_what_the_page_forbids(server: ServerUnderTest) -> None:
    """Each illegal form is refused with the failure code, makes no task, and is not charged."""
    for case in server.facts.illegal:
        if case.wire is None:
            continue
        before = server.charged()
        server.check_refused(server.submit(case.wire), case.name, case.rule)
        _unchanged(server, before, case.name)


@check("TASK-ID")
def knows_no_task_that_was_not_made(server: ServerUnderTest) -> None:
    """Queries and deletions of unknown ids, or of none, are refused."""
    ids: tuple[object, ...] = ("no-such-task", "", 7, None, [])
    for body in (*({"taskid": taskid} for taskid in ids), {}, [], "x"):
        server.check_refused(server.ask(server.facts.query, body), f"a query with {json.dumps(body)}", "TASK-ID")
    none: tuple[object, ...] = ({}, {"taskids": []}, {"taskids": "t"}, {"taskids": [7]})
    for listed in none:
        server.check_refused(
            server.ask(server.facts.delete, listed), f"a deletion with {json.dumps(listed)}", "TASK-ID"
        )


@check("SERVER-HTTP")
def refuses_what_is_not_the_operation(server: ServerUnderTest) -> None:
    """Other methods, media types and broken bodies are refused, and not charged."""
    before = server.charged()
    key, parts = server.authorization, [text("prompt", "a fish")]
    kind, body = encode(parts)
    for what, reply in {
        "GET": server.send("GET", server.facts.submit, key),
        "PUT": server.send("PUT", server.facts.submit, {**key, "content-type": kind}, body),
        "JSON instead of a form": server.ask(server.facts.submit, {"prompt": "a fish"}),
        "a form without its end": server.send("POST", server.facts.submit, {**key, "content-type": kind}, body[:-10]),
        "no body": server.send("POST", server.facts.submit, key),
        "a form instead of JSON": server.send("POST", server.facts.query, {**key, "content-type": kind}, body),
        "broken JSON": server.send(
            "POST", server.facts.query, {**key, "content-type": "application/json"}, b'{"taskid'
        ),
    }.items():
        if reply.status >= 500:  # noqa: PLR2004 -- server errors
            raise reply.violation(f"{what} without_credits the server", "SERVER-HTTP")
        server.check_refused(reply, what, "SERVER-HTTP")
    _unchanged(server, before, "what is not the operation")
