"""The plugin's parts, the checks for Schemathesis and the spec, called directly."""

# ruff: noqa: E501 -- one case a line reads as a table

import os
import socket
from types import SimpleNamespace
from typing import Any

import httpx
import judge
import pytest
from seedream_testing import block_network, fixtures, plugin
from seedream_testing.contract import Violation, text
from seedream_testing.contract.api_facts import Meaning, Part
from seedream_testing.contract.encode import encode
from seedream_testing.contract.schemathesis import (
    CHECKS,
    accepted_exactly_when_legal,
    fits_the_spec,
    has_an_envelope,
    load,
)
from seedream_testing.contract.spec import document, schema_error

# The network


@pytest.mark.parametrize(
    ("host", "blocked"),
    [("api.tensorslab.com", True), ("API.TensorsLab.com.", True), ("tensorslab.com", True), (b"docs.tensorslab.com", True), ("xtensorslab.com", False), ("tensorslab.com.invalid", False), ("tensorslab", False), ("127.0.0.1", False), (None, False), (b"\xff", False)],
)  # fmt: skip
def test_only_the_vendor_s_domain_is_not_looked_up(monkeypatch: pytest.MonkeyPatch, host: Any, blocked: bool) -> None:
    asked = list[Any]()

    def real(*given: Any, **more: Any) -> str:
        asked.append((given, more))
        return "found"

    monkeypatch.setattr(socket, "getaddrinfo", real)
    with pytest.MonkeyPatch.context() as patch:
        block_network.block_network(patch)
        if blocked:
            with pytest.raises(
                socket.gaierror,
                match=r"(?i)a test looked up .*tensorslab.com.*, the real service: it costs credits. Use the fixture seedream_sandbox or seedream_mock",
            ) as caught:
                socket.getaddrinfo(host, 443)
            assert (caught.value.errno, asked) == (socket.EAI_NONAME, [])
        else:
            assert socket.getaddrinfo(host, 443, type=1) == "found"  # type: ignore[comparison-overlap]
            assert asked == [((host, 443), {"type": 1})]


