"""Writes gallery.html: one file, no network, opened from the disk by any browser.

Small copies are made where Pillow is installed: up to a few hundred are inside the page itself, more are beside it.
Without Pillow the page shows the pictures as they are, loaded as they come into view.
"""

import base64
import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Final

from attrs import define, frozen

from seedream._files.atomic_file import atomic_write
from seedream.bulk.folder import Folder
from seedream.journal import STATES, Job, Picture, Run
from seedream.journal.queries import Queries

_EMBEDDED: Final = 300  # pictures: with more, the page would grow too large to open
_THUMBNAIL: Final = 560  # pixels, the longer side
_QUALITY: Final = 78


@frozen
class _Small:
    """A thumbnail: its file, and the picture's own size in pixels."""

    path: Path
    width: int
    height: int


@define
class _Thumbnails:
    """Makes thumbnails and keeps them for the next gallery.

    Attributes:
        folder: The output folder.
        may_continue: Whether there is time for it; asked before each.
    """

    folder: Folder
    may_continue: Callable[[], bool]
    _pillow: Any = None

    def __attrs_post_init__(self) -> None:
        try:
            from PIL import Image  # noqa: PLC0415 -- an optional library
        except ImportError:
            return
        self._pillow = Image

    def of(self, picture: Picture) -> _Small | None:
        """Return the thumbnail of a picture; None without Pillow, without time, or if it cannot be made."""
        if self._pillow is None or not self.may_continue():
            return None
        target = self.folder.thumbnails / f"{picture.sha256[:32]}.webp"
        try:
            with self._pillow.open(self.folder.root / picture.path) as image:
                width, height = image.size
                if not target.exists():
                    self.folder.thumbnails.mkdir(mode=0o700, exist_ok=True)
                    image.draft("RGB", (_THUMBNAIL, _THUMBNAIL))
                    small = image.convert("RGB")
                    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
                    with atomic_write(target) as file:
                        small.save(file, "WEBP", quality=_QUALITY)
        except (OSError, ValueError, self._pillow.DecompressionBombError):
            return None
        return _Small(target, width, height)


def write_gallery(journal: Queries, run: Run, folder: Folder, may_continue: Callable[[], bool]) -> None:
    """Write the page for all jobs of the run, whole or not at all.

    Args:
        journal: The run's journal.
        run: The run.
        folder: Its output folder.
        may_continue: Whether there is time for thumbnails; asked before each. Without, the page still shows everything.
    """
    embed = sum(job.cost for job in journal.jobs(run.id, ("downloaded",))) <= _EMBEDDED
    thumbnails = _Thumbnails(folder, may_continue)
    before, data_mark, rest = _page().partition("/*{{data}}*/")
    assert data_mark  # noqa: S101 -- our own template
    with atomic_write(folder.gallery) as file:
        for part in _parts(before, _rows(journal, run, thumbnails, folder, embed=embed), rest):
            file.write(part.encode())


def _parts(before: str, rows: Iterator[dict[str, Any]], after: str) -> Iterator[str]:
    yield f"{before}["
    for number, row in enumerate(rows):
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        # Inside a script element only "<" could end it or begin a comment.
        yield ("," if number else "") + text.replace("<", "\\u003c")
    yield f"]{after}"


def _page() -> str:
    files = resources.files("seedream.bulk") / "templates"
    page = (files / "gallery.html").read_text("utf-8")
    for name, file in (("style", "gallery.css"), ("script", "gallery.js")):
        page = page.replace(f"/*{{{{{name}}}}}*/", (files / file).read_text("utf-8"))
    return page


def _rows(
    journal: Queries, run: Run, thumbnails: _Thumbnails, folder: Folder, *, embed: bool
) -> Iterator[dict[str, Any]]:
    for job in journal.jobs(run.id, STATES):
        yield _row(job, [_picture(one, thumbnails, folder, embed=embed) for one in journal.pictures(job.id)])


def _row(job: Job, pictures: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": job.key,
        "line": job.line,
        "state": job.state,
        "taskid": job.taskid,
        "prompt": job.request.get("prompt", ""),
        "resolution": job.request.get("resolution"),
        "spent": job.spent,
        "error": job.message,
        "pictures": pictures,
    }


def _picture(one: Picture, thumbnails: _Thumbnails, folder: Folder, *, embed: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"path": one.path, "bytes": one.bytes}
    small = thumbnails.of(one)
    if small is not None:
        row |= {"width": small.width, "height": small.height, "thumbnail": _address(small.path, folder, embed=embed)}
    return row


def _address(path: Path, folder: Folder, *, embed: bool) -> str:
    if embed:
        return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"
    return path.relative_to(folder.root).as_posix()
