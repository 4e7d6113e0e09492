"""No key, signature or signed URL is shown: not in a message, a log, a reply on an error, or a repr."""

# ruff: noqa: E501 -- tables read best with one case a line

import base64
import html
import json
import logging
import pickle
import re
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote as percent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream import SeeDreamError, SubmissionUnknown
from seedream._support import redact
from seedream._support.redact import quote, redact_reply, sanitize, short_repr
from seedream._support.secret import Secret
from seedream._support.server_text import REMOVED, echoing, holds_secret, holds_url, is_plain_id, server_text, show_id
from support.clients import KEY, Both
from support.fake_service import FakeService, completed
from support.secret_forms import FORMS, MORE_FORMS

SIGNED = [
    "https://h.example/a.png?X-Signature=MARKER", "https://h.example/a.png;sig=MARKER", "https://h.example/a b.png?a=it's&sig=MARKER x",
    'https://h.example/a?q="x"&sig=MARKER', "HTTPS://h/x?sig=MARKER", "https://me:MARKER@h/x", "https:%2F%2Fh%2Fx%3Fsig%3DMARKER",
    r"https:\/\/h\/x?sig=MARKER", r"https:\u002f\u002fh\u002fx\u003fsig=MARKER", "/x?sig=MARKER", "//h/x?sig=MARKER", "s3://h/x?MARKER",
    "https&#58;&#47;&#47;h/x?sig=MARKER", "token MARKER", "Bearer MARKER", "password: MARKER", 'api_key="MARKER"', "x-amz-signature=MARKER",
]  # fmt: skip


SEPARATORS = [" ", "-", ".", ", ", "|", "\n", "中", "，", " and ", "\u200b", "_", "/", "  "]
# Vendors' and libraries' texts, and tasks' ids, stay readable.
PLAIN = [
    "内容不合规，请修改提示词", "积分不足，请充值", "提示词prompt长度超过1000个字符", "参数batchsize错误：16不在1到15之间", "分辨率 1024x1024 太小（总像素少于 3,686,400）",
    "content refused: 3 words (50 % too many)", "resolution 1024x1024 is too small", "resolution 1024*1024 is too small, use 2048x2048 or 2K",
    "the sourceImage is larger than 10MB", "imageUrl: field required", "batchsize=16 exceeds the maximum of 15", "batchsize must be an integer from 1 to 15",
    "Use one of 9:16, 16:9, 3:4, 4:3, 1:1, 2:3, 3:2 or 2K, 4K", "image_status is 4", "insufficient credits: 3 left, 15 needed", "API key invalid", "Invalid API key.",
    "token expired", "too many requests, retry in 30s", "rate limit: 10 requests per minute", "size 2048x1152, 1 of 15, code 9999, at 2026-11-26T17:00:00Z",
    "Task created successfully", "at 2026-11-26 17:00:00", "TooManyRequests: please slow down", "model seedreamv45 (SeeDream V4.5) is busy",
    "Internal Server Error", "upstream connect error or disconnect/reset before headers", "Das Bild ist zu groß – höchstens 4 Mio. Pixel", "L'image n'est pas valide",
    "Изображение слишком большое", "画像が大きすぎます。もう一度お試しください", "이미지가 너무 큽니다", "ภาพมีขนาดใหญ่เกินไป", "تم رفض الطلب", "छवि बहुत बड़ी है",
    "[Errno 111] Connection refused", "[Errno -2] Name or service not known", "timed out", "Server disconnected without sending a response.",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)",
    "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:1000)", "Hostname mismatch, certificate is not valid for 'api.tensorslab.com'.",
    "peer closed connection without sending complete message body (received 4 bytes, expected 10)", "407 Proxy Authentication Required", "text/html; charset=utf-8",
    "nginx/1.25.3", "1.1 varnish (Varnish/6.6)", "Thu, 26 Nov 2026 17:00:00 GMT", "bytes 0-99/1000", "Cannot POST /v1/images/seedreamv45",
    "JSONDecodeError: Expecting value: line 1 column 1 (char 0)", "sourceImage[0] is not an image", "(code=9999)", "用户积分不足：剩余3，需要15",
    "use WIDTHxHEIGHT or WxH, IMAGEURL or ImageUrl", "prompt too long (max. 2000 characters)", "the picture could not be made", "file type .gif not allowed, use PNG/JPEG/WebP",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_texts_of_services_and_libraries_are_shown_unchanged(text: str) -> None:
    assert text == server_text(text, KEY)


