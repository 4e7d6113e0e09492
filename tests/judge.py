"""The third judge: the page's rules by the facts typed from its text, sharing nothing with tables, client or sandbox.

The facts are in facts.py only. The client reads people's ways of writing; the judge knows only the wire. Where the
page does not say, its verdict is None.
"""

import re
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

from facts import DEFAULTS, FEWEST, LARGEST, LEAST, MOST, RATIOS, RULE_OF, SCHEMA, TIERS, fact
from seedream_testing.contract import ApiFacts, Case, Part, Verdict, text
from seedream_testing.contract.samples import jpeg, png
from tensorslab_images import limits

YES = Verdict(legal=True)


def _no(rule: str, why: str) -> Verdict:
    return Verdict(legal=False, rule=rule, why=why)


def _unsaid(rule: str, why: str, meaning: object = None) -> Verdict:
    return Verdict(legal=None, rule=rule, why=why, meaning=None if meaning is None else str(meaning))


def resolution(wire: str) -> Verdict:
    """The page: 支持三种格式：1) 宽高比，2) 分辨率档位，3) 具体尺寸; 总像素范围：[3,686,400, 16,777,216]."""
    if wire in RATIOS or wire in TIERS:
        return YES
    if not wire:
        return _unsaid("RES-FORMAT", "empty, which common frameworks read as not sent", DEFAULTS["resolution"])
    size = re.fullmatch("([1-9][0-9]*)x([1-9][0-9]*)", wire)
    if size is None:
        if re.fullmatch("[0-9]+x[0-9]+", wire):
            plain = "x".join(side.lstrip("0") or "0" for side in wire.split("x"))
            return _no("RES-PIXELS", "no pixels") if "0" in plain.split("x") else _padded(plain)
        ratio = re.fullmatch("[0-9]+:[0-9]+", wire)
        tier = re.fullmatch("[0-9]+[kK]", wire)
        return _no("RES-RATIO" if ratio else "RES-TIER" if tier else "RES-FORMAT", "none of the three forms")
    if max(map(len, size.groups())) > len(str(MOST)):
        return _no("RES-PIXELS", "a side of more digits than all the pixels may have")
    pixels = int(size[1]) * int(size[2])
    return YES if LEAST <= pixels <= MOST else _no("RES-PIXELS", f"{pixels:,} pixels")


def _padded(plain: str) -> Verdict:
    verdict = resolution(plain)
    return verdict if verdict.legal is False else _unsaid("RES-FORMAT", "leading zeros", plain)