@pytest.mark.parametrize(
    ("before", "after"), [(None, "tensorslab.com"), ("a.example", "a.example,tensorslab.com"), ("", "tensorslab.com")]
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_is_asked_for_the_vendor(
    monkeypatch: pytest.MonkeyPatch, name: str, before: str | None, after: str
) -> None:
    for one in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(one, raising=False)
    if before is not None:
        monkeypatch.setenv(name, before)
    with pytest.MonkeyPatch.context() as patch:
        block_network.block_network(patch)
        assert os.environ[name] == after
    assert os.environ.get(name) == before


def test_a_part_of_seedream_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    block_network._vendor_domain.cache_clear()
    monkeypatch.setattr(block_network, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"^seedream is not installed as a whole: tensorslab_images is missing$"):
        block_network._vendor_domain()
    monkeypatch.undo()
    assert block_network._vendor_domain() == "tensorslab.com"


# Fixtures


def test_the_sandbox_is_quick_and_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for sandbox in fixtures.serve({"progress": "time", "pictures": "painted"}, monkeypatch):
        settings = sandbox.service.settings
        assert (settings.progress, settings.pictures) == ("time", "painted"), "a mark's settings decide"
    for sandbox in fixtures.serve({"credits": 7}, monkeypatch):
        settings = sandbox.service.settings
        assert (sandbox.credits, settings.progress, settings.pictures) == (7, "instant", "plain")
        assert (os.environ["TENSORSLAB_API_KEY"], os.environ["TENSORSLAB_BASE_URL"]) == (
            sandbox.api_key,
            sandbox.base_url,
        )


def test_the_mock_answers_for_the_vendor_and_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORSLAB_BASE_URL", "http://elsewhere")
    kind, body = encode([text("prompt", "a boat")])
    for mock in fixtures.mock({"credits": 7}, monkeypatch):
        assert (os.environ["TENSORSLAB_API_KEY"], "TENSORSLAB_BASE_URL" in os.environ) == (mock.sandbox.api_key, False)
        assert (mock.sandbox.service.settings.progress, mock.sandbox.credits) == ("instant", 7)
        headers = {"authorization": f"Bearer {mock.sandbox.api_key}", "content-type": kind}
        reply = httpx.post(f"https://api.tensorslab.com{judge.FACTS.submit}", content=body, headers=headers)
        taskid = reply.json()["data"]["taskid"]
        state = httpx.post(
            f"https://api.tensorslab.com{judge.FACTS.query}",
            json={"taskid": taskid},
            headers={"authorization": headers["authorization"]},
        ).json()
        picture = httpx.get(state["data"]["url"][0])
        assert (picture.status_code, picture.url.host) == (200, "images.sandbox.invalid")
        assert ([charge.prompt for charge in mock.charges], len(mock.requests)) == (["a boat"], 3)
        mock.add_fault("rate-limit nth=2")
        again = httpx.post(f"https://api.tensorslab.com{judge.FACTS.submit}", content=body, headers=headers)
        assert again.status_code == 429


def test_the_mock_fails_where_a_credential_leaked(monkeypatch: pytest.MonkeyPatch) -> None:
    running = fixtures.mock({}, monkeypatch)
    next(running)
    httpx.get("https://images.sandbox.invalid/x", headers={"Authorization": "Bearer x"})
    with pytest.raises(pytest.fail.Exception, match=r"[Aa]uthorization"):
        next(running)


def service(*charges: int) -> Any:
    return SimpleNamespace(
        charges=[SimpleNamespace(images=images, prompt="p" * 70, taskid=f"t{images}") for images in charges]
    )


@pytest.mark.parametrize(
    ("charges", "images", "submissions", "said"),
    [((), 0, None, ""), ((), 0, 0, ""), ((2, 3), 5, None, ""), ((2, 3), 5, 2, ""), ((), 1, None, "charged were 0 images, not 1: nothing"), ((2, 3), 4, None, f"charged were 5 images, not 4:\n  2 for {'p' * 60!r} (t2)\n  3 for {'p' * 60!r} (t3)"),
     ((2, 3), 5, 1, f"charged were 2 submissions, not 1:\n  2 for {'p' * 60!r} (t2)\n  3 for {'p' * 60!r} (t3)"), ((5,), 5, 0, f"charged were 1 submissions, not 0:\n  5 for {'p' * 60!r} (t5)")],
)  # fmt: skip
def test_charges_are_counted_over_all_services(
    charges: tuple[int, ...], images: int, submissions: int | None, said: str
) -> None:
    assert_charged = fixtures.charged_by([service(*charges[:1]), service(*charges[1:])])
    if not said:
        assert_charged(images, submissions=submissions)
        return
    with pytest.raises(pytest.fail.Exception) as caught:
        assert_charged(images, submissions=submissions)
    assert caught.value.msg == said


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"credits": 2}, None),
        ({"ledger_path": "/none/x", "credits": 2}, None),
        ({"none": 1}, TypeError),
        ({"polls": -1}, ValueError),
        ({"faults": ["cut-replly"]}, ValueError),
    ],
)
def test_settings_of_a_mark_are_checked(settings: dict[str, Any], error: type[Exception] | None) -> None:
    if error is None:
        fixtures.check_settings(settings)
        return
    with pytest.raises(error):
        fixtures.check_settings(settings)


def test_the_nearest_mark_decides_and_a_missing_library_is_named() -> None:
    marks = [pytest.mark.seedream(credits=1).mark, pytest.mark.seedream(credits=2, seed=3).mark]
    assert plugin._merged(marks) == {"credits": 1, "seed": 3}
    with pytest.raises(
        pytest.fail.Exception,
        match=r'^no_such_module is not installed: pip install "\.\[testing\]" in a clone of seedream$',
    ):
        plugin._load("no_such_module")
    assert plugin._load("seedream_testing.fixtures") is fixtures


