"""Writes docs/mutants.md: scores, and each planted fault with the check and the rule that found it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

Results = Mapping[str, Sequence[Mapping[str, str]]]
BEGIN: Final = "<!-- {} -->"
_HEADS: Final = {
    "specs": ("Wrong specs", "pages, overlay documents, ledgers and generated clients, rebuilt and judged"),
    "servers": ("Wrong servers", "the sandbox, tampered with, against the relations"),
    "derived": (
        "Derived faults",
        "relations whose faults were all found, on a server in memory written without the sandbox",
    ),
    "code": ("Wrong code", "changes of the hand-written code, against the tests named"),
    "clients": ("Wrong clients", "the client, tampered with, against `tests/contract/client_checks`"),
}


def write(path: str, results: Results) -> None:
    """Put the tables into the document, each between its own marks; the text around them is written by hand."""
    document = Path(path).read_text("utf-8")
    for kind, found in results.items():
        document = between(document, kind, table(kind, found))
    Path(path).write_text(document, "utf-8")


def found_by(document: str) -> dict[str, str]:
    """Return which relation found which wrong server when the table was written, by the fault's name."""
    rows = document.partition(BEGIN.format("servers"))[2].partition(BEGIN.format("/servers"))[0].splitlines()
    cells = (row.split(" | ") for row in rows if row.startswith("| "))
    return {fault.removeprefix("| "): example.partition("/")[0] for fault, example, *_ in cells}


def between(document: str, mark: str, text: str) -> str:
    """Return the document with another text between the marks.

    Raises:
        ValueError: The marks are not there.
    """
    begin, end = BEGIN.format(mark), BEGIN.format(f"/{mark}")
    head, _, rest = document.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"the marks {begin} and {end} are missing")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def table(kind: str, found: Sequence[Mapping[str, str]]) -> str:
    """Score and table of one kind."""
    killed = sum(bool(one["check"]) for one in found)
    head, what = _HEADS[kind]
    rows = [f"**{head}: {killed} of {len(found)} found** ({what}).", "", "| fault | found by | rule |", "|---|---|---|"]
    rows += [f"| {one['name']} | {_code(one['check'])} | {one['rule']} |" for one in found]
    if kind == "derived":
        rows += [
            "",
            *(f"`{one['name']}`: not asserted is {one['said']}." for one in found if one["check"] and one["said"]),
        ]
    return "\n".join(rows)


def _code(name: str) -> str:
    if not name:
        return "**survived**"
    return f"`{name}`" if name.isidentifier() or name.startswith("make ") else name
