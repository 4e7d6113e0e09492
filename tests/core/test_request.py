"""A request is refused before it costs anything, with every problem named; what is legal goes out as it was meant."""

# ruff: noqa: E501 -- tables read best with one case a line

import enum
import hashlib
import io
import itertools
import json
import os
import pickle
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from facts import DEFAULTS, FEWEST, LARGEST
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no annotations
from PIL import Image
from seedream import InvalidRequest, NotSent, Resolution, SeeDream, SubmissionUnknown
from seedream._request import encode, source_images, submission
from seedream._request.foreign_names import FOREIGN_NAMES
from seedream._request.source_images import SourceChanged, SourceFile
from seedream._request.submission import Submission, check_submit
from seedream.errors import Problem
from support.clients import Both
from support.clock import FakeClock
from support.fake_service import FakeService
from support.fault_matrix import LARGE
from support.pictures import picture
from support.scripted_server import Connection, ScriptedServer
from tensorslab_images import limits

PNG, JPEG = picture(), picture("JPEG")


def check(options: dict[str, Any]) -> Submission:
    return check_submit(None, options)


def content_of(source: SourceFile) -> bytes:
    return b"".join(source.chunks())


def problems(prompt: Any = "a fish", **options: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidRequest) as caught:
        check_submit(prompt, options)
    assert "no" == caught.value.billing
    return [(problem.field, problem.rule) for problem in caught.value.problems]


@pytest.mark.parametrize("batchsize", [FEWEST, FEWEST + 1, LARGEST - 1, LARGEST])
def test_a_batch_within_the_bounds_is_legal(batchsize: int) -> None:
    submission = check_submit("a fish", {"batchsize": batchsize})
    assert (batchsize, batchsize) == (submission.values["batchsize"], submission.images)


@pytest.mark.parametrize(
    "batchsize", [FEWEST - 1, LARGEST + 1, -1, 10**30, True, False, 1.0, "3", [1], float("nan"), b"1", object()]
)
def test_any_other_batch_is_refused(batchsize: Any) -> None:
    assert [("batchsize", "BATCH-RANGE")] == problems(batchsize=batchsize)


def test_the_default_number_of_images_is_the_specs() -> None:
    assert DEFAULTS["batchsize"] == check_submit("a fish", {}).images == limits.SUBMIT.field("batchsize").default


@pytest.mark.parametrize("prompt", ["", " ", "\n\t　", None, 7, b"fish", ["fish"]])
def test_a_prompt_is_required(prompt: Any) -> None:
    assert [("prompt", "PROMPT-REQUIRED")] == problems(prompt)


@pytest.mark.parametrize("prompt", ["a fish", "鱼" * 5000, "line\r\nbreak", "\0", "🐟", '"quoted"; name="batchsize"'])
def test_any_other_prompt_is_sent_as_it_is(prompt: str) -> None:
    assert prompt == check_submit(prompt, {}).values["prompt"]


def test_half_a_character_is_refused_for_it_cannot_be_sent() -> None:
    assert [("prompt", "PROMPT-REQUIRED")] == problems("fish \ud83d")
    assert [("image_url", None)] == problems(image_url="\udcff")


def test_every_problem_is_reported_at_once() -> None:
    found = problems("", batchsize=99, resolution="1920x1080", colour="red", source_images=["/nowhere.png"])
    assert {
        ("prompt", "PROMPT-REQUIRED"),
        ("batchsize", "BATCH-RANGE"),
        ("resolution", "RES-PIXELS"),
        ("colour", None),
        ("source_images", "SOURCE-IMAGE"),
    } == set(found)
    assert 5 == len(found)


def test_the_message_can_be_read_aloud() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_submit("a fish", {"batchsize": LARGEST + 1})
    start = f"batchsize: “{LARGEST + 1}” is above the maximum {LARGEST}. Rule BATCH-RANGE: “批量生成数量，"
    assert start == str(caught.value)[: len(start)]
    assert f"Give {FEWEST} to {LARGEST}." == str(caught.value).rpartition("” ")[2]
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 -- our own bytes
    assert (str(caught.value), caught.value.problems) == (str(again), again.problems)


def test_the_resolution_goes_out_in_canonical_form() -> None:
    assert "2048x2048" == check_submit("a fish", {"resolution": " 2048×2048"}).values["resolution"]
    assert "16:9" == check_submit("a fish", {"resolution": Resolution("16：9")}).values["resolution"]


def test_what_is_not_given_is_not_in_the_request() -> None:
    assert {"prompt": "a fish"} == check_submit("a fish", {"batchsize": None, "resolution": None}).values


@pytest.mark.parametrize(
    "kind", ["path", "text", "bytes", "bytearray", "memoryview", "file", "buffer", "list", "generator"]
)
def test_a_source_image_in_any_form(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "my picture (1).jpeg"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        source: Any = {
            "path": path, "text": str(path), "bytes": PNG, "bytearray": bytearray(PNG), "memoryview": memoryview(PNG),
            "file": file, "buffer": io.BytesIO(PNG), "list": [path], "generator": (item for item in [PNG]),
        }[kind]  # fmt: skip
        submission = check_submit("a fish", {"source_images": source})
    (sent,) = submission.files["sourceImage"]
    named = kind in {"path", "text", "file", "list"}
    assert (PNG, "image/png", "my_picture_1.png" if named else "image-1.png") == (
        content_of(sent),
        sent.media_type,
        sent.name,
    )


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("WEBP"), "image/webp"),
        (picture("GIF"), "image/gif"),
        (picture("BMP"), "image/bmp"),
        (picture("TIFF"), "image/tiff"),
        (picture("AVIF"), "image/avif"),
    ],
)
def test_the_media_type_is_read_from_the_bytes(content: bytes, media_type: str) -> None:
    (sent,) = check_submit("a fish", {"source_images": content}).files["sourceImage"]
    assert media_type == sent.media_type