OPTIONS: dict[str, Any] = {
    "--seedream-live": False, "--seedream-contract": None, "--seedream-contract-budget": 0, "--seedream-contract-second-key-file": None, "--seedream-contract-any-key": False,
    "--seedream-contract-only": [], "--seedream-contract-allow": [], "--seedream-contract-allow-file": None,
}  # fmt: skip


def test_the_plugin_adds_its_options_and_says_what_they_are() -> None:
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    groups = {group.name: group for group in parser._groups}
    options = {name: option for group in groups.values() for option in group.options for name in option.names()}
    assert {name: option.attrs().get("default", False) for name, option in options.items()} == OPTIONS
    assert all((said := option.attrs()["help"]) and said != said.upper() for option in options.values())
    assert {name: option.attrs().get("metavar") for name, option in options.items() if option.attrs().get("metavar")} == {
        "--seedream-contract": "URL", "--seedream-contract-budget": "N", "--seedream-contract-second-key-file": "FILE", "--seedream-contract-only": "RULE",
        "--seedream-contract-allow": "RULE=REASON", "--seedream-contract-allow-file": "FILE",
    }  # fmt: skip
    assert options["--seedream-contract-budget"].attrs()["type"] is int
    assert {"seedream", "seedream-contract"} <= groups.keys()
    said, kind, default = parser._inidict["seedream_block_network"]
    assert (said, kind, default) == ("let no test look up the real service's host", "bool", False)


class Config:
    """A configuration of pytest with these answers."""

    def __init__(self, *, block: bool, live: bool) -> None:
        self.stash, self.lines, self._block, self._live = pytest.Stash(), list[tuple[str, str]](), block, live

    def addinivalue_line(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def getini(self, name: str) -> bool:
        return self._block and name == "seedream_block_network"

    def getoption(self, name: str) -> bool:
        return self._live and name == "--seedream-live"


@pytest.mark.parametrize(("block", "live"), [(True, False), (True, True), (False, False)])
def test_the_block_of_a_run_is_lifted_at_its_end(*, block: bool, live: bool) -> None:
    real, config = socket.getaddrinfo, Config(block=block, live=live)
    given: Any = config
    plugin.pytest_configure(given)
    try:
        assert (socket.getaddrinfo is not real) == (block and not live)
        assert config.lines == [("markers", "seedream(**settings): how seedream_sandbox and seedream_mock behave")]
    finally:
        plugin.pytest_unconfigure(given)
    assert socket.getaddrinfo is real


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (pytest.mark.seedream(credits=2), ""), (pytest.mark.skipif("x"), ""), (pytest.mark.seedream("x", 7), "@pytest.mark.seedream takes settings by name, not 'x', 7: write, for example, credits=2"),
        (pytest.mark.seedream(credits=-1), "@pytest.mark.seedream: 'credits' must be >= 0: -1"),
    ],
)  # fmt: skip
def test_a_mark_that_is_wrong_fails_its_test(mark: pytest.MarkDecorator, said: str) -> None:
    item: Any = SimpleNamespace(iter_markers=lambda name: [mark.mark] if mark.mark.name == name else [])
    if not said:
        plugin.pytest_runtest_setup(item)
        return
    with pytest.raises(pytest.fail.Exception) as caught:
        plugin.pytest_runtest_setup(item)
    assert (caught.value.msg, caught.value.pytrace) == (said, False)


# The spec and Schemathesis


GOOD = {"code": 1000, "msg": "ok", "data": {"taskid": "t"}}


