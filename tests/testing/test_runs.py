"""A run: which examples, within which budget, and how its outcomes are told to people and machines."""

# ruff: noqa: E501 -- one case a line reads as a table

import datetime as dt
import json
import re
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import nullcontext
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import judge
import pytest
import trustme
from attrs import evolve
from contract.servers.memory_server import MemoryServer
from contract.servers.serving import POOR, RICH, SECOND, keys
from mutants.derived import under_test
from seedream_sandbox import Sandbox
from seedream_testing import contract as public
from seedream_testing.contract import (
    RELATIONS,
    ContractResult,
    Example,
    Need,
    Relation,
    Sent,
    ServerUnderTest,
    State,
    Unobservable,
    Violation,
    check_server,
    command,
    from_tables,
    pytest_items,
    run_contract,
    sentence,
)  # fmt: skip
from seedream_testing.contract.allowances import Allowance, load_allowances, parse_allowance, read_allowances, selected
from seedream_testing.contract.report_html import html_report
from seedream_testing.contract.report_junit import junit_report
from seedream_testing.contract.run import Outcome, Unreachable, examples, explain, run_example
from seedream_testing.contract.server_under_test import NOT_SENT, Reply
from seedream_testing.contract.violation import conceal, named

DAY = dt.date(2026, 6, 15)
USUAL = (("accept", "*/*"), ("user-agent", "python-httpx/0.28.1"))
SENT = Sent(
    "POST", "http://127.0.0.1/a?b=c", (*USUAL, ("authorization", f"Bearer {RICH}"), ("x-a", "it's")), b"a\\'\n\xff"
)
Run = Callable[[ServerUnderTest], None]


def raising(error: Exception) -> Run:
    def run(_: ServerUnderTest) -> None:
        raise error

    return run


def spending(images: int) -> Run:
    def run(server: ServerUnderTest) -> None:
        server.spent += images

    return run


def broken(what: str = "it is wrong", rule: str = "RES-TIER") -> Run:
    def run(_: ServerUnderTest) -> None:
        raise Violation(what, rule=rule, sent=SENT)

    return run


def relation(name: str, *family: Example, rule: str = "BATCH-RANGE", unseen: str = "") -> Relation:
    return Relation(name, rule, f"What {name} says.", lambda _: family, unseen)


def server(**options: Any) -> ServerUnderTest:
    service = MemoryServer(keys())
    return evolve(under_test(service, service, judge.FACTS), **options)


PASSES = Example("passes", lambda _: None)


# Which examples, and in which order


def test_a_budget_is_spread_over_the_relations_after_what_is_free() -> None:
    paid = [
        relation(f"a.{n}", *(Example(f"{n}{m}", spending(1), 1) for m in range(3)), Example(f"{n}free", lambda _: None))
        for n in range(3)
    ]
    with server() as one:
        result = run_contract(one, relations=paid, budget=5)
    names = [outcome.example.name for outcome in result.outcomes]
    assert names == ["0free", "1free", "2free", "00", "10", "20", "01", "11", "21", "02", "12", "22"]
    assert [outcome.state for outcome in result.outcomes] == [State.PASSED] * 8 + [State.SKIPPED] * 4
    assert (result.spent, result.count(State.SKIPPED), result.stopped) == (5, 4, False)
    assert result.outcomes[-1].reason == "it may cost 1 images, and 0 of the budget are left"


def test_without_a_budget_the_order_is_that_of_the_table() -> None:
    table = [relation("a.b", Example("dear", spending(9), 9), PASSES), relation("c.d", PASSES)]
    with server() as one:
        result = run_contract(one, relations=table)
        assert [outcome.name for outcome in result.outcomes] == ["a.b/dear", "a.b/passes", "c.d/passes"]
        assert result.spent == 9
        legal = relation(
            "form.legal",
            Example("three", spending(3), 3),
            Example("one", spending(1), 1),
            Example("two", spending(2), 2),
        )
        other = relation("form.other", Example("5", spending(5), 5), Example("4", spending(4), 4))
        cheap_first = run_contract(one, relations=[legal, other], budget=99)
    assert [outcome.example.name for outcome in cheap_first.outcomes] == ["one", "5", "two", "4", "three"]


def test_an_example_may_cost_the_whole_rest_of_a_budget() -> None:
    with server() as one:
        one.spent = 2
        row = relation("a.b")
        assert run_example(one, row, Example("x", lambda _: None, 3), 5, []).state is State.PASSED
        assert (
            run_example(one, row, Example("x", lambda _: None, 4), 5, []).reason
            == "it may cost 4 images, and 3 of the budget are left"
        )
        assert run_example(one, row, Example("x", lambda _: None, 400), None, []).state is State.PASSED
        dear = relation("a.b", Example("x", spending(3), 3))
        whole = run_contract(one, relations=[dear, dear], budget=5)
        assert ([outcome.state for outcome in whole.outcomes], whole.spent) == ([State.PASSED, State.SKIPPED], 5)


@pytest.mark.parametrize(
    ("need", "have", "lack"),
    [(Need.UNKNOWN_KEY, {}, {"any_key": True}), (Need.SECOND_KEY, {}, {"second_key": None}), (Need.NO_CREDITS, {}, {"no_credits_key": None}), (Need.LEDGER, {}, {"charges": None})],
)  # fmt: skip
def test_what_is_missing_is_named(need: Need, have: dict[str, Any], lack: dict[str, Any]) -> None:
    example = Example("x", lambda _: None, needs=(need,))
    assert run_example(server(**have), relation("a.b"), example, None, []).state is State.PASSED
    skipped = run_example(server(**lack), relation("a.b"), example, None, [])
    assert (skipped.state, skipped.reason) == (State.SKIPPED, f"it needs {need.value}")
    both = Example("x", raising(AssertionError()), needs=(Need.SECOND_KEY, Need.LEDGER))
    assert (
        run_example(server(second_key=None, charges=None), relation("a.b"), both, None, []).reason
        == f"it needs {Need.SECOND_KEY.value} and {Need.LEDGER.value}"
    )


# How one example ends


def ended(run: Run, *allow: Allowance) -> Outcome:
    return run_example(server(), relation("a.b"), Example("x", run), None, allow)


