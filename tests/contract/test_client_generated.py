"""Submissions that Schemathesis generates from the spec, through the overlay and through the raw generated client."""

from io import BytesIO
from typing import Any

import anyio
import httpx
import judge
import pytest
import respx
from contract.generated import NEGATIVE, POSITIVE, plain, submissions
from contract.wire import GOOD, HOST, as_sent, driven, readings_agree
from hypothesis import given, settings
from schemathesis import Case
from seedream import AsyncTask, InvalidRequest, Task
from seedream_testing.contract import Part, Sent, decode
from support.clients import KEY, Both
from tensorslab_images import AuthenticatedClient, roles
from tensorslab_images.limits import SUBMIT
from tensorslab_images.models import GeneralResponse
from tensorslab_images.types import File

PYTHON = {spec.name: spec.attribute for spec in SUBMIT.fields}


def by_name(parts: tuple[Part, ...]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(part.content)
    return found


def wire_of(body: dict[str, Any]) -> dict[str, list[bytes]]:
    values = {name: value if isinstance(value, list) else [value] for name, value in body.items()}
    return {
        name: [item if isinstance(item, bytes) else str(item).encode() for item in items]
        for name, items in values.items()
        if items
    }


def test_what_fits_the_spec_is_sent_as_it_is(both: Both) -> None:
    counts = {"sent": 0, "refused": 0}

    @given(case=submissions(POSITIVE))
    @settings(max_examples=2 * settings().max_examples)
    def generated(case: Case[Any]) -> None:
        body = plain(case.body)
        options = {PYTHON[name]: body[name] for name in body}
        # The schema does not say that a source must be a picture, and a URL a URL.
        sent, result = driven(both, lambda client: client.submit(**options, allow_unrecognized_sources=True))
        if isinstance(result, InvalidRequest):
            # The schema cannot say that a prompt must not be blank, nor a file empty.
            blank = not body["prompt"].strip() or any(not item for item in body.get("sourceImage", ()))
            assert blank, f"{body} is legal, but: {result}"
            counts["refused"] += 1
            return
        assert isinstance(result, Task | AsyncTask), result
        parts = decode(sent[0])
        assert by_name(parts) == wire_of(body)
        assert readings_agree(sent[0], parts)
        assert judge.form(parts).legal, sent[0].curl
        counts["sent"] += 1

    generated()
    assert counts["sent"] >= 0.6 * sum(counts.values()), counts  # else the test would test little


def test_what_breaks_the_spec_is_not_sent(both: Both) -> None:
    counts = {"sent": 0, "refused": 0}

    @given(case=submissions(NEGATIVE))
    @settings(max_examples=2 * settings().max_examples)
    def generated(case: Case[Any]) -> None:
        body = plain(case.body)
        if not isinstance(body, dict) or not body.keys() <= PYTHON.keys():
            return  # Python's own signature refuses it
        given_options = {"prompt": None, **{PYTHON[name]: value for name, value in body.items()}}
        sent, result = driven(both, lambda client: client.submit(**given_options))
        if isinstance(result, InvalidRequest):
            assert sent == []
            counts["refused"] += 1
        else:
            # A form has no types: what the schema calls wrong may be legal as text. The judge decides on the bytes.
            assert judge.form(decode(sent[0])).legal, f"{body}: {sent[0].curl}"
            counts["sent"] += 1

    generated()
    assert counts["refused"] >= 0.5 * sum(counts.values()), counts
    assert counts["refused"] >= 20, counts


def raw(body: dict[str, Any], kind: str) -> tuple[Sent, Any]:
    """Through the generated client only, without the overlay."""
    form = roles.SubmitBody.from_dict({name: value for name, value in body.items() if name != "sourceImage"})
    if body.get("sourceImage"):
        form.source_images = [
            File(BytesIO(item), f"{n}.bin", "image/png") for n, item in enumerate(body["sourceImage"])
        ]
    client = AuthenticatedClient(base_url=HOST, token=KEY)
    with respx.mock(base_url=HOST) as router:
        router.route().mock(return_value=httpx.Response(200, json=GOOD))
        if kind == "sync":
            with client:
                reply = roles.submit.sync_detailed(client=client, body=form)
        else:

            async def go() -> Any:
                async with client:
                    return await roles.submit.asyncio_detailed(client=client, body=form)

            reply = anyio.run(go)
        return as_sent(router.calls.last.request), reply.parsed


@pytest.mark.parametrize("kind", ["sync", "async"])
@given(case=submissions(POSITIVE))
@settings(max_examples=30)  # each builds a TLS context
def test_the_generated_client_by_itself_sends_the_form_whole(kind: str, case: Case[Any]) -> None:
    body = plain(case.body)
    sent, parsed = raw(body, kind)
    parts = decode(sent)
    assert by_name(parts) == wire_of(body)
    assert readings_agree(sent, parts)
    assert (sent.method, sent.path, sent.header("authorization")) == ("POST", judge.FACTS.submit, (f"Bearer {KEY}",))
    assert isinstance(parsed, GeneralResponse)
    assert (parsed.code, parsed.data.taskid) == (1000, "abcd_1234567890abcdef")


INJECTION = 'a fish\r\n--+++\r\nContent-Disposition: form-data; name="batchsize"\r\n\r\n15'


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_prompt_cannot_multiply_the_bill(kind: str) -> None:
    # The generator's own template sends every form with the boundary “+++”: this prompt then orders fifteen pictures.
    body = {"prompt": INJECTION, "batchsize": 1, "sourceImage": [INJECTION.encode()]}
    sent, _ = raw(body, kind)
    assert by_name(decode(sent)) == wire_of(body)
    assert sent.header("content-type")[0] != raw(body, kind)[0].header("content-type")[0]
