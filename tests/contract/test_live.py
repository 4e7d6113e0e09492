"""The live suite, proven against the sandbox over TCP: what it runs, what it pays, and how it says what is broken."""

import io

import pytest
from seedream_sandbox import Sandbox
from seedream_testing.contract import SERVER_CHECKS
from seedream_testing.contract.live import BUDGET, main

KEY = "sk-good-key-0000"


def live(sandbox: Sandbox, **more: str) -> tuple[int, str]:
    out = io.StringIO()
    code = main({"TENSORSLAB_API_KEY": KEY, "TENSORSLAB_BASE_URL": sandbox.base_url, **more}, out)
    return code, out.getvalue()


def test_without_a_budget_nothing_is_paid_for() -> None:
    with Sandbox(keys=(KEY,), pictures="plain") as sandbox:
        code, told = live(sandbox)
        assert code == 0, told
        assert sandbox.charges == []
        free = sum(not check.paid for check in SERVER_CHECKS)
        assert told.count("holds ") == free >= 5
        assert told.count("\nskipped ") == len(SERVER_CHECKS) - free > 0


@pytest.mark.parametrize("budget", [1, 4, 200])
def test_a_budget_is_kept(budget: int) -> None:
    with Sandbox(keys=(KEY,), pictures="plain") as sandbox:
        code, told = live(sandbox, **{BUDGET: str(budget)})
        assert code == 0, told
        assert 0 < sum(charge.images for charge in sandbox.charges) <= budget
        assert (told.count("\nskipped ") == 0) == (budget == 200)


def test_a_broken_rule_ends_the_run() -> None:
    with Sandbox(keys=(KEY,), pictures="plain", faults=["fewer-urls"]) as sandbox:
        code, told = live(sandbox, **{BUDGET: "200"})
    assert code == 1
    assert "BROKEN" in told
    assert "[SERVER-PICTURES]" in told
    assert "curl -sS -X POST" in told
    assert KEY not in told


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TENSORSLAB_API_KEY": KEY, "TENSORSLAB_BASE_URL": "http://api.example.com"},
        {"TENSORSLAB_API_KEY": KEY, BUDGET: "all"},
        {"TENSORSLAB_API_KEY": KEY, BUDGET: "-1"},
    ],
)
def test_an_unusable_set_up_is_told(environ: dict[str, str]) -> None:
    out = io.StringIO()
    assert main(environ, out) == 2
    assert out.getvalue()
    assert KEY not in out.getvalue()
