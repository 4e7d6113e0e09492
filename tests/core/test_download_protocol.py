"""What a download asks the image host for, what it reports, and what it makes of each answer, step by step in memory."""

# ruff: noqa: E501 -- tables read best with one case a line

import errno
import gzip
import hashlib
import json
import logging
import os
import zlib
from pathlib import Path
from typing import Any

import facts
import pytest
from seedream import NotAPicture, Progress, ResultExpired, SeeDream, TooLarge, Truncated, UnsafeUrl, errors
from seedream._files.partial_file import PartialFile
from seedream._protocol.download import DownloadOptions, SavedPicture, save
from seedream._protocol.download import read as read_pictures
from seedream._protocol.effects import Failure
from seedream._protocol.replies import TaskInfo
from seedream._support.redact import quote
from support.clients import KEY
from support.fake_service import completed
from support.pictures import picture
from support.workflows import BASE, Head, ScriptedIO, broken, run, scripted, service

PNG = picture()
SIZE = len(PNG)
URL = "https://images.example/a?sig=MARKER"
TAGGED = {"etag": '"v1"', "accept-ranges": "bytes"}
RESUMED = {"range": "bytes=40-", "if-range": '"v1"'}
NO_HINT = "The task is not lost: save it again with the same id."


def whole(content: bytes = PNG, **headers: str) -> Head:
    return Head(200, {"content-length": str(len(content)), **headers}, [content])


def cut(*steps: Any, **headers: str) -> Head:
    return Head(200, {**TAGGED, "content-length": str(SIZE), **headers}, steps or (PNG[:40], broken()))


def part(start: int, **headers: str) -> Head:
    rest = PNG[start:]
    place = f"bytes {start}-{start + len(rest) - 1}/{SIZE}"
    return Head(206, {"content-range": place, "content-length": str(len(rest)), **headers}, [rest])


def info(*urls: str) -> TaskInfo:
    return TaskInfo("t1", 3, urls)


def read(io: ScriptedIO, *urls: str, api: Any = None, images: int | None = 1, **options: Any) -> list[bytes]:
    given = DownloadOptions(**{"concurrency": 1, **options})
    found: list[bytes] = run(read_pictures(api or service(), info(*(urls or (URL,))), images=images, options=given), io)
    return found


def failed(io: ScriptedIO, *urls: str, **options: Any) -> errors.DownloadError:
    """The error of the first picture; the task's own is compared with it."""
    with pytest.raises(errors.DownloadError) as caught:
        read(io, *urls, **options)
    error = caught.value
    first = error.errors[0]
    assert isinstance(first, errors.DownloadError)
    assert (error.taskid, first.taskid, error.files) == ("t1", "t1", {})
    assert (type(error), error.retryable, error.reply) == (type(first), first.retryable, first.reply)
    assert error.hint == first.hint or (first.hint, error.hint) == ("", NO_HINT)
    return first


def headers(io: ScriptedIO) -> list[dict[str, str]]:
    return [dict(effect.request.headers) for effect in io.sent]


# --- what is asked -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("local", [False, True])
def test_a_picture_is_asked_for_with_no_header_and_only_of_a_public_host(local: bool) -> None:
    io = scripted(whole())
    assert read(io, api=service(local=local), timeout=77.0) == [PNG]
    (effect,) = io.sent
    request = effect.request
    assert (request.method, request.url, dict(request.headers), request.body) == ("GET", URL, {}, None)
    assert (effect.kind, effect.total_timeout, effect.public_only, effect.before_send) == (
        "download",
        77.0,
        not local,
        None,
    )
    assert len(io.closed) == 1


def test_each_request_has_the_seconds_that_are_left_and_at_least_one() -> None:
    io = scripted(cut(70, broken()), cut(28.5, broken()), cut(broken()))
    error = failed(io, timeout=100.0, attempts=9)
    assert [effect.total_timeout for effect in io.sent] == [100.0, 29.5, 1.0]
    assert (io.slept, error.message) == ([0.5, 1.0], "picture 1 of task t1: broke off after 0 bytes (ReadError)")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("place", "url"),
    [("https://cdn.example/b", "https://cdn.example/b"), ("/b?x=1", "https://images.example/b?x=1"), ("c", "https://images.example/c")],
)  # fmt: skip
def test_a_redirect_is_followed_and_asks_for_the_same_bytes(status: int, place: str, url: str) -> None:
    io = scripted(cut(), Head(status, {"location": place}), part(40))
    assert read(io) == [PNG]
    assert [effect.request.url for effect in io.sent] == [URL, URL, url]
    assert headers(io) == [{}, RESUMED, RESUMED]
    assert [head.status for head in io.closed] == [200, status, 206]
    assert [effect.public_only for effect in io.sent] == [True] * 3


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_other_statuses_are_no_redirect(status: int) -> None:
    io = scripted(Head(status, {"location": "https://cdn.example/b"}))
    error = failed(io)
    assert (error.message, error.retryable) == (f"picture 1 of task t1: the image host answers {status}", False)
    assert len(io.sent) == len(io.closed) == 1


