"""What the sandbox keeps, counts and computes: bounds, defaults, sizes, the ledger, statuses, and which fault acts."""

# ruff: noqa: E501 -- one case a line reads as a table

import os
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from seedream_sandbox import ManualClock, RequestRecord, Sandbox, Settings, SystemClock, parse_fault
from seedream_sandbox.bounded import Bounded
from seedream_sandbox.faults.active_faults import ActiveFaults
from seedream_sandbox.faults.catalogue import RESPONSE_LAYERS
from seedream_sandbox.http import Request
from seedream_sandbox.service.account import Account, Accounts, owner
from seedream_sandbox.service.handled_request import scope_of
from seedream_sandbox.service.multipart import Part, SubmissionForm, read_form
from seedream_sandbox.service.refusal import Refusal
from seedream_sandbox.service.request_log import RequestLog
from seedream_sandbox.service.resolution import _of_ratio, _of_tier
from seedream_sandbox.service.validate import ValidRequest, _form_value, check_form, check_json
from seedream_sandbox.task import ProgressRule, Task, fault_status
from tensorslab_images import limits


def test_the_latest_values_are_kept_within_number_and_room() -> None:
    kept: Bounded[str, int] = Bounded(3, 10)
    for name, size in (("a", 4), ("b", 3), ("c", 3)):
        kept.add(name, size, size)
    assert list(kept) == ["a", "b", "c"], "exactly the room"
    kept.grow("c", 1)
    assert list(kept) == ["b", "c"]
    kept.grow("gone", 100)
    kept.add("d", 0, 0)
    kept.add("e", 0, 0)
    assert list(kept) == ["c", "d", "e"], "three at most"
    kept.add("large", 0, 11)
    assert list(kept) == ["large"], "the latest is kept however large it is"
    kept.clear()
    kept.add("f", 10, 10)
    kept.add("g", 0, 0)
    assert list(kept) == ["f", "g"], "nothing of what was cleared is counted"


def test_a_request_is_counted_with_its_head_and_its_content() -> None:
    record = RequestRecord(1, 0.0, "POST", "/ab", "api", (("abc", "de"), ("f", "")))
    log = RequestLog(9, 10**6)
    log.remember(record)
    assert log._size == 1000 + 6 + 3
    log.note(record, {"ab": ["cde", ["f", ["gh"]]], "n": [12]}, [("a", "bc", "def", 999)])
    assert (log._size, record.fields["n"], record.files) == (1009 + 2 + 6 + 1 + 2 + 6, [12], [("a", "bc", "def", 999)])


def test_a_task_is_counted_with_its_texts_and_sources() -> None:
    task = Task("t", "ab", "c", "2K", 1, 1, 1, 0.0, 0, image_url="defg", sources=(b"xyz", b"x"))
    assert (task.weight, evolve(task, image_url=None).weight) == (1000 + 4 * 7 + 4, 1000 + 4 * 3 + 4)


@pytest.mark.parametrize(
    ("ratio", "size"),
    [("5:4", (2160, 1728)), ("4:5", (1728, 2160)), ("21:9", (2944, 1264)), ("9:21", (1264, 2944)), ("1:1", (1920, 1920)), ("7:5", (2272, 1632)), ("16:1", (7680, 480)), ("1:100", (192, 19_200)), ("3:1", (3328, 1120))],
)  # fmt: skip
def test_a_ratio_that_is_not_usual_has_the_least_size_in_steps_of_16(ratio: str, size: tuple[int, int]) -> None:
    across, down = map(int, ratio.split(":"))
    assert (_of_ratio(ratio), size[0] % 16, size[1] % 16, size[0] * size[1] >= 3_686_400) == (size, 0, 0, True)
    assert size[0] / size[1] == pytest.approx(across / down, rel=0.02)