@pytest.mark.parametrize("taskid", ["abcd_1234567890abcdef", "0195f3a2-7c1e-7bb0-9d7e-3f1c2a4b5d6e", "t1", "x" * 80])
def test_the_task_that_was_asked_for_may_be_named(taskid: str) -> None:
    assert f"task {taskid}, failed" == server_text(f"task {taskid}, failed", KEY, known=[taskid])
    assert taskid == show_id(taskid)


@pytest.mark.parametrize("taskid", ["a b", "任务", "../x", "x" * 81, "a/b", "a=b", "a:b", "a\nb", "-rf", "", "\ud800"])
def test_another_id_is_shown_as_a_digest(taskid: str) -> None:
    shown = show_id(taskid)
    assert re.fullmatch("task-[0-9a-f]{12}", shown)
    assert shown == show_id(taskid)
    assert shown != show_id(f"{taskid}.")


def parts_of(form: str, shown: str) -> list[str]:
    """Six characters in a row of the encoded key that are shown."""
    return [form[at : at + 6] for at in range(len(form) - 5) if form[at : at + 6] in shown]


ALL_FORMS = FORMS | MORE_FORMS
WORDS = st.sampled_from(
    ["", "wrong", "bad request", "不正确", "a", "3", "code 9999", "is not valid", "“", "x=", "HTTP/1.1", "(", "<p>"]
)
JOINTS = st.sampled_from(
    ["", " ", ":", ": ", "=", "'", '"', "(", "/", "，", "\n", "\t", "?", "&", "#", ";", "@", "https://h.example/"]
)


@pytest.mark.parametrize("form", ALL_FORMS.values(), ids=ALL_FORMS)
@given(before=WORDS, joint=JOINTS, behind=JOINTS, after=WORDS, times=st.integers(1, 3))
def test_nothing_of_an_encoded_key_is_shown(
    form: str, before: str, joint: str, behind: str, after: str, times: int
) -> None:
    shown = server_text(f"{before}{joint}{form * times}{behind}{after}", KEY)
    assert [] == parts_of(form, shown)
    assert not holds_secret(shown, KEY)


@given(
    form=st.sampled_from(list(FORMS.values())), size=st.integers(1, 9), separator=st.sampled_from(SEPARATORS),
    first=st.integers(0, 8), around=WORDS,
)  # fmt: skip
def test_nothing_of_a_key_in_pieces_is_shown(form: str, size: int, separator: str, first: int, around: str) -> None:
    pieces = [form[:first], *(form[at : at + size] for at in range(first, len(form), size))]
    shown = server_text(f"{around} {separator.join(filter(None, pieces))} {around}", KEY)
    assert not holds_secret(shown, KEY)
    letters = "".join(c for c in shown.lower().replace("[removed]", "|") if c.isascii() and (c.isalnum() or c == "|"))
    plain = "".join(c for c in KEY.lower() if c.isalnum())
    assert [] == parts_of(plain, letters)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_key_is_recognised_in_a_reply_that_is_kept(form: str) -> None:
    assert holds_secret(f"wrong key {form}!", KEY)
    reply = redact_reply(500, {"server": form, "x-request-id": form}, f'{{"msg": "{form}"}}'.encode(), KEY)
    assert (b'{"msg": "[removed]"}' if form == KEY else b"[removed]: it held the key") == reply.body
    assert {"server": "[removed]", "x-request-id": "[removed]"} == reply.headers


SECRET_TEXT = "Zebra/Quilt+Vex-Jump"  # no digits and no pattern: each form below holds it only in one way


def encodings(secret: str) -> dict[str, str]:
    """Encodings without signs that could be read as escapes, from the inside of a longer text."""
    raw = secret.encode()
    found = {
        "reversed": secret[::-1],
        "atbash": "".join(chr(219 - ord(c)) if c.islower() else c for c in secret.lower()),
    }
    for shift in range(26):
        found[f"Caesar {shift}"] = "".join(
            chr((ord(c) - 97 + shift) % 26 + 97) if c.islower() else c for c in secret.lower()
        )
    for form in ("{:02x}", "x{:02x}", "0x{:02x}", "u00{:02x}", "{}", "{:o}", "{:08b}", "{:X}"):
        found[form] = " ".join(form.format(byte) for byte in raw)
    for name, inner in {"": raw, "UTF-16, ": secret.encode("utf-16-le"), "base64 of ": base64.b64encode(raw)}.items():
        for before in range(6):
            for encode in (base64.b64encode, base64.b32encode):
                found[f"{name}{encode.__name__}, {before} in front"] = encode(
                    b"\xa5" * before + inner + b"\x5a" * 5
                ).decode()
    return found


