"""Checks of what a client sends: accepted exactly when legal, and what arrives is what was meant."""

from collections import Counter
from typing import Any

from contract.client_checks.under_test import KEY, ClientUnderTest, check, short
from seedream.errors import InvalidRequest
from seedream_testing.contract.api_facts import Case, Part
from seedream_testing.contract.decode import boundary, decode
from seedream_testing.contract.relations.texts import CHANGES
from seedream_testing.contract.violation import Sent, Violation


@check("WIRE-EXACT")
def sends_what_the_page_allows(subject: ClientUnderTest) -> None:
    """Each legal submission is sent, once, and arrives as it was meant."""
    for case in subject.facts.legal:
        if case.options is not None and case.wire is not None:
            same_form(subject, case, subject.one(case.options, case.rule))


@check("PROMPT-REQUIRED")
def sends_prompts_character_by_character(subject: ClientUnderTest) -> None:
    """No transformation of text is applied to a prompt or a category on its way."""
    for change in CHANGES:
        for given in change.texts:
            if not given.strip():
                continue
            parts = {part.name: part.content for part in decode(subject.one({"prompt": given}, "PROMPT-REQUIRED"))}
            if parts != {"prompt": given.encode()}:
                told = f"a prompt that shows whether {change.name} arrived as {str(parts)[:200]}"
                raise Violation(told, rule="PROMPT-REQUIRED")
    for given in TEXTS:
        parts = {
            part.name: part.content for part in decode(subject.one({"prompt": "a", "category": given}, "WIRE-EXACT"))
        }
        if parts != {"prompt": b"a", "category": given.encode()}:
            raise Violation(f"the category {given!r} arrived as {parts}", rule="WIRE-EXACT")


TEXTS = (
    "e\u0301 Å ﬁ ２",
    "a &amp; b < c > \"d\" 'e'",
    "%41+b%20c",
    "  a  \u3000",
    "A\tB\r\nc\nd",
    "灯塔 🌫 👩\u200d🚀",
    r"\n \u706f \\",
    "a" * 3000,
)


@check("SOURCE-IMAGE")
def equal_source_images_all_arrive(subject: ClientUnderTest) -> None:
    """Source images of one size, and one that is given twice, arrive each, in order."""
    first, second = b"\xff\xd8\xff-one", b"\xff\xd8\xff-two"
    for given in ([first, second], [second, first], [first, first], [first, second, first]):
        sent = subject.one({"prompt": "a fish", "source_images": given}, "SOURCE-IMAGE")
        arrived = [part.content for part in decode(sent) if part.filename is not None]
        if arrived != given:
            raise Violation(f"{given} arrived as {arrived}", rule="SOURCE-IMAGE", sent=sent)


@check("RES-FORMAT")
def what_people_type_arrives_as_the_page_writes_it(subject: ClientUnderTest) -> None:
    """A resolution in another spelling is refused, or arrives in the page's own."""
    for tier in subject.facts.tiers:
        _typed(subject, tier.lower(), tier)
        _typed(subject, f" {tier} ", tier)
    for ratio in subject.facts.ratios:
        _typed(subject, f" {ratio}", ratio)
        _typed(subject, ratio.replace(":", "\N{FULLWIDTH COLON}"), ratio)
    for size in ("2560X1440", "2560\N{MULTIPLICATION SIGN}1440", " 2560x1440 "):
        _typed(subject, size, "2560x1440")


def _typed(subject: ClientUnderTest, typed: str, meant: str) -> None:
    sent, result = subject.submit({"prompt": "a fish", "resolution": typed})
    if isinstance(result, InvalidRequest) and not sent:
        return
    arrived = [part.content for one in sent for part in decode(one) if part.name == "resolution"]
    if arrived != [meant.encode()]:
        raise Violation(f"the resolution {typed!r} arrived as {arrived}", rule="RES-FORMAT", sent=sent[0])


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


@check("WIRE-HTTP")
def speaks_the_operations_http(subject: ClientUnderTest) -> None:
    """Method and path are the spec's; the form is the whole body, and the query is empty."""
    sent = subject.one({"prompt": "a fish"}, "WIRE-HTTP")
    if (sent.method, sent.path) != ("POST", subject.facts.submit):
        raise Violation(
            f"it sent {sent.method} {sent.path}, not POST {subject.facts.submit}", rule="WIRE-HTTP", sent=sent
        )
    if sent.header("content-length") != (str(len(sent.body)),):
        raise Violation("the request has no Content-Length", rule="WIRE-HTTP", sent=sent)


@check("AUTH-HEADER")
def sends_the_key_as_the_page_says(subject: ClientUnderTest) -> None:
    """The header names the key once, after the scheme word, and no other header holds it."""
    check_key(subject, subject.one({"prompt": "a fish"}, "AUTH-KEY"))


def check_key(subject: ClientUnderTest, sent: Sent, key: str = KEY) -> None:
    """Whether a request carries the key as the page says.

    Raises:
        Violation: Rule AUTH-KEY without the header, AUTH-HEADER with a wrong one.
    """
    name, meant = subject.facts.auth_header, f"{subject.facts.auth_scheme} {key}"
    found = sent.header(name)
    if not found:
        raise Violation(f"there is no header {name}", rule="AUTH-KEY", sent=sent)
    if found != (meant,):
        schemes = [value.partition(" ")[0] for value in found if " " in value]
        raise Violation(f"header {name} is not one “{subject.facts.auth_scheme} KEY” (schemes {schemes})",
                        rule="AUTH-HEADER", sent=sent)  # fmt: skip


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


@check("SOURCE-IMAGE")
def no_file_name_can_add_a_header(subject: ClientUnderTest) -> None:
    """File names with quotation marks, line breaks or paths arrive tame, and add nothing."""
    for name in (
        'a".png',
        "a\r\nX-Evil: 1.png",
        "../../etc/passwd",
        "图.png",
        "a\0b.png",
        ";name=batchsize",
        "\ud800.png",
    ):
        source = NamedBytes(b"\xff\xd8\xff-bytes", name)
        sent = subject.one({"prompt": "a fish", "source_images": [source]}, "SOURCE-IMAGE")
        files = [part for part in decode(sent) if part.filename is not None]
        if len(files) != 1 or files[0].content != source.content or len(decode(sent)) != 2:
            raise Violation(f"the file name {name!r} changed the form", rule="WIRE-BOUNDARY", sent=sent)
        if not files[0].filename or set(files[0].filename) & set('"\r\n\0/\\;'):
            raise Violation(f"the file name {name!r} arrived as {files[0].filename!r}", rule="SOURCE-IMAGE", sent=sent)


class NamedBytes:
    """An open file with any name at all."""

    def __init__(self, content: bytes, name: str) -> None:
        self.content, self.name = content, name

    def read(self) -> bytes:
        """Return all of it."""
        return self.content


@check("WIRE-EXACT")
def none_is_not_a_value(subject: ClientUnderTest) -> None:
    """An option given as None is not sent, and not as the text None."""
    names = ("batchsize", "resolution", "source_images", "image_url", "category")
    sent = subject.one({"prompt": "a fish", **dict.fromkeys(names)}, "WIRE-EXACT")
    parts = decode(sent)
    if [(part.name, part.content) for part in parts] != [("prompt", b"a fish")]:
        raise Violation(f"{[(part.name, part.content) for part in parts]} arrived", rule="WIRE-EXACT", sent=sent)
