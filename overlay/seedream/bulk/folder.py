"""What is where in a run's output folder, and whether the journal knows of all that is there."""

import json
import re
from pathlib import Path
from typing import Final

from seedream._files.atomic_file import NEW
from seedream._support.server_text import show_id
from seedream.errors import JournalError
from seedream.journal.lock import os_errors_as_journal_full
from seedream.journal.queries import Queries

_PICTURE: Final = re.compile(r"(?P<stem>[^.].*)-\d+\.[a-z0-9]{2,5}")
_LOST: Final = (
    "Put the journal that belongs to it back, or use another folder. If it is lost, --records-lost (records_lost=True) "
    "goes on without it: jobs that it held are then paid for again."
)


class Folder:
    """The output folder of one run.

    Attributes:
        root: The folder itself.
        journal: The durable journal (SQLite).
        pictures: The pictures, ``<task id>-<number>.<extension>``.
        thumbnails: Small copies for the gallery; may be deleted at any time.
        results: One JSON object a job, in the order of the jobs.
        manifest: One Parquet row a picture, where a run was asked for it.
        gallery: The page that shows them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = root / "journal.sqlite"
        self.pictures = root / "pictures"
        self.thumbnails = root / ".thumbnails"
        self.results = root / "results.jsonl"
        self.manifest = root / "manifest.parquet"
        self.gallery = root / "gallery.html"

    @property
    def has_journal(self) -> bool:
        """Whether there is a journal that holds anything."""
        return self.journal.is_file() and self.journal.stat().st_size > 0

    def sweep(self) -> None:
        """Remove what a killed process left of files it had begun. Only for the holder of the journal's lock."""
        for folder, pattern in ((self.pictures, ".*.part"), (self.root, f".*{NEW}"), (self.thumbnails, f".*{NEW}")):
            if folder.is_dir():
                for leftover in folder.glob(pattern):
                    leftover.unlink(missing_ok=True)

    def check_known(self, journal: Queries | None) -> None:
        """Refuse a folder with pictures or results of tasks that the journal does not know: it has lost records.

        Args:
            journal: The folder's journal; None: there is none.

        Raises:
            JournalError: There are such pictures or results.
        """
        unknown, results = self._unknown_to(journal)
        if unknown:
            what = f"a picture, {unknown[0].name},"
        elif results:
            what = f"results of task {show_id(min(results))}"
        elif journal is None and self._gallery_shows_pictures():
            what = "a gallery of pictures"
        else:
            return
        where = "which its journal does not know" if journal is not None else "but no journal"
        raise JournalError(f"{self.root} contains {what} {where}", hint=_LOST)

    def set_aside(self, journal: Queries) -> None:
        """Move pictures and results of tasks that the journal does not know to a new folder ``earlier-<number>``.

        For a run that goes on although records are lost: later starts then find nothing that the journal does not know,
        and what was paid for before is kept.
        """
        unknown, results = self._unknown_to(journal)
        if not unknown and not results:
            return
        number = 1
        while (self.root / f"earlier-{number}").exists():
            number += 1
        earlier = Folder(self.root / f"earlier-{number}")
        with os_errors_as_journal_full(earlier.root):
            earlier.pictures.mkdir(parents=True)
            for path in unknown:
                path.rename(earlier.pictures / path.name)
            for old, new in ((self.results, earlier.results), (self.gallery, earlier.gallery)):
                if results and old.is_file():
                    old.rename(new)

    def _unknown_to(self, journal: Queries | None) -> tuple[list[Path], set[str]]:
        """Return the pictures, and the task ids in results.jsonl, of which the journal has no task."""
        known = {taskid for taskid, _ in journal.accepted()} if journal is not None else set[str]()
        stems = {show_id(taskid) for taskid in known}
        found = ((path, _PICTURE.fullmatch(path.name)) for path in self.pictures.glob("*"))
        unknown = sorted(path for path, match in found if match is not None and match["stem"] not in stems)
        return unknown, self._result_ids() - known

    def _gallery_shows_pictures(self) -> bool:
        try:
            return self.gallery.is_file() and '"pictures/' in self.gallery.read_text("utf-8", "replace")
        except OSError:
            return False

    def _result_ids(self) -> set[str]:
        found: set[str] = set()
        if not self.results.is_file():  # a device or a pipe would be read for ever
            return found
        try:
            with self.results.open(encoding="utf-8") as file:
                for line in file:
                    row = json.loads(line)
                    if isinstance(row, dict) and isinstance(row.get("taskid"), str):
                        found.add(row["taskid"])
        except (OSError, ValueError):
            return found  # no results, or not ours
        return found
