"""Where workers put pictures: a local directory, or an object store that pyarrow or fsspec knows by its URI."""

import importlib
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

import anyio
from attrs import evolve, field, frozen

from seedream._support.threads import in_thread
from seedream.bulk.downloader import Delivery, deliver
from seedream.bulk.options import BulkOptions
from seedream.client import AsyncSeeDream
from seedream.errors import ConfigError, DiskError

_BLOCK: Final = 1024 * 1024  # bytes
_TRIES: Final = 3
_PAUSE: Final = 1.0  # seconds before the second try; twice as long before the third


@frozen
class PictureStore:
    """A place for pictures, by a path or a URI (``/data/pictures``, ``file:///data``, ``s3://bucket/prefix``).

    An object store's URI may carry what pyarrow takes in its query, for example
    ``s3://bucket/prefix?region=eu-west-1``; neither the query nor credentials appear in recorded paths.

    Attributes:
        target: The path or URI.
    """

    target: str = field(repr=False)

    @property
    def local(self) -> Path | None:
        """The directory, if it is a local one."""
        if self.target.startswith("file://"):
            return Path(unquote(urlsplit(self.target).path))
        return None if "://" in self.target else Path(self.target).absolute()

    @property
    def address(self) -> str:
        """The directory or URI as it is recorded."""
        if self.local is not None:
            return str(self.local)
        scheme, netloc, path, _, _ = urlsplit(self.target)
        return urlunsplit((scheme, netloc.rpartition("@")[2], path.rstrip("/"), "", ""))

    def check(self) -> None:
        """Find out whether it can be used at all, before anything is paid for.

        Raises:
            ConfigError: The URI is not understood, or its library is not installed.
        """
        if self.local is None:
            self._filesystem()

    def _filesystem(self) -> tuple[Any, str]:
        """Return the pyarrow file system and the path in it."""
        try:
            arrow = importlib.import_module("pyarrow.fs")
        except ImportError:
            raise ConfigError(
                f"pictures at {self.address} need pyarrow",
                hint="Install the extra from the project's folder: pip install '.[ray]'",
            ) from None
        try:
            found: tuple[Any, str] = arrow.FileSystem.from_uri(self.target)
        except (ValueError, OSError, NotImplementedError) as error:  # pyarrow does not know it: perhaps fsspec does
            reason = str(error)
        else:
            return found
        try:
            filesystem, path = importlib.import_module("fsspec.core").url_to_fs(self.target)
        except (ImportError, ValueError, OSError) as error:
            raise ConfigError(
                f"pictures cannot be stored at {self.address}: {error} ({reason})",
                hint="Give a directory, or a URI that pyarrow or an installed fsspec library knows.",
            ) from None
        return arrow.PyFileSystem(arrow.FSSpecHandler(filesystem)), str(path)

    def put(self, file: Path) -> str:
        """Store a file under its own name; gives the address as it is recorded.

        Raises:
            DiskError: It could not be stored in three tries.
        """
        filesystem, base = self._filesystem()
        path = f"{base.rstrip('/')}/{file.name}"
        reason = ""
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE * attempt)
            try:
                if filesystem.type_name not in {"s3", "gcs", "abfs"}:  # object stores have no directories
                    filesystem.create_dir(base, recursive=True)
                with file.open("rb") as source, filesystem.open_output_stream(path) as target:
                    shutil.copyfileobj(source, target, _BLOCK)
                stored = filesystem.get_file_info(path).size
                if stored != file.stat().st_size:
                    raise OSError(f"{stored} of {file.stat().st_size} bytes arrived")  # noqa: TRY301 -- tried again
            except OSError as error:
                reason = str(error)
            else:
                return f"{self.address}/{file.name}"
        raise DiskError(f"{file.name} could not be stored at {self.address}: {reason}", hint="Check it, then resume.")


class StoreDelivery:
    """Delivers tasks to a store. The client is made at the first task, in the event loop that uses it.

    Args:
        connect: Makes the client.
        store: Where the pictures go.
        options: ``downloads``, ``task_timeout`` and ``max_bytes`` are used.
    """

    def __init__(self, connect: Callable[[], AsyncSeeDream], store: PictureStore, options: BulkOptions) -> None:
        self.connect, self.store, self.options = connect, store, options
        self.client: AsyncSeeDream | None = None
        self._downloads: anyio.CapacityLimiter

    async def deliver(self, taskid: str, images: int) -> Delivery:
        """Wait for a task and store its pictures; as `downloader.deliver`, with whole paths or URIs."""
        if self.client is None:
            self.client, self._downloads = self.connect(), anyio.CapacityLimiter(self.options.downloads)
        bring = partial(
            deliver,
            self.client,
            taskid,
            images=images,
            timeout=self.options.task_timeout,
            max_bytes=self.options.max_bytes,
            downloads=self._downloads,
        )
        if (directory := self.store.local) is not None:
            delivery = await bring(directory)
            paths = [str(directory.parent / one.path) for one in delivery.pictures]
        else:
            with tempfile.TemporaryDirectory(prefix="seedream-") as name:
                folder = Path(name)
                delivery = await bring(folder / "pictures")
                try:
                    paths = [await in_thread(self.store.put, folder / one.path) for one in delivery.pictures]
                except DiskError as error:
                    return Delivery(taskid, "succeeded", error=error)
        pictures = [evolve(one, path=path) for one, path in zip(delivery.pictures, paths, strict=True)]
        return evolve(delivery, pictures=tuple(pictures))

    async def close(self) -> None:
        """Close the client, if there is one."""
        if self.client is not None:
            await self.client.close()
        self.client = None
