"""Every planted fault is found, by a check that says which rule it breaks; the right client and server pass."""

import json
import os
import subprocess
import sys
from pathlib import Path

import judge
import pytest
from contract.client_checks import RELATIONS
from mutants.__main__ import good
from mutants._report import found_by
from mutants.wrong_clients import WRONG_CLIENTS
from mutants.wrong_servers import WRONG_SERVERS
from mutants.wrong_specs import WRONG_SPECS
from seedream_testing.contract import PROJECT_RULES
from tensorslab_images.rules import RULES

pytestmark = pytest.mark.long
TESTS = Path(__file__).resolve().parents[1]
FOUND = found_by((TESTS.parent / "docs/mutants.md").read_text("utf-8"))  # saves the time of what finds nothing


def test_there_are_enough_faults_and_each_may_be_found_under_a_known_rule() -> None:
    # That the right client and the right server pass is checked in tests/contract.
    assert len(WRONG_CLIENTS) >= 15
    assert len(WRONG_SERVERS) >= 40
    assert len(WRONG_SPECS) >= 40
    for table in (WRONG_CLIENTS, WRONG_SERVERS, WRONG_SPECS):
        assert len({wrong.name for wrong in table}) == len(table)
        for wrong in table:
            known = set(wrong.expected.split()) <= RULES.keys() | PROJECT_RULES.keys()
            assert known or wrong.expected.startswith("("), wrong.name


def test_each_relation_of_the_client_has_a_fault_of_its_own() -> None:
    assert {wrong.relation for wrong in WRONG_CLIENTS} - {""} == {relation.id for relation in RELATIONS}


@pytest.mark.parametrize("wrong", WRONG_SERVERS, ids=lambda wrong: wrong.name)
def test_a_wrong_server_is_found(wrong: object) -> None:
    detection = wrong.run(judge.FACTS, FOUND.get(wrong.name, ""))  # type: ignore[attr-defined]  # a WrongServer
    assert detection.good, detection


@pytest.mark.parametrize("wrong", WRONG_CLIENTS, ids=lambda wrong: wrong.name)
def test_a_wrong_client_is_found(wrong: object) -> None:
    detection = wrong.run(judge.FACTS)  # type: ignore[attr-defined]  # a WrongClient
    assert detection.good, detection


@pytest.fixture(scope="module")
def specs() -> dict[str, dict[str, str]]:
    """All wrong specs, each built and judged in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (TESTS, TESTS.parent / "openapi")))}
    ended = subprocess.run(
        [sys.executable, "-m", "mutants", "specs"], capture_output=True, text=True, check=False, env=environment
    )
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(found) == len(WRONG_SPECS), ended.stderr
    return {one["name"]: one for one in found}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [wrong.name for wrong in WRONG_SPECS])
def test_a_wrong_spec_is_found(specs: dict[str, dict[str, str]], name: str) -> None:
    assert good(specs[name]), specs[name]