def test_a_violation_is_a_failure_with_its_check() -> None:
    found = ended(broken(f"it shows {RICH} and {SECOND[3:12]}"))
    assert (found.state, found.rule, found.name, found.reason) == (State.FAILED, "RES-TIER", "a.b/x", "")
    assert found.violation is not None
    assert found.violation.check == "a.b/x"
    assert (
        found.violation.what == "it shows $TENSORSLAB_API_KEY and ******nd-"[:41]
        or "Second" not in found.violation.what
    )
    assert RICH not in found.violation.curl
    own = Violation("x", rule="RES-TIER", check="own")
    assert ended(raising(own)).violation is own
    assert own.check == "own"


def test_whatever_else_a_check_raises_is_a_failure_of_its_rule() -> None:
    found = ended(raising(KeyError("data" * 400)))
    assert found.violation is not None
    assert (found.state, found.violation.rule, found.violation.check) == (State.FAILED, "BATCH-RANGE", "a.b/x")
    assert found.violation.what == f"ended in KeyError: '{'data' * 400}"[:1009]
    assert found.seconds >= 0


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, State.PASSED),
        (Unobservable("x"), State.SKIPPED),
        (Violation("x", rule="RES-TIER"), State.FAILED),
        (KeyError("x"), State.FAILED),
    ],
)
def test_how_long_an_example_took_is_told_however_it_ended(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, state: State
) -> None:
    moments = iter((10.0, 12.5))
    monkeypatch.setattr("seedream_testing.contract.run.time", SimpleNamespace(monotonic=lambda: next(moments)))
    found = ended(raising(error) if error is not None else lambda _: None)
    assert (found.state, found.seconds) == (state, 2.5)


def test_no_key_is_shown_by_what_was_found_or_sent() -> None:
    sent = evolve(
        SENT, url=f"http://127.0.0.1/?key={RICH}", headers=(("x-key", POOR),), body=f"token={SECOND}".encode()
    )
    found = ended(raising(Violation(f"{RICH} {SECOND} {POOR}", rule="RES-TIER", sent=sent)))
    assert found.violation is not None
    assert (found.violation.what, [key for key in (RICH, SECOND, POOR) if key in str(found.violation)]) == (
        " ".join(["$TENSORSLAB_API_KEY"] * 3), [],
    )  # fmt: skip


def test_what_cannot_be_seen_is_skipped() -> None:
    found = ended(raising(Unobservable("no pillow")))
    assert (found.state, found.reason, found.violation, found.rule) == (State.SKIPPED, "no pillow", None, "BATCH-RANGE")


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.PoolTimeout("no")])
def test_a_server_that_is_not_there_ends_the_run(error: Exception) -> None:
    with pytest.raises(Unreachable, match=r"^http://127\.0\.0\.1 cannot be reached: no$"):
        ended(raising(error))


@pytest.mark.parametrize(
    ("what", "covered"),
    [("RES-TIER", True), ("BATCH-RANGE", True), ("a.b", True), ("a.*", True), ("a.b/x", True), ("a.b/*", True), ("*", True), ("a", False), ("b", False), ("a.b/y", False), ("A.B", False), ("res-tier", False)],
)  # fmt: skip
def test_a_known_deviation_is_allowed_by_any_of_its_names(what: str, covered: bool) -> None:
    found = ended(
        broken(),
        Allowance("nothing", "first"),
        Allowance(what, "known"),
        Allowance("*", "last") if covered else Allowance("-", ""),
    )
    assert (found.state, found.reason) == ((State.ALLOWED, "known") if covered else (State.FAILED, ""))


@pytest.mark.parametrize(
    ("today", "over"), [(DAY - dt.timedelta(1), False), (DAY, False), (DAY + dt.timedelta(1), True)]
)
def test_a_deviation_counts_until_its_last_day_is_over(today: dt.date, over: bool) -> None:
    until, always = Allowance("a.b", "known", DAY), Allowance("c.d", "other")
    with server() as one:
        result = run_contract(
            one, relations=[relation("a.b", Example("x", broken()))], allow=[until, always], today=today
        )
    assert (result.outcomes[0].state, result.expired) == ((State.FAILED, [until]) if over else (State.ALLOWED, []))
    assert (until.expired(today), always.expired(today)) == (over, False)


def test_a_run_ends_at_the_first_failure_unless_it_is_to_go_on() -> None:
    table = [relation("a.b", PASSES, Example("x", broken()), Example("y", broken()))]
    told = list[str]()
    with server() as one:
        short = run_contract(one, relations=table, report=lambda outcome: told.append(outcome.name))
        whole = run_contract(one, relations=table, keep_going=True)
        allowed = run_contract(one, relations=table, allow=[Allowance("a.b", "known")])
    assert [outcome.name for outcome in short.outcomes] == told == ["a.b/passes", "a.b/x"]
    assert (short.stopped, whole.stopped, allowed.stopped) == (True, False, False)
    assert [outcome.name for outcome in whole.failures] == ["a.b/x", "a.b/y"]
    assert [len(whole.outcomes), allowed.count(State.ALLOWED), short.base_url] == [3, 2, "http://127.0.0.1"]


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ((), ["x", "y"]),
        (("a.b/x",), ["x"]),
        (("BATCH-RANGE",), ["x", "y"]),
        (("a.b/y", "a.b/x"), ["x", "y"]),
        (("RES-TIER",), []),
    ],
)
def test_only_what_was_asked_for_is_run(only: tuple[str, ...], names: list[str]) -> None:
    table = [relation("a.b", Example("x", lambda _: None), Example("y", lambda _: None))]
    with server() as one:
        assert [outcome.example.name for outcome in run_contract(one, relations=table, only=only).outcomes] == names
        assert [example.name for row, example in examples(one, table) if selected(row, example, only)] == names


def test_each_example_can_be_asked_for_by_the_name_that_the_list_shows() -> None:
    # Names may hold brackets and stars, which mean something in a pattern.
    with server() as one:
        everything = list(examples(one))
    assert [f"{row.id}/{one.name}" for row, one in everything if not selected(row, one, [f"{row.id}/{one.name}"])] == []


def test_an_example_is_there_once_and_a_relation_has_a_family() -> None:
    row = relation("a.b.c", PASSES, Example("x", lambda _: None), PASSES)
    assert ([example.name for example in row.derive(judge.FACTS)], row.family) == (["passes", "x"], "a")


# Known deviations


