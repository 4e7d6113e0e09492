"""Relations of the form as bytes: the order and heads of parts, files, boundaries, line ends, framing, media types."""

# ruff: noqa: E501 -- one case a line reads as a table

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import permutations
from typing import Final
from urllib.parse import quote, urlencode

from seedream_testing.contract.api_facts import ApiFacts, Meaning, Part, text
from seedream_testing.contract.relations.relation import Example, Relation, by_verdict, request, submission
from seedream_testing.contract.samples import jpeg, png, webp
from seedream_testing.contract.server_under_test import Reply, ServerUnderTest, skip_if_length_required

_RULE: Final = "WIRE-BOUNDARY"
_PROMPT: Final = '灯塔 a lighthouse\r\n-- \\ "q"'
_MARK: Final = "contract7f3a9c"
_PNG: Final = png()
_SIZE: Final = "2560x1440"
Field = tuple[str, bytes]  # the lines of a part's head, and its content


def _meaning(facts: ApiFacts, **more: str) -> Meaning:
    return facts.meaning(
        [text("prompt", more.pop("prompt", _PROMPT)), *(text(name, value) for name, value in more.items())]
    )


def _head(name: str, more: str = "", lines: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n{lines}'


def _body(fields: Iterable[Field], mark: str = _MARK, *, end: str = "\r\n") -> bytes:
    """Assemble a form by hand, so that any of its bytes can be chosen."""
    line = end.encode()
    parts = b"".join(
        b"--" + mark.encode() + line + head.replace("\r\n", end).encode() + line + content + line
        for head, content in fields
    )
    return parts + b"--" + mark.encode() + b"--" + line


def _kind(mark: str = _MARK) -> str:
    return f"multipart/form-data; boundary={mark}"


_FIELDS: Final[tuple[Field, ...]] = (
    (_head("prompt"), _PROMPT.encode()), (_head("batchsize"), b"2"), (_head("resolution"), _SIZE.encode()),
)  # fmt: skip

# Heads of the prompt that mean the same, that a server may refuse, and that name no prompt.
_SAME_HEADS: Final = {
    "the head in small letters": 'content-disposition: form-data; name="prompt"\r\n',
    "the head in capital letters": 'CONTENT-DISPOSITION: form-data; name="prompt"\r\n',
    "text/plain": _head("prompt", lines="Content-Type: text/plain\r\n"),
    "text/plain in UTF-8": _head("prompt", lines="Content-Type: text/plain; charset=utf-8\r\n"),
    "text/plain in quoted UTF-8": _head("prompt", lines='Content-Type: text/plain; charset="UTF-8"\r\n'),
    "Content-Type first": 'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="prompt"\r\n',
    "an unknown head": _head("prompt", lines="X-Unknown: 1\r\n"),
    "a Content-Length": _head("prompt", lines=f"Content-Length: {len(_PROMPT.encode())}\r\n"),
    "Content-Transfer-Encoding: binary": _head("prompt", lines="Content-Transfer-Encoding: binary\r\n"),
    "Content-Transfer-Encoding: 8bit": _head("prompt", lines="Content-Transfer-Encoding: 8bit\r\n"),
    "an unquoted name": "Content-Disposition: form-data; name=prompt\r\n",
    "no space after the semicolon": 'Content-Disposition: form-data;name="prompt"\r\n',
    "two spaces after the semicolon": 'Content-Disposition: form-data;  name="prompt"\r\n',
    "no space after the colon": 'Content-Disposition:form-data; name="prompt"\r\n',
    "NAME in capital letters": 'Content-Disposition: form-data; NAME="prompt"\r\n',
    "Form-Data in capital letters": 'Content-Disposition: Form-Data; name="prompt"\r\n',
    "an unknown parameter": 'Content-Disposition: form-data; x="y"; name="prompt"\r\n',
}  # fmt: skip
_ODD_HEADS: Final = {
    "spaces round the equals sign": 'Content-Disposition: form-data; name = "prompt"\r\n',
    "an encoded name": "Content-Disposition: form-data; name*=UTF-8''prompt\r\n",
    "a semicolon at the end": 'Content-Disposition: form-data; name="prompt";\r\n',
    "the name twice": 'Content-Disposition: form-data; name="prompt"; name="prompt"\r\n',
    "the head twice": _head("prompt") + _head("prompt"),
    "application/octet-stream": _head("prompt", lines="Content-Type: application/octet-stream\r\n"),
    "a long unknown head": _head("prompt", lines=f"X-Long: {'a' * 3000}\r\n"),
    "many unknown heads": _head("prompt", lines="".join(f"X-{n}: 1\r\n" for n in range(30))),
}  # fmt: skip
_NO_HEADS: Final = {
    "no head": "",
    "no name": "Content-Disposition: form-data\r\n",
    "an empty name": _head(""),
    "attachment instead of form-data": 'Content-Disposition: attachment; filename="prompt"\r\n',
}
_FILE_NAMES: Final = (
    "a.png", "灯塔.png", "🌫.png", "é ü.png", "a b.png", "a;b.png", "a,b=c.png", "a'b.png", "A.PNG", "a.tar.png", "noextension", ".png", "a.txt",
    "..png", "%41.png", "a" * 200 + ".png", "a" * 300 + ".png", "灯" * 100 + ".png", "1", "-", "图 片 (1).png",
)  # fmt: skip
_FILE_HEADS: Final = {
    "escaped quotation marks": r'; filename="a\"b.png"', "encoded quotation marks": '; filename="a%22b.png"',
    "a path": r'; filename="C:\pictures\a.png"', "a path upwards": '; filename="../../a.png"', "an absolute path": '; filename="/etc/a.png"',
    "an encoded name": "; filename*=UTF-8''%E7%81%AF.png", "both names": "; filename=\"a.png\"; filename*=UTF-8''%E7%81%AF.png",
    "a name without quotation marks": "; filename=a.png", "an empty name": '; filename=""',
}  # fmt: skip
_ADDRESSES: Final = (
    "https://example.com/1.png", "http://example.com/1.png", "https://example.com/灯塔.png", "https://example.com/a.png?token=" + "x" * 2000,
    "https://例え.jp/1.png", "https://192.0.2.1:8443/1.png", "HTTPS://EXAMPLE.COM/1.PNG", "https://example.com:443?x=1#y", "https://example.com",
    "https://xn--fsqu00a.xn--0zwm56d/a//%E7%81%AF%20(1),'a';b@c!$*~_=&+.JPEG",
)  # fmt: skip
_KINDS: Final = {
    **{name: (picture, "a.png", "image/png") for name, picture in {
        "a PNG in colour": png(colour=2), "a PNG with a palette": png(colour=3), "a grey PNG with transparency": png(colour=4),
        "a PNG in colour with transparency": png(colour=6), "a PNG of 16 bits": png(colour=2, depth=16), "a PNG of one bit": png(depth=1),
    }.items()},
    **{name: (picture, "a.jpg", "image/jpeg") for name, picture in {
        "a JPEG in colour": jpeg(components=3), "a JPEG for print (CMYK)": jpeg(components=4), "a progressive JPEG": jpeg(components=3, progressive=True),
    }.items()},
}  # fmt: skip
_COUNTS: Final = (1, 2, 3, 4, 5, 8, 9, 10, 11, 14, 15, 16)


def _begun(value: str, most: int) -> str:
    return repr(value) if len(value) <= most else f"{value[:most]!r}, of {len(value)} characters"


def _full(facts: ApiFacts) -> Meaning:
    return _meaning(facts, batchsize="2", resolution=_SIZE)


def _sends(kind: str | None, body: bytes, beside: str = "") -> Callable[[ServerUnderTest], Reply]:
    """Return a function that sends a body as a submission, with text ``beside`` it in the address."""
    return lambda server: server.post(server.facts.submit + beside, kind, body)


def _raw(
    facts: ApiFacts,
    name: str,
    body: bytes,
    kind: str | None = None,
    *,
    optional: bool = False,
    meaning: Meaning | None = None,
    rule: str = _RULE,
) -> Example:
    return request(name, rule, _sends(kind or _kind(), body), meaning or _full(facts), optional=optional)


def _order(facts: ApiFacts) -> Iterator[Example]:
    file = Part("sourceImage", _PNG, "a.png", "image/png")
    parts = (text("prompt", _PROMPT), text("batchsize", 2), text("resolution", _SIZE), file)
    for order in permutations(parts):
        yield submission(", ".join(part.name for part in order), _RULE, order, _full(facts))


def _heads(facts: ApiFacts) -> Iterator[Example]:
    rest = _FIELDS[1:]
    content = _PROMPT.encode()
    for name, head in _SAME_HEADS.items():
        yield _raw(facts, name, _body([(head, content), *rest]))
    for name, head in _ODD_HEADS.items():
        yield _raw(facts, name, _body([(head, content), *rest]), optional=True)
    for name, head in _NO_HEADS.items():
        sent = _sends(_kind(), _body([(head, content), *rest]))
        yield request(f"the prompt under {name}", "PROMPT-REQUIRED", sent)


def _boundaries(facts: ApiFacts) -> Iterator[Example]:
    for name, mark in {
        "short": "xY", "of digits": "1234567890", "of 70 characters": "a" * 70, "of dashes": "----WebKitFormBoundary7MA4YWxkTrZu0gW", "only dashes": "-------------",
        "with dots and underscores": "a.b_c-d", "that ends in digits": "=_Part_0_1", "of plus signs": "+++", "that ends in dashes": "mark--",
    }.items():  # fmt: skip
        kind = _kind(f'"{mark}"' if "=" in mark else mark)
        yield _raw(facts, f"a boundary {name}", _body(_FIELDS, mark), kind)
    yield _raw(facts, "a quoted boundary", _body(_FIELDS), _kind(f'"{_MARK}"'))
    for other in ("aXb", "a.", "A.B"):  # what a pattern, a part or a fold of the boundary would find
        prompt = f"one\r\n--{other}\r\ntwo\r\n--{other}--"
        meaning = _meaning(facts, prompt=prompt, batchsize="2", resolution=_SIZE)
        body = _body(((_head("prompt"), prompt.encode()), *_FIELDS[1:]), "a.b")
        yield _raw(facts, f"the boundary a.b, with --{other} in a prompt", body, _kind("a.b"), meaning=meaning)
    for name, mark in {"every mark that RFC 2046 allows": "a'()+_,-./:=?z", "a space inside": "a b"}.items():
        yield _raw(facts, f"a boundary with {name}", _body(_FIELDS, mark), _kind(f'"{mark}"'))
    yield _raw(facts, "a boundary of 71 characters", _body(_FIELDS, "a" * 71), _kind("a" * 71), optional=True)
    for name, kind in {
        "a charset after the boundary": f"{_kind()}; charset=utf-8",
        "a charset before the boundary": f"multipart/form-data; charset=utf-8; boundary={_MARK}",
        "no space before the boundary": f"multipart/form-data;boundary={_MARK}",
        "the media type in capital letters": f"Multipart/Form-Data; boundary={_MARK}",
    }.items():
        yield _raw(facts, name, _body(_FIELDS), kind)
    for name, kind in {
        "BOUNDARY in capital letters": f"multipart/form-data; BOUNDARY={_MARK}",
        "spaces round the semicolon": f"multipart/form-data ; boundary={_MARK}",
        "the boundary twice": f"{_kind()}; boundary={_MARK}",
    }.items():
        yield _raw(facts, name, _body(_FIELDS), kind, optional=True)
    single = _body([(_head("prompt"), b"a lighthouse")])
    for name, kind, body in (
        ("another boundary than the body's", _kind("other"), single), ("no boundary", "multipart/form-data", single), ("an empty boundary", "multipart/form-data; boundary=", single),
        ("a boundary in another case", _kind(_MARK.upper()), single), ("a boundary that is a part of the body's", _kind(_MARK[:-2]), single), ("only the end of a form", _kind(), f"--{_MARK}--\r\n".encode()),
        ("an empty body", _kind(), b""), ("text instead of a form", _kind(), b"a lighthouse"), ("only a head", _kind(), f"--{_MARK}\r\n{_head('prompt')}".encode()),
        ("a form cut in its last boundary", _kind(), single[:-10]), ("a form cut in its content", _kind(), single[: single.index(b"house")]), ("a form cut before its end", _kind(), single[: -len(_MARK) - 8]),
    ):  # fmt: skip
        yield request(name, "SERVER-HTTP", _sends(kind, body))


def _contents(facts: ApiFacts) -> Iterator[Example]:
    hidden = '\r\n--+++\r\nContent-Disposition: form-data; name="batchsize"\r\n\r\n9'
    for name, prompt in {
        "a part of another form": f"a{hidden}", "a line like a boundary": "a\r\n--other\r\nb", "dashes at a line's beginning": "a\r\n--\r\nb", "its own boundary without dashes": f"a {_MARK} b", "its own boundary without a line break": f"a --{_MARK} b",
        "its own boundary after LF": f"a\n--{_MARK[:-1]} b", "CRLF at its end": "a\r\n", "CR at its end": "a\r", "CRLF at its beginning": "\r\na", "dashes at its end": "a\r\n--", "a head": 'a\r\nContent-Disposition: form-data; name="batchsize"\r\n\r\n9',
        "many line breaks": "a" + "\r\n" * 500 + "b", "a part of its boundary at its end": f"a\r\n--{_MARK[:6]}",
    }.items():  # fmt: skip
        fields = ((_head("prompt"), prompt.encode()), *_FIELDS[1:])
        meaning = _meaning(facts, prompt=prompt, batchsize="2", resolution=_SIZE)
        yield _raw(facts, f"a prompt with {name}", _body(fields), meaning=meaning)
    file = (
        _head("sourceImage", '; filename="a.png"', "Content-Type: image/png\r\n"),
        _PNG + hidden.encode() + b"\r\n--" + b"\0" * 9,
    )
    yield _raw(facts, "a file with a part of another form", _body((*_FIELDS, file)))


# Common parsers refuse the rest, which the standards allow or did allow.
_TAKEN: Final = ("an empty line before", "an epilogue", "no line break at the end")


def _framing(facts: ApiFacts) -> Iterator[Example]:
    body = _body(_FIELDS)
    for name, changed in {
        "a preamble": b"This is a multipart message.\r\n" + body, "an empty line before": b"\r\n" + body, "an epilogue": body + b"Farewell.\r\n", "no line break at the end": body[:-2],
        "blanks after each boundary": body.replace(f"--{_MARK}\r\n".encode(), f"--{_MARK}  \r\n".encode()), "LF instead of CRLF": _body(((head, content.replace(b"\r\n", b"\n")) for head, content in _FIELDS), end="\n"),
        "an empty part": body.replace(f"--{_MARK}--".encode(), f"--{_MARK}\r\n\r\n\r\n--{_MARK}--".encode()),
    }.items():  # fmt: skip
        prompt = _PROMPT.replace("\r\n", "\n") if name.startswith("LF") else _PROMPT
        meaning = _meaning(facts, prompt=prompt, batchsize="2", resolution=_SIZE)
        yield _raw(facts, name, changed, optional=name not in _TAKEN, meaning=meaning)
    short = _body(_FIELDS[:1])
    after = _body([(_head("batchsize"), b"9")])
    for name, changed in {
        "another form after its end": short + after,
        "another form before its beginning": after.replace(_MARK.encode(), b"other") + short,
    }.items():
        yield _raw(facts, name, changed, optional=True, meaning=_meaning(facts, prompt=_PROMPT))
    for name, sizes in {
        "one chunk": [len(body)],
        "chunks of one byte": [1],
        "chunks of seven bytes": [7],
        "chunks that end in a boundary": [5, 3, 40, 1],
    }.items():
        pieces = list(_pieces(body, sizes))

        def send(server: ServerUnderTest, pieces: list[bytes] = pieces) -> Reply:
            return skip_if_length_required(server.post(facts.submit, _kind(), pieces))

        yield request(f"sent in {name}", "SERVER-HTTP", send, _full(facts))
    for count in (10, 100):
        extra = [(_head(f"x{number}"), b"1") for number in range(count)]
        yield _raw(facts, f"{count} unknown fields besides", _body((*_FIELDS, *extra)), optional=True)

    def compressed(server: ServerUnderTest) -> Reply:
        headers = server.headers(("content-encoding", "deflate"))
        return server.post(facts.submit, _kind(), zlib.compress(body), headers)

    yield request("a compressed body", "SERVER-HTTP", compressed, _full(facts), optional=True)


_BLOCK: Final = (
    65_536  # bytes; servers read 4, 8, 16, 32 or 64 KiB at once, and this is the end of such a piece for all
)
_ACROSS: Final = 102  # bytes from the end of a file to the end of the field behind it


def _buffers(facts: ApiFacts) -> Iterator[Example]:
    """Yield forms of three fields, each behind a file that ends so many bytes before the end of a block."""
    prompt = "灯塔 a lighthouse"
    fields = ((_head("batchsize"), b"2"), (_head("resolution"), _SIZE.encode()), (_head("prompt"), prompt.encode()))
    file = _head("sourceImage", '; filename="a.png"', "Content-Type: image/png\r\n")
    meaning = _meaning(facts, prompt=prompt, batchsize="2", resolution=_SIZE)
    for start in range(0, _ACROSS, len(fields)):
        parts = list[Field]()
        for number, field in enumerate(fields):
            before = len(_body([*parts, (file, b"")])) - len(f"\r\n--{_MARK}--\r\n")
            end = (number + 1) * _BLOCK - start - number
            parts += [(file, png(length=end - before)), field]
        name = f"files that end {start} to {start + 2} bytes before {_BLOCK:,}, {2 * _BLOCK:,} and {3 * _BLOCK:,}"
        yield _raw(facts, name, _body(parts), meaning=meaning)


def _pieces(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = number = 0
    while at < len(body):
        size = sizes[min(number, len(sizes) - 1)]
        yield body[at : at + size]
        at, number = at + size, number + 1


def _media_types(facts: ApiFacts) -> Iterator[Example]:
    values = {"prompt": "a lighthouse", "batchsize": "2"}
    body = _body([(_head(name), value.encode()) for name, value in values.items()])
    meaning = _meaning(facts, prompt="a lighthouse", batchsize="2")
    for kind, sent in (
        ("application/x-www-form-urlencoded", urlencode(values).encode()), (f"multipart/mixed; boundary={_MARK}", body), (f"multipart/related; boundary={_MARK}", body), (f"multipart/alternative; boundary={_MARK}", body),
    ):  # fmt: skip
        name = f"under {kind.partition(';')[0]}"
        yield _raw(facts, name, sent, kind, optional=True, meaning=meaning, rule="SERVER-HTTP")
    document = json.dumps(values).encode()
    for other, sent in (
        ("application/json", document), ("application/json; charset=utf-8", document), ("text/json", document), ("text/plain", b"a lighthouse"), ("text/plain", document), ("application/octet-stream", body), ("text/plain", body),
        ("application/json", body), ("image/png", _PNG), ("application/xml", b"<prompt>a lighthouse</prompt>"), (None, document), (None, b"prompt=a+lighthouse"), (None, b""), ("multipart/form-data", document), (f"text/plain; boundary={_MARK}", body), (f"application/json; boundary={_MARK}", body), (f"application/octet-stream; boundary={_MARK}", body), (f"form-data; boundary={_MARK}", body),
    ):  # fmt: skip
        yield request(f"{sent[:30]!r} under {other or 'no media type'}", "SERVER-HTTP", _sends(other, sent))
    yield request("fields in the address", "SERVER-HTTP", _sends(None, b"", f"?{urlencode(values)}"))
    without = _sends(_kind(), _body(_FIELDS[1:]), f"?prompt={quote('a lighthouse')}")
    yield request("the prompt in the address", "PROMPT-REQUIRED", without)
    only, meaning = _body([(_head("prompt"), b"a lighthouse")]), _meaning(facts, prompt="a lighthouse")
    others = {"prompt": "other", "batchsize": "9", "resolution": "1:1", "category": "other", "imageUrl": "https://example.com/1.png", "sourceImage": "a", "n": "9", "x": "1"}  # fmt: skip
    for name, value in others.items():
        sends = _sends(_kind(), _body(_FIELDS), f"?{name}={quote(value)}")
        yield request(f"{name} in the address beside a whole form", "WIRE-EXACT", sends, _full(facts), optional=True)
    for name, value in (("batchsize", "3"), ("resolution", "1:1")):
        sends = _sends(_kind(), only, f"?{name}={quote(value)}")
        yield request(f"{name} in the address", "WIRE-EXACT", sends, meaning, optional=True)


def _file_names(facts: ApiFacts) -> Iterator[Example]:
    for name in _FILE_NAMES:
        head = _head("sourceImage", f'; filename="{name}"', "Content-Type: image/png\r\n")
        yield _raw(
            facts,
            f"a file named {_begun(name, 40)}",
            _body((*_FIELDS, (head, _PNG))),
            rule="SOURCE-IMAGE",
        )
    for name, parameters in _FILE_HEADS.items():
        body = _body((*_FIELDS, (_head("sourceImage", parameters, "Content-Type: image/png\r\n"), _PNG)))
        yield _raw(facts, f"a file name: {name}", body, optional=True, rule="SOURCE-IMAGE")
    for name, lines in {
        "Content-Transfer-Encoding: binary": "Content-Transfer-Encoding: binary\r\n", "a Content-Length": f"Content-Length: {len(_PNG)}\r\n", "an unknown line": "X-Unknown: 1\r\n", "a Content-ID": "Content-ID: <a@b>\r\n",
    }.items():  # fmt: skip
        for order in (1, -1):
            kind = ("Content-Type: image/png\r\n", lines)[::order]
            body = _body((*_FIELDS, (_head("sourceImage", '; filename="a.png"', "".join(kind)), _PNG)))
            yield _raw(
                facts, f"a file with {name} {'after' if order == 1 else 'before'} its type", body, rule="SOURCE-IMAGE"
            )
    for name in ("a.png", "prompt", "batchsize", "name=prompt", "a; name=prompt"):
        head = f'Content-Disposition: form-data; filename="{name}"; name="sourceImage"\r\nContent-Type: image/png\r\n'
        body = _body((*_FIELDS, (head, _PNG)))
        yield _raw(facts, f"the file's name, {name}, before the field's", body, rule="SOURCE-IMAGE")


def _files(facts: ApiFacts) -> Iterator[Example]:
    rule = facts.rules.get("sourceImage", "WIRE-EXACT")
    whole = (text("prompt", _PROMPT), text("batchsize", 2), text("resolution", _SIZE))
    full = _full(facts)

    def file(content: bytes = _PNG, name: str = "a.png", kind: str | None = "image/png") -> Part:
        return Part("sourceImage", content, name, kind)

    def with_files(name: str, *files: Part) -> Example:
        return by_verdict(facts, name, (*whole, *files), rule)

    for count in _COUNTS:
        yield with_files(f"{count} source images", *(file(png(shade=n), f"{n}.png") for n in range(count)))
    yield with_files("one source image twice", file(), file())
    yield with_files("two source images of one name", file(), file(png(shade=9)))
    yield with_files("a PNG and a JPEG", file(), file(jpeg(), "b.jpg", "image/jpeg"))
    yield with_files("a WebP", file(webp(), "a.webp", "image/webp"))
    yield from (with_files(f"a source image that is {name}", file(*given)) for name, given in _KINDS.items())
    for kind in ("image/png", "image/PNG", "image/x-png", "application/octet-stream", "image/*"):
        yield with_files(f"a source image of type {kind}", file(kind=kind))
    for other in (None, "text/plain", "image/jpeg", "image/png; charset=binary", "garbage"):
        yield submission(f"a PNG of type {other or 'unknown'}", rule, (*whole, file(kind=other)), full, optional=True)
    for size in (256, 512, 700):
        yield submission(f"a source image of {size}x{size}", rule, (*whole, file(png(size, size, 0))), full)
    for length in (100_000, 1_000_000, 4_000_000, 9_000_000):
        # What looks like a boundary is slow to parse, so that only the beginning is full of it.
        parts = (*whole, file(png(length=length, filling=b"\0\r\n--" * 8_000)))
        yield submission(f"a source image of {length:,} bytes", rule, parts, full)
    large = [file(png(shade=n, length=6_000_000), f"{n}.png") for n in range(3)]
    yield submission("three source images of 6,000,000 bytes", rule, (*whole, *large), full)
    url = text("imageUrl", "https://example.com/a+b.png?x=1&y=%20#z")
    yield submission("a source image and an address", rule, (*whole, url, file()), full)
    for address in _ADDRESSES:
        about = facts.rules.get("imageUrl", "WIRE-EXACT")
        yield submission(f"the address {address[:40]}", about, (*whole, text("imageUrl", address)), full)
    for value in ("other", "灯塔", "a b", "A", "x" * 100, "x" * 300, "🗼"):  # the page names only the default
        parts = (*whole, text("category", value))
        about, meaning = facts.rules.get("category", "WIRE-EXACT"), facts.meaning(parts)
        yield submission(f"category {_begun(value, 20)}", about, parts, meaning, optional=True)
    yield by_verdict(facts, "category 'seedreamv45'", (*whole, text("category", "seedreamv45")))
    yield submission("an empty source image", rule, (*whole, file(b"")), full, optional=True)


_UNSEEN_FILES: Final = (
    "Source images never come back: what a server did with them is not visible, only whether it took them."
)
RELATIONS: Final = (
    Relation("form.order", _RULE, "The order of the parts changes nothing.", _order),
    Relation("form.head", _RULE, "The head of a part means the same in every way of writing it that RFC 7578 allows.", _heads),
    Relation("form.boundary", _RULE, "Any boundary that RFC 2046 allows delimits the parts; a form without its own boundary or its end is refused.", _boundaries),
    Relation("form.content", _RULE, "What a part holds never changes the form.", _contents),
    Relation("form.framing", _RULE, "Preamble, epilogue, padding and transfer coding change nothing, where they are taken at all.", _framing),
    Relation("form.buffer", _RULE, "A form means the same wherever in it a server's pieces of reading end.", _buffers),
    Relation("form.media-type", "SERVER-HTTP", "Only a form is a submission; nothing beside the form changes it.", _media_types),
    Relation("form.file-name", "SOURCE-IMAGE", "The name of a file means nothing.", _file_names, unseen=_UNSEEN_FILES),
    Relation("form.file", "SOURCE-IMAGE", "Source images of any number, type and usual size are taken, with an address or without.", _files, unseen=_UNSEEN_FILES),
)  # fmt: skip
