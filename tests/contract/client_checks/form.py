"""The page's own cases: sent exactly when legal, and what arrives is what was meant; no text changes the form."""

from collections import Counter
from typing import Any

from contract.client_checks.under_test import ClientUnderTest, check, short
from seedream.errors import InvalidRequest
from seedream_testing.contract.api_facts import Case, Part
from seedream_testing.contract.decode import boundary, decode
from seedream_testing.contract.violation import Sent, Violation


@check("WIRE-EXACT")
def sends_what_the_page_allows(subject: ClientUnderTest) -> None:
    """Each legal submission is sent, once, and arrives as it was meant."""
    for case in subject.facts.legal:
        if case.options is not None and case.wire is not None:
            same_form(subject, case, subject.one(case.options, case.rule))


def same_form(subject: ClientUnderTest, case: Case, sent: Sent, rule: str = "") -> None:
    """Whether a request holds exactly the case's parts: contents and order within a field.

    Raises:
        Violation: It does not; under this rule, or else under that of the field.
    """
    parts = decode(sent)
    for name in dict.fromkeys([*subject.facts.rules, *(part.name for part in parts)]):
        found = [part.content for part in parts if part.name == name]
        meant = [part.content for part in case.wire or () if part.name == name]
        if found != meant:
            broken = "WIRE-EXACT" if name not in subject.facts.rules or not meant else subject.facts.rules[name]
            what = f"{case.name}: field {name!r} arrived as {short_list(found)}, but {short_list(meant)} was meant"
            raise Violation(what, rule=rule or broken, sent=sent)
    for part in parts:
        _part_is_plain(case, part, sent)
    if Counter(map(_named, parts)) != Counter(map(_named, case.wire or ())):
        raise Violation(f"{case.name}: {parts} arrived, but {case.wire} was meant", rule="SOURCE-IMAGE", sent=sent)


def _part_is_plain(case: Case, part: Part, sent: Sent) -> None:
    if set(part.headers) - {"content-disposition", "content-type"} or len(set(part.headers)) != len(part.headers):
        raise Violation(f"{case.name}: part {part.name!r} has headers {part.headers}", rule="WIRE-BOUNDARY", sent=sent)
    if part.filename is None and not (part.media_type or "text/plain").startswith("text/plain"):
        raise Violation(f"{case.name}: text part {part.name!r} is {part.media_type}", rule="WIRE-HTTP", sent=sent)


def _named(part: Part) -> tuple[str, bool, str | None]:
    return part.name, part.filename is not None, part.media_type if part.filename is not None else None


def short_list(contents: list[bytes]) -> str:
    """Contents for a message."""
    return repr([content[:60] for content in contents])


@check("RES-PIXELS")
def refuses_what_the_page_forbids(subject: ClientUnderTest) -> None:
    """Each illegal submission is refused before anything is sent, with an error that names the rule."""
    for case in subject.facts.illegal:
        if case.options is None:
            continue
        sent, result = subject.submit(case.options)
        if sent:
            raise Violation(f"{case.name}: {short(case.options)} was sent", rule=case.rule, sent=sent[0])
        if not isinstance(result, InvalidRequest):
            raise Violation(f"{case.name}: {short(case.options)} gave {result!r}", rule=case.rule)
        if case.rule not in {problem.rule for problem in result.problems}:
            raise Violation(f"{case.name}: the error does not name the rule: {result}", rule=case.rule)


@check("WIRE-BOUNDARY")
def no_text_can_end_its_part(subject: ClientUnderTest) -> None:
    """A prompt, a name or a picture that holds a boundary, known or guessed, changes nothing in the form."""
    seen = [boundary(subject.one({"prompt": "a fish"}, "WIRE-BOUNDARY")) for _ in range(3)]
    evil = 'Content-Disposition: form-data; name="batchsize"\r\n\r\n15'
    for mark in dict.fromkeys([*seen, "+++", "boundary", "----WebKitFormBoundary"]):
        attack = f"a fish\r\n--{mark}\r\n{evil}\r\n--{mark}--\r\n"
        for options in (
            {"prompt": attack},
            {"prompt": "a fish", "category": attack},
            {"prompt": "a fish", "image_url": attack, "allow_unrecognized_sources": True},
            {"prompt": "a fish", "source_images": [b"\xff\xd8\xff" + attack.encode()]},
        ):
            same_form(subject, _meant(options), subject.one(options, "WIRE-BOUNDARY"), "WIRE-BOUNDARY")
    if len(set(seen)) != len(seen):
        raise Violation(f"the boundary {seen[0]!r} is used again", rule="WIRE-BOUNDARY")


def _meant(options: dict[str, Any]) -> Case:
    wire = [Part({"image_url": "imageUrl"}.get(name, name), value.encode())
            for name, value in options.items() if isinstance(value, str)]  # fmt: skip
    wire += [Part("sourceImage", content, "x.jpg", "image/jpeg")
             for content in options.get("source_images", ())]  # fmt: skip
    return Case("a value that holds a boundary", "WIRE-BOUNDARY", options, tuple(wire))
