"""Relations of several fields at once, and of one form with the next: pairs of values, and what a form leaves behind."""

# ruff: noqa: E501 -- one case a line reads as a table

from collections.abc import Callable, Iterator
from functools import partial
from math import isqrt
from typing import Final

from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.encode import encode
from seedream_testing.contract.relations.pictures import checked_pictures
from seedream_testing.contract.relations.relation import PROMPT, Example, Need, Relation, fail, form, submission
from seedream_testing.contract.samples import jpeg, picture_size, png
from seedream_testing.contract.server_under_test import Reply, ServerUnderTest

Parts = tuple[Part, ...]
Refuse = Callable[[ServerUnderTest, Parts], Reply]
_PROMPT: Final = text("prompt", PROMPT)
_URL: Final = text("imageUrl", "https://example.com/1.png")
_FILE: Final = Part("sourceImage", png(shade=3), "a.png", "image/png")
_FILES: Final = (_FILE, Part("sourceImage", jpeg(), "b.jpg", "image/jpeg"))
_BARE: Final = (text("prompt", "bare"),)
# Neither ratios nor tiers of the page nor sizes within its bounds; some are within them when they are multiplied or
# divided by a number of pictures.
_NO_RESOLUTIONS: Final = ("5:4", "8K", "big", "1500x1500", "512x512", "1920x1080", "8192x4096", "4097x4096", "0x0")


def _legal(facts: ApiFacts) -> dict[str, Parts]:
    """Return legal values of each field but the prompt, by name."""
    values: dict[str, Parts] = {
        f"batchsize {number}": (text("batchsize", number),) for number in (2, facts.most_pictures)
    } | {
        f"resolution {value}": (text("resolution", value),)
        for value in (*facts.ratios[:1], *facts.tiers[-1:], "2560x1440")
    } | {
        "imageUrl": (_URL,), "a source image": (_FILE,), "two source images": _FILES,
        "the category": (text("category", facts.defaults.get("category", "seedreamv45")),),
        "everything else": (text("batchsize", 2), text("resolution", "2560x1440"), _URL, *_FILES),
    }  # fmt: skip
    return {name: parts for name, parts in values.items() if facts.judge((_PROMPT, *parts)).legal}


def _illegal(facts: ApiFacts) -> Iterator[tuple[str, str, Parts]]:
    """Yield illegal values: the field, a name, and the parts with a prompt."""
    for spec in facts.fields:
        if spec.minimum is not None and spec.maximum is not None and not spec.enum:
            low, high = int(spec.minimum), int(spec.maximum)
            for value in (low - 1, high + 1, -low, 10 * high, 2**32 + low, f"{low}.5", "many"):
                yield spec.name, f"{spec.name} {value}", form(spec.name, value)
        elif spec.name == "resolution":
            side = isqrt(facts.least_pixels)
            for written in (*_NO_RESOLUTIONS, f"{side}x{side - 1}", f"{facts.most_pixels + 1}x1"):
                yield spec.name, f"{spec.name} {written}", form(spec.name, written)
        elif spec.required and spec.kind == "string":
            yield spec.name, f"no {spec.name}", ()
            for blank in ("", " \n"):
                yield spec.name, f"{spec.name} {blank!r}", (text(spec.name, blank),)


def _refused_pairs(facts: ApiFacts) -> Iterator[Example]:
    for field, name, wrong in _illegal(facts):
        if (verdict := facts.judge(wrong)).legal is not False:
            continue
        for other, parts in _legal(facts).items():
            beside = tuple(part for part in parts if part.name != field)
            if beside:
                yield submission(f"{name} before {other}", verdict.rule, (*wrong, *beside))
                yield submission(f"{name} after {other}", verdict.rule, (*beside, *wrong))


