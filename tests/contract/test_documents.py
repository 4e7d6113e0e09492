"""docs/contract.md lists the rules that there are."""

from pathlib import Path

from seedream_testing.contract import PROJECT_RULES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "contract.md"


def test_every_rule_of_the_house_is_listed() -> None:
    text = DOCUMENT.read_text("utf-8")
    listed = {line for line in text.splitlines() if line.startswith("| ") and " | " in line}
    assert {f"| {rule} | {says} |" for rule, says in PROJECT_RULES.items()} <= listed
