"""What the checks need to know about the API, as plain data: a judge typed by hand can replace the tables."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from tensorslab_images.limits import Field


@frozen
class Part:
    """One part of a form as it was on the wire.

    Attributes:
        name: Of the field.
        content: The bytes.
        filename: None for a text field.
        media_type: As sent, or None.
        headers: Names (lower case) of all the part's headers, in order.
    """

    name: str
    content: bytes = field(repr=lambda content: repr(content[:80]))
    filename: str | None = None
    media_type: str | None = None
    headers: tuple[str, ...] = field(default=(), eq=False, repr=False)


@frozen
class Verdict:
    """Whether a submission is legal; None where the page does not say, and nothing may be asserted.

    Attributes:
        legal: True, False, or None.
        rule: Id of the rule that decides.
        why: The reason, in a few words.
        meaning: Where ``legal`` is None, the canonical value that a server which accepts it must have read, if known.
    """

    legal: bool | None
    rule: str = ""
    why: str = ""
    meaning: str | None = None


@frozen
class Case:
    """One submission whose verdict is known beforehand.

    Attributes:
        name: A few words about it.
        rule: Id of the rule that it is about.
        options: Keyword arguments of the client's ``submit``, prompt included; None where Python cannot say it.
        wire: Its parts in the form; None where a form cannot hold it.
        size: Width and height (pixels) of the pictures, where the page tells them.
    """

    name: str
    rule: str
    options: Mapping[str, Any] | None
    wire: tuple[Part, ...] | None
    size: tuple[int, int] | None = None


@frozen
class Meaning:
    """What a submission asks for and its task shows."""

    images: int
    resolution: str  # in canonical form
    prompt: str  # as it was sent
    category: str  # as it was sent

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height (pixels) where the resolution names them."""
        found = re.fullmatch("([0-9]+)x([0-9]+)", self.resolution)
        return (int(found[1]), int(found[2])) if found else None


@frozen(kw_only=True)
class ApiFacts:
    """The API as its page describes it.

    Attributes:
        submit: Path of the operation; query, delete likewise.
        auth_header: Name of the header with the key; auth_scheme: the word before the key.
        success: The envelope's codes; failure, no_credits likewise.
        queued: The task's status numbers; processing, completed, failed likewise.
        legal: Submissions that must be accepted; illegal: that must be refused.
        judge: The verdict on any form.
        rules: The rule that speaks about each field, by its name on the wire.
        defaults: The value of a field that is not sent, by its name on the wire.
        fields: The fields of a submission with their keywords.
        ratios: The aspect ratios that a resolution may be; tiers likewise.
        least_pixels: The fewest pixels of a size; most_pixels likewise, both included.
    """

    submit: str
    query: str
    delete: str
    auth_header: str
    auth_scheme: str
    success: int
    failure: int
    no_credits: int
    queued: int
    processing: int
    completed: int
    failed: int
    legal: tuple[Case, ...]
    illegal: tuple[Case, ...]
    judge: Callable[[Sequence[Part]], Verdict]
    rules: Mapping[str, str]
    defaults: Mapping[str, str]
    fields: tuple[Field, ...]
    ratios: tuple[str, ...]
    tiers: tuple[str, ...]
    least_pixels: int
    most_pixels: int

    @property
    def sent(self) -> tuple[Case, ...]:
        """The legal cases that can be sent as they are."""
        return tuple(case for case in self.legal if case.wire is not None)

    @property
    def default_pictures(self) -> int:
        """How many pictures a submission asks for that does not say so."""
        return int(self.defaults.get("batchsize", 1))

    @property
    def most_pictures(self) -> int:
        """How many pictures a submission may ask for."""
        return max((int(field.maximum or 1) for field in self.fields if field.name == "batchsize"), default=1)

    def authorization(self, key: str | None) -> dict[str, str]:
        """Return the header with a key."""
        return {self.auth_header: f"{self.auth_scheme} {key}"}

    def meaning(self, parts: Sequence[Part]) -> Meaning:
        """Return what a form asks for that is legal, or that a server may accept."""

        def value(name: str) -> str:
            named = [part for part in parts if part.name == name]
            if not named:
                return self.defaults.get(name, "")
            verdict = self.judge([text("prompt", "x"), named[0]]) if name != "prompt" else Verdict(legal=True)
            return verdict.meaning or named[0].content.decode()

        return Meaning(int(value("batchsize") or 1), value("resolution"), value("prompt"), value("category"))

    def rule_about(self, parts: Sequence[Part]) -> str:
        """Return the rule that allows a legal form: the one about its first field besides the prompt."""
        for part in parts:
            if part.name == "resolution":
                value = part.content.decode()
                return "RES-RATIO" if value in self.ratios else "RES-TIER" if value in self.tiers else "RES-PIXELS"
            if part.name != "prompt":
                return self.rules.get(part.name) or "WIRE-EXACT"
        return "PROMPT-REQUIRED"

    def images(self, parts: Sequence[Part]) -> int:
        """Return how many images a legal form asks for."""
        return self.meaning(parts).images


def text(name: str, value: object) -> Part:
    """Return a text part."""
    return Part(name, str(value).encode())