def test_five_redirects_are_followed_and_no_sixth() -> None:
    moved = [Head(302, {"location": f"/{number}"}) for number in range(6)]
    assert read(scripted(*moved[:5], whole())) == [PNG]
    io = scripted(*moved)
    error = failed(io)
    assert (type(error), error.message) == (UnsafeUrl, "picture 1 of task t1: more than 5 redirects")
    assert (len(io.sent), len(io.closed), error.retryable) == (6, 6, False)


@pytest.mark.parametrize(
    ("url", "local", "wrong"),
    [
        ("http://images.example/a", False, "its URL is not a plain https URL (scheme “http”, host “images.example”)"),
        ("ftp://images.example/a", True, "its URL is not a plain https or http URL (scheme “ftp”, host “images.example”)"),
        ("https:///a", False, "its URL is not a plain https URL (scheme “https”, host “”)"),
        ("https://me@images.example/a", False, "its URL is not a plain https URL (scheme “https”, host “images.example”)"),
        ("https://:pw@images.example/a", False, "its URL is not a plain https URL (scheme “https”, host “images.example”)"),
        ("https://images.example:99999/a", False, "its URL is not a plain https URL (scheme “”, host “”)"),
        ("https://[bad/a", False, "its URL is not a plain https URL (scheme “”, host “”)"),
        ("ftp://marker-key.example/a", False, "its URL is not a plain https URL (scheme “ftp”, host “[removed]”)"),
        ("https://10.0.0.1/a", False, "its URL points to “10.0.0.1”, which is not on the public network"),
        ("https://[::ffff:10.0.0.1]/a", False, "its URL points to “[removed]”, which is not on the public network"),
        ("https://localhost./a", False, "its URL points to “localhost.”, which is not on the public network"),
    ],
)  # fmt: skip
def test_a_url_that_must_not_be_fetched_is_not_asked_for(url: str, local: bool, wrong: str) -> None:
    for answers, asked in (([whole()], 0), ([Head(302, {"location": url}), whole()], 1)):
        if asked and url == "https:///a":
            continue  # as a reference this is one to the same host (RFC 3986, 5.2.2)
        io = scripted(*answers)
        error = failed(io, *([url] if not asked else []), api=service(local=local))
        assert (type(error), error.retryable, error.hint) == (UnsafeUrl, False, "")
        assert error.message == f"picture 1 of task t1: {wrong}"
        assert len(io.sent) == asked


@pytest.mark.parametrize("url", ["http://127.0.0.1:5/a", "https://localhost/a", "http://10.0.0.1/a"])
def test_a_service_on_this_machine_may_have_its_pictures_there(url: str) -> None:
    assert read(scripted(whole()), url, api=service(local=True)) == [PNG]


# --- the rest of a picture ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "rest",
    [
        {}, {"etag": '"v1"'}, {"content-range": f"bytes 40-{SIZE - 1}/*"}, {"content-length": ""}, {"content-length": "9" * 400},
        {"etag": '"v1"', "accept-ranges": "none"},
    ],
    ids=str,
)  # fmt: skip
def test_a_partial_reply_is_taken_as_the_rest(rest: dict[str, str]) -> None:
    seen: list[Progress] = []
    io = scripted(cut(), part(40, **rest))
    assert read(io, progress=seen.append) == [PNG]
    assert headers(io) == [{}, RESUMED]
    stated = SIZE if rest.get("content-length") is None else None
    assert [(one.received, one.size) for one in seen if one.stage == "downloading"] == [(40, SIZE), (SIZE, stated)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"content-range": f"bytes 41-{SIZE - 1}/{SIZE}"}, {"content-range": f"bytes 4-{SIZE - 1}/{SIZE}"},
        {"content-range": f"bytes 40-{SIZE - 1}/{SIZE + 1}"}, {"content-range": f"bytes 40-{SIZE - 1}/{SIZE - 1}"},
        {"content-range": f"bytes 40-{SIZE - 1}/"}, {"content-range": f"bytes 40-{SIZE - 1}"}, {"content-range": ""},
        {"content-range": f"Bytes 40-{SIZE - 1}/{SIZE}"}, {"content-range": f"xbytes 40-{SIZE - 1}/{SIZE}"},
        {"content-range": f"bytes 40-{SIZE - 1}/{SIZE}x"}, {"content-range": f"bytes 40-{SIZE - 1}/**"},
        {"etag": '"v2"'}, {"etag": 'W/"v1"'}, {"etag": ""},
    ],
    ids=str,
)  # fmt: skip
def test_another_part_is_not_joined_and_the_picture_is_fetched_from_the_start(wrong: dict[str, str]) -> None:
    seen: list[Progress] = []
    io = scripted(cut(), part(40, **wrong), whole())
    assert read(io, progress=seen.append) == [PNG]
    assert headers(io) == [{}, RESUMED, {}]
    assert [one.received for one in seen if one.stage == "downloading"] == [40, SIZE]
    missing = {name: value for name, value in part(40, **wrong).headers.items() if value}
    assert read(scripted(cut(), Head(206, missing, [PNG[40:]]), whole())) == [PNG]
    io = scripted(part(40, **wrong))
    error = failed(io, attempts=1)
    assert (type(error), error.message) == (Truncated, "picture 1 of task t1: the host sent another part than asked")
    assert error.retryable