@pytest.mark.parametrize("form", encodings(SECRET_TEXT).values(), ids=encodings(SECRET_TEXT))
def test_any_part_of_a_secret_is_recognised_in_every_encoding(form: str) -> None:
    letters = "".join(c for c in form if c.isalnum())
    middle = letters[len(letters) // 3 : -len(letters) // 3]
    assert holds_secret(f"wrong: {letters}!", SECRET_TEXT)
    assert echoing(["wrong", form[: len(form) // 2], form[len(form) // 2 :]], SECRET_TEXT) >= {1, 2}
    if len(middle) >= 12:
        assert holds_secret(middle[:12], SECRET_TEXT)
        assert not holds_secret(middle[:11], SECRET_TEXT)
        assert holds_secret(middle.upper(), SECRET_TEXT)
    for size in (6, 5):
        assert echoing(["–", middle[:size]], SECRET_TEXT) == ({1} if size == 6 and len(middle) >= 6 else set())


def test_a_key_with_slashes_is_removed_also_where_json_escapes_them() -> None:
    assert redact.redact(r"x sk/abc/12345 y sk\/abc\/12345 z", "sk/abc/12345") == f"x {REMOVED} y {REMOVED} z"


def test_of_a_short_secret_nothing_is_looked_for() -> None:
    assert not holds_secret("the secret", "secret7")
    assert echoing(["secret7"], "secret7") == set()
    assert redact.redact("my secret7", "secret7") == "my secret7"
    assert holds_secret("the secret78", "secret78")
    assert echoing(["secret78"], "secret78") == {0}
    assert redact.redact("my secret78", "secret78") == f"my {REMOVED}"


def test_parts_of_a_secret_are_joined_over_what_may_be_shown() -> None:
    # The id that was asked for may stand between them; nothing else is passed over.
    secret = "abcdefghijkl"
    assert server_text("so abcde t1 fghij", secret, known=["t1"]) == "so [removed] t1 [removed]"
    assert server_text("so abcde too fghij", secret, known=["t1"]) == "so abcde too fghij"
    assert server_text("so abcde fghij", secret) == "so [removed]"
    assert server_text("so abc def t1", secret, known=["t1"]) == "so [removed] t1"


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_escapes_are_read_several_times(times: int) -> None:
    url, key = "https://h/a?sig=x", KEY
    for _ in range(times):
        url, key = percent(url, safe=""), percent(key, safe="").replace("-", "%2D").replace("k", "%6B")
    assert holds_url(url)
    assert holds_secret(key, KEY)


@pytest.mark.parametrize(
    ("text", "url"),
    [("https://h", True), ("x://", True), ("a?b=", True), ("a&b=", True), ("a;b=c", True), ("a#b=", True), ("&#61;", False), ("a=b", False), ("?a b=", False),
     ("t-1", False), ("a/b", False), ("a:b", False), ("a?b", False), ("https:\\/\\/h", True), ("a%3Fb%3D", True)],
)  # fmt: skip
def test_a_url_or_a_query_is_recognised_in_an_id(text: str, url: bool) -> None:
    assert holds_url(text) is url


@pytest.mark.parametrize(
    ("text", "plain"),
    [("a", True), ("a" * 80, True), ("a" * 81, False), ("A-1._z", True), (".a", False), ("-a", False), ("_a", False), ("a..b", False), ("a.b.c", True), ("", False), ("a\n", False), ("ä", False)],
)  # fmt: skip
def test_an_id_is_plain_if_it_can_be_a_file_name(text: str, plain: bool) -> None:
    assert is_plain_id(text) is plain
    assert (show_id(text) == text) is plain


def test_no_id_is_shown_as_such() -> None:
    assert show_id(None) == "None"
    assert show_id("a b") == "task-c8687a08aa5d"


@pytest.mark.parametrize("value", ["4bf92f3577b34da6a3ce929d0e0e4736", 'W/"1a2b-3c"', '"f1e2d3c4"'])
def test_the_id_of_a_request_is_kept(value: str) -> None:
    assert {"etag": value, "x-request-id": value} == redact_reply(
        500, {"ETag": value, "X-Request-Id": value, "x-other": value}, b"", KEY
    ).headers


@given(st.text(max_size=80))
def test_other_text_does_not_hold_the_key(text: str) -> None:
    assert not holds_secret(text, KEY)
    assert len(server_text(text, KEY)) <= 200


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
    ("body", "kept"),
    [
        ('{"msg": "图", "url": "https://h/a?sig=MARKER"}', '{"msg": "图", "url": "https://h/a?[removed]"}'),
        ('{"a": [1, true, null, 2.5, {"https://h/x;MARKER": "b"}]}', '{"a": [1, true, null, 2.5, {"https://h/x?[removed]": "b"}]}'),
        ('{"a" : "no query"}', '{"a" : "no query"}'),
        ('["https://h/a b?c=MARKER d"]', '["https://h/a b?[removed] d"]'),
        ("see https://h/a?MARKER and more", "see https://h/a?[removed]"),
        ("see https://u:MARKER@h/a", "see https://h/a?[removed]"),
        ("a?b=MARKER c", "a?[removed] c"),
        ("[" * 100_000 + "https://h/a?MARKER", ("[" * 100_000)[:2000]),
        ("\xff", "\xff"),
        ("é" * 3000, "é" * 1000),
        (f'{{"key": "{KEY}", "msg": "wrong"}}', '{"key": "[removed]", "msg": "wrong"}'),
    ],
)  # fmt: skip
def test_of_a_reply_s_body_all_but_queries_and_keys_is_kept(body: str, kept: str) -> None:
    reply = redact_reply(418, {}, body.encode(), KEY)
    assert (reply.status, reply.body.decode()) == (418, kept)


def test_bytes_that_are_no_text_are_kept_as_they_are() -> None:
    assert redact_reply(200, {}, b"\xff\xd8\xff\xe0", KEY).body == b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize(
    "name", ["age", "content-encoding", "content-length", "content-range", "content-type", "date", "etag", "retry-after", "server", "via",
     "x-request-id", "request-id", "x-trace-id", "cf-ray", "location"],
)  # fmt: skip
def test_the_headers_that_explain_a_fault_are_kept_without_secrets(name: str) -> None:
    for value, shown in (
        ("word", "word"),
        ("https://h/a?MARKER", "[removed]"),
        (KEY, "[removed]"),
        (KEY[::-1], "[removed]"),
    ):
        assert redact_reply(500, {name.title(): value}, b"", KEY).headers == {name: shown}
    # Ids may be any letters and digits; other texts only words.
    assert redact_reply(500, {name: 'X"1a2b3c4d5e6f"X'}, b"", KEY).headers == {name: "[removed]"}
    for value in ("4bf92f3577b34da6a3ce929d0e0e4736", 'W/"1a2b3c4d5e6f"'):
        ids = {"etag", "x-request-id", "request-id", "x-trace-id", "cf-ray"}
        assert redact_reply(500, {name: value}, b"", KEY).headers == {name: value if name in ids else "[removed]"}
    assert redact_reply(500, {name: "word " * 1000}, b"", KEY).headers == {name: ("word " * 400).strip()}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bad\x1b[2J\nred", "bad [removed] red"),
        ("x" * 24, "x" * 24),
        ("x" * 25, "[removed]"),
        ("aBcDeF or abcD", "[removed] or [removed]"),
        ("sig=MARKERa1B2c3D4e5F6g7H8", "[removed]"),
        ("bad data:image/png;base64,iVBORw0KGgoAAAANSUhEUg", "bad [removed]"),
        ("task abcd_1234567890abcdef failed", "task [removed] failed"),
        ("try https://h.example/a later", "try [removed]"),
        ("write to me@h.example now", "write to [removed]"),
        ("password: hunter", "password: [removed]"),
        ("password:hunter", "[removed]"),
        ("your key Hunter", "your key [removed]"),
        ("a b c d e f", "[removed]"),
        ("1 2 3 4 5 6", "[removed]"),
        ("123456789", "[removed]"),
        ("МАRКЕR", "[removed]"),
        ("МаРкЕр", "[removed]"),
        ("МАРКЕР Маркер маркер", "МАРКЕР Маркер маркер"),
        ("ж" * 24, "ж" * 24),
        ("ж" * 25, "[removed]"),
        ("ก" * 30, "ก" * 30),
        ("ma\u0301s", "ma\u0301s"),
        ("α1", "[removed]"),
        # In capitals inside words at least three letters each.
        ("imgUrl abcDef JSONError", "imgUrl abcDef JSONError"),
        ("imUrl", "[removed]"),
        ("aBcd", "[removed]"),
        ("abcDefGhi", "abcDefGhi"),
        ("abcDefGh", "[removed]"),
        ("HTTPServer", "HTTPServer"),
        ("ABCDEServer", "[removed]"),
        ("aAaaaaBbbbCcccDdddEeee", "[removed]"),
        # What follows the name of a credential is shown only if it is an ordinary word.
        *(
            (f"the {name} Hunter", f"the {name} [removed]")
            for name in (
                "api-key",
                "api_key",
                "auth/token",
                "Password",
                "secret",
                "x-Signature",
                "bearer",
                "basic",
                "sig",
                "passwd",
                "apikey",
                "credential",
                "credentials",
                "authorization",
            )
        ),
        *(
            (f"the {name} {value}", f"the {name} {value}")
            for name in ("api-key", "token")
            for value in ("is", "expired")
        ),
        ("key 5", "key [removed]"),
        ("key: wrong", "key: [removed]"),
        ("keys Hunter", "keys Hunter"),
        ("key wrong Hunter", "key wrong Hunter"),
        # Numbers: short ones, and words with few digits.
        ("13572468", "13572468"),
        ("1357246 1357246", "1357246 1357246"),
        ("13572468-1357246", "[removed]"),
        ("1357246-1357246", "1357246-1357246"),
        ("utf-8 V4.5 http2", "utf-8 V4.5 http2"),
        ("v12-v34", "v12-v34"),
        ("v12-v34-v5", "[removed]"),
        ("a12b", "[removed]"),
        ("a123", "[removed]"),
        ("1.2.3.4", "1.2.3.4"),
        ("v1.2.3.45", "[removed]"),
        ("v1.2.34", "v1.2.34"),
        ("a" * 20 + "-" + "b" * 19, "a" * 20 + "-" + "b" * 19),
        ("a" * 20 + "-" + "b" * 20, "[removed]"),
        ("ä" * 20 + "-" + "ö" * 20, "ä" * 20 + "-" + "ö" * 20),
        ("host:8080 host:80808", "host:8080 host:80808"),
        ("host:808080", "[removed]"),
        # Single letters and signs in a row.
        ("a b c d e", "a b c d e"),
        ("word a b word", "word a b word"),
        ("a xK9q b word", "[removed] word"),
        ("word a", "word a"),
        # Measures and the API's own names.
        ("2048x1152 10MB 50% 1.5s 30ms 99999x1", "2048x1152 10MB 50% 1.5s 30ms 99999x1"),
        ("100000x1", "[removed]"),
        ("0x10", "[removed]"),
        ("10Mb", "[removed]"),
        ("2026-11-26T17:00:00.135724+08:00", "2026-11-26T17:00:00.135724+08:00"),
        ("prompt=word", "prompt=word"),
        ("batchsize=a=b", "[removed]"),
        ("other=word", "[removed]"),
        ("code=9999 status=4 code=status=4", "code=9999 status=4 code=status=4"),
        ("code=xK9", "[removed]"),
        ("image_status imageUrl taskid", "image_status imageUrl taskid"),
        # Where a URL, a query or an escape begins the text ends.
        *(
            (f"see {end} word", "see [removed]")
            for end in ("a=b", "a@b", "a\\b", "a%b", "a&b", "a#b", "a?b", "a:/b", "a:\\b", "a//b", "//")
        ),
        ("a? b: word", "a? b: word"),
        ("a\u202eb", "a b"),
        ("word" * 6 + " x", "word" * 6 + " x"),
        ("word __ word", "word [removed] word"),
        ("\U00017000\U00017001 word", "\U00017000\U00017001 word"),  # letters that Python has no names for
        ("内容xK9qZ不", "内容[removed]不"),
        ("xK9qZ内容 aQ7 xK9qZ word", "[removed]内容 [removed] word"),
        ("word " * 100, ("word " * 40).strip()),
        ("", ""),
    ],
)
def test_plain_text_is_shown_on_one_line_and_cut(text: str, shown: str) -> None:
    assert shown == server_text(text, KEY)


def library_frames(error: BaseException) -> str:
    """Return the library's frames of a traceback as an error reporter sends them, with their local variables."""
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


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_task_id_that_is_an_echo_of_the_key_is_none(both: Both, caplog: pytest.LogCaptureFixture, form: str) -> None:
    caplog.set_level(logging.DEBUG)
    service = FakeService({}, submissions=[{"code": 1000, "msg": "ok", "data": {"taskid": f"id-{form}"}}])
    with pytest.raises(SubmissionUnknown) as caught:
        both.call(lambda client: client.submit("x"), transport=service.transport)
    assert caught.value.taskid is None
    assert not holds_secret(f"{vars(caught.value)!r} {library_frames(caught.value)} {caplog.text}", KEY)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("where", ["msg", "error_message", "header", "body"])
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
        (
            "receive_response_headers.complete return_value=(b'HTTP/1.1', 302, b'a\nMARKER\nMARKER', [])",
            "receive_response_headers.complete return_value=(b'HTTP/1.1', 302 [removed]",
        ),
        ("connect_tcp.complete return_value=<a connection>", "connect_tcp.complete return_value=<a connection>"),
    ],
)
def test_log_lines_of_the_http_library_hold_of_a_reply_only_its_status(line: str, kept: str) -> None:
    redact.install_log_filter(KEY)
    record = logging.LogRecord("httpcore.http11", 10, "f", 1, line, (), None)
    assert logging.getLogger("httpcore.http11").filter(record), "a line is changed and never dropped"
    assert kept == record.getMessage()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ftp://u:MARKER@h/a b", "ftp://h/a?[removed] b"), ("FTP://h/a?MARKER b", "FTP://h/a?[removed] b"), ("https://h#MARKER", "https://h?[removed]"),
        (r"https:\/\/u:MARKER@h\/a\u003fMARKER b", r"https:\/\/h\/a?[removed] b"), ("/x#sig=MARKER b", "/x#[removed] b"), ("/x?sig=MARKER&b=MARKER c", "/x?[removed] c"),
        (r"/x\u003Fsig=MARKER b", r"/x\u003F[removed] b"), ("s3://b/x?sig=MARKER b", "s3://b/x?[removed] b"), ('<a href="http://h/?MARKER">b</a>', '<a href="http://h/?[removed]">b</a>'),
        ("http://h/a?MARKER,http://h/b", "http://h/a?[removed]"), ("a=b c#d ?e", "a=b c#d ?e"),
    ],
)  # fmt: skip
def test_queries_and_passwords_of_urls_are_removed(text: str, shown: str) -> None:
    assert redact.redact(text) == shown


