"""What a failing case prints: the check, the rule with its sentence, and a curl line that sends the same bytes."""

import gzip
import os
import shutil
import subprocess
from typing import Any

import httpx
import judge
import pytest
from contract.client_checks import CLIENT_CHECKS, Check, ClientUnderTest
from contract.client_checks.checks import Suite, run_all
from contract.recording_server import RecordingServer, envelope
from seedream import SeeDream
from seedream_testing.contract import PROJECT_RULES, Sent, Violation, sentence
from seedream_testing.contract.decode import decode
from seedream_testing.contract.server_under_test import ServerUnderTest
from tensorslab_images.rules import RULES

BASH = shutil.which("bash")
KEY = "sk-contract-MARKER-0123456789"
ENVELOPE = b'{"code": 1000, "msg": "ok", "data": {"taskid": "t"}}'


def sent_by(options: dict[str, Any]) -> Sent:
    with RecordingServer(envelope(1000, {"taskid": "t"})) as server, SeeDream(KEY, base_url=server.url) as client:
        client.submit(**options)
    return server.sent[0]


def test_a_violation_names_check_rule_and_sentence_and_hides_the_key() -> None:
    message = str(Violation("too few pixels", rule="RES-PIXELS", check="some_check", sent=sent_by({"prompt": "鱼"})))
    assert message.startswith("[RES-PIXELS] some_check: too few pixels\n")
    assert "[3,686,400, 16,777,216]" in message  # the vendor's sentence
    assert "curl -sS -X POST http://127.0.0.1:" in message
    assert KEY not in message
    assert "Bearer $TENSORSLAB_API_KEY" in message


@pytest.mark.skipif(shutil.which("curl") is None or BASH is None, reason="needs curl and bash")
@pytest.mark.parametrize(
    "options",
    [
        {"prompt": "a fish"},
        {"prompt": 'it\'s 100% \\x41 "$HOME" `ls` \\\\ \r\n鱼🌫\0end', "batchsize": 3},
        {"prompt": "a fish", "source_images": [bytes(range(256))], "allow_unrecognized_sources": True},
    ],
)
def test_the_curl_line_sends_the_same_bytes(options: dict[str, Any]) -> None:
    first = sent_by(options)
    with RecordingServer(envelope(1000, {"taskid": "t"})) as server:
        line = first.curl.replace(first.url.partition("/v1")[0], server.url)
        environ = {**os.environ, "TENSORSLAB_API_KEY": KEY}
        subprocess.run([BASH or "", "-c", line], env=environ, check=True, capture_output=True)
    second = server.sent[0]
    assert (second.method, second.path, second.body) == (first.method, first.path, first.body)
    assert second.header("authorization") == first.header("authorization") == (f"Bearer {KEY}",)
    assert decode(second) == decode(first)


def test_a_long_body_is_not_shown() -> None:
    curl = sent_by({"prompt": "x" * 5000}).curl
    assert "too long to show" in curl
    assert len(curl) < 1000


def test_whatever_a_check_raises_names_the_rule() -> None:
    suite = Suite[None]()

    @suite.check("TASK-ID")
    def breaks(_: None) -> None:
        """Breaks."""
        raise KeyError("data")

    with pytest.raises(Violation) as caught:
        run_all(suite.checks, None)
    assert (caught.value.check, caught.value.rule) == ("breaks", "TASK-ID")
    assert "KeyError: 'data'" in str(caught.value)


def test_every_check_names_a_known_rule_and_says_what_it_proves() -> None:
    assert not PROJECT_RULES.keys() & RULES.keys()
    checks: list[Check[Any]] = [*CLIENT_CHECKS]
    for check in checks:
        assert sentence(check.rule), check.name
        assert check.proves.endswith("."), check.name
    with pytest.raises(KeyError):
        sentence("NO-SUCH-RULE")
    cases = [*judge.FACTS.legal, *judge.FACTS.illegal]
    assert {case.rule for case in cases} <= RULES.keys() | PROJECT_RULES.keys()


def test_an_unusable_client_is_a_violation_and_no_crash() -> None:
    def broken(**options: object) -> object:
        raise RuntimeError(f"cannot be made with {sorted(options)}")

    for check in CLIENT_CHECKS:
        with pytest.raises(Violation) as caught:
            check.run(ClientUnderTest(broken, judge.FACTS))
        assert caught.value.rule in RULES.keys() | PROJECT_RULES.keys()


@pytest.mark.parametrize(
    ("coding", "content", "said"),
    [
        ("gzip", gzip.compress(ENVELOPE, mtime=0), ""),
        ("identity", ENVELOPE, ""),
        ("gzip", ENVELOPE, "is not in the coding that it names"),
        ("br", ENVELOPE, "is not in the coding that it names|names the coding br, and is not in it"),
        ("x-unknown", ENVELOPE, "names the coding x-unknown, and is not in it"),
    ],
)
def test_a_reply_is_in_the_coding_that_it_names(coding: str, content: bytes, said: str) -> None:
    """Rule SERVER-HTTP. Where brotli is installed, httpx itself finds that the second but last is not in it."""

    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json", "content-encoding": coding}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))

    with ServerUnderTest("http://127.0.0.1:1", KEY, judge.FACTS, transport=httpx.MockTransport(answer)) as server:
        sent = server.headers(("accept-encoding", coding))
        if not said:
            assert server.ask(judge.FACTS.query, {"taskid": "t"}, sent).code == 1000
            return
        with pytest.raises(Violation, match=said) as caught:
            server.ask(judge.FACTS.query, {"taskid": "t"}, sent)
        if coding == "x-unknown":
            with pytest.raises(Violation, match="the coding x-unknown, which was not asked for"):
                server.query("t")
    assert caught.value.rule == "SERVER-HTTP"
