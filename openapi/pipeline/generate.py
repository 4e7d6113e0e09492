"""Runs the pipeline: takes a page, decides, builds, and replaces; or verifies what is there."""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from . import page
from .accept import accept_overlay, accept_rules, follow_rename, with_origin
from .build import GENERATED, build, effective
from .check_spec import check_spec, check_version
from .compare import changes_since, missing_submit, view
from .emit_rules import constant
from .errors import BrokenInputs, DecisionNeeded, Different, RefusedInput
from .flatten import PROSE
from .inputs import ORIGIN, VENDORED, Inputs, load, name_submit, read
from .ledger import Rule
from .overlay import same
from .prose import added_sentences, normal
from .report import Report
from .review import TAKEN_AS_IS, Finding, findings, warnings
from .rule_table import check_tables, tables
from .send_check import Unsendable, check_sending
from .spec import Node, follow, operations
from .tree import STAGE, differences, exclusive, read_tree, recover
from .tree import replace as replace_files

SendCheck = Callable[[Path, Mapping[str, bytes], str], list[Unsendable]]
REPORT: Final = "build/spec-report.md"
_REPAIR: Final = (
    "repair the page in openapi/overlay.yaml, or change the code in overlay/ that sends it; then run again."
)


def generate(
    root: Path,
    spec: Path | None = None,
    *,
    accept: bool = False,
    today: dt.date | None = None,
    send_check: SendCheck = check_sending,
) -> Report:
    """Write generated/ from the inputs; take the page, YAML or JSON at `spec` first where there is one.

    Args:
        root: the repository.
        spec: what to take.
        accept: take what needs a decision.
        today: the day to record (UTC).
        send_check: sends samples with the new files. Tests whose subject it is not leave it out; commands never do.

    Raises:
        RefusedInput: the page cannot be read as one of ours.
        BrokenInputs: our own inputs are wrong.
    """
    with exclusive(root):
        report = _generate(root, spec, today or dt.datetime.now(dt.UTC).date(), send_check, accept=accept)
        write_report(root, report)
    return report


def _generate(root: Path, spec: Path | None, today: dt.date, send_check: SendCheck, *, accept: bool) -> Report:
    ended = recover(root)
    before = load(root)
    after, report = _candidate(before, spec, today)
    report.accepting = accept
    if not after.document:
        raise BrokenInputs("nothing is vendored yet. Give the vendor's page: make generate SPEC=PATH ACCEPT=1.")
    if ended:
        report.warnings.append("an earlier update had been cut short; it was ended first")
    after, found = _decided(before, after, report, accept=accept)
    if spec is None:
        report.changes = changes_since(root, after)
    files, unsendable = _built(root, after, send_check)
    stopping = [finding for finding in unsendable if not (accept and finding.kind == "unsendable")]
    report.warnings += [f"{one.subject}: {one.what}" for one in unsendable if one not in stopping]
    found = [*found, *stopping]
    report.findings = [_traced(root, finding, after) for finding in report.findings]
    if found:
        found = [_traced(root, finding, after) for finding in found]
        report.state, report.findings, report.edits = "decision", found, ()
        if accept:
            report.error = "ACCEPT=1 settles all but what is listed here: that needs an edit by hand."
        return report
    report.files = replace_files(root, {**files, **after.files, **tables(root, after)}, GENERATED)
    if report.findings or report.edits:
        report.state = "accepted"
    elif report.changes or report.moved or report.files or report.page_text:
        report.state = "absorbed"
    return report


def _built(root: Path, after: Inputs, send_check: SendCheck) -> tuple[dict[str, bytes], list[Finding]]:
    """Build the new files and send samples with them; return the files, and what is wrong with them."""
    try:
        files = build(after)
    except (DecisionNeeded, RefusedInput) as error:
        return {}, [Finding("client", "build", str(error), step=_REPAIR)]
    if unsent := _required_parameters(after):
        return files, unsent
    if _on_disk(root) == files:
        return files, []
    return files, [
        Finding(
            "unsendable" if one.optional else "client",
            one.place,
            f"the client cannot send it: {one.reason}",
            step="make overlay/ able to send it, or take the field out in openapi/overlay.yaml; then run again.",
            accept="takes the page without it: callers cannot send the field" if one.optional else "",
        )
        for one in send_check(root, files, GENERATED)
    ]


def _required_parameters(after: Inputs) -> list[Finding]:
    """Return the required parameters of our operations, which the client cannot send: it sends a body and the key."""
    document = effective(after)
    found: list[Finding] = []
    for role, name in after.settings.roles.items():
        for operation in operations(document):
            owners = (document["paths"][operation.path], operation.node.value) if operation.id == name else ()
            for one in [one for owner in owners for one in owner.get("parameters") or []]:
                parameter = follow(document, Node(one)).value
                if parameter.get("required"):
                    place = f"{role}/request/{parameter.get('in')} {parameter.get('name')}"
                    what = "the client cannot send it: it sends a body and the key, and no other parameter"
                    found.append(Finding("client", place, what, step=_REPAIR))
    return found