@pytest.mark.parametrize(("blanks", "shown"), [(3996, "word"), (3997, "wor"), (4000, "")])
def test_of_a_long_text_the_start_is_read(blanks: int, shown: str) -> None:
    assert server_text(" " * blanks + "word" * 1000, KEY) == shown


@pytest.mark.parametrize(
    "text",
    ["see https://h.example/x/y.png now", "https://h.example", '{"url": "https://h.example/x.png"}', "a/b?", "no url"],
)
def test_a_url_without_a_query_is_left_as_it_is(text: str) -> None:
    assert text == redact.redact(text)


@pytest.mark.parametrize(
    "name", ["httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))]
)
def test_a_line_that_holds_the_key_in_an_encoding_is_dropped(name: str) -> None:
    redact.install_log_filter(KEY)
    for form in (KEY[::-1], base64.b64encode(KEY.encode()).decode()):
        record = logging.LogRecord(name, 10, "f", 1, "sent %s", (form,), None)
        assert logging.getLogger(name).filter(record)
        assert record.getMessage() == "[removed]"


def test_each_log_of_the_http_library_is_redacted() -> None:
    # Whichever module writes: a proxy's and a SOCKS proxy's hold the same requests.
    redact.install_log_filter(KEY)
    line = f"send_request_headers.started request=<Request> headers=[(b'Authorization', b'Bearer {KEY}')] https://h/x?sig=MARKER"
    names = [name for name in logging.root.manager.loggerDict if name.startswith(("httpx", "httpcore."))]
    assert {"httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks"} <= set(names)
    for name in names:
        record = logging.LogRecord(name, 10, "f", 1, line, (), None)
        assert logging.getLogger(name).filter(record)
        assert not holds_secret(record.getMessage(), KEY), name
        assert "sig=MARKER" not in record.getMessage(), name


@pytest.mark.parametrize("before", range(1955, 2003))
@pytest.mark.parametrize("form", [b"%s", b'{"msg": "%s"}'], ids=["text", "json"])
def test_no_part_of_a_key_stays_where_a_reply_is_cut(before: int, form: bytes) -> None:
    body = redact_reply(400, {}, form % (b" " * before + KEY.encode() + b" " * 3000), KEY).body
    assert KEY[:4].encode() not in body


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_part_of_an_encoded_key_stays_where_a_reply_is_cut(form: str) -> None:
    # A byte of it takes up to eight characters: more of the body is looked at than is kept.
    for before in range(1990 - len(form), 2000, 5):
        body = redact_reply(400, {}, b" " * before + form.encode() + b" " * 3000, KEY).body.decode()
        assert not [at for at in range(len(form) - 11) if form[at : at + 12] in body]


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
    [("a", "“a”"), ("a" * 60, "“" + "a" * 60 + "”"), ("a" * 61, "“" + "a" * 60 + "…”"), ("a\nb\0", "“a\\nb\\x00”"), ("\ud800", "“\\ud800”"), (5, "“5”"), ([1], "“[1]”"), (10**5000, "a int")],
    ids=["text", "longest", "long", "control", "surrogate", "number", "list", "huge"],
)  # fmt: skip
def test_values_are_shown_short_and_on_one_line(value: object, shown: str) -> None:
    assert shown == short_repr(value)
    assert shown[1:-1] == quote(value, marks=False) if isinstance(value, str) else True