def test_deviations_are_read_from_options_and_files(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text('[[deviation]]\nallow = "text.exact/NFC"\nreason = "é"\nuntil = 2027-01-31\n', "utf-8")
    read = Allowance("text.exact/NFC", "é", dt.date(2027, 1, 31))
    assert load_allowances(file) == [read]
    assert parse_allowance(" RES-TIER = a = b ") == Allowance("RES-TIER", "a = b")
    assert read_allowances(["RES-TIER=x"], file, ["key.*", "http.method/x"], RELATIONS) == [
        Allowance("RES-TIER", "x"),
        read,
    ]
    file.write_text("", "utf-8")
    assert load_allowances(file) == []


WRONG_FILES = [
    ("x", "is not TOML: "), ("a = 1", ": it must hold only tables [[deviation]]"), ("deviation = 1", ": it must hold only tables"), ("deviation = [1]", ": deviation 1 must have exactly allow, reason and until"),
    ('[[deviation]]\nallow = "a"', ": deviation 1 must have exactly allow, reason and until"), ('[[deviation]]\nallow = "a"\nreason = "b"\nuntil = 2027-01-31\nx = 1', ": deviation 1 must have exactly"),
    ('[[deviation]]\nallow = "a"\nreason = " "\nuntil = 2027-01-31', ": deviation 1: allow and reason must be texts that are not empty"), ('[[deviation]]\nallow = ""\nreason = "b"\nuntil = 2027-01-31', ": deviation 1: allow and reason must be"),
    ('[[deviation]]\nallow = 1\nreason = "b"\nuntil = 2027-01-31', ": deviation 1: allow and reason must be"), ('[[deviation]]\nallow = "a"\nreason = 1\nuntil = 2027-01-31', ": deviation 1: allow and reason must be"),
    ('[[deviation]]\nallow = "a"\nreason = "b"\nuntil = "2027-01-31"', ": deviation 1: until must be a date, for example 2027-01-31"), ('[[deviation]]\nallow = "a"\nreason = "b"\nuntil = 2027-01-31T00:00:00', ": deviation 1: until must be a date"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), WRONG_FILES)
def test_a_file_of_deviations_that_is_wrong_says_where(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "known.toml"
    file.write_text(written, "utf-8")
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        load_allowances(file)
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize(
    ("given", "only", "said"),
    [(["RES-TIER"], [], "'RES-TIER' is not RULE=reason"), (["=x"], [], "is not RULE=reason"), (["RES-TIER= "], [], "is not RULE=reason"), (["no.such=x"], [], "there is no rule or relation 'no.such'; seedream contract --list shows them"), ([], ["no.such/x"], "there is no rule or relation 'no.such/x'")],
)  # fmt: skip
def test_a_deviation_that_cannot_be_meant_is_refused(given: list[str], only: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_allowances(given, None, only, RELATIONS)
    with pytest.raises(ValueError, match="No such file"):
        read_allowances([], Path("no-such-file.toml"), [], RELATIONS)


# Violations


def test_a_violation_says_check_rule_and_what_was_sent() -> None:
    found = Violation("it <is> wrong", rule="RES-TIER", check="a.b/x", sent=SENT)
    lines = str(found).split("\n")
    assert lines[0] == "[RES-TIER] a.b/x: it <is> wrong"
    assert lines[1] == f"  rule RES-TIER: “{sentence('RES-TIER')}”"
    assert lines[2] == (
        r"""  printf '%b' 'a\x5c\x27\x0a\xff' | curl -sS -X POST 'http://127.0.0.1/a?b=c' -H "authorization: Bearer $TENSORSLAB_API_KEY" """
        """-H 'x-a: it'"'"'s' --data-binary @-"""
    )
    assert str(Violation("x", rule="RES-TIER")).split("\n")[1:] == [lines[1]]


def test_a_request_is_shown_as_far_as_it_matters() -> None:
    assert (SENT.path, SENT.header("X-A"), SENT.header("none")) == ("/a?b=c", ("it's",), ())
    plain = Sent("GET", "http://h", (*USUAL, ("cookie", "1"), ("proxy-authorization", "1"), ("x", "1")), b"")
    assert (
        plain.curl
        == 'curl -sS -X GET http://h -H "cookie: Bearer $TENSORSLAB_API_KEY" -H "proxy-authorization: Bearer $TENSORSLAB_API_KEY" -H \'x: 1\''
    )
    assert plain.path == "/"
    assert (
        evolve(plain, headers=(), body=b"a" * 4000).curl
        == f"printf '%b' '{'a' * 4000}' | curl -sS -X GET http://h --data-binary @-"
    )
    for body in (b"a" * 4001, b"\n" * 1001, b"a" * 5_000_000):
        assert (
            evolve(plain, headers=(), body=body).curl
            == f"curl -sS -X GET http://h --data-binary @body  # {len(body):,} bytes, too long to show"
        )
    assert named({"X-A": "B", "c": "D"}) == (("x-a", "B"), ("c", "D"))


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"host": "h", "content-length": "3", "connection": "keep-alive", "accept-encoding": "gzip, deflate, br, zstd"}, ""),
        ({"accept-encoding": "gzip, deflate"}, ""),
        ({"user-agent": "seedream/1.0"}, ""),
        ({"user-agent": "schemathesis/4"}, ""),
        ({"connection": "close", "accept-encoding": "gzip;q=0"}, " -H 'connection: close' -H 'accept-encoding: gzip;q=0'"),
        ({"accept": "text/html", "user-agent": "curl/8.0 seedream/1"}, " -H 'accept: text/html' -H 'user-agent: curl/8.0 seedream/1'"),
        ({"accept": "", "user-agent": ""}, " -H 'accept;' -H 'user-agent;'"),
        ({"accept": NOT_SENT}, " -H accept:"),
        ({"accept": NOT_SENT, "user-agent": NOT_SENT}, " -H accept: -H user-agent:"),
    ],
)  # fmt: skip
def test_a_header_is_shown_where_curl_or_the_suite_would_send_another(headers: dict[str, str], shown: str) -> None:
    """The line must send what was sent: of what clients add by themselves, whatever is not as usual is shown."""
    sent = {name: value for name, value in {"host": "h", **dict(USUAL), **headers}.items() if value != NOT_SENT}
    assert Sent("GET", "http://h", tuple(sent.items()), b"").curl == f"curl -sS -X GET http://h{shown}"


