"""The generated tables against the judge, fact by fact: what no exchange shows."""

import compared
import judge
from seedream_testing.contract import Violation
from seedream_testing.contract.spec import document
from tensorslab_images import limits


def wrong_tables() -> None:
    """Compare limits, ledger and links with what the judge typed by hand.

    Raises:
        Violation: Of the first difference; it names the rule.
    """
    for one in compared.differences():
        raise Violation(one.text, rule=one.rule, check="the judge's tables")
    if not all(operation.secured for operation in limits.OPERATIONS.values()):
        raise _wrong("the operations that need the key", limits.OPERATIONS.keys(), "all", "AUTH-KEY")
    paths = document()["paths"]
    if judge.FACTS.submit not in paths:
        raise _wrong("the paths", sorted(paths), judge.FACTS.submit, "WIRE-HTTP")
    links = paths[judge.FACTS.submit]["post"]["responses"]["200"].get("links", {})
    bodies = {name: link["requestBody"] for name, link in links.items()}
    if bodies != {"query": {"taskid": TASK}, "delete": {"taskids": [TASK]}}:
        raise _wrong("the links to query and deletion", bodies, TASK, "TASK-ID")


TASK = "$response.body#/data/taskid"


def _wrong(what: str, found: object, meant: object, rule: str) -> Violation:
    return Violation(f"{what}: {found}, but the judge says {meant}", rule=rule, check="the judge's tables")