def test_text_for_a_message_has_no_control_characters_and_is_cut() -> None:
    assert "a b [2J" == sanitize("a\nb\x1b[2J")
    assert ("x" * 500, "xx") == (sanitize("x" * 600), sanitize("xxx", 2))
    assert "see https://h/a?[removed] b" == sanitize("see https://h/a?MARKER\nb")


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("MARKER")
    assert "Secret('[removed]') [Secret('[removed]')]" == f"{secret} {[secret]}"
    assert "MARKER" == secret.reveal()
    with pytest.raises(TypeError, match=r"^a secret is not pickled$"):
        pickle.dumps(secret)


@pytest.mark.parametrize("piece", ["?", "https://", "?a", "://?", r"\/", "%3f", "token ", "&#58;", "A" * 40, "\\u003f"])
def test_redaction_is_quick_on_hostile_text(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert len(server_text(text, KEY)) < 300
    assert len(redact_reply(200, {"server": text}, text.encode(), KEY).body) <= 2000


def test_of_two_keys_of_which_one_begins_like_the_other_no_tail_stays() -> None:
    short, long = "sk-key-0123456789", "sk-key-0123456789-and-more"
    assert redact.redact(f"a {long} b {short} c", long, short) == f"a {REMOVED} b {REMOVED} c"
    assert redact.redact(f"a {long} b {short} c", short, long) == f"a {REMOVED} b {REMOVED} c"
    assert redact.redact(f"a before-{short}-after b", short, f"before-{short}-after") == f"a {REMOVED} b"


@pytest.mark.parametrize(
    "name",
    ["set-cookie", "Set-Cookie2", "cookie", "authorization", "www-authenticate", "x-api-key", "x-amz-security-token", "link",
     "x-auth-token", "proxy-authenticate", "x-amz-meta-url", "content-location", "refresh", "x-unknown"],
)  # fmt: skip
def test_an_error_keeps_no_header_that_may_hold_credentials(name: str) -> None:
    # Rule KEY-PRIVATE: what is kept is on a list; a session or a signed address is on none.
    reply = redact_reply(500, {name: "session", "x-request-id": "abc-1", "Content-Type": "text/html"}, b"", KEY)
    assert reply.headers == {"x-request-id": "abc-1", "content-type": "text/html"}