def test_a_reply_is_held_against_its_schema() -> None:
    submit = judge.FACTS.submit
    assert schema_error(submit, 200, GOOD, good=True) == ""
    assert schema_error(submit, 200, {"code": 9999, "msg": "no"}, good=False) == ""
    assert schema_error(submit, 200, {**GOOD, "data": {"taskid": 7}}, good=True).endswith(" at /data/taskid")
    assert schema_error(submit, 200, {"code": "x"}, good=False) != ""
    assert schema_error("/none", 200, {}, good=True) == schema_error(submit, 404, {}, good=False) == ""
    assert document()["paths"].keys() >= {submit, judge.FACTS.query, judge.FACTS.delete}


def reply(
    status: int,
    answer: Any,
    parts: Any = (),
    method: str = "POST",
    path: str = judge.FACTS.submit,
    *,
    key: bool = True,
    **more: Any,
) -> tuple[Any, Any]:
    kind, body = encode(parts) if parts is not None else ("", b"")
    headers = {**({"content-type": kind} if kind else {}), **({"Authorization": "Bearer x"} if key else {})}
    request = SimpleNamespace(method=method, url=f"http://x{path}", headers=headers, body=more.get("body", body))

    def read() -> Any:
        if isinstance(answer, str):
            raise ValueError(answer)  # noqa: TRY004 -- as httpx does
        return answer

    return SimpleNamespace(status_code=status, request=request, json=read, text=str(answer)), SimpleNamespace(
        method=method, path=path
    )


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [(200, GOOD, ""), (200, {"code": 9000, "msg": ""}, ""), (400, "x", ""), (499, {}, ""), (500, GOOD, "POST /v1/images/seedreamv45: HTTP 500"), (200, "x", "the code is None"), (200, [], "the code is None"), (200, {"code": 7, "msg": ""}, "the code is 7"), (200, {"code": "1000", "msg": ""}, "the code is '1000'"),
     (200, {"code": 1000, "msg": 5}, "the msg is 5"), (200, {"code": True, "msg": ""}, "the code is True"), (399, {"code": 9999}, "the msg is None")],
)  # fmt: skip
def test_each_reply_is_an_envelope(status: int, answer: Any, said: str) -> None:
    came, case = reply(status, answer)
    if not said:
        has_an_envelope(None, came, case)
        return
    with pytest.raises(Violation) as caught:
        has_an_envelope(None, came, case)
    assert (caught.value.rule, caught.value.check) == ("SERVER-ENVELOPE", "has_an_envelope")
    assert said in caught.value.what
    assert caught.value.curl.startswith("printf")


def test_a_reply_fits_the_spec_by_whether_it_tells_a_success() -> None:
    fits_the_spec(None, *reply(200, GOOD))
    fits_the_spec(None, *reply(200, {"code": 9999, "msg": "no"}))
    for status, answer in ((200, {**GOOD, "data": {"taskid": 7}}), (200, {**GOOD, "msg": 5})):
        with pytest.raises(Violation, match=f"^.SERVER-ENVELOPE. fits_the_spec: {judge.FACTS.submit}: ") as caught:
            fits_the_spec(None, *reply(status, answer))
        assert "curl" in caught.value.curl


LEGAL, ILLEGAL = [text("prompt", "x")], [text("prompt", "")]


