"""Pictures arrive whole or not at all, whatever the image host does; the key is never sent there (rule RESULT-URL)."""

# ruff: noqa: E501 -- tables read best with one case a line

import gzip
import hashlib
import os
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import facts
import httpx
import pytest
import respx
from PIL import Image
from seedream import (
    DownloadError,
    InvalidRequest,
    NotAPicture,
    Picture,
    Progress,
    ResultExpired,
    TooLarge,
    Truncated,
    UnsafeUrl,
)
from seedream._files import partial_file
from seedream._files.names import check_template
from seedream._files.partial_file import PartialFile
from seedream._protocol.download import DownloadOptions, SavedPicture
from seedream._protocol.download import save as save_pictures
from seedream._protocol.replies import Envelope, read_task
from seedream.errors import ConfigError, DiskError
from support.clients import KEY, Both
from support.fake_service import FakeService, completed
from support.pictures import picture
from support.scripted_server import Connection, ScriptedServer, reply

HOST = "https://images.example"
PNG, JPEG, WEBP, GIF = (picture(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF"))


def save(both: Both, service: FakeService, folder: Path, *, images: int | None = None, **options: Any) -> list[Path]:
    def work(client: Any) -> Any:
        return client.task("t1", images=images).save(folder, **options)

    files: list[Path] = both.call(work, transport=service.transport)
    return files


def one(answer: Any) -> FakeService:
    return FakeService(completed(f"{HOST}/a?X-Signature=MARKER-signature"), pictures={"/a": answer})


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")] if folder.exists() else []


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (PNG, "png"),
        (JPEG, "jpg"),
        (WEBP, "webp"),
        (GIF, "gif"),
        (picture("BMP"), "bmp"),
        (picture("TIFF"), "tif"),
        (picture("AVIF"), "avif"),
    ],
)
def test_the_extension_comes_from_the_bytes(both: Both, tmp_path: Path, content: bytes, extension: str) -> None:
    lying = httpx.Response(200, content=content, headers={"content-type": "text/html"})
    files = save(both, one(lying), tmp_path / "new" / "folder")
    assert [tmp_path / "new" / "folder" / f"t1-1.{extension}"] == files
    assert content == files[0].read_bytes()
    with Image.open(files[0]) as opened:
        assert (33, 21) == opened.size
    assert [] == leftovers(tmp_path / "new" / "folder")


def test_all_pictures_of_a_batch_in_order(both: Both, tmp_path: Path) -> None:
    contents = [picture(seed=seed) for seed in range(4)]
    service = FakeService(
        completed(*(f"{HOST}/{n}" for n in range(4))), pictures={f"/{n}": contents[n] for n in range(4)}
    )
    seen: list[Progress] = []
    files = save(both, service, tmp_path, images=4, progress=seen.append)
    assert [f"t1-{n}.png" for n in (1, 2, 3, 4)] == [path.name for path in files]
    assert contents == [path.read_bytes() for path in files]
    saved = {event.index: event for event in seen if event.stage == "saved"}
    assert [0, 1, 2, 3] == sorted(index for index in saved if index is not None)
    for index, content in enumerate(contents):
        event = saved[index]
        assert ("t1", "completed", 4) == (event.taskid, event.state, event.total)
        assert (len(content), len(content)) == (event.received, event.size)


def test_a_saved_picture_comes_with_its_size_and_hash(both: Both, tmp_path: Path) -> None:
    """Hashed while it is written, or read where it was there already."""

    def work(client: Any) -> Any:
        info = read_task("t1", Envelope(data=completed(f"{HOST}/a")["data"]))
        return client.run(save_pictures(client.service, info, tmp_path, images=1, options=DownloadOptions(hashed=True)))

    for _ in range(2):
        saved = both.call(work, transport=one(PNG).transport)
        assert [SavedPicture(tmp_path / "t1-1.png", len(PNG), hashlib.sha256(PNG).hexdigest())] == saved


def test_the_key_never_reaches_the_image_host(both: Both, tmp_path: Path) -> None:
    service = one(PNG)
    save(both, service, tmp_path)
    to_host = [request for request in service.asked if request.url.host == "images.example"]
    assert 1 == len(to_host)
    assert KEY not in repr(sorted(to_host[0].headers.items()))
    assert not {"authorization", "cookie"} & set(to_host[0].headers)
    assert any(KEY in request.headers.get("authorization", "") for request in service.asked)


def test_headers_that_the_caller_adds_do_not_reach_the_image_host(both: Both, tmp_path: Path) -> None:
    """They are for the API, and may hold a credential of a gateway in front of it."""
    service = one(PNG)
    both.call(
        lambda client: client.task("t1").save(tmp_path),
        transport=service.transport,
        headers={"X-Gateway-Key": "MARKER-gateway"},
    )
    sent = {request.url.host: request.headers.get("x-gateway-key") for request in service.asked}
    assert sent == {"images.example": None, facts.SERVER.partition("://")[2]: "MARKER-gateway"}