@pytest.mark.parametrize(
    ("said", "shown"),
    [("a sk-Example-1 b", "a $TENSORSLAB_API_KEY b"), ("sk-Exa", "******"), ("SK-EXAMPLE-1", "SK-E******-1"), ("sk-exa", "******"), ("SK-eXAMPLE-1", "************"), ("1-elpmaxE-ks", "************"), ("sk-Ex", "sk-Ex"), ("mple-1", "******"), ("other", "other")],
)  # fmt: skip
def test_keys_and_pieces_of_them_are_concealed(said: str, shown: str) -> None:
    assert conceal(said, ["sk-Example-1"]) == shown
    assert conceal(said, []) == said


@pytest.mark.parametrize("order", [1, -1])
def test_of_keys_with_a_piece_in_common_nothing_stays(order: int) -> None:
    # What is concealed of one key first must not leave the ends of another.
    known = ["sk-same-1111", "sk-same-1111-2", "a-same-1119"][::order]
    for key in known:
        assert conceal(f"({key})", iter(known)) == "($TENSORSLAB_API_KEY)"


# Reports


def result(*outcomes: Outcome, **more: Any) -> ContractResult:
    return ContractResult(**{"base_url": "http://h/<a>", "outcomes": outcomes, "spent": 1234, "stopped": False, **more})


TIER = next(one for one in RELATIONS if one.id == "resolution.tier")
PIXELS = next(one for one in RELATIONS if one.id == "resolution.pixels")


def outcome(
    state: State, name: str, row: Relation = TIER, reason: str = "", rule: str = "RES-TIER", **more: Any
) -> Outcome:
    found = (
        Violation(f"{name} is <wrong>\0", rule=rule, check=f"{row.id}/{name}", sent=SENT)
        if state in (State.FAILED, State.ALLOWED)
        else None
    )
    return Outcome(row, Example(name, lambda _: None), state, reason, found, **more)


MIXED = result(
    outcome(State.PASSED, "good & <1>", PIXELS, seconds=0.25), outcome(State.FAILED, "bad\x01", seconds=1.5), outcome(State.FAILED, "other", rule="SERVER-HTTP"), outcome(State.ALLOWED, "known", reason="a <reason>"),
    outcome(State.SKIPPED, "dear", reason="it may cost 1"), outcome(State.SKIPPED, "dear too", reason="it may cost 1"), outcome(State.SKIPPED, "c", reason="another"), outcome(State.SKIPPED, "d", reason="third"),
    stopped=True, expired=[Allowance("a.b", "old <b>", DAY)],
)  # fmt: skip


def test_junit_has_a_suite_for_each_relation_and_a_case_for_each_example() -> None:
    written = junit_report(MIXED)
    assert written.startswith("<?xml version=")
    assert written.endswith("</testsuites>\n")
    root = ET.fromstring(written)  # noqa: S314 -- our own
    assert (root.tag, root.attrib) == ("testsuites", {"name": "seedream contract"})
    assert [suite.attrib for suite in root] == [
        {"name": "resolution.pixels", "tests": "1", "failures": "0", "skipped": "0", "errors": "0", "time": "0.250"},
        {"name": "resolution.tier", "tests": "7", "failures": "2", "skipped": "5", "errors": "0", "time": "1.500"},
    ]
    assert {suite.tag for suite in root} == {"testsuite"}
    cases = list(root[1])
    assert cases[0].attrib == {"classname": "RES-TIER.resolution.tier", "name": r"bad\u0001", "time": "1.500"}
    assert [case.tag for case in cases] == ["testcase"] * 7
    shown = cases[0][0]
    assert (shown.tag, shown.attrib) == ("failure", {"type": "RES-TIER", "message": r"bad\u0001 is <wrong>\u0000"})
    assert shown.text == explain(MIXED.outcomes[1]).replace("\x01", r"\u0001").replace("\0", r"\u0000")
    assert cases[1][0].attrib["type"] == "SERVER-HTTP"
    assert [(child.tag, child.attrib) for case in cases[2:4] for child in case] == [
        ("skipped", {"message": "allowed: a <reason>"}),
        ("skipped", {"message": "it may cost 1"}),
    ]
    assert [len(case) for case in cases] == [1] * 7
    assert len(root[0][0]) == 0
    long = outcome(State.FAILED, "x" * 500)
    assert len(ET.fromstring(junit_report(result(long)))[0][0][0].attrib["message"]) == 300  # noqa: S314 -- our own


def test_html_is_one_page_with_the_broken_rules_first() -> None:
    page = html_report(MIXED)
    assert page.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport"')
    assert page.endswith("</body></html>\n")
    assert "<title>Contract report</title><style>" in page
    assert not re.search(r"(src|href)=", page)
    assert page.index("<h2>RES-TIER</h2>") < page.index("<h2>RES-PIXELS</h2>")
    assert f"<blockquote class=quiet>{sentence('RES-TIER')}</blockquote>" in page
    assert "<h1>The server does not keep to the page. The run ended at the first broken rule.</h1>" in page
    assert "<code>http://h/&lt;a&gt;</code> · 8 examples · 1,234 images asked for</p><div class=counts>" in page
    for state, count, width in (
        ("passed", 1, "12.50"),
        ("failed", 2, "25.00"),
        ("allowed", 1, "12.50"),
        ("skipped", 4, "50.00"),
    ):
        assert f'<div class="{state}"><b>{count}</b>{state}</div>' in page
        assert f'<i style="width:{width}%;background:var(--{state})"></i>' in page
    assert f'<p class="failed">Expired on {DAY}: a.b (old &lt;b&gt;)</p>' in page
    tier, pixels = (page.partition(f"{name}</code>")[2].partition("<h2>")[0] for name in (TIER.id, PIXELS.id))
    assert "<details open><summary><code class=failed>resolution.tier</code>" in page
    assert "<details><summary><code class=passed>resolution.pixels</code>" in page
    assert tier.startswith(
        f'<span class=said>{TIER.sentence}</span><span><span class="failed">2 failed</span> · <span class="allowed">1 allowed</span> · <span class="skipped">4 skipped</span></span></summary><div class=failure><p><b>bad'
    )
    assert (
        "<ul><li class=skipped>2 skipped: it may cost 1</li><li class=skipped>1 skipped: another</li><li class=skipped>1 skipped: third</li></ul></details>"
        in tier
    )
    assert f"<p class=quiet>Not visible: {PIXELS.unseen}</p><ul><li>good &amp; &lt;1&gt;</li></ul></details>" in pixels
    assert tier.count("<div class=failure>") == 3
    assert "<p>other is &lt;wrong&gt;" in tier
    assert f"<p class=quiet>SERVER-HTTP: “{escape(sentence('SERVER-HTTP'))}”</p><pre>printf" in tier
    assert tier.count("<p class=quiet>") == 1
    assert "<p class=allowed>Allowed: a &lt;reason&gt;</p><pre>" in tier
    assert tier.count("</pre></div>") == 3


