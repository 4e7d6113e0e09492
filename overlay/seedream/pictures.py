"""Pictures as values: their bytes, media type and size, shown by notebooks, opened by Pillow where it is installed."""

import base64
import io
import struct
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from seedream._files.image_formats import HEAD, sniff
from seedream._files.pillow import read_image
from seedream._protocol.replies import TaskInfo
from seedream._support.redact import quote
from seedream.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN_WHOLE: Final = 512 * 1024  # bytes: a larger picture is shown in a notebook as a thumbnail
_SIZES: Final = {"png": (">II", 16), "gif": ("<HH", 6)}  # where width and height are in the first bytes
_THUMBNAIL: Final = 640  # pixels on the longer side
_NOTEBOOKS: Final = ("image/png", "image/jpeg", "image/gif")  # what a notebook shows by its media type
_BROWSERS: Final = (*_NOTEBOOKS, "image/webp", "image/avif", "image/bmp")


@frozen
class Picture:
    """A picture of a task, in memory or on disk.

    Attributes:
        path: Where it is saved; None when it is only in memory.
    """

    path: Path | None = None
    _bytes: bytes | None = field(default=None, repr=False, alias="content")

    @property
    def data(self) -> bytes:
        """The encoded picture. Raises OSError when a saved file cannot be read."""
        if self._bytes is not None:
            return self._bytes
        return self.path.read_bytes() if self.path else b""

    @property
    def media_type(self) -> str:
        """For example ``image/png``, as the bytes show."""
        kind = sniff(self._head(HEAD))
        return kind.media_type if kind else "application/octet-stream"

    @property
    def width(self) -> int | None:
        """Pixels; None when the format does not say, and Pillow is not installed or does not open it."""
        return self._size()[0]

    @property
    def height(self) -> int | None:
        """Pixels; None when the format does not say, and Pillow is not installed or does not open it."""
        return self._size()[1]

    def image(self) -> "Image":
        """Open it with Pillow.

        Raises:
            ConfigError: Pillow is not installed.
            Exception: What Pillow raises for a damaged or huge picture, mostly OSError.
        """
        try:
            from PIL import Image  # noqa: PLC0415 -- an optional library
        except ImportError:
            raise ConfigError("Pillow is not installed", hint="Install it: pip install pillow.") from None
        image = Image.open(io.BytesIO(self.data))
        image.load()
        return image

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the bytes to a file, atomically: a file that is there is replaced only by the whole picture.

        Args:
            path: The file. Without an extension it gets the one that belongs to the bytes.

        Raises:
            ConfigError: It cannot be written.
        """
        from seedream._files.partial_file import PartialFile  # noqa: PLC0415 -- for saving only

        target = Path(path)
        data = self.data
        kind = sniff(data[:HEAD])
        if not target.suffix and kind is not None:
            target = target.with_name(f"{target.name}.{kind.extension}")
        try:
            part = PartialFile(target.parent, target.stem)
            try:
                part.write(data)
                return part.finish(target)
            finally:
                part.discard()
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ConfigError(f"cannot write {quote(str(target))}: {reason}", hint="Choose another place.")

    def _head(self, size: int) -> bytes:
        if self._bytes is not None:
            return self._bytes[:size]
        if self.path is None:
            return b""
        with self.path.open("rb") as file:
            return file.read(size)

    def _size(self) -> tuple[int | None, int | None]:
        head = self._head(HEAD)
        kind = sniff(head)
        layout, start = _SIZES.get(kind.format, ("", 0)) if kind else ("", 0)
        if layout and len(head) >= start + struct.calcsize(layout):
            width, height = struct.unpack_from(layout, head, start)
            return width, height
        return read_image(io.BytesIO(self.data), lambda image: image.size) or (None, None)

    def shown(self) -> dict[str, Any]:
        """Return what a notebook shows, by media type: the picture itself, or a thumbnail of a large one."""
        data, media_type = self.data, self.media_type
        if len(data) > _SHOWN_WHOLE or media_type not in _BROWSERS:
            data, media_type = self._thumbnail() or (data, media_type)
        encoded = base64.b64encode(data).decode()
        if media_type in _NOTEBOOKS:
            return {"text/plain": repr(self), media_type: encoded}
        return {"text/plain": repr(self), "text/html": _image_tag(media_type, encoded, _THUMBNAIL)}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return ``shown``, for notebooks."""
        return self.shown()

    def _repr_png_(self) -> bytes | None:
        """Return the picture or a thumbnail for notebooks that ask for a PNG; None where it cannot be made."""
        if self.media_type == "image/png" and len(self._head(_SHOWN_WHOLE + 1)) <= _SHOWN_WHOLE:
            return self.data
        found = self._thumbnail(kind="PNG")
        return found[0] if found else None

    def _thumbnail(self, kind: str = "JPEG") -> tuple[bytes, str] | None:
        def small(image: "Image") -> tuple[bytes, str]:
            image.load()  # a thumbnail of a part of a picture would look whole
            image.thumbnail((_THUMBNAIL, _THUMBNAIL))
            stream = io.BytesIO()
            image.convert("RGB").save(stream, kind)
            return stream.getvalue(), f"image/{kind.lower()}"

        return read_image(io.BytesIO(self.data), small)


@frozen
class Generated:
    """What ``generate`` gives. Iterating over it gives its pictures.

    Attributes:
        taskid: The task's id.
        info: The task's state.
        pictures: The pictures, in order.
    """

    taskid: str
    info: TaskInfo
    pictures: list[Picture]

    @property
    def files(self) -> list[Path]:
        """Paths of the saved pictures, in order; empty when they are only in memory."""
        return [picture.path for picture in self.pictures if picture.path is not None]

    def __iter__(self) -> Iterator[Picture]:
        return iter(self.pictures)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Picture:
        return self.pictures[index]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return all pictures side by side, for notebooks."""
        images = "".join(_as_html(picture) for picture in self.pictures)
        return {
            "text/plain": repr(self),
            "text/html": f'<div style="display:flex;flex-wrap:wrap;gap:8px">{images}</div>',
        }


def _as_html(picture: Picture) -> str:
    shown = picture.shown()
    media_type = next((name for name in shown if name in _NOTEBOOKS), "")
    return _image_tag(media_type, shown[media_type], _THUMBNAIL // 2) if media_type else str(shown["text/html"])


def _image_tag(media_type: str, encoded: str, width: int) -> str:
    return f'<img src="data:{media_type};base64,{encoded}" style="max-width:{width}px">'
