"""Checks of what a server refuses. They cost nothing, so they come first against a real one."""

import json

from seedream_testing.contract.api_facts import text
from seedream_testing.contract.encode import encode
from seedream_testing.contract.server.under_test import Bench, check
from seedream_testing.contract.violation import Violation


def _unchanged(bench: Bench, before: list[int], what: str) -> None:
    if bench.charged() != before:
        raise Violation(f"{what} was charged: {bench.charged()[len(before) :]}", rule="SERVER-CHARGE")


@check("AUTH-KEY")
def refuses_without_a_key(bench: Bench) -> None:
    """Without the header, or with an empty one, every operation is refused."""
    before = bench.charged()
    for headers in ({}, {bench.page.auth_header: ""}, {bench.page.auth_header: bench.page.auth_scheme}):
        told = f"a request with headers {headers}"
        bench.check_refused(bench.submit([text("prompt", "a fish")], headers), told, "AUTH-KEY")
        bench.check_refused(bench.ask(bench.page.query, {"taskid": "t"}, headers), told, "AUTH-KEY")
        bench.check_refused(bench.ask(bench.page.delete, {"taskids": ["t"]}, headers), told, "AUTH-KEY")
    _unchanged(bench, before, "a request without a key")


@check("AUTH-KEY")
def refuses_a_key_that_it_does_not_know(bench: Bench) -> None:
    """A key that is not the account's is refused (skipped where every key is welcome)."""
    if bench.bad_key is not None:
        headers = {bench.page.auth_header: f"{bench.page.auth_scheme} {bench.bad_key}"}
        bench.check_refused(bench.submit([text("prompt", "a fish")], headers), "a wrong key", "AUTH-KEY")


@check("RES-PIXELS")
def refuses_what_the_page_forbids(bench: Bench) -> None:
    """Each illegal form is refused with the failure code, makes no task, and is not charged."""
    for case in bench.page.illegal:
        if case.wire is None:
            continue
        before = bench.charged()
        bench.check_refused(bench.submit(case.wire), case.name, case.rule)
        _unchanged(bench, before, case.name)


@check("TASK-ID")
def knows_no_task_that_was_not_made(bench: Bench) -> None:
    """Queries and deletions of unknown ids, or of none, are refused."""
    ids: tuple[object, ...] = ("no-such-task", "", 7, None, [])
    for body in (*({"taskid": taskid} for taskid in ids), {}, [], "x"):
        bench.check_refused(bench.ask(bench.page.query, body), f"a query with {json.dumps(body)}", "TASK-ID")
    none: tuple[object, ...] = ({}, {"taskids": []}, {"taskids": "t"}, {"taskids": [7]})
    for listed in none:
        bench.check_refused(bench.ask(bench.page.delete, listed), f"a deletion with {json.dumps(listed)}", "TASK-ID")


@check("SERVER-HTTP")
def refuses_what_is_not_the_operation(bench: Bench) -> None:
    """Other methods, media types and broken bodies are refused, and not charged."""
    before = bench.charged()
    key, parts = bench.authorization, [text("prompt", "a fish")]
    kind, body = encode(parts)
    for what, reply in {
        "GET": bench.send("GET", bench.page.submit, key),
        "PUT": bench.send("PUT", bench.page.submit, {**key, "content-type": kind}, body),
        "JSON instead of a form": bench.ask(bench.page.submit, {"prompt": "a fish"}),
        "a form without its end": bench.send("POST", bench.page.submit, {**key, "content-type": kind}, body[:-10]),
        "no body": bench.send("POST", bench.page.submit, key),
        "a form instead of JSON": bench.send("POST", bench.page.query, {**key, "content-type": kind}, body),
        "broken JSON": bench.send("POST", bench.page.query, {**key, "content-type": "application/json"}, b'{"taskid'),
    }.items():
        if reply.status >= 500:  # noqa: PLR2004 -- server errors
            raise reply.violation(f"{what} broke the server", "SERVER-HTTP")
        bench.check_refused(reply, what, "SERVER-HTTP")
    _unchanged(bench, before, "what is not the operation")