@pytest.mark.parametrize(
    "source",
    ["", "/nowhere.png", Path("/"), b"", io.StringIO("text"), 7, ["a\0b"], [None], {"a": 1}, b"%PDF-1.7", b"import os"],
)
def test_an_object_that_is_not_a_source_image_is_refused(source: Any) -> None:
    assert [("source_images", "SOURCE-IMAGE")] == problems(source_images=source)


def test_a_url_as_source_goes_into_its_own_field() -> None:
    submission = check_submit("a fish", {"source_images": ["https://example.org/a.png", PNG]})
    assert ("https://example.org/a.png", 1) == (submission.values["imageUrl"], len(submission.files["sourceImage"]))
    assert [("source_images", "IMAGE-URL")] == problems(source_images=["https://a.example/", "https://b.example/"])
    assert [("image_url", "IMAGE-URL")] == problems(source_images="https://a.example/", image_url="https://b.example/")


def test_a_url_under_the_specs_own_name_is_not_lost() -> None:
    submission = check({"prompt": "a fish", "source_images": "https://example.org/a.png"})
    assert "https://example.org/a.png" == submission.values["imageUrl"]


def test_text_of_an_enumeration_is_sent_as_its_value() -> None:
    class Prompt(str, enum.Enum):  # noqa: UP042 -- the older way, whose str() is the member's name
        CAT = "a cat"

    sent = check_submit(Prompt.CAT, {}).values["prompt"]
    assert ("a cat", str) == (sent, type(sent))


def test_the_digest_tells_requests_apart_and_knows_them_again() -> None:
    one = check_submit("a fish", {"batchsize": 2, "source_images": PNG})
    assert one.digest == check_submit("a fish", {"source_images": PNG, "batchsize": 2}).digest
    others: list[tuple[str, dict[str, Any]]] = [
        ("a fish", {"batchsize": 2}),
        ("a fish", {"batchsize": 3, "source_images": PNG}),
        ("fish", {"batchsize": 2, "source_images": PNG}),
    ]
    assert one.digest not in {check_submit(prompt, options).digest for prompt, options in others}


def test_a_file_that_is_gone_counts_by_its_name_and_size(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    one = check_submit("a fish", {"source_images": path})
    path.unlink()
    files = [["a.png", f"unreadable, {len(PNG)} bytes"]]
    written = json.dumps([{"prompt": "a fish"}, {"sourceImage": files}], separators=(",", ":"))
    assert one.digest == hashlib.sha256(written.encode()).hexdigest()


def named(name: str, content: bytes) -> io.BytesIO:
    """An open file, as far as a source image is concerned."""
    file = io.BytesIO(content)
    file.name = name  # as files have it
    return file


def test_the_digest_is_the_same_in_every_version() -> None:
    """Journals hold it: another digest for a request that was sent would let a bulk run refuse it, or pay again."""
    one = check_submit("一条鱼", {"batchsize": 2, "source_images": [named("b.png", PNG), JPEG]})
    files = [["b.png", hashlib.sha256(PNG).hexdigest()], ["image-2.jpg", hashlib.sha256(JPEG).hexdigest()]]
    written = (
        '[{"batchsize":2,"prompt":"\\u4e00\\u6761\\u9c7c"},'
        f'{{"sourceImage":[["b.png","{files[0][1]}"],["image-2.jpg","{files[1][1]}"]]}}]'
    )
    assert one.digest == hashlib.sha256(written.encode("ascii")).hexdigest()


@pytest.mark.parametrize("default", [None, 1, 4])
def test_a_request_that_says_no_number_costs_the_page_s_default(
    monkeypatch: pytest.MonkeyPatch, default: int | None
) -> None:
    changed(monkeypatch, "batchsize", default=default)
    assert (default or 1) == check_submit("a fish", {}).images
    assert 3 == check_submit("a fish", {"batchsize": 3}).images
    monkeypatch.setattr(submission, "_FIELDS", {})
    assert 1 == submission.Submission({"prompt": "a fish"}).images


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a.png", "a.png"), ("a b.PNG", "a_b.png"), ("..a._.png", "a.png"), ("X._X.png", "X._X.png"), ("_XX_.png", "XX.png"),
        ("灯塔.png", "image-2.png"), ("..", "image-2.png"), ("a" * 81 + ".png", "a" * 80 + ".png"), ("../../b/c.png", "c.png"),
        ("a\r\nb.png", "a_b.png"), ('a"b.png', "a_b.png"), ("wrong.jpg", "wrong.png"),
    ],
)  # fmt: skip
def test_a_file_name_is_sent_in_safe_letters_with_the_ending_of_its_bytes(given: str, sent: str) -> None:
    first, second = check_submit("a fish", {"source_images": [JPEG, named(given, PNG)]}).files["sourceImage"]
    assert ("image-1.jpg", sent) == (first.name, second.name)
    assert ("image/jpeg", "image/png") == (first.media_type, second.media_type)


def test_unnamed_pictures_are_numbered() -> None:
    picture_object = Image.new("RGB", (2, 2))
    sent = check_submit("a fish", {"source_images": [PNG, picture_object, io.BytesIO(PNG)]}).files["sourceImage"]
    assert ["image-1.png", "image-2.png", "image-3.png"] == [file.name for file in sent]


def test_a_query_and_a_deletion_are_one_piece_of_json() -> None:
    for made, content in (
        (encode.encode_query("t-文"), '{"taskid":"t-文"}'.encode()),
        (encode.encode_deletion(("a", "b")), b'{"taskids":["a","b"]}'),
    ):
        assert made.headers == {"Content-Type": "application/json"}
        assert (made.method, made.body.length, made.body.content) == ("POST", len(content), content)
        assert content == b"".join(made.body.chunks())