def _accepted_pairs(facts: ApiFacts) -> Iterator[Example]:
    beside: dict[str, Parts] = {"imageUrl": (_URL,), "a source image": (_FILE,)}
    forms = {
        f"resolution {value} and {other}": (text("resolution", value), *parts)
        for value in (*facts.ratios, *facts.tiers, "2001x1999", "1440x2560")
        for other, parts in beside.items()
    }
    for number in (2, facts.most_pictures):
        forms |= {
            f"batchsize {number} and {other}": (text("batchsize", number), *parts) for other, parts in beside.items()
        }
    upright = (text("batchsize", 2), text("resolution", "1440x2560"))
    forms |= {f"batchsize 2, 1440x2560 and {other}": (*upright, *parts) for other, parts in beside.items()}
    forms |= {"two source images and imageUrl": (*_FILES, _URL), "batchsize 2, 1440x2560, two source images and imageUrl": (*_FILES, _URL, *upright)}  # fmt: skip
    for name, parts in forms.items():

        def run(server: ServerUnderTest, parts: Parts = (_PROMPT, *parts), name: str = name) -> None:
            before = server.charged()
            last, _ = checked_pictures(server, parts, name)
            charged = server.charged()[len(before) :]
            if server.charges is not None and charged != [facts.images(parts)]:
                raise fail(f"{name} was charged as {charged}", "SERVER-CHARGE", last)

        if facts.judge((_PROMPT, *parts)).legal:
            yield Example(name, run, facts.images((_PROMPT, *parts)))


# What a form leaves behind


def _carried(facts: ApiFacts) -> dict[str, Parts]:
    """Return values other than the default of each field that a task shows."""
    values = {"batchsize": "3", "resolution": "1440x2560", "category": "other"}
    known = {name: (text(name, value),) for name, value in values.items() if name in facts.rules}
    tier = {"the highest tier": (text("resolution", facts.tiers[-1]),)} if facts.tiers else {}
    return known | tier | {"everything": (*(part for parts in known.values() for part in parts), _URL, *_FILES)}


def _refusals(facts: ApiFacts) -> Iterator[tuple[str, Refuse, tuple[Need, ...]]]:
    """Yield ways to have a form refused that is legal but for that."""

    def wrong(field: str, parts: Parts) -> Refuse:
        return lambda server, sent: server.submit(
            [*(part for part in sent if part.name not in (field, "prompt")), *parts]
        )

    def cut(server: ServerUnderTest, sent: Parts) -> Reply:
        """Send a form that ends before its prompt."""
        kind, body = encode([*(part for part in sent if part.name != "prompt"), _PROMPT])
        return server.post(facts.submit, kind, body[: body.rindex(b'name="prompt"')])

    seen = set[tuple[str, str]]()
    for field, name, parts in _illegal(facts):
        verdict = facts.judge(parts)
        if verdict.legal is False and (field, verdict.rule) not in seen:
            seen.add((field, verdict.rule))
            yield name, wrong(field, parts), ()
    yield "a form that breaks off", cut, ()
    yield "no key", lambda server, sent: server.submit(sent, {}), ()
    yield (
        "an unknown key",
        lambda server, sent: server.submit(sent, facts.authorization("sk-0000-no-account")),
        (Need.UNKNOWN_KEY,),
    )
    yield (
        "no credits",
        lambda server, sent: server.submit(sent, facts.authorization(server.no_credits_key)),
        (Need.NO_CREDITS,),
    )


def _bare(server: ServerUnderTest, usual: Reply, after: str) -> None:
    """Check that a form of only a prompt has the defaults, as the known task has."""
    what = f"a form of only a prompt, after {after},"
    last = server.must_accept(lambda: server.submit(_BARE), what, "WIRE-EXACT", server.facts.meaning(_BARE))
    sizes = [
        (reply.data["width"], reply.data["height"])
        if {"width", "height"} <= reply.data.keys()
        else picture_size(server.send("GET", reply.data["url"][0]).body)
        for reply in (usual, last)
    ]
    if sizes[0] != sizes[1]:
        raise fail(f"{what} has pictures of {sizes[1]}, not of {sizes[0]}", "WIRE-EXACT", last)


