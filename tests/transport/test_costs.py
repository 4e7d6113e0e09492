"""What a request costs, counted: calls, copies, reads and modules, never seconds."""

import asyncio
import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from seedream import AsyncSeeDream, SeeDream, Timeouts
from seedream._files.partial_file import PartialFile
from seedream._protocol.download import DownloadOptions, SavedPicture, save
from seedream._protocol.service import Decoder
from seedream._request.encode import encode_submission
from seedream._request.submission import check_submit
from seedream._transport import network
from seedream._transport.send_tracker import SendTracker
from support.clients import KEY, Both
from support.fake_service import FakeService, completed
from support.pictures import picture
from support.scripted_server import reply
from transport.support import ACCEPTED, RUNNING, ScriptedServer, keep_alive, whole

MIB = 2**20


def calls_of(work: Any) -> tuple[int, int]:
    """How many Python functions a call runs, and how many of them are this project's.

    With functions of C the number differs from version to version.
    """
    counted: list[bool] = []

    def count(frame: Any, event: str, _argument: Any) -> None:
        if event == "call":
            name = frame.f_code.co_filename  # also of what attrs writes: "<attrs generated methods seedream..."
            counted.append("seedream" in name or "tensorslab" in name)

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return len(counted), sum(counted)


@pytest.mark.parametrize(
    ("answer", "work", "most", "most_own"),
    [
        (ACCEPTED, lambda client: client.submit("a fish", resolution="2048x2048"), 580, 178),
        (RUNNING, lambda client: client.query("t1"), 560, 158),
    ],
    ids=["submit", "query"],
)
def test_a_request_on_a_kept_connection_takes_few_calls(answer: bytes, work: Any, most: int, most_own: int) -> None:
    # httpcore and h11 take 290 of them; httpcore's connection pool would take 90 more.
    with (
        ScriptedServer(keep_alive(whole(answer))) as server,
        SeeDream(KEY, base_url=server.url, reuse_submit_connections=60) as client,
    ):
        work(client)
        counted, own = calls_of(lambda: work(client))
    assert (counted <= most, own <= most_own) == (True, True), (counted, own)


def modules_after(code: str, *arguments: str) -> set[str]:
    """The modules that a program has loaded at its end."""
    ended = "; import json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}{ended}", *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


HEAVY = {
    "asyncio",
    "concurrent.futures",
    "html",
    "http.client",
    "httpx",
    "importlib.util",
    "mmap",
    "numbers",
    "seedream._protocol.download",
    "seedream._protocol.parallel",
    "sqlite3",
    "termios",
    "urllib.request",
}


def test_a_program_loads_what_a_first_submission_needs_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ScriptedServer(reply(200, ACCEPTED)) as server:
        found = modules_after(
            f"from seedream import SeeDream; SeeDream({KEY!r}, base_url=sys.argv[1]).submit('a')", server.url
        )
    assert found & HEAVY == set()
    models = {name for name in found if name.startswith("tensorslab_images.models.")}
    assert models == {"tensorslab_images.models.see_dream_v45_body"}


MADE = """
lines = []
sys.addaudithook(lambda event, given: event == "compile" and str(given[1]).startswith("<attrs") and lines.append(given))
from seedream import SeeDream
SeeDream(sys.argv[2], base_url=sys.argv[1]).submit("a", resolution="2048x2048")
own = [source for source, name in lines if "seedream" in name or "tensorslab" in name]
print(sum(len(source.splitlines()) for source in own))
"""


def test_little_code_is_written_and_compiled_for_classes() -> None:
    # attrs writes the methods of each class as text, and compiling that is a tenth of a program's start: only what is
    # public compares and has a repr.
    with ScriptedServer(reply(200, ACCEPTED)) as server:
        command = [sys.executable, "-c", f"import sys\n{MADE}", server.url, KEY]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 850


def test_an_import_loads_neither_the_network_nor_openssl() -> None:
    found = modules_after("import seedream")
    assert found & (HEAVY | {"_hashlib", "_ssl", "fractions", "httpcore", "random", "socket"}) == set()


