"""Replies are read as they come: whatever a body holds, a task id in it is found and nothing is raised."""

import json
from typing import Any

import pytest
from seedream._protocol.replies import Envelope, read_envelope, read_task, task_id
from seedream._protocol.tasks import check_taskid
from seedream.errors import InvalidRequest

LONGEST = "x" * 200


@pytest.mark.parametrize(
    ("body", "code", "msg", "taskid", "readable"),
    [
        (b'{"code":1000,"msg":"m","data":{"taskid":"t-1"}}', 1000, "m", "t-1", True),
        (b'{"code":"1000","msg":5,"data":{"taskid":7}}', 1000, "", "7", True),
        (b'{"code":1000.0,"data":[]}', 1000, "", None, True),
        (b'{"code":" 7 "}', 7, "", None, True),
        (b'{"code":1000.5}', None, "", None, True),
        (b'{"code":true}', None, "", None, True),
        (b'{"code":"x"}', None, "", None, True),
        (b'{"code":1e400}', None, "", None, True),
        (b'{"code":null,"data":null}', None, "", None, True),
        (b'\xef\xbb\xbf{"code":1}', 1, "", None, True),
        (b"[]", None, "", None, False),
        (b"", None, "", None, False),
        (b"\xff\xfe", None, "", None, False),
        (b"[" * 5000, None, "", None, False),
        # A task id is found wherever it is.
        (b'[{"task_id":"deep"}]', None, "", "deep", False),
        (b'{"a":{"b":[{"TaskID":"deep"}]}}', None, "", "deep", True),
        (b'{"data":{"taskid":""},"x":{"taskid":"other"}}', None, "", "other", True),
        (b'{"taskid":"outer","data":{"taskid":"inner"}}', None, "", "inner", True),
        (b'{"data":{"taskid":"a\\u0062"}}', None, "", "ab", True),
        # In text that is not JSON too.
        (b'{"code":1,"data":{"taskid":"lost_1","x', None, "", "lost_1", False),
        (b'"taskid" : lost_2}', None, "", "lost_2", False),
        (b'"task_id":"l3"]', None, "", "l3", False),
        (b'"TASKID":7,', None, "", "7", False),
    ],
)
def test_a_body_is_read_for_what_it_holds(
    body: bytes, code: int | None, msg: str, taskid: str | None, readable: bool
) -> None:
    found = read_envelope(body)
    assert (code, msg, taskid, readable) == (found.code, found.msg, found.taskid, found.readable)


@pytest.mark.parametrize(
    ("reply", "taskid"),
    [
        ({"data": {"task_id": "A"}, "meta": [{"parent": {"taskid": "B"}}]}, "A"),
        ({"meta": [{"parent": {"taskid": "B"}}], "data": {"task_id": "A"}}, "A"),
        ({"data": {"x": {"taskid": "B"}}, "task_id": "A"}, "A"), ({"a": {"taskid": "A"}, "b": {"taskid": "B"}}, "A"),
        ({"a": [{"x": 1}, {"taskid": "A"}, {"taskid": "B"}]}, "A"), ([{"taskid": "A"}, {"taskid": "B"}], "A"),
        ([[{"taskid": "B"}], {"taskid": "A"}], "A"), ({"taskid": "A", "task_id": "B"}, "A"),
        ({"taskid": None, "task_id": "A"}, "A"), ({"taskid": {"taskid": "A"}}, "A"),
    ],
)  # fmt: skip
def test_outside_its_place_the_id_nearest_to_the_top_counts_and_then_the_first(reply: object, taskid: str) -> None:
    # A reply may name other tasks too, for example the one that its picture was made from.
    assert taskid == read_envelope(json.dumps(reply).encode()).taskid


@pytest.mark.parametrize("end", ['","x":1', ",", "}", "]", " ", "\n"])
@pytest.mark.parametrize("text", ["abcdef", "12345", LONGEST])
def test_an_id_that_the_end_of_a_reply_may_have_cut_is_none(text: str, end: str) -> None:
    quote = '"' if end.startswith('"') or text == "abcdef" else ""
    body = f'{{"code":1000,"data":{{"taskid":{quote}{text}{end}'
    known = body.index(end, body.index(text))
    found = [read_envelope(body[:length].encode()).taskid for length in range(len(body) + 1)]
    assert found == [None] * (known + 1) + [text] * (len(body) - known)