def test_cookies_are_not_kept(both: Both, tmp_path: Path) -> None:
    cookie = {"set-cookie": "session=abc; Domain=images.example; Path=/"}
    first = httpx.Response(200, content=PNG, headers=cookie)
    service = FakeService(completed(f"{HOST}/a", f"{HOST}/b"), pictures={"/a": first, "/b": JPEG})
    save(both, service, tmp_path)
    assert all("cookie" not in request.headers for request in service.asked)


BAD = [
    ("truncated PNG", PNG[:-20], Truncated),
    ("truncated JPEG", JPEG[:-9], Truncated),
    ("truncated WebP", WEBP[:-5], Truncated),
    ("truncated GIF", GIF[:-2], Truncated),
    ("PNG without size", PNG[:16] + bytes(8) + PNG[24:], NotAPicture),
    ("empty", b"", NotAPicture),
    ("HTML", b"<html>expired</html>", NotAPicture),
    ("JSON", b'{"code": 9999}', NotAPicture),
    ("403", httpx.Response(403, text=f"<Error>{KEY}</Error>"), ResultExpired),
    ("404", httpx.Response(404), ResultExpired),
    ("410", httpx.Response(410), ResultExpired),
    ("400", httpx.Response(400), DownloadError),
    ("500", httpx.Response(500), DownloadError),
    ("304", httpx.Response(304), DownloadError),
    ("redirect loop", httpx.Response(302, headers={"location": "/a?again"}), UnsafeUrl),
    ("redirect to http", httpx.Response(302, headers={"location": "http://images.example/b"}), UnsafeUrl),
    ("redirect to loopback", httpx.Response(302, headers={"location": "https://127.0.0.1/b"}), UnsafeUrl),
    ("redirect to metadata", httpx.Response(302, headers={"location": "https://169.254.169.254/latest"}), UnsafeUrl),
    ("redirect to private", httpx.Response(302, headers={"location": "https://[fd00::1]/b"}), UnsafeUrl),
    ("redirect to a file", httpx.Response(302, headers={"location": "file:///etc/passwd"}), UnsafeUrl),
    ("redirect nowhere", httpx.Response(302, headers={"location": "https://[oops"}), UnsafeUrl),
    ("broken off", httpx.ReadError("reset"), DownloadError),
]


