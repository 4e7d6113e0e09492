"""The page as the installed tables tell it: limits and rules of the generated package, with cases at their edges."""

from collections.abc import Iterator
from math import isqrt
from typing import Any, Final

from tensorslab_images import limits, rules

from seedream_testing.contract.api_facts import ApiFacts, Case, Part, text
from seedream_testing.contract.judgement import judge, rule_of
from seedream_testing.contract.samples import jpeg, png

_SUBMIT: Final = limits.SUBMIT
_PROMPT: Final = "a lighthouse"


def _case(name: str, value: object, *, size: tuple[int, int] | None = None) -> Case:
    spec = _SUBMIT.field(name)
    options = {"prompt": _PROMPT, spec.attribute: value}
    wire = {"prompt": text("prompt", _PROMPT), name: text(name, value)}
    return Case(f"{name} {value}", rule_of(spec), options, tuple(wire.values()), size)


def _legal() -> Iterator[Case]:
    yield _case("prompt", "灯塔，\r\n“雾” 🌫")
    least, most = _SUBMIT.field("batchsize").minimum, _SUBMIT.field("batchsize").maximum
    for value in (least, most):
        if value is not None:
            yield _case("batchsize", int(value))
    for resolution in (*rules.RES_RATIO_VALUES, *rules.RES_TIER_VALUES):
        yield _case("resolution", resolution)
    for pixels in (rules.RES_PIXELS_MINIMUM, rules.RES_PIXELS_MAXIMUM):
        yield _case("resolution", f"{pixels}x1", size=(pixels, 1))
        width = next(side for side in range(isqrt(pixels), 0, -1) if pixels % side == 0)
        yield _case("resolution", f"{width}x{pixels // width}", size=(width, pixels // width))
    yield _case("imageUrl", "https://example.com/a+b.png?x=1&y=%20#z")
    yield _case("category", _SUBMIT.field("category").default or "seedreamv45")
    files = (png(), jpeg())
    parts = [Part("sourceImage", files[0], "1.png", "image/png"), Part("sourceImage", files[1], "2.jpg", "image/jpeg")]
    options: dict[str, Any] = {"prompt": _PROMPT, "source_images": list(files)}
    yield Case("two source images", "SOURCE-IMAGE", options, (text("prompt", _PROMPT), *parts))


def _illegal() -> Iterator[Case]:
    for prompt in ("", " \n"):
        yield Case(f"prompt {prompt!r}", "PROMPT-REQUIRED", {"prompt": prompt}, (text("prompt", prompt),))
    yield Case("no prompt", "PROMPT-REQUIRED", None, (text("batchsize", 1),))
    least, most = _SUBMIT.field("batchsize").minimum, _SUBMIT.field("batchsize").maximum
    for bound, step in ((least, -1), (most, 1)):
        if bound is not None:
            yield _case("batchsize", int(bound) + step)
    for pixels in (rules.RES_PIXELS_MINIMUM - 1, rules.RES_PIXELS_MAXIMUM + 1):
        yield _refused(f"{pixels}x1", "RES-PIXELS")
    yield _refused("1:99", "RES-RATIO")
    yield _refused("99K", "RES-TIER")
    yield _refused("big", "RES-FORMAT")


def _refused(resolution: str, rule: str) -> Case:
    case = _case("resolution", resolution)
    return Case(case.name, rule, case.options, case.wire)


def from_tables() -> ApiFacts:
    """Return the facts of the installed tables."""
    return ApiFacts(
        submit=_SUBMIT.path,
        query=limits.QUERY.path,
        delete=limits.DELETE.path,
        auth_header=limits.AUTH_HEADER,
        auth_scheme=rules.AUTH_HEADER_SCHEME,
        success=rules.CODE_MEANING_SUCCESS,
        failure=rules.CODE_MEANING_FAILURE,
        no_credits=rules.CODE_MEANING_INSUFFICIENT_CREDITS,
        queued=rules.STATUS_MEANING_QUEUED,
        processing=rules.STATUS_MEANING_PROCESSING,
        completed=rules.STATUS_MEANING_COMPLETED,
        failed=rules.STATUS_MEANING_FAILED,
        legal=tuple(_legal()),
        illegal=tuple(_illegal()),
        judge=judge,
        rules={spec.name: rule_of(spec) for spec in _SUBMIT.fields},
        defaults={spec.name: str(spec.default) for spec in _SUBMIT.fields if spec.default is not None},
        fields=_SUBMIT.fields,
        ratios=rules.RES_RATIO_VALUES,
        tiers=rules.RES_TIER_VALUES,
        least_pixels=rules.RES_PIXELS_MINIMUM,
        most_pixels=rules.RES_PIXELS_MAXIMUM,
    )
