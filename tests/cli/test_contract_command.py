"""`seedream contract`: its exit codes, its reports, and known deviations."""

import datetime as dt
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mutants._server_faults import replaced
from mutants.wrong_servers import server_under_test
from seedream_sandbox import Sandbox
from seedream_testing.contract import ContractResult, Example, Relation, State, from_tables, run_contract
from seedream_testing.contract.allowances import Allowance, load_allowances, parse_allowance
from support.clients import KEY

ONE = ("--only", "batchsize.each/batchsize '16'")
LAST = dt.date(2027, 1, 31)


@pytest.fixture
def right() -> Iterator[str]:
    with Sandbox(keys={KEY: 100}, pictures="plain") as service:
        yield service.base_url


def broken(*allow: Allowance, today: dt.date | None = None) -> ContractResult:
    """A server that takes 16 for 15, against the one example that shows it."""
    with server_under_test(from_tables(), replaced("batchsize", {"16": "15"})) as server:
        return run_contract(server, only=("batchsize.each/batchsize '16'",), allow=allow, today=today, keep_going=True)


@pytest.mark.parametrize("what", ["BATCH-RANGE", "batchsize.each", "batchsize.*", "batchsize.each/batchsize '16'"])
def test_a_known_deviation_is_allowed_and_its_reason_is_kept(what: str) -> None:
    result = broken(Allowance(what, "known"))
    assert [(outcome.state, outcome.reason) for outcome in result.outcomes] == [(State.ALLOWED, "known")]


@pytest.mark.parametrize("what", ["RES-TIER", "batchsize.bounds", "batchsize.each/batchsize '17'", "batchsize"])
def test_another_deviation_allows_nothing(what: str) -> None:
    assert [outcome.state for outcome in broken(Allowance(what, "known")).outcomes] == [State.FAILED]


def test_a_broken_rule_other_than_the_relation_s_is_allowed_by_either_name() -> None:
    # The relation guards BATCH-RANGE; a reply that is no envelope breaks SERVER-ENVELOPE within it.
    for what in ("BATCH-RANGE", "SERVER-ENVELOPE"):
        assert Allowance(what, "known").covers(*_pair(), "SERVER-ENVELOPE")
    assert not Allowance("SERVER-HTTP", "known").covers(*_pair(), "SERVER-ENVELOPE")


def _pair() -> tuple[Relation, Example]:
    outcome = broken().outcomes[0]
    return outcome.relation, outcome.example


@pytest.mark.parametrize(("day", "over"), [(0, False), (1, True), (-1, False)])
def test_a_deviation_counts_until_its_last_day_is_over(day: int, over: bool) -> None:
    allowance = Allowance("BATCH-RANGE", "known", LAST)
    result = broken(allowance, today=LAST + dt.timedelta(days=day))
    assert [outcome.state for outcome in result.outcomes] == [State.FAILED if over else State.ALLOWED]
    assert result.expired == ([allowance] if over else [])


def test_a_file_of_deviations_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deviations.toml"
    path.write_text('[[deviation]]\nallow = "key.unknown"\nreason = "a gateway"\nuntil = 2027-01-31\n', "utf-8")
    assert load_allowances(path) == [Allowance("key.unknown", "a gateway", LAST)]


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "deviation = 1",
        "other = 1",
        "[[deviation]]\nallow = 'x'\nreason = 'y'\n",
        "[[deviation]]\nallow = 'x'\nreason = ' '\nuntil = 2027-01-31\n",
        "[[deviation]]\nallow = 'x'\nreason = 'y'\nuntil = '2027-01-31'\n",
        "[[deviation]]\nallow = 'x'\nreason = 'y'\nuntil = 2027-01-31\nwho = 'z'\n",
    ],
)
def test_a_file_of_deviations_in_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deviations.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"deviations\.toml"):
        load_allowances(path)


@pytest.mark.parametrize("given", ["", "=", "RES-TIER", "RES-TIER=", "=why", "RES-TIER= "])
def test_a_deviation_without_a_reason_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="RULE=reason"):
        parse_allowance(given)


def test_a_server_that_keeps_to_the_page_gives_0(cli: Any, right: str) -> None:
    ran = cli("contract", "--base-url", right, *ONE, "--json")
    assert (ran.code, ran.document["counts"]["passed"]) == (0, 1)


def test_a_broken_rule_gives_1_and_is_in_every_report(cli: Any) -> None:
    with Sandbox(keys={KEY: 100}, pictures="plain", faults=["failure"]) as service:
        ran = cli("contract", "--base-url", service.base_url, "--budget", "1", "--only", "form.legal/batchsize 1",
                  "--html", "report.html", "--junit", "report.xml", "--json")  # fmt: skip
    assert ran.code == 1
    (example,) = ran.document["examples"]
    assert (example["state"], example["relation"]) == ("failed", "form.legal")
    assert "$TENSORSLAB_API_KEY" in example["curl"]
    html, junit = (Path(name).read_text("utf-8") for name in ("report.html", "report.xml"))
    assert KEY not in html + junit
    assert "batchsize 1" in html
    assert len(ET.fromstring(junit).findall(".//failure")) == 1  # noqa: S314 -- written a moment ago


def test_words_that_cannot_be_meant_give_2(cli: Any, right: str) -> None:
    for words in (
        ("--only", "NO-SUCH"),
        ("--allow", "RES-TIER"),
        ("--html", "no/such/folder.html"),
        ("--budget", "-1"),
    ):
        assert cli("contract", "--base-url", right, *words).code == 2, words


@pytest.mark.parametrize("content", ["sk-second-0001\n", "\ufeffsk-second-0001\r\n", "  sk-second-0001  "])
def test_the_file_of_another_key_is_read_as_that_of_the_first(cli: Any, content: str) -> None:
    # A line end in a header would be a fault of this command, and would be reported as one of the server.
    Path("second.key").write_bytes(content.encode())
    with Sandbox(keys={KEY: 100, "sk-second-0001": 100}, pictures="plain") as service:
        ran = cli("contract", "--base-url", service.base_url, "--second-key-file", "second.key", "--unlimited",
                  "--only", "key.second", "--json")  # fmt: skip
    assert ran.code == 0
    assert {example["state"] for example in ran.document["examples"]} == {"passed"}


@pytest.mark.parametrize("option", ["--second-key-file", "--no-credits-key-file"])
def test_another_key_that_cannot_be_sent_gives_4(cli: Any, right: str, option: str) -> None:
    Path("other.key").write_bytes(b"sk-1\nsk-2\n")
    assert cli("contract", "--base-url", right, option, "other.key", *ONE).code == 4


def test_a_server_that_is_not_there_gives_4(cli: Any) -> None:
    assert cli("contract", "--base-url", "http://127.0.0.1:9", *ONE).code == 4


def test_the_list_needs_neither_key_nor_server(cli: Any) -> None:
    ran = cli("contract", "--list", "--json", TENSORSLAB_API_KEY=None)
    assert ran.code == 0
    assert {row["id"] for row in json.loads(ran.out)["relations"]} >= {"batchsize.each", "text.exact"}
