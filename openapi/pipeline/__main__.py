"""Command line of the pipeline; run from anywhere as `PYTHONPATH=openapi python -m pipeline COMMAND`."""

import argparse
import sys
from pathlib import Path

from .errors import DONE, PipelineError
from .generate import generate
from .verify import verify

ROOT = Path(__file__).resolve().parents[2]


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code (docs/updating.md lists them)."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="From the vendor's page to the client.")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="write generated/ anew from openapi/")
    commands.add_parser("verify", help="compare generated/ and the vendored YAML with what the inputs make")
    given = parser.parse_args(argv)
    try:
        print(generate(given.root) if given.command == "generate" else verify(given.root))
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return DONE


if __name__ == "__main__":
    sys.exit(main())
