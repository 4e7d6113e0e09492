"""Command line of the pipeline; run from anywhere as `PYTHONPATH=openapi python -m pipeline COMMAND`."""

import argparse
import sys
from pathlib import Path

from .errors import DONE, PipelineError, RefusedInput
from .generate import REPORT, generate, tell
from .report import Report
from .verify import verify

ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code (docs/updating.md lists them)."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="From the vendor's page to the client.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("generate", help="write generated/ anew from openapi/")
    make.add_argument("--spec", type=Path, help="take this page (Markdown, YAML or JSON) first")
    make.add_argument("--accept", action="store_true", help="take what needs a decision")
    commands.add_parser("verify", help="compare generated/ and the vendored YAML with what the inputs make")
    given = parser.parse_args(argv)
    try:
        if given.command == "verify":
            return _say(verify(given.root))
        outcome = generate(given.root, given.spec, accept=given.accept)
    except PipelineError as error:
        if isinstance(error, RefusedInput):
            tell(given.root, Report("refused", source=given.spec.name if given.spec else "", error=str(error)))
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    _say(outcome.report.text() + f"\nAlso as Markdown: {REPORT}")
    return outcome.code


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
