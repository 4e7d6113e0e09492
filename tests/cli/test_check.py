"""`seedream check`: the canonical form and pixels, or what is wrong and the nearest legal resolution."""

from typing import Any

import facts
import pytest
from tensorslab_images.rules import RULES


@pytest.mark.parametrize(
    ("typed", "canonical", "kind", "pixels"),
    [
        ("16:9", "16:9", "ratio", None),
        ("16：9", "16:9", "ratio", None),
        (" 2k ", "2K", "tier", None),
        ("3750x1250", "3750x1250", "size", 4_687_500),
        ("2048×2048", "2048x2048", "size", 4_194_304),
        (f"{facts.LEAST}x1", f"{facts.LEAST}x1", "size", facts.LEAST),
        (f"1x{facts.MOST}", f"1x{facts.MOST}", "size", facts.MOST),
    ],
)
def test_a_legal_resolution_is_shown_as_it_is_sent(
    cli: Any, typed: str, canonical: str, kind: str, pixels: int | None
) -> None:
    ran = cli("check", typed, "--json")
    (result,) = ran.document["results"]
    assert (0, canonical, kind, pixels) == (ran.code, result["resolution"], result["kind"], result["pixels"])
    assert canonical in cli("check", typed).out


def test_one_bad_resolution_fails_the_run_and_the_good_ones_are_still_printed(cli: Any) -> None:
    ran = cli("check", "2K", "1000x1000", "1:1")
    assert 1 == ran.code
    assert 2 == len(ran.out.splitlines())
    assert f"1,000,000 pixels, below {facts.LEAST:,}" in ran.err
    assert RULES["RES-PIXELS"].sentence in ran.err
    assert "nearest 1:1 is " in ran.err


def test_json_names_the_rule_of_each_bad_resolution(cli: Any) -> None:
    ran = cli("check", f"{facts.MOST + 1}x1", "17:5", "9K", "banana", "--json")
    assert (1, "") == (ran.code, ran.err)
    rules = [result["error"]["rule"]["id"] for result in ran.document["results"]]
    assert ["RES-PIXELS", "RES-RATIO", "RES-TIER", "RES-FORMAT"] == rules


def test_nothing_to_check_is_a_usage_error(cli: Any) -> None:
    assert 2 == cli("check").code


@pytest.mark.parametrize("odd", ["-5x5", "--", "\udcff", "9" * 10_000, "\x1b[31m", "1x" * 500, ""])
def test_no_text_is_worse_than_not_legal(cli: Any, odd: str) -> None:
    # A word that begins with a dash is not an option here; after `--` no word is.
    ran = cli("check", "--", odd)
    assert 1 == ran.code
    assert "not a resolution" in ran.err or "pixels" in ran.err
    assert "\x1b" not in ran.err


def test_each_line_and_each_result_in_full(cli: Any) -> None:
    ran = cli("check", "16:9", "2k", "3750x1250", SEEDREAM_LANG="en")
    assert ran.out.splitlines() == [
        "16:9        ratio: the service chooses the size",
        "2K          tier: the service chooses the size",
        "3750x1250   4,687,500 pixels",
    ]
    first, _, last = cli("check", "16:9", "2k", "3750x1250", "--json").document["results"]
    assert first == {
        "input": "16:9", "ok": True, "resolution": "16:9", "kind": "ratio", "width": None,
        "height": None, "pixels": None,
    }  # fmt: skip
    assert (last["width"], last["height"], last["pixels"]) == (3750, 1250, 4_687_500)
    (bad,) = cli("check", "1x1", "--json").document["results"]
    assert (bad["input"], bad["ok"], bad["error"]["type"], set(bad)) == (
        "1x1", False, "InvalidResolution", {"input", "ok", "error"},
    )  # fmt: skip