@pytest.mark.parametrize(
    ("tier", "side"), [("1K", 1920), ("1k", 1920), ("2K", 2048), ("3k", 3072), ("4K", 4096), ("8K", 4096)]
)
def test_a_tier_that_is_not_usual_has_a_legal_size(tier: str, side: int) -> None:
    assert _of_tier(tier) == (side, side)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "0", 0), ("integer", "-7", -7), ("integer", "9" * 18, 10**18 - 1), ("integer", "9" * 19, None), ("integer", "07", None), ("integer", "+7", None), ("integer", "7.0", None), ("integer", " 7", None), ("integer", "7\n", None), ("integer", "٣", None), ("integer", "", None), ("integer", "-", None),
        ("number", "0", 0.0), ("number", "-7.25", -7.25), ("number", "1e3", 1000.0), ("number", "1.5E-2", 0.015), ("number", "1e+99", 1e99), ("number", "1e100", None), ("number", "1.", None), ("number", ".5", None), ("number", "01", None), ("number", "nan", None), ("number", "1" * 19, None), ("number", "0." + "1" * 17, 0.11111111111111111), ("number", "0." + "1" * 18, None),
        ("boolean", "true", True), ("boolean", "false", False), ("boolean", "True", None), ("boolean", "1", None), ("boolean", "", None), ("string", "", ""), ("string", " a\r\n雾", " a\r\n雾"),
    ],
)  # fmt: skip
def test_the_one_way_to_write_a_value(kind: Any, text: str, value: object) -> None:
    spec = evolve(limits.SUBMIT.fields[0], name="x", kind=kind)
    part = Part("x", None, None, text.encode())
    if value is None:
        with pytest.raises(Refusal) as caught:
            _form_value(limits.SUBMIT, spec, part)
        assert (caught.value.field, caught.value.wrong) == ("x", f"{text[:60]!r} is not of type {kind}")
    else:
        found = _form_value(limits.SUBMIT, spec, part)
        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("charset", "taken"),
    [
        (None, True),
        ("", False),
        ("UTF-8", True),
        ("utf8", True),
        ("US-ASCII", True),
        ("ascii", True),
        ("latin-1", False),
        ("utf-16", False),
    ],
)
def test_the_charset_of_a_text(charset: str | None, taken: bool) -> None:
    parts = [Part("prompt", None, None, b"x", (), charset)]
    try:
        found = check_form(limits.SUBMIT, parts).text("prompt")
    except Refusal as refusal:
        found = refusal.wrong
    assert found == ("x" if taken else f"declared as {charset!r}, but text is sent as UTF-8")


