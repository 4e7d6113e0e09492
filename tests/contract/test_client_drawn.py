"""Drawn submissions: sent exactly when legal, and what arrives is what was meant, to the byte, in three readings."""

from typing import Any

import judge
import pytest
from contract.wire import driven, readings_agree
from hypothesis import given, settings
from seedream import AsyncTask, InvalidRequest, Task
from seedream_testing.contract import decode, from_tables
from support import strategies
from support.clients import Both

RAW = {"image_url": "imageUrl", "source_images": "sourceImage"}


def meant(options: dict[str, Any]) -> dict[str, list[bytes]]:
    """Contents by field on the wire, as these options mean them, but for the resolution's way of writing."""
    fields: dict[str, list[bytes]] = {}
    for name, value in options.items():
        if name == "source_images" and value:
            fields["sourceImage"] = list(value)
        elif name != "source_images" and value is not None:
            fields[RAW.get(name, name)] = [str(value).encode()]
    return fields


def arrived(both: Both, options: dict[str, Any]) -> dict[str, list[bytes]] | InvalidRequest:
    """Return what the client sent for these options, or its refusal. Anything else fails the test."""
    sent, result = driven(both, lambda client: client.submit(**options))
    if isinstance(result, InvalidRequest):
        assert sent == []
        return result
    assert isinstance(result, Task | AsyncTask), result
    assert len(sent) == 1
    parts = decode(sent[0])
    assert readings_agree(sent[0], parts), sent[0].curl
    found: dict[str, list[bytes]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(part.content)
        assert (part.filename is not None) == (part.name == "sourceImage")
        assert set(part.headers) <= {"content-disposition", "content-type"}, part.headers
    verdicts = judge.form(parts), from_tables().judge(parts)
    assert all(verdict.legal for verdict in verdicts), f"{verdicts} {sent[0].curl}"
    return found


def test_drawn_options_are_sent_exactly_when_legal(both: Both) -> None:
    counts = {"sent": 0, "refused": 0}

    @given(strategies.any_options)
    @settings(max_examples=4 * settings().max_examples)
    def drawn(options: dict[str, Any]) -> None:
        verdict = judge.options(options)
        found = arrived(both, options)
        if isinstance(found, InvalidRequest):
            assert not verdict.legal, f"{verdict}, but it was refused: {found}"
            assert all(problem.message for problem in found.problems)
            counts["refused"] += 1
            return
        counts["sent"] += 1
        expected = meant(options)
        assert found.keys() == expected.keys()
        assert {name: value for name, value in found.items() if name != "resolution"} == {
            name: value for name, value in expected.items() if name != "resolution"
        }
        if verdict.legal:
            assert found == expected  # a legal resolution travels as it was written
        else:
            assert verdict.rule.startswith("RES-")  # another way of writing it, made canonical

    drawn()
    total = sum(counts.values())
    assert counts["sent"] >= 0.35 * total, counts  # else the test would test little
    assert counts["refused"] >= 0.2 * total, counts


@given(options=strategies.legal_options)
def test_everything_legal_is_sent(both: Both, options: dict[str, Any]) -> None:
    assert judge.options(options).legal, "the strategy draws what it says"
    assert arrived(both, options) == meant(options)


@pytest.mark.parametrize("field", ["prompt", "category", "image_url"])
@given(text=strategies.hostile_text.filter(str.strip))
def test_no_text_can_change_the_form(both: Both, field: str, text: str) -> None:
    options = {"prompt": "a fish", field: text, "allow_unrecognized_sources": True}
    assert arrived(both, options) == meant({"prompt": "a fish", field: text})


@given(content=strategies.hostile_text.map(lambda text: b"\xff\xd8\xff" + text.encode()), name=strategies.any_text)
def test_no_file_can_change_the_form(both: Both, content: bytes, name: str) -> None:
    class Named:
        def __init__(self) -> None:
            self.name = name

        def read(self) -> bytes:
            return content

    sent, result = driven(both, lambda client: client.submit("a fish", source_images=[Named()]))
    assert not isinstance(result, Exception), result
    text, file = decode(sent[0])
    assert (text.name, text.content, text.filename) == ("prompt", b"a fish", None)
    assert (file.name, file.content, file.media_type) == ("sourceImage", content, file.media_type)
    assert file.filename
    assert not set(file.filename) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert file.media_type in ("application/octet-stream", *(f"image/{kind}" for kind in KINDS))
    assert readings_agree(sent[0], (text, file))


KINDS = ("png", "jpeg", "webp", "gif", "bmp", "tiff", "avif", "heic")
