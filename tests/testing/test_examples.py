"""The examples of the table, on a server in memory: what a right one is asked for, what is said of a wrong one."""

import re
from collections.abc import Iterator

import judge
import pytest
from contract.servers.memory_server import Lenient, MemoryServer
from contract.servers.serving import keys
from mutants.derived import Opposite, fails, under_test
from seedream_testing.contract import PROJECT_RULES, RELATIONS, Example, Relation, ServerUnderTest, Violation
from seedream_testing.contract.relations import spellings, texts, values
from tensorslab_images.rules import RULES

# Whoever reads such a request at all may charge for it; nobody must, and this server refuses them.
NOT_READ = {"form.head", "form.framing", "form.media-type", "http.method"}
NOTHING = re.compile(r"(?<!')\bNone\b(?!'| as text)(?<!but None)")  # a value that a text lacks
each_relation = pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.id)


@pytest.fixture(autouse=True)
def _fresh_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive the tables of spellings and texts again."""
    monkeypatch.setattr(values, "SPELLINGS", tuple(spellings._spellings()))
    monkeypatch.setattr(texts, "CHANGES", tuple(texts._changes()))


def charged(service: MemoryServer) -> int:
    return sum(images for _, images in service.accounts.charges)


def some(relation: Relation, most: int) -> list[Example]:
    """Of a long family, examples from its beginning to its end: tests/mutants/test_derived.py runs them all."""
    family = relation.derive(judge.FACTS)
    return family[:: max(len(family) // most, 1)]


def on(service: MemoryServer) -> ServerUnderTest:
    return under_test(service, service, judge.FACTS)


@each_relation
def test_a_right_server_passes_and_is_charged_exactly_what_an_example_says(relation: Relation) -> None:
    """It reads what the page leaves open, so that each example costs as much as it ever may."""
    wrong = []
    for example in some(relation, 150):
        service = MemoryServer(keys(), Lenient())
        with on(service) as server:
            found = fails(example, server)
        cost = (charged(service), server.spent)
        refused = relation.id in NOT_READ and cost == (0, 0)
        if found or not (found is None or refused or cost == (example.images, example.images)):
            wrong.append((example.name, found, cost, example.images))
    assert wrong == []


@each_relation
def test_an_example_is_named_in_words(relation: Relation) -> None:
    """People read the names, and write them in files of known deviations."""
    names = [example.name for example in relation.derive(judge.FACTS)]
    assert [name for name in names if " " in name and name == name.upper() and name != name.lower()] == []
    assert [name for name in names if re.search(r"\b[A-Z]{2,} [A-Z]{2,}\b", re.sub("'.*'|\".*\"", "", name))] == []
    assert [name for name in names if not name.strip() or NOTHING.search(name)] == []


def findings(relation: Relation) -> Iterator[tuple[Example, Violation]]:
    """Answer each request of each example in the opposite way, one at a time."""
    for example in some(relation, 30):
        service = MemoryServer(keys())
        transport = Opposite(service)
        with under_test(service, transport, judge.FACTS) as server:
            server.known_task()
            transport.start(None)
            fails(example, server)
            for change in range(len(transport.seen)):
                transport.start(change)
                try:
                    example.run(server)
                except Violation as violation:
                    yield example, violation
                except Exception:  # noqa: BLE001, S112 -- counts as a finding in a run
                    continue


@each_relation
def test_a_finding_names_a_rule_and_shows_the_exchange(relation: Relation) -> None:
    for example, violation in findings(relation):
        where = f"{example.name}: {violation.what}"
        assert violation.rule in RULES.keys() | PROJECT_RULES.keys(), where
        said = violation.what.partition("; the reply was HTTP ")[0]
        assert not NOTHING.search(said), where
        assert said != said.upper(), where
        assert re.match(r"(printf|curl) ", violation.curl), where