def _left_by_refusal(facts: ApiFacts) -> Iterator[Example]:
    for kind, refuse, needs in _refusals(facts):
        for name, parts in _carried(facts).items():

            def run(
                server: ServerUnderTest,
                parts: Parts = parts,
                refuse: Refuse = refuse,
                kind: str = kind,
                name: str = name,
            ) -> None:
                usual = server.known_task()
                if server.accepted(reply := refuse(server, (_PROMPT, *parts))):
                    raise fail(f"a form with {kind} was accepted", "WIRE-EXACT", reply)
                _bare(server, usual, f"one with {name} that was refused for {kind}")

            if not kind.startswith(parts[0].name) or name == "everything":
                yield Example(f"{name}, refused for {kind}", run, 1 + facts.default_pictures, needs)

        def no_prompt(server: ServerUnderTest, refuse: Refuse = refuse, kind: str = kind) -> None:
            if server.accepted(reply := refuse(server, (_PROMPT, text("batchsize", 2)))):
                raise fail(f"a form with {kind} was accepted", "WIRE-EXACT", reply)
            what = f"a form without a prompt, after one that was refused for {kind},"
            server.must_refuse(lambda: server.submit([text("batchsize", 1)]), what, "PROMPT-REQUIRED")

        yield Example(f"the prompt, refused for {kind}", no_prompt, 0, needs)
    for name, parts in _carried(facts).items():
        broken = partial(_broken_off, parts=(_PROMPT, *parts))
        yield Example(f"{name}, in a form whose connection ends in the middle", broken, 1 + facts.default_pictures)


def _broken_off(server: ServerUnderTest, parts: Parts) -> None:
    """Leave in the middle of forms; the next form on another connection is served as if nothing had been."""
    usual, before = server.known_task(), server.charged()
    for _ in range(2):
        server.abandon(parts)
    _bare(server, usual, "some that were broken off in the middle")
    if server.charges is not None and (charged := sum(server.charged()[len(before) :])) > server.facts.default_pictures:
        raise fail(f"forms that were broken off were charged: {charged} images in all", "SERVER-CHARGE")


def _left_by_acceptance(facts: ApiFacts) -> Iterator[Example]:
    for name, parts in _carried(facts).items():
        sent = (_PROMPT, *(part for part in parts if part.name != "category"))
        if len(sent) == 1:
            continue  # the page names only the default of the category

        def run(server: ServerUnderTest, sent: Parts = sent, name: str = name) -> None:
            usual = server.known_task()
            server.task(sent)
            _bare(server, usual, f"one with {name}")

        def second(server: ServerUnderTest, sent: Parts = sent, name: str = name) -> None:
            usual = server.known_task()
            with server.with_key(server.second_key) as other:
                other.task(sent)
                server.spent += other.spent
            _bare(server, usual, f"another account's with {name}")

        images = 1 + facts.images(sent) + facts.default_pictures
        yield Example(name, run, images)
        yield Example(f"{name}, of another account", second, images, (Need.SECOND_KEY,))

    def no_prompt(server: ServerUnderTest) -> None:
        server.task(_BARE)
        server.must_refuse(
            lambda: server.submit([text("batchsize", 1)]),
            "a form without a prompt, after one with it,",
            "PROMPT-REQUIRED",
        )

    yield Example("the prompt", no_prompt, facts.default_pictures)


RELATIONS: Final = (
    Relation("pair.illegal", "WIRE-EXACT", "An illegal value is refused, and nothing charged, whatever legal value of another field comes with it.", _refused_pairs),
    Relation("pair.legal", "SERVER-PICTURES", "Each resolution and number of pictures means the same beside an address or source images.", _accepted_pairs),
    Relation("state.refusal", "WIRE-EXACT", "What a refused form carried is not used for the next form: it has the defaults.", _left_by_refusal, unseen="Only what a task shows: number and size of pictures, prompt, category."),
    Relation("state.acceptance", "WIRE-EXACT", "What an accepted form carried is not used for the next form: it has the defaults.", _left_by_acceptance, unseen="Only what a task shows: number and size of pictures, prompt, category."),
)  # fmt: skip