def test_a_reply_that_is_a_part_from_the_start_to_the_end_is_the_picture() -> None:
    assert read(scripted(part(0))) == [PNG]


@pytest.mark.parametrize(
    ("tagged", "asked"),
    [
        ({"etag": '"v2"'}, {"range": "bytes=50-", "if-range": '"v2"'}), ({"etag": 'W/"v2"'}, {}), ({}, {}),
    ],
    ids=str,
)  # fmt: skip
def test_the_rest_of_a_rest_needs_a_strong_tag_again(tagged: dict[str, str], asked: dict[str, str]) -> None:
    first = cut(PNG[:40], broken(), etag=tagged.get("etag", '"v1"'))
    second = Head(206, part(40, **tagged).headers, [PNG[40:50], broken()])
    io = scripted(first, second, whole())
    assert read(io) == [PNG]
    assert headers(io)[2] == (asked if headers(io)[1] else {})


@pytest.mark.parametrize(
    "first", [{"etag": "v1"}, {"etag": 'W/"v1"'}, {"accept-ranges": "none"}, {"accept-ranges": "Bytes"}]
)
def test_without_a_strong_tag_and_ranges_no_part_is_asked_for(first: dict[str, str]) -> None:
    io = scripted(cut(**first), whole())
    assert read(io) == [PNG]
    assert headers(io) == [{}, {}]


def test_of_nothing_there_is_no_rest() -> None:
    io = scripted(cut(broken()), whole())
    assert read(io) == [PNG]
    assert headers(io) == [{}, {}]


@pytest.mark.parametrize(("status", "again"), [(503, RESUMED), (416, {})])
def test_a_refused_part_is_asked_for_again_only_where_the_range_was_not_the_reason(
    status: int, again: dict[str, str]
) -> None:
    io = scripted(cut(), Head(status), whole())
    assert read(io) == [PNG]
    assert headers(io) == [{}, RESUMED, again]


def test_what_came_whole_and_is_no_whole_picture_is_fetched_from_the_start() -> None:
    io = scripted(whole(PNG[:-20], **TAGGED), whole())
    assert read(io) == [PNG]
    assert headers(io) == [{}, {}]
    error = failed(scripted(whole(PNG[:-20], **TAGGED)))
    message = f"picture 1 of task t1: the picture's end is missing after {SIZE - 20:,} bytes"
    assert (type(error), error.message, error.retryable) == (Truncated, message, True)


@pytest.mark.parametrize("coding", ["gzip", " GZIP ", "x-gzip", "deflate"])
def test_of_a_compressed_picture_no_part_is_asked_for(coding: str) -> None:
    packed = zlib.compress(PNG) if coding == "deflate" else gzip.compress(PNG)
    steps = [packed[:30], packed[30:]]
    sent = Head(200, {**TAGGED, "content-encoding": coding}, steps)
    seen: list[Progress] = []
    assert read(scripted(sent), progress=seen.append) == [PNG]
    assert [one.received for one in seen if one.stage == "downloading"] == [30, len(packed)], "bytes as they came"
    io = scripted(Head(200, {**TAGGED, "content-encoding": coding}, [packed[:60], broken()]), whole())
    assert read(io) == [PNG]
    assert headers(io) == [{}, {}]


def test_a_coding_is_used_from_the_first_chunk_on_or_not_at_all() -> None:
    packed = gzip.compress(PNG)
    damaged = packed[:60] + bytes(20) + packed[80:]
    error = failed(scripted(Head(200, {"content-encoding": "gzip"}, [damaged[:60], damaged[60:]])))
    assert type(error) is Truncated
    # A picture that is whole although the checksum behind it is not is kept as it is, without that checksum.
    wrong = [packed[:-8], bytes(8)]
    assert read(scripted(Head(200, {"content-encoding": "gzip"}, wrong))) == [PNG]
    # A label that is wrong from the start is passed over, also when the bytes come in several chunks.
    label = Head(200, {"content-encoding": "gzip"}, [PNG[:40], PNG[40:]])
    assert read(scripted(label)) == [PNG]