@pytest.mark.parametrize(("answer", "kind"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_an_incomplete_picture_is_never_kept(both: Both, tmp_path: Path, answer: Any, kind: type[Exception]) -> None:
    with pytest.raises(DownloadError) as caught:
        save(both, one(answer), tmp_path)
    assert kind is type(caught.value)
    assert ("t1", {}, [0]) == (caught.value.taskid, caught.value.files, list(caught.value.errors))
    assert [] == list(tmp_path.iterdir())
    assert KEY not in repr(vars(caught.value)) + repr([vars(error) for error in caught.value.errors.values()])
    assert "MARKER" not in repr(vars(caught.value)) + str(caught.value)


@pytest.mark.parametrize(
    "passing", [PNG[:-20], b"<html>", httpx.Response(503), httpx.ReadError("reset"), httpx.Response(429)]
)
def test_what_passes_is_tried_again(both: Both, tmp_path: Path, passing: Any) -> None:
    files = save(both, one([passing, PNG]), tmp_path)
    assert PNG == files[0].read_bytes()
    assert 1 == len(both.clock.slept)


@pytest.mark.parametrize(
    ("answer", "tries"),
    [(httpx.Response(503), 5), (httpx.ReadError("reset"), 5), (PNG[:-20], 5), (b"<html>", 2), (httpx.Response(400), 1),
     (httpx.Response(404), 1)],
)  # fmt: skip
def test_a_picture_is_tried_as_often_as_that_can_help(both: Both, tmp_path: Path, answer: Any, tries: int) -> None:
    """A temporary failure is tried five times, a reply that is not a picture twice, a refusal once."""
    service = one(answer)
    with pytest.raises(DownloadError):
        save(both, service, tmp_path)
    assert (tries, tries - 1) == (
        len([request for request in service.asked if request.method == "GET"]),
        len(both.clock.slept),
    )


@pytest.mark.parametrize(
    "url",
    ["http://images.example/a", "ftp://images.example/a", "file:///etc/passwd", "https://localhost/a", "https://10.0.0.1/a",
     "https://user:word@images.example/a", "//images.example/a", "nonsense", "https://[::1]/a", "https:///a", "https://[bad/a"],
)  # fmt: skip
def test_unsafe_urls_are_not_fetched(both: Both, tmp_path: Path, url: str) -> None:
    service = FakeService(completed(url))
    with pytest.raises(UnsafeUrl):
        save(both, service, tmp_path)
    assert all(request.method == "POST" for request in service.asked)


def test_a_good_redirect_is_followed_without_the_key(both: Both, tmp_path: Path) -> None:
    moved = httpx.Response(302, headers={"location": "https://cdn.example/b"})
    service = FakeService(completed(f"{HOST}/a"), pictures={"/a": moved, "/b": PNG})
    assert PNG == save(both, service, tmp_path)[0].read_bytes()
    assert KEY not in repr([request.headers.raw for request in service.asked if request.method == "GET"])


def test_only_a_redirect_with_a_place_is_followed(both: Both, tmp_path: Path) -> None:
    named = httpx.Response(200, content=PNG, headers={"location": f"{HOST}/elsewhere"})
    assert PNG == save(both, one(named), tmp_path)[0].read_bytes()
    with pytest.raises(DownloadError, match="the image host answers 302"):
        save(both, one(httpx.Response(302)), tmp_path / "other")


def test_a_picture_above_the_limit_is_refused_early(both: Both, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        save(both, one(PNG), tmp_path, max_bytes=len(PNG) - 1)
    assert PNG == save(both, one(PNG), tmp_path, max_bytes=len(PNG))[0].read_bytes()


def test_a_partial_batch_is_reported_picture_by_picture(both: Both, tmp_path: Path) -> None:
    service = FakeService(
        completed(*(f"{HOST}/{name}" for name in "abc")), pictures={"/a": PNG, "/b": httpx.Response(404), "/c": JPEG}
    )
    with pytest.raises(ResultExpired) as caught:
        save(both, service, tmp_path)
    assert {0: tmp_path / "t1-1.png", 2: tmp_path / "t1-3.jpg"} == caught.value.files
    assert [1] == list(caught.value.errors)
    assert "1 of 3 pictures of task t1 are missing" in str(caught.value)


@pytest.mark.parametrize(("status", "retryable"), [(404, True), (400, False), (503, True)])
def test_the_error_of_a_task_says_what_its_pictures_say(
    both: Both, tmp_path: Path, status: int, retryable: bool
) -> None:
    service = FakeService(completed(f"{HOST}/a", f"{HOST}/b"), pictures={"/a": httpx.Response(status), "/b": PNG})
    with pytest.raises(DownloadError) as caught:
        save(both, service, tmp_path)
    what = f"1 of 2 pictures of task t1 are missing: picture 1: the image host answers {status}"
    assert (what, retryable) == (caught.value.message, caught.value.retryable)
    assert caught.value.reply is not None
    assert status == caught.value.reply.status


@pytest.mark.parametrize("headers", [{}, {"content-range": f"bytes 40-{len(PNG) - 1}/{len(PNG)}"}])
def test_a_part_that_was_not_asked_for_is_named(both: Both, tmp_path: Path, headers: dict[str, str]) -> None:
    part = httpx.Response(206, content=PNG[40:], headers=headers)
    with pytest.raises(Truncated, match="the host sent another part than asked"):
        save(both, one(part), tmp_path)


def test_fewer_urls_than_asked_is_an_error_that_keeps_the_rest(both: Both, tmp_path: Path) -> None:
    service = FakeService(completed(f"{HOST}/a"), pictures={"/a": PNG})
    with pytest.raises(DownloadError) as caught:
        save(both, service, tmp_path, images=3)
    assert ([0], [1, 2]) == (list(caught.value.files), list(caught.value.errors))
    assert "1 of 3 URLs" in str(caught.value)


def test_expired_urls_are_asked_for_again(both: Both, tmp_path: Path) -> None:
    service = FakeService(
        completed(f"{HOST}/old"), completed(f"{HOST}/new"), pictures={"/old": httpx.Response(403), "/new": PNG}
    )
    assert PNG == save(both, service, tmp_path)[0].read_bytes()


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(401), {"code": 9999, "msg": "gone"}])
def test_where_no_new_url_is_given_the_picture_has_expired(both: Both, tmp_path: Path, answer: Any) -> None:
    service = FakeService(completed(f"{HOST}/old"), answer, pictures={"/old": httpx.Response(403)})
    with pytest.raises(ResultExpired, match="the image host answers 403"):
        save(both, service, tmp_path)
    assert 1 == len([request for request in service.asked if request.method == "GET"])


def test_a_large_picture_is_written_in_blocks(both: Both, tmp_path: Path) -> None:
    """What follows the picture counts as a part of it, here more than one block in each direction."""
    content = PNG + bytes(range(256)) * (5 * 4096)
    seen: list[Progress] = []
    files, _ = from_sockets(both, tmp_path, served(content, length=len(content)), progress=seen.append)
    assert content == files[0].read_bytes()
    received = [event.received for event in seen if event.stage == "downloading"]
    assert (sorted(received), len(content)) == (received, received[-1])
    assert {len(content)} == {event.size for event in seen if event.stage == "downloading"}


def test_good_pictures_are_kept_and_bad_ones_replaced(both: Both, tmp_path: Path) -> None:
    old = picture(seed=9)
    (tmp_path / "t1-1.png").write_bytes(old)
    (tmp_path / "t1-2.png").write_bytes(old[:-8])
    service = FakeService(completed(f"{HOST}/a", f"{HOST}/b"), pictures={"/a": PNG, "/b": PNG})
    seen: list[Progress] = []
    files = save(both, service, tmp_path, progress=seen.append)
    assert [old, PNG] == [path.read_bytes() for path in files]
    (kept,) = [event for event in seen if event.stage == "saved" and event.index == 0]
    assert (0.0, 0, None, 2) == (kept.elapsed, kept.received, kept.size, kept.total), "nothing was fetched"
    assert ["/b"] == [request.url.path for request in service.asked if request.method == "GET"]


@pytest.mark.parametrize("taskid", ["../../etc/passwd", "a/b", "C:\\x", ".hidden", "x" * 200, "任务", "CON", "a b"])
def test_a_task_id_is_never_a_path(both: Both, tmp_path: Path, taskid: str) -> None:
    answer = {"code": 1000, "msg": "", "data": {"taskid": taskid, "image_status": 3, "url": [f"{HOST}/a"]}}
    service = FakeService(answer, pictures={"/a": PNG})

    def work(client: Any) -> Any:
        return client.task(taskid).save(tmp_path / "in")

    files = both.call(work, transport=service.transport)
    assert [tmp_path / "in"] == [path.parent for path in files]
    assert ["in"] == [path.name for path in tmp_path.iterdir()]
    assert files[0].name.isascii()
    assert len(files[0].name) < 100


@pytest.mark.skipif(os.name != "posix", reason="symbolic links as POSIX has them")
def test_a_link_in_the_way_is_replaced_not_followed(both: Both, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "t1-1.png").symlink_to(victim)
    save(both, one(PNG), tmp_path / "out")
    assert b"precious" == victim.read_bytes()
    assert not (tmp_path / "out" / "t1-1.png").is_symlink()


def test_a_directory_that_cannot_be_written_is_reported(both: Both, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError) as caught:
        save(both, one(PNG), tmp_path / "file")
    assert "cannot write in" in str(caught.value)
    assert "t1" == caught.value.taskid


def served(content: bytes, *, length: int | None = None, sent: int | None = None, coding: str = "") -> Any:
    """Return an image host's answer on a real socket: with this Content-Length, or none, and so many bytes sent."""

    def act(connection: Connection) -> None:
        connection.read_head()
        head = 'HTTP/1.1 200 OK\r\nconnection: close\r\netag: "v1"\r\naccept-ranges: bytes\r\n'
        head += f"content-length: {length}\r\n" if length is not None else ""
        head += f"content-encoding: {coding}\r\n" if coding else ""
        connection.send(head.encode() + b"\r\n" + content[:sent])

    return act


def resumed(content: bytes, start: int) -> Any:
    def act(connection: Connection) -> None:
        request = connection.read_head().lower()
        assert f"range: bytes={start}-".encode() in request
        assert b'if-range: "v1"' in request
        rest = content[start:]
        head = f"HTTP/1.1 206 Partial\r\ncontent-range: bytes {start}-{len(content) - 1}/{len(content)}\r\n"
        connection.send(f"{head}content-length: {len(rest)}\r\nconnection: close\r\n\r\n".encode() + rest)

    return act


def from_sockets(both: Both, tmp_path: Path, *actions: Any, **options: Any) -> tuple[list[Path], ScriptedServer]:
    with ScriptedServer(*actions) as host:
        body = httpx.Response(200, json=completed(f"{host.url}/a")).content
        with ScriptedServer(reply(200, body)) as api:
            files = both.call(lambda client: client.task("t1").save(tmp_path, **options), base_url=api.url)
    return files, host


@pytest.mark.parametrize("length", [len(PNG), len(PNG) + 10, None])
def test_a_cut_transfer_is_noticed_with_and_without_a_length(both: Both, tmp_path: Path, length: int | None) -> None:
    with pytest.raises(Truncated):
        from_sockets(both, tmp_path, served(PNG, length=length, sent=40))
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [PNG + b"a label", PNG + bytes(3000), JPEG + bytes(100)])
def test_bytes_behind_the_end_mark_are_kept_when_they_were_announced(
    both: Both, tmp_path: Path, content: bytes
) -> None:
    files, _ = from_sockets(both, tmp_path, served(content, length=len(content)))
    assert content == files[0].read_bytes()


