"""What a changed limit of a request means for programs that are installed: narrower breaks them, wider does not."""

from typing import Any

import pytest
from pipeline.compare import judge
from pipeline.flatten import FIELD, Leaf, Name

PLACE = "SeeDreamV4.5/request/size"
UPPER = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]
LOWER = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]


def verdict(key: str, old: Any, new: Any, side: Any = "request") -> str:
    """Judge a keyword of one field, which is in the old and in the new page; None is a keyword that is not there."""
    name = Name(PLACE, key)
    around = {Name("SeeDreamV4.5", "path"): Leaf("/v1", "operation"), Name(PLACE, FIELD): Leaf("", side)}
    leaves = [around if value is None else {**around, name: Leaf(value, side)} for value in (old, new)]
    return judge(name, *leaves)[0]


LIMITS = [
    *[(key, 10, 11) for key in UPPER],
    *[(key, 11, 10) for key in LOWER],
    ("multipleOf", 10, 5),
    ("multipleOf", 5, 2.5),
    ("multipleOf", 0.3, 0.1),
    ("enum", [1], [1, 2]),
    ("enum", ["a", "b"], ["b", "c", "a"]),
    ("additionalProperties", False, True),
]


@pytest.mark.parametrize(("key", "narrow", "wide"), [*LIMITS, ("nullable", False, True)])
def test_narrower_breaks_and_wider_does_not(key: str, narrow: Any, wide: Any) -> None:
    assert (verdict(key, narrow, wide), verdict(key, wide, narrow)) == ("absorbed", "breaking")


@pytest.mark.parametrize(("key", "narrow", "wide"), LIMITS)
def test_limits_of_a_reply_break_nothing(key: str, narrow: Any, wide: Any) -> None:
    assert (verdict(key, narrow, wide, "reply"), verdict(key, wide, narrow, "reply")) == ("absorbed", "absorbed")


@pytest.mark.parametrize(("old", "new", "expected"), [(False, True, "breaking"), (True, False, "absorbed")])
def test_a_reply_that_may_be_null_breaks(*, old: bool, new: bool, expected: str) -> None:
    assert verdict("nullable", old, new, "reply") == expected


@pytest.mark.parametrize("key", [*UPPER, *LOWER, "multipleOf"])
def test_a_new_limit_is_checked_by_the_client_and_one_that_is_gone_is_not(key: str) -> None:
    assert verdict(key, None, 10) == verdict(key, 10, None) == "absorbed"


@pytest.mark.parametrize(("old", "new"), [(10, 4), (10, 3), (5, 10), (2.5, 5)])
def test_another_multiple_that_does_not_divide_the_old_one_refuses_what_was_sent(old: float, new: float) -> None:
    assert verdict("multipleOf", old, new) == "breaking"


A: dict[str, Any] = {"A": []}
B: dict[str, Any] = {"B": []}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], [A], "breaking"), ([A], [], "breaking"), ([A], [B], "breaking"), ([A, B], [A], "breaking"),
        ([A], [{**A, **B}], "breaking"), ([{}], [A], "breaking"),
        ([A], [A, B], "absorbed"), ([A, B], [B, A], "absorbed"), ([{}, A], [A, B, {}], "absorbed"),
    ],
)  # fmt: skip
def test_another_way_in_is_absorbed_only_if_all_old_ones_stay(old: Any, new: Any, expected: str) -> None:
    # No option at all means that nobody needs a key.
    name, around = Name("SeeDreamV4.5", "security"), {Name("SeeDreamV4.5", "path"): Leaf("/v1", "operation")}
    assert judge(name, *({**around, name: Leaf(value, "operation")} for value in (old, new)))[0] == expected
