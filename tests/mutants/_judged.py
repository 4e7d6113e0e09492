"""The generated tables against the judge, fact by fact: what no exchange shows."""

import judge
from seedream.contract import Violation
from seedream.contract._spec import document
from tensorslab_images import limits, rules


def wrong_tables() -> None:
    """Compare limits, ledger and links with what the judge typed by hand.

    Raises:
        Violation: Of the first difference; it names the rule.
    """
    if judge.SERVER != limits.SERVER:
        raise _wrong("the server", limits.SERVER, judge.SERVER, "KEY-PRIVATE")
    if not all(operation.secured for operation in limits.OPERATIONS.values()):
        raise _wrong("the operations that need the key", limits.OPERATIONS.keys(), "all", "AUTH-KEY")
    found = {
        spec.name: (spec.kind, spec.many, spec.required, spec.default, spec.minimum, spec.maximum)
        for spec in limits.SEE_DREAM_V45.fields
    }
    for name, meant in judge.SCHEMA.items():
        if found.get(name) != meant:
            raise _wrong(f"field {name}", found.get(name), meant, judge.PAGE.rules[name])
    for rule, (standing, facts) in judge.LEDGER.items():
        row = rules.RULES.get(rule)
        told = (row.standing, dict(row.facts)) if row else None
        if told != (standing, facts):
            raise _wrong(f"rule {rule}", told, (standing, facts), rule)
    for rule, examples in judge.EXAMPLES.items():
        if dict(rules.RULES[rule].examples) != examples:
            raise _wrong(f"the examples of {rule}", dict(rules.RULES[rule].examples), examples, rule)
    links = document()["paths"][judge.PAGE.submit]["post"]["responses"]["200"]["links"]
    bodies = {name: link["requestBody"] for name, link in links.items()}
    if bodies != {"query": {"taskid": TASK}, "delete": {"taskids": [TASK]}}:
        raise _wrong("the links to query and deletion", bodies, TASK, "TASK-ID")


TASK = "$response.body#/data/taskid"


def _wrong(what: str, found: object, meant: object, rule: str) -> Violation:
    return Violation(f"{what}: {found}, but the judge says {meant}", rule=rule, check="the judge's tables")