@pytest.mark.parametrize(
    "partial",
    ["bytes 40-60/61", "bytes 0-99/1020", "bytes 39-{last}/{size}", "bytes 40-{last}/9999", "40-{last}/{size}"],
)
def test_a_partial_reply_that_is_not_the_whole_rest_is_not_spliced_in(both: Both, tmp_path: Path, partial: str) -> None:
    wrong = partial.format(last=len(PNG) - 1, size=len(PNG))

    def other(connection: Connection) -> None:
        connection.read_head()
        head = f'HTTP/1.1 206 Partial\r\ncontent-range: {wrong}\r\netag: "v1"\r\n'
        connection.send(f"{head}content-length: 21\r\nconnection: close\r\n\r\n".encode() + bytes(21))

    files, _ = from_sockets(both, tmp_path, served(PNG, length=len(PNG), sent=40), other, served(PNG, length=len(PNG)))
    assert PNG == files[0].read_bytes()


def test_another_pictures_rest_is_not_spliced_in(both: Both, tmp_path: Path) -> None:
    def other(connection: Connection) -> None:
        connection.read_head()
        rest = PNG[40:50] + bytes([PNG[50] ^ 1]) + PNG[51:]  # whole together with the first picture's beginning
        head = f'HTTP/1.1 206 Partial\r\ncontent-range: bytes 40-{39 + len(rest)}/{40 + len(rest)}\r\netag: "v2"\r\n'
        connection.send(f"{head}content-length: {len(rest)}\r\nconnection: close\r\n\r\n".encode() + rest)

    files, _ = from_sockets(both, tmp_path, served(PNG, length=len(PNG), sent=40), other, served(PNG, length=len(PNG)))
    assert PNG == files[0].read_bytes()


