"""`python -m mutants.trials FOLDER TESTS...`: tries mutants in one pytest session, each in a forked process.

Tests are collected once. A first process runs them all and notes which functions each one calls, also in processes that
it starts. Then each mutant has a process of its own, which runs the tests that call its function, the fastest first,
until one fails. Each end is written to `results.jsonl` at once:

- `found`: a test failed; `by` names it.
- `timeout`: a test took 20 times as long as without the mutant, at least 8 seconds, and again with four times that.
- `survived`, and `uncovered` where no test calls the function.

At last every test that found a mutant runs again without one: where it fails, it proves nothing (`flaky`).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import _lru_cache_wrapper
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from mutants.mutate import Mutant, load

_LEAST: Final = 8.0
# Runs at the start of each process: mutmut's own record reads settings from the working directory, which tests change.
_SITE: Final = """
import atexit, os
if "MUTANT_UNDER_TEST" in os.environ:
    import mutmut.mutation.trampoline as trampoline
    hits = set()
    trampoline.record_trampoline_hit = lambda name, caller=None: hits.add(name)
    def write():
        if (folder := os.environ.get("MUTANTS_HITS")) and os.environ["MUTANT_UNDER_TEST"] == "stats":
            with open(os.path.join(folder, f"{os.getpid()}-{os.urandom(4).hex()}"), "w") as file:
                file.write("\\n".join(hits))
    atexit.register(write)
