"""What a run found, for the terminal and as Markdown for a pull request."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .compare import HIDDEN, Change
from .errors import DECISION, DONE
from .prose import added_sentences, normal
from .review import Finding

State = Literal["unchanged", "absorbed", "accepted", "decision", "refused"]
_HEADS: Final[dict[State, str]] = {
    "unchanged": "Nothing changed.",
    "absorbed": "Absorbed: the package needs no hand edit.",
    "accepted": "Accepted with ACCEPT=1.",
    "decision": "Stopped for a decision. Nothing was replaced.",
    "refused": "Refused. Nothing was replaced.",
}
_NEXT: Final = (
    "make test; where a fact typed by hand differs, its last lines name the line of tests/facts.py to read and change"
)
_MOVED: Final = "parts moved in the document; nothing that a caller can notice changed"
_KINDS: Final = {
    "rule": "rule",
    "edition": "new edition",
    "prose": "unreviewed text",
    "overlay": "overlay",
    "breaking": "breaks callers",
    "contradiction": "contradiction",
    "client": "generated client",
    "unsendable": "cannot be sent",
}


@dataclass
class Report:
    """What a run found. Its forms leave out empty parts."""

    state: State
    source: str = ""
    error: str = ""
    findings: Sequence[Finding] = ()
    changes: Sequence[Change] = ()
    edits: Sequence[str] = ()
    warnings: list[str] = field(default_factory=list)
    left_out: Sequence[str] = ()
    moved: bool = False
    files: Sequence[str] = ()
    edition: str = ""
    accepting: bool = False
    page_text: Sequence[str] = ()

    @property
    def code(self) -> int:
        """Exit code of a run that ended with this report; for the other codes an error is raised."""
        return DECISION if self.state == "decision" else DONE

    @property
    def schema(self) -> list[Change]:
        """Changed leaves other than prose."""
        return [change for change in self.changes if not change.prose]

    @property
    def prose(self) -> list[Change]:
        """Changed leaves that are prose; none when the edition changed, which changes all of them."""
        return [] if self.edition else [change for change in self.changes if change.prose]

    @property
    def breaking(self) -> bool:
        """Whether callers may notice."""
        return any(change.verdict == "breaking" for change in self.changes) or any(one.narrows for one in self.findings)

    @property
    def semver(self) -> str:
        """The version to release next: major, minor, patch or none."""
        if self.state in ("unchanged", "refused"):
            return "none"
        if self.breaking:
            return "major"
        felt = any(finding.kind in ("rule", "contradiction") for finding in self.findings)
        felt = felt or any(change.why not in ("describes only", HIDDEN) for change in self.schema)
        return "minor" if felt else "patch"

    def text(self) -> str:
        """Return the report for the terminal."""
        lines = [f"== {self.source}" if self.source else "== openapi/", _HEADS[self.state]]
        if self.error:
            lines += ["", self.error]
        for title, items in self._parts():
            lines += ["", f"{title}:", *(f"  {item}" for item in items)]
        if self.findings:
            settled = self.state == "accepted"
            lines += ["", "Accepted:" if settled else f"To decide ({len(self.findings)}):"]
            for number, finding in enumerate(self.findings, 1):
                lines += _finding_text(number, finding, settled=settled, accepting=self.accepting)
        if self.state in ("absorbed", "accepted", "decision"):
            lines += ["", self._verdict()]
        return printable("\n".join(lines)) + "\n"

    def markdown(self) -> str:
        """Return the report as Markdown, for a pull request."""
        lines = [
            "# Spec update",
            "",
            f"**{_HEADS[self.state]}**" + (f" Source: `{self.source}`." if self.source else ""),
        ]
        if self.error:
            lines += ["", _cell(self.error)]
        if self.state in ("absorbed", "accepted", "decision"):
            lines += ["", self._verdict()]
        if self.findings:
            lines += ["", "## Accepted" if self.state == "accepted" else "## To decide"]
            for finding in self.findings:
                lines += _finding_markdown(finding, settled=self.state == "accepted", accepting=self.accepting)
        for title, items in self._parts():
            lines += ["", f"## {title}", "", *(f"- {_cell(item)}" for item in items)]
        return "\n".join(lines) + "\n"

    def data(self) -> dict[str, Any]:
        """Return the report for programs: everything that the other forms show."""
        return {
            **{name: value for name, value in vars(self).items() if name != "accepting"},
            "summary": _HEADS[self.state],
            "breaking": self.breaking,
            "version": self.semver,
            "changes": [change.data() for change in self.changes],
            "findings": [
                {**finding.data(), "accept": "" if self.accepting else finding.accept} for finding in self.findings
            ],
        }

    def _verdict(self) -> str:
        return f"Breaking: {'yes' if self.breaking else 'no'}. Version: {self.semver}."

    def _parts(self) -> list[tuple[str, list[str]]]:
        # A removed field has a line of its own; its parts need none.
        leading = [change for change in self.schema if change.why != "part of a removed field"]
        edition = f"{self.edition}: all prose is in another language; its rules are compared one by one"
        after = self.state in ("absorbed", "accepted") and (self.schema or self.findings)
        parts = [
            ("Schema", [_MOVED] if self.moved else []),
            ("Schema changes", [f"{change.line()}  [{change.verdict}: {change.why}]" for change in leading]),
            ("Edition", [edition] if self.edition else []),
            ("Prose changes", [line for change in self.prose for line in _prose_lines(change, self.findings)]),
            ("Text of the page around its block", list(self.page_text)),
            ("Changed by ACCEPT=1 (review with git diff openapi/)", list(self.edits)),
            ("Worth a look", list(self.warnings)),
            ("Other operations in the document, not taken", list(self.left_out)),
            ("Files changed", list(self.files)),
            ("Next", [_NEXT] if after else []),
        ]
        return [(title, items) for title, items in parts if items]


def _prose_lines(change: Change, findings: Sequence[Finding]) -> list[str]:
    old, new = (side if isinstance(side, str) else "" for side in (change.old, change.new))
    gone, added = added_sentences(old, new), added_sentences(new, old)
    rules = sorted({f.subject for f in findings if f.kind == "rule" and any(_of(f, text) for text in gone + added)})
    claimed = f" ({', '.join(rules)})" if rules else ""
    if not gone and not added:
        return [f"{change.name}: order or punctuation of its sentences{claimed}"]
    return [f"{change.name}{claimed}", *(f"  - {text}" for text in gone), *(f"  + {text}" for text in added)]


def _of(finding: Finding, text: str) -> bool:
    words = normal(text)
    return any(side and (normal(side) in words or words in normal(side)) for side in (finding.old, finding.new))


def _steps(finding: Finding, *, accepting: bool) -> list[str]:
    """Return what to do next. ACCEPT=1 is not advised where the run had it already."""
    accept = finding.accept if not accepting else ""
    return [f"Next: {finding.step}", *([f"Or run with ACCEPT=1, which {accept}."] if accept else [])]


def _finding_text(number: int, finding: Finding, *, settled: bool, accepting: bool) -> list[str]:
    lines = ["", f"  {number}. {_KINDS[finding.kind]}: {finding.subject}", f"     {finding.what}"]
    if finding.kind not in ("breaking", "overlay", "client", "unsendable"):
        for label, side in (("was", finding.old), ("now", finding.new)):
            for index, text in enumerate(side.splitlines() or ["(nothing)"]):
                lines.append(f"     {label if index == 0 else '   '} | {text}")
    lines += [f"     {note}" for note in finding.notes]
    if settled:
        return lines
    lines += [f"     {step}" for step in _steps(finding, accepting=accepting)]
    return [*lines, *(f"       | {line}" for line in finding.write)]


def _finding_markdown(finding: Finding, *, settled: bool, accepting: bool) -> list[str]:
    lines = ["", f"### {_KINDS[finding.kind]}: `{_code(finding.subject)}`", "", f"{_cell(finding.what)}."]
    if finding.kind not in ("overlay", "client", "unsendable"):
        old, new = (_cell(side.replace("\n", "<br>")) or "(nothing)" for side in (finding.old, finding.new))
        lines += ["", "| was | now |", "|---|---|", f"| {old} | {new} |"]
    if finding.notes:
        lines += ["", *(f"- {_cell(note)}" for note in finding.notes)]
    if settled:
        return lines
    for step in _steps(finding, accepting=accepting):
        lines += ["", _cell(step)]
    if finding.write:
        fence = "`" * (max([2, *(len(run) for run in re.findall("`+", "\n".join(finding.write)))]) + 1)
        lines += ["", f"{fence}yaml", *map(printable, finding.write), fence]
    return lines


def _code(text: str) -> str:
    return printable(text).replace("`", "'").replace("\n", " ")


def _cell(text: str) -> str:
    """Return text that cannot end a table cell or a line, or begin HTML; line breaks of ours stay."""
    safe = printable(text).replace("&", "&amp;").replace("<br>", "\0").replace("<", "&lt;").replace("\0", "<br>")
    return safe.replace("|", "\\|").replace("\n", " ")


def printable(text: str) -> str:
    """Return text without control characters, so that nothing in the page can steer the terminal."""
    return "".join(char if char == "\n" or unicodedata.category(char)[0] != "C" else " " for char in text)