# --- limits ------------------------------------------------------------------------------------------------------------
def test_a_stated_length_above_the_limit_is_refused_before_a_byte_is_read() -> None:
    content = PNG + bytes(5000 - SIZE)
    assert read(scripted(whole(content)), max_bytes=5000) == [content]
    io = scripted(Head(200, {"content-length": "5000"}, [AssertionError("nothing is to be read")]))
    error = failed(io, max_bytes=4999)
    message = "picture 1 of task t1: at least 5,000 bytes, more than 4,999"
    assert (type(error), error.message, error.hint) == (TooLarge, message, "Raise max_bytes if that is expected.")
    assert (error.retryable, len(io.sent), len(io.closed)) == (False, 1, 1)


def test_the_length_of_a_rest_counts_with_what_is_there() -> None:
    rest = part(40)
    io = scripted(cut(**{"content-length": ""}), Head(206, rest.headers, [AssertionError("nothing is to be read")]))
    error = failed(io, max_bytes=SIZE - 1)
    assert error.message == f"picture 1 of task t1: at least {SIZE:,} bytes, more than {SIZE - 1:,}"
    assert read(scripted(cut(**{"content-length": ""}), rest), max_bytes=SIZE) == [PNG]


@pytest.mark.parametrize("length", ["x", "-5", "٥", "1_0", "+5", " 5", "9" * 16, ""])
def test_a_length_that_is_no_number_or_absurd_says_nothing(length: str) -> None:
    seen: list[Progress] = []
    assert read(scripted(Head(200, {"content-length": length}, [PNG])), progress=seen.append) == [PNG]
    assert seen[0].size is None


def test_a_length_of_15_digits_is_believed() -> None:
    error = failed(scripted(Head(200, {"content-length": "9" * 15})), max_bytes=10**14)
    assert error.message == f"picture 1 of task t1: at least {10**15 - 1:,} bytes, more than {10**14:,}"


@pytest.mark.parametrize("sizes", [(900_000, 900_000), (2_000_000,), (1_048_575, 1, 5)])
def test_bytes_in_memory_and_bytes_written_count_towards_the_limit(sizes: tuple[int, ...]) -> None:
    chunks = [PNG, *(bytes(size) for size in sizes)]
    total = sum(map(len, chunks))
    assert read(scripted(Head(200, {}, chunks)), max_bytes=total) == [b"".join(chunks)]
    error = failed(scripted(Head(200, {}, chunks)), max_bytes=total - 1)
    assert error.message == f"picture 1 of task t1: at least {total:,} bytes, more than {total - 1:,}"


def test_a_compressed_picture_is_decompressed_to_one_byte_more_than_the_limit() -> None:
    content = PNG + os.urandom(3_000_000)
    packed = gzip.compress(content, 1)
    chunks = [packed[:1_500_000], packed[1_500_000:]]
    given = {"content-encoding": "gzip"}
    assert read(scripted(Head(200, given, chunks)), max_bytes=len(content)) == [content]
    for most in (len(content) - 1, 2_000_000, 1_000_000):
        error = failed(scripted(Head(200, given, chunks)), max_bytes=most)
        assert error.message == f"picture 1 of task t1: at least {most + 1:,} bytes, more than {most:,}"


@pytest.mark.parametrize(("seconds", "whole_"), [(30.0, True), (30.5, False)])
def test_a_picture_that_is_still_coming_at_its_deadline_is_not_waited_for(seconds: float, whole_: bool) -> None:
    io = scripted(Head(200, {}, [PNG[:40], seconds, PNG[40:]]))
    if whole_:
        assert read(io, timeout=30.0) == [PNG]
        return
    error = failed(io, timeout=30.0)
    assert (type(error), error.message) == (Truncated, "picture 1 of task t1: not whole after 30 s")
    assert (error.retryable, len(io.sent), len(io.closed)) == (True, 1, 1)


# --- tries and pauses --------------------------------------------------------------------------------------------------
def test_the_pauses_double_and_the_last_try_has_none() -> None:
    io = scripted(Head(503))
    failed(io, attempts=4)
    assert (len(io.sent), io.slept) == (4, [0.5, 1.0, 2.0])
    io = scripted(Head(503))
    failed(io, attempts=4, api=service(draw=lambda: 0.0))
    assert io.slept == [0.25, 0.5, 1.0]


@pytest.mark.parametrize(("timeout", "tries"), [(1.5, 3), (1.4, 2), (0.4, 1)])
def test_no_try_begins_after_the_deadline(timeout: float, tries: int) -> None:
    io = scripted(Head(503))
    failed(io, timeout=timeout)
    assert len(io.sent) == tries