"""


class Trials:
    """The pytest plugin: runs the mutants in place of the tests."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._ends = folder, time.monotonic() + seconds
        self._failed = ""
        self._results = (folder / "results.jsonl").open("a", encoding="utf-8")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._failed:
            self._failed = report.nodeid + (" timeout" if "Timeout" in str(report.longrepr) else "")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._temporary = session.config._tmp_path_factory  # type: ignore[attr-defined]  # no public way
        hits, seconds, broken = self._record(session.items)
        if broken:
            sys.stderr.write(f"not used, as they fail in the copy: {', '.join(broken)}\n")
        items = {item.nodeid: item for item in session.items if item.nodeid not in broken}
        killers = set[str]()
        for mutant in load(self._folder / "mutants.json"):
            if time.monotonic() > self._ends:
                break
            tests = sorted((one for one in hits.get(mutant.hit, ()) if one in items), key=lambda one: seconds[one])
            ended = self._try(mutant, [items[one] for one in tests], seconds)
            killers.add(ended["by"])
            self._results.write(json.dumps({"name": mutant.name, **ended}) + "\n")
            self._results.flush()
        flaky = [one for one in sorted(killers - {""}) if self._fork("", [items[one]], seconds, 4) != ("survived", "")]
        self._results.write(json.dumps({"flaky": flaky, "broken": broken}) + "\n")
        self._results.flush()
        return True

    def _try(self, mutant: Mutant, items: Sequence[pytest.Item], seconds: dict[str, float]) -> dict[str, str]:
        if not items:
            return {"end": "uncovered", "by": ""}
        end, by = self._fork(mutant.name, items, seconds, 1)
        if end == "timeout":
            end, by = self._fork(mutant.name, items, seconds, 4)
        return {"end": end, "by": by}

    def _record(self, items: Sequence[pytest.Item]) -> tuple[dict[str, list[str]], dict[str, float], list[str]]:
        """Return which tests call which function, how long each takes, and which fail in the copy."""
        path = self._folder / "hits.json"

        def run() -> None:
            hits: set[str] = sys.modules["sitecustomize"].hits  # ours, below the folder
            found: dict[str, list[str]] = {}
            seconds, broken = dict[str, float](), list[str]()
            folder = self._folder / "started"
            folder.mkdir()
            os.environ["MUTANTS_HITS"] = str(folder)
            for item, after in pairwise([*items, None]):
                assert item is not None
                began = time.monotonic()
                _forget()
                hits.clear()
                self._failed = ""
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                seconds[item.nodeid] = time.monotonic() - began
                names = set(hits)
                for written in list(folder.iterdir()):
                    names |= set(written.read_text("utf-8").split("\n"))
                    written.unlink()
                if self._failed:
                    broken.append(item.nodeid)
                for name in names:
                    found.setdefault(name, []).append(item.nodeid)
            path.write_text(json.dumps([found, seconds, broken]), "utf-8")

        with self._forked("stats", run) as pid:
            os.waitpid(pid, 0)
        found, seconds, broken = json.loads(path.read_text("utf-8"))
        return found, seconds, broken

    def _fork(
        self, name: str, items: Sequence[pytest.Item], seconds: dict[str, float], patience: float
    ) -> tuple[str, str]:
        """Run the tests with the mutant; gives how it ended and by which test."""
        said = self._folder / "said"
        said.unlink(missing_ok=True)

        def run() -> None:
            for item, after in pairwise([*items, None]):
                assert item is not None
                limit = max(_LEAST, 20 * seconds[item.nodeid]) * patience
                item.add_marker(pytest.mark.timeout(limit, method="signal"), append=False)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if self._failed:
                    said.write_text(self._failed, "utf-8")
                    os._exit(1)

        whole = 10 * sum(seconds[item.nodeid] for item in items) + 2 * _LEAST * patience
        with self._forked(name, run) as pid:
            ended = time.monotonic() + whole
            pause = 0.005
            while not (done := os.waitpid(pid, os.WNOHANG))[0]:
                if time.monotonic() > ended:
                    os.killpg(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    return "timeout", ""
                time.sleep(pause)
                pause = min(pause * 1.2, 0.1)
        by = said.read_text("utf-8") if said.exists() else ""
        if by.endswith(" timeout"):
            return "timeout", by.removesuffix(" timeout")
        return ("survived" if os.waitstatus_to_exitcode(done[1]) == 0 else "found"), by

    @contextmanager
    def _forked(self, name: str, run: Callable[[], None]) -> Generator[int]:
        """A forked process in a group and with a temporary folder of its own; both are gone afterwards."""
        temporary = self._folder / "tmp"
        temporary.mkdir()
        pid = os.fork()
        if not pid:
            code = 1
            try:
                self._become(name, temporary)
                run()
                code = 0
            finally:
                os._exit(code)
        try:
            yield pid
        finally:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # what the tests started and left behind
            shutil.rmtree(temporary, ignore_errors=True)

    def _become(self, name: str, temporary: Path) -> None:
        from mutmut.mutation.trampoline import set_mutant_under_test  # noqa: PLC0415 -- in the child only

        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        set_mutant_under_test(name)
        self._failed = ""
        self._temporary._basetemp = temporary  # each process needs its own

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """A Hypothesis profile without shrinking: the first failure is enough."""
        from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415 -- pytest must see its import

        settings.register_profile(
            "mutants", max_examples=50, deadline=None, derandomize=True, database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        )  # fmt: skip
        os.environ["HYPOTHESIS_PROFILE"] = "mutants"


def _forget() -> None:
    """Empty the caches of functions: one whose result another test has cached would not be seen to be called."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("seedream", "pipeline")):
            for value in list(vars(module).values()):
                if isinstance(value, _lru_cache_wrapper):
                    value.cache_clear()


def start(folder: Path, seconds: float, tests: Sequence[str]) -> int:
    """Try the mutants in a process of its own: its modules must come from the folder."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(_SITE, "utf-8")
    path = os.pathsep.join(str(folder / part) for part in ("site", "overlay", "openapi", "generated", "tests"))
    command = [sys.executable, "-m", "mutants.trials", str(folder), str(seconds), *tests]
    environ = {**os.environ, "PYTHONPATH": path, "MUTANT_UNDER_TEST": ""}
    with (folder / "said.txt").open("w") as said:
        return subprocess.run(command, cwd=folder, env=environ, stdout=said, check=False).returncode


def main() -> int:
    """Try the mutants listed in FOLDER/mutants.json with the tests named."""
    folder, seconds, *tests = Path(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:]
    words = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
        "--tb=line",
        "--rootdir",
        str(folder),
        *tests,
    ]
    return int(pytest.main(words, plugins=[Trials(folder, seconds)]))


if __name__ == "__main__":
    sys.exit(main())