def test_the_first_wrong_field_in_the_order_of_the_spec_is_refused() -> None:
    wrong = {"prompt": b" ", "batchsize": b"x", "resolution": b"\xff"}
    named = [spec.name for spec in limits.SUBMIT.fields if spec.name in wrong]
    for count in range(len(named)):
        parts = [Part(name, None, None, wrong[name] if name in named[count:] else b"1") for name in reversed(named)]
        with pytest.raises(Refusal) as caught:
            check_form(limits.SUBMIT, parts)
        assert caught.value.field == named[count]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"taskid":["\\ud800"]}', b'{"taskid":' + b"[" * 800 + b"]" * 800 + b"}"], ids=range(5)
)
def test_a_refusal_of_a_whole_body_names_no_field(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        check_json(limits.QUERY, "application/json", body)
    assert (caught.value.rule, caught.value.field, caught.value.sentence) == ("SCHEMA", "", "")


def test_what_a_valid_request_holds() -> None:
    files = [Part("sourceImage", name, None, name.encode()) for name in ("a", "b")]
    valid = check_form(limits.SUBMIT, [Part("prompt", None, None, b"x"), *files, Part("other", None, None, b"\xff")])
    assert (valid.text("prompt"), valid.text("batchsize"), valid.text("nothing")) == ("x", "1", "")
    assert [part.filename for part in valid.files["sourceImage"]] == ["a", "b"]
    assert ("other" in valid.values, "sourceImage" in valid.values) == (False, False)
    assert ValidRequest({}).files == {}


def test_a_form_as_it_is_read() -> None:
    parts = (
        Part("a", None, None, b"1"),
        Part("a", None, None, b"\xff2"),
        Part("a", "f", None, b"345"),
        Part("b", "g", "x/y", b"z"),
    )
    form = SubmissionForm(parts)
    assert (form.text("a"), form.text("b"), form.text("c")) == ("1", "", "")
    assert form.content() == ({"a": ["1", "\ufffd2"]}, [("a", "f", "", 3), ("b", "g", "x/y", 1)])
    assert read_form(Request("POST", "/", headers=(("content-type", "x/y"),), body=b"x"), "a").error is not None


def test_small_copies_are_made_of_the_first_two_files_of_the_field() -> None:
    from sandbox.test_forms import picture  # noqa: PLC0415 -- beside its only use

    def head(name: str, more: str) -> bytes:
        return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()

    def copies(*files: tuple[str, str, bytes]) -> int:
        body = b"".join(head(name, more) + content + b"\r\n" for name, more, content in files) + b"--b--\r\n"
        return len(
            read_form(
                Request("POST", "/", headers=(("content-type", "multipart/form-data; boundary=b"),), body=body), "s"
            ).copies
        )

    good, named = picture(), '; filename="f"'
    assert copies(*[("s", named, good)] * 3) == 2
    assert copies(("t", named, good), ("s", "", good), ("s", named, good)) == 1
    assert copies(("s", named, b"x"), ("s", named, good), ("s", named, good)) == 1


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        (ProgressRule(), [(0, 99, 1), (1, 0, 2), (2, 0, 3)]), (ProgressRule("polls", 0), [(0, 0, 3)]), (ProgressRule("time"), [(9, 0, 1), (9, 0.2499, 1), (0, 0.25, 2), (9, 0.9999, 2), (0, 1, 3)]),
        (ProgressRule("time", 2, 8.0), [(9, 1.99, 1), (9, 2, 2), (9, 7.99, 2), (0, 8, 3)]), (ProgressRule("instant"), [(0, 0, 3)]),
    ],
)  # fmt: skip
def test_how_a_task_progresses(rule: ProgressRule, statuses: list[tuple[int, float, int]]) -> None:
    assert [(polled, age, rule.status(polled, age)) for polled, age, _ in statuses] == statuses


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("stuck", [2, 2, 2, 2]), ("stuck state=queued", [1, 1, 1, 1]), ("flapping", [1, 2, 3, 2]), ("task-fails", [1, 2, 4, 4]), ("unknown-status status=9 polls=1", [9, 2, 3, 3]), ("no-urls", [1, 2, 3, 3]),
    ],
)  # fmt: skip
def test_what_a_fault_makes_of_a_status(fault: str, found: list[int]) -> None:
    assert [fault_status(parse_fault(fault), status, polled) for polled, status in enumerate((1, 2, 3, 3))] == found


def test_the_first_fault_of_a_layer_acts_and_only_that_is_counted() -> None:
    faults = ActiveFaults(
        0,
        [parse_fault(one) for one in ("failure nth=2", "status-503 times=1", "delay at=any", "drip at=query", "html")],
    )
    found = [[one.name for one in faults.match("submit", faults.count("submit"), RESPONSE_LAYERS)] for _ in range(3)]
    assert found == [["status", "delay"], ["failure", "delay"], ["delay", "html"]]
    assert (faults.count("query"), faults.count("query"), faults.count("submit")) == (1, 2, 4)
    assert faults.match("submit", 2, frozenset({"delivery"})) == []
    assert [one.name for one in faults.match("query", 1, RESPONSE_LAYERS)] == ["delay", "drip"]


def test_a_chance_follows_the_seed_the_place_and_the_number() -> None:
    def acted(seed: object, *before: str) -> list[int]:
        faults = ActiveFaults(seed, [parse_fault(one) for one in (*before, "failure probability=0.5")])
        return [number for number in range(1, 21) if faults.match("submit", number, RESPONSE_LAYERS)]

    assert acted(0) == [1, 3, 4, 8, 10, 11, 14, 16, 19]
    assert len({tuple(acted(0)), tuple(acted(1)), tuple(acted(0, "drip at=query"))}) == 3


