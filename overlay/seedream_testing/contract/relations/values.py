"""Relations of single fields: every bound and its neighbours, every spelling, every word that is not a value."""

# ruff: noqa: E501 -- one case a line reads as a table

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from math import isqrt
from typing import Final

from attrs import evolve
from tensorslab_images.limits import Field

from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.relations.relation import PROMPT, Example, Relation, by_verdict, fail, form, submission
from seedream_testing.contract.relations.spellings import SPELLINGS, WORDS
from seedream_testing.contract.samples import jpeg
from seedream_testing.contract.server_under_test import ServerUnderTest

_BLANKS: Final = ("", " ", "\t", "\n", "\r\n", "\u3000", "\u00a0", "  \n\t ")
_WORD: Final = 2**32
_BETWEEN: Final = (
    " ", "_", "\t", "*", "×", "X", "|", "\\", "–", ".", ",", ";", "=", "~", "∶", "：", "::", " : ", " to ", "by", "比",
)  # fmt: skip

_FAR: Final = (99, 100, 101, 110, 111, 150, 151, 200, 255, 500, 999, 1000, 1001, 1111, 9999)  # fmt: skip
_OTHER_PROMPTS: Final = (
    "Prompt", "PROMPT", "prompt ", " prompt", "prompt[]", "prompt[0]", "prompts", "promp", "text", "input", "prompt\u200b", "ｐrompt", "prompt.",
    "prompt;",
)  # fmt: skip
_OTHER_RESOLUTIONS: Final = (
    "Resolution", "RESOLUTION", "resolution[]", " resolution", "resolution ", "size", "image_size", "quality", "tier", "scale",
)  # fmt: skip
_UNKNOWN_FIELDS: Final = (
    "n", "count", "num_images", "batch_size", "batchSize", "size", "width", "ratio", "aspect_ratio", "model", "seed", "negative", "uid", "taskid",
    "__proto__", "constructor",
)  # fmt: skip
_NOT_RATIOS: Final = ("0:0", "0:1", "1:0", "9:0", "256:144", "1920:1080", "2048:2048", "2560:1440", "4096:4096")  # fmt: skip
_NOT_TIERS: Final = (
    "HD", "FHD", "UHD", "QHD", "WQHD", "720p", "1080p", "2160p", "4k UHD", "square", "landscape", "portrait", "auto", "adaptive", "default", "max",
    "original", "K", "k",
)  # fmt: skip
_SIDES: Final = (1, 2, 3, 7, 8, 16, 100, 256, 512, 999, 1024, 1440, 1500, 1920, 2048, 4096, 8192, 16384)  # fmt: skip
_USUAL_SIZES: Final = (
    "256x256", "512x512", "768x768", "1024x1024", "1024x768", "1280x720", "1365x1024", "1500x1500", "1536x1536", "1600x900", "1664x936", "1792x1024",
    "1920x1080", "1920x1200", "1920x1919", "1919x1920", "1920x1921", "2000x2000", "2048x1536", "2304x1728", "2496x1664", "2560x1440", "3024x1296",
    "3750x1250", "3840x2160", "4096x2304", "4096x4096", "4097x4097", "5404x3040", "5504x3040", "6000x2800", "6240x2656", "7680x4320", "8192x2048",
    "8192x8192", "10000x1000", "10000x10000", "16384x1024",
)  # fmt: skip
_NOT_SIZES: Final = (
    "0x0", "0x2048", "2048x0", "-2048x-2048", "-2048x2048", "2048x-2048", "x", "2048x", "x2048", "2048", "2048x2048x", "x2048x2048", "2048x2048x1",
    "2048x2048x3", "2048xx2048", "2048 2048", "2048,2048", "2048*2048", "2048×2048", "2048by2048", "2048 x 2048", "2048X2048", "2048-2048",
    "2048/2048", "2048_2048", "2048:2048", "w2048h2048", "2048w2048h", "2048px x 2048px", "2048pxx2048px", "2048x2048px", "(2048,2048)",
    "[2048,2048]", "2048.0x2048", "2048x2048.0", "2048.5x2048", "2e3x2048", "0x800x0x800", "2048xNaN", "infxinf", "axb", "2Kx2K", "2048x2K",
    "2K,2048x2048", "2048x2048 2K", "16:9 2K", "16:9@2K", "2K 16:9", "1e99x1", "99999999x99999999", "²x³", "MMXLVIIIxMMXLVIII", "二千x二千",
    "2048x2048\n", "\n2048x2048", "2048x2048\r\n", "2048\nx2048", "2048x2048\x00", "2048x2048#", "2048x2048?", "2048x2048&", "2048x2048;",
)  # fmt: skip
_NUMBERS_OF_TIERS: Final = (*range(17), 20, 32, 1024, 2048, 2000, 4096)  # fmt: skip
_BROKEN: Final = {
    "a lone continuation byte": b"a\x80b", "a cut character": "灯".encode()[:2], "an overlong slash": b"\xc0\xaf", "a surrogate": b"\xed\xa0\x80",
    "UTF-16": "灯塔".encode("utf-16"), "Latin-1": "é".encode("latin-1"), "GBK": "灯塔".encode("gbk"), "beyond Unicode": b"\xf5\x80\x80\x80",
}  # fmt: skip