def test_a_gap_in_the_urls_shifts_no_picture(both: Both, tmp_path: Path) -> None:
    first, third = picture(seed=1), picture(seed=3)
    service = FakeService(
        {"code": 1000, "msg": "", "data": {"image_status": 3, "url": [f"{HOST}/a", None, f"{HOST}/c"]}},
        pictures={"/a": first, "/c": third},
    )
    with pytest.raises(DownloadError) as caught:
        save(both, service, tmp_path, images=3)
    assert {0: first, 2: third} == {index: path.read_bytes() for index, path in caught.value.files.items()}
    assert "t1-3.png" == caught.value.files[2].name


def test_a_disk_that_takes_only_a_part_keeps_no_picture(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last piece before a full disk is written in part, without an error; the next write tells."""
    room = 50

    def full(fd: int, chunks: Sequence[memoryview]) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        taken = os.write(fd, chunks[0][:room])
        room -= taken
        return taken

    monkeypatch.setattr(partial_file, "_write_some", full)
    with pytest.raises(DownloadError) as caught:
        save(both, one(PNG), tmp_path)
    assert "No space left" in str(caught.value)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("most", [1, 7, 100, 1000], ids=str)
def test_a_system_that_takes_few_bytes_at_once_writes_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """What one call leaves is written by the next, from the right place, over the borders of chunks."""

    def few(fd: int, chunks: Sequence[memoryview]) -> int:
        return os.write(fd, b"".join(chunks)[:most])

    monkeypatch.setattr(partial_file, "_write_some", few)
    chunks = [bytes([number]) * (number % 5) for number in range(200)]
    part = PartialFile(tmp_path, "t1", hashed=True)
    part.write(*chunks)
    path, content = part.finish(tmp_path / "t1.bin"), b"".join(chunks)
    assert content == path.read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (part.size, part.sha256)


def test_a_cut_transfer_is_resumed_where_the_host_allows(both: Both, tmp_path: Path) -> None:
    files, host = from_sockets(both, tmp_path, served(PNG, length=len(PNG), sent=40), resumed(PNG, 40))
    assert PNG == files[0].read_bytes()
    assert 2 == len(host.connections)


@pytest.mark.parametrize(
    "headers",
    ['etag: W/"v1"\r\naccept-ranges: bytes', 'etag: "v1"', "accept-ranges: bytes", 'etag: "v1"\r\naccept-ranges: none'],
)
def test_without_a_strong_tag_and_ranges_it_is_fetched_from_the_start(both: Both, tmp_path: Path, headers: str) -> None:
    """A weak tag, or none, does not prove that the rest belongs to what is there already."""

    def cut(connection: Connection) -> None:
        connection.read_head()
        head = f"HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}\r\ncontent-length: {len(PNG)}\r\n\r\n"
        connection.send(head.encode() + PNG[:40])

    files, host = from_sockets(both, tmp_path, cut, served(PNG, length=len(PNG)))
    assert PNG == files[0].read_bytes()
    assert [False, False] == [b"range:" in request.lower().replace(b"accept-ranges", b"") for request in host.requests]


def refused_range(status: int, seen: list[bytes]) -> Any:
    def act(connection: Connection) -> None:
        seen.append(connection.read_head().lower())
        connection.send(f"HTTP/1.1 {status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())

    return act


def test_a_busy_host_does_not_lose_what_is_there_already(both: Both, tmp_path: Path) -> None:
    seen: list[bytes] = []
    actions = served(PNG, length=len(PNG), sent=40), refused_range(503, seen), resumed(PNG, 40)
    files, _ = from_sockets(both, tmp_path, *actions)
    assert PNG == files[0].read_bytes()
    assert b"range: bytes=40-" in seen[0]


def test_a_range_that_the_host_refuses_is_not_asked_for_again(both: Both, tmp_path: Path) -> None:
    seen: list[bytes] = []
    actions = served(PNG, length=len(PNG), sent=40), refused_range(416, seen), served(PNG, length=len(PNG))
    files, host = from_sockets(both, tmp_path, *actions)
    assert PNG == files[0].read_bytes()
    assert b"range: bytes=40-" in seen[0]
    assert b"range: bytes=" not in host.requests[2].lower()


def test_a_host_that_ignores_the_range_sends_it_all_again(both: Both, tmp_path: Path) -> None:
    files, _ = from_sockets(both, tmp_path, served(PNG, length=len(PNG), sent=40), served(PNG, length=len(PNG)))
    assert PNG == files[0].read_bytes()


def test_a_public_service_cannot_point_into_this_machine(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name looks public; only the connection shows the private address (DNS rebinding). Not a byte is sent."""
    real = socket.getaddrinfo

    def lookup(name: Any, *arguments: Any, **options: Any) -> Any:
        rebound = name in {"images.example", b"images.example"}
        return real("127.0.0.1" if rebound else name, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with ScriptedServer(served(PNG)) as host, respx.mock() as router:
        url = f"https://images.example:{host.url.rpartition(':')[2]}/a"
        router.post(f"{facts.SERVER}/v1/images/infobytaskid").respond(json=completed(url))
        router.route(host="images.example").pass_through()
        with pytest.raises(UnsafeUrl) as caught:
            both.call(lambda client: client.task("t1").save(tmp_path))
    assert "127.0.0.1" in str(caught.value)
    assert [] == host.requests


# --- several at once ---------------------------------------------------------------------------------------------------
class Crowd:
    """An image host that answers only when ``together`` requests are waiting at the same time."""

    def __init__(self, together: int) -> None:
        self.barrier = threading.Barrier(together)
        self.most = self.now = 0
        self.lock = threading.Lock()

    def __call__(self, connection: Connection) -> None:
        connection.read_head()
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.barrier.wait(20)
        with self.lock:
            self.now -= 1
        connection.send(f"HTTP/1.1 200 OK\r\ncontent-length: {len(PNG)}\r\nconnection: close\r\n\r\n".encode() + PNG)


@pytest.mark.parametrize("concurrency", [1, 2, 4])
def test_pictures_are_downloaded_at_the_same_time_but_not_more_than_asked(
    both: Both, tmp_path: Path, concurrency: int
) -> None:
    crowd = Crowd(concurrency)
    with ScriptedServer(crowd) as host:
        body = httpx.Response(200, json=completed(*(f"{host.url}/{n}" for n in range(8)))).content
        with ScriptedServer(reply(200, body)) as api:
            files = both.call(
                lambda client: client.task("t1").save(tmp_path, concurrency=concurrency), base_url=api.url
            )
    assert (8, concurrency) == (len(files), crowd.most)
    assert [f"t1-{n}.png" for n in range(1, 9)] == [path.name for path in files]


def test_progress_is_reported_one_call_at_a_time(both: Both, tmp_path: Path) -> None:
    inside = threading.Lock()

    def one_at_a_time(_: Progress) -> None:
        assert inside.acquire(blocking=False)
        time.sleep(0)  # lets another thread run
        inside.release()

    service = FakeService(
        completed(*(f"{HOST}/{n}" for n in range(6))), pictures={f"/{n}": picture(seed=n) for n in range(6)}
    )
    assert 6 == len(save(both, service, tmp_path, progress=one_at_a_time))


def test_an_interrupted_download_stops_the_others_and_leaves_no_part(both: Both, tmp_path: Path) -> None:
    def stop(event: Progress) -> None:
        if event.stage == "saved":
            raise KeyboardInterrupt

    def stall(connection: Connection) -> None:
        request = connection.read_head()
        if b"GET /0 " in request:
            connection.send(f"HTTP/1.1 200 OK\r\ncontent-length: {len(PNG)}\r\n\r\n".encode() + PNG)
        else:
            connection.send(f"HTTP/1.1 200 OK\r\ncontent-length: {len(PNG)}\r\n\r\n".encode() + PNG[:40])
            connection.stall()

    with ScriptedServer(stall) as host:
        body = httpx.Response(200, json=completed(*(f"{host.url}/{n}" for n in range(3)))).content
        with ScriptedServer(reply(200, body)) as api:
            started = time.monotonic()
            with pytest.raises(BaseException) as caught:
                both.call(lambda client: client.task("t1").save(tmp_path, progress=stop), base_url=api.url)
    assert isinstance(caught.value, KeyboardInterrupt | BaseExceptionGroup)
    assert time.monotonic() - started < 15  # not as long as a read may take
    assert [] == leftovers(tmp_path)


def test_progress_may_be_a_coroutine_function_in_the_async_client_only(both: Both, tmp_path: Path) -> None:
    seen: list[str] = []

    async def heard(event: Progress) -> None:
        seen.append(event.stage)

    if both.kind == "sync":
        with pytest.raises(InvalidRequest, match=r"a coroutine function cannot be awaited here.*AsyncSeeDream"):
            save(both, one(PNG), tmp_path, progress=heard)
    else:
        save(both, one(PNG), tmp_path, progress=heard)
        assert ["waiting", "saved"] == [seen[0], seen[-1]]


@pytest.mark.parametrize("images", [1, 2, None])
def test_thousands_of_urls_are_not_followed(both: Both, tmp_path: Path, images: int | None) -> None:
    most = images or facts.LARGEST
    service = FakeService(
        completed(*(f"{HOST}/{n}" for n in range(20_000))), pictures={f"/{n}": PNG for n in range(20_000)}
    )
    assert most == len(save(both, service, tmp_path, images=images))
    assert most == len([request for request in service.asked if request.method == "GET"])


def test_thousands_of_empty_urls_give_a_short_error(both: Both, tmp_path: Path) -> None:
    service = FakeService(completed(*[""] * 100_000))
    with pytest.raises(DownloadError) as caught:
        save(both, service, tmp_path)
    assert len(str(caught.value)) < 600
    assert f"and {facts.LARGEST - 3} more" in str(caught.value)


# --- compressed, labelled wrongly, longer than the picture ----------------------------------------------------------------
@pytest.mark.parametrize(
    ("coding", "content"),
    [("gzip", gzip.compress(PNG)), ("x-gzip", gzip.compress(PNG)), ("deflate", zlib.compress(PNG)), ("gzip", PNG),
     ("aws-chunked", PNG), ("none", PNG), ("utf-8", PNG), ("br", PNG), ("identity", PNG)],
)  # fmt: skip
def test_a_whole_picture_is_kept_whatever_its_label_says(
    both: Both, tmp_path: Path, coding: str, content: bytes
) -> None:
    files, _ = from_sockets(both, tmp_path, served(content, length=len(content), coding=coding))
    assert PNG == files[0].read_bytes()


def test_a_compressed_picture_is_decompressed_up_to_the_limit(both: Both, tmp_path: Path) -> None:
    bomb = gzip.compress(PNG + bytes(50_000_000))
    with pytest.raises(TooLarge):
        from_sockets(both, tmp_path, served(bomb, length=len(bomb), coding="gzip"), max_bytes=1_000_000)


@pytest.mark.parametrize("coding", ["gzip", ""])
def test_the_limit_is_the_picture_s_own_size_to_the_byte(both: Both, tmp_path: Path, coding: str) -> None:
    """Also where the host states no length, and where the picture comes in several blocks."""
    content = PNG + bytes(range(256)) * (9 * 1024)  # more than two blocks
    sent = gzip.compress(content) if coding else content
    files, _ = from_sockets(both, tmp_path / "fits", served(sent, coding=coding), max_bytes=len(content))
    assert content == files[0].read_bytes()
    most = len(content) - 1
    with pytest.raises(TooLarge, match=f"at least {most + 1:,} bytes, more than {most:,}"):
        from_sockets(both, tmp_path / "short", served(sent, coding=coding), max_bytes=most)


def test_a_compressed_picture_that_is_cut_is_not_whole(both: Both, tmp_path: Path) -> None:
    cut = gzip.compress(PNG)[:-30]
    with pytest.raises(Truncated):
        from_sockets(both, tmp_path, served(cut, length=len(cut), coding="gzip"))


def test_a_coding_that_is_not_known_is_named(both: Both, tmp_path: Path) -> None:
    with pytest.raises(NotAPicture, match="content-encoding br"):
        from_sockets(both, tmp_path, served(b"\x1b\x03" * 40, coding="br"))


@pytest.mark.parametrize("content", [PNG + b"a label", JPEG + bytes(3000), GIF + b"x", picture("AVIF") + b"end"])
@pytest.mark.parametrize("length", [True, False])
def test_bytes_behind_the_picture_are_kept_with_and_without_a_length(
    both: Both, tmp_path: Path, content: bytes, length: bool
) -> None:
    files, _ = from_sockets(both, tmp_path, served(content, length=len(content) if length else None))
    assert content == files[0].read_bytes()


def test_a_wrong_length_does_not_lose_a_whole_picture(both: Both, tmp_path: Path) -> None:
    files, host = from_sockets(both, tmp_path, served(PNG, length=len(PNG) + 500))
    assert (PNG, 1) == (files[0].read_bytes(), len(host.connections))


# --- into memory -------------------------------------------------------------------------------------------------------
def read(both: Both, service: FakeService, **options: Any) -> list[Picture]:
    pictures: list[Picture] = both.call(lambda client: client.task("t1").read(**options), transport=service.transport)
    return pictures


def test_pictures_can_be_read_without_a_disk(both: Both) -> None:
    service = FakeService(completed(f"{HOST}/a", f"{HOST}/b"), pictures={"/a": PNG, "/b": JPEG})
    seen: list[Progress] = []
    pictures = read(both, service, progress=seen.append)
    saved = {event.index: event for event in seen if event.stage == "saved"}
    for index, content in enumerate((PNG, JPEG)):
        assert ("t1", 2, len(content), len(content)) == (
            saved[index].taskid,
            saved[index].total,
            saved[index].received,
            saved[index].size,
        )
    assert [PNG, JPEG] == [one.data for one in pictures]
    assert ["image/png", "image/jpeg"] == [one.media_type for one in pictures]
    assert [(33, 21), (33, 21)] == [(one.width, one.height) for one in pictures]


@pytest.mark.parametrize(("answer", "kind"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_reading_has_the_checks_and_errors_of_saving(both: Both, answer: Any, kind: type[Exception]) -> None:
    with pytest.raises(DownloadError) as caught:
        read(both, one(answer))
    assert (kind, "t1", {}, [0]) == (
        type(caught.value),
        caught.value.taskid,
        caught.value.files,
        list(caught.value.errors),
    )
    with pytest.raises(TooLarge):
        read(both, one(PNG), max_bytes=10)


# --- names -------------------------------------------------------------------------------------------------------------
def test_file_names_follow_a_template(both: Both, tmp_path: Path) -> None:
    service = FakeService(completed(f"{HOST}/a", f"{HOST}/b"), pictures={"/a": PNG, "/b": JPEG})
    files = save(both, service, tmp_path, name_template="fish {number:02} of {total} ({taskid})")
    assert ["fish 01 of 2 (t1).png", "fish 02 of 2 (t1).jpg"] == [path.name for path in files]


@pytest.mark.parametrize(
    "template",
    ["{number:>9999999999}", "{number:0{total}}", "{number}" + "x" * 220, "鱼" * 73 + "{number}", "{taskid}{taskid}{taskid}{number}", "{total}", "{taskid}-{total:02}",
     "", "fish", "{taskid}", "../{number}", "a/{number}", "a\\{number}", ".{number}", "{number", "{}", "{0}", "{prompt}{number}",
     "{number.real.__class__}x{index", "{taskid.__class__}{number}", "\0{number}", "{number:9999}", 5, None, b"{number}", "{number!z}"],
)  # fmt: skip
def test_a_template_that_gives_no_plain_distinct_names_is_refused(both: Both, tmp_path: Path, template: Any) -> None:
    service = one(PNG)
    with pytest.raises(InvalidRequest) as caught:
        save(both, service, tmp_path, name_template=template)
    assert ("name_template", []) == (caught.value.problems[0].field, service.asked)


@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        (5, "an object of type int is not text", "Use only {taskid}, {number}, {index} and {total}."),
        (
            "{prompt}",
            "“{prompt}” names the unknown field “prompt”",
            "Use only {taskid}, {number}, {index} and {total}.",
        ),
        ("{number:999}", "“{number:999}” gives a name that is too long", "Use less text, and widths below 100."),
        ("{number", "“{number” cannot be read: ", "Use only {taskid}, {number}, {index} and {total}."),
        ("fish", "“fish” gives all pictures of a task one name", "Use {number} in it."),
        ("a/{number}", "“a/{number}” does not give a plain file name", "Leave out path separators and signs."),
    ],
)
def test_a_refused_template_says_what_is_wrong(template: Any, message: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_template(template)
    (problem,) = caught.value.problems
    assert (problem.field, problem.hint) == ("name_template", hint)
    assert problem.message.startswith(message)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_where_the_machine_gives_no_more_threads_fewer_download_all_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    contents = [picture(seed=number) for number in range(6)]
    service = FakeService(
        completed(*(f"{HOST}/{n}" for n in range(6))), pictures={f"/{n}": contents[n] for n in range(6)}
    )
    saved = Both("sync").call(lambda client: client.task("t1").save(tmp_path), transport=service.transport)
    assert contents == [path.read_bytes() for path in saved]
    assert most == len(started)


@pytest.mark.parametrize("where", ["\0", "a\0b", "a\ud800", 5, b"x"])
def test_a_folder_that_cannot_be_is_refused_before_anything(both: Both, where: Any) -> None:
    service = one(PNG)
    kind = ConfigError if isinstance(where, str) else InvalidRequest
    with pytest.raises(kind) as caught:
        both.call(lambda client: client.task("t1").save(where), transport=service.transport)
    assert (False, []) == (caught.value.retryable, service.asked)


def test_a_disk_error_that_lasts_is_not_retryable(both: Both, tmp_path: Path) -> None:
    with pytest.raises(DiskError) as caught:
        save(both, one(PNG), tmp_path / ("x" * 300))
    assert not caught.value.retryable