def number(rule: str, said: Mapping[str, Any], wire: str) -> Verdict:
    """Return a number within its bounds; for example 批量生成数量，1-15, and type integer."""
    whole = said["kind"] == "integer"
    if not wire:
        return _unsaid(rule, "empty, which common frameworks read as not sent", said.get("default"))
    if re.fullmatch("-?(0|[1-9][0-9]*)" if whole else r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", wire):
        low, high, value = said.get("minimum"), said.get("maximum"), float(wire)
        fits = (low is None or low <= value) and (high is None or value <= high)
        return YES if fits else _no(rule, f"{wire} is not {low} to {high}")
    lenient = re.fullmatch(r"\s*([+-]?[0-9]+(_[0-9]+)*(\.0*)?([eE][+-]?[0-9])?)\s*", wire)
    if lenient is None:
        return _no(rule, "not a whole number") if whole else _unsaid(rule, "another way to write a number")
    meant = float(lenient[1].replace("_", ""))
    if meant != int(meant) or number(rule, said, f"{int(meant)}").legal is False:
        return _no(rule, "out of range however it is read")
    return _unsaid(rule, "another way to write a number", int(meant))


def form(parts: Sequence[Part]) -> Verdict:
    """Return the verdict on a whole form: the first rule broken, else the first doubt, else legal."""
    doubts = []
    for name, (rule, said) in SCHEMA.items():
        named = [part for part in parts if part.name == name]
        verdict = _files(rule, named) if said["kind"] == "binary" else _field(rule, said, named)
        if verdict.legal is False:
            return verdict
        if verdict.legal is None:
            doubts.append(verdict)
    if any(part.name not in SCHEMA for part in parts):
        doubts.append(_unsaid("WIRE-EXACT", "a field that the page does not name"))
    return doubts[0] if doubts else YES


def _files(rule: str, named: list[Part]) -> Verdict:
    if any(part.filename is None for part in named):
        return _unsaid(rule, "a file without a file name")
    return _unsaid(rule, "an empty file") if any(not part.content for part in named) else YES


def _field(rule: str, said: Mapping[str, Any], named: list[Part]) -> Verdict:  # noqa: PLR0911 -- one return a rule
    if not named:
        return _no(rule, "missing") if said.get("required") else YES
    if len({part.content for part in named}) > 1:
        return _no(rule, "given more than once")
    if named[0].filename is not None:
        return _no(rule, "a file where text belongs")
    try:
        wire = named[0].content.decode()
    except UnicodeDecodeError:
        free = said["kind"] == "string" and "enum" not in said and named[0].name != "resolution"
        return _unsaid(rule, "not UTF-8, and the page names no encoding") if free else _no(rule, "not UTF-8")
    if len(named) > 1 and _field(rule, said, named[:1]).legal is not False:
        return _unsaid(rule, "the same value more than once", wire)
    if "enum" in said:
        return YES if wire in map(str, said["enum"]) else _no(rule, f"none of {said['enum']}")
    if said["kind"] in ("integer", "number"):
        return number(rule, said, wire)
    match named[0].name:
        case "prompt":
            return YES if wire.strip() else _no(rule, "empty")
        case "resolution":
            return resolution(wire)
        case _:
            return YES


def _legal(name: str, rule: str, size: tuple[int, int] | None = None, **options: object) -> Case:
    wire = [text("prompt", options.setdefault("prompt", "a lighthouse"))]
    wire += [text(name, options[name]) for name in ("batchsize", "category", "resolution") if name in options]
    if "image_url" in options:
        wire.append(text("imageUrl", options["image_url"]))
    for content in options.get("source_images", ()):  # type: ignore[attr-defined]  # a list of bytes
        kind = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        wire.append(Part("sourceImage", content, f"picture.{kind[6:]}", kind))
    return Case(name, rule, options, tuple(wire), size)


def _size(width: int, pixels: int) -> tuple[int, int]:
    """Return a size of exactly so many pixels, the nearest to that width."""
    width = next(side for side in range(width, 0, -1) if pixels % side == 0)
    return width, pixels // width


def _exactly(pixels: int) -> tuple[int, int]:
    """Return the size nearest to a square of exactly so many pixels."""
    return _size(isqrt(pixels), pixels)


def _wire(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


# Sizes at the edges, as they are written; the planted faults use them too.
FEWEST_PIXELS, MOST_PIXELS = _wire(_exactly(LEAST)), _wire(_exactly(MOST))
TOO_FEW_PIXELS, TOO_MANY_PIXELS = _wire(_exactly(LEAST - 1)), _wire(_exactly(MOST + 1))
WIDE = (MOST // 2048, 2048)


def _sized(rule: str, width: int, height: int, name: str = "") -> Case:
    return _legal(name or f"{width}x{height}", rule, (width, height), resolution=f"{width}x{height}")


LEGAL = (
    _legal("only a prompt", "PROMPT-REQUIRED"),
    _legal("a prompt in Chinese with line breaks", "PROMPT-REQUIRED", prompt="灯塔，\r\n黎明\n\t“雾” 🌫"),
    _legal("a prompt that looks like nothing", "PROMPT-REQUIRED", prompt="None"),
    _legal("a prompt with spaces around it", "PROMPT-REQUIRED", prompt="  a lighthouse \n"),
    _legal("a long prompt", "PROMPT-REQUIRED", prompt="雾 " * 3000),
    _legal("one picture, said so", "BATCH-RANGE", batchsize=1),
    _legal("two pictures", "BATCH-RANGE", batchsize=2),
    _legal("almost the most pictures", "BATCH-RANGE", batchsize=LARGEST - 1),
    _legal("the most pictures", "BATCH-RANGE", batchsize=LARGEST),
    *(_legal(f"ratio {ratio}", "RES-RATIO", resolution=ratio) for ratio in RATIOS),
    *(_legal(f"tier {tier}", "RES-TIER", resolution=tier) for tier in TIERS),
    _sized("RES-FORMAT", 2048, 2048, "the size that the page writes"),
    _sized("RES-PIXELS", 2560, 1440, "the page's example of the fewest pixels"),
    _sized("RES-PIXELS", 1440, 2560, "the same, upright"),
    _sized("RES-PIXELS", *_exactly(LEAST), "the fewest pixels"),
    _sized("RES-PIXELS", *_exactly(MOST), "the most pixels"),
    _sized("RES-PIXELS", *_size(15, LEAST), "the fewest pixels, thin"),
    _sized("RES-PIXELS", *_size(8, MOST - 1), "one pixel below the most, thin"),
    _sized("RES-PIXELS", LEAST + 1, 1, "one pixel above the fewest, flat"),
    _sized("RES-PIXELS", *WIDE, "many pixels, wide"),
    *(_sized("RES-PIXELS", side, -(-LEAST // side), f"near the fewest, {side} wide") for side in (87, 217, 1229)),
    _sized("RES-EXAMPLES", 3750, 1250, "the page's valid example"),
    _legal("one source image", "SOURCE-IMAGE", source_images=[png()]),
    _legal("three source images", "SOURCE-IMAGE", source_images=[png(shade=1), jpeg(), png(shade=2)]),
    _legal("a source image by its URL", "IMAGE-URL", image_url="https://example.com/a b.png?x=1&y=%20"),
    _legal("a category", "CATEGORY-DEFAULT", category="seedreamv45"),
    _legal("everything at once", "WIRE-EXACT", (2560, 1440), batchsize=2, resolution="2560x1440", category="c",
           image_url="https://example.com/1.png", source_images=[png(), jpeg()]),
)  # fmt: skip


def _wrong(name: str, rule: str, *wire: Part, **options: object) -> Case:
    parts = wire if any(part.name == "prompt" for part in wire) else (text("prompt", "a lighthouse"), *wire)
    return Case(name, rule, {"prompt": "a lighthouse", **options} if options else None, parts)


def _bad_batch(value: object) -> Case:
    return _wrong(f"batchsize {value}", "BATCH-RANGE", text("batchsize", value), batchsize=value)


def _bad_resolution(value: str) -> Case:
    return _wrong(f"resolution {value!r}", resolution(value).rule, text("resolution", value), resolution=value)


# Those that a later page allows are left out.
_BAD_RESOLUTIONS = (
    "5:4", "9:15", "16:10", "4:4", "0:0", "1K", "3K", "8K", "big", "2048*2048", "2048x2048x1", "-2048x-2048",
    TOO_FEW_PIXELS, "1500x1500", "1920x1080", "2559x1440", "2560x1439", "0x4000000",
    TOO_MANY_PIXELS, "4097x4096", "4096x4097", "99999999x99999999",
)  # fmt: skip
_SOMETHING = text("batchsize", 1)
ILLEGAL = (
    Case("no prompt", "PROMPT-REQUIRED", None, (_SOMETHING,)),
    Case("an empty prompt", "PROMPT-REQUIRED", {"prompt": ""}, (text("prompt", ""),)),
    Case("a blank prompt", "PROMPT-REQUIRED", {"prompt": " \n\t　"}, (text("prompt", " \n\t　"),)),
    Case("no prompt but None", "PROMPT-REQUIRED", {"prompt": None}, None),
    *(_bad_batch(value) for value in {FEWEST - 1, -1, LARGEST + 1, 10 * LARGEST, 2**40}),
    _wrong("batchsize 1.5", "BATCH-RANGE", text("batchsize", "1.5"), batchsize=1.5),
    _wrong("batchsize as a word", "BATCH-RANGE", text("batchsize", "many"), batchsize="many"),
    _wrong("batchsize None as text", "BATCH-RANGE", text("batchsize", "None"), batchsize="None"),
    _wrong("batchsize true", "BATCH-RANGE", text("batchsize", "true"), batchsize=True),
    _wrong("batchsize twice", "BATCH-RANGE", text("batchsize", 1), text("batchsize", LARGEST)),
    _wrong("prompt twice", "PROMPT-REQUIRED", text("prompt", "a"), text("prompt", "b")),
    *(_bad_resolution(wire) for wire in _BAD_RESOLUTIONS if resolution(wire).legal is False),
)  # fmt: skip

FACTS = ApiFacts(
    submit="/v1/images/seedreamv45",
    query="/v1/images/infobytaskid",
    delete="/v1/images/deleteimagestask",
    auth_header="Authorization",
    auth_scheme=fact("AUTH-HEADER", "scheme"),
    success=fact("CODE-MEANING", "success"),
    failure=fact("CODE-MEANING", "failure"),
    no_credits=fact("CODE-MEANING", "insufficient_credits"),
    queued=fact("STATUS-MEANING", "queued"),
    processing=fact("STATUS-MEANING", "processing"),
    completed=fact("STATUS-MEANING", "completed"),
    failed=fact("STATUS-MEANING", "failed"),
    legal=LEGAL,
    illegal=ILLEGAL,
    judge=form,
    rules=RULE_OF,
    defaults={name: str(value) for name, value in DEFAULTS.items()},
    fields=tuple(limits.Field(name=name, attribute=name, **said) for name, (_, said) in SCHEMA.items()),
    ratios=RATIOS,
    tiers=TIERS,
    least_pixels=LEAST,
    most_pixels=MOST,
)


def options(given: Mapping[str, object]) -> Verdict:
    """The verdict on what a Python caller gives: None is not given, other types than the schema's are illegal."""
    parts = []
    for name, value in given.items():
        wire = _SPELLED.get(name, name)
        kind = SCHEMA[wire][1]["kind"]
        if value is None:
            continue
        if kind == "binary":
            parts += [Part(wire, content, "x") for content in value]  # type: ignore[attr-defined]  # a list of bytes
        elif name == "image_url" and isinstance(value, str) and not _URL.match(value):
            return _no(RULE_OF[wire], "not the URL of a picture on the web")
        elif (kind == "integer" and type(value) is int) or (kind == "string" and isinstance(value, str)):
            parts.append(Part(wire, str(value).encode("utf-8", "surrogatepass")))
        else:
            return _no(RULE_OF[wire], f"a {type(value).__name__}")
    return form(parts)


_URL = re.compile(r"https?://(?![/?#:])[^\s\x00-\x1f][^\x00-\x1f\x7f]*", re.ASCII)
_SPELLED = {"image_url": "imageUrl", "source_images": "sourceImage"}
