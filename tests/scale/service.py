"""The sandbox as the judge of what was paid, and the rows that are asked for."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from seedream import AsyncSeeDream
from seedream_sandbox import Sandbox


def rows(count: int) -> list[dict[str, str]]:
    """So many different jobs."""
    return [{"id": f"job-{number}", "prompt": f"picture {number}"} for number in range(count)]


@frozen
class Judge:
    """A running sandbox."""

    sandbox: Sandbox

    @property
    def connect(self) -> "partial[AsyncSeeDream]":
        """Makes a client of it, in any process."""
        return partial(AsyncSeeDream, self.sandbox.api_key, base_url=self.sandbox.base_url)

    @property
    def paid(self) -> int:
        """How many submissions were charged."""
        return len(self.sandbox.charges)

    @property
    def paid_twice(self) -> list[str]:
        """Prompts that were charged more than once: each is one job's."""
        return sorted(
            prompt for prompt, times in Counter(one.prompt for one in self.sandbox.charges).items() if times > 1
        )


@contextmanager
def judge(**settings: Any) -> Iterator[Judge]:
    """Run a sandbox that makes small pictures."""
    with Sandbox(**{"pictures": "plain", "progress": "instant", "credits": 10**6, **settings}) as sandbox:
        yield Judge(sandbox)


def delivered(manifest: list[dict[str, Any]], root: Path | None = None) -> set[str]:
    """Return the ids of jobs whose picture is there, with as many bytes as its manifest row says."""
    found = set()
    for row in manifest:
        if row["state"] == "downloaded":
            path = Path(row["path"]) if root is None else root / row["path"]
            assert path.stat().st_size == row["bytes"]
            found.add(str(row["id"]))
    return found