def test_a_form_with_a_file_on_disk_is_not_joined(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    on_disk = encode.encode_submission(check_submit("a fish", {"source_images": tmp_path / "a.png"})).body
    assert on_disk.content is None
    assert on_disk.length == len(b"".join(on_disk.chunks()))
    plain = encode.encode_submission(check_submit("a fish", {})).body
    assert plain.content == b"".join(plain.chunks())


def test_a_form_is_encoded_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7578: each part with its name, files with their names and media types, in the spec's order of fields."""
    (tmp_path / "b.gif").write_bytes(b"GIF89aY")
    given = {
        "image_url": "https://h/a",
        "source_images": [b"GIF89aX", tmp_path / "b.gif"],
        "resolution": "2k",
        "batchsize": 2,
    }
    monkeypatch.setattr(os, "urandom", lambda length: bytes(range(length)))
    request = encode.encode_submission(check_submit("a 鱼\r\n--b", given))
    boundary = bytes(range(16)).hex()
    assert (request.method, request.path) == ("POST", "/v1/images/seedreamv45")
    assert request.headers == {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    text = "\r\nContent-Type: text/plain"
    parts = [
        ('name="prompt"', text, "a 鱼\r\n--b"), ('name="batchsize"', text, "2"), ('name="resolution"', text, "2K"),
        ('name="sourceImage"; filename="image-1.gif"', "\r\nContent-Type: image/gif", "GIF89aX"),
        ('name="sourceImage"; filename="b.gif"', "\r\nContent-Type: image/gif", "GIF89aY"),
        ('name="imageUrl"', text, "https://h/a"),
    ]  # fmt: skip
    whole = "".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {name}{kind}\r\n\r\n{content}\r\n"
        for name, kind, content in parts
    )
    expected = f"{whole}--{boundary}--\r\n".encode()
    assert b"".join(request.body.chunks()) == expected
    assert request.body.length == len(expected)


def test_each_form_has_a_boundary_of_its_own() -> None:
    made = [encode.encode_submission(check_submit("a fish", {})).headers["Content-Type"] for _ in range(20)]
    assert len(set(made)) == 20
    assert all(re.fullmatch("multipart/form-data; boundary=[0-9a-f]{32}", one) for one in made)


def test_names_in_a_form_are_escaped_as_browsers_do() -> None:
    """WHATWG HTML, 4.10.21.8: only what would end the name, and control characters."""
    text = "".join(map(chr, range(0x21))) + '"\\é鱼\x7f'
    form = encode._form([(text, (None, b"1", None)), ("f", (text, b"2", "a/b"))], "B").content
    escaped = "".join(f"%{code:02X}" if code != 0x1B else "\x1b" for code in range(0x20)) + " %22\\\\é鱼\x7f"
    head = "--B\r\nContent-Disposition: form-data; name="
    assert form == (
        f'{head}"{escaped}"\r\n\r\n1\r\n{head}"f"; filename="{escaped}"\r\nContent-Type: a/b\r\n\r\n2\r\n--B--\r\n'
    ).encode()  # fmt: skip


def test_a_body_in_several_pieces_has_no_content_of_its_own() -> None:
    assert encode.Body(2, (b"a", b"b")).content is None
    assert encode.Body(1, (b"a",)).content == b"a"
    encode.Body(1, (b"a",)).check()
    assert list(encode.Body(2, (b"a", b"b")).chunks()) == [b"a", b"b"]


def test_booleans_in_a_list_are_written_as_json_writes_them() -> None:
    assert encode._as_text([True, False, "True", 1, 0.5]) == ["true", "false", "True", 1, 0.5]


# --- sources of other kinds ----------------------------------------------------------------------------------------------
class Given:
    """A file object of the caller's."""

    def __init__(self, *answers: Any, name: Any = None, sized: bool = True) -> None:
        self.answers, self.sized, self.asked = list(answers), sized, list[Any]()
        if name is not None:
            self.name = name

    def read(self, *size: int) -> Any:
        if size and not self.sized:
            raise TypeError("read() takes no arguments")
        self.asked.extend(size)
        answer = self.answers.pop(0) if self.answers else b""
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_an_open_file_is_read_to_its_end(sized: bool, kind: Any) -> None:
    source = Given(*([kind(PNG[:5]), kind(PNG[5:])] if sized else [kind(PNG)]), sized=sized, name="x/y.PNG")
    (sent,) = check_submit("a fish", {"source_images": source}).files["sourceImage"]
    assert (content_of(sent), sent.name, sent.size, type(content_of(sent))) == (PNG, "y.png", len(PNG), bytes)
    assert source.asked == ([2**20] * 3 if sized else [])


@pytest.mark.parametrize("name", [5, b"a.png", None, "", "/"])
def test_a_file_without_a_usable_name_is_numbered(name: Any) -> None:
    (sent,) = check_submit("a fish", {"source_images": [Given(PNG, name=name)]}).files["sourceImage"]
    assert sent.name == "image-1.png"


ANYWAY = "To send it all the same, set allow_unrecognized_sources=True."
KINDS = "Give a path, bytes, a file open for reading bytes, a Pillow image, or an http(s) URL."
FORMATS = "png, jpg, webp, gif, bmp, tif, avif, heic, heif"


class Saving:
    """It can be saved, and is no Pillow image."""

    def tobytes(self) -> None: ...
    def save(self, *_: object) -> None: ...


class Unsavable:
    """Something else with two of the methods of a Pillow image."""

    def tobytes(self) -> None: ...
    def getbands(self) -> None: ...


class OfBytes:
    def __fspath__(self) -> bytes:
        return b"a.png"


class Unsaved:
    """As far as it is looked at, a Pillow image; it cannot be saved."""

    def tobytes(self) -> None: ...
    def getbands(self) -> None: ...
    def save(self, *_: object) -> None:
        raise OSError("cannot write mode")


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        (Given("text"), "cannot read open file 2: it gives text, not bytes", "Open it with mode 'rb'."),
        (Given(PNG[:5], "text"), "cannot read open file 2: it gives text, not bytes", "Open it with mode 'rb'."),
        (Given(5), "cannot read open file 2: it gives no bytes", "Open it with mode 'rb'."),
        (Given("text", sized=False), "cannot read open file 2: it gives text, not bytes", "Open it with mode 'rb'."),
        (Given(PNG[:5], ValueError("I/O operation on closed file")), "cannot read open file 2: I/O operation on closed file", "Open it with mode 'rb'."),
        (Given(RuntimeError()), "cannot read open file 2: RuntimeError", "Open it with mode 'rb'."),
        (Given(), "source image 2 is empty", "Give the picture's bytes."),
        (b"", "source image 2 is empty", "Give the picture's bytes."),
        (b"no picture", "no picture format is recognised in source image 2", f"Give a picture file ({FORMATS}). {ANYWAY}"),
        (Given(b"no picture", name="a\nb.png"), "no picture format is recognised in source image 2 (“a\\nb.png”)", f"Give a picture file ({FORMATS}). {ANYWAY}"),
        (5, "an object of type int is not a source image", KINDS),
        (None, "an object of type NoneType is not a source image", KINDS),
        (Saving(), "an object of type Saving is not a source image", KINDS),
        (Unsavable(), "an object of type Unsavable is not a source image", KINDS),
        ({"a": b"b"}, "an object of type dict is not a source image", KINDS),
        (Unsaved(), "Pillow image 2 cannot be saved as PNG: cannot write mode", "Convert it, for example with image.convert('RGB'), or give an encoded file."),
        ("none.png", "cannot read “none.png”: No such file or directory", "Check the path."),
        (Path("none.png"), "cannot read “none.png”: No such file or directory", "Check the path."),
        (".", "cannot read “.”: it is a directory", "Check the path."),
        ("a\0b", "cannot read “a\\x00b”: the path holds a null character", "Check the path."),
        *((url, f"cannot read “{url}”: No such file or directory", "Only http:// and https:// URLs can be sent; save the picture and give its path.")
          for url in ("ftp://h/a.png", "data:image/png;base64,AAAA", "s3://b/a", "FILE:a", "httpx:a")),
        *((path, f"cannot read “{shown}”: No such file or directory", "Check the path.")
          for path, shown in (("C:\\x.png", "C:\\\\x.png"), ("c:x", "c:x"), ("ab:\\x", "ab:\\\\x"), ("1a:x", "1a:x"), ("a b:x", "a b:x"), ("http:/h", "http:/h"))
          if "http" not in path),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_sent_says_which_and_why(source: Any, message: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_submit("a fish", {"source_images": [PNG, source]})
    assert caught.value.problems == (Problem("source_images", message, "SOURCE-IMAGE", hint),)


def test_the_state_of_a_file_is_what_tells_it_from_others(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        state = source_images._state_of(file.fileno())
    assert state == (found.st_dev, found.st_ino, len(PNG), found.st_mtime_ns)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"", "source image 2 is empty"),
        ("a.png", b"no picture", "no picture format is recognised in source image 2 (“a.png”)"),
        ("灯塔.png", b"no picture", "no picture format is recognised in source image 2 (“灯塔.png”)"),
    ],
)
def test_a_file_on_disk_that_cannot_be_sent_says_which_and_why(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequest) as caught:
        check_submit("a fish", {"source_images": [PNG, tmp_path / name]})
    assert [one.message for one in caught.value.problems] == [message]


