"""Forms as clients of other libraries write them, and forms that can be read in two ways."""

import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sandbox.sandbox_client import SUBMIT
from seedream_sandbox import Sandbox
from seedream_sandbox.service.multipart import MalformedForm, Part, decode_form

NAMES = [
    "灯塔.png",
    "🌊.png",
    "naïve.png",
    "a b.png",
    "a;b=c.png",
    "%E7%81%AF.png",
    "x" * 300 + ".png",
]
TYPE = "multipart/form-data; boundary=b"


def picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (30, 20), (200, 30, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def parts(disposition: bytes, *headers: bytes, content: bytes = b"x") -> tuple[Part, ...]:
    """Decode a form with one part that has this Content-Disposition."""
    head = b"\r\n".join([b"Content-Disposition: " + disposition, *headers])
    return decode_form(TYPE, b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n--b--\r\n")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("library", ["httpx", "requests"])
def test_any_file_name_is_received(name: str, library: str) -> None:
    content = picture()
    with Sandbox(pictures="plain") as sandbox:
        form: Any = {"prompt": (None, "灯塔"), "sourceImage": (name, content, "image/png")}
        headers = {"Authorization": sandbox.api_key}
        if library == "httpx":
            reply = httpx.post(sandbox.base_url + SUBMIT, files=form, headers=headers, trust_env=False).json()
        else:
            reply = requests.post(sandbox.base_url + SUBMIT, files=form, headers=headers, timeout=20).json()
        assert 1000 == reply["code"], reply
        assert [("sourceImage", name, "image/png", len(content))] == sandbox.requests[-1].files
        assert 1 == len(sandbox.tasks[-1].sources), "the file's bytes are read as the picture that they are"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("name", ["灯塔.png", "🌊 am Meer.png", 'quo"te.png'])
def test_curl_sends_a_file_with_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(picture())
    with Sandbox(pictures="plain") as sandbox:
        quoted = name.replace('"', '\\"')
        command = [
            shutil.which("curl") or "curl", "-sS", "--noproxy", "*", sandbox.base_url + SUBMIT, "-H",
            f"Authorization: {sandbox.api_key}", "-F", "prompt=x", "-F", f'sourceImage=@"{quoted}"',
        ]  # fmt: skip
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
        assert b'"code":1000' in ran.stdout
        assert name == sandbox.requests[-1].files[0][1]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('filename="灯塔.png"', "灯塔.png"),
        ("filename=plain.png", "plain.png"),
        ("filename*=UTF-8''%E7%81%AF%E5%A1%94.png", "灯塔.png"),
        ("filename*=utf-8'zh'%E7%81%AF.png", "灯.png"),
        ('filename="with %22quotes%22.png"', 'with "quotes".png'),
        ('filename="with \\"quotes\\".png"', 'with "quotes".png'),
        ('filename=""', ""),
    ],
)
def test_each_way_to_write_a_file_name(written: str, name: str) -> None:
    (part,) = parts(f'form-data; name="sourceImage"; {written}'.encode())
    assert ("sourceImage", name) == (part.name, part.filename)


@pytest.mark.parametrize(
    ("disposition", "headers"),
    [
        (b'form-data; name="a"; name="b"', ()),
        (b'form-data; name="a"; filename="x"; filename="y"', ()),
        (b'form-data; name="a"', (b'Content-Disposition: form-data; name="b"',)),
        (b'form-data; name="a"', (b"Content-Transfer-Encoding: base64",)),
        (b'attachment; name="a"', ()),
        (b"form-data", ()),
        (b'form-data; name="\xb5\xc6\xcb\xfe"', ()),
    ],
)
def test_a_part_that_can_be_read_in_two_ways_is_refused(disposition: bytes, headers: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedForm):
        parts(disposition, *headers)


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_a_line_that_does_not_end_in_cr_lf_is_refused(end: bytes) -> None:
    head = b'Content-Disposition: form-data; name="a"'
    with pytest.raises(MalformedForm):
        decode_form(TYPE, end.join([b"--b", head, b"", b"x", b"--b--", b""]))


@pytest.mark.parametrize(("before", "after"), [(b"preamble\r\n", b""), (b"", b"epilogue"), (b"\r\n", b"\r\n")])
def test_preamble_and_epilogue_are_not_parts(before: bytes, after: bytes) -> None:
    # RFC 2046 5.1.1: what comes before the first and after the last boundary is ignored.
    body = before + b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n' + after
    assert [("a", b"x")] == [(part.name, part.content) for part in decode_form(TYPE, body)]


def test_a_text_that_is_declared_in_another_charset_is_refused() -> None:
    sandbox = Sandbox()
    with httpx.Client(transport=sandbox.transport) as http:
        for charset, code in (("utf-8", 1000), ("UTF-8", 1000), ("gbk", 9999), ("utf-16", 9999)):
            form = {"prompt": (None, "x", f"text/plain; charset={charset}")}
            reply = http.post(sandbox.base_url + SUBMIT, files=form, headers={"Authorization": "k"})
            assert code == reply.json()["code"], charset


_lines = st.lists(
    st.sampled_from([
        b"--b\r\n", b"--b--\r\n", b"--b--", b"--b", b"\r\n", b"\n", b"\r", b"x", b"\xff", b": ", b"\x00", b"a" * 5000,
        b'Content-Disposition: form-data; name="prompt"\r\n\r\n', b"Content-Disposition: form-data\r\n\r\n",
        b'Content-Disposition: form-data; name="sourceImage"; filename="\xe7\x81\xaf"\r\n', b"Content-Type: ;;=\r\n",
        b"Content-Disposition: form-data; name*=UTF-8''%zz; filename*=bogus'x'%E7\r\n\r\n", b'; name="', b"%22%0d%0a",
    ]),
    max_size=14,
).map(b"".join)  # fmt: skip


@given(
    _lines | st.binary(max_size=200), st.sampled_from([TYPE, "multipart/form-data; boundary=\xff", "x/y; boundary=b"])
)
def test_any_bytes_are_a_form_or_a_malformed_one(body: bytes, content_type: str) -> None:
    try:
        found = decode_form(content_type, body)
    except MalformedForm:
        return
    assert all(isinstance(part, Part) for part in found)


@given(_lines | st.binary(max_size=200))
def test_the_service_answers_any_form_with_an_envelope(body: bytes) -> None:
    sandbox = Sandbox()
    with httpx.Client(transport=sandbox.transport) as http:
        reply = http.post(sandbox.base_url + SUBMIT, content=body, headers={"Authorization": "k", "Content-Type": TYPE})
    assert (200, True) == (reply.status_code, reply.json()["code"] in (1000, 9999))
