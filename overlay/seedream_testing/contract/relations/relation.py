"""What a relation is: one sentence that must hold of a server, and the family of examples that is derived from it."""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Final

from attrs import frozen

from seedream_testing.contract.api_facts import ApiFacts, Meaning, Part, text
from seedream_testing.contract.server_under_test import Reply, ServerUnderTest
from seedream_testing.contract.violation import Violation

PROMPT: Final = "a lighthouse"


class Need(Enum):
    """What an example needs besides the address and one key; without it, the example is skipped, and says so."""

    UNKNOWN_KEY = "a server that refuses unknown keys"
    SECOND_KEY = "the key of a second account (--second-key-file)"
    NO_CREDITS = "the key of an account without credits (--no-credits-key-file)"
    LEDGER = "the account's charges (--charges-url)"


@frozen
class Example:
    """One member of a family.

    Attributes:
        name: Unique within the relation.
        run: Checks a server; returns, or raises Violation.
        images: How many images a server that keeps to the page charges for it at most.
        needs: What it needs besides one key.
        fault: What the matching planted fault does to an independent server, for the self-test of this suite: the
            name of a hook and its value. None where the fault is derived from the recorded exchange.
    """

    name: str
    run: Callable[[ServerUnderTest], object]
    images: int = 0
    needs: tuple[Need, ...] = ()
    fault: tuple[str, Any] | None = None


@frozen
class Relation:
    """One relation.

    Attributes:
        id: For example ``batchsize.spelling``.
        rule: Id of the rule that it guards, of the ledger or of ``PROJECT_RULES``.
        sentence: What must hold.
        examples: Derives the family from the facts of the page.
        unseen: What of the family the public API cannot show, and which extra shows it; empty where all is visible.
    """

    id: str
    rule: str
    sentence: str
    examples: Callable[[ApiFacts], Iterable[Example]]
    unseen: str = ""

    def derive(self, facts: ApiFacts) -> list[Example]:
        """Return the family, each example once."""
        return list({example.name: example for example in self.examples(facts)}.values())

    @property
    def family(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]


def form(name: str, value: object) -> tuple[Part, ...]:
    """Return a form with a prompt and one other field, or only the prompt if that is the field."""
    return (text(name, value),) if name == "prompt" else (text("prompt", PROMPT), text(name, value))


def well_formed(name: str, rule: str, sent: Sequence[Part]) -> Example:
    """Return an example of a form that may be taken in any way, but must get a reply as the page describes it."""

    def run(server: ServerUnderTest) -> None:
        reply = server.submit(sent)
        if server.accepted(reply):
            server.spent += 1
            server.check_taken(reply, name, rule)
        else:
            server.check_refused(reply, name, rule)

    return Example(name, run, images=1)


def by_verdict(facts: ApiFacts, name: str, parts: Iterable[Part], rule: str = "") -> Example:
    """Return the example that the judge of the page decides on: refused, accepted, or either."""
    sent = tuple(parts)
    verdict = facts.judge(sent)
    rule = rule or verdict.rule or facts.rule_about(sent)
    if verdict.legal is False:
        return submission(name, rule, sent)
    try:
        meaning = facts.meaning(sent)
    except UnicodeDecodeError:
        return well_formed(name, rule, sent)
    return submission(name, rule, sent, meaning, optional=not verdict.legal)


def submission(
    name: str, rule: str, parts: Iterable[Part], meaning: Meaning | None = None, *, optional: bool = False
) -> Example:
    """Return an example of a form: see `request`."""
    sent = tuple(parts)
    return request(name, rule, lambda server: server.submit(sent), meaning, optional=optional)


def request(
    name: str,
    rule: str,
    send: Callable[[ServerUnderTest], Reply],
    meaning: Meaning | None = None,
    *,
    optional: bool = False,
) -> Example:
    """Return an example of any submission.

    Without a meaning it must be refused; else it must be accepted with exactly this meaning, or may be, if the page
    says nothing of it (``optional``).
    """

    def run(server: ServerUnderTest) -> None:
        if meaning is None:
            server.must_refuse(lambda: send(server), name, rule)
        else:
            server.must_accept(lambda: send(server), name, rule, meaning, optional=optional)

    return Example(name, run, images=meaning.images if meaning else 0)


def fail(what: str, rule: str, reply: Reply | None = None) -> Violation:
    """Return a violation, with the exchange if there is one."""
    return reply.violation(what, rule) if reply is not None else Violation(what, rule=rule)
