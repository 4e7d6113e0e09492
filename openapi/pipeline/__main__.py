"""Command line of the pipeline; run from anywhere as `PYTHONPATH=openapi python -m pipeline COMMAND`."""

import argparse
import json
import sys
from pathlib import Path

from .errors import DONE, PipelineError, RefusedInput
from .fetch import fetch, is_address
from .generate import REPORT, generate, verify, write_report
from .report import Report, printable
from .watch import propose, watch

ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code (docs/updating.md lists them)."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="From the vendor's page to the client.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("generate", help="write generated/ from openapi/")
    make.add_argument("--spec", help="take this page (Markdown, YAML or JSON; a path or an https address) first")
    commands.add_parser("verify", help="compare generated/ and the vendored YAML with what the inputs make")
    update = commands.add_parser("update", help="fetch the vendor's page, then take it")
    for command in (make, update):
        command.add_argument("--accept", action="store_true", help="take what needs a decision")
        command.add_argument("--json", action="store_true", help="print the report as JSON")
    commands.add_parser("watch", help="fetch and take the page, for the scheduled workflow")
    commands.add_parser("propose", help="open a pull request with what watch changed")
    given = parser.parse_args(argv)
    spec: Path | None = None
    try:
        if given.command == "verify":
            return _say(verify(given.root))
        if given.command == "watch":
            return _say(f"The page: {watch(given.root)}.")
        if given.command == "propose":
            return _say(propose(given.root))
        spec = _page(given.root, "" if given.command == "update" else given.spec)
        report = generate(given.root, spec, accept=given.accept)
    except PipelineError as error:
        if isinstance(error, RefusedInput):
            write_report(given.root, Report("refused", source=spec.name if spec else "", error=str(error)))
        sys.stderr.write(printable(f"error: {error}\n"))
        return error.exit_code
    if given.json:
        _say(json.dumps(report.data(), ensure_ascii=False, indent=1))
    else:
        _say(report.text() + f"\nAlso as Markdown: {REPORT}, and as JSON beside it.")
    return report.code


def _page(root: Path, spec: str | None) -> Path | None:
    """Return the page to take: a path, or the file to which an address is fetched; an empty text is the vendor's."""
    if spec is None:
        return None
    if spec and not is_address(spec):
        return Path(spec)
    fetched = fetch(root, spec)
    line = f"Fetched {fetched.address}" + ("" if fetched.changed else ": the last copy is still the same") + "."
    sys.stderr.write(f"{line}\n")  # standard output is the report, which may be JSON
    return fetched.path


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
