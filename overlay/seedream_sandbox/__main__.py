"""``python -m seedream_sandbox``: the sandbox without the extra ``cli``. ``--help`` tells its options."""

import argparse
import functools
import os
import sys
from pathlib import Path

from seedream_sandbox import KINDS, Fault, FaultError, Sandbox, load_plan, parse_fault, run_server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m seedream_sandbox", description="A local stand-in of the service.")
    parser.add_argument("--host", default="127.0.0.1", help="anything but loopback warns")
    parser.add_argument("--port", type=int, default=8645, help="0 takes a free one")
    parser.add_argument("--credits", type=int, default=1000, help="to start with")
    parser.add_argument("--seed", type=int, default=0, help="decides ids, pictures and chances")
    parser.add_argument(
        "--progress",
        choices=["polls", "time", "instant"],
        help="what moves a task on; time where --latency is given, otherwise polls",
    )
    parser.add_argument("--polls", type=int, default=2, help="queries a task takes (progress: polls)")
    parser.add_argument("--latency", type=float, help="seconds a task takes")
    parser.add_argument("--pictures", choices=["painted", "plain"], default="painted", help="plain is fast")
    parser.add_argument("--key", dest="keys", action="append", default=[], help="accept this key alone; repeatable")
    parser.add_argument(
        "--fail", "--fault", dest="faults", action="append", default=[], help="'cut-reply nth=2'; repeatable"
    )
    parser.add_argument(
        "--faults", "--plan", dest="plans", action="append", default=[], type=Path, help="faults from a YAML file"
    )
    parser.add_argument("--ledger", dest="ledger_path", type=Path, help="append each charge to this file")
    parser.add_argument("--list-faults", action="store_true", help="list the faults there are, and stop")
    return parser


def main(words: list[str] | None = None) -> int:
    """Run; the exit code."""
    parser = _parser()
    options = vars(parser.parse_args(words))
    say = functools.partial(print, flush=True)
    if options.pop("list_faults"):
        for kind in KINDS.values():
            say(f"{kind.name:<18} {kind.summary}")
        return 0
    try:
        faults: list[Fault] = [parse_fault(text) for text in options.pop("faults")]
        faults += [fault for plan in options.pop("plans") for fault in load_plan(plan)]
    except FaultError as error:
        parser.error(str(error))
    options["keys"] = tuple(options["keys"])
    try:
        sandbox = Sandbox(faults=faults, **options)
    except ValueError as error:
        parser.error(str(error.args[0]))
    try:
        sandbox.start()
    except (OSError, OverflowError) as error:
        say(f"cannot serve on {options['host']} port {options['port']}: {error}; choose another with --port")
        return 1
    try:
        run_server(sandbox, say)
    except BrokenPipeError:  # nobody reads any more: nor what Python itself would flush at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