def test_a_file_on_disk_without_safe_letters_is_numbered(tmp_path: Path) -> None:
    (tmp_path / "灯塔.jpg").write_bytes(PNG)
    sent = check_submit("a fish", {"source_images": [JPEG, str(tmp_path / "灯塔.jpg")]}).files["sourceImage"]
    assert [one.name for one in sent] == ["image-1.jpg", "image-2.png"]


def test_a_later_page_may_allow_each_source_image_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed(monkeypatch, "sourceImage", unique_items=True, min_items=2, max_items=3)
    (tmp_path / "a.png").write_bytes(PNG)
    assert len(check_submit("a fish", {"source_images": [PNG, JPEG, picture("GIF")]}).files["sourceImage"]) == 3
    for sources, message, hint in (
        ([PNG, tmp_path / "a.png"], "an item is given twice", "Give each item once."),
        ([PNG], "1 given, fewer than 2", "Give more."),
        ([PNG, JPEG, picture("GIF"), picture("BMP")], "4 given, more than 3", "Give fewer."),
    ):
        with pytest.raises(InvalidRequest) as caught:
            check_submit("a fish", {"source_images": sources})
        assert caught.value.problems == (Problem("source_images", message, None, hint),)


@pytest.mark.parametrize("number", [10**4000, -(10**4000)])
def test_a_number_that_python_does_not_write_is_refused(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with_field(monkeypatch, kind="integer")
    sign = 1 if number > 0 else -1
    assert check({"prompt": "a fish", "extra_field": number - sign}).values["extraField"] == number - sign
    with pytest.raises(InvalidRequest) as caught:
        check({"prompt": "a fish", "extra_field": number})
    assert caught.value.problems == (
        Problem("extra_field", "a number of more than 4000 digits", None, "Change it to fit."),
    )


@pytest.mark.parametrize(
    ("source", "start"),
    [("a\ud800", "cannot read “a\\ud800”: 'utf-8' codec can't"), (OfBytes(), "cannot read “a.png”: ")],
)
def test_a_path_that_python_does_not_take_says_why(source: Any, start: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_submit("a fish", {"source_images": source})
    (problem,) = caught.value.problems
    assert (problem.message[: len(start)], problem.hint) == (start, "Check the path.")
    assert len(problem.message) > len(start)


def test_sources_are_checked_unless_it_is_said_otherwise() -> None:
    for given_ in ({"image_url": "x"}, {"source_images": b"x"}):
        with pytest.raises(InvalidRequest):
            check({"prompt": "a fish", **given_})
        for strict in (True, None, 0, ""):
            with pytest.raises(InvalidRequest):
                check_submit("a fish", {**given_, "allow_unrecognized_sources": not strict if strict else strict})


def test_one_object_that_is_no_source_is_named() -> None:
    for source in (5, {"a": b"b"}, object()):
        with pytest.raises(InvalidRequest) as caught:
            check_submit("a fish", {"source_images": source})
        message = f"an object of type {type(source).__name__} is not a source image"
        assert caught.value.problems == (Problem("source_images", message, "SOURCE-IMAGE", KINDS),)


@pytest.mark.parametrize("extra", [0, 1])
def test_the_limits_of_sources_are_exact(monkeypatch: pytest.MonkeyPatch, extra: int) -> None:
    assert (source_images.MAX_SOURCES, source_images.MAX_UNSIZED) == (1000, 268_435_456)
    monkeypatch.setattr(source_images, "MAX_SOURCES", 3)
    monkeypatch.setattr(source_images, "MAX_UNSIZED", len(PNG))
    many, long = [PNG] * (3 + extra), io.BytesIO(PNG + bytes(extra))
    if not extra:
        assert len(check_submit("a fish", {"source_images": many}).files["sourceImage"]) == 3
        assert len(check_submit("a fish", {"source_images": long}).files["sourceImage"]) == 1
        return
    for given_, message, hint in (
        (many, "more than 3 source images", "Give only those to be sent."),
        (long, f"open file 1 gives more than {len(PNG)} bytes", "Save it and give its path."),
    ):
        with pytest.raises(InvalidRequest) as caught:
            check_submit("a fish", {"source_images": given_})
        assert caught.value.problems == (Problem("source_images", message, "SOURCE-IMAGE", hint),)


def test_two_urls_are_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_submit("a fish", {"source_images": ["https://a.example/", PNG, "HTTP://b.example/"]})
    assert caught.value.problems == (
        Problem("source_images", "2 URLs; the API takes one", "IMAGE-URL", "Download the others and give their paths."),
    )


def test_a_wrong_image_url_is_shown_with_what_to_do() -> None:
    for url in ("cat.png", "https://h:0/a", "https:///a", "ftp://h/a", "https://h/\n"):
        with pytest.raises(InvalidRequest) as caught:
            check_submit("a fish", {"image_url": url})
        shown = url.encode("unicode_escape").decode()
        hint = f"Give a URL that begins with https:// or http://, or give a file as source_images. {ANYWAY}"
        assert caught.value.problems == (Problem("image_url", f"“{shown}” is not an http(s) URL", "IMAGE-URL", hint),)


def changed(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> None:
    """The field's limits as a later spec might have them."""
    operation = limits.SUBMIT
    fields = tuple(attrs.evolve(f, **changes) if f.name == name else f for f in operation.fields)
    monkeypatch.setattr(submission, "_FIELDS", {f.attribute: f for f in fields})


def with_field(monkeypatch: pytest.MonkeyPatch, **attributes: Any) -> None:
    """A field that a later spec adds."""
    new = limits.Field(**{"name": "extraField", "attribute": "extra_field", **attributes})
    monkeypatch.setattr(submission, "_FIELDS", {**submission._FIELDS, "extra_field": new})


def test_another_maximum_holds_without_an_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, "batchsize", maximum=20)
    assert 20 == check_submit("a fish", {"batchsize": 20}).images
    assert [("batchsize", "BATCH-RANGE")] == problems(batchsize=21)


@pytest.mark.parametrize(
    ("attributes", "good", "bad"),
    [
        ({"kind": "integer", "minimum": 0, "maximum": 9}, [0, 9], [-1, 10, 1.5, "1", True]),
        ({"kind": "integer", "exclusive_minimum": 0, "exclusive_maximum": 9}, [1, 8], [0, 9]),
        ({"kind": "integer", "multiple_of": 8}, [0, 8, 64], [7]),
        ({"kind": "number", "minimum": 0, "maximum": 1}, [0, 0.5, 1], [1.01, "0.5", float("nan"), float("inf"), True]),
        ({"kind": "boolean"}, [True, False], [0, 1, "true"]),
        ({"kind": "string", "enum": ("png", "jpeg")}, ["png"], ["gif", "", 1]),
        ({"kind": "string", "min_length": 2, "max_length": 3}, ["ab", "abc"], ["a", "abcd"]),
        ({"kind": "string", "pattern": "^[a-z]+$"}, ["abc"], ["ABC", ""]),
        ({"kind": "string", "pattern": "[0-9]"}, ["a1b", "1"], ["a", ""]),
        (
            {"kind": "string", "many": True, "min_items": 1, "max_items": 2},
            [["a"], ("a", "b")],
            [[], ["a"] * 3, "a", [1]],
        ),
    ],
)
def test_a_field_that_a_later_spec_adds_is_checked_by_its_own_limits(
    monkeypatch: pytest.MonkeyPatch, attributes: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    with_field(monkeypatch, **attributes)
    for value in good:
        sent = check({"prompt": "a fish", "extra_field": value}).values["extraField"]
        assert (list(value) if isinstance(value, tuple) else value) == sent
    for value in bad:
        assert [("extra_field", None)] == problems(extra_field=value)


# JSON Schema, multipleOf: the quotient of the numbers as they are written is whole; no rounding and no overflow.
@pytest.mark.parametrize(
    ("step", "good", "bad"),
    [
        (0.1, [0.3, 0.7, -0.1, 4.4, 1], [0.35, 0.30000000000000004]),
        (1e-7, [1e22, 1e-7, 10**40, 0], [1.5e-7]),
        (1e22, [0, 1e22, 3 * 10**22], [1, 10**22 + 1]),
    ],
)
def test_multiples_are_reckoned_exactly(
    monkeypatch: pytest.MonkeyPatch, step: float, good: list[float], bad: list[float]
) -> None:
    with_field(monkeypatch, kind="number", multiple_of=step)
    for value in good:
        assert check({"prompt": "a fish", "extra_field": value}).values["extraField"] == value
    for value in bad:
        assert [("extra_field", None)] == problems(extra_field=value)


class _Count(int, enum.Enum):
    TWO = 2


class _Share(float, enum.Enum):
    HALF = 0.5


# The text of a member of an enum is its name, which must not be sent.
@pytest.mark.parametrize(
    ("kind", "given", "sent"), [("integer", _Count.TWO, 2), ("number", _Count.TWO, 2), ("number", _Share.HALF, 0.5)]
)
def test_numbers_of_other_classes_are_sent_as_plain_numbers(
    monkeypatch: pytest.MonkeyPatch, kind: str, given: float, sent: float
) -> None:
    with_field(monkeypatch, kind=kind, multiple_of=0.5)
    found = check({"prompt": "a fish", "extra_field": given}).values["extraField"]
    assert (type(found), found) == (type(sent), sent)


def test_a_refused_request_sends_nothing() -> None:
    service = FakeService({})
    client = SeeDream("sk-key", transport=service.transport, clock=FakeClock())
    with pytest.raises(InvalidRequest):
        client.generate("a fish", batchsize=LARGEST + 1)
    with pytest.raises(InvalidRequest):
        client.submit("a fish", colour="red")  # type: ignore[call-arg]  # the point of the test
    assert [] == service.asked


@pytest.mark.parametrize(("value", "wire"), [(True, b"true"), (False, b"false"), (7, b"7"), (0.5, b"0.5")])
def test_a_value_of_a_later_field_is_written_as_json_writes_it(value: bool | float, wire: bytes) -> None:
    # Not as Python does: no service reads "True" as a boolean.
    request = encode.encode_submission(submission.Submission({"prompt": "a fish", "extraField": value}))
    after_name = b"".join(request.body.chunks()).partition(b'name="extraField"')[2]
    assert after_name.split(b"\r\n")[3] == wire


# --- JSON Schema -----------------------------------------------------------------------------------------------------
_NUMBERS = st.one_of(
    st.integers(-20, 20),
    st.decimals(-5, 5, places=2).map(float),
    st.sampled_from([0.1, 0.2, 0.3, 0.7, 1e-7, 1e22, 2**53 + 1, 1e300, -0.0]),
)
_BOUND = st.none() | st.integers(-5, 5) | st.sampled_from([0.1, 0.5, -2.5])
_STEP = st.none() | st.sampled_from([0.1, 0.01, 0.5, 1, 2, 3, 0.3, 1e-7])
_LETTERS = st.text("ab1\n٣🐟 ", max_size=5)
_LENGTH = st.none() | st.integers(0, 4)


def accepted(spec: limits.Field, value: Any) -> bool:
    try:
        submission._wire_value(spec, value)
    except InvalidRequest:
        return False
    return True


def valid(schema: dict[str, Any], value: Any) -> bool:
    given = {name: limit for name, limit in schema.items() if limit is not None}
    # The text of a JSON document, so that the validator reads 0.1 as the decimal that was written.
    document = json.loads(json.dumps(value), parse_float=Decimal)
    limits_read = json.loads(json.dumps(given), parse_float=Decimal)
    return bool(Draft202012Validator(limits_read).is_valid(document))


@given(value=_NUMBERS, minimum=_BOUND, maximum=_BOUND, above=_BOUND, below=_BOUND, step=_STEP)
@settings(max_examples=500)
def test_numbers_are_judged_as_json_schema_says(
    value: float, minimum: Any, maximum: Any, above: Any, below: Any, step: Any
) -> None:
    kind: Any = "integer" if isinstance(value, int) else "number"
    spec = limits.Field(
        name="x", attribute="x", kind=kind, minimum=minimum, maximum=maximum, exclusive_minimum=above,
        exclusive_maximum=below, multiple_of=step,
    )  # fmt: skip
    schema = {"type": kind, "minimum": minimum, "maximum": maximum, "exclusiveMinimum": above,
              "exclusiveMaximum": below, "multipleOf": step}  # fmt: skip
    assert valid(schema, value) == accepted(spec, value)


@given(
    items=st.lists(_LETTERS, max_size=4), least=_LENGTH, most=_LENGTH, unique=st.booleans(), low=_LENGTH, high=_LENGTH
)
@settings(max_examples=500)
def test_lists_of_text_are_judged_as_json_schema_says(
    items: list[str], least: Any, most: Any, unique: bool, low: Any, high: Any
) -> None:
    spec = limits.Field(
        name="x", attribute="x", kind="string", many=True, min_items=least, max_items=most, unique_items=unique,
        min_length=low, max_length=high,
    )  # fmt: skip
    of = {name: value for name, value in {"minLength": low, "maxLength": high}.items() if value is not None}
    schema = {
        "type": "array",
        "minItems": least,
        "maxItems": most,
        "uniqueItems": unique,
        "items": {"type": "string", **of},
    }
    assert valid(schema, items) == accepted(spec, items)


def test_numbers_of_other_libraries_are_taken_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    with_field(monkeypatch, kind="number")
    sent = check({"prompt": "a fish", "extra_field": Fraction(1, 4)}).values["extraField"]
    assert (0.25, float) == (sent, type(sent))


def test_an_empty_list_is_not_sent_so_it_does_not_meet_a_requirement(monkeypatch: pytest.MonkeyPatch) -> None:
    with_field(monkeypatch, kind="string", many=True)
    assert {"prompt": "a fish"} == check({"prompt": "a fish", "extra_field": []}).values


def test_a_required_field_is_missing_when_its_list_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    new = limits.Field(name="tags", attribute="tags", kind="string", many=True, required=True)
    operation = attrs.evolve(limits.SUBMIT, fields=(*limits.SUBMIT.fields, new))
    monkeypatch.setattr(submission, "_FIELDS", {field.attribute: field for field in operation.fields})
    monkeypatch.setattr(submission, "SUBMIT", operation)
    assert [("tags", None)] == problems(tags=[])


# --- sources that cannot be pictures, URLs that cannot be fetched -----------------------------------------------------
@pytest.mark.parametrize(
    "url",
    ["cat.png", "", " ", "C:\\x.png", "/etc/passwd", "data:image/png;base64,AAAA", "file:///a.png", "ftp://h/a.png", "//h/a.png",
     "https://", "https:///a.png", "http:a.png", "https://[bad/a.png", "https://h:x/a.png", "https://h\n/a", " https://h/a", "https://h/a\t"],
)  # fmt: skip
def test_an_image_url_that_is_not_one_is_refused_unless_it_is_asked_for(url: str) -> None:
    assert [("image_url", "IMAGE-URL")] == problems(image_url=url)
    sent = check_submit("a fish", {"image_url": url, "allow_unrecognized_sources": True})
    assert url == sent.values["imageUrl"]


@pytest.mark.parametrize(
    "url", ["https://h/a.png", "HTTP://h", "https://h:8/a b.png?x=1#y", "https://例え.example/猫.png", "http://[::1]/a"]
)
def test_any_http_url_is_an_image_url(url: str) -> None:
    assert url == check_submit("a fish", {"image_url": url}).values["imageUrl"]
    assert url == check_submit("a fish", {"source_images": [url]}).values["imageUrl"]


@pytest.mark.parametrize(
    "content", [b"%PDF-1.7\n", b"import os\n", b"\0", b"<svg/>", b"PK\x03\x04", b"\x89PNG", b"RIFF0000WAVE"]
)
def test_bytes_of_no_picture_are_refused_unless_it_is_asked_for(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.png"
    path.write_bytes(content)
    for source in (content, path):
        assert [("source_images", "SOURCE-IMAGE")] == problems(source_images=source)
        (sent,) = check_submit("a fish", {"source_images": source, "allow_unrecognized_sources": True}).files[
            "sourceImage"
        ]
        assert ("application/octet-stream", content) == (sent.media_type, content_of(sent))
        assert sent.name == ("report.bin" if source is path else "image-1.bin")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="devices as POSIX has them")
def test_a_device_or_a_pipe_is_refused_without_reading_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    link = tmp_path / "link.png"
    link.symlink_to("/dev/zero")
    for path in ("/dev/zero", pipe, link):
        assert [("source_images", "SOURCE-IMAGE")] == problems(source_images=path)


def test_an_open_file_that_never_ends_is_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_images, "MAX_UNSIZED", 3_000_000)
    with Path("/dev/zero").open("rb") as endless, pytest.raises(InvalidRequest, match="more than 3,000,000 bytes"):
        check_submit("a fish", {"source_images": endless})


def test_source_images_that_never_end_are_taken_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    with pytest.raises(InvalidRequest, match="more than 1,000 source images"):
        check_submit("a fish", {"source_images": itertools.repeat(path)})


def test_a_file_is_read_again_when_it_is_sent_and_proven_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    content = PNG + bytes(3_000_000)
    path.write_bytes(content)
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    assert (len(content), hashlib.sha256(content).hexdigest()) == (sent.size, sent.sha256)
    for _ in range(2):  # the connection broke: again from the start
        next(sent.chunks())
        chunks = list(sent.chunks())
        assert [len(chunk) for chunk in chunks] == [2**20, 2**20, len(content) - 2**21]
        assert b"".join(chunks) == content == content_of(sent)


@pytest.mark.parametrize("change", ["other bytes", "shorter", "longer", "gone", "a pipe"])
def test_a_file_that_changed_is_never_handed_out_whole(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.png"
    content = PNG + bytes(3_000_000)
    path.write_bytes(content)
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    if change in ("gone", "a pipe"):
        path.unlink()
    if change == "a pipe":
        os.mkfifo(path)
    changes = {"other bytes": content[:-1] + b"x", "shorter": content[:-1], "longer": content + b"x"}
    if change in changes:
        path.write_bytes(changes[change])
    read: list[int] = []
    with pytest.raises(OSError):
        read.extend(map(len, sent.chunks()))
    assert sum(read) < len(content)
    if change != "other bytes":  # which only the hash shows, where the time does not
        with pytest.raises(OSError):
            sent.check()


def test_a_source_image_changed_before_sending_is_not_sent(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(LARGE)
    checked = check_submit("a fish", {"source_images": path})
    path.write_bytes(LARGE + b"y")
    with ScriptedServer(Connection.reset) as server:
        with pytest.raises(NotSent, match="changed"):
            both.call(lambda client: client.run(client.submission_workflow(checked)), base_url=server.url)
        assert [] == server.requests


def test_a_source_image_changed_while_it_is_sent_never_arrives_whole(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    content = LARGE * 5
    path.write_bytes(content)
    checked = check_submit("a fish", {"source_images": path})

    def change_and_read(connection: Connection) -> None:
        connection.read_head()
        with path.open("r+b") as file:
            file.seek(len(content) - 1)
            file.write(b"y")
        connection.read_request()

    with ScriptedServer(change_and_read) as server:
        with pytest.raises(SubmissionUnknown, match="changed"):
            both.call(lambda client: client.run(client.submission_workflow(checked)), base_url=server.url)
        assert 1 == len(server.connections)
    assert len(server.requests[0].partition(b"\r\n\r\n")[2]) < len(content)


@pytest.mark.parametrize("already", [0, 1])
def test_a_young_file_is_proven_unchanged_by_its_bytes_at_each_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, already: int
) -> None:
    """Within the resolution of the file system's clock a change leaves size and times as they were."""
    path = tmp_path / "a.png"
    content = PNG + bytes(100_000)
    path.write_bytes(content)
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    monkeypatch.setattr(source_images, "_state_of", lambda _: sent._state)
    monkeypatch.setattr(source_images, "_CHUNK", 4096)
    assert content_of(sent) == content
    chunks = sent.chunks()
    for _ in range(already):
        next(chunks)
    with path.open("r+b") as file:
        file.seek(50_000)
        file.write(b"x")
    with pytest.raises(SourceChanged, match=r"^source image a\.png was changed after it was checked$"):
        list(chunks)
    sent.check()  # opens the file only


@pytest.mark.parametrize("age", [0, -1, 1, -(10**18)])
@pytest.mark.parametrize(
    ("changed", "step"),
    [(1_700_000_000_000_000_000, 2_000_000_000), (1_700_000_001_000_000_000, 2_000_000_000), (1_700_000_000_010_000_000, 100_000_000),
     (1_700_000_000_000_000_100, 100_000_000), (1_699_999_999_999_999_999, 100_000_000)],
)  # fmt: skip
def test_a_file_is_hashed_at_once_only_if_its_time_may_not_show_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: int, step: int, age: int
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    os.utime(path, ns=(changed, changed))
    assert path.stat().st_mtime_ns == changed
    monkeypatch.setattr("time.time_ns", lambda: changed + step + age)
    hashed = age < 0
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    digest = hashlib.sha256(PNG).hexdigest()
    assert sent._expected == (digest if hashed else "")
    assert sent.sha256 == digest


@pytest.mark.parametrize("change", ["inode", "size", "time"])
def test_an_old_file_is_known_by_each_part_of_its_state(tmp_path: Path, change: str) -> None:
    path, other = tmp_path / "a.png", tmp_path / "b.png"
    old = (1_000_000_000_000_000_001, 1_000_000_000_000_000_001)
    for one in (path, other):
        one.write_bytes(PNG)
        os.utime(one, ns=old)
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    assert content_of(sent) == PNG
    sent.check()
    if change == "inode":
        other.replace(path)
    elif change == "size":
        path.write_bytes(PNG + b"x")
        os.utime(path, ns=old)
    else:
        os.utime(path, ns=(old[0], old[1] + 1))
    for read in (sent.check, lambda: list(sent.chunks()), lambda: content_of(sent), lambda: sent.sha256):
        with pytest.raises(SourceChanged, match=r"a\.png was changed"):
            read()


def test_an_old_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG + bytes(10_000))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    monkeypatch.setattr(source_images, "_CHUNK", 4096)
    chunks = sent.chunks()
    first = next(chunks)
    path.write_bytes(PNG + b"x" * 10_000)
    with pytest.raises(SourceChanged):
        first += b"".join(chunks)
    assert len(first) < sent.size


def test_a_file_that_shrinks_while_it_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG + bytes(10_000))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    monkeypatch.setattr(source_images, "_CHUNK", 4096)
    monkeypatch.setattr(source_images, "_state_of", lambda _: sent._state)
    chunks = sent.chunks()
    next(chunks)
    os.truncate(path, 5000)
    assert len(next(chunks)) == 5000 - 4096
    with pytest.raises(SourceChanged):
        next(chunks)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_no_source_image_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG + bytes(3_000_000))
    before = len(list(Path("/proc/self/fd").iterdir()))
    request = encode.encode_submission(check_submit("a fish", {"source_images": path}))
    request.body.check()
    b"".join(request.body.chunks())
    chunks = request.body.chunks()
    next(chunks), next(chunks)
    chunks.close()  # type: ignore[attr-defined]  # a generator
    path.write_bytes(b"changed")
    for read in (request.body.check, lambda: list(request.body.chunks())):
        with pytest.raises(SourceChanged):
            read()
    assert before == len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("gone", [0, 1])
def test_each_source_image_is_checked_before_anything_is_sent(tmp_path: Path, gone: int) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        path.write_bytes(PNG)
    body = encode.encode_submission(check_submit("a fish", {"source_images": paths})).body
    body.check()
    paths[gone].unlink()
    with pytest.raises(FileNotFoundError):
        body.check()


def test_an_old_file_is_proven_unchanged_by_its_state_and_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    (sent,) = check_submit("a fish", {"source_images": path}).files["sourceImage"]
    path.write_bytes(PNG[:-1] + b"x")
    with pytest.raises(SourceChanged):
        next(sent.chunks())


def test_a_pillow_image_is_sent_as_png() -> None:
    image = Image.new("RGB", (5, 4), (200, 10, 10))
    (sent,) = check_submit("a fish", {"source_images": image}).files["sourceImage"]
    assert "image/png" == sent.media_type
    with Image.open(io.BytesIO(content_of(sent))) as again:
        assert (image.size, image.tobytes()) == (again.size, again.tobytes())
    assert [("source_images", "SOURCE-IMAGE")] == problems(source_images=Image.new("YCbCr", (2, 2)))


# --- names of other SDKs ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "hint"),
    [("n", "Use batchsize."), ("size", "Use resolution."), ("image", "Use source_images."), ("sourceImage", "Use source_images."),
     ("images", "Use source_images for pictures to start from, or batchsize for the number of pictures to make."),
     *((name, f"The API has nothing like {name}; leave it out.") for name in (
         "seed", "negative_prompt", "guidance_scale", "quality", "style", "model", "response_format", "watermark")),
     *((name, "Use resolution.") for name in ("aspect-ratio", " Size ", "image_size", "width", "HEIGHT")),
     *((name, "Use batchsize.") for name in ("batch_size", "num-images", "num_outputs", "max_images")),
     *((name, "Use source_images.") for name in ("input_image", "reference_images", "source_image", "sourceimages")),
     *((name, "Use image_url.") for name in ("imageUrl", "image_urls", "url")), ("text", "Use prompt."),
     *((name, "It has batchsize, category, image_url, prompt, resolution, source_images.") for name in ("colour", "seeds", ""))],
)  # fmt: skip
def test_names_of_other_sdks_get_a_hint(name: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_submit("a fish", {name: 1})
    assert (name, hint) == (caught.value.problems[0].field, caught.value.problems[0].hint)


def test_a_field_that_a_later_page_adds_under_a_foreign_name_is_that_field(monkeypatch: pytest.MonkeyPatch) -> None:
    new = limits.Field(name="seed", attribute="seed", kind="integer")
    monkeypatch.setattr(submission, "_FIELDS", {**submission._FIELDS, "seed": new})
    assert 7 == check_submit("a fish", {"seed": 7}).values["seed"]


def test_every_hint_names_a_field_that_exists() -> None:
    known = {"source_images", *(spec.attribute for spec in limits.SUBMIT.fields)}
    assert {here for here in FOREIGN_NAMES.values() if here} <= known