def test_html_shows_what_servers_and_examples_say_as_text() -> None:
    markup = "<script>alert(1)</script>&amp;"
    sent = evolve(SENT, url=f"http://h/{markup}", headers=(("x-test", markup),), body=markup.encode())
    said = Violation(markup, rule="RES-TIER", check=markup, sent=sent)
    shown = [
        Outcome(TIER, Example(markup, lambda _: None), state, reason, found)
        for state, reason, found in (
            (State.PASSED, "", None), (State.SKIPPED, markup, None), (State.FAILED, "", said), (State.ALLOWED, markup, said)
        )
    ]  # fmt: skip
    page = html_report(evolve(result(*shown, expired=[Allowance(markup, markup, DAY)]), base_url=f"http://{markup}"))
    assert page.count("alert(1)") == page.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;") > 0


def test_html_shows_five_failures_and_forty_passed_examples_without_a_click() -> None:
    page = html_report(
        result(
            *(outcome(State.FAILED, f"f{n}") for n in range(5)),
            *(outcome(State.PASSED, f"p{n}", PIXELS) for n in range(40)),
        )
    )
    assert "more" not in page.partition("</style>")[2]
    page = html_report(
        result(
            *(outcome(State.FAILED, f"f{n}") for n in range(7)),
            *(outcome(State.PASSED, f"p{n}", PIXELS) for n in range(42)),
        )
    )
    hidden = page.partition("<details><summary>and 2 more of this relation</summary>")[2].partition("</details>")[0]
    assert (hidden.count("<div class=failure>"), "f5" in hidden, "f4" in hidden) == (2, True, False)
    assert "<li>p39</li><li class=quiet>and 2 more</li></ul>" in page
    assert "<h1>The server does not keep to the page.</h1>" in page