@pytest.mark.parametrize(
    ("path", "images", "scope"),
    [
        ("/v1/images/seedreamv45", False, "submit"),
        ("/v1/images/infobytaskid", False, "query"),
        ("/v1/images/deleteimagestask", False, "delete"),
        ("/v1/images/seedreamv45", True, "picture"),
        ("/other", False, "any"),
    ],
)
def test_the_scope_of_a_request(path: str, images: bool, scope: str) -> None:
    assert scope_of(Request("POST", path, images=images)) == scope


def test_a_charge_is_taken_counted_and_written() -> None:
    accounts = Accounts({"k": 10, "j": 20}, 99, price=3)
    account = accounts.find(owner("j"))
    assert account == Account(2, 20, 20)
    assert [accounts.can_pay(account, images) for images in (6, 7)] == [True, False]
    charge = accounts.charge(account, taskid="t", images=4, prompt="p" * 1001, request=7, at=1.5)
    assert (
        charge.number,
        charge.taskid,
        charge.images,
        charge.credits,
        charge.prompt,
        charge.request,
        charge.at,
        charge.account,
    ) == (1, "t", 4, 12, "p" * 1000, 7, 1.5, 2)
    assert (account.balance, accounts.charges, accounts.next_number) == (8, [charge], 2)
    accounts.reset()
    assert ([one.balance for one in accounts], accounts.charges, accounts.next_number) == ([10, 20], [], 2)
    assert Accounts({}, 5).find("whoever") == Account(1, 5, 5)
    assert accounts.find(owner("K")) is None


def test_a_line_that_the_disk_does_not_take_whole_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.jsonl"
    sandbox = Sandbox(ledger_path=path)
    accounts = sandbox.service.accounts
    (account,) = accounts
    given: dict[str, Any] = {"images": 1, "prompt": "雾\ud800", "request": 1, "at": 2.0}
    accounts.charge(account, taskid="a", **given)
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda where, line: write(where, line[:-1]))
    with pytest.raises(OSError, match=r"^the disk is full$"):
        accounts.charge(account, taskid="b", **given)
    monkeypatch.undo()
    assert (path.read_bytes(), account.balance, len(accounts.charges), accounts.next_number) == (before, 999, 1, 2)
    assert "雾".encode() in before, "readable as it is"
    path.unlink()
    accounts.charge(account, taskid="c", **given)
    assert (path.stat().st_mode & 0o777, path.read_bytes().count(b"\n")) == (0o600, 1)


def test_a_ledger_goes_on_after_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "ledger.jsonl"
    for content, number, after in (
        (None, 1, b""),
        (b"{}\n", 2, b"{}\n"),
        (b"{}\n{", 3, b"{}\n{\n"),
        (b"\n\n\n", 4, b"\n\n\n"),
    ):
        if content is not None:
            path.write_bytes(content)
        assert (Accounts({}, 1, path=path).next_number, path.read_bytes()) == (number, after)


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        ("many-urls count=4 to=u", 4),
        ("many-urls count=1000001 to=u", 1_000_000),
        ("fewer-urls missing=9", 0),
        ("no-urls polls=1", 0),
        ("no-urls polls=0", 2),
        ("bad-url to=u", 2),
    ],
)
def test_the_addresses_that_a_fault_gives(fault: str, count: int) -> None:
    operations = Sandbox().service.operations
    task = Task("t", "x", "", "2K", 2, 1, 1, 0.0, 0, faults=ActiveFaults(0, [parse_fault(fault)]))
    urls = operations._urls(task, "http://i")
    assert (len(urls), set(urls) if "to=u" in fault else {"u"}) == (count, {"u"})


def test_of_no_pictures_there_are_no_addresses_again_and_again() -> None:
    task = Task(
        "t", "x", "", "2K", 2, 1, 1, 0.0, 0, faults=ActiveFaults(0, [parse_fault("no-urls"), parse_fault("many-urls")])
    )
    assert Sandbox().service.operations._urls(task, "http://i") == []


