"""What ``seedream contract`` does: runs the relations, and writes the results for people and for machines."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import httpx

from seedream_testing.contract.allowances import read_allowances, selected
from seedream_testing.contract.relations import RELATIONS
from seedream_testing.contract.report_html import html_report
from seedream_testing.contract.report_junit import junit_report
from seedream_testing.contract.rule_text import sentence
from seedream_testing.contract.run import ContractResult, Outcome, State, Unreachable, examples, explain, run_contract
from seedream_testing.contract.server_under_test import ServerUnderTest
from seedream_testing.contract.tables import from_tables

__all__ = ["Unreachable", "UsageFault", "document", "relation_documents", "relation_rows", "run", "summary"]


class UsageFault(Exception):
    """An option has a value that cannot be used."""


def run(
    base_url: str,
    key: str,
    *,
    report: Callable[[str], object],
    second_key: str | None = None,
    no_credits_key: str | None = None,
    budget: int = 0,
    unlimited: bool = False,
    charges_url: str | None = None,
    any_key: bool = False,
    only: Sequence[str] = (),
    allow: Sequence[str] = (),
    allow_file: Path | None = None,
    keep_going: bool = False,
    patience: float = 600.0,
    junit: Path | None = None,
    html: Path | None = None,
) -> ContractResult:
    """Run the relations against a server, and write the reports that were asked for.

    Raises:
        UsageFault: An option has a value that cannot be used.
        Unreachable: The server does not answer.
    """
    try:
        allowances = read_allowances(allow, allow_file, only, RELATIONS)
    except ValueError as error:
        raise UsageFault(str(error)) from error
    for path in filter(None, (junit, html)):
        if not path.parent.is_dir():
            raise UsageFault(f"{path.parent} is not a directory")
    server = ServerUnderTest(
        base_url,
        key,
        from_tables(),
        charges=None if charges_url is None else _charges(charges_url),
        any_key=any_key,
        second_key=second_key,
        no_credits_key=no_credits_key,
        patience=patience,
    )
    pairs = list(examples(server))
    for one in only:
        if not any(selected(*pair, [one]) for pair in pairs):
            raise UsageFault(f"no example matches {one!r}; --list --json shows them")
    with server:
        result = run_contract(
            server,
            budget=None if unlimited else budget,
            only=only,
            allow=allowances,
            keep_going=keep_going,
            report=lambda outcome: _tell(outcome, report),
        )
    if junit is not None:
        junit.write_text(junit_report(result), "utf-8")
    if html is not None:
        html.write_text(html_report(result), "utf-8")
    return result


def _charges(url: str) -> Callable[[], list[int]]:
    """Return a function that reads the charges of the first account from an address, which needs no key."""
    client = httpx.Client(timeout=30.0)

    def charges() -> list[int]:
        try:
            rows = client.get(url).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unreachable(f"the charges at {url} cannot be read: {error}") from error
        if not isinstance(rows, list):
            raise Unreachable(f"the charges at {url} are not a list")
        return [_images(row, url) for row in rows if _is_first(row, url)]

    return charges


def _is_first(row: Any, url: str) -> bool:
    account = cast("dict[str, Any]", row).get("account", 1) if isinstance(row, dict) else 1
    if type(account) is not int:
        raise Unreachable(
            f"the charges at {url} name an account that is not a number: the first key's is 1, or not named"
        )
    return account == 1


def _images(row: Any, url: str) -> int:
    images = cast("dict[str, Any]", row).get("images") if isinstance(row, dict) else row
    if type(images) is not int:
        raise Unreachable(f"the charges at {url} are neither numbers nor objects with 'images'")
    return images


def _tell(outcome: Outcome, report: Callable[[str], object]) -> None:
    if outcome.state in (State.FAILED, State.ALLOWED):
        report(f"{outcome.state.value.upper()}  {explain(outcome)}")
        if outcome.reason:
            report(f"  allowed: {outcome.reason}")


def summary(result: ContractResult) -> list[str]:
    """Return the lines that end a run: one for each relation, then the counts."""
    lines = []
    ran = result.by_relation
    for relation in RELATIONS:
        if mine := ran.get(relation.id):
            counts = {state: sum(outcome.state is state for outcome in mine) for state in State}
            word = "BROKEN " if counts[State.FAILED] else "allowed" if counts[State.ALLOWED] else "holds  " if counts[State.PASSED] else "skipped"  # fmt: skip  # noqa: E501 -- one line a case
            shown = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
            lines.append(f"{word}  {relation.id:22} {relation.rule:16} {shown}")
            reasons = sorted({outcome.reason for outcome in mine if outcome.state is State.SKIPPED})
            lines += [f"         skipped: {reason}" for reason in reasons[:2]]
            if len(reasons) > 2:  # noqa: PLR2004 -- as many as are shown
                lines.append(f"         and for {len(reasons) - 2} other reasons")
    lines += [f"expired: {one.what} was allowed until {one.until} ({one.reason})" for one in result.expired]
    counted = ", ".join(f"{result.count(state)} {state.value}" for state in State)
    lines.append(f"{counted}; {result.spent} images were asked for by submissions that the server accepted")
    if result.stopped:
        lines.append("The run ended at the first broken rule; --keep-going goes on.")
    return lines


def document(result: ContractResult) -> dict[str, Any]:
    """Return the results as one JSON document."""
    return {
        "base_url": result.base_url,
        "counts": {state.value: result.count(state) for state in State},
        "images": result.spent,
        "stopped": result.stopped,
        "expired": [{"allow": one.what, "reason": one.reason, "until": str(one.until)} for one in result.expired],
        "examples": [_example(outcome) for outcome in result.outcomes],
    }


def _example(outcome: Outcome) -> dict[str, Any]:
    found = outcome.violation
    shown: dict[str, Any] = {
        "relation": outcome.relation.id,
        "example": outcome.example.name,
        "rule": outcome.rule,
        "state": outcome.state.value,
    }
    if outcome.reason:
        shown["reason"] = outcome.reason
    if found is not None:
        shown |= {"what": found.what, "sentence": sentence(found.rule), "curl": found.curl}
    return shown


def relation_rows() -> list[tuple[str, str]]:
    """Return each relation and what it says, for ``--list``."""
    facts = from_tables()
    rows = []
    for relation in RELATIONS:
        family = relation.derive(facts)
        images = sum(example.images for example in family)
        said = f"[{relation.rule}] {relation.sentence} ({len(family)} examples, at most {images} images)"
        rows.append((relation.id, said + (f" Not visible: {relation.unseen}" if relation.unseen else "")))
    return rows


def relation_documents() -> list[dict[str, Any]]:
    """Return each relation with its examples, for ``--list --json``."""
    facts = from_tables()
    return [
        {
            "id": relation.id,
            "rule": relation.rule,
            "sentence": relation.sentence,
            "not_visible": relation.unseen,
            "examples": [
                {"name": example.name, "images": example.images, "needs": [need.value for need in example.needs]}
                for example in relation.derive(facts)
            ],
        }
        for relation in RELATIONS
    ]