PASSING = (408, 416, 425, 429, 500, 503, 599)


@pytest.mark.parametrize("status", [100, 201, 204, 299, 400, 401, 402, 407, 409, 418, 426, 499, *PASSING])
def test_a_refusal_is_tried_again_where_it_may_pass(status: int) -> None:
    io = scripted(Head(status, {"server": "nginx", "x": "y"}, [b"a text"]))
    error = failed(io)
    assert (type(error), error.hint) == (errors.DownloadError, "")
    assert error.message == f"picture 1 of task t1: the image host answers {status}"
    assert (error.retryable, len(io.sent)) == (status in PASSING, 5 if status in PASSING else 1)
    assert error.reply == errors.RawReply(status, {"server": "nginx"}, b"")


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_url_that_the_host_no_longer_serves_has_expired(status: int) -> None:
    io = scripted(Head(status, {"server": "nginx"}), Failure("never_sent", "ConnectError", "gone"))
    error = failed(io, attempts=9)
    assert (type(error), error.retryable) == (ResultExpired, True)
    assert error.message == f"picture 1 of task t1: the image host answers {status}"
    assert error.hint == "Its URL has expired; query the task for a new one."
    assert error.reply == errors.RawReply(status, {"server": "nginx"}, b"")
    assert [effect.kind for effect in io.sent][:2] == ["download", "query"]


@pytest.mark.parametrize("tls", [False, True])
def test_a_host_that_cannot_be_reached_is_tried_again_unless_tls_is_refused(tls: bool) -> None:
    io = scripted(Failure("never_sent", "ConnectError", f"no route for {KEY}", tls=tls))
    error = failed(io)
    assert (type(error), error.retryable, error.hint) == (errors.DownloadError, not tls, "")
    assert error.message == "picture 1 of task t1: ConnectError: no route for [removed]"
    assert len(io.sent) == (1 if tls else 5)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ((PNG[:40], broken("RemoteProtocolError")), "broke off after 40 bytes (RemoteProtocolError)"),
        ((PNG[:40],), f"40 bytes came of {SIZE:,}"),
        ((broken(),), "broke off after 0 bytes (ReadError)"),
    ],
)
def test_a_picture_that_is_cut_says_where(body: tuple[Any, ...], message: str) -> None:
    error = failed(scripted(cut(*body)), attempts=1)
    assert (type(error), error.message) == (Truncated, f"picture 1 of task t1: {message}")
    assert (error.retryable, error.hint, error.reply) == (True, "", None)


def test_a_whole_picture_lacks_nothing_whatever_the_length_says() -> None:
    for length in (SIZE - 1, SIZE + 1):
        io = scripted(Head(200, {"content-length": str(length)}, [PNG]))
        assert (read(io), len(io.sent)) == ([PNG], 1)
    io = scripted(Head(200, {}, [PNG, broken()]))
    assert (read(io), len(io.sent)) == ([PNG], 1)


