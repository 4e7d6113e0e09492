"""What can happen to a submission on the wire, and the error, the billing and the number of requests that follow."""

import json
from collections.abc import Callable

from seedream import errors

from support.clients import KEY
from support.scripted_server import Action, Connection, reply

SIGNED = "https://cdn.example/picture.png?X-Signature=MARKER-signature"
LARGE = b"\xff\xd8\xff" + b"x" * 3_000_000  # a picture that the sockets' buffers do not hold
OK = b'{"code": 1000, "msg": "Task created successfully", "data": {"taskid": "abcd_1234567890abcdef"}}'


def after_request(act: Callable[[Connection], None]) -> Action:
    def action(connection: Connection) -> None:
        connection.read_request()
        act(connection)

    return action


def in_mid_body(connection: Connection) -> None:
    connection.read_head()
    connection.reset()


def answer(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def cut(status: int, body: bytes) -> Callable[[Connection], None]:
    """Return a reply that ends before the length that it states."""
    head = f"HTTP/1.1 {status} Cut\r\ncontent-length: {len(body) + 100}\r\n\r\n"
    return lambda connection: connection.send(head.encode() + body)


# name, action, error, billing, rule, requests that the server may have seen
MATRIX = [
    ("9000 without data", reply(200, answer(code=9000, msg="no credits")), errors.InsufficientCredits, "no", 1),
    ("9000 with data", reply(200, answer(code=9000, msg="", data={})), errors.InsufficientCredits, "no", 1),
    ("9000 with null data", reply(200, answer(code=9000, msg="", data=None)), errors.InsufficientCredits, "no", 1),
    ("9000 as text", reply(200, answer(code="9000", msg="")), errors.InsufficientCredits, "no", 1),
    ("9999", reply(200, answer(code=9999, msg="bad prompt")), errors.Rejected, "no", 1),
    ("unknown code", reply(200, answer(code=1234, msg="?")), errors.SubmissionUnknown, "unknown", 1),
    ("1000 without task id", reply(200, answer(code=1000, msg="", data={})), errors.SubmissionUnknown, "unknown", 1),
    ("empty task id", reply(200, answer(code=1000, data={"taskid": ""})), errors.SubmissionUnknown, "unknown", 1),
    ("data is a list", reply(200, answer(code=1000, msg="", data=[])), errors.SubmissionUnknown, "unknown", 1),
    ("JSON list", reply(200, b"[]"), errors.SubmissionUnknown, "unknown", 1),
    ("HTML", reply(200, b"<html>", {"content-type": "text/html"}), errors.SubmissionUnknown, "unknown", 1),
    ("empty body", reply(200), errors.SubmissionUnknown, "unknown", 1),
    ("truncated JSON", reply(200, OK[:30]), errors.SubmissionUnknown, "unknown", 1),
    ("oversized JSON", reply(200, b" " * 1_100_000), errors.SubmissionUnknown, "unknown", 1),
    ("204", reply(204), errors.SubmissionUnknown, "unknown", 1),
    ("301", reply(301, headers={"location": SIGNED}), errors.ConfigError, "no", 1),
    ("307", reply(307, headers={"location": SIGNED}), errors.ConfigError, "no", 1),
    ("400", reply(400, answer(code=400, msg="bad")), errors.Rejected, "no", 1),
    ("429 with a task id", reply(429, answer(code=429, data={"taskid": "t"})), errors.SubmissionUnknown, "unknown", 1),
    ("9999 with an id", reply(200, answer(code=9999, data={"taskid": "t"})), errors.SubmissionUnknown, "unknown", 1),
    ("401", reply(401, answer(code=401, msg="bad key")), errors.AuthError, "no", 1),
    ("403", reply(403), errors.AuthError, "no", 1),
    ("404", reply(404), errors.ConfigError, "no", 1),
    ("408", reply(408), errors.NotSent, "no", 2),
    ("429", reply(429), errors.RateLimited, "no", 4),
    ("429, wait too long", reply(429, headers={"retry-after": "3600"}), errors.RateLimited, "no", 1),
    ("500", reply(500, answer(code=500, msg="oops")), errors.SubmissionUnknown, "unknown", 1),
    ("502", reply(502, b"<html>"), errors.SubmissionUnknown, "unknown", 1),
    ("503", reply(503), errors.SubmissionUnknown, "unknown", 1),
    ("504", reply(504), errors.SubmissionUnknown, "unknown", 1),
    ("520", reply(520), errors.SubmissionUnknown, "unknown", 1),
    ("999", reply(999), errors.SubmissionUnknown, "unknown", 1),
    ("reset after the request", after_request(Connection.reset), errors.SubmissionUnknown, "unknown", 1),
    ("closed after the request", after_request(lambda c: None), errors.SubmissionUnknown, "unknown", 1),
    ("garbage", after_request(lambda c: c.send(b"\x00\x01garbage\r\n\r\n")), errors.SubmissionUnknown, "unknown", 1),
    ("cut in the head", after_request(lambda c: c.send(b"HTTP/1.1 2")), errors.SubmissionUnknown, "unknown", 1),
    (
        "cut in the body",
        after_request(lambda c: c.send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + OK[:20])),
        errors.SubmissionUnknown,
        "unknown",
        1,
    ),
    # What came before the cut may look like a refusal; the rest could have said otherwise.
    ("429, cut", after_request(cut(429, b"")), errors.SubmissionUnknown, "unknown", 1),
    ("408, cut", after_request(cut(408, b"")), errors.SubmissionUnknown, "unknown", 1),
    ("400, cut", after_request(cut(400, b"{}")), errors.SubmissionUnknown, "unknown", 1),
    ("9999, cut", after_request(cut(200, answer(code=9999))), errors.SubmissionUnknown, "unknown", 1),
    ("9000, cut", after_request(cut(200, answer(code=9000))), errors.SubmissionUnknown, "unknown", 1),
    ("1000, cut", after_request(cut(200, OK)), errors.SubmissionUnknown, "unknown", 1),
    ("9999, oversized", reply(200, answer(code=9999) + b" " * 1_100_000), errors.SubmissionUnknown, "unknown", 1),
    ("429, oversized", reply(429, b" " * 1_100_000), errors.SubmissionUnknown, "unknown", 1),
    ("reset in mid-body", in_mid_body, errors.SubmissionUnknown, "unknown", 1),
    ("lying gzip", reply(200, OK[:-1], {"content-encoding": "gzip"}), errors.SubmissionUnknown, "unknown", 1),
    (
        "key and signed URL echoed",
        reply(500, answer(code=500, msg=f"{KEY} {SIGNED}"), {"x-echo": f"Bearer {KEY}", "x-url": SIGNED}),
        errors.SubmissionUnknown,
        "unknown",
        1,
    ),
]  # fmt: skip
