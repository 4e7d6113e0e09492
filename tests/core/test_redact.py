"""No key, signature or signed URL is shown: not in a message, a log, a reply on an error, or a repr."""

# ruff: noqa: E501 -- tables read best with one case a line

import base64
import codecs
import html
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote as percent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream import SeeDreamError, SubmissionUnknown
from seedream._support import redact
from seedream._support.redact import holds_secret, quote, redact_reply, sanitize, server_text, short_repr
from seedream._support.secret import Secret
from support.clients import KEY, Both
from support.fake_service import FakeService, completed

FORMS = {
    "plain": KEY,
    "in capitals": KEY.upper(),
    "percent-encoded": "".join(f"%{byte:02x}" for byte in KEY.encode()),
    "percent-encoded twice": percent("".join(f"%{byte:02X}" for byte in KEY.encode())),
    "HTML": "".join(f"&#{ord(letter)};" for letter in KEY),
    "HTML, hexadecimal": "".join(f"&#x{ord(letter):x};" for letter in KEY),
    "JSON escapes": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64, shifted": base64.b64encode(b"x" + KEY.encode() + b"yz").decode(),
    "base64, shifted by two": base64.b64encode(b"xy" + KEY.encode()).decode(),
    "URL-safe base64": base64.urlsafe_b64encode(b"Bearer " + KEY.encode()).decode(),
    "hex": KEY.encode().hex(),
    "reversed": KEY[::-1],
    "with blanks": " ".join(KEY),
    "split": KEY[:9] + "\n" + KEY[9:],
    "octal escapes": "".join(f"\\{ord(letter):03o}" for letter in KEY),
    "CSS escapes": "".join(f"\\{ord(letter):x} " for letter in KEY),
    "JavaScript escapes": "".join(f"\\u{{{ord(letter):x}}}" for letter in KEY),
    "quoted-printable": "".join(f"={ord(letter):02X}" for letter in KEY),
    "numbers": ", ".join(str(ord(letter)) for letter in KEY),
    "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in KEY),
    "rot13": codecs.encode(KEY, "rot13"),
    "base32": base64.b32encode(b"Bearer " + KEY.encode()).decode(),
}
SIGNED = [
    "https://h.example/a.png?X-Signature=MARKER", "https://h.example/a.png;sig=MARKER", "https://h.example/a b.png?a=it's&sig=MARKER x",
    'https://h.example/a?q="x"&sig=MARKER', "HTTPS://h/x?sig=MARKER", "https://me:MARKER@h/x", "https:%2F%2Fh%2Fx%3Fsig%3DMARKER",
    r"https:\/\/h\/x?sig=MARKER", r"https:\u002f\u002fh\u002fx\u003fsig=MARKER", "/x?sig=MARKER", "//h/x?sig=MARKER", "s3://h/x?MARKER",
    "https&#58;&#47;&#47;h/x?sig=MARKER", "token MARKER", "Bearer MARKER", "password: MARKER", 'api_key="MARKER"', "x-amz-signature=MARKER",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_key_is_recognised_in_any_form(form: str) -> None:
    assert holds_secret(f"wrong key {form}!", KEY)
    whole = form == KEY
    assert ("wrong key [removed]!" if whole else "[removed]") == server_text(f"wrong key {form}!", KEY)
    reply = redact_reply(500, {"server": form}, f'{{"msg": "{form}"}}'.encode(), KEY)
    assert (b'{"msg": "[removed]"}' if whole else b"[removed]: it held the key") == reply.body
    assert {"server": "[removed]"} == reply.headers


@given(st.text(max_size=80))
def test_other_text_does_not_hold_the_key(text: str) -> None:
    assert not holds_secret(text, KEY)


@pytest.mark.parametrize("text", SIGNED)
def test_what_a_message_takes_of_a_servers_text_ends_before_a_url_or_a_credential(text: str) -> None:
    text_shown = server_text(f"bad picture {text}", KEY)
    assert text_shown.startswith("bad picture ")
    assert text_shown.endswith("[removed]")
    assert "MARKER" not in text_shown
    shown = repr(redact_reply(200, {"location": text, "x-other": text}, text.encode(), KEY))
    assert "MARKER" not in shown


@pytest.mark.parametrize("text", [one for one in SIGNED if "://" in one])
@pytest.mark.parametrize(
    "wrap", [str, lambda text: json.dumps({"data": {"url": [text]}}), lambda text: f"<a href='{text}'>"]
)
def test_signed_urls_are_not_kept_in_the_body_of_a_reply(text: str, wrap: Any) -> None:
    if "@" in text:
        return  # a user part is removed by redact(), tested with it
    assert b"MARKER" not in redact_reply(200, {}, wrap(text).encode(), KEY).body


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("内容不合规，请修改提示词", "内容不合规，请修改提示词"),
        ("content refused: 3 words (50 % too many)", "content refused: 3 words (50 % too many)"),
        ("task abcd_1234567890abcdef failed", "task abcd_1234567890abcdef failed"),
        ("a\x1b[2J\nb", "a [2J b"),
        ("x" * 39, "x" * 39),
        ("sig=MARKERa1B2c3D4e5F6g7H8", "[removed]"),
        ("bad data:image/png;base64,iVBORw0KGgoAAAANSUhEUg", "bad data:image/png;base64,[removed]"),
        ("task 0195f3a2-7c1e-7bb0-9d7e-3f1c2a4b5d6e failed", "task 0195f3a2-7c1e-7bb0-9d7e-3f1c2a4b5d6e failed"),
        (
            "size 2048x1152, 1 of 15, code 9999, at 2026-11-26T17:00:00Z",
            "size 2048x1152, 1 of 15, code 9999, at 2026-11-26T17:00:00Z",
        ),
        ("x" * 40, "[removed]"),
        ("word " * 100, ("word " * 40).strip()),
        ("", ""),
    ],
)
def test_plain_text_is_shown_on_one_line_and_cut(text: str, shown: str) -> None:
    assert shown == server_text(text, KEY)


