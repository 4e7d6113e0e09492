"""Writes the outcomes as JUnit XML: a suite for each relation, a test case for each example."""

import re
from xml.etree import ElementTree as ET

from seedream_testing.contract.run import ContractResult, Outcome, State, explain

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(result: ContractResult) -> str:
    """Return the XML document."""
    suites = ET.Element("testsuites", name="seedream contract")
    for name, outcomes in result.by_relation.items():
        failed = sum(outcome.state is State.FAILED for outcome in outcomes)
        skipped = sum(outcome.state in (State.SKIPPED, State.ALLOWED) for outcome in outcomes)
        suite = ET.SubElement(
            suites, "testsuite", name=name, tests=str(len(outcomes)), failures=str(failed), skipped=str(skipped),
            errors="0", time=f"{sum(outcome.seconds for outcome in outcomes):.3f}",
        )  # fmt: skip
        for outcome in outcomes:
            _case(suite, outcome)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, outcome: Outcome) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=f"{outcome.relation.rule}.{outcome.relation.id}",
        name=_plain(outcome.example.name), time=f"{outcome.seconds:.3f}",
    )  # fmt: skip
    if outcome.state is State.FAILED and outcome.violation is not None:
        shown = ET.SubElement(case, "failure", type=outcome.rule, message=_plain(outcome.violation.what[:300]))
        shown.text = _plain(explain(outcome))
    elif outcome.state is State.ALLOWED:
        ET.SubElement(case, "skipped", message=_plain(f"allowed: {outcome.reason}"))
    elif outcome.state is State.SKIPPED:
        ET.SubElement(case, "skipped", message=_plain(outcome.reason))


def _plain(text: str) -> str:
    """Return a text whose characters XML can hold."""
    return _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
