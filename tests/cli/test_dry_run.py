"""`--dry-run` prints the very request that would be sent, with the key masked, and needs neither key nor network."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import facts
import pytest
from seedream import SeeDream
from support.clients import KEY
from support.scripted_server import ScriptedServer, reply

TOO_MANY = str(facts.LARGEST + 1)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"


def test_it_needs_no_key_and_tells_fields_files_and_cost(cli: Any, tmp_path: Path) -> None:
    source = tmp_path / "a cat.png"
    source.write_bytes(PNG)
    ran = cli(
        "generate", "a lighthouse", "-n", "4", "-r", "16：9", "--image", str(source), "--dry-run", "--json",
        TENSORSLAB_API_KEY=None,
    )  # fmt: skip
    assert 0 == ran.code, ran.err
    request = ran.document["request"]
    assert ("POST", f"{facts.SERVER}/v1/images/seedreamv45") == (request["method"], request["url"])
    assert {"prompt": "a lighthouse", "batchsize": "4", "resolution": "16:9"} == {
        field["name"]: field["value"] for field in request["fields"]
    }
    assert [{"name": "sourceImage", "filename": "a_cat.png", "media_type": "image/png", "bytes": len(PNG)}] == request[
        "files"
    ]
    assert 4 == ran.document["images"]


def test_the_request_shown_is_the_request_sent(cli: Any) -> None:
    prompt = 'x"\r\n--+++\r\nContent-Disposition: form-data; name="batchsize"\r\n\r\n15'
    with ScriptedServer(reply(400)) as server:
        shown = cli("generate", prompt, "-r", "2k", "--dry-run", "--json", "--base-url", server.url).document["request"]
        assert [] == server.requests
        cli("generate", prompt, "-r", "2k", "--base-url", server.url)
        (sent,) = server.requests
    head, _, body = sent.partition(b"\r\n\r\n")
    for field in shown["fields"]:
        head_of_part = f'name="{field["name"]}"\r\nContent-Type: text/plain\r\n\r\n'
        assert head_of_part.encode() + field["value"].encode() + b"\r\n--" in body
    assert ["prompt", "resolution"] == [field["name"] for field in shown["fields"]]
    sent_headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    for header in shown["headers"]:
        value = sent_headers[header["name"].lower().encode()].decode()
        assert value.startswith(header["value"].removesuffix("********").lower())
    assert head.startswith(f"{shown['method']} {shown['url'].removeprefix(server.url)} HTTP/1.1\r\n".encode())
    assert KEY.encode() in head


def test_the_key_is_masked_and_its_scheme_shown(cli: Any) -> None:
    ran = cli("generate", "x", "--dry-run")
    assert "Authorization: Bearer ********\n" in ran.out


def test_a_signed_source_url_is_shown_without_its_signature(cli: Any) -> None:
    ran = cli("generate", "x", "--image", "https://host.example/a.png?sig=SECRET", "--dry-run")
    assert "https://host.example/a.png?[removed]" in ran.out
    assert "SECRET" not in ran.out + ran.err


@pytest.mark.parametrize("setting", ["imageUrl=https://host.example/a.png", "image_url=https://host.example/a.png"])
def test_set_takes_a_field_by_either_name(cli: Any, setting: str) -> None:
    fields = cli("generate", "x", "--set", setting, "--dry-run", "--json").document["request"]["fields"]
    assert {"name": "imageUrl", "value": "https://host.example/a.png"} in fields


@pytest.mark.parametrize(
    "words",
    [
        ("--set", "banana=1"),
        ("--set", "batchsize=1.5"),
        ("--set", f"batchsize={TOO_MANY}"),
        ("--set", "batchsize=true"),
        ("-n", "0"),
        ("-n", "three"),
        ("-n", "2", "--set", "batchsize=2"),
        ("--set", "prompt=y"),
        ("--set", "category=a", "--set", "category=b"),
        ("-r", "1x1"),
        ("--image", "no-such-file.png"),
        ("--image", "https://a.example/x", "--image", "https://b.example/y"),
    ],
)
def test_a_bad_field_is_refused_with_nothing_sent(cli: Any, words: tuple[str, ...]) -> None:
    with ScriptedServer(reply(500)) as server:
        ran = cli("generate", "x", *words, "--base-url", server.url, "--json")
        assert [] == server.requests
    assert 3 == ran.code
    assert "no" == ran.document["error"]["billing"]
    assert ran.document["error"]["problems"]


@pytest.mark.parametrize("words", [("--set", "batchsize"), ("--set", "=3"), ("--timeout", "nan"), ("--timeout", "-1")])
def test_a_malformed_option_is_a_usage_error(cli: Any, words: tuple[str, ...]) -> None:
    assert 2 == cli("generate", "x", *words, "--dry-run").code


def test_every_problem_is_reported_at_once(cli: Any) -> None:
    problems = cli("generate", " ", "-n", TOO_MANY, "-r", "1x1", "--dry-run", "--json").document["error"]["problems"]
    assert ["PROMPT-REQUIRED", "BATCH-RANGE", "RES-PIXELS"] == [problem["rule"]["id"] for problem in problems]


def test_what_it_shows_is_what_the_library_sends_for_a_file_with_the_longest_name(tmp_path: Path, cli: Any) -> None:
    source = tmp_path / ("n" * 200 + "\N{SNOWMAN}.png")
    source.write_bytes(PNG)
    shown = cli("generate", "x", "--image", str(source), "--dry-run", "--json").document["request"]["files"][0]
    with ScriptedServer(reply(400)) as server, SeeDream(KEY, base_url=server.url) as client:
        with pytest.raises(Exception, match="refused"):
            client.submit("x", source_images=source)
        assert f'filename="{shown["filename"]}"'.encode() in server.requests[0]


def test_it_opens_no_socket() -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = refuse\nsocket.getaddrinfo = refuse\n"
        "sys.argv = ['seedream', 'generate', 'x', '--dry-run']\n"
        "from seedream.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (0, "") == (done.returncode, done.stderr)
    assert "Nothing was sent. If sent, it would cost 1 image." in done.stdout