def library_frames(error: BaseException) -> str:
    """The library's frames of a traceback as an error reporter sends them, with their local variables."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return repr([frame.locals for frame in trace.stack if "overlay" in Path(frame.filename).parts])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("action", ["submit", "download"])
def test_an_echo_in_a_submissions_reply_or_a_picture_hosts_error_is_shown_nowhere(
    both: Both, caplog: pytest.LogCaptureFixture, action: str, form: str
) -> None:
    caplog.set_level(logging.DEBUG)
    import httpx  # noqa: PLC0415 -- here only

    echo = httpx.RemoteProtocolError(f"illegal header line: {form!r}")
    service = FakeService(completed("https://h.example/a.png"), pictures={"/a.png": echo})
    if action == "submit":
        service = FakeService({}, submissions=[{"code": 9999, "msg": form, "data": {}}])
    with pytest.raises(SeeDreamError) as caught:
        both.call(
            lambda client: client.generate("x", output_dir=None) if action == "download" else client.submit("x"),
            transport=service.transport,
        )
    error = caught.value
    shown = f"{error} {vars(error)!r} {library_frames(error)} {caplog.text}"
    assert form not in shown
    assert not holds_secret(shown, KEY)


def test_a_task_id_that_is_an_echo_of_the_key_is_none(both: Both, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = FakeService({}, submissions=[{"code": 1000, "msg": "ok", "data": {"taskid": f"id-{KEY}"}}])
    with pytest.raises(SubmissionUnknown) as caught:
        both.call(lambda client: client.submit("x"), transport=service.transport)
    assert caught.value.taskid is None
    assert KEY not in f"{vars(caught.value)!r} {library_frames(caught.value)} {caplog.text}"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("where", ["msg", "error_message", "taskid", "header", "body"])
def test_an_echoed_key_reaches_nothing_that_is_shown_or_kept(both: Both, form: str, where: str) -> None:
    import httpx  # noqa: PLC0415 -- here only

    document: dict[str, Any] = {"code": 9999, "msg": form if where == "msg" else "no", "data": {}}
    if where == "error_message":
        document = {"code": 1000, "data": {"taskid": "t1", "image_status": 4, "error_message": form}}
    answer = httpx.Response(200, json=document, headers={"x-echo": KEY} if where == "header" else {})
    if where == "body":
        answer = httpx.Response(500, text=f"<p>{form}</p>")
    with pytest.raises(SeeDreamError) as caught:
        both.call(lambda client: client.task("t1").wait(timeout=5), transport=FakeService(answer).transport)
    error = caught.value
    shown = f"{error} {error!r} {vars(error)!r} {pickle.dumps(error).decode('latin-1')} {library_frames(error)}"
    assert not holds_secret(shown, KEY)
    assert form not in shown
    assert html.unescape(KEY) not in shown


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            "receive_response_headers.complete return_value=(b'HTTP/1.1', 302, b'MARKER', [(b'Location', b'MARKER')])",
            "receive_response_headers.complete return_value=(b'HTTP/1.1', 302 [removed]",
        ),
        (
            "receive_response_headers.complete return_value=(MARKER",
            "receive_response_headers.complete return_value=( [removed]",
        ),
        (
            "receive_response_headers.failed exception=RemoteProtocolError('illegal header line: https://h/MARKER')",
            "receive_response_headers.failed exception=RemoteProtocolError('illegal header line: [removed]",
        ),
        ("connect_tcp.complete return_value=<a connection>", "connect_tcp.complete return_value=<a connection>"),
    ],
)
def test_log_lines_of_the_http_library_hold_of_a_reply_only_its_status(line: str, kept: str) -> None:
    redact.install_log_filter(KEY)
    record = logging.LogRecord("httpcore.http11", 10, "f", 1, line, (), None)
    logging.getLogger("httpcore.http11").filter(record)
    assert kept == record.getMessage()


def test_log_lines_of_the_http_library_are_redacted() -> None:
    redact.install_log_filter(KEY)
    for name in ("httpx", "httpcore.http11"):
        record = logging.LogRecord(name, 10, "f", 1, "GET %s %s", ("https://h/x?sig=MARKER", KEY), None)
        for one in logging.getLogger(name).filters:
            one.filter(record)  # type: ignore[union-attr]  # a filter object
        assert "MARKER" not in record.getMessage()
    before = list(logging.getLogger("httpx").filters)
    redact.install_log_filter(KEY)
    assert before == logging.getLogger("httpx").filters


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a", "“a”"), ("a" * 61, "“" + "a" * 60 + "…”"), ("a\nb\0", "“a\\nb\\x00”"), ("\ud800", "“\\ud800”"), (5, "“5”"), ([1], "“[1]”"), (10**5000, "a int")],
    ids=["text", "long", "control", "surrogate", "number", "list", "huge"],
)  # fmt: skip
def test_values_are_shown_short_and_on_one_line(value: object, shown: str) -> None:
    assert shown == short_repr(value)
    assert shown[1:-1] == quote(value, marks=False) if isinstance(value, str) else True


def test_text_for_a_message_has_no_control_characters_and_is_cut() -> None:
    assert "a b [2J" == sanitize("a\nb\x1b[2J")
    assert 500 == len(sanitize("x" * 600))
    assert "a [removed] b" == sanitize(f"a {KEY} b", KEY)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("MARKER")
    assert "MARKER" not in f"{secret} {secret!r} {[secret]}"
    assert "MARKER" == secret.reveal()
    with pytest.raises(TypeError):
        pickle.dumps(secret)


@pytest.mark.parametrize("piece", ["?", "https://", "?a", "://?", r"\/", "%3f", "token ", "&#58;", "A" * 40, "\\u003f"])
def test_redaction_is_quick_on_hostile_text(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert len(server_text(text, KEY)) < 300
    assert len(redact_reply(200, {"server": text}, text.encode(), KEY).body) <= 2000