@pytest.mark.parametrize(
    ("given", "media"),
    [
        ({}, "unknown type"), ({"content-type": "text/html"}, "text/html"), ({"content-type": "word " * 30}, ("word " * 16)),
        ({"content-type": f"text {KEY}", "content-encoding": "br"}, "text [removed] (content-encoding br)"),
        ({"content-encoding": "MARKER"}, "unknown type (content-encoding [removed])"), ({"content-type": "MARKER"}, "[removed]"),
        ({"content-encoding": "abcdefghij klmnopqrst uvw"}, "unknown type (content-encoding abcdefghij klmnopqrs)"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_a_picture_is_named_and_looked_at_twice(given: dict[str, str], media: str) -> None:
    io = scripted(Head(200, given, [b"<html>" + b"x" * 3000]))
    error = failed(io)
    assert (type(error), error.retryable, len(io.sent)) == (NotAPicture, True, 2)
    assert error.message == f"picture 1 of task t1: 3,006 bytes of {media} came, which are not a picture"
    assert error.reply is not None
    assert error.reply.status == 200
    assert error.reply.headers.keys() == given.keys()
    assert error.reply.body.startswith(b"<html>xxx")
    assert KEY not in repr(error.reply)


# --- several pictures --------------------------------------------------------------------------------------------------
URLS = tuple(f"https://images.example/{number}" for number in range(6))


def test_an_error_of_several_pictures_names_the_first_three(tmp_path: Path) -> None:
    heads = [whole(), Head(400), Head(404), Head(403), Head(503), *[Head(500)] * 9]
    io = scripted(*heads, Failure("never_sent", "ConnectError", "gone"))
    with pytest.raises(errors.DownloadError) as caught:
        run(
            save(
                service(attempts=1), info(*URLS), tmp_path, images=6, options=DownloadOptions(concurrency=1, attempts=1)
            ),
            io,
        )
    error = caught.value
    assert type(error) is errors.DownloadError
    assert error.message == (
        "5 of 6 pictures of task t1 are missing: picture 2: the image host answers 400; "
        "picture 3: the image host answers 404; picture 4: the image host answers 403; and 2 more"
    )
    assert (error.hint, error.taskid, error.retryable) == (NO_HINT, "t1", True)
    assert (error.files, list(error.errors)) == ({0: tmp_path / "t1-1.png"}, [1, 2, 3, 4, 5])
    assert (error.reply.status if error.reply else None) == 400


def test_three_failures_are_all_named() -> None:
    with pytest.raises(errors.DownloadError) as caught:
        read(scripted(Head(400)), *URLS[:3], images=3)
    assert caught.value.message.endswith("; picture 3: the image host answers 400")


def test_an_error_of_several_kinds_is_of_none_of_them() -> None:
    io = scripted(Head(302, {"location": "ftp://x"}), Head(404), Failure("never_sent", "ConnectError", "gone"))
    with pytest.raises(errors.DownloadError) as caught:
        read(io, *URLS[:2], images=2, attempts=1)
    assert (type(caught.value), caught.value.hint, caught.value.reply) == (errors.DownloadError, NO_HINT, None)


def test_an_error_of_one_kind_is_of_that_kind_and_has_its_hint() -> None:
    io = scripted(whole(), Head(404), Head(403), Failure("never_sent", "ConnectError", "gone"))
    with pytest.raises(ResultExpired) as caught:
        read(io, *URLS[:3], images=3, attempts=1)
    assert caught.value.message == (
        "2 of 3 pictures of task t1 are missing: picture 2: the image host answers 404; picture 3: the image host answers 403"
    )
    assert caught.value.hint == "Its URL has expired; query the task for a new one."
    assert (caught.value.files, list(caught.value.errors)) == ({}, [1, 2])


def test_errors_that_cannot_pass_are_not_worth_a_retry() -> None:
    with pytest.raises(errors.DownloadError) as caught:
        read(scripted(Head(400), Head(302, {"location": "ftp://x"}), whole()), *URLS[:3], images=3)
    assert (caught.value.retryable, list(caught.value.errors)) == (False, [0, 1])


@pytest.mark.parametrize(
    ("urls", "images", "taken", "missing"),
    [
        (URLS[:2], None, 2, 0), (URLS[:3], 2, 2, 0), (URLS[:2], 3, 2, 1), ((), None, 0, 1), ((), 2, 0, 2), ((URL, ""), None, 1, 1),
        (tuple(f"https://images.example/{number}" for number in range(facts.LARGEST + 2)), None, facts.LARGEST, 0),
    ],
)  # fmt: skip
def test_as_many_pictures_as_were_asked_for_are_fetched(
    urls: tuple[str, ...], images: int | None, taken: int, missing: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "seedream.download")
    io = scripted(whole())
    try:
        found = run(read_pictures(service(), info(*urls), images=images, options=DownloadOptions(concurrency=1)), io)
    except errors.DownloadError as error:
        assert len(error.errors) == missing  # noqa: PT017 -- one of two good ends
        for one in error.errors.values():
            assert f"the service gives {taken} of {taken + missing} URLs" in str(one)
            assert (one.retryable, one.hint) == (True, "Query the task again later.")
    else:
        assert (len(found), missing) == (taken, 0)
    assert len(io.sent) == taken
    more = len(urls) > taken + missing
    warned = f"task t1: the service names {len(urls)} pictures; the first {taken} are taken"
    assert [record.getMessage() for record in caplog.records] == ([warned] if more else [])


QUERY = "https://api.example/v1/images/infobytaskid"


def query(*urls: str) -> Head:
    return Head(200, {}, [json.dumps(completed(*urls)).encode()])


def test_expired_urls_are_renewed_twice_and_only_those_are_fetched_again() -> None:
    new = tuple(f"{url}/new" for url in URLS[:2])
    newer = tuple(f"{url}/newer" for url in URLS[:2])
    io = scripted(whole(), Head(403), query(*new, URL), Head(404), query(*newer), Head(410), query(*URLS[:2]))
    with pytest.raises(ResultExpired) as caught:
        read(io, *URLS[:2], images=2)
    assert list(caught.value.errors) == [1]
    assert [effect.request.url.removeprefix("https://images.example") for effect in io.sent] == [
        "/0", "/1", QUERY, "/1/new", QUERY, "/1/newer",
    ]  # fmt: skip
    io = scripted(whole(), Head(403), query(*new), Head(404), query(*newer), whole())
    assert read(io, *URLS[:2], images=2) == [PNG, PNG]


@pytest.mark.parametrize("expired", [(0,), (1,), (0, 1), (0, 2), (0, 1, 2)])
def test_renewed_pictures_keep_their_places(tmp_path: Path, expired: tuple[int, ...]) -> None:
    contents = [PNG + bytes([index]) for index in range(3)]  # what follows the picture counts as a part of it

    def heads() -> list[Head]:
        first = [Head(410) if index in expired else Head(200, {}, [contents[index]]) for index in range(3)]
        return [*first, query(*(f"{url}/new" for url in URLS[:3])), *(Head(200, {}, [contents[it]]) for it in expired)]

    assert read(scripted(*heads()), *URLS[:3], images=3) == contents
    options = DownloadOptions(concurrency=1)
    saved = run(save(service(), info(*URLS[:3]), tmp_path, images=3, options=options), scripted(*heads()))
    assert [one.path.read_bytes() for one in saved] == contents
    assert [one.path.name for one in saved] == [f"t1-{number}.png" for number in (1, 2, 3)]


@pytest.mark.parametrize("more", [[], ["https://images.example/beyond-what-was-asked-for"]])
def test_a_url_that_stays_as_it_was_is_not_asked_for_again(more: list[str]) -> None:
    io = scripted(Head(403), query(URL, *more))
    assert type(failed(io)) is ResultExpired
    assert [effect.kind for effect in io.sent] == ["download", "query"]


def test_a_renewed_url_may_be_missing() -> None:
    error = failed(scripted(Head(403), query()))
    assert (type(error), error.message) == (errors.DownloadError, "picture 1 of task t1: the service gives 0 of 1 URLs")


# --- progress and the log ----------------------------------------------------------------------------------------------
def test_each_step_of_each_picture_is_reported(tmp_path: Path) -> None:
    def heads() -> list[Head]:
        return [
            Head(200, {"content-length": str(SIZE)}, [PNG[:40], 2.0, PNG[40:], 1.0]),
            Head(200, {}, [3.0, PNG]),
        ]

    def event(stage: str, elapsed: float, index: int, received: int, size: int | None) -> Progress:
        return Progress(stage, "t1", elapsed, "completed", index, 2, received, size)  # type: ignore[arg-type]  # a literal

    expected = [
        event("downloading", 0.0, 0, 40, SIZE),
        event("downloading", 2.0, 0, SIZE, SIZE),
        event("saved", 3.0, 0, SIZE, SIZE),
        event("downloading", 3.0, 1, SIZE, None),
        event("saved", 3.0, 1, SIZE, SIZE),
    ]
    seen: list[Progress] = []
    assert read(scripted(*heads()), *URLS[:2], images=2, progress=seen.append) == [PNG, PNG]
    assert seen == expected
    seen.clear()
    for hashed in (False, True):
        name = f"{{number}} of {{total}} {hashed}"
        options = DownloadOptions(concurrency=1, progress=seen.append, name_template=name, hashed=hashed)
        digest = hashlib.sha256(PNG).hexdigest() if hashed else ""
        for _ in range(2):
            saved = run(save(service(), info(*URLS[:2]), tmp_path, images=2, options=options), scripted(*heads()))
            assert saved == [SavedPicture(tmp_path / f"{number} of 2 {hashed}.png", SIZE, digest) for number in (1, 2)]
        assert seen[:5] == expected
        assert seen[5:] == [event("saved", 0.0, index, 0, None) for index in (0, 1)]
        seen.clear()


def test_each_step_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "seedream.download")
    io = scripted(cut(PNG[:40], 1.0, broken()), whole(), Head(400))
    with pytest.raises(errors.DownloadError):
        run(save(service(), info(*URLS[:2]), tmp_path, images=2, options=DownloadOptions(concurrency=1)), io)
    assert [record.getMessage() for record in caplog.records] == [
        "picture 1 of task t1: broke off after 40 bytes (ReadError); again in 0.5 s",
        f"picture 1 of task t1: {SIZE} bytes in 1.5 s",
        "picture 2 of task t1: the image host answers 400",
    ]


def test_waiting_and_downloading_are_one_workflow(tmp_path: Path) -> None:
    seen: list[Progress] = []
    options = DownloadOptions(concurrency=1, progress=seen.append)
    with SeeDream(KEY, base_url=BASE) as client:
        for into in (tmp_path, None):
            io = scripted(query(URL, URL), whole(), whole())
            found, got = run(client.pictures_workflow("t1", 2, into, 9.0, options), io)
            assert [one.data for one in got] == [PNG, PNG]
            assert [one.path for one in got] == [into and into / f"t1-{number}.png" for number in (1, 2)]
            assert (found.taskid, found.urls) == ("t1", (URL, URL))
            assert [effect.total_timeout for effect in io.sent] == [9.0, 300.0, 300.0]
    assert [one.stage for one in seen] == ["waiting", "downloading", "saved", "downloading", "saved"] * 2


@pytest.mark.parametrize("images", [3, 2, None])
def test_waiting_asks_for_all_pictures_and_no_more(tmp_path: Path, images: int | None) -> None:
    with SeeDream(KEY, base_url=BASE) as client:
        for into in (tmp_path, None):
            io = scripted(query(URL), query(*URLS[:3]), whole())
            _, got = run(client.pictures_workflow("t1", images, into, 99.0, DownloadOptions(concurrency=1)), io)
            assert len(got) == (images or 1)


# --- the disk ----------------------------------------------------------------------------------------------------------
LASTING = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.EINVAL)


@pytest.mark.parametrize(
    ("raised", "reason", "retryable"),
    [
        *((OSError(number, "the reason"), "the reason", number not in LASTING) for number in (*LASTING, errno.ENOSPC, errno.EIO)),
        (OSError("no number"), "no number", True), (OSError(), "OSError", True),
        (ValueError("a null byte"), "a null byte", False), (ValueError(), "ValueError", False),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("where", ["__attrs_post_init__", "write", "finish"])
def test_a_disk_error_says_where_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, reason: str, retryable: bool, where: str
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(PartialFile, where, fail)
    io = scripted(whole())
    with pytest.raises(errors.DiskError) as caught:
        run(save(service(), info(URL), tmp_path / "in", images=1, options=DownloadOptions()), io)
    first = caught.value.errors[0]
    assert isinstance(first, errors.DiskError)
    assert first.message == f"picture 1 of task t1: cannot write in {quote(str(tmp_path / 'in'))}: {reason}"
    assert first.hint == "Free space or choose another directory, then save the task again."
    assert (first.retryable, caught.value.retryable, first.taskid) == (retryable, retryable, "t1")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_file_that_is_there_and_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "t1-1.png").write_bytes(PNG)
    real = os.open

    def refused(path: Any, *given: Any) -> int:
        if str(path).endswith("t1-1.png"):
            raise OSError(number, "the reason", str(path))
        return real(path, *given)

    monkeypatch.setattr(os, "open", refused)
    io = scripted(whole())
    with pytest.raises(errors.DiskError) as caught:
        run(save(service(), info(URL), tmp_path, images=1, options=DownloadOptions()), io)
    first = caught.value.errors[0]
    assert isinstance(first, errors.DiskError)
    assert first.message == f"picture 1 of task t1: cannot read “t1-1.png” in {quote(str(tmp_path))}: the reason"
    assert first.hint == "Make it readable or remove it, then save the task again."
    assert (io.sent, [path.name for path in tmp_path.iterdir()]) == ([], ["t1-1.png"])


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), RuntimeError("a fault")], ids=repr)
@pytest.mark.parametrize("where", ["read", "progress"])
def test_an_interruption_leaves_no_part_and_no_open_reply(tmp_path: Path, raised: BaseException, where: str) -> None:
    def progress(event: Progress) -> None:
        if where == "progress" and event.stage == "downloading":
            raise raised

    steps = [PNG[:40], raised] if where == "read" else [PNG[:40], PNG[40:]]
    io = scripted(Head(200, {}, steps))
    with pytest.raises(type(raised)):
        run(save(service(), info(URL), tmp_path, images=1, options=DownloadOptions(progress=progress)), io)
    assert (list(tmp_path.iterdir()), len(io.closed)) == ([], 1)


def test_a_picture_in_many_chunks_is_whole_in_its_file(tmp_path: Path) -> None:
    content = PNG + bytes(range(256)) * (12 * 1024)
    chunks = [content[start : start + 300_000] for start in range(0, len(content), 300_000)]
    options = DownloadOptions(hashed=True)
    (saved,) = run(save(service(), info(URL), tmp_path, images=1, options=options), scripted(Head(200, {}, chunks)))
    assert saved.path.read_bytes() == content
    assert (saved.size, saved.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert [path.name for path in tmp_path.iterdir()] == ["t1-1.png"]


def test_no_more_than_a_few_blocks_are_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is written while it comes in; pictures that come in at the same time would add up."""
    written: list[int] = []
    write = PartialFile.write

    def noted(part: PartialFile, *chunks: bytes) -> None:
        written.append(sum(map(len, chunks)))
        write(part, *chunks)

    monkeypatch.setattr(PartialFile, "write", noted)
    chunks = [PNG, *[bytes(300_000)] * 20]
    run(save(service(), info(URL), tmp_path, images=1, options=DownloadOptions()), scripted(Head(200, {}, chunks)))
    assert sum(written) == SIZE + 6_000_000
    assert max(written) < 1024 * 1024 + 300_000