def _candidate(before: Inputs, spec: Path | None, today: dt.date) -> tuple[Inputs, Report]:
    if spec is None:
        return before, Report("unchanged")
    source = page.read(spec)
    check_version(source.document, source.name)
    unnamed = name_submit(source.document, before.settings)
    source, left = page.reduce(source, before.settings.submit, before.document)
    check_spec(source.document, source.name)
    if missing_submit(source.document, before):
        raise RefusedInput(
            f"{source.name} does not describe our operation ({before.settings.submit}): neither its operationId nor its"
            " path is there. Is it the page of another model?"
        )
    report = Report("unchanged", source=source.name, left_out=left)
    if unnamed:
        report.warnings = [f"the page gives our operation no operationId; it keeps the name {before.settings.submit}"]
    text = source.text or before.origin.text
    if before.origin.text:
        added, gone = (
            added_sentences("\n".join(one), "\n".join(other))
            for one, other in ((text, before.origin.text), (before.origin.text, text))
        )
        report.page_text = [*(f"- {sentence}" for sentence in gone), *(f"+ {sentence}" for sentence in added)]
    if before.document and alike(before.document, source.document):
        return (with_origin(before, text=text) if text != before.origin.text else before), report
    origin = replace(
        before.origin,
        page=source.name,
        form=source.form,
        page_sha256=source.sha256,
        fence=source.fence,
        title=source.title,
        taken=today.isoformat(),
        yaml_sha256=hashlib.sha256(source.yaml).hexdigest(),
        text=text,
    )
    after = read({**before.files, VENDORED: source.yaml, ORIGIN: origin.toml()})
    return after, report


def alike(one: object, other: object, key: str = "", parent: str = "") -> bool:
    """Whether two documents say the same: order of keys and folding of prose do not count."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name], name, key) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(a, b, key, parent) for a, b in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str) and key in PROSE and parent != "properties":
        return normal(one) == normal(other)
    return same(one, other)


def _decided(before: Inputs, after: Inputs, report: Report, *, accept: bool) -> tuple[Inputs, list[Finding]]:
    """Compare the pages; with `accept`, change our inputs until only what a person must edit is left."""
    edits: list[str] = []
    after, renamed = follow_rename(before, after)
    first = view(before, after)
    found = findings(first, after)
    if accept and found:
        after, overlaid = accept_overlay(after)
        after, ruled = accept_rules(view(before, after), after)
        edits = [*renamed, *overlaid, *ruled]
    seen = view(before, after)
    if after.origin.language != seen.language:
        after = with_origin(after, language=seen.language)
    report.changes = seen.changes
    report.moved = not seen.changes and before.files.get(VENDORED) != after.files.get(VENDORED)
    report.warnings += warnings(seen, after)
    report.edits = edits
    if before.origin.language and before.origin.language != seen.language:
        report.edition = f"{before.origin.language} -> {seen.language}"
    if not accept:
        return after, found
    report.findings = found
    return after, [finding for finding in findings(seen, after) if finding.kind not in TAKEN_AS_IS]


def _traced(root: Path, finding: Finding, inputs: Inputs) -> Finding:
    """Add to the finding about a rule which files enforce and test the rule."""
    rule = inputs.ledger.rules.get(finding.subject)
    if rule is None:
        return finding
    enforcing, testing = files_that_name(root, rule)
    notes = (f"enforced by: {', '.join(enforcing) or 'no file'}", f"tested by: {', '.join(testing) or 'no file'}")
    return replace(finding, notes=(*finding.notes, *notes))


def write_report(root: Path, report: Report) -> None:
    """Write the report below build/, as Markdown and as JSON."""
    path = root / REPORT
    path.parent.mkdir(exist_ok=True)
    path.write_text(report.markdown(), "utf-8")
    path.with_suffix(".json").write_text(json.dumps(report.data(), ensure_ascii=False, indent=1) + "\n", "utf-8")


# The contract suite is shipped with the overlay, but what it does is test.
_CONTRACT: Final = "overlay/seedream_testing/"
# These name rules for another reason: they show any rule, are wrong on purpose, or try the pipeline itself.
_OTHERS: Final = ("overlay/seedream/cli/", "tests/mutants/", "tests/page_edits.py", "tests/pipeline/")


def files_that_name(root: Path, rule: Rule) -> tuple[list[str], list[str]]:
    """Return the files below the root that enforce the rule, and those that test it."""
    words = [re.escape(rule.id), *(constant(rule.id, fact) for fact in rule.facts)]
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])")
    found = [name for name, text in _texts(root) if pattern.search(text)]
    tests = [name for name in found if name.startswith(("tests/", _CONTRACT))]
    return [name for name in found if name not in tests], tests


@cache
def _texts(root: Path) -> list[tuple[str, str]]:
    paths = sorted(path for side in ("overlay", "tests") for path in (root / side).rglob("*.py"))
    named = ((path.relative_to(root).as_posix(), path) for path in paths)
    return [(name, path.read_text("utf-8")) for name, path in named if not name.startswith(_OTHERS)]


def verify(root: Path) -> str:
    """Generate in memory and compare every file; return what to print.

    Raises:
        Different: a file under generated/ is missing, extra or different, an update was cut short, the ledger does not
            fit the vendored page, or what is written from the ledger elsewhere is out of date.
        BrokenInputs: the vendored YAML is not the one that SOURCE.toml names.
    """
    if (root / STAGE).exists():
        raise Different("an update was cut short. Run `make generate`, which ends or forgets it.")
    inputs = load(root)
    if found := findings(view(inputs, inputs), inputs):
        problems = "; ".join(f"{finding.subject}: {finding.what}" for finding in found[:5])
        raise Different(f"our inputs do not fit the vendored page; run `make generate` to see all ({problems}).")
    want = build(inputs)
    if lines := differences(_on_disk(root), want):
        raise Different(
            "the tree under generated/ is not what openapi/ makes; run `make generate`:\n  " + "\n  ".join(lines)
        )
    check_tables(root, inputs)
    return f"{len(want)} files under {GENERATED}/ are what openapi/ makes."


def _on_disk(root: Path) -> dict[str, bytes]:
    return {f"{GENERATED}/{name}": data for name, data in read_tree(root / GENERATED).items()}