@pytest.mark.parametrize(
    ("came", "rule", "said"),
    [(reply(200, GOOD, LEGAL), "", ""), (reply(200, {"code": 9999, "msg": ""}, ILLEGAL), "", ""), (reply(200, GOOD, ILLEGAL), "PROMPT-REQUIRED", "it was accepted, but the page says: empty; the reply was {'code': 1000"), (reply(299, GOOD, ILLEGAL), "PROMPT-REQUIRED", "it was accepted"),
     (reply(300, GOOD, LEGAL), "WIRE-EXACT", "it was refused, but the page says: legal"), (reply(200, {"code": 9999}, LEGAL), "WIRE-EXACT", "it was refused, but the page says: legal"), (reply(200, "x", LEGAL), "WIRE-EXACT", "it was refused"), (reply(200, GOOD, LEGAL, "PUT"), "SERVER-HTTP", "PUT was accepted"),
     (reply(200, {"code": 9999}, LEGAL, "PUT"), "", ""), (reply(200, GOOD, ILLEGAL, path=judge.FACTS.query), "", ""), (reply(200, {"code": 9999}, LEGAL, key=False), "", ""), (reply(200, GOOD, None), "PROMPT-REQUIRED", "it was accepted, but the page says: missing"), (reply(200, {"code": 9999}, None), "", ""),
     (reply(200, GOOD, LEGAL, body=b"x"), "", ""), (reply(200, GOOD, LEGAL, body="x"), "", ""), (reply(200, GOOD, [*LEGAL, text("batchsize", "")]), "", ""), (reply(200, {"code": 9999}, [*LEGAL, text("batchsize", "")]), "", "")],
)  # fmt: skip
def test_a_submission_is_accepted_exactly_when_it_is_legal(came: tuple[Any, Any], rule: str, said: str) -> None:
    if not rule:
        accepted_exactly_when_legal(None, *came)
        return
    with pytest.raises(Violation) as caught:
        accepted_exactly_when_legal(None, *came, facts=judge.FACTS if rule == "SERVER-HTTP" else None)
    assert (caught.value.rule, caught.value.check) == (rule, "accepted_exactly_when_legal")
    assert caught.value.what.startswith(said)
    assert "curl -sS -X" in caught.value.curl


def test_schemathesis_draws_from_the_rules_of_the_prose() -> None:
    raw = load().raw_schema
    schema = raw["paths"][judge.FACTS.submit]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["additionalProperties"] is False
    assert (schema["properties"]["resolution"]["format"], schema["properties"]["prompt"]["minLength"]) == (
        "resolution",
        1,
    )
    ours = document()["paths"][judge.FACTS.submit]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert "format" not in ours["properties"]["resolution"]
    assert CHECKS == [has_an_envelope, fits_the_spec, accepted_exactly_when_legal]


# Facts


@pytest.mark.parametrize(
    ("parts", "meaning", "rule"),
    [([text("prompt", "x")], Meaning(1, "2K", "x", "seedreamv45"), "PROMPT-REQUIRED"), ([], Meaning(1, "2K", "", "seedreamv45"), "PROMPT-REQUIRED"), ([text("prompt", "x"), text("batchsize", "+3")], Meaning(3, "2K", "x", "seedreamv45"), "BATCH-RANGE"),
     ([text("prompt", "x"), text("batchsize", "")], Meaning(1, "2K", "x", "seedreamv45"), "BATCH-RANGE"), ([text("resolution", "02560x1440"), text("category", "c")], Meaning(1, "2560x1440", "", "c"), "RES-PIXELS"), ([text("prompt", "x"), text("resolution", "16:9")], Meaning(1, "16:9", "x", "seedreamv45"), "RES-RATIO"),
     ([text("resolution", "4K")], Meaning(1, "4K", "", "seedreamv45"), "RES-TIER"), ([text("other", "4K")], Meaning(1, "2K", "", "seedreamv45"), "WIRE-EXACT"), ([text("prompt", "x"), Part("sourceImage", b"1", "a")], Meaning(1, "2K", "x", "seedreamv45"), "SOURCE-IMAGE")],
)  # fmt: skip
def test_a_form_has_a_meaning_and_a_rule(parts: list[Part], meaning: Meaning, rule: str) -> None:
    assert (judge.FACTS.meaning(parts), judge.FACTS.rule_about(parts), judge.FACTS.images(parts)) == (
        meaning,
        rule,
        meaning.images,
    )
    assert Meaning(1, "2560x1440", "", "").size == (2560, 1440)
    assert Meaning(1, "16:9", "", "").size is None
    assert judge.FACTS.default_pictures == 1
    assert len(judge.FACTS.sent) == len([case for case in judge.FACTS.legal if case.wire is not None])