def test_the_settings_by_default() -> None:
    settings = Settings()
    assert {name: getattr(settings, name) for name in ("credits", "price", "seed", "progress", "polls", "latency", "pictures", "format", "keys", "faults", "ledger_path", "lifetime", "keep", "max_body")} == {
        "credits": 1000, "price": 1, "seed": 0, "progress": None, "polls": 2, "latency": None, "pictures": "painted", "format": "png", "keys": (), "faults": (), "ledger_path": None, "lifetime": 86_400.0, "keep": 4000, "max_body": 64 * 1024 * 1024,
    }  # fmt: skip
    assert (isinstance(settings.clock, SystemClock), settings.balances) == (True, {})
    assert Settings(keys="k", credits=3).balances == {"k": 3}
    assert Settings(keys={"k": 7}).balances == {"k": 7}
    assert [one.name for one in Settings(faults="drip").faults] == ["drip"]
    assert [one.name for one in Settings(faults=parse_fault("drip")).faults] == ["drip"]


@pytest.mark.parametrize(
    "wrong", [{"credits": 1.5}, {"seed": "x"}, {"keep": 1.0}, {"latency": "x"}, {"unknown": 1}, {"max_body": None}]
)
def test_a_setting_of_another_type_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError):
        Settings(**wrong)


@pytest.mark.parametrize("keys", [("",), ("a b",), ("é",), ("a\n",), (7,), {"a\x7f": 1}])
def test_the_message_about_a_key_does_not_repeat_it(keys: Any) -> None:
    with pytest.raises(ValueError, match=r"^keys: each is a text of visible ASCII characters without blanks$"):
        Settings(keys=keys)


def test_clocks() -> None:
    clock = ManualClock()
    assert (clock.time(), clock.wait(2.5), clock.time()) == (1_700_000_000.0, 0.0, 1_700_000_002.5)
    clock.advance(1)
    assert clock.time() == 1_700_000_003.5
    assert [SystemClock().wait(seconds) for seconds in (-1, 0, 2.5)] == [0.0, 0.0, 2.5]


def test_a_reset_returns_to_the_start() -> None:
    sandbox = Sandbox(credits=5, faults=["delay seconds=0"])
    service = sandbox.service
    service.handle(Request("GET", "/x", headers=(("cookie", "a"),), images=True))
    sandbox.add_fault("failure")
    sandbox.credits = 1
    service.reset()
    assert (sandbox.credits, sandbox.requests, sandbox.leaks, [one.name for one in service.faults]) == (
        5,
        [],
        [],
        ["delay"],
    )
    service.handle(Request("GET", "/x"))
    assert [one.number for one in sandbox.requests] == [2], "numbers go on"


def test_a_stopped_sandbox_can_be_started_again() -> None:
    sandbox = Sandbox()
    addresses = []
    for _ in range(2):
        assert (sandbox.serving, sandbox.base_url, sandbox.images_url) == (
            False,
            "http://127.0.0.1:1",
            "http://127.0.0.1:2",
        )
        sandbox.start()
        addresses.append((sandbox.serving, sandbox.base_url.rpartition(":")[0], sandbox.images_url.rpartition(":")[0]))
        sandbox.stop()
        sandbox.stop()
    assert addresses == [(True, "http://127.0.0.1", "http://127.0.0.1")] * 2


@pytest.mark.parametrize(
    ("fault", "code", "verdict", "names"),
    [
        ("unknown-code code=7", 7, "fault unknown-code", ["unknown-code"]), ("mistyped", None, "fault mistyped", ["mistyped"]), ("html", None, "fault html", ["html"]), ("empty", None, "fault empty", ["empty"]), ("drip", 9999, "refused", ["drip"]), ("delay", 9999, "refused", ["delay"]), ("stuck", 9999, "refused", []),
    ],
)  # fmt: skip
def test_what_is_recorded_of_a_reply_that_a_fault_shapes(
    fault: str, code: int | None, verdict: str, names: list[str]
) -> None:
    sandbox = Sandbox(faults=[f"{fault} at=any"])
    sandbox.service.handle(Request("POST", "/v1/images/infobytaskid"))
    (record,) = sandbox.requests
    assert (record.code, record.verdict, record.faults, record.rule) == (code, verdict, names, "AUTH-HEADER")
