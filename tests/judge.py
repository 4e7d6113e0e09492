"""The third judge: the page's rules typed by hand from its text, sharing nothing with tables, client or sandbox.

The one place where the page's numbers are typed again. The client reads people's ways of writing; the judge knows the
wire alone. Where the page does not say, its verdict is None.
"""

import re
from collections.abc import Mapping, Sequence

from seedream.contract import Case, Page, Part, Verdict, text
from seedream.contract._samples import jpeg, png

LEAST, MOST = 3_686_400, 16_777_216
RATIOS = ("9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2")
TIERS = ("2K", "4K")
FEWEST, LARGEST = 1, 15

YES = Verdict(legal=True)


def _no(rule: str, why: str) -> Verdict:
    return Verdict(legal=False, rule=rule, why=why)


def _unsaid(rule: str, why: str) -> Verdict:
    return Verdict(legal=None, rule=rule, why=why)


_FIELDS = {
    "category": "CATEGORY-DEFAULT",
    "prompt": "PROMPT-REQUIRED",
    "batchsize": "BATCH-RANGE",
    "resolution": "RES-FORMAT",
    "sourceImage": "SOURCE-IMAGE",
    "imageUrl": "IMAGE-URL",
}


def resolution(wire: str) -> Verdict:
    """The page: 支持三种格式：1) 宽高比，2) 分辨率档位，3) 具体尺寸; 总像素范围：[3,686,400, 16,777,216]."""
    if wire in RATIOS or wire in TIERS:
        return YES
    size = re.fullmatch("([1-9][0-9]*)x([1-9][0-9]*)", wire)
    if size is None:
        if re.fullmatch("[0-9]+x[0-9]+", wire):
            zero = 0 in (int(side) for side in wire.split("x"))
            return _no("RES-PIXELS", "no pixels") if zero else _unsaid("RES-FORMAT", "leading zeros")
        ratio = re.fullmatch("[0-9]+:[0-9]+", wire)
        tier = re.fullmatch("[0-9]+[kK]", wire)
        return _no("RES-RATIO" if ratio else "RES-TIER" if tier else "RES-FORMAT", "none of the three forms")
    pixels = int(size[1]) * int(size[2])
    return YES if LEAST <= pixels <= MOST else _no("RES-PIXELS", f"{pixels:,} pixels")


def batchsize(wire: str) -> Verdict:
    """The page: 批量生成数量，1-15, and type integer."""
    if re.fullmatch("-?(0|[1-9][0-9]*)", wire):
        return YES if FEWEST <= int(wire) <= LARGEST else _no("BATCH-RANGE", f"{wire} is not 1 to 15")
    if re.fullmatch(r"\s*[+-]?[0-9_]+(\.0*)?([eE]\+?[0-9]+)?\s*", wire):
        return _unsaid("BATCH-RANGE", "another way to write a whole number")
    return _no("BATCH-RANGE", "not a whole number")


def form(parts: Sequence[Part]) -> Verdict:
    """The verdict on a whole form: the first rule broken, else the first doubt, else legal."""
    doubts = []
    for name, rule in _FIELDS.items():
        named = [part for part in parts if part.name == name]
        verdict = _field(name, rule, named)
        if verdict.legal is False:
            return verdict
        if verdict.legal is None:
            doubts.append(verdict)
    if any(part.name not in _FIELDS for part in parts):
        doubts.append(_unsaid("WIRE-EXACT", "a field that the page does not name"))
    return doubts[0] if doubts else YES


def _field(name: str, rule: str, named: list[Part]) -> Verdict:  # noqa: PLR0911 -- one return a rule
    if name == "sourceImage":
        if any(part.filename is None for part in named):
            return _unsaid(rule, "a file without a file name")
        return _unsaid(rule, "an empty file") if any(not part.content for part in named) else YES
    if not named:
        return _no(rule, "missing") if name == "prompt" else YES
    if len(named) > 1:
        return _no(rule, "given more than once")
    if named[0].filename is not None:
        return _no(rule, "a file where text belongs")
    try:
        wire = named[0].content.decode()
    except UnicodeDecodeError:
        return _no(rule, "not UTF-8")
    match name:
        case "prompt":
            return YES if wire.strip() else _no(rule, "empty")
        case "batchsize":
            return batchsize(wire)
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


def _sized(rule: str, width: int, height: int, name: str = "") -> Case:
    return _legal(name or f"{width}x{height}", rule, (width, height), resolution=f"{width}x{height}")


