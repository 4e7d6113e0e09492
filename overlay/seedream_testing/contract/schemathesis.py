"""For Schemathesis: the effective spec ready to test with, and checks that know the envelope's ``code``.

Its own checks judge by the HTTP status, which this API does not use to tell a refusal; and some of them send a case
again, to the spec's own server. So pass these, and only these::

    from seedream_testing.contract.schemathesis import CHECKS, load

    schema = load()

    @schema.parametrize()
    def test_server(case):
        case.call_and_validate(base_url="http://127.0.0.1:8000", checks=CHECKS, headers={"Authorization": "Bearer sk"})
"""

import copy
from typing import Any, Final, cast

import schemathesis
from hypothesis import strategies as st
from tensorslab_images import rules

from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.decode import decode
from seedream_testing.contract.spec import document, schema_error
from seedream_testing.contract.tables import from_tables
from seedream_testing.contract.violation import Sent, Violation, named

_FORM: Final = "multipart/form-data"
_FORMAT: Final = "resolution"


def _resolutions() -> st.SearchStrategy[str]:
    """Draw resolutions of all three forms; about half of the sizes are at an edge of the legal pixels."""
    least, most = rules.RES_PIXELS_MINIMUM, rules.RES_PIXELS_MAXIMUM
    widths = st.integers(1, 8192)
    sizes = widths.flatmap(
        lambda width: st.sampled_from([-(-least // width), most // width]).map(lambda height: f"{width}x{height}")
    )
    return st.sampled_from([*rules.RES_RATIO_VALUES, *rules.RES_TIER_VALUES]) | sizes


def load() -> Any:
    """Return the effective spec as a Schemathesis schema, from which the rules of the prose can be drawn too.

    A resolution has a format of its own, a prompt is not empty, and bodies hold no fields that the page does not name.
    """
    spec = copy.deepcopy(document())
    for path in spec["paths"].values():
        content = path["post"]["requestBody"]["content"]
        if _FORM in content:
            schema = content[_FORM]["schema"]
            schema["additionalProperties"] = False
            schema["properties"]["resolution"]["format"] = _FORMAT
            schema["properties"]["prompt"]["minLength"] = 1
    schemathesis.openapi.format(_FORMAT, _resolutions())
    return schemathesis.openapi.from_dict(spec)


def has_an_envelope(ctx: Any, response: Any, case: Any) -> None:
    """Each reply is an envelope: a whole code that the page names, and a text msg; or an HTTP 4xx."""
    del ctx
    envelope, sent = _read(response), _sent(response)
    if 400 <= response.status_code < 500:  # noqa: PLR2004 -- the class of client errors
        return
    what = _envelope_fault(response.status_code, envelope)
    if what:
        raise Violation(
            f"{case.method} {case.path}: {what}", rule="SERVER-ENVELOPE", check="has_an_envelope", sent=sent
        )


def fits_the_spec(ctx: Any, response: Any, case: Any) -> None:
    """Each reply fits the spec's schema; a success the schema for one."""
    del ctx
    envelope = _read(response)
    path = case.path
    if what := schema_error(path, response.status_code, envelope, good=_taken(response.status_code, envelope)):
        raise Violation(f"{path}: {what}", rule="SERVER-ENVELOPE", check="fits_the_spec", sent=_sent(response))


def accepted_exactly_when_legal(ctx: Any, response: Any, case: Any, facts: ApiFacts | None = None) -> None:
    """Check that a submission is accepted if, and only if, the bytes sent satisfy schema and rules."""
    del ctx
    sent = _sent(response)
    facts = facts or from_tables()
    taken = _taken(response.status_code, _read(response))
    if taken and sent.method != "POST":
        raise Violation(
            f"{sent.method} was accepted", rule="SERVER-HTTP", check="accepted_exactly_when_legal", sent=sent
        )
    if case.path != facts.submit or sent.method != "POST" or not sent.header(facts.auth_header):
        return
    if not sent.header("content-type") and not sent.body:
        parts: Any = ()
    else:
        try:
            parts = decode(sent)
        except Violation:
            return  # the parsers disagree about the form, so it cannot be judged
    verdict = facts.judge(parts)
    if verdict.legal is not None and taken != verdict.legal:
        word = "accepted" if taken else "refused"
        raise Violation(
            f"it was {word}, but the page says: {verdict.why or 'legal'}; the reply was {response.text[:300]}",
            rule=verdict.rule or "WIRE-EXACT",
            check="accepted_exactly_when_legal",
            sent=sent,
        )


CHECKS: Final[list[Any]] = [has_an_envelope, fits_the_spec, accepted_exactly_when_legal]


def _read(response: Any) -> dict[str, Any]:
    try:
        envelope = response.json()
    except ValueError:
        return {}
    return cast("dict[str, Any]", envelope) if isinstance(envelope, dict) else {}


def _taken(status: int, envelope: dict[str, Any]) -> bool:
    return 200 <= status < 300 and envelope.get("code") == rules.CODE_MEANING_SUCCESS  # noqa: PLR2004 -- the class of success


def _envelope_fault(status: int, envelope: dict[str, Any]) -> str:
    known = (rules.CODE_MEANING_SUCCESS, rules.CODE_MEANING_FAILURE, rules.CODE_MEANING_INSUFFICIENT_CREDITS)
    if status >= 500:  # noqa: PLR2004 -- server errors
        return f"HTTP {status}"
    if type(envelope.get("code")) is not int or envelope["code"] not in known:
        return f"the code is {envelope.get('code')!r}"
    return "" if isinstance(envelope.get("msg"), str) else f"the msg is {envelope.get('msg')!r}"


def _sent(response: Any) -> Sent:
    request = response.request
    body = request.body or b""
    return Sent(
        request.method, request.url, named(request.headers), body.encode() if isinstance(body, str) else bytes(body)
    )