def test_an_import_compiles_no_pattern_that_only_errors_need() -> None:
    code = "import re, seedream._support.server_text as module; patterns = vars(module).values()"
    count = "print(sum(isinstance(one, re.Pattern) for one in patterns))"
    done = subprocess.run([sys.executable, "-c", f"{code}; {count}"], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 1, "but for the pattern of an id, which each reply needs"


def test_a_file_is_sent_in_few_chunks_that_are_not_copied(tmp_path: Path) -> None:
    source = tmp_path / "large.png"
    source.write_bytes(picture() + bytes(8 * MIB))
    body = encode_submission(check_submit("a fish", {"source_images": source})).body
    assert [len(chunk) // MIB for chunk in body.chunks()] == [0, *[1] * 8, 0, 0]


def test_a_form_without_files_is_one_piece() -> None:
    body = encode_submission(check_submit("a fish", {"resolution": "2K"})).body
    assert body.content is not None
    assert list(body.chunks()) == [body.content]


@pytest.mark.parametrize("hashed", [False, True])
def test_pictures_are_hashed_only_where_the_hash_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashed: bool
) -> None:
    hashes: list[Any] = []
    real = hashlib.sha256

    def counted() -> Any:
        hashes.append(real())
        return hashes[-1]

    monkeypatch.setattr(hashlib, "sha256", counted)
    service = FakeService(completed("https://images.example/a"), pictures={"/a": picture()})
    with SeeDream(KEY, transport=service.transport) as client:
        options = DownloadOptions(hashed=hashed)
        workflow = save(client.service, client.query("t1"), tmp_path, images=1, options=options)
        saved: list[SavedPicture] = client.run(workflow)
    assert (len(hashes) > 0, bool(saved[0].sha256)) == (hashed, hashed)


def test_a_saved_picture_is_not_hashed(both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "sha256", None)
    service = FakeService(completed("https://images.example/a"), pictures={"/a": picture()})
    assert both.call(lambda client: client.task("t1").save(tmp_path), transport=service.transport)


@pytest.mark.skipif(not hasattr(os, "writev"), reason="the system writes one piece at a time")
def test_the_chunks_of_a_block_are_written_in_one_system_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each call of a thread gives up the interpreter's lock and waits for it again, beside an event loop that computes.
    counts: list[int] = []

    def noted(fd: int, chunks: Any) -> int:
        counts.append(len(chunks))
        return os.writev(fd, chunks)

    monkeypatch.setattr("seedream._files.partial_file._write_some", noted)
    part = PartialFile(tmp_path, "t1")
    part.write(*[bytes(range(256))] * 8)
    part.discard()
    assert [8] == counts


def test_what_comes_of_a_picture_is_written_as_it_came(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Joining the chunks would copy each byte twice.
    read: set[int] = set()
    written: list[int] = []
    kept: list[bytes] = []

    real_write = PartialFile.write

    def write(self: PartialFile, *chunks: bytes) -> None:
        written.extend(map(id, chunks))
        real_write(self, *chunks)

    class Noted(Decoder):
        def decode(self, chunk: bytes, limit: int) -> bytes:
            kept.append(chunk)  # so that no other object gets its identity
            read.add(id(chunk))
            return super().decode(chunk, limit)

    monkeypatch.setattr(PartialFile, "write", write)
    monkeypatch.setattr("seedream._protocol.download.Decoder", Noted)
    content = picture() + bytes(3 * MIB)
    data = '{"taskid": "t1", "image_status": 3, "url": ["URL/1.png"]}'
    with ScriptedServer(reply(200, content)) as host:
        answer = f'{{"code": 1000, "msg": "", "data": {data}}}'.replace("URL", host.url).encode()
        with ScriptedServer(reply(200, answer)) as service:
            saved = both.call(lambda client: client.task("t1").save(tmp_path), base_url=service.url)
    assert saved[0].read_bytes() == content
    assert len(written) > 1
    assert set(written) == read


@pytest.mark.parametrize(("journal", "recorded"), [(None, 0), ("journal.sqlite", 3)])
def test_an_async_submission_without_a_journal_uses_a_thread_for_the_look_up_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str | None, recorded: int
) -> None:
    # With one: the record is made, is marked before the first byte leaves, and gets the task id.
    threads, in_thread = list[Any](), anyio.to_thread.run_sync

    async def run_sync(*given: Any, **options: Any) -> Any:
        threads.append(given)
        return await in_thread(*given, **options)

    async def submit(url: str) -> None:
        async with AsyncSeeDream(KEY, base_url=url, journal=journal and tmp_path / journal) as client:
            await client.submit("a fish")

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
    with ScriptedServer(reply(200, ACCEPTED)) as server:
        asyncio.run(submit(server.url))
    assert len(threads) == 1 + recorded


FAULTS = """
import resource, sys
from seedream import AsyncSeeDream, SeeDream, Timeouts

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

client = SeeDream("key", base_url=sys.argv[1])
for turn in "ab":
    before = faults()
    client.task("t1").save(sys.argv[2] + turn)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep freed memory, or count otherwise")
def test_the_memory_of_a_chunk_is_used_for_the_next(tmp_path: Path) -> None:
    # Given back to the system and taken again for each chunk, it is some hundred page faults for each MiB.
    with ScriptedServer(keep_alive(whole(picture() + bytes(16 * MIB)))) as host:
        data = f'{{"taskid": "t1", "image_status": 3, "url": ["{host.url}/1.png"]}}'
        with ScriptedServer(reply(200, f'{{"code": 1000, "msg": "", "data": {data}}}'.encode())) as service:
            done = subprocess.run(
                [sys.executable, "-c", FAULTS, service.url, str(tmp_path / "saved")],
                capture_output=True,
                text=True,
                check=True,
            )
    assert int(done.stdout) < 1000


def test_freed_memory_is_kept_only_where_much_is_sent_or_received(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    doing = ""
    monkeypatch.setattr("seedream._transport.http.keep_freed_memory", lambda: asked.append(doing))
    source = tmp_path / "a.png"
    source.write_bytes(picture())
    with ScriptedServer(reply(200, ACCEPTED)) as server, SeeDream(KEY, base_url=server.url) as client:
        doing = "small"
        client.submit("a fish")
        doing = "upload"
        client.submit("a fish", source_images=source)
    service = FakeService(completed("https://images.example/a"), pictures={"/a": picture()})
    with SeeDream(KEY, transport=service.transport) as client:
        doing = "download"
        client.task("t1").save(tmp_path)
    assert set(asked) == {"upload", "download"}


@pytest.mark.parametrize(("kind", "size"), [("submit", 64), ("query", 64), ("download", 256)])
def test_replies_are_read_into_small_buffers_and_pictures_into_large_ones(kind: Any, size: int) -> None:
    # Making a large buffer for each small reply, through TLS, takes longer than reading the reply.
    asked: list[int] = []

    class Receiving(socket.socket):
        def recv(self, size: int, flags: int = 0) -> bytes:
            asked.append(size // 1024)
            return super().recv(size, flags)

    pair = socket.socketpair()
    ours, theirs = Receiving(fileno=pair[0].detach()), pair[1]
    with ours, theirs:
        theirs.send(b"a")
        tracker = SendTracker(kind, Timeouts())
        token = network.current.set(tracker)
        try:
            assert network.SyncStream(network.Connection(ours, tracker)).read(1) == b"a"
        finally:
            network.current.reset(token)
    assert asked == [size]