def _case(facts: ApiFacts, field: str, value: str, name: str = "") -> Example:
    return by_verdict(facts, name or f"{field} {value!r}", form(field, value))


def _numbers(facts: ApiFacts) -> Iterator[tuple[Field, int, int]]:
    for spec in facts.fields:
        if spec.kind in ("integer", "number") and not spec.enum:
            low = spec.minimum if spec.minimum is not None else 0
            high = spec.maximum if spec.maximum is not None else low + 15
            yield spec, int(low), int(high)


def _bounds(facts: ApiFacts) -> Iterator[Example]:
    for spec, low, high in _numbers(facts):
        inside = {low, low + 1, (low + high) // 2, high - 1, high}
        near = {*range(high + 1, 9 * high), *_FAR}
        near |= {low - 1, high + 1, -low, -high, low - 2, high + 2, 2 * high, 10 * high, 100 * high}
        words = {2**bits + offset for bits in (7, 8, 15, 16, 31, 32, 63, 64) for offset in (-1, 0, 1, low, high)}
        for number in sorted(
            value for value in inside | near | words | {-value for value in words} if value >= -(2**64)
        ):
            yield _case(facts, spec.name, str(number))
        for outside in (low - 1, high + 1):
            for spelling in SPELLINGS:
                written = spelling.spell(str(outside))
                if facts.judge(form(spec.name, written)).legal is False:
                    yield _case(facts, spec.name, written, f"{outside} with {spelling.name}: {written[:60]!r}")
        yield _case(facts, spec.name, "9" * 400, f"{spec.name} of 400 digits")
        yield _case(facts, spec.name, "9" * 5000, f"{spec.name} of 5,000 digits")


def _each_number(facts: ApiFacts) -> Iterator[Example]:
    for spec, low, high in _numbers(facts):
        for number in range(low - 3, high + 4):
            yield _case(facts, spec.name, str(number))
        # Each end together with each end of the other fields: a limit may hold for only one of them.
        sizes = (*facts.tiers, *facts.ratios[:1], f"{facts.least_pixels}x1", f"4096x{facts.most_pixels // 4096}")
        for number, size in product((low, high), sizes):
            parts = (*form(spec.name, str(number)), text("resolution", size))
            if number == high or size not in facts.tiers:
                yield by_verdict(facts, f"{number} of {size}", parts)


def _lengths(facts: ApiFacts) -> Iterator[Example]:
    for spec in facts.fields:
        if spec.kind == "string":
            for bound in filter(None, (spec.min_length, spec.max_length)):
                for length in (bound - 1, bound, bound + 1):
                    yield _case(facts, spec.name, "a" * length, f"{spec.name} of {length} characters")
            for value in spec.enum:
                yield _case(facts, spec.name, str(value))
                for other in (f"{value}x", str(value)[:-1], f"not{value}"):
                    yield _case(facts, spec.name, other)
        if spec.kind == "binary":
            for bound in filter(None, (spec.min_items, spec.max_items)):
                for count in (bound - 1, bound, bound + 1):
                    files = [Part(spec.name, jpeg(), f"{n}.jpg", "image/jpeg") for n in range(count)]
                    yield by_verdict(facts, f"{count} of {spec.name}", (text("prompt", PROMPT), *files))


def _spelled(facts: ApiFacts, field: str, values: Iterable[str]) -> Iterator[Example]:
    seen = set[str]()
    for canonical in values:
        for spelling in SPELLINGS:
            written = spelling.spell(canonical)
            if written == canonical or written in seen:
                continue
            seen.add(written)
            example = _case(facts, field, written, f"{canonical} with {spelling.name}: {written[:60]!r}")
            yield evolve(example, fault=("read_as", (field, written, canonical)))


def _batch_spellings(facts: ApiFacts) -> Iterator[Example]:
    for spec, low, high in _numbers(facts):
        yield from _spelled(facts, spec.name, [str(min(low + 2, high)), str(min(low + 9, high))])


def _words(facts: ApiFacts) -> Iterator[Example]:
    for spec, low, high in _numbers(facts):
        for word in (*WORDS, *_BLANKS[1:]):
            yield _case(facts, spec.name, word)
        for value in (low + 0.5, (low + high) / 2 + 0.25, high + 0.1, low - 0.1):
            yield _case(facts, spec.name, str(value))
        yield _either_default(facts, spec.name)


def _either_default(facts: ApiFacts, field: str) -> Example:
    parts = form(field, "")
    return submission(f"{field} ''", facts.rules[field] or "WIRE-EXACT", parts, facts.meaning(parts), optional=True)


def _prompts(facts: ApiFacts) -> Iterator[Example]:
    for spec in facts.fields:
        if spec.required and spec.kind == "string":
            others = [text(name, value) for name, value in facts.defaults.items()]
            yield by_verdict(facts, f"no {spec.name}", others)
            yield by_verdict(
                facts,
                f"no field at all but a file, no {spec.name}",
                [Part("sourceImage", jpeg(), "a.jpg", "image/jpeg")],
            )
            values = {
                "batchsize": "2", "resolution": "2560x1440", "category": "other",
                "imageUrl": "https://example.com/1.png",
            }  # fmt: skip
            for name, value in values.items():
                if name in facts.rules:
                    yield by_verdict(facts, f"only {name}, no {spec.name}", [text(name, value)])
            for blank in _BLANKS:
                yield by_verdict(facts, f"{spec.name} {blank!r}", [text(spec.name, blank)])
            for other in _OTHER_PROMPTS:
                yield by_verdict(facts, f"{spec.name} under the name {other!r}", [text(other, PROMPT)])


def _names(facts: ApiFacts) -> Iterator[Example]:
    """Fields under other names are not the field: what they would ask for is not done."""
    values = {"batchsize": "3", "resolution": facts.ratios[0] if facts.ratios else "1:1", "category": "other"}
    for field, value in values.items():
        if field not in facts.rules:
            continue
        for name in (
            field.capitalize(), field.upper(), f"{field}[]", f" {field}", f"{field} ", field[:-1], f"{field}s",
            f"{field}_", f"x-{field}",
        ):  # fmt: skip
            parts = (text("prompt", PROMPT), text(name, value))
            yield submission(
                f"{field} under the name {name!r}", "WIRE-EXACT", parts, facts.meaning(parts), optional=True
            )
    if "resolution" in facts.rules and facts.tiers:
        highest = max(facts.tiers, key=lambda tier: int(tier[:-1]))
        for name in _OTHER_RESOLUTIONS:
            yield _of_default_size(f"the tier under the name {name!r}", (text("prompt", PROMPT), text(name, highest)))
    for name in _UNKNOWN_FIELDS:
        parts = (text("prompt", PROMPT), text(name, "3"))
        yield submission(f"an unknown field {name!r}", "WIRE-EXACT", parts, facts.meaning(parts), optional=True)


def _of_default_size(name: str, parts: tuple[Part, ...]) -> Example:
    """Return an example that is refused, or whose pictures have the size of those without any resolution."""

    def run(server: ServerUnderTest) -> None:
        usual = server.known_task()
        reply = server.submit(parts)
        if not server.accepted(reply):
            server.check_refused(reply, name, "WIRE-EXACT")
            return
        last = server.completed(server.check_taken(reply, name, "WIRE-EXACT"))
        server.spent += server.facts.images(parts)
        for side in ("width", "height"):
            server.need_echo(last, side)
            if last.data[side] != usual.data.get(side):
                raise fail(f"{name}: {side} is {last.data[side]}, not {usual.data.get(side)}", "WIRE-EXACT", last)

    return Example(name, run, 2)


def _twice(facts: ApiFacts) -> Iterator[Example]:
    values = {
        "prompt": ("a", "b"),
        "batchsize": ("1", "2"),
        "resolution": ("2560x1440", "1440x2560"),
        "category": ("a", "b"),
        "imageUrl": ("https://example.com/1.png", "https://example.com/2.png"),
    }
    for field, (first, second) in values.items():
        if field not in facts.rules:
            continue
        rest = () if field == "prompt" else (text("prompt", PROMPT),)
        one, two, empty = text(field, first), text(field, second), text(field, "")
        for name, parts in {
            "twice, different": (*rest, one, two), "twice, the same": (*rest, one, one), "twice, once empty": (*rest, one, empty),
            "twice, not side by side": (one, text("other", "x"), *rest, two), "three times": (*rest, one, one, one),
        }.items():  # fmt: skip
            yield by_verdict(facts, f"{field} {name}", parts)


def _bytes(facts: ApiFacts) -> Iterator[Example]:
    for name, content in _BROKEN.items():
        yield by_verdict(facts, f"prompt: {name}", (Part("prompt", content),))
        yield by_verdict(facts, f"category: {name}", (text("prompt", PROMPT), Part("category", content)))
        yield by_verdict(facts, f"batchsize: {name}", (text("prompt", PROMPT), Part("batchsize", b"3" + content)))
        yield by_verdict(facts, f"resolution: {name}", (text("prompt", PROMPT), Part("resolution", b"2K" + content)))


def _kinds(facts: ApiFacts) -> Iterator[Example]:
    values = {"prompt": "a", "batchsize": "2", "resolution": "2560x1440", "category": "a"}
    for field, value in values.items():
        if field in facts.rules:
            rest = () if field == "prompt" else (text("prompt", PROMPT),)
            parts = (*rest, Part(field, value.encode(), "value.txt", "text/plain"))
            meaning = facts.meaning((*rest, text(field, value)))
            yield submission(f"{field} as a file", facts.rules[field], parts, meaning, optional=True)


# Resolutions


def _ratios(facts: ApiFacts) -> Iterator[Example]:
    for width in range(1, 22):
        for height in range(1, 22):
            ratio = f"{width}:{height}"
            if ratio not in facts.ratios:
                yield _case(facts, "resolution", ratio)
    for ratio in facts.ratios:
        width, height = map(int, ratio.split(":"))
        for factor in (2, 3, 10, 120):
            yield _case(facts, "resolution", f"{width * factor}:{height * factor}")
        for other in (
            f"{width}x{height}", f"{width}/{height}", f"{width}-{height}", f"{width}{height}", f"{width}:{height}:1",
            f"{width}:", f":{height}", f"{width / height:.4f}", *(f"{width}{sign}{height}" for sign in _BETWEEN),
            f"-{width}:-{height}", f"{width}.0:{height}",
        ):  # fmt: skip
            yield _case(facts, "resolution", other)
    for odd in _NOT_RATIOS:
        yield _case(facts, "resolution", odd)


def _tiers(facts: ApiFacts) -> Iterator[Example]:
    for number in _NUMBERS_OF_TIERS:
        if f"{number}K" not in facts.tiers:
            yield _case(facts, "resolution", f"{number}K")
    for tier in facts.tiers:
        for other in (
            tier.lower(), tier[:-1], f"{tier}K", f"0{tier}", f"{tier[:-1]} K", f"{tier[:-1]}.0K", f"{tier[:-1]}.5K",
            f"-{tier}", f"+{tier}", f"{tier[:-1]}M", f"{tier[:-1]}G", f"{tier[:-1]}Kb", f"{tier}x{tier}",
            f"{tier}:{tier}", f"K{tier[:-1]}",
        ):  # fmt: skip
            yield _case(facts, "resolution", other)
    for odd in _NOT_TIERS:
        yield _case(facts, "resolution", odd)


def _sizes(facts: ApiFacts) -> Iterator[Example]:
    least, most = facts.least_pixels, facts.most_pixels
    for pixels in (least, most):
        for side in (*_SIDES, isqrt(pixels), isqrt(pixels) + 1):
            for other in {pixels // side - 1, pixels // side, pixels // side + 1, -(-pixels // side)}:
                if other > 0:
                    yield _case(facts, "resolution", f"{side}x{other}")
                    yield _case(facts, "resolution", f"{other}x{side}")
        for exact in (pixels - 1, pixels, pixels + 1, pixels - 2, pixels + 2):
            yield _case(facts, "resolution", f"{exact}x1")
            yield _case(facts, "resolution", f"1x{exact}")
            width = next(side for side in range(isqrt(exact), 0, -1) if exact % side == 0)
            yield _case(facts, "resolution", f"{width}x{exact // width}")
    for usual in _USUAL_SIZES:
        yield _case(facts, "resolution", usual)


def _size_words(facts: ApiFacts) -> Iterator[Example]:
    legal = (facts.least_pixels + facts.most_pixels) // 2
    for bits in (8, 16, 31, 32, 63, 64):
        wrapped = 2**bits + legal
        yield _case(
            facts, "resolution", f"4x{(wrapped + 3) // 4}", f"a product beyond 2^{bits}, which wraps into the range"
        )
        side = 2 ** (bits // 2)  # both sides fit, and only their product does not
        other = f"{side}x{-(-wrapped // side)}"
        yield _case(facts, "resolution", other, f"a product of similar sides beyond 2^{bits}")
        yield _case(facts, "resolution", f"{2**bits + 2048}x2048", f"a width beyond 2^{bits}")
        yield _case(facts, "resolution", f"2048x{2**bits + 2048}", f"a height beyond 2^{bits}")
    yield _case(facts, "resolution", f"{_WORD - 2048}x{_WORD - 2048}", "sides that are negative in 32 bits")
    for odd in _NOT_SIZES:
        yield _case(facts, "resolution", odd)
    yield _case(facts, "resolution", f"{'9' * 300}x{'9' * 300}", "sides of 300 digits")
    yield _case(facts, "resolution", f"{'9' * 5000}x1", "a side of 5,000 digits")


def _resolution_words(facts: ApiFacts) -> Iterator[Example]:
    for word in (*WORDS, *_BLANKS[1:]):
        yield _case(facts, "resolution", word)
    yield _either_default(facts, "resolution")
    yield evolve(
        _of_default_size("an empty resolution", form("resolution", "")), fault=("read_as", ("resolution", "", "4K"))
    )


def _resolution_spellings(facts: ApiFacts) -> Iterator[Example]:
    yield from _spelled(facts, "resolution", ["2048x2048", "2560x1440", *facts.ratios[:2], *facts.tiers])


def _cases(facts: ApiFacts, *, legal: bool) -> Iterator[Example]:
    for case in facts.legal if legal else facts.illegal:
        if case.wire is not None:
            yield by_verdict(facts, case.name, case.wire, case.rule)
    if legal:
        for resolution in (*facts.ratios, *facts.tiers, "4096x4096", "1920x1920"):
            yield by_verdict(facts, f"two of {resolution}", (*form("batchsize", "2"), text("resolution", resolution)))


_COST: Final = "Which value was read is seen by the number of pictures; without a ledger, not what was charged."
RELATIONS: Final = (
    Relation("form.illegal", "RES-PIXELS", "Each form that the page forbids is refused with the failure code, makes no task, and is not charged.", partial(_cases, legal=False)),
    Relation("form.legal", "SERVER-CHARGE", "Each form that the page allows is accepted, charged once, and its task is what was asked for.", partial(_cases, legal=True), unseen=_COST),
    Relation("prompt.required", "PROMPT-REQUIRED", "A form without a prompt, with a blank one, or with one under another name, is refused.", _prompts),
    Relation("batchsize.bounds", "BATCH-RANGE", "Numbers at the bounds and inside are accepted; their neighbours outside, and those that wrap in a machine word, are refused.", _bounds, unseen=_COST),
    Relation("batchsize.each", "BATCH-RANGE", "Each number within the bounds is accepted and gives so many pictures.", _each_number, unseen=_COST),
    Relation("batchsize.spelling", "BATCH-RANGE", "Another way of writing a number is refused, or accepted as exactly that number where the page does not say.", _batch_spellings, unseen=_COST),
    Relation("batchsize.word", "BATCH-RANGE", "Words, signs and fractions are not numbers of pictures.", _words),
    Relation("field.length", "WIRE-EXACT", "Lengths, counts and listed values at their bounds are accepted, their neighbours refused.", _lengths),
    Relation("field.name", "WIRE-EXACT", "A field under another name is not the field: it is refused, or changes nothing.", _names, unseen="Only what a task shows: number and size of pictures, prompt, category."),
    Relation("field.twice", "WIRE-EXACT", "A field that takes one value is refused when it is given more than once.", _twice),
    Relation("field.bytes", "WIRE-EXACT", "Bytes that are not UTF-8 are neither a number nor a resolution; elsewhere they never break the server.", _bytes),
    Relation("field.kind", "WIRE-EXACT", "A file where text belongs is refused, or taken as exactly its text.", _kinds),
    Relation("resolution.ratio", "RES-RATIO", "A ratio that the page does not list is refused, also one of the same shape.", _ratios),
    Relation("resolution.tier", "RES-TIER", "A tier that the page does not list is refused.", _tiers),
    Relation("resolution.pixels", "RES-PIXELS", "A size is accepted exactly when its pixels are within the bounds, in every shape.", _sizes, unseen="The true size is seen in the pictures; a query need not tell width and height."),
    Relation("resolution.size", "RES-FORMAT", "What is not WIDTHxHEIGHT in plain digits is not a size.", _size_words),
    Relation("resolution.spelling", "RES-FORMAT", "Another way of writing a resolution is refused, or accepted as exactly that size where the page does not say.", _resolution_spellings),
    Relation("resolution.word", "RES-FORMAT", "A word is not a resolution.", _resolution_words),
)  # fmt: skip