class Words(HTMLParser):
    """Collects the text of a page that is shown, without its style sheet."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found, self._tags = list[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 -- the parser's signature
        self._tags.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip() and self._tags[-1] != "style":
            self.found.append(data.strip())


def test_html_shows_nothing_between_its_parts() -> None:
    outcomes = [
        Outcome(TIER, Example(f"f{n}", lambda _: None), State.FAILED, "", Violation(f"w{n}", rule="RES-TIER"))
        for n in range(7)
    ]
    skipped = [outcome(State.SKIPPED, f"s{n}", reason=f"r{n}") for n in range(2)]
    passed = [outcome(State.PASSED, f"p{n}", PIXELS) for n in range(2)]
    whole = result(*outcomes, *skipped, *passed, expired=[Allowance(f"a{n}", "old", DAY) for n in range(2)])
    words = Words(html_report(whole)).found
    assert words[:13] == [
        "Contract report", "The server does not keep to the page.", "http://h/<a>", "· 11 examples · 1,234 images asked for", "2", "passed", "7", "failed", "0", "allowed", "2", "skipped", f"Expired on {DAY}: a0 (old)",
    ]  # fmt: skip
    rest = [
        f"Expired on {DAY}: a1 (old)",
        "RES-TIER",
        sentence("RES-TIER"),
        TIER.id,
        TIER.sentence,
        "7 failed",
        "·",
        "2 skipped",
    ]
    rest += [word for n in range(5) for word in (f"f{n}", f"w{n}")] + [
        "and 2 more of this relation",
        "f5",
        "w5",
        "f6",
        "w6",
    ]
    rest += [
        "1 skipped: r0",
        "1 skipped: r1",
        "RES-PIXELS",
        sentence("RES-PIXELS"),
        PIXELS.id,
        PIXELS.sentence,
        "2 passed",
    ]
    assert words[13:] == [*rest, f"Not visible: {PIXELS.unseen}", "p0", "p1"]


def test_html_of_a_server_that_keeps_to_the_page() -> None:
    page = html_report(result(outcome(State.SKIPPED, "x", reason="y")))
    assert "<h1>The server keeps to the page in everything that was tried.</h1>" in page
    assert "<code class=skipped>" in page
    assert "0 examples" in html_report(result())
    assert "<code class=allowed>" in html_report(
        result(outcome(State.ALLOWED, "x", reason="y"), outcome(State.PASSED, "z"))
    )
    without = Outcome(TIER, Example("x", lambda _: None), State.FAILED)
    assert "<div class=failure>" not in html_report(result(without))
    nothing_sent = Outcome(TIER, Example("x", lambda _: None), State.FAILED, "", Violation("w", rule="RES-TIER"))
    assert "<div class=failure><p><b>x</b></p><p>w</p></div>" in html_report(result(nothing_sent))


def test_the_summary_has_a_line_for_each_relation_and_the_counts() -> None:
    assert command.summary(MIXED) == [
        "BROKEN   resolution.tier        RES-TIER         2 failed, 1 allowed, 4 skipped", "         skipped: another", "         skipped: it may cost 1", "         and for 1 other reasons",
        "holds    resolution.pixels      RES-PIXELS       1 passed", f"expired: a.b was allowed until {DAY} (old <b>)",
        "1 passed, 2 failed, 1 allowed, 4 skipped; 1234 images were asked for by submissions that the server accepted", "The run ended at the first broken rule; --keep-going goes on.",
    ]  # fmt: skip
    short = command.summary(
        result(
            outcome(State.ALLOWED, "x", reason="y"),
            outcome(State.PASSED, "p"),
            outcome(State.SKIPPED, "s", PIXELS, "r"),
            outcome(State.SKIPPED, "s", PIXELS, "q"),
        )
    )
    assert short == ["allowed  resolution.tier        RES-TIER         1 passed, 1 allowed", "skipped  resolution.pixels      RES-PIXELS       2 skipped", "         skipped: q", "         skipped: r", "1 passed, 0 failed, 1 allowed, 2 skipped; 1234 images were asked for by submissions that the server accepted"]  # fmt: skip


def test_the_document_holds_every_outcome() -> None:
    found = json.loads(json.dumps(command.document(MIXED)))
    rows = found.pop("examples")
    assert found == {
        "base_url": "http://h/<a>",
        "counts": {"passed": 1, "failed": 2, "allowed": 1, "skipped": 4},
        "images": 1234,
        "stopped": True,
        "expired": [{"allow": "a.b", "reason": "old <b>", "until": "2026-06-15"}],
    }
    assert rows[0] == {
        "relation": "resolution.pixels",
        "example": "good & <1>",
        "rule": "RES-PIXELS",
        "state": "passed",
    }
    assert rows[2] == {
        "relation": "resolution.tier",
        "example": "other",
        "rule": "SERVER-HTTP",
        "state": "failed",
        "what": "other is <wrong>\0",
        "sentence": sentence("SERVER-HTTP"),
        "curl": SENT.curl,
    }
    assert rows[4] == {
        "relation": "resolution.tier",
        "example": "dear",
        "rule": "RES-TIER",
        "state": "skipped",
        "reason": "it may cost 1",
    }
    assert rows[3]["reason"] == "a <reason>"


def test_the_list_tells_each_relation_with_its_examples() -> None:
    facts = from_tables()
    rows, documents = command.relation_rows(), command.relation_documents()
    for row, told, listed in zip(RELATIONS, rows, documents, strict=True):
        family = row.derive(facts)
        unseen = f" Not visible: {row.unseen}" if row.unseen else ""
        assert told == (
            row.id,
            f"[{row.rule}] {row.sentence} ({len(family)} examples, at most {sum(one.images for one in family)} images){unseen}",
        )
        assert {name: listed[name] for name in ("id", "rule", "sentence", "not_visible")} == {
            "id": row.id,
            "rule": row.rule,
            "sentence": row.sentence,
            "not_visible": row.unseen,
        }
        assert listed["examples"] == [
            {"name": one.name, "images": one.images, "needs": [need.value for need in one.needs]} for one in family
        ]


def test_an_outcome_is_explained() -> None:
    assert explain(MIXED.outcomes[1]) == str(MIXED.outcomes[1].violation)
    assert (
        explain(MIXED.outcomes[0])
        == f"[RES-PIXELS] resolution.pixels/good & <1>\n  rule RES-PIXELS: “{sentence('RES-PIXELS')}”"
    )


# The command


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> MemoryServer:
    """Every httpx client of the command asks a server in memory."""
    memory, real = MemoryServer(keys()), httpx.Client

    def client(**options: Any) -> httpx.Client:
        return real(**{**options, "transport": memory if "headers" in options else httpx.MockTransport(ledger)})

    def ledger(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/rows":
            return httpx.Response(
                200,
                json=[
                    {"account": 1 if key == RICH else 2, "images": images} for key, images in memory.accounts.charges
                ],
            )
        return {"/numbers": lambda: httpx.Response(200, json=[images for key, images in memory.accounts.charges if key == RICH]), "/object": lambda: httpx.Response(200, json={}),
                "/objects": lambda: httpx.Response(200, json=[{"images": images} for key, images in memory.accounts.charges if key == RICH]), "/texts": lambda: httpx.Response(200, json=["1"]), "/none": lambda: httpx.Response(200, json=[{}]), "/named": lambda: httpx.Response(200, json=[{"images": 1, "account": "rich"}]), "/text": lambda: httpx.Response(200, text="x"), "/moved": lambda: httpx.Response(307, headers={"location": "/numbers"})}.get(request.url.path, lambda: httpx.Response(500))()  # fmt: skip

    monkeypatch.setattr(httpx, "Client", client)
    return memory


EACH = "batchsize.each/batchsize '2'"


def run(*only: str, **options: Any) -> tuple[ContractResult, list[str]]:
    lines = list[str]()
    found = command.run("http://127.0.0.1", RICH, report=lines.append, only=only, **options)
    return found, lines


@pytest.mark.parametrize("given", [{}, {"patience": 7.0}])
@pytest.mark.parametrize("wrong", [False, True])
def test_the_server_of_a_command_is_waited_for_so_long_and_left_at_the_end(
    service: MemoryServer, monkeypatch: pytest.MonkeyPatch, given: dict[str, float], *, wrong: bool
) -> None:
    seen = list[ServerUnderTest]()

    def run_and_note(one: ServerUnderTest, **more: Any) -> ContractResult:
        seen.append(one)
        if wrong:
            raise Unreachable("gone")
        return run_contract(one, **more)

    monkeypatch.setattr(command, "run_contract", run_and_note)
    with pytest.raises(Unreachable) if wrong else nullcontext():
        run("key.missing/query: no key", **given)
    [one] = seen
    assert (one.patience, one._http.is_closed, one.transport) == (given.get("patience", 600.0), True, None)
    del service


@pytest.mark.parametrize(
    ("options", "passed"), [({}, 0), ({"budget": 1}, 0), ({"budget": 2}, 1), ({"unlimited": True}, 1), ({"unlimited": True, "budget": 0}, 1)]
)  # fmt: skip
def test_nothing_is_paid_for_unless_a_budget_says_so(
    service: MemoryServer, options: dict[str, Any], passed: int
) -> None:
    found, lines = run(EACH, **options)
    assert (found.count(State.PASSED), found.count(State.SKIPPED), lines) == (passed, 1 - passed, [])
    assert service.accounts.charges == [(RICH, 2)] * passed


@pytest.mark.usefixtures("service")
def test_keys_of_other_accounts_and_any_key_are_passed_on() -> None:
    assert run("key.second", unlimited=True)[0].count(State.PASSED) == 0
    assert run("key.second", unlimited=True, second_key=SECOND)[0].count(State.PASSED) >= 6
    assert run("key.credits")[0].count(State.PASSED) == 0
    assert run("key.credits", no_credits_key=POOR)[0].count(State.PASSED) >= 3
    unknown = run("key.unknown", any_key=True)[0]
    assert unknown.count(State.SKIPPED) == len(unknown.outcomes)


@pytest.mark.parametrize("path", ["rows", "numbers", "objects"])
def test_charges_are_read_from_an_address(service: MemoryServer, path: str) -> None:
    service.hooks.charge = lambda images: [images, 1]  # type: ignore[method-assign]
    found, _ = run(EACH, unlimited=True, charges_url=f"http://127.0.0.1/{path}")
    assert "was charged as [2, 1]" in str(found.failures[0].violation)
    assert (
        run("key.second", unlimited=True, second_key=SECOND, charges_url="http://127.0.0.1/rows")[0].count(
            State.SKIPPED
        )
        == 0
    )


def check_charges(one: ServerUnderTest) -> None:
    one.charged()


@pytest.mark.parametrize(
    ("path", "said"), [("object", "are not a list"), ("texts", "are neither numbers nor objects with 'images'"), ("none", "are neither numbers nor objects with 'images'"), ("named", "name an account that is not a number"), ("text", "cannot be read: "), ("gone", "cannot be read: "), ("moved", "cannot be read: ")]
)  # fmt: skip
def test_charges_that_cannot_be_read_end_the_run(service: MemoryServer, path: str, said: str) -> None:
    del service
    with pytest.raises(Unreachable, match=re.escape(f"the charges at http://127.0.0.1/{path} {said}")):
        run_example(
            evolve(server(), charges=command._charges(f"http://127.0.0.1/{path}")),
            relation("a.b"),
            Example("x", check_charges),
            None,
            [],
        )


def test_charges_are_read_only_from_an_address_whose_certificate_is_known() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Sandbox(tls=context) as sandbox, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        command._charges(f"{sandbox.base_url}/_sandbox/charges")()


def test_failures_and_known_ones_are_told_and_written(
    service: MemoryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_text(path: Path, data: str, encoding: str = "ascii") -> None:
        path.write_bytes(data.encode(encoding))

    monkeypatch.setattr(Path, "write_text", write_text)  # whatever the encoding of the machine is
    service.hooks.pictures = lambda images: images - 1  # type: ignore[method-assign]
    files = {"junit": tmp_path / "a.xml", "html": tmp_path / "a.html"}
    found, lines = run(
        "batchsize.each/batchsize '*'", unlimited=True, keep_going=True, allow=[f"{EACH}=known"], **files
    )
    assert lines[0].startswith(
        "FAILED  [SERVER-PICTURES] batchsize.each/batchsize '1': batchsize '1': 0 pictures, not 1; "
    )
    assert lines[1].startswith("ALLOWED  [SERVER-PICTURES] batchsize.each/batchsize '2'")
    assert lines[2] == "  allowed: known"
    assert (len(lines), len(found.failures), found.stopped) == (16, 14, False)
    assert files["junit"].read_text("utf-8") == junit_report(found)
    assert files["html"].read_text("utf-8") == html_report(found)
    assert run("batchsize.each/batchsize '*'", unlimited=True)[0].stopped
    allowed = run(EACH, unlimited=True, allow=[f"{EACH}=known"])[0]
    assert ([outcome.reason for outcome in allowed.outcomes], allowed.stopped) == (["known"], False)


@pytest.mark.parametrize(
    ("only", "options", "said"),
    [("batchsize.each/no", {}, "no example matches 'batchsize.each/no'; --list --json shows them"), ("no", {}, "there is no rule or relation 'no'"), (EACH, {"allow": ["x"]}, "'x' is not RULE=reason"), (EACH, {"junit": Path("/none/a.xml")}, "/none is not a directory"),
     (EACH, {"html": Path("/none/a.html")}, "/none is not a directory"), (EACH, {"allow_file": Path("/none/a.toml")}, "No such file")],
)  # fmt: skip
def test_options_that_cannot_be_used_are_refused_before_anything_is_sent(
    service: MemoryServer, only: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(command.UsageFault, match=re.escape(said)):
        run(only, **options)
    assert service.seen == []


def test_check_server_returns_what_held_and_raises_the_first_violation() -> None:
    memory = MemoryServer(keys())
    closed = list[str]()
    memory.close = lambda: closed.append("closed")  # type: ignore[method-assign]  # noted
    held = check_server(
        "http://127.0.0.1",
        RICH,
        transport=memory,
        only=[EACH, "key.second", "key.credits", "key.missing/query: no key"],
        charges=lambda: [images for key, images in memory.accounts.charges if key == RICH],
    )
    assert (held, closed) == (["key.missing/query: no key", EACH], ["closed"])
    other = check_server(
        "http://127.0.0.1",
        RICH,
        facts=judge.FACTS,
        transport=memory,
        only=["key.second", "key.credits"],
        second_key=SECOND,
        no_credits_key=POOR,
    )
    assert len(other) >= 9
    assert check_server("http://127.0.0.1", RICH, transport=memory, only=["key.unknown"], any_key=True) == []
    assert check_server("http://127.0.0.1", RICH, transport=memory, only=[EACH], budget=1) == []
    memory.hooks.charge = lambda images: []  # type: ignore[method-assign]
    with pytest.raises(Violation, match=r"was charged as \[\]"):
        check_server(
            "http://127.0.0.1",
            RICH,
            transport=memory,
            only=[EACH],
            charges=lambda: [images for _, images in memory.accounts.charges[:0]],
        )


def test_the_public_names_are_loaded_on_first_use() -> None:
    import seedream_testing  # noqa: PLC0415 -- the test is about this import

    assert dir(seedream_testing) == ["AssertCharged", "SeeDreamMock", "Violation", "check_server"]
    assert seedream_testing.check_server is public.check_server
    with pytest.raises(AttributeError, match="module 'seedream_testing' has no attribute 'nothing'"):
        _ = seedream_testing.nothing


# Items of pytest


def session(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, **options: Any) -> Any:
    monkeypatch.setenv("TENSORSLAB_API_KEY", f" {RICH}\n")
    given = {
        "seedream_contract": "http://127.0.0.1",
        "seedream_contract_only": [EACH],
        "seedream_contract_allow": [],
        "seedream_contract_allow_file": None,
        "seedream_contract_second_key_file": None,
        "seedream_contract_any_key": False,
        "seedream_contract_budget": 2,
        **options,
    }
    config = SimpleNamespace(getoption=given.__getitem__, add_cleanup=given.get("cleanups", request.addfinalizer))
    return SimpleNamespace(config=config, genitems=lambda holder: holder.collect())


def collected(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, **options: Any) -> list[Any]:
    fake = session(monkeypatch, request, **options)
    made = pytest_items.ContractCollector.from_parent
    monkeypatch.setattr(pytest_items.ContractCollector, "from_parent", lambda _, **more: made(request.session, **more))
    return list(pytest_items.collect(fake))


def ending(item: Any) -> pytest.ExceptionInfo[BaseException]:
    """Run an item that does not pass. A skip or an xfail that got out of a test would count as that test's own."""
    with pytest.raises((pytest_items.ContractFailure, pytest.skip.Exception, pytest.xfail.Exception)) as caught:
        item.runtest()
    return caught


