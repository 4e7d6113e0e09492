"""Writes gallery.html: one file, no network, opened from the disk by any browser.

Small copies are made where Pillow is installed: up to a few hundred are inside the page itself, more are beside it.
Without Pillow the page shows the pictures as they are, loaded as they come into view.
"""

import base64
import json
from collections.abc import Callable
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from attrs import define

from seedream._files.atomic_file import atomic_write
from seedream._files.pillow import read_image
from seedream.bulk.folder import Folder
from seedream.bulk.results import results
from seedream.journal import Run
from seedream.journal.queries import Queries

if TYPE_CHECKING:
    from PIL.Image import Image

_EMBEDDED: Final = 300  # pictures: with more, the page would grow too large to open
_THUMBNAIL: Final = 560  # pixels, the longer side
_QUALITY: Final = 78


@define
class _Thumbnails:
    """Makes thumbnails and keeps them for the next gallery.

    Attributes:
        folder: The output folder.
        may_continue: Whether there is time for it; asked before each.
        embed: Whether they are inside the page itself.
    """

    folder: Folder
    may_continue: Callable[[], bool]
    embed: bool

    def of(self, path: str, sha256: str) -> dict[str, Any]:
        """Return a picture's size and the address of its thumbnail.

        Nothing without Pillow, without time, or if it cannot be made.
        """
        if not self.may_continue():
            return {}
        target = self.folder.thumbnails / f"{sha256[:32]}.webp"

        def read(image: "Image") -> dict[str, Any]:
            width, height = image.size
            if not target.exists():
                self.folder.thumbnails.mkdir(mode=0o700, exist_ok=True)
                image.draft("RGB", (_THUMBNAIL, _THUMBNAIL))
                small = image.convert("RGB")
                small.thumbnail((_THUMBNAIL, _THUMBNAIL))
                with atomic_write(target) as file:
                    small.save(file, "WEBP", quality=_QUALITY)
            address = target.relative_to(self.folder.root).as_posix()
            if self.embed:
                address = f"data:image/webp;base64,{base64.b64encode(target.read_bytes()).decode()}"
            return {"width": width, "height": height, "thumbnail": address}

        return read_image(self.folder.root / path, read) or {}


def write_gallery(journal: Queries, run: Run, folder: Folder, may_continue: Callable[[], bool]) -> None:
    """Write the page for all jobs of the run, whole or not at all.

    Args:
        journal: The run's journal.
        run: The run.
        folder: Its output folder.
        may_continue: Whether there is time for thumbnails; asked before each. Without, the page still shows everything.
    """
    embed = sum(job.cost for job in journal.jobs(run.id, ("downloaded",))) <= _EMBEDDED
    thumbnails = _Thumbnails(folder, may_continue, embed)
    before, data_mark, rest = _page().partition("/*{{data}}*/")
    assert data_mark  # noqa: S101 -- our own template
    with atomic_write(folder.gallery) as file:
        file.write(f"{before}[".encode())
        for number, row in enumerate(results(journal, run)):
            text = json.dumps(_shown(row, thumbnails), ensure_ascii=False, separators=(",", ":"))
            # Inside a script element only "<" could end it or begin a comment.
            file.write((("," if number else "") + text.replace("<", "\\u003c")).encode())
        file.write(f"]{rest}".encode())


def _page() -> str:
    files = resources.files("seedream.bulk") / "templates"
    page = (files / "gallery.html").read_text("utf-8")
    for name, file in (("style", "gallery.css"), ("script", "gallery.js")):
        page = page.replace(f"/*{{{{{name}}}}}*/", (files / file).read_text("utf-8"))
    return page


def _shown(job: dict[str, Any], thumbnails: _Thumbnails) -> dict[str, Any]:
    """Return what the page shows of a job, as results.jsonl describes it."""
    return {
        **{name: job[name] for name in ("id", "line", "state", "taskid", "spent")},
        "prompt": job["request"].get("prompt", ""),
        "resolution": job["request"].get("resolution"),
        "error": job["error"] and job["error"]["message"],
        "pictures": [
            {"path": one["path"], "bytes": one["bytes"], **thumbnails.of(one["path"], one["sha256"])}
            for one in job["pictures"]
        ],
    }