@pytest.mark.parametrize(
    ("body", "taskid"),
    [
        (f'{{"taskid":"{LONGEST}x","y', None), ('{"taskid":null,"y', None), ('{"taskid":"","y', None),
        ('{"taskid":"http://h/?sig=x","y', None), ('{"a":["taskid":"A","b":{"taskid":"B","y', "A"),
        ('{"subtaskid":"B","taskid":"A","y', "A"), ('{"code":1,"code":1,"data":{"taskid":"A"}}', "A"),
    ],
)  # fmt: skip
def test_text_that_is_not_json_holds_no_other_ids_than_json_does(body: str, taskid: str | None) -> None:
    assert taskid == read_envelope(body.encode()).taskid


@pytest.mark.parametrize(
    ("value", "taskid"),
    [
        ("t", "t"), (7, "7"), (LONGEST, LONGEST), (10**199, str(10**199)), ("a b", "a b"),
        ("", None), (" ", None), (LONGEST + "x", None), (10**200, None), (10**5000, None), (True, None), (None, None),
        ("null", None), ("true", None), ("false", None), ("a\x1bb", None), (1.5, None), (["t"], None),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_task_id_is_printable_text_or_a_number_of_at_most_200_characters(value: object, taskid: str | None) -> None:
    assert taskid == task_id(value)


@pytest.mark.parametrize(
    "text",
    ["https://h.example/1.png?sig=x", "https%3A%2F%2Fh%2F1.png", r"https:\/\/h\/1", "s3://h/x", "/1.png?sig=x",
     "t1&token=x", "a;sig=x", "//h/x?y=1"],
)  # fmt: skip
def test_a_url_is_no_task_id(text: str) -> None:
    # An id goes into journals, results and file names; a URL may be signed.
    assert task_id(text) is None
    with pytest.raises(InvalidRequest, match="no URL"):
        check_taskid(text)


@pytest.mark.parametrize("text", ["abcd_1234567890abcdef", "aGVsbG8=", "a/b", "task:12", "a b", "任务", "50%", "x#1"])
def test_other_text_may_be_a_task_id(text: str) -> None:
    assert task_id(text) == text
    check_taskid(text)


STATE: dict[str, Any] = {"image_status": 3, "url": ["a", "", 5, "b"], "width": 2, "height": "3", "prompt": "p"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, {"status": None, "state": "unknown", "finished": False, "urls": ()}),
        ({"image_status": 1, "url": []}, {"status": 1, "state": "queued", "finished": False, "urls": ()}),
        ({"image_status": 2}, {"state": "processing", "finished": False}),
        (
            STATE,
            {
                "state": "completed",
                "finished": True,
                "urls": ("a", "", "", "b"),
                "width": 2,
                "height": 3,
                "prompt": "p",
            },
        ),
        ({"image_status": 4, "error_message": "why"}, {"state": "failed", "finished": True, "error_message": "why"}),
        ({"image_status": 5}, {"status": 5, "state": "unknown", "finished": False}),
        ({"image_status": "3", "url": "one"}, {"state": "completed", "urls": ("one",)}),
        ({"image_status": 3.0}, {"status": 3}),
        (
            {"image_status": None, "url": {"a": 1}, "width": 2.5, "height": True, "prompt": 5, "error_message": 5},
            {"status": None, "urls": (), "width": None, "height": None, "prompt": "", "error_message": ""},
        ),
    ],
)
def test_fields_of_a_wrong_type_count_as_not_given(data: dict[str, Any], expected: dict[str, Any]) -> None:
    info = read_task("t", Envelope(data=data))
    assert expected == {name: getattr(info, name) for name in expected}
    assert ("t", data) == (info.taskid, info.raw)


def test_signed_urls_are_not_in_a_repr() -> None:
    info = read_task("t", Envelope(data={"url": ["https://h/x?sig=MARKER"], "prompt": "MARKER"}))
    assert "MARKER" not in repr(info)
    assert "MARKER" not in repr(read_envelope(json.dumps({"data": {"url": "MARKER"}}).encode()))
