"""What stands where in a run's output folder."""

from pathlib import Path

from attrs import frozen


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
    def gallery(self) -> Path:
        """The page that shows them."""
        return self.root / "gallery.html"

    def sweep(self) -> None:
        """Remove what a killed process left of pictures it had begun. Only for the holder of the journal's lock."""
        if self.pictures.is_dir():
            for part in self.pictures.glob(".*.part"):
                part.unlink(missing_ok=True)
