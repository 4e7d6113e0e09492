"""A bulk run against the small service, with a clock that does not wait."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, field
from chaos.service import Running, charges
from seedream import AsyncSeeDream
from seedream.bulk import Bulk, BulkOptions, Report
from seedream.journal import Job

from support.clock import FakeClock

KEY = "sk-MARKER-KEY-0123456789"


@define
class Bench:
    """A run's folder, its service, and short ways to both."""

    root: Path
    running: Running
    clock: FakeClock = field(factory=FakeClock)
    transport: Any = None

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def bulk(self) -> Bulk:
        connect = partial(
            AsyncSeeDream, KEY, base_url=self.running.service.base, clock=self.clock, transport=self.transport
        )
        return Bulk(self.out, connect=connect, clock=self.clock)

    def write(self, *rows: dict[str, Any] | str) -> Path:
        path = self.root / "jobs.jsonl"
        whole = [{"id": row, "prompt": row} if isinstance(row, str) else row for row in rows]
        whole = [row if "batchsize" in row else {"batchsize": 1, **row} for row in whole]  # whatever the page's default
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in whole))
        return path

    def run(self, *rows: dict[str, Any] | str, **options: Any) -> Report:
        """Run these jobs; a text is a job with that prompt and id."""
        options.setdefault("concurrency", 1)
        return self.bulk.run(self.write(*rows), options=BulkOptions(**options))

    def job(self, key: str) -> Job:
        return next(job for job in self.bulk.jobs(*_ALL) if job.key == key)

    def states(self) -> dict[str, str]:
        return {job.key: job.state for job in self.bulk.jobs(*_ALL)}

    @property
    def paid(self) -> list[str]:
        """The prompts that were charged, in order."""
        return [charge["prompt"] for charge in charges(self.root / "ledger")]

    def results(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "results.jsonl").read_text().splitlines()]


_ALL: Any = (
    "planned", "submitting", "submitted", "succeeded", "failed", "downloaded", "unknown", "rejected", "abandoned",
)  # fmt: skip
