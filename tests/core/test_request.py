"""A request is refused before it costs anything, with every problem named; what is legal goes out as it was meant."""

import enum
import io
import pickle
from pathlib import Path
from typing import Any

import attrs
import pytest
from facts import DEFAULTS, FEWEST, LARGEST
from seedream import InvalidRequest, Resolution, SeeDream
from seedream._protocol import wire as encoding
from seedream._request import submission
from seedream._request.submission import check, check_submit
from support.clock import FakeClock
from support.fake_service import FakeService
from support.pictures import picture
from tensorslab_images import limits

PNG = picture()


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


def test_every_problem_is_told_at_once() -> None:
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
        sent.content,
        sent.media_type,
        sent.name,
    )


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("WEBP"), "image/webp"),
        (picture("GIF"), "image/gif"),
        (b"no picture", "application/octet-stream"),
    ],
)
def test_the_media_type_is_told_from_the_bytes(content: bytes, media_type: str) -> None:
    (sent,) = check_submit("a fish", {"source_images": content}).files["sourceImage"]
    assert media_type == sent.media_type


@pytest.mark.parametrize(
    "source", ["", "/nowhere.png", Path("/"), b"", io.StringIO("text"), 7, ["a\0b"], [None], {"a": 1}]
)
def test_what_is_no_source_image_is_refused(source: Any) -> None:
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
    arguments = encoding.submit_arguments(submission.Submission({"prompt": "a fish", "extraField": value}))()
    assert [wire] == [part[1] for name, part in arguments["files"] if name == "extraField"]