def test_each_example_is_an_item(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    service: MemoryServer,
    tmp_path: Path,
) -> None:
    (tmp_path / "second").write_text(f"{SECOND}\n", "utf-8")
    [item] = collected(monkeypatch, request)
    assert (item.name, item.reportinfo()) == (
        "batchsize.each[batchsize '2']",
        (Path("seedream-contract"), None, "BATCH-RANGE: batchsize.each[batchsize '2']"),
    )
    item.runtest()
    assert service.accounts.charges == [(RICH, 2)]
    over = ending(item)
    assert (over.type, str(over.value)) == (pytest.skip.Exception, "it may cost 2 images, and 0 of the budget are left")
    holder = item.parent
    assert (holder.name, holder.budget, holder.only, holder.allow) == ("seedream-contract", 2, [EACH], [])
    assert (holder.server.key, holder.server.second_key, holder.server.any_key, holder.server.base_url) == (
        RICH,
        None,
        False,
        "http://127.0.0.1",
    )
    [other] = collected(
        monkeypatch,
        request,
        seedream_contract_second_key_file=str(tmp_path / "second"),
        seedream_contract_any_key=True,
    )
    assert (other.parent.server.second_key, other.parent.server.any_key) == (SECOND, True)


def test_the_server_of_a_session_is_left_at_its_end(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    cleanups = list[Callable[[], object]]()
    [item] = collected(monkeypatch, request, cleanups=cleanups.append)
    [leave] = cleanups
    assert not item.parent.server._http.is_closed
    leave()
    assert item.parent.server._http.is_closed


def test_an_item_fails_without_a_traceback_and_a_known_deviation_is_expected(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, service: MemoryServer
) -> None:
    service.hooks.pictures = lambda images: images + 1  # type: ignore[method-assign]
    [item] = collected(monkeypatch, request)
    caught = ending(item)
    assert (caught.type, item.repr_failure(caught)) == (pytest_items.ContractFailure, str(caught.value))
    assert str(caught.value).startswith(
        "[SERVER-PICTURES] batchsize.each/batchsize '2': batchsize '2': 3 pictures, not 2"
    )
    with pytest.raises(ZeroDivisionError) as other:
        _ = 1 / 0
    assert "ZeroDivisionError" in item.repr_failure(other)
    [known] = collected(monkeypatch, request, seedream_contract_allow=[f"{EACH}=known"])
    allowed = ending(known)
    assert (allowed.type, str(allowed.value)) == (pytest.xfail.Exception, "known")


@pytest.mark.parametrize(("until", "raised"), [("2026-06-14", pytest_items.ContractFailure), ("2026-06-15", pytest.xfail.Exception)])  # fmt: skip
def test_a_known_deviation_of_a_file_counts_to_its_last_day(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, service: MemoryServer, tmp_path: Path,
    until: str, raised: type[BaseException],
) -> None:  # fmt: skip
    service.hooks.pictures = lambda images: images + 1  # type: ignore[method-assign]
    late = SimpleNamespace(now=lambda zone: dt.datetime(2026, 6, 15, 23, 59, tzinfo=zone))
    monkeypatch.setattr(pytest_items, "dt", SimpleNamespace(datetime=late, UTC=dt.UTC))
    file = tmp_path / "known.toml"
    file.write_text(f"[[deviation]]\nallow = \"{EACH}\"\nreason = 'known'\nuntil = {until}\n", "utf-8")
    [item] = collected(monkeypatch, request, seedream_contract_allow_file=str(file))
    assert ending(item).type is raised


def test_a_server_that_is_not_there_ends_the_session(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    [item] = collected(monkeypatch, request)
    monkeypatch.setattr(item, "example", Example("x", raising(httpx.ConnectError("no"))))
    with pytest.raises(pytest.exit.Exception, match=r"http://127\.0\.0\.1 cannot be reached: no") as caught:
        item.runtest()
    assert caught.value.returncode == 4


@pytest.mark.parametrize(
    ("options", "key", "said"), [({}, "", "--seedream-contract needs the key of the server in TENSORSLAB_API_KEY"), ({}, " ", "needs the key"), ({"seedream_contract_only": ["no"]}, RICH, "there is no rule or relation 'no'"), ({"seedream_contract_allow": ["x"]}, RICH, "is not RULE=reason"),
                               ({"seedream_contract_allow_file": "/none/a.toml"}, RICH, "No such file")],
)  # fmt: skip
def test_options_of_pytest_that_cannot_be_used_are_refused(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, options: dict[str, Any], key: str, said: str
) -> None:
    fake = session(monkeypatch, request, **options)
    monkeypatch.setenv("TENSORSLAB_API_KEY", key)
    with pytest.raises(pytest.UsageError, match=re.escape(said)):
        pytest_items.collect(fake)


@pytest.mark.parametrize(
    ("media_type", "body", "came"),
    [
        ("application/json", b'{"code": 1}', '{"code": 1} (which is not a JSON object, or not a whole one)'),
        ("text/html", "灯".encode() + b"\xff" + b"a" * 400, "灯\\xff" + "a" * 296),
        ("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"a" * 1_234_567, "of 1,234,583 bytes"),
    ],
)
def test_a_violation_shows_a_reply_that_can_be_read(media_type: str, body: bytes, came: str) -> None:
    """A picture's bytes say nothing to a reader; how many came does."""
    found = Reply(SENT, 200, body, media_type, {}).violation("it is wrong", "RES-TIER")
    assert found.what == f"it is wrong; the reply was HTTP 200 {media_type} {came}"


@pytest.mark.parametrize("error", [Violation("charged twice", rule="SERVER-CHARGE"), RuntimeError("no reply")])
def test_a_finding_about_no_single_reply_shows_the_last_request(error: Exception) -> None:
    """Each failure has a line that sends what was sent, as far as the example sent anything."""

    def run(server: ServerUnderTest) -> None:
        server.query("id-1")
        server.query("id-2")
        raise error

    with server() as one:
        found = run_example(one, relation("a.b"), Example("x", run), None, []).violation
        assert found is not None
        assert found.curl.startswith("""printf '%b' '{"taskid": "id-2"}' | curl -sS -X POST """)
        nothing = run_example(one, relation("a.b"), Example("x", raising(RuntimeError("no"))), None, []).violation
        assert nothing is not None
        assert nothing.curl == ""
