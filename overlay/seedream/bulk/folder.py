"""What is where in a run's output folder, and whether the journal knows of all that is there."""

import json
import re
from pathlib import Path
from typing import Final

from attrs import frozen

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


@frozen
class Folder:
    """The output folder of one run.

    Attributes:
        root: The folder itself.
    """

    root: Path

    @property
    def journal(self) -> Path:
        """The durable journal (SQLite)."""
        return self.root / "journal.sqlite"

    @property
    def pictures(self) -> Path:
        """The pictures, ``<task id>-<number>.<extension>``."""
        return self.root / "pictures"

    @property
    def thumbnails(self) -> Path:
        """Small copies for the gallery; may be deleted at any time."""
        return self.root / ".thumbnails"

    @property
    def results(self) -> Path:
        """One JSON object a job, in the order of the jobs."""
        return self.root / "results.jsonl"

    @property
    def manifest(self) -> Path:
        """One Parquet row a picture, where a run was asked for it."""
        return self.root / "manifest.parquet"

    @property
    def gallery(self) -> Path:
        """The page that shows them."""
        return self.root / "gallery.html"

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
        known = _known(journal)
        for path in self._unknown_pictures(known):
            raise self._unknown(f"a picture, {path.name},", journal)
        for taskid in self._result_ids() - known:
            raise self._unknown(f"results of task {show_id(taskid)}", journal)
        if journal is None and self._gallery_shows_pictures():
            raise self._unknown("a gallery of pictures", journal)

    def set_aside(self, journal: Queries) -> None:
        """Move pictures and results of tasks that the journal does not know to a new folder ``earlier-<number>``.

        For a run that goes on although records are lost: later starts then find nothing that the journal does not know,
        and what was paid for before is kept.
        """
        known = _known(journal)
        unknown = self._unknown_pictures(known)
        results = self._result_ids() - known
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

    def _unknown_pictures(self, known: set[str]) -> list[Path]:
        stems = {show_id(taskid) for taskid in known}
        found = ((path, _PICTURE.fullmatch(path.name)) for path in self.pictures.glob("*"))
        return sorted(path for path, match in found if match is not None and match["stem"] not in stems)

    def _gallery_shows_pictures(self) -> bool:
        try:
            return self.gallery.is_file() and '"pictures/' in self.gallery.read_text("utf-8", "replace")
        except OSError:
            return False

    def _unknown(self, what: str, journal: Queries | None) -> JournalError:
        where = "which its journal does not know" if journal is not None else "but no journal"
        return JournalError(f"{self.root} contains {what} {where}", hint=_LOST)

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


def _known(journal: Queries | None) -> set[str]:
    return {taskid for taskid, _ in journal.accepted()} if journal is not None else set()
