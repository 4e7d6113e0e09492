"""Judges any form by the installed tables of limits and rules; shares no code with the client or the sandbox.

Where the page does not say whether a spelling is allowed, the verdict is None and names the only value that a server
which accepts it may read.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from tensorslab_images import limits, rules

from seedream_testing.contract.api_facts import Part, Verdict

_SUBMIT: Final = limits.SUBMIT
_LEGAL: Final = Verdict(legal=True)
_LONGEST: Final = 40  # digits of a number that is worth converting
# What Python, Rust and JavaScript read as the same whole number although the page does not write numbers so.
_LENIENT: Final = re.compile(r"\s*[+-]?[0-9]+(_[0-9]+)*(\.0*)?([eE][+-]?[0-9])?\s*")
_SIZE: Final = re.compile(r"([0-9]+)x([0-9]+)", re.ASCII)


def rule_of(spec: limits.Field) -> str:
    """Return the id of the rule that speaks about a field, or WIRE-EXACT where the ledger has none."""
    pointer = f"/properties/{spec.name}"
    for rule in rules.RULES.values():
        if _SUBMIT.path.replace("/", "~1") in rule.pointer and f"{pointer}/" in f"{rule.pointer}/":
            return rule.id
    return "WIRE-EXACT"


def judge(parts: Sequence[Part]) -> Verdict:
    """Return the verdict on a form: the first rule that is broken, else the first doubt, else legal."""
    doubts = list[Verdict]()
    for spec in _SUBMIT.fields:
        verdict = _judge_field(spec, [part for part in parts if part.name == spec.name])
        if verdict.legal is False:
            return verdict
        if verdict.legal is None:
            doubts.append(verdict)
    known = {spec.name for spec in _SUBMIT.fields}
    if any(part.name not in known for part in parts):
        doubts.append(Verdict(legal=None, rule="WIRE-EXACT", why="a field that the page does not name"))
    return doubts[0] if doubts else _LEGAL


def _judge_field(spec: limits.Field, named: Sequence[Part]) -> Verdict:  # noqa: PLR0911 -- one return a rule
    rule = rule_of(spec)
    if not named:
        return _no(rule, "missing") if spec.required else _LEGAL
    if spec.kind == "binary":
        return _judge_files(spec, rule, named)
    if len({part.content for part in named}) > 1 and not spec.many:
        return _no(rule, "given more than once")
    if any(part.filename is not None for part in named):
        return _no(rule, "a file where text belongs")
    try:
        values = [part.content.decode() for part in named]
    except UnicodeDecodeError:
        if spec.kind != "string" or spec.enum or rule.startswith("RES-"):
            return _no(rule, "not UTF-8")
        return Verdict(legal=None, rule=rule, why="not UTF-8, and the page names no encoding")
    if len(values) > 1 and not spec.many and len(set(values)) == 1 and judge_value(spec, values[0]).legal is not False:
        return Verdict(legal=None, rule=rule, why="the same value more than once", meaning=values[0])
    verdicts = [judge_value(spec, value) for value in values]
    return next((one for one in verdicts if one.legal is not True), _LEGAL)


def _judge_files(spec: limits.Field, rule: str, named: Sequence[Part]) -> Verdict:
    if (not spec.many and len(named) > 1) or (spec.max_items is not None and len(named) > spec.max_items):
        return _no(rule, f"{len(named)} files")
    if spec.min_items is not None and len(named) < spec.min_items:
        return _no(rule, f"{len(named)} files")
    if any(part.filename is None for part in named):
        return Verdict(legal=None, rule=rule, why="a file without a file name")
    if any(not part.content for part in named):
        return Verdict(legal=None, rule=rule, why="an empty file")
    return _LEGAL


def judge_value(spec: limits.Field, value: str) -> Verdict:
    """Return the verdict on one value of a text field as it travels."""
    rule = rule_of(spec)
    if spec.enum and value not in map(str, spec.enum):
        return _no(rule, f"none of {spec.enum}")
    if spec.kind in ("integer", "number"):
        return _judge_number(spec, rule, value)
    if (spec.max_length is not None and len(value) > spec.max_length) or len(value) < (spec.min_length or 0):
        return _no(rule, f"{len(value)} characters")
    if spec.required and not value.strip():
        return _no(rule, "empty")
    return _judge_resolution(value) if rule.startswith("RES-") else _LEGAL


def _judge_number(spec: limits.Field, rule: str, value: str) -> Verdict:
    if not value:
        return _unsaid(rule, "an empty value", spec.default)
    canonical = r"-?(0|[1-9][0-9]*)" if spec.kind == "integer" else r"-?(0|[1-9][0-9]*)(\.[0-9]+)?"
    if re.fullmatch(canonical, value):
        return _LEGAL if len(value) < _LONGEST and _within(spec, float(value)) else _no(rule, f"{value[:_LONGEST]}")
    lenient = _LENIENT.fullmatch(value)
    if lenient is None or len(value) > _LONGEST:
        return _no(rule, "not a whole number" if spec.kind == "integer" else "not a number")
    exact = Decimal(value.strip().replace("_", ""))
    meant = int(exact)
    if meant != exact or not _within(spec, meant):
        return _no(rule, f"{value} is out of range however it is read")
    return _unsaid(rule, "another way to write a number", meant)


def _within(spec: limits.Field, value: float) -> bool:
    return (
        (spec.minimum is None or value >= spec.minimum)
        and (spec.maximum is None or value <= spec.maximum)
        and (spec.exclusive_minimum is None or value > spec.exclusive_minimum)
        and (spec.exclusive_maximum is None or value < spec.exclusive_maximum)
        and spec.is_multiple(value)
    )


def _judge_resolution(value: str) -> Verdict:
    if value in rules.RES_RATIO_VALUES or value in rules.RES_TIER_VALUES:
        return _LEGAL
    if not value:
        return _unsaid("RES-FORMAT", "an empty value", _SUBMIT.field("resolution").default)
    size = _SIZE.fullmatch(value)
    if size is None:
        ratio, tier = re.fullmatch("[0-9]+:[0-9]+", value), re.fullmatch("[0-9]+[kK]", value)
        return _no("RES-RATIO" if ratio else "RES-TIER" if tier else "RES-FORMAT", "none of the three forms")
    if max(map(len, size.groups())) > _LONGEST:
        return _no("RES-PIXELS", "too many pixels")
    width, height = int(size[1]), int(size[2])
    if not rules.RES_PIXELS_MINIMUM <= width * height <= rules.RES_PIXELS_MAXIMUM:
        return _no("RES-PIXELS", f"{width * height:,} pixels")
    plain = f"{width}x{height}"
    return _LEGAL if plain == value else _unsaid("RES-FORMAT", "leading zeros", plain)


def _no(rule: str, why: str) -> Verdict:
    return Verdict(legal=False, rule=rule, why=why)


def _unsaid(rule: str, why: str, meaning: object) -> Verdict:
    return Verdict(legal=None, rule=rule, why=why, meaning=None if meaning is None else str(meaning))
