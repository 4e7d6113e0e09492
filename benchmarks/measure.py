"""Measures rows: all clients of a row take turns against the same server, and each turn's ratio is taken by itself."""

import contextlib
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from attrs import Factory, frozen, mutable

from benchmarks.rows import MIB, PEERS, Row
from benchmarks.server import IDLE_SECONDS, picture
from benchmarks.services import Process, Services, environment
from benchmarks.workers.harness import KEY, SUBMIT

PARTS = ("cpu", "wall")
REUSE_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0)


@frozen
class Quartiles:
    """The middle of some ratios, and where the middle half of them lies."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Quartiles":
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, median, high)


@mutable
class Measured:
    """What was measured of one client in one row."""

    samples: list[dict[str, float]] = Factory(list)
    skipped: str = ""

    def ratios(self, reference: "Measured", part: str) -> Quartiles | None:
        """Return this client's share of the reference's time, turn by turn; None without both."""
        pairs = zip(self.samples, reference.samples, strict=False)
        values = [own[part] / other[part] for own, other in pairs if other[part] > 0]
        return Quartiles.of(values) if values else None

    def median(self, part: str) -> float:
        return statistics.median(sample[part] for sample in self.samples)


Turn = Callable[[], dict[str, float]]
IMPORT = """
import time
cpu, wall = time.process_time(), time.perf_counter()
import {}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


