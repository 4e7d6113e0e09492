"""docs/contract.md lists the rules and the relations that there are."""

from pathlib import Path

import judge
from contract.client_checks import RELATIONS as CLIENT_RELATIONS
from seedream_testing.contract import PROJECT_RULES, RELATIONS, from_tables

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "contract.md"


def test_every_rule_of_the_project_is_listed() -> None:
    text = DOCUMENT.read_text("utf-8")
    listed = {line for line in text.splitlines() if line.startswith("| ") and " | " in line}
    assert {f"| {rule} | {says} |" for rule, says in PROJECT_RULES.items()} <= listed


def test_every_relation_is_listed_with_its_numbers() -> None:
    facts, total, rows = from_tables(), 0, list[str]()
    for relation in RELATIONS:
        examples = relation.derive(facts)
        images = sum(example.images for example in examples)
        total += len(examples)
        rows.append(
            f"| `{relation.id}` | {relation.rule} | {relation.sentence} | {len(examples):,} | {images:,} "
            f"| {relation.unseen} |"
        )
    text = DOCUMENT.read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 7] == rows
    assert f"There are {total:,} examples." in text


def test_every_relation_of_the_client_is_listed_with_its_numbers() -> None:
    counts = {relation: len(list(relation.examples(judge.FACTS))) for relation in CLIENT_RELATIONS}
    rows = [f"| `{one.id}` | {one.rule} | {one.sentence} | {count:,} |" for one, count in counts.items()]
    text = DOCUMENT.read_text("utf-8")
    table = text.partition("<!-- client-relations -->")[2].partition("<!-- /client-relations -->")[0]
    assert [line for line in table.splitlines() if line.startswith("| `")] == rows
    assert f"There are {sum(counts.values()):,} examples\nfor each kind of client" in text