LEGAL = (
    _legal("a prompt alone", "PROMPT-REQUIRED"),
    _legal("a prompt in Chinese with line breaks", "PROMPT-REQUIRED", prompt="灯塔，\r\n黎明\n\t“雾” 🌫"),
    _legal("a prompt that looks like nothing", "PROMPT-REQUIRED", prompt="None"),
    _legal("a prompt with spaces around it", "PROMPT-REQUIRED", prompt="  a lighthouse \n"),
    _legal("a long prompt", "PROMPT-REQUIRED", prompt="雾 " * 3000),
    _legal("one picture, said so", "BATCH-RANGE", batchsize=1),
    _legal("two pictures", "BATCH-RANGE", batchsize=2),
    _legal("fourteen pictures", "BATCH-RANGE", batchsize=14),
    _legal("the most pictures", "BATCH-RANGE", batchsize=15),
    *(_legal(f"ratio {ratio}", "RES-RATIO", resolution=ratio) for ratio in RATIOS),
    *(_legal(f"tier {tier}", "RES-TIER", resolution=tier) for tier in TIERS),
    _sized("RES-FORMAT", 2048, 2048, "the size that the page writes"),
    _sized("RES-PIXELS", 2560, 1440, "the fewest pixels"),
    _sized("RES-PIXELS", 4096, 4096, "the most pixels"),
    _sized("RES-PIXELS", 1440, 2560, "the fewest pixels, upright"),
    _sized("RES-PIXELS", 1920, 1920, "the fewest pixels, square"),
    _sized("RES-PIXELS", 15, 245760, "the fewest pixels, thin"),
    _sized("RES-PIXELS", 8192, 2048, "the most pixels, wide"),
    _sized("RES-PIXELS", 217, 16989, "3,686,613, just above the fewest"),
    _sized("RES-PIXELS", 5, 3355443, "16,777,215, one below the most"),
    _sized("RES-PIXELS", 1229, 3000, "3,687,000"),
    _sized("RES-PIXELS", 87, 42373, "3,686,451, just above the fewest"),
    _sized("RES-PIXELS", 3686401, 1, "3,686,401, one above the fewest"),
    _sized("RES-EXAMPLES", 3750, 1250, "the page's valid example"),
    _legal("one source image", "SOURCE-IMAGE", source_images=[png()]),
    _legal("three source images", "SOURCE-IMAGE", source_images=[png(shade=1), jpeg(), png(shade=2)]),
    _legal("a source image by its URL", "IMAGE-URL", image_url="https://example.com/a b.png?x=1&y=%20"),
    _legal("a category", "CATEGORY-DEFAULT", category="seedreamv45"),
    _legal("everything at once", "WIRE-EXACT", (2560, 1440), batchsize=3, resolution="2560x1440", category="c",
           image_url="https://example.com/1.png", source_images=[png(), jpeg()]),
)  # fmt: skip


def _wrong(name: str, rule: str, *wire: Part, **options: object) -> Case:
    parts = wire if any(part.name == "prompt" for part in wire) else (text("prompt", "a lighthouse"), *wire)
    return Case(name, rule, {"prompt": "a lighthouse", **options} if options else None, parts)


def _bad_batch(value: object) -> Case:
    return _wrong(f"batchsize {value}", "BATCH-RANGE", text("batchsize", value), batchsize=value)


def _bad_resolution(value: str, rule: str) -> Case:
    return _wrong(f"resolution {value!r}", rule, text("resolution", value), resolution=value)


_SOMETHING = text("batchsize", 1)
ILLEGAL = (
    Case("no prompt", "PROMPT-REQUIRED", None, (_SOMETHING,)),
    Case("an empty prompt", "PROMPT-REQUIRED", {"prompt": ""}, (text("prompt", ""),)),
    Case("a blank prompt", "PROMPT-REQUIRED", {"prompt": " \n\t　"}, (text("prompt", " \n\t　"),)),
    Case("no prompt but None", "PROMPT-REQUIRED", {"prompt": None}, None),
    _bad_batch(0),
    _bad_batch(-1),
    _bad_batch(16),
    _bad_batch(150),
    _bad_batch(2**40),
    _wrong("batchsize 1.5", "BATCH-RANGE", text("batchsize", "1.5"), batchsize=1.5),
    _wrong("batchsize as a word", "BATCH-RANGE", text("batchsize", "many"), batchsize="many"),
    _wrong("batchsize None as text", "BATCH-RANGE", text("batchsize", "None"), batchsize="None"),
    _wrong("batchsize true", "BATCH-RANGE", text("batchsize", "true"), batchsize=True),
    _wrong("batchsize twice", "BATCH-RANGE", text("batchsize", 1), text("batchsize", 15)),
    _wrong("prompt twice", "PROMPT-REQUIRED", text("prompt", "a"), text("prompt", "b")),
    *(_bad_resolution(ratio, "RES-RATIO") for ratio in ("5:4", "9:15", "16:10", "4:4", "0:0")),
    *(_bad_resolution(tier, "RES-TIER") for tier in ("1K", "3K", "8K")),
    _bad_resolution("", "RES-FORMAT"),
    _bad_resolution("big", "RES-FORMAT"),
    _bad_resolution("2048*2048", "RES-FORMAT"),
    _bad_resolution("2048x2048x1", "RES-FORMAT"),
    _bad_resolution("-2048x-2048", "RES-FORMAT"),
    _bad_resolution("1500x1500", "RES-PIXELS"),  # the page's invalid example
    _bad_resolution("1920x1080", "RES-PIXELS"),
    _bad_resolution("2559x1440", "RES-PIXELS"),
    _bad_resolution("2560x1439", "RES-PIXELS"),
    _bad_resolution("1919x1921", "RES-PIXELS"),  # 3,686,399: one below the fewest
    _bad_resolution("4097x4096", "RES-PIXELS"),
    _bad_resolution("4096x4097", "RES-PIXELS"),
    _bad_resolution("97x172961", "RES-PIXELS"),  # 16,777,217: one above the most
    _bad_resolution("0x4000000", "RES-PIXELS"),
    _bad_resolution("99999999x99999999", "RES-PIXELS"),
)  # fmt: skip

