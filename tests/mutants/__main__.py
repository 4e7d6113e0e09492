"""`python -m mutants [clients] [servers] [specs] [--report FILE]`: plants faults, and reports which were found."""

import argparse
import json
import multiprocessing
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

KINDS = ("clients", "servers", "derived", "code", "specs")


def _work(job: tuple[str, int]) -> dict[str, str]:
    """One fault, in a process of its own: wrong specs are loaded in the place of the right one."""
    kind, index = job
    warnings.simplefilter("ignore")
    if kind == "specs":
        from mutants._spec_run import detect_spec  # noqa: PLC0415 -- must not load the package
        from mutants.wrong_specs import WRONG_SPECS  # noqa: PLC0415 -- see above

        return asdict(detect_spec(WRONG_SPECS[index]))
    if kind == "code":
        from mutants.wrong_code import WRONG_CODE, detect_code  # noqa: PLC0415 -- see above

        return detect_code(WRONG_CODE[index])
    if kind == "derived":
        import judge as by_hand  # noqa: PLC0415 -- see above
        from mutants.derived import detect_derived  # noqa: PLC0415 -- see above
        from seedream_testing.contract import RELATIONS  # noqa: PLC0415 -- see above

        return detect_derived(RELATIONS[index], by_hand.FACTS)
    import judge  # noqa: PLC0415 -- not where wrong specs are loaded
    from attrs import asdict as attrs_dict  # noqa: PLC0415 -- see above
    from mutants.wrong_clients import WRONG_CLIENTS  # noqa: PLC0415 -- see above
    from mutants.wrong_servers import WRONG_SERVERS  # noqa: PLC0415 -- see above

    table: Any = WRONG_CLIENTS if kind == "clients" else WRONG_SERVERS
    return dict(attrs_dict(table[index].run(judge.FACTS)))


def _count(kind: str) -> int:
    # Counted in a process of its own, so that this one stays free of the package.
    with _pool(1) as pool:
        return int(pool.apply(_length, (kind,)))


def _length(kind: str) -> int:
    if kind == "specs":
        from mutants.wrong_specs import WRONG_SPECS as TABLE  # noqa: PLC0415 -- see above
    elif kind == "code":
        from mutants.wrong_code import WRONG_CODE as TABLE  # type: ignore[assignment]  # noqa: PLC0415
    elif kind == "derived":
        from seedream_testing.contract import RELATIONS as TABLE  # type: ignore[assignment]  # noqa: PLC0415
    elif kind == "clients":
        from mutants.wrong_clients import WRONG_CLIENTS as TABLE  # type: ignore[assignment]  # noqa: PLC0415
    else:
        from mutants.wrong_servers import WRONG_SERVERS as TABLE  # type: ignore[assignment]  # noqa: PLC0415
    return len(TABLE)


def _warm() -> None:
    """Load once what the processes of wrong specs have in common: nothing of the package, which each has a copy of."""
    import httpx  # noqa: F401, PLC0415 -- for the processes forked from this one
    import mutants._spec_run  # noqa: F401, PLC0415 -- see above
    import PIL.Image  # noqa: F401, PLC0415 -- see above
    import werkzeug.formparser  # noqa: F401, PLC0415 -- see above
    from pipeline.build import build  # noqa: PLC0415 -- see above
    from pipeline.inputs import load  # noqa: PLC0415 -- see above

    build(load(Path(__file__).resolve().parents[2]))  # the generator's templates, and what most faults leave alone


def _pool(processes: int, tasks: int | None = None) -> Any:
    return multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=tasks)


def run_all(kinds: Iterable[str], report: Callable[[str, dict[str, str]], None]) -> None:
    """Plant every fault of these kinds; ``report`` gets each result."""
    for kind in kinds:
        jobs = [(kind, index) for index in range(_count(kind))]
        if kind == "specs":
            _warm()
        with _pool(2, 1 if kind == "specs" else None) as pool:
            for result in pool.imap(_work, jobs, chunksize=1):
                report(kind, result)


def main() -> int:
    """Plant the faults; return 1 when one survived, or was found for another reason than foreseen."""
    parser = argparse.ArgumentParser(prog="python -m mutants")
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="which faults (default: all)")
    parser.add_argument("--report", help="write the Markdown table here")
    given = parser.parse_args()
    results: dict[str, list[dict[str, str]]] = {}
    started = time.monotonic()

    def report(kind: str, result: dict[str, str]) -> None:
        results.setdefault(kind, []).append(result)
        sys.stdout.write(json.dumps({"kind": kind, **result}, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    run_all(given.kinds or KINDS, report)
    bad = [result["name"] for found in results.values() for result in found if not good(result)]
    if given.report:
        from mutants._report import write  # noqa: PLC0415 -- only when asked

        write(given.report, results)
    counts = ", ".join(f"{kind} {sum(map(good, found))} of {len(found)}" for kind, found in results.items())
    sys.stderr.write(f"found: {counts} ({time.monotonic() - started:.0f} s)\n")
    sys.stderr.writelines(f"NOT FOUND, or for another reason: {name}\n" for name in bad)
    return 1 if bad else 0


def good(result: dict[str, str]) -> bool:
    """Whether a fault was found for a foreseen reason."""
    return bool(result["check"]) and result["rule"] in (result["expected"], *result["expected"].split())


if __name__ == "__main__":
    sys.exit(main())