class Bench:
    """Measures rows against running services."""

    def __init__(self, services: Services, *, clients: tuple[str, ...] | None = None) -> None:
        self.services = services
        self._clients = clients

    def clients(self, row: Row) -> list[str]:
        """Whom to measure in a row: its own, less those not asked for, never less the reference."""
        wanted = self._clients
        return [name for name in row.clients if wanted is None or name in wanted or name == row.reference]

    @contextlib.contextmanager
    def worker(self, client: str, row: Row, work: str, base_url: str | None = None) -> Iterator[Process | str]:
        """Yield a process that has prepared the work, or why it cannot."""
        peer = PEERS[client]
        base_url = base_url or self.services.base_url(row.scheme, row.distance)
        host = base_url.split("//")[1]
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context((self.services.folder / f"{client}.err").open("w+", encoding="utf-8"))
            command = [environment(peer.environment), "-m", f"benchmarks.workers.{peer.worker}", host]
            process = Process.start(command, self.services.env, errors)
            stack.callback(process.stop)
            directory = self.services.folder / f"saved-{client}-{work}"
            directory.mkdir()
            stack.callback(shutil.rmtree, directory)
            try:
                answer = process.ask(
                    prepare=work, base_url=base_url, ca=str(self.services.ca) if row.scheme == "https" else "",
                    taskid=row.taskid, images=row.images, uploads=self._uploads(row.upload), directory=str(directory),
                    options=dict(row.options),
                )  # fmt: skip
                if "skip" in answer:
                    yield str(answer["skip"])
                    return
                yield process
            except RuntimeError as error:
                errors.seek(0)
                raise RuntimeError(f"{client}, {row.id}: {error}:\n{errors.read()[-2000:]}") from None

    def _uploads(self, count: int) -> list[str]:
        files = [self.services.folder / f"source-{number}.png" for number in range(count)]
        for file in files:
            if not file.exists():
                file.write_bytes(picture(8 * MIB))
                # A file that was just written is hashed before it is sent.
                os.utime(file, (1_600_000_000, 1_600_000_000))
        return [str(file) for file in files]

    def _process_turn(self, client: str, row: Row) -> Turn | str:
        """Return a turn that starts a fresh interpreter: the rows ``import`` and ``start``."""
        peer = PEERS[client]
        python = environment(peer.environment)
        if row.work == "import":

            def imported() -> dict[str, float]:
                command = [str(python), "-c", IMPORT.format(peer.module)]
                printed = subprocess.run(
                    command, check=True, capture_output=True, text=True, env=self.services.env
                ).stdout
                cpu, wall = map(float, printed.split())
                return {"cpu": cpu, "wall": wall, "peak": 0.0}

            return imported
        base_url = self.services.base_url("https" if client == "fal" else row.scheme, 0)
        if client == "fal" and row.scheme != "https":
            return "https only"
        source = (Path(__file__).parent / "workers" / f"{peer.worker}.py").read_text("utf-8")
        code = source.split('START = """')[1].split('"""')[0]
        code = code.format(key=KEY, base_url=base_url, submit=SUBMIT, host=base_url.split("//")[1])

        def started() -> dict[str, float]:
            wall = time.perf_counter()
            pid = os.posix_spawn(python, [str(python), "-c", code], self.services.env)
            _, status, usage = os.wait4(pid, 0)
            wall = time.perf_counter() - wall
            if status:
                raise RuntimeError(f"{client} could not submit")
            return {"cpu": usage.ru_utime + usage.ru_stime, "wall": wall, "peak": 0.0}

        return started

    @contextlib.contextmanager
    def turns(self, row: Row) -> Iterator[dict[str, Turn | str]]:
        """Yield a turn for each client (and for the reference), all prepared and run once to warm up."""
        works = [(client, client, row.work) for client in self.clients(row)]
        if row.reference not in row.clients:  # another work of the same client
            works.append((row.reference, row.clients[0], row.reference))
        with contextlib.ExitStack() as stack:
            turns: dict[str, Turn | str] = {}
            for label, client, work in works:
                if work in {"import", "start"}:
                    turns[label] = self._process_turn(client, row)
                    continue
                worker = stack.enter_context(self.worker(client, row, work))
                if isinstance(worker, Process):
                    warm = int(row.distance > 0)
                    turns[label] = lambda worker=worker, warm=warm: worker.ask(run=row.calls, warm=warm)  # type: ignore[misc]  # bound at once
                    worker.ask(run=1)
                else:
                    turns[label] = worker
            for turn in turns.values():
                if row.work in {"import", "start"} and callable(turn):
                    turn()
            yield turns

    def measure(self, row: Row, rounds: int, until: float) -> dict[str, Measured]:
        """So many rounds of turns, fewer (but two) when the clock passes ``until``."""
        results = {name: Measured() for name in [*self.clients(row), row.reference]}
        with self.turns(row) as turns:
            for label, turn in turns.items():
                if isinstance(turn, str):
                    results[label].skipped = turn
            able = [(label, turn) for label, turn in turns.items() if callable(turn)]
            for number in range(rounds):
                if number >= 2 and time.monotonic() > until:  # noqa: PLR2004 -- two rounds have a middle
                    break
                shift = number % len(able)
                for label, turn in able[shift:] + able[:shift]:
                    results[label].samples.append(turn())
        return results

    def count(self, row: Row) -> dict[str, Measured]:
        """Return the connections that the server saw of each client in one measurement."""
        results = {}
        for client in self.clients(row):
            results[client] = Measured()
            self.services.counts()
            with self.worker(client, row, row.work) as worker:
                if isinstance(worker, Process):
                    details = worker.ask(run=row.calls)["details"]
                    counted = self.services.counts() | details
                    results[client].samples.append({name: float(value) for name, value in counted.items()})
                else:
                    results[client].skipped = worker
        return results

    def reuse(self, *, quick: bool) -> list[tuple[float, str, dict[str, int]]]:
        """Return the share of ambiguous failures by the server's idle time (seconds) and by the client and its setting.

        The server is 100 ms away. All cells run at once, since they do little but wait.
        """
        settings = [
            ("httpx", 0.0, "raw httpx"),
            *(("seedream", seconds, _allowed(seconds)) for seconds in REUSE_SECONDS),
        ]
        cells = []
        with contextlib.ExitStack() as stack:
            for idle, (client, seconds, title) in product(IDLE_SECONDS[:1] if quick else IDLE_SECONDS, settings):
                options = (("pause", 2 * idle), ("clients", 20.0), ("reuse", seconds))
                row = Row("reuse", "", "reuse", 3 if quick else 10, distance=100, clients=(client,), options=options)
                own = Bench(self.services.in_folder(f"{client}-{idle:g}-{seconds:g}"))
                base_url = self.services.base_url(f"idle-{idle:g}", row.distance)
                worker = stack.enter_context(own.worker(client, row, "reuse", base_url))
                if isinstance(worker, Process):
                    worker.send(run=row.calls)
                    cells.append((idle, title, worker))
            return [(idle, title, worker.read()["details"]) for idle, title, worker in cells]


def _allowed(seconds: float) -> str:
    return f"reuse within {seconds:g} s" if seconds else "no reuse"