PAGE = Page(
    submit="/v1/images/seedreamv45",
    query="/v1/images/infobytaskid",
    delete="/v1/images/deleteimagestask",
    auth_header="Authorization",
    auth_scheme="Bearer",
    success=1000,
    failure=9999,
    no_credits=9000,
    queued=1,
    processing=2,
    completed=3,
    failed=4,
    legal=LEGAL,
    illegal=ILLEGAL,
    judge=form,
    rules=_FIELDS,
    defaults={"category": "seedreamv45", "batchsize": "1", "resolution": "2K"},
)

# What the page's machine-readable part says of each field: type, an array or not, required, default, minimum, maximum.
SCHEMA = {
    "category": ("string", False, False, "seedreamv45", None, None),
    "prompt": ("string", False, True, None, None, None),
    "batchsize": ("integer", False, False, 1, 1, 15),
    "resolution": ("string", False, False, "2K", None, None),
    "sourceImage": ("binary", True, False, None, None, None),
    "imageUrl": ("string", False, False, None, None, None),
}
SERVER = "https://api.tensorslab.com"
# What the page, or else the vendor's other sources, say in prose: standing, and every fact.
LEDGER = {
    "RES-FORMAT": ("stated", {}),
    "RES-RATIO": ("stated", {"values": RATIOS}),
    "RES-TIER": ("stated", {"values": TIERS}),
    "RES-PIXELS": ("stated", {"minimum": LEAST, "maximum": MOST}),
    "RES-EXAMPLES": ("stated", {"valid_pixels": 4_687_500, "invalid_pixels": 2_250_000}),
    "PROMPT-REQUIRED": ("stated", {}),
    "BATCH-RANGE": ("stated", {}),
    "CATEGORY-DEFAULT": ("stated", {}),
    "SOURCE-IMAGE": ("stated", {}),
    "IMAGE-URL": ("stated", {}),
    "CODE-MEANING": ("stated", {"success": 1000, "failure": 9999, "insufficient_credits": 9000}),
    "CODE-NO-DATA": ("inferred", {}),
    "TASK-ID": ("stated", {}),
    "RESULT-URL": ("stated", {}),
    "RESULT-EXPIRY": ("inferred", {"hours": 24}),
    "STATUS-MEANING": ("inferred", {"queued": 1, "processing": 2, "completed": 3, "failed": 4}),
    "AUTH-KEY": ("stated", {}),
    "AUTH-HEADER": ("inferred", {"scheme": "Bearer"}),
}
EXAMPLES = {
    "RES-FORMAT": {"valid": ("2048x2048",)},
    "RES-PIXELS": {"valid": ("2560x1440", "4096x4096")},
    "RES-EXAMPLES": {"valid": ("3750x1250",), "invalid": ("1500x1500",)},
}


def options(given: Mapping[str, object]) -> Verdict:
    """The verdict on what a Python caller gives: None is not given, other types than the schema's are illegal."""
    parts = []
    for name, value in given.items():
        wire = {"image_url": "imageUrl", "source_images": "sourceImage"}.get(name, name)
        if value is None:
            continue
        if wire == "sourceImage":
            parts += [Part(wire, content, "x") for content in value]  # type: ignore[attr-defined]  # a list of bytes
        elif (wire == "batchsize" and type(value) is int) or (wire != "batchsize" and isinstance(value, str)):
            parts.append(Part(wire, str(value).encode("utf-8", "surrogatepass")))
        else:
            return _no(_FIELDS[wire], f"a {type(value).__name__}")
    return form(parts)
